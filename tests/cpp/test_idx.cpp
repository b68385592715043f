// What idx.hpp promises: every array comes back as it was, and every broken file is told by its fault.
#include "bytes.hpp"
#include "catch.hpp"
#include "temporary_folder.hpp"

#include <digitnet/idx.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <limits>

using namespace digitnet;
using test::Bytes;
using test::bytes_of;
using test::gzip;
using test::joined;
using test::read_file;
using test::TemporaryFolder;
using test::write_file;

namespace {

/// Big-endian, as sizes are in a header.
Bytes word(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

Bytes idx_header(std::uint32_t magic, std::initializer_list<std::uint32_t> sizes) {
  Bytes header = word(magic);
  for (const std::uint32_t size : sizes) header = joined({header, word(size)});
  return header;
}

/// Two images of 2 x 3 pixels.
const Bytes two_images = joined({idx_header(0x803, {2, 2, 3}), {0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255}});

/// Five labels.
const Bytes five_labels = joined({idx_header(0x801, {5}), {3, 1, 4, 1, 5}});

template <class Element>
bool same_bits(const Vector<Element>& a, const Vector<Element>& b) {
  return a.size() == b.size() && (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(Element)) == 0);
}

bool same(const IdxArray& a, const IdxArray& b) {
  return a.shape == b.shape && a.values.index() == b.values.index() &&
         std::visit(
             [&](const auto& values) {
               return same_bits(values, std::get<std::decay_t<decltype(values)>>(b.values));
             },
             a.values);
}

/// An array of a type with its extremes in it.
template <class Element>
IdxArray example(std::vector<std::size_t> shape) {
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  Vector<Element> values = Vector<Element>::from_shape({size});
  const Element special[]{
      std::numeric_limits<Element>::lowest(), std::numeric_limits<Element>::max(),
      std::numeric_limits<Element>::min(),
      std::numeric_limits<Element>::has_infinity ? std::numeric_limits<Element>::infinity() : Element{1},
      std::numeric_limits<Element>::has_quiet_NaN ? std::numeric_limits<Element>::quiet_NaN() : Element{2}};
  for (std::size_t i = 0; i < size; ++i) {
    values(i) = i < std::size(special) ? special[i] : static_cast<Element>(static_cast<Element>(i) / Element{3});
  }
  return {std::move(shape), std::move(values)};
}

/// Largest memory this process has used so far, in bytes.
std::size_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

/// What read_idx says of a file with these bytes; of memory with these bytes it must say the same.
std::string complaint(const TemporaryFolder& folder, const Bytes& bytes) {
  const auto path = write_file(folder / "broken", bytes);
  std::string from_file, from_memory;
  try {
    read_idx(path);
  } catch (const FormatError& error) {
    from_file = error.what();
    const std::string start = "read_idx: " + path.string() + ": ";
    if (from_file.substr(0, start.size()) != start) return "a message without place: " + from_file;
    from_file.erase(0, start.size());
  }
  try {
    read_idx_bytes(bytes, "given");
  } catch (const FormatError& error) {
    from_memory = error.what();
    const std::string start = "read_idx_bytes: given: ";
    if (from_memory.substr(0, start.size()) != start) return "a message without place: " + from_memory;
    from_memory.erase(0, start.size());
  }
  if (from_file != from_memory) return "file: " + from_file + "; memory: " + from_memory;
  if (from_file.find('\n') != std::string::npos) return "more than one line: " + from_file;
  return from_file;
}

}  // namespace

TEST_CASE("read_idx: the bytes of a file mean what LeCun's page says", "[idx]") {
  const IdxArray images = read_idx_bytes(two_images);
  CHECK(images.shape == std::vector<std::size_t>{2, 2, 3});
  const auto& pixels = std::get<Vector<std::uint8_t>>(images.values);
  CHECK(pixels.size() == 12);
  CHECK(pixels(0) == 0);
  CHECK(pixels(6) == 250);
  CHECK(pixels(11) == 255);
}

TEST_CASE("read_idx: numbers of several bytes are big-endian", "[idx]") {
  const auto shorts = read_idx_bytes(joined({idx_header(0xB01, {3}), {0x01, 0x02, 0xff, 0xfe, 0x80, 0x00}}));
  CHECK((std::get<Vector<std::int16_t>>(shorts.values) == Vector<std::int16_t>{258, -2, -32768}));
  const auto ints = read_idx_bytes(joined({idx_header(0xC01, {2}), {0x01, 0x02, 0x03, 0x04}, word(0xfffffffe)}));
  CHECK((std::get<Vector<std::int32_t>>(ints.values) == Vector<std::int32_t>{16909060, -2}));
  const auto floats = read_idx_bytes(joined({idx_header(0xD01, {2}), word(0x3f800000), word(0xc0490fdb)}));
  CHECK((std::get<Vector<float>>(floats.values) == Vector<float>{1.0F, -3.14159274F}));
  const auto doubles = read_idx_bytes(joined({idx_header(0xE01, {1}), word(0x400921fb), word(0x54442d18)}));
  CHECK((std::get<Vector<double>>(doubles.values) == Vector<double>{3.141592653589793}));
  const auto signed_bytes = read_idx_bytes(joined({idx_header(0x901, {3}), {0x7f, 0x80, 0xff}}));
  CHECK((std::get<Vector<std::int8_t>>(signed_bytes.values) == Vector<std::int8_t>{127, -128, -1}));
}

TEMPLATE_TEST_CASE("write_idx and read_idx: every type comes back bit for bit, 1 to 4 dimensions, plain and gzip",
                   "[idx]", std::uint8_t, std::int8_t, std::int16_t, std::int32_t, float, double) {
  const TemporaryFolder folder;
  for (const std::vector<std::size_t>& shape :
       {std::vector<std::size_t>{7}, {3, 4}, {2, 3, 4}, {2, 1, 3, 5}, {1}, {40, 1000}}) {
    const IdxArray array = example<TestType>(shape);
    for (const char* name : {"plain.idx", "packed.idx.gz"}) {
      CAPTURE(shape.size(), name);
      write_idx(folder / name, array);
      CHECK(same(read_idx(folder / name), array));
      CHECK(same(read_idx_bytes(read_file(folder / name)), array));
    }
    CHECK(read_file(folder / "packed.idx.gz")[0] == 0x1f);
    CHECK(read_file(folder / "plain.idx")[0] == 0);
  }
}

TEST_CASE("write_idx: the file has exactly the bytes of the format", "[idx]") {
  const TemporaryFolder folder;
  write_idx(folder / "a", {{2, 2, 3}, Vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255}});
  CHECK(read_file(folder / "a") == two_images);
  write_idx(folder / "b", {{1, 3}, Vector<std::int16_t>{258, -2, -32768}});
  CHECK(read_file(folder / "b") == joined({idx_header(0xB02, {1, 3}), {0x01, 0x02, 0xff, 0xfe, 0x80, 0x00}}));
  write_idx(folder / "c", {{1}, Vector<double>{3.141592653589793}});
  CHECK(read_file(folder / "c") == joined({idx_header(0xE01, {1}), word(0x400921fb), word(0x54442d18)}));
}

TEST_CASE("write_idx: the same array gives the same gzip bytes", "[idx]") {
  const TemporaryFolder folder;
  const IdxArray array = example<float>({30, 30});
  write_idx(folder / "a.gz", array);
  write_idx(folder / "b.gz", array);
  CHECK(read_file(folder / "a.gz") == read_file(folder / "b.gz"));
}

TEST_CASE("read_idx: gzip is told by its first bytes, whatever the name", "[idx]") {
  const TemporaryFolder folder;
  CHECK(same(read_idx(write_file(folder / "no-ending", gzip(two_images))), read_idx_bytes(two_images)));
  CHECK(same(read_idx(write_file(folder / "plain.gz", two_images)), read_idx_bytes(two_images)));
}

TEST_CASE("read_idx: gzip of several members, cut anywhere", "[idx]") {
  for (std::size_t cut = 0; cut <= two_images.size(); ++cut) {
    const auto middle = two_images.begin() + static_cast<std::ptrdiff_t>(cut);
    const Bytes packed =
        joined({gzip(Bytes(two_images.begin(), middle)), gzip(Bytes{}), gzip(Bytes(middle, two_images.end()))});
    CAPTURE(cut);
    CHECK(same(read_idx_bytes(packed), read_idx_bytes(two_images)));
  }
}

TEST_CASE("read_idx: zero items are an empty array of their shape", "[idx]") {
  const TemporaryFolder folder;
  for (const std::vector<std::size_t>& shape : {std::vector<std::size_t>{0}, {0, 28, 28}, {5, 0}, {0, 0, 0, 0}}) {
    for (const char* name : {"empty", "empty.gz"}) {
      write_idx(folder / name, {shape, Vector<std::uint8_t>::from_shape({0})});
      const IdxArray array = read_idx(folder / name);
      CHECK(array.shape == shape);
      CHECK(std::get<Vector<std::uint8_t>>(array.values).size() == 0);
    }
  }
  const Images none = read_idx_images(write_file(folder / "images", idx_header(0x803, {0, 28, 28})));
  CHECK(shape_text(none) == "(0, 28, 28)");
  CHECK(read_idx_labels(write_file(folder / "labels", idx_header(0x801, {0}))).size() == 0);
}

TEST_CASE("read_idx_images and read_idx_labels: the arrays in their shape, plain and gzip", "[idx]") {
  const TemporaryFolder folder;
  for (const bool packed : {false, true}) {
    const Images images = read_idx_images(write_file(folder / "images", packed ? gzip(two_images) : two_images));
    CHECK(shape_text(images) == "(2, 2, 3)");
    CHECK(images(0, 1, 2) == 5);
    CHECK(images(1, 0, 0) == 250);
    const Labels labels = read_idx_labels(write_file(folder / "labels", packed ? gzip(five_labels) : five_labels));
    CHECK((labels == Labels{3, 1, 4, 1, 5}));
  }
}

TEST_CASE("read_idx_images and read_idx_labels: swapped files are told", "[idx][error]") {
  const TemporaryFolder folder;
  const auto images = write_file(folder / "train-images", two_images);
  const auto labels = write_file(folder / "train-labels", five_labels);
  CHECK_ERROR(read_idx_images(labels), FormatError,
              "read_idx_images: " + labels.string() +
                  ": byte 0: magic number 0x00000801 (labels), expected 0x00000803 (images); are the paths swapped?");
  CHECK_ERROR(read_idx_labels(images), FormatError,
              "read_idx_labels: " + images.string() +
                  ": byte 0: magic number 0x00000803 (images), expected 0x00000801 (labels); are the paths swapped?");
}

TEST_CASE("read_idx_images and read_idx_labels: another type or number of dimensions is told", "[idx][error]") {
  const TemporaryFolder folder;
  const auto floats = write_file(folder / "floats", joined({idx_header(0xD03, {1, 1, 1}), word(0x3f800000)}));
  CHECK_ERROR(read_idx_images(floats), FormatError, "magic number 0x00000d03, expected 0x00000803 (images)");
  const auto flat = write_file(folder / "flat", joined({idx_header(0x802, {1, 2}), {1, 2}}));
  CHECK_ERROR(read_idx_images(flat), FormatError, "magic number 0x00000802, expected 0x00000803 (images)");
  CHECK_ERROR(read_idx_labels(flat), FormatError, "magic number 0x00000802, expected 0x00000801 (labels)");
  const auto page = write_file(folder / "page", "<!DOCTYPE html>");
  CHECK_ERROR(read_idx_labels(page), FormatError, "expected 0x00000801 (labels); is it a web page");
}

TEST_CASE("read_idx: an empty file and one too short for a magic number", "[idx][error]") {
  const TemporaryFolder folder;
  CHECK(complaint(folder, {}) == "0 bytes, expected at least 8, the magic number and a size; the file is empty");
  for (std::size_t length = 1; length < 4; ++length) {
    CHECK(complaint(folder, Bytes(two_images.begin(), two_images.begin() + static_cast<std::ptrdiff_t>(length))) ==
          detail::text(length, " bytes, expected at least 8, the magic number and a size; the file is cut short"));
  }
  for (std::size_t length = 4; length < 8; ++length) {
    CHECK(complaint(folder, Bytes(five_labels.begin(), five_labels.begin() + static_cast<std::ptrdiff_t>(length))) ==
          detail::text("the header ends at byte ", length, ", expected 8 bytes of it; the file is cut short"));
  }
  CHECK(complaint(folder, Bytes(two_images.begin(), two_images.begin() + 15)) ==
        "the header ends at byte 15, expected 16 bytes of it; the file is cut short");
}

TEST_CASE("read_idx: what is no IDX file is told, with a guess at what it is", "[idx][error]") {
  const TemporaryFolder folder;
  const std::string rule = ", expected 0x0000TTDD with type TT 08, 09, 0b, 0c, 0d or 0e and 01 to 04 dimensions DD";
  CHECK(complaint(folder, bytes_of("hello, world")) == "byte 0: magic number 0x68656c6c" + rule);
  CHECK(complaint(folder, bytes_of("<!DOCTYPE html><html></html>")) ==
        "byte 0: magic number 0x3c21444f" + rule + "; is it a web page, saved instead of the data?");
  CHECK(complaint(folder, gzip(bytes_of("<html>"))) ==
        "byte 0: magic number 0x3c68746d" + rule + "; is it a web page, saved instead of the data?");
  CHECK(complaint(folder, bytes_of("PK\x03\x04 and so on")) ==
        "byte 0: magic number 0x504b0304" + rule + "; it looks like a zip archive, unpack it first");
  CHECK(complaint(folder, bytes_of("\x89PNG\r\n\x1a\n")) ==
        "byte 0: magic number 0x89504e47" + rule + "; it is a PNG image");
  CHECK(complaint(folder, joined({{3, 8, 0, 0}, two_images})) ==
        "byte 0: magic number 0x03080000" + rule + "; are its bytes in the wrong order?");
}

TEST_CASE("read_idx: every magic number but those of the format is refused", "[idx][error]") {
  const TemporaryFolder folder;
  const auto message_for = [&](std::uint32_t magic) {
    return complaint(folder, joined({word(magic), Bytes(64, 0)}));
  };
  CHECK(message_for(0x00000a01).find("magic number 0x00000a01, expected 0x0000TTDD") != std::string::npos);
  CHECK(message_for(0x00000f01).find("magic number 0x00000f01, expected") != std::string::npos);
  CHECK(message_for(0x00000001).find("magic number 0x00000001, expected") != std::string::npos);
  CHECK(message_for(0x00000800).find("magic number 0x00000800, expected") != std::string::npos);
  CHECK(message_for(0x00000805).find("magic number 0x00000805, expected") != std::string::npos);
  CHECK(message_for(0x000008ff).find("magic number 0x000008ff, expected") != std::string::npos);
  CHECK(message_for(0x00010801).find("magic number 0x00010801, expected") != std::string::npos);
  CHECK(message_for(0x01000801).find("magic number 0x01000801, expected") != std::string::npos);
}

TEST_CASE("read_idx: one byte too few and one too many, with both lengths", "[idx][error]") {
  const TemporaryFolder folder;
  Bytes bytes = two_images;
  bytes.pop_back();
  CHECK(complaint(folder, bytes) == "11 bytes of data, expected 12 (2 x 2 x 3); the file is cut short");
  CHECK(complaint(folder, gzip(bytes)) == "11 bytes of data, expected 12 (2 x 2 x 3); the file is cut short");
  bytes = joined({two_images, {0}});
  CHECK(complaint(folder, bytes) == "13 bytes of data, expected 12 (2 x 2 x 3); something else follows the data");
  CHECK(complaint(folder, gzip(bytes)) ==
        "more than 12 bytes of data, expected 12 (2 x 2 x 3); something else follows the data");
  CHECK(complaint(folder, joined({idx_header(0xE01, {1}), Bytes(7, 0)})) ==
        "7 bytes of data, expected 8 (1); the file is cut short");
}

TEST_CASE("read_idx: sizes whose product no number holds are refused, plain and gzip", "[idx][error]") {
  const TemporaryFolder folder;
  const Bytes most = idx_header(0x804, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff});
  const std::string expected =
      "byte 4: sizes 4294967295 x 4294967295 x 4294967295 x 4294967295 are more than any file can hold";
  CHECK(complaint(folder, most) == expected);
  CHECK(complaint(folder, gzip(most)) == expected);
  // 2^16 times four is 2^64, which wraps to 0; with 8 bytes each it is the size of the element that wraps.
  CHECK(complaint(folder, idx_header(0x804, {65536, 65536, 65536, 65536})).find("more than any file can hold") !=
        std::string::npos);
  CHECK(complaint(folder, idx_header(0xE02, {0x80000000, 0x40000000})).find("more than any file can hold") !=
        std::string::npos);
}

TEST_CASE("read_idx: sizes too large are refused in any order, even if one of them is 0", "[idx][error]") {
  const TemporaryFolder folder;
  for (const auto& sizes :
       {idx_header(0x803, {0, 0xffffffff, 0xffffffff}), idx_header(0x803, {0xffffffff, 0xffffffff, 0}),
        idx_header(0x803, {0xffffffff, 0, 0xffffffff})}) {
    CHECK(complaint(folder, sizes).find("more than any file can hold") != std::string::npos);
    CHECK_ERROR(read_idx_images(write_file(folder / "images", sizes)), FormatError, "more than any file can hold");
  }
}

TEST_CASE("read_idx: a header that promises 4 GB in a small file takes no memory", "[idx][error]") {
  const TemporaryFolder folder;
  const Bytes promise = joined({idx_header(0x803, {65536, 256, 256}), {1, 2, 3, 4}});
  CHECK(complaint(folder, promise) ==
        "4 bytes of data, expected 4294967296 (65536 x 256 x 256); the file is cut short");
  CHECK(complaint(folder, gzip(promise)).find("claims 4294967296 bytes of data (65536 x 256 x 256) from ") == 0);
}

TEST_CASE("read_idx: a gzip bomb is refused before it is unpacked", "[idx][error]") {
  const TemporaryFolder folder;
  const Bytes zeros(1 << 20, 0);
  const Bytes bomb = joined({gzip(idx_header(0x803, {100, 1024, 1024})), gzip(zeros, 100)});
  REQUIRE(bomb.size() < 200000);
  const std::size_t before = peak_memory();
  CHECK(complaint(folder, bomb) ==
        detail::text("claims 104857600 bytes of data (100 x 1024 x 1024) from ", bomb.size(),
                     " packed ones, expected at most 200 times as many; is it a gzip bomb?"));
  CHECK(peak_memory() - before < 50u << 20);
}

TEST_CASE("read_idx: gzip that holds more than its header claims is not unpacked any further", "[idx][error]") {
  const TemporaryFolder folder;
  const Bytes zeros(1 << 20, 0);
  const Bytes bomb = joined({gzip(idx_header(0x801, {10})), gzip(zeros, 100)});
  const std::size_t before = peak_memory();
  CHECK(complaint(folder, bomb) == "more than 10 bytes of data, expected 10 (10); something else follows the data");
  CHECK(peak_memory() - before < 50u << 20);
}

TEST_CASE("read_idx: blank images pack a thousandfold and are no bomb", "[idx]") {
  const Bytes zeros(1 << 20, 0);
  const auto array = read_idx_bytes(joined({gzip(idx_header(0x803, {20, 1024, 1024})), gzip(zeros, 20)}));
  CHECK(array.shape == std::vector<std::size_t>{20, 1024, 1024});
}

TEST_CASE("read_idx: damaged gzip is told", "[idx][error]") {
  const TemporaryFolder folder;
  const Bytes whole = gzip(two_images);
  const auto flipped = [&](std::size_t from_end) {
    Bytes bytes = whole;
    bytes[bytes.size() - from_end] ^= 1;
    return complaint(folder, bytes);
  };
  SECTION("a wrong checksum") {
    CHECK(flipped(8) ==
          "gzip data is damaged (incorrect data check), expected whole members and nothing behind them");
  }
  SECTION("a wrong length") {
    CHECK(flipped(4) ==
          "gzip data is damaged (incorrect length check), expected whole members and nothing behind them");
  }
  SECTION("garbage behind it") {
    CHECK(complaint(folder, joined({whole, bytes_of("garbage")})).find("gzip data is damaged") == 0);
    CHECK(complaint(folder, joined({whole, {0}})).find("gzip data ") == 0);
  }
  SECTION("nothing but the two bytes that tell gzip") {
    CHECK(complaint(folder, {0x1f, 0x8b}) == "gzip data ends in the middle; the file is cut short");
  }
  SECTION("a method other than deflate") {
    CHECK(complaint(folder, {0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 3}).find("gzip data is damaged") == 0);
  }
}

TEST_CASE("read_idx: any one byte of a gzip file changed gives an error or the same array", "[idx][error]") {
  const Bytes whole = gzip(two_images);
  const IdxArray expected = read_idx_bytes(two_images);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes bytes = whole;
    bytes[at] ^= 0x55;
    bool harmless = false;  // time stamp and system in the header: of no meaning
    try {
      harmless = same(read_idx_bytes(bytes), expected);
    } catch (const FormatError&) {
      harmless = true;
    }
    CAPTURE(at);
    CHECK(harmless);
  }
}

TEST_CASE("read_idx: a file cut at any byte is never taken for whole", "[idx][error]") {
  const TemporaryFolder folder;
  for (const Bytes& whole : {two_images, five_labels, gzip(two_images), gzip(five_labels),
                             joined({gzip(Bytes(two_images.begin(), two_images.begin() + 20)),
                                     gzip(Bytes(two_images.begin() + 20, two_images.end()))})}) {
    REQUIRE_NOTHROW(read_idx_bytes(whole));
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto part = std::span(whole).first(length);
      CAPTURE(whole.size(), length);
      CHECK_THROWS_AS(read_idx_bytes(part), FormatError);
      const auto path = write_file(folder / "part", part);
      CHECK_THROWS_AS(read_idx(path), FormatError);
      CHECK_THROWS_AS(read_idx_images(path), FormatError);
      CHECK_THROWS_AS(read_idx_labels(path), FormatError);
    }
  }
}

TEST_CASE("read_idx: a missing file, a folder and one that may not be read are told by the system", "[idx][error]") {
  const TemporaryFolder folder;
  const auto missing = folder / "missing";
  CHECK_ERROR(read_idx(missing), IoError, "read_idx: " + missing.string() + ": cannot be opened: No such file");
  CHECK_ERROR(read_idx_images(missing), IoError, "read_idx_images: " + missing.string());
  CHECK_ERROR(read_idx_labels(missing), IoError, "read_idx_labels: " + missing.string());
  CHECK_ERROR(read_idx(folder.path()), IoError, "is a folder, expected a file");
  CHECK_ERROR(read_idx(folder / "missing" / "file"), IoError, "cannot be opened");
  const auto closed = write_file(folder / "closed", two_images);
  ::chmod(closed.c_str(), 0);
  if (::access(closed.c_str(), R_OK) == 0) {
    WARN("skipped in part: this user may read every file");
    return;
  }
  CHECK_ERROR(read_idx(closed), IoError, "cannot be opened: Permission denied");
}

TEST_CASE("read_idx: a read that fails is told by the system", "[idx][error]") {
  if (!std::filesystem::exists("/proc/self/mem")) {
    WARN("skipped: no /proc/self/mem, whose first page cannot be read");
    return;
  }
  CHECK_ERROR(read_idx("/proc/self/mem"), IoError, "read_idx: /proc/self/mem: read failed: ");
}

TEST_CASE("read_idx: a pipe is refused, and not waited for", "[idx][error]") {
  const TemporaryFolder folder;
  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_ERROR(read_idx(pipe), IoError, "read_idx: " + pipe.string() + ": is a pipe, expected a file");
}

TEST_CASE("write_idx: replaces an old file, and leaves nothing beside it", "[idx]") {
  const TemporaryFolder folder;
  write_file(folder / "array", "what was there before");
  write_idx(folder / "array", example<float>({3}));
  CHECK(same(read_idx(folder / "array"), example<float>({3})));
  CHECK(folder.names() == std::set<std::string>{"array"});
}

TEST_CASE("write_idx: through a link, what it points to is replaced and the link stays", "[idx]") {
  const TemporaryFolder folder;
  write_file(folder / "target", "old");
  std::filesystem::create_symlink("target", folder / "link");
  write_idx(folder / "link", example<float>({3}));
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(same(read_idx(folder / "target"), example<float>({3})));
  CHECK(folder.names() == std::set<std::string>{"link", "target"});
}

TEST_CASE("write_idx: shapes that the format cannot hold are refused and nothing is written", "[idx][error]") {
  const TemporaryFolder folder;
  const auto path = folder / "array";
  const auto with_shape = [](std::vector<std::size_t> shape, std::size_t count) {
    return IdxArray{std::move(shape), Vector<float>(Vector<float>::shape_type{count}, 0.0F)};
  };
  CHECK_ERROR(write_idx(path, with_shape({}, 1)), ArgumentError, "write_idx: 0 dimensions, expected 1 to 4");
  CHECK_ERROR(write_idx(path, with_shape({1, 1, 1, 1, 1}, 1)), ArgumentError,
              "write_idx: 5 dimensions, expected 1 to 4");
  CHECK_ERROR(write_idx(path, with_shape({2, 3}, 5)), ArgumentError, "write_idx: 5 values, expected 6 (2 x 3)");
  CHECK_ERROR(write_idx(path, with_shape({std::size_t{1} << 32, 0}, 0)), ArgumentError,
              "write_idx: a size of 4294967296, expected less than 2^32");
  // 2^16 times four is 2^64, which wraps to 0.
  CHECK_ERROR(write_idx(path, with_shape({65536, 65536, 65536, 65536}, 0)), ArgumentError,
              "write_idx: sizes 65536 x 65536 x 65536 x 65536 are more than any file can hold");
  CHECK(folder.names().empty());
}

TEST_CASE("write_idx: devices, folders and missing folders are refused", "[idx][error]") {
  const TemporaryFolder folder;
  const IdxArray array = example<float>({3});
  CHECK_ERROR(write_idx(folder.path(), array), IoError,
              "is a folder or device, expected the name of a file to write");
  CHECK_ERROR(write_idx(folder / "missing" / "array", array), IoError,
              "cannot be written: No such file or directory");
  write_file(folder / "file", "");
  CHECK_ERROR(write_idx(folder / "file" / "array", array), IoError, "cannot be written: Not a directory");
  CHECK(folder.names() == std::set<std::string>{"file"});
  if (std::filesystem::exists("/dev/full")) {
    CHECK_ERROR(write_idx("/dev/full", array), IoError, "write_idx: /dev/full: is a folder or device");
  }
}

TEST_CASE("write_idx: when the disk is full the old file survives and nothing is left behind", "[idx][error]") {
  const TemporaryFolder folder;
  write_file(folder / "array", "what was there before");
  write_file(folder / "array.gz", "what was there before");
  // A limit on the size of files stands for a full disk; it is for this process alone.
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 10000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  IdxArray array{{20000}, Vector<std::int32_t>::from_shape({20000})};
  std::uint32_t state = 1;
  for (std::int32_t& value : std::get<Vector<std::int32_t>>(array.values)) {
    state = state * 1664525u + 1013904223u;  // does not pack well
    value = static_cast<std::int32_t>(state >> 1);
  }
  std::string plain = test::thrown_instead<IoError>([&] { write_idx(folder / "array", array); }, "write failed: ");
  std::string packed =
      test::thrown_instead<IoError>([&] { write_idx(folder / "array.gz", array); }, "write failed: ");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(plain == "");
  CHECK(packed == "");
  CHECK(read_file(folder / "array") == bytes_of("what was there before"));
  CHECK(read_file(folder / "array.gz") == bytes_of("what was there before"));
  CHECK(folder.names() == std::set<std::string>{"array", "array.gz"});
}
