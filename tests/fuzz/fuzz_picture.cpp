// The bytes are a picture; and, if they are a PNG, the same once more with the checksums that its pieces have. The
// pixels that were read must come back from a PNG and from a PGM or PPM that is made of them here.
#include "../support/pictures.hpp"
#include "fuzz.hpp"

#include <digitnet/picture.hpp>

using namespace digitnet;
using namespace digitnet::fuzz;

namespace {

Bytes with_right_checksums(Bytes bytes) {
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const std::size_t length = std::size_t{bytes[at]} << 24 | std::size_t{bytes[at + 1]} << 16 |
                               std::size_t{bytes[at + 2]} << 8 | bytes[at + 3];
    if (length > bytes.size() - at - 12) break;
    const uLong sum = crc32(0, &bytes[at + 4], static_cast<uInt>(length + 4));
    const Bytes right = test::big_endian(sum);
    std::copy(right.begin(), right.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at + 8 + length));
    at += 12 + length;
  }
  return bytes;
}

void require_same(const Picture& a, const Picture& b) {
  require(a.width == b.width && a.height == b.height && a.channels == b.channels && a.pixels == b.pixels,
          "a picture written is not the one that is read");
}

void check(const Bytes& bytes) {
  const auto picture = taken("read_picture: bytes: ", [&] { return read_picture(bytes); });
  if (!picture) return;
  require(picture->channels >= 1 && picture->channels <= 4, "a number of channels that cannot be");
  require(picture->width >= 1 && picture->height >= 1, "a picture without pixels");
  require(picture->pixels.size() == picture->width * picture->height * picture->channels, "pixels are missing");
  if (picture->pixels.size() > 1 << 16) return;  // large ones would be slow
  require_same(*picture, read_picture(test::png(*picture)));
  if (picture->channels % 2 == 0) return;
  const std::string header =
      detail::text(picture->channels == 1 ? "P5" : "P6", '\n', picture->width, ' ', picture->height, "\n255\n");
  Bytes plain(header.begin(), header.end());
  plain.insert(plain.end(), picture->pixels.begin(), picture->pixels.end());
  require_same(*picture, read_picture(plain));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, data + size);
  check(bytes);
  if (size > 8 && bytes[0] == 0x89) check(with_right_checksums(bytes));
  return 0;
}
