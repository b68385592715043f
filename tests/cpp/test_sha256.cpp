// What sha256.hpp promises: SHA-256 of any bytes, however they are cut.
#include "bytes.hpp"
#include "catch.hpp"
#include "sha256.hpp"

#include <algorithm>
#include <array>
#include <utility>

using digitnet::detail::Sha256;

namespace {

std::string sha256(std::span<const std::uint8_t> bytes) {
  Sha256 sum;
  sum.update(bytes);
  return sum.finish();
}

/// Bytes 0, 1, 2 ... of a length; after 255 comes 0.
digitnet::test::Bytes counted(std::size_t length) {
  digitnet::test::Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

}  // namespace

TEST_CASE("sha256: the examples of NIST", "[sha256]") {
  using digitnet::test::bytes_of;
  CHECK(sha256({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256(bytes_of("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(bytes_of("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                        "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu")) ==
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  CHECK(sha256(digitnet::test::Bytes(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// From Python:
//   for n in [*range(54, 67), *range(118, 131)]: print(n, hashlib.sha256(bytes(range(n))).hexdigest())
TEST_CASE("sha256: lengths around the ends of blocks and of their padding", "[sha256]") {
  const std::pair<std::size_t, const char*> known[]{
      {54, "675f28acc0b90a72d1c3a570fe83ac565555db358cf01826dc8eefb2bf7ca0f3"},
      {55, "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59"},
      {56, "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562"},
      {57, "2fe741af801cc238602ac0ec6a7b0c3a8a87c7fc7d7f02a3fe03d1c12eac4d8f"},
      {58, "e03b18640c635b338a92b82cce4ff072f9f1aba9ac5261ee1340f592f35c0499"},
      {59, "bd2de8f5dd15c73f68dfd26a614080c2e323b2b51b1b5ed9d7933e535d223bda"},
      {60, "0ddde28e40838ef6f9853e887f597d6adb5f40eb35d5763c52e1e64d8ba3bfff"},
      {61, "4b5c2783c91ceccb7c839213bcbb6a902d7fe8c2ec866877a51f433ea17f3e85"},
      {62, "c89da82cbcd76ddf220e4e9091019b9866ffda72bee30de1effe6c99701a2221"},
      {63, "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488"},
      {64, "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108"},
      {65, "4bfd2c8b6f1eec7a2afeb48b934ee4b2694182027e6d0fc075074f2fabb31781"},
      {66, "b6dfd259f6e0d07deb658a88148f8253f9bbbb74ddd6db3edbe159a56bc35073"},
      {118, "d32ab00929cb935b79d44e74c5a745db460ff794dea3b79be40c1cc5cf5388ef"},
      {119, "da18797ed7c3a777f0847f429724a2d8cd5138e6ed2895c3fa1a6d39d18f7ec6"},
      {120, "f52b23db1fbb6ded89ef42a23ce0c8922c45f25c50b568a93bf1c075420bbb7c"},
      {121, "335a461692b30bba1d647cc71604e88e676c90e4c22455d0b8c83f4bd7c8ac9b"},
      {122, "3d08c4d7bdda7ec922b0741df357de46e7bd102f9ab7a5c67624ab58da6d9d75"},
      {123, "cc63be92e3a900cd067da89473b61b40579b54ef54f8305c2ffcc893743792e9"},
      {124, "865447fc4fae01471f2fc973bfb448de00217521ef02e3214d5177ea89c3ef31"},
      {125, "3daa582f9563601e290f3cd6d304bff7e25a9ee42a34ffbac5cf2bf40134e0d4"},
      {126, "5dda7cb7c2282a55676f8ad5c448092f4a9ebd65338b07ed224fcd7b6c73f5ef"},
      {127, "92ca0fa6651ee2f97b884b7246a562fa71250fedefe5ebf270d31c546bfea976"},
      {128, "471fb943aa23c511f6f72f8d1652d9c880cfa392ad80503120547703e56a2be5"},
      {129, "5099c6a56203f9687f7d33f4bfdf576d31dc91f6b695ecea38b2770c87631135"},
      {130, "8d39b60b9c767c58975b270c1d6b13c9b4507e5aee7ad496a3528e4c7f880721"}};
  for (const auto& [length, digits] : known) {
    CAPTURE(length);
    CHECK(sha256(counted(length)) == digits);
  }
}

TEST_CASE("sha256: how the bytes are cut into pieces does not matter", "[sha256]") {
  const auto bytes = counted(200);
  const std::string whole = sha256(bytes);
  for (std::size_t piece = 1; piece <= 130; ++piece) {
    Sha256 sum;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      sum.update({});  // nothing is nothing
      sum.update(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)));
    }
    CAPTURE(piece);
    CHECK(sum.finish() == whole);
  }
}
