#include <digitnet/picture.hpp>

#include "byte_source.hpp"
#include "ink.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace {

/// Whether stb_image was refused memory; it takes that for damage in the file, or for a file of another kind.
thread_local bool stb_lacks_memory = false;

void* stb_block(void* memory) {
  if (memory == nullptr) stb_lacks_memory = true;
  return memory;
}

}  // namespace

// stb_image is a header with its code inside; it is compiled here, once, with what is wanted of it alone.
#define STBI_MALLOC(size) stb_block(std::malloc(size))
#define STBI_REALLOC(memory, size) stb_block(std::realloc(memory, size))
#define STBI_FREE(memory) std::free(memory)
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wold-style-cast"
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
  if (size == 2) {
    std::vector<std::uint16_t> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t value = std::uint32_t{body[2 * i]} << 8 | body[2 * i + 1];
      values[i] = static_cast<std::uint16_t>((std::uint64_t{std::min(value, full)} * 65535 + full / 2) / full);
    }
    return detail::from_16_bits(values, picture.width, picture.height, picture.channels);
  }
  picture.pixels.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    picture.pixels[i] = static_cast<std::uint8_t>((std::min<std::uint32_t>(body[i], full) * 255 + full / 2) / full);
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

/// The orientation that TIFF data (in EXIF) give, 1 if they give none or make no sense.
/// @see CIPA DC-008, Exif 2.32 (2019), section 4.5
unsigned orientation_in(std::span<const std::uint8_t> tiff) {
  if (tiff.size() < 8) return 1;
  const bool little = tiff[0] == 'I' && tiff[1] == 'I';
  if (!little && !(tiff[0] == 'M' && tiff[1] == 'M')) return 1;
  const auto two = [&](std::size_t at) {
    return little ? std::uint32_t{tiff[at]} | std::uint32_t{tiff[at + 1]} << 8
                  : std::uint32_t{tiff[at]} << 8 | std::uint32_t{tiff[at + 1]};
  };
  const auto four = [&](std::size_t at) {
    return little ? two(at) | two(at + 2) << 16 : two(at) << 16 | two(at + 2);
  };
  if (two(2) != 42) return 1;
  const std::uint64_t table = four(4);
  if (table + 2 > tiff.size()) return 1;
  const std::uint64_t entries = two(static_cast<std::size_t>(table));
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::uint64_t entry = table + 2 + 12 * i;
    if (entry + 12 > tiff.size()) return 1;
    const auto at = static_cast<std::size_t>(entry);
    if (two(at) != 0x0112) continue;
    const std::uint32_t value = two(at + 8);
    return two(at + 2) == 3 && four(at + 4) == 1 && value >= 1 && value <= 8 ? value : 1;  // one number of two bytes
  }
  return 1;
}

/// The orientation in the EXIF data of a JPEG: in a segment APP1 before the picture begins.
unsigned orientation_of_jpeg(std::span<const std::uint8_t> bytes) {
  std::size_t at = 2;  // behind the marker that begins every JPEG
  while (at + 4 <= bytes.size() && bytes[at] == 0xff) {
    const std::uint8_t marker = bytes[at + 1];
    if (marker == 0xff) {  // padding
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) return 1;  // the picture, or the end
    const std::size_t length = std::size_t{bytes[at + 2]} << 8 | bytes[at + 3];
    if (length < 2 || at + 2 + length > bytes.size()) return 1;
    const std::span<const std::uint8_t> content = bytes.subspan(at + 4, length - 2);
    constexpr std::array<std::uint8_t, 6> name{'E', 'x', 'i', 'f', 0, 0};
    if (marker == 0xe1 && content.size() > name.size() && std::equal(name.begin(), name.end(), content.begin())) {
      return orientation_in(content.subspan(name.size()));
    }
    at += 2 + length;
  }
  return 1;
}

/// The orientation in the EXIF data of a PNG that is whole: in the piece eXIf.
unsigned orientation_of_png(std::span<const std::uint8_t> bytes) {
  for (std::span<const std::uint8_t> rest = bytes.subspan(8); rest.size() >= 12;) {
    const std::size_t length = big_endian(rest);
    if (std::equal(rest.begin() + 4, rest.begin() + 8, "eXIf")) return orientation_in(rest.subspan(8, length));
    if (std::equal(rest.begin() + 4, rest.begin() + 8, "IEND")) break;
    rest = rest.subspan(12 + length);
  }
  return 1;
}

/// What a file that cannot be read seems to be, for the message.
std::string kind_of(std::span<const std::uint8_t> bytes) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string_view begin = all.substr(0, 512);
  if (begin.empty()) return "an empty file";
  if (begin.starts_with("GIF8")) return "GIF";
  if (begin.starts_with("RIFF") && begin.find("WEBP") == 8) return "WebP";
  if (begin.starts_with("BM")) return "BMP";
  if (begin.starts_with(std::string_view("II*\0", 4)) || begin.starts_with(std::string_view("MM\0*", 4))) {
    return "TIFF";
  }
  if (begin.starts_with("%PDF")) return "PDF";
  if (begin.find("ftyp") == 4) return begin.find("avif") == 8 ? "AVIF" : "HEIC or a video";
  if (begin.find("<svg") != std::string_view::npos) return "SVG, a drawing in XML";
  if (begin.find("<html") != std::string_view::npos || begin.find("<!DOCTYPE html") != std::string_view::npos) {
    return "a page of HTML";
  }
  if (begin.size() > 1 && begin[0] == 'P' && begin[1] >= '1' && begin[1] <= '4') {
    return "PBM or PGM in text, of which only binary PGM and PPM are read";
  }
  if (begin.starts_with("\x89PNG")) return "a PNG that is cut short";
  if (begin.starts_with("\xff\xd8")) return "a JPEG that is damaged or cut short";
  return "";
}

}  // namespace

namespace detail {

Picture from_16_bits(std::span<const std::uint16_t> values, std::size_t width, std::size_t height,
                     std::size_t channels) {
  Picture picture{width, height, channels, std::vector<std::uint8_t>(values.size())};
  const std::size_t colours = channels % 2 == 0 ? channels - 1 : channels;
  std::uint32_t lowest = 65535;
  std::uint32_t highest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % channels >= colours) continue;
    lowest = std::min<std::uint32_t>(lowest, values[i]);
    highest = std::max<std::uint32_t>(highest, values[i]);
  }
  const bool narrow = highest > lowest && highest - lowest < 65536 / 8;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool spread = narrow && i % channels < colours;
    const std::uint32_t range = spread ? highest - lowest : 65535;
    const std::uint32_t value = spread ? values[i] - lowest : values[i];
    picture.pixels[i] = static_cast<std::uint8_t>((value * 255 + range / 2) / range);
  }
  return picture;
}

Picture turned(Picture picture, unsigned orientation) {
  if (orientation < 2 || orientation > 8) return picture;
  const bool sideways = orientation >= 5;
  Picture result{sideways ? picture.height : picture.width, sideways ? picture.width : picture.height,
                 picture.channels, std::vector<std::uint8_t>(picture.pixels.size())};
  // Where in the stored picture the first pixel of the result is, for 1 to 8: 2, 3, 6 and 7 begin at other edges.
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (std::size_t y = 0; y < result.height; ++y) {
    for (std::size_t x = 0; x < result.width; ++x) {
      const std::size_t u = sideways ? y : x;
      const std::size_t v = sideways ? x : y;
      const std::size_t column = from_right ? picture.width - 1 - u : u;
      const std::size_t line = from_bottom ? picture.height - 1 - v : v;
      std::copy_n(&picture.pixels[(line * picture.width + column) * picture.channels], picture.channels,
                  &result.pixels[(y * result.width + x) * picture.channels]);
    }
  }
  return result;
}

}  // namespace detail

Picture read_picture(const std::filesystem::path& path) {
  return read_picture(detail::read_whole_file("read_picture", path, largest_picture_file), path.string());
}

Picture read_picture(std::span<const std::uint8_t> bytes, const std::string& name) {
  const std::string where = text("read_picture: ", name, ": ");
  if (bytes.size() > largest_picture_file) {
    throw FormatError(text(where, bytes.size(), " bytes, expected at most ", largest_picture_file));
  }
  if (bytes.size() > 2 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6')) return read_pnm(where, bytes);
  const bool png = is_png(bytes);
  if (png) {
    require_reasonable_size(where, big_endian(bytes.subspan(16)), big_endian(bytes.subspan(20)));
    if (!is_whole_png(bytes)) {
      throw FormatError(where + "damaged (a piece of the PNG is cut short or has a wrong checksum)");
    }
  }
  const bool jpeg = bytes.size() > 3 && bytes[0] == 0xff && bytes[1] == 0xd8;
  int width = 0;
  int height = 0;
  int channels = 0;
  const int size = static_cast<int>(bytes.size());  // at most largest_picture_file
  stb_lacks_memory = false;
  if ((!png && !jpeg) || stbi_info_from_memory(bytes.data(), size, &width, &height, &channels) == 0) {
    if (stb_lacks_memory) throw std::bad_alloc();
    const std::string kind = kind_of(bytes);
    throw FormatError(text(where, "neither PNG, JPEG nor PGM, or damaged at its beginning",
                           kind.empty() ? "" : "; it seems to be ", kind));
  }
  const auto columns = static_cast<std::uint64_t>(width);
  const auto rows = static_cast<std::uint64_t>(height);
  require_reasonable_size(where, columns, rows);
  const auto damaged = [&] {
    if (stb_lacks_memory) throw std::bad_alloc();
    return FormatError(text(where, "damaged (", stbi_failure_reason(), ")"));
  };
  if (png && bytes[24] == 16) {
    const std::unique_ptr<stbi_us, void (*)(void*)> values(
        stbi_load_16_from_memory(bytes.data(), size, &width, &height, &channels, 0), &stbi_image_free);
    if (!values) throw damaged();
    const auto count = static_cast<std::size_t>(channels);
    return detail::turned(detail::from_16_bits({values.get(), columns * rows * count}, columns, rows, count),
                          orientation_of_png(bytes));
  }
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), size, &width, &height, &channels, 0), &stbi_image_free);
  if (!pixels) throw damaged();
  Picture picture{columns, rows, static_cast<std::size_t>(channels), {}};
  picture.pixels.assign(pixels.get(), pixels.get() + columns * rows * picture.channels);
  return detail::turned(std::move(picture), png ? orientation_of_png(bytes) : orientation_of_jpeg(bytes));
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
