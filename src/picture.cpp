#include <digitnet/picture.hpp>

#include "byte_source.hpp"

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

/// Less contrast than this between ground and ink, of 1, is paper, not ink; and ink fainter than this is noise.
constexpr float least_contrast = 0.1F;
constexpr float least_ink = 0.1F;

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

/// Relative luminance of a pixel in [0, 1], Rec. 601 weights.
float luminance(const std::uint8_t* pixel, std::size_t channels) {
  if (channels < 3) return static_cast<float>(pixel[0]) / 255;
  return (0.299F * static_cast<float>(pixel[0]) + 0.587F * static_cast<float>(pixel[1]) +
          0.114F * static_cast<float>(pixel[2])) /
         255;
}

/// The drawing is in the alpha channel if what can be seen is of one brightness and something cannot be seen.
bool is_drawn_in_alpha(const Picture& picture) {
  float darkest = 1;
  float brightest = 0;
  bool any_clear = false;
  for (std::size_t i = 0; i < picture.width * picture.height; ++i) {
    const std::uint8_t* pixel = &picture.pixels[i * picture.channels];
    if (pixel[picture.channels - 1] < 128) {
      any_clear = true;
    } else {
      darkest = std::min(darkest, luminance(pixel, picture.channels));
      brightest = std::max(brightest, luminance(pixel, picture.channels));
    }
  }
  return any_clear && brightest - darkest < least_contrast;
}

/// The middle value of the pixels along the border.
float ground_of(const Matrix<float>& picture) {
  const std::size_t height = picture.shape(0);
  const std::size_t width = picture.shape(1);
  std::vector<float> border;
  for (std::size_t x = 0; x < width; ++x) border.insert(border.end(), {picture(0, x), picture(height - 1, x)});
  for (std::size_t y = 0; y < height; ++y) border.insert(border.end(), {picture(y, 0), picture(y, width - 1)});
  const auto middle = border.begin() + static_cast<std::ptrdiff_t>(border.size() / 2);
  std::nth_element(border.begin(), middle, border.end());
  return *middle;
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
  const std::size_t channels = picture.channels;
  if (channels < 1 || channels > 4 || picture.pixels.size() != picture.width * picture.height * channels) {
    throw ShapeError(text("ink_of: ", picture.pixels.size(), " numbers for ", picture.width, " x ", picture.height,
                          " x ", channels, ", expected 1 to 4 channels and as many numbers"));
  }
  Matrix<float> ink = zeros<float>({picture.height, picture.width});
  if (ink.size() == 0) return ink;
  const bool has_alpha = channels == 2 || channels == 4;
  const bool drawn_in_alpha = has_alpha && is_drawn_in_alpha(picture);
  const std::span<float> target = values(ink);
  const auto show_over = [&](float behind) {
    for (std::size_t i = 0; i < target.size(); ++i) {
      const std::uint8_t* pixel = &picture.pixels[i * channels];
      const float alpha = has_alpha ? static_cast<float>(pixel[channels - 1]) / 255 : 1.0F;
      target[i] = drawn_in_alpha ? alpha : alpha * luminance(pixel, channels) + (1 - alpha) * behind;
    }
  };
  show_over(1);
  const float ground = drawn_in_alpha ? 0.0F : ground_of(ink);
  if (has_alpha && !drawn_in_alpha) show_over(ground);  // so that what is transparent is no ink on a dark ground
  const auto [darkest, brightest] = std::minmax_element(target.begin(), target.end());
  const float extreme = ground > 0.5F ? *darkest : *brightest;  // the strongest ink
  const float contrast = extreme - ground;
  if (std::abs(contrast) < least_contrast) return zeros<float>({picture.height, picture.width});
  for (float& value : target) {
    value = std::clamp((value - ground) / contrast, 0.0F, 1.0F);
    if (value < least_ink) value = 0;
  }
  return ink;
}

}  // namespace digitnet
