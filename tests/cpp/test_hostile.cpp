// Files made to do harm: cut short, changed by a bit, claiming what they do not hold, packed to burst. docs/limits.md
// and docs/reliability.md tell what is promised; what each reader says of wrong files is in the tests of its header.
#include "bytes.hpp"
#include "catch.hpp"
#include "model_file.hpp"
#include "pictures.hpp"
#include "small_networks.hpp"
#include "temporary_folder.hpp"

#include <digitnet/drawing.hpp>
#include <digitnet/idx.hpp>
#include <digitnet/picture.hpp>
#include <digitnet/random.hpp>
#include <digitnet/serialization.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

using namespace digitnet;
using test::Bytes;
using test::bytes_of;
using test::gzip;
using test::joined;
using test::TemporaryFolder;
using test::write_file;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t allowance = 64 * mebibyte;  // above what a file really holds
constexpr std::size_t little = 8 * mebibyte;      // what a process takes for the first message it makes, and more

/// A model as it is used: 784-16-10, 51 kB.
Bytes model_bytes() {
  Rng rng(5);
  Network<float> network({784, 16, 10}, Activation::relu, rng);
  network.metadata["provenance"] = R"({"seed": 5})";
  return network_to_bytes(network);
}

Bytes images_bytes() {
  Rng rng(6);
  Bytes bytes{0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 28, 0, 0, 0, 28};
  for (int i = 0; i < 20 * 784; ++i)
    bytes.push_back(static_cast<std::uint8_t>(rng.below(4) == 0 ? rng.below(256) : 0));
  return bytes;
}

/// A format: a whole file, and a reader that throws if the file is not whole; what it gives is what the file says.
struct Format {
  const char* name;
  Bytes whole;
  std::function<Bytes(std::span<const std::uint8_t>)> read;
};

std::vector<Format> formats_with_checksum(const TemporaryFolder& folder) {
  const auto read_images = [](std::span<const std::uint8_t> bytes) {
    const IdxArray array = read_idx_bytes(bytes);
    const auto& pixels = std::get<Vector<std::uint8_t>>(array.values);
    return Bytes(pixels.begin(), pixels.end());
  };
  const auto read_strokes = [&folder](std::span<const std::uint8_t> bytes) {
    write_drawings(folder / "again", read_drawings(write_file(folder / "drawings", bytes)));
    return test::read_file(folder / "again");
  };
  const auto read_model = [](std::span<const std::uint8_t> bytes) {
    return network_to_bytes(network_from_bytes<float>(bytes));
  };
  return {{"model", model_bytes(), read_model},
          {"idx, gzip", gzip(images_bytes()), read_images},
          {"drawings, gzip", gzip(test::read_file(DIGITNET_TEST_DATA "/strokes/digits.jsonl")), read_strokes},
          {"png", test::read_file(test::images_folder / "8-like-mnist.png"),
           [](std::span<const std::uint8_t> bytes) { return read_picture(bytes).pixels; }}};
}

// The sanitizers keep what is freed. GCC tells of them by macros, clang by features.
#if !defined(__has_feature)
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
    __has_feature(thread_sanitizer)
constexpr bool memory_is_measured = false;
#else
constexpr bool memory_is_measured = true;
#endif

/// What a reader does with a file in a process of its own: "" for a FormatError of one line that has `part`, within
/// ten seconds and with less than `memory` bytes more than before; else what happened instead.
std::string not_refused(const std::function<void()>& read, const std::string& part, std::size_t memory = allowance) {
  int channel[2];
  if (::pipe(channel) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child < 0) return "no process";
  if (child == 0) {
    const rlim_t work = memory_is_measured ? 10 : 120;  // seconds, however busy the machine is; sanitizers are slow
    const rlimit seconds{work, work};                   // more ends it
    ::setrlimit(RLIMIT_CPU, &seconds);
    ::alarm(600);  // and so does waiting for something that does not come
    const auto peak = [] {
      rusage usage{};
      getrusage(RUSAGE_SELF, &usage);
      return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
    };
    const std::size_t before = peak();
    std::string wrong = test::thrown_instead<FormatError>(read, part);
    const std::size_t taken = peak() - before;
    if (memory_is_measured && wrong.empty() && taken > memory)
      wrong = detail::text(taken / mebibyte, " MiB of memory");
    const auto written = ::write(channel[1], wrong.data(), wrong.size());
    ::_exit(written == static_cast<ssize_t>(wrong.size()) ? 0 : 1);
  }
  ::close(channel[1]);
  std::string wrong;
  char buffer[4096];
  for (ssize_t count; (count = ::read(channel[0], buffer, sizeof(buffer))) > 0;) {
    wrong.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(channel[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return detail::text("ended by signal ", WTERMSIG(status));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return detail::text("ended with status ", status);
  return wrong;
}

/// A gibibyte of zeros in a megabyte, as members of gzip of 64 MiB each.
Bytes gibibyte_of_zeros() {
  const Bytes member = gzip(Bytes(mebibyte, 0), 64);
  Bytes all;
  for (int i = 0; i < 16; ++i) all.insert(all.end(), member.begin(), member.end());
  return all;
}

/// The zlib stream of so many zeros.
Bytes deflated_zeros(std::size_t mebibytes) {
  z_stream stream{};
  REQUIRE(deflateInit(&stream, 9) == Z_OK);
  Bytes zeros(mebibyte, 0);
  Bytes packed(mebibytes * 1100 + 1000);
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  for (std::size_t i = 0; i < mebibytes; ++i) {
    stream.next_in = zeros.data();
    stream.avail_in = static_cast<uInt>(zeros.size());
    REQUIRE(deflate(&stream, i + 1 < mebibytes ? Z_NO_FLUSH : Z_FINISH) != Z_STREAM_ERROR);
  }
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Bytes png_of(std::size_t width, std::size_t height, std::size_t channels, const Bytes& packed) {
  return joined(
      {test::png_header(width, height, channels), test::png_chunk("IDAT", packed), test::png_chunk("IEND", {})});
}

/// The test picture as a JPEG that claims other sides.
Bytes jpeg_of(std::size_t width, std::size_t height) {
  Bytes bytes = test::read_file(test::images_folder / "4-black-on-white.jpg");
  for (std::size_t at = 2; at + 9 < bytes.size();) {  // from segment to segment, to the header of the frame
    if (bytes[at + 1] == 0xc0 || bytes[at + 1] == 0xc2) {
      bytes[at + 5] = static_cast<std::uint8_t>(height >> 8);
      bytes[at + 6] = static_cast<std::uint8_t>(height);
      bytes[at + 7] = static_cast<std::uint8_t>(width >> 8);
      bytes[at + 8] = static_cast<std::uint8_t>(width);
      return bytes;
    }
    at += 2 + (std::size_t{bytes[at + 2]} << 8 | bytes[at + 3]);
  }
  FAIL("no frame in the JPEG");
  return {};
}

}  // namespace

TEST_CASE("hostile: 0 of 100 files cut short load", "[hostile]") {
  const TemporaryFolder folder;
  for (const Format& format : formats_with_checksum(folder)) {
    REQUIRE_NOTHROW(format.read(format.whole));
    Rng rng(1);
    std::size_t loaded = 0;
    for (int trial = 0; trial < 100; ++trial) {
      const auto part = std::span(format.whole).first(1 + rng.below(format.whole.size() - 1));
      loaded += test::thrown_instead<FormatError>([&] { format.read(part); }, "").empty() ? 0 : 1;
    }
    CAPTURE(format.name);
    CHECK(loaded == 0);
  }
}

TEST_CASE("hostile: 0 of 100 flipped bits go unnoticed", "[hostile]") {
  const TemporaryFolder folder;
  for (const Format& format : formats_with_checksum(folder)) {
    const Bytes content = format.read(format.whole);
    Rng rng(2);
    std::size_t read = 0;
    std::size_t unnoticed = 0;
    for (int trial = 0; trial < 100; ++trial) {
      Bytes bytes = format.whole;
      const std::size_t at = rng.below(bytes.size());
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1u << rng.below(8)));
      try {
        unnoticed += format.read(bytes) == content ? 0 : 1;
        ++read;
      } catch (const FormatError&) {
      }
    }
    CAPTURE(format.name);
    CHECK(unnoticed == 0);
    // In gzip a bit may mean nothing: in its header, or a copy from elsewhere among equal bytes.
    CHECK(read <= (format.whole[0] == 0x1f ? std::size_t{5} : std::size_t{0}));
  }
}

TEST_CASE("hostile: a megabyte of gzip that claims 2 GB is refused before it is unpacked", "[hostile][memory]") {
  const Bytes header{0, 0, 8, 3, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 4, 0};  // 2048 x 1024 x 1024
  const Bytes bomb = joined({gzip(header), gibibyte_of_zeros(), gibibyte_of_zeros()});
  REQUIRE(bomb.size() < 5 * mebibyte / 2);
  const TemporaryFolder folder;
  const auto path = write_file(folder / "bomb.gz", bomb);
  CHECK(not_refused([&] { read_idx(path); }, "is it a gzip bomb?") == "");
  CHECK(not_refused([&] { read_idx_images(path); }, "is it a gzip bomb?") == "");
  CHECK(not_refused([&] { read_idx_bytes(bomb); }, "is it a gzip bomb?") == "");
  CHECK(not_refused([&] { read_drawings(path); }, "a line or drawing of more than 67108864 bytes", 2 * allowance) ==
        "");
  CHECK(not_refused([&] { load_network<float>(path); }, "header: does not begin with {") == "");
  CHECK(not_refused([&] { read_picture(path); }, "neither PNG, JPEG nor PGM") == "");
}

TEST_CASE("hostile: gzip that holds much more than its header says is not unpacked further", "[hostile][memory]") {
  const Bytes header{0, 0, 8, 1, 0, 0, 0, 10};
  const Bytes bomb = joined({gzip(header), gibibyte_of_zeros()});
  CHECK(not_refused([&] { read_idx_bytes(bomb); }, "more than 10 bytes of data", little) == "");
}

TEST_CASE("hostile: drawings packed to burst are refused on the way", "[hostile][memory]") {
  const TemporaryFolder folder;
  const auto refused = [&](const Bytes& unit, std::size_t repeated, const char* part,
                           std::size_t memory = allowance) {
    const auto path = write_file(folder / "bomb.gz", gzip(unit, repeated));
    CHECK(not_refused([&] { read_drawings(path); }, part, memory) == "");
    CHECK(not_refused([&] { load_drawings(path); }, "", memory) == "");
  };
  const auto lines = [](std::string_view line) {  // as many as fit into 64 KiB
    Bytes bytes;
    while (bytes.size() + line.size() <= 65536) bytes.insert(bytes.end(), line.begin(), line.end());
    return bytes;
  };
  refused(lines("\n"), 2048, "is it a bomb?");
  refused(lines(" "), 2048, "is it a bomb?", 2 * allowance);  // twice: the line itself is kept
  refused(lines("["), 100, "expected two numbers", 2 * allowance);
  refused(lines("[]\n"), 200, "more than 1000000 drawings so far", 2 * allowance);
}

TEST_CASE("hostile: pictures that claim what they do not hold take no memory", "[hostile][memory]") {
  const Bytes packed = deflated_zeros(1);
  CHECK(not_refused([&] { read_picture(png_of(8000, 8000, 4, packed)); }, "claims 8000 x 8000 pixels in", little) ==
        "");
  CHECK(not_refused([&] { read_picture(jpeg_of(8000, 8000)); }, "claims 8000 x 8000 pixels in", little) == "");
}

TEST_CASE("hostile: a PNG that holds much more than its pixels is not unpacked further", "[hostile][memory]") {
  const Bytes bomb = png_of(10, 10, 1, deflated_zeros(256));
  REQUIRE(bomb.size() < mebibyte);
  CHECK(not_refused([&] { read_picture(bomb); }, "more than the 110 bytes of 10 x 10 pixels are packed", little) ==
        "");
  const Bytes large = png_of(8000, 8000, 3, deflated_zeros(184));  // 192 MB of white or black from 190 kB
  CHECK(not_refused([&] { read_picture(large); }, "expected at most 200 times as many; is it a bomb?", little) == "");
}

TEST_CASE("hostile: a PNG with a little behind its pixels is read", "[hostile]") {
  const Picture picture = read_picture(png_of(100, 100, 1, deflated_zeros(1)));
  CHECK(picture.pixels == Bytes(10000, 0));
}

TEST_CASE("hostile: model files that claim what they do not hold take no memory", "[hostile][memory]") {
  const auto refused = [](const Bytes& bytes, const char* part) {
    CHECK(not_refused([&] { network_from_bytes<float>(bytes); }, part, little) == "");
  };
  test::ModelFile file = test::small_model();
  file.tensor("layers.0.weights").shape = {1u << 20, 1u << 20};
  refused(file.bytes(), "a shape too large for any file");
  file = test::small_model();
  file.tensor("layers.0.weights").shape = {1u << 15, 1u << 15};
  refused(file.bytes(), "24 bytes, expected 4294967296 of dtype F32");
  file = test::small_model();
  file.tensor("layers.0.weights").end += std::uint64_t{1} << 32;
  refused(file.bytes(), "4294967320 bytes, expected 24");
  file = test::small_model();
  file.metadata["architecture"] = R"({"activations":["relu","softmax"],"loss":"huber","sizes":[1048576,1048576,2]})";
  refused(file.bytes(), "expected (1048576, 1048576) by the architecture");
  Bytes bytes = test::small_model().bytes();
  bytes[7] = 0x7f;  // a header of more bytes than any file
  refused(bytes, "byte 0: a header of");
}

TEST_CASE("hostile: deep nesting ends neither the stack nor memory", "[hostile][memory]") {
  const std::string deep(10 * mebibyte, '[');
  const TemporaryFolder folder;
  const auto path = write_file(folder / "deep", R"({"x":)" + deep);
  CHECK(not_refused([&] { read_drawings(path); }, "nested deeper than 64 levels", allowance) == "");
  const test::ModelFile file = test::small_model();
  const Bytes model = file.with_header(R"({"__metadata__":)" + std::string(900000, '['));
  CHECK(not_refused([&] { network_from_bytes<float>(model); }, "nested deeper than 64 levels", little) == "");
}

// Found by the fuzzers (docs/reliability.md); the files themselves are in tests/fuzz/corpus.

TEST_CASE("hostile: a Huffman table of a JPEG with too many codes, or cut short, is refused", "[hostile][fuzz]") {
  Bytes bytes = test::read_file(test::images_folder / "4-black-on-white.jpg");
  const Bytes marker{0xff, 0xc4};
  const auto table = std::search(bytes.begin(), bytes.end(), marker.begin(), marker.end());
  REQUIRE(table != bytes.end());
  const Bytes until_table(bytes.begin(), table + 12);  // in the middle of the counts
  std::fill(table + 5, table + 21, std::uint8_t{255});
  CHECK_ERROR(read_picture(bytes), FormatError, "damaged (a Huffman table of the JPEG)");
  CHECK_ERROR(read_picture(until_table), FormatError, "damaged (a Huffman table of the JPEG)");
}

TEST_CASE("hostile: a JPEG that uses tables it has not given reads as nothing that was in memory",
          "[hostile][fuzz]") {
  Bytes bytes = test::read_file(test::images_folder / "4-black-on-white.jpg");
  for (std::size_t at = 0; at + 1 < bytes.size(); ++at) {
    if (bytes[at] == 0xff && (bytes[at + 1] == 0xc4 || bytes[at + 1] == 0xdb)) bytes[at + 1] = 0xfe;  // a comment
    if (bytes[at] == 0xff && bytes[at + 1] == 0xda) break;
  }
  const auto result = [&bytes] {
    const Bytes used(1 << 20, 0xa5);  // dirt for the allocator to hand out again
    try {
      return read_picture(bytes).pixels;
    } catch (const FormatError&) {
      return Bytes{};
    }
  };
  CHECK(result() == result());
}

TEST_CASE("hostile: a colour that the palette of a PNG does not have is black", "[hostile][fuzz]") {
  const Bytes header = test::png_chunk("IHDR", joined({test::big_endian(2), test::big_endian(1), {8, 3, 0, 0, 0}}));
  const Bytes palette = test::png_chunk("PLTE", {255, 0, 0});
  Bytes packed(100);
  uLongf size = packed.size();
  const Bytes line{0, 0, 200};
  compress(packed.data(), &size, line.data(), line.size());
  packed.resize(size);
  const Picture picture = read_picture(joined({bytes_of("\x89PNG\r\n\x1a\n"), header, palette,
                                               test::png_chunk("IDAT", packed), test::png_chunk("IEND", {})}));
  CHECK(picture.channels == 3);
  CHECK(picture.pixels == Bytes{255, 0, 0, 0, 0, 0});
}

TEST_CASE("hostile: an unknown piece of a PNG is named in one line", "[hostile][fuzz]") {
  const auto with = [](const char* name) {
    const Bytes whole = png_of(1, 1, 1, deflated_zeros(1));
    const Bytes header = test::png_header(1, 1, 1);
    return joined({header, test::png_chunk(name, {}),
                   Bytes(whole.begin() + static_cast<std::ptrdiff_t>(header.size()), whole.end())});
  };
  CHECK_ERROR(read_picture(with("ID\nA")), FormatError,
              "a piece \"ID?A\" in the PNG, expected IHDR, PLTE, IDAT and IEND");
  CHECK_ERROR(read_picture(with("CgBI")), FormatError, "a piece \"CgBI\" in the PNG");
  CHECK(read_picture(with("teXt")).pixels == Bytes{0});
}

TEST_CASE("hostile: -0 in a drawing comes back as -0", "[hostile][fuzz]") {
  const TemporaryFolder folder;
  Drawing drawing;
  drawing.strokes = {{{-0.0, 0.0}}};
  write_drawings(folder / "a", std::vector{drawing});
  const Point point = read_drawings(folder / "a").front().strokes.front().front();
  CHECK(std::signbit(point.x));
  CHECK_FALSE(std::signbit(point.y));
}
