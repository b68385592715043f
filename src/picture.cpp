#include <digitnet/picture.hpp>

#include "byte_source.hpp"
#include "ink.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <memory>

// stb_image is a header with its code inside; it is compiled here, once, with what is wanted of it alone.
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace digitnet {
namespace {

using detail::text;

constexpr std::uint64_t largest_picture_file = 64u << 20;
constexpr std::uint64_t largest_picture_pixels = 64u << 20;

/// Nothing is allocated for a picture before this has seen its size.
void require_reasonable_size(const std::string& where, std::uint64_t width, std::uint64_t height) {
  if (width < 1 || height < 1 || width > largest_picture_side || height > largest_picture_side ||
      width * height > largest_picture_pixels) {
    throw FormatError(text(where, "a picture of ", width, " x ", height, " pixels, expected sides of 1 to ",
                           largest_picture_side, " and at most ", largest_picture_pixels, " in all"));
  }
}

/// A number in the header of a PGM file, with the white space and comments before it. Moves `at` behind it.
std::uint32_t header_number(const std::string& where, std::span<const std::uint8_t> bytes, std::size_t& at) {
  while (at < bytes.size() && (std::isspace(bytes[at]) != 0 || bytes[at] == '#')) {
    if (bytes[at++] == '#') {
      while (at < bytes.size() && bytes[at] != '\n') ++at;
    }
  }
  const char* characters = reinterpret_cast<const char*>(bytes.data());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(characters + at, characters + bytes.size(), number);
  if (error != std::errc{})
    throw FormatError(text(where, "byte ", at, ": expected a number, as in the header of PGM"));
  at = static_cast<std::size_t>(end - characters);
  return number;
}

/// PGM (P5) and its sister in colour, PPM (P6): the header in text, then the numbers. Ours, since stb_image takes
/// files that are cut short, reads 16 bits in the wrong order and never looks at the largest value.
/// @see https://netpbm.sourceforge.net/doc/pgm.html
Picture read_pnm(const std::string& where, std::span<const std::uint8_t> bytes) {
  std::size_t at = 2;
  Picture picture;
  picture.channels = bytes[1] == '6' ? 3 : 1;
  picture.width = header_number(where, bytes, at);
  picture.height = header_number(where, bytes, at);
  require_reasonable_size(where, picture.width, picture.height);
  const std::uint32_t full = header_number(where, bytes, at);
  if (full < 1 || full > 65535) throw FormatError(text(where, "a largest value of ", full, ", expected 1 to 65535"));
  const std::span<const std::uint8_t> body =
      bytes.subspan(std::min(at + 1, bytes.size()));  // one white space between
  const std::size_t count = picture.width * picture.height * picture.channels;
  const std::size_t size = full > 255 ? 2 : 1;
  if (body.size() < count * size) {
    throw FormatError(
        text(where, body.size(), " bytes of pixels, expected ", count * size, "; the file is cut short"));
  }
  picture.pixels.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t value = size == 1 ? body[i] : std::uint32_t{body[2 * i]} << 8 | body[2 * i + 1];
    picture.pixels[i] = static_cast<std::uint8_t>((std::min(value, full) * 255 + full / 2) / full);
  }
  return picture;
}

bool is_png(std::span<const std::uint8_t> bytes) {
  constexpr std::array<std::uint8_t, 8> signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  return bytes.size() >= 24 && std::equal(signature.begin(), signature.end(), bytes.begin());
}

/// A number of four bytes, as in PNG.
std::uint32_t big_endian(std::span<const std::uint8_t> at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

/// Whether all pieces of a PNG are there with the checksums they should have; stb_image does not look at these.
bool is_whole_png(std::span<const std::uint8_t> bytes) {
  std::span<const std::uint8_t> rest = bytes.subspan(8);  // behind the signature
  while (rest.size() >= 12) {                             // length, name, content, checksum of name and content
    const std::size_t length = big_endian(rest);
    if (length > rest.size() - 12) return false;
    const std::span<const std::uint8_t> checked = rest.subspan(4, 4 + length);
    if (crc32(0, checked.data(), static_cast<uInt>(checked.size())) != big_endian(rest.subspan(8 + length)))
      return false;
    if (std::equal(checked.begin(), checked.begin() + 4, "IEND")) return true;
    rest = rest.subspan(12 + length);
  }
  return false;
}

}  // namespace

Picture read_picture(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = detail::read_whole_file("read_picture", path, largest_picture_file);
  const std::string where = text("read_picture: ", path.string(), ": ");
  if (bytes.size() > 2 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6')) return read_pnm(where, bytes);
  if (is_png(bytes)) {
    const std::span<const std::uint8_t> header = bytes;
    require_reasonable_size(where, big_endian(header.subspan(16)), big_endian(header.subspan(20)));
    if (!is_whole_png(bytes)) {
      throw FormatError(where + "damaged (a piece of the PNG is cut short or has a wrong checksum)");
    }
  }
  int width = 0;
  int height = 0;
  int channels = 0;
  const int size = static_cast<int>(bytes.size());  // at most largest_picture_file
  if (stbi_info_from_memory(bytes.data(), size, &width, &height, &channels) == 0) {
    throw FormatError(where + "neither PNG, JPEG nor PGM, or damaged at its beginning");
  }
  const auto columns = static_cast<std::uint64_t>(width);
  const auto rows = static_cast<std::uint64_t>(height);
  require_reasonable_size(where, columns, rows);
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), size, &width, &height, &channels, 0), &stbi_image_free);
  if (!pixels) throw FormatError(text(where, "damaged (", stbi_failure_reason(), ")"));
  Picture picture{columns, rows, static_cast<std::size_t>(channels), {}};
  picture.pixels.assign(pixels.get(), pixels.get() + columns * rows * picture.channels);
  return picture;
}

Matrix<float> ink_of(const Picture& picture) {
  detail::require_whole("ink_of", picture);
  Matrix<float> ink = zeros<float>({picture.height, picture.width});
  const detail::Plane bytes = detail::InkFinder(picture).all();
  std::transform(bytes.values.begin(), bytes.values.end(), values(ink).begin(),
                 [](std::uint8_t value) { return static_cast<float>(value) / 255; });
  return ink;
}

}  // namespace digitnet
