#include <digitnet/picture.hpp>

#include "byte_source.hpp"
#include "ink.hpp"
#include "stb_decoder.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

namespace digitnet {
namespace {

using detail::text;

constexpr std::uint64_t largest_picture_file = 64u << 20;
constexpr std::uint64_t largest_picture_pixels = 64u << 20;

/// A JPEG has a bit at least for each block of 8 x 8 pixels, so no more pixels than this for a byte. Deflate, in PNG,
/// packs two bits into 258 bytes at best.
constexpr std::uint64_t most_jpeg_pixels_a_byte = 512;
constexpr std::uint64_t most_deflated_bytes_a_byte = 1032;

/// What a PNG may have behind its pixels, which some programs write and nobody reads.
constexpr std::uint64_t most_png_surplus = 1u << 16;

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

/// A piece of a PNG: its name and what is in it.
struct PngPiece {
  std::string_view name;
  std::span<const std::uint8_t> content;
};

/// All pieces of a PNG, to the last; none if one is not there or its checksum is wrong, which stb_image does not see.
std::optional<std::vector<PngPiece>> pieces_of_png(std::span<const std::uint8_t> bytes) {
  std::vector<PngPiece> pieces;
  std::span<const std::uint8_t> rest = bytes.subspan(8);  // behind the signature
  while (rest.size() >= 12) {                             // length, name, content, checksum of name and content
    const std::size_t length = big_endian(rest);
    if (length > rest.size() - 12) return std::nullopt;
    const std::span<const std::uint8_t> checked = rest.subspan(4, 4 + length);
    if (crc32(0, checked.data(), static_cast<uInt>(checked.size())) != big_endian(rest.subspan(8 + length))) {
      return std::nullopt;
    }
    pieces.push_back({{reinterpret_cast<const char*>(checked.data()), 4}, checked.subspan(4)});
    if (pieces.back().name == "IEND") return pieces;
    rest = rest.subspan(12 + length);
  }
  return std::nullopt;
}

/// Bytes of all lines of a PNG with their filters, in one pass or in the seven of Adam7.
/// @see ISO/IEC 15948:2004, sections 7.2 and 8.2
std::uint64_t png_line_bytes(std::uint64_t width, std::uint64_t height, std::uint64_t bits, bool interlaced) {
  struct Pass {
    std::uint64_t left, top, right, down;
  };
  constexpr std::array<Pass, 7> adam7{
      {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}};
  const auto bytes_of = [bits](std::uint64_t columns, std::uint64_t rows) {
    return columns == 0 ? 0 : rows * (1 + (columns * bits + 7) / 8);
  };
  if (!interlaced) return bytes_of(width, height);
  std::uint64_t sum = 0;
  for (const Pass& pass : adam7) {
    sum +=
        bytes_of((width + pass.right - 1 - pass.left) / pass.right, (height + pass.down - 1 - pass.top) / pass.down);
  }
  return sum;
}

/// Whether what is packed in a PNG is more than `limit` bytes; unpacks no further and keeps nothing.
bool unpacks_to_more(const std::vector<PngPiece>& pieces, std::uint64_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closing(&stream, &inflateEnd);
  std::vector<std::uint8_t> scratch(1 << 16);
  for (const PngPiece& piece : pieces) {
    if (piece.name != "IDAT") continue;
    stream.next_in = const_cast<Bytef*>(piece.content.data());
    stream.avail_in = static_cast<uInt>(piece.content.size());
    do {
      stream.next_out = scratch.data();
      stream.avail_out = static_cast<uInt>(scratch.size());
      const int status = inflate(&stream, Z_NO_FLUSH);
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      if (status != Z_OK) return stream.total_out > limit;  // the end, or damage for stb_image to tell
      if (stream.total_out > limit) return true;
    } while (stream.avail_out == 0);
  }
  return false;
}

/// Looks at what a PNG claims to hold before stb_image takes memory for it, and at what it really holds where that
/// could be much more, since stb_image unpacks all there is.
/// @see ISO/IEC 15948:2004, section 11.2.2, for the header
void require_plausible_png(const std::string& where, std::span<const std::uint8_t> bytes,
                           const std::vector<PngPiece>& pieces) {
  const std::span<const std::uint8_t> header = pieces.front().content;
  if (pieces.front().name != "IHDR" || header.size() != 13)
    throw FormatError(where + "damaged (no header in the PNG)");
  for (const PngPiece& piece : pieces) {  // a name with a capital is of something that must be understood
    const bool known = piece.name == "IHDR" || piece.name == "PLTE" || piece.name == "IDAT" || piece.name == "IEND";
    if ((piece.name[0] & 0x20) == 0 && !known) {
      throw FormatError(text(where, "a piece \"", detail::shortened(piece.name),
                             "\" in the PNG, expected IHDR, PLTE, IDAT and IEND"));
    }
  }
  const std::uint64_t width = big_endian(header);
  const std::uint64_t height = big_endian(header.subspan(4));
  const std::uint64_t depth = header[8];
  const unsigned colour = header[9];
  const std::uint64_t samples = colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1;
  const std::uint64_t lines = png_line_bytes(width, height, depth * samples, header[12] != 0);
  std::uint64_t packed = 0;
  for (const PngPiece& piece : pieces) packed += piece.name == "IDAT" ? piece.content.size() : 0;
  if (lines > (packed + 1) * most_deflated_bytes_a_byte) {
    throw FormatError(text(where, "claims ", width, " x ", height, " pixels in ", packed,
                           " packed bytes, which cannot be; the PNG is cut short or forged"));
  }
  const std::uint64_t decoded =
      width * height * std::max<std::uint64_t>(samples, colour == 3 ? 4 : 1) * (depth > 8 ? 2 : 1);
  detail::require_no_bomb(where, decoded, bytes.size());
  const std::uint64_t limit = lines + most_png_surplus;
  if (packed * most_deflated_bytes_a_byte > limit + detail::always_unpacked / 2 && unpacks_to_more(pieces, limit)) {
    throw FormatError(text(where, "more than the ", lines, " bytes of ", width, " x ", height,
                           " pixels are packed in the PNG; is it a bomb?"));
  }
}

/// A PNG with a palette of less than 256 colours, filled up with black: stb_image believes all numbers of colours that
/// the pixels have. Empty if there is nothing to be filled.
std::vector<std::uint8_t> with_full_palette(std::span<const std::uint8_t> bytes,
                                            const std::vector<PngPiece>& pieces) {
  constexpr std::size_t full = 3 * 256;
  for (const PngPiece& piece : pieces) {
    if (piece.name != "PLTE" || piece.content.size() >= full || piece.content.size() % 3 != 0) continue;
    const auto begin = static_cast<std::size_t>(piece.content.data() - bytes.data());
    std::vector<std::uint8_t> filled(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(begin));
    const std::array<std::uint8_t, 4> length{0, 0, full >> 8, full & 0xff};
    std::copy(length.begin(), length.end(), filled.end() - 8);
    filled.insert(filled.end(), piece.content.begin(), piece.content.end());
    filled.resize(begin + full);
    filled.insert(filled.end(), bytes.begin() + static_cast<std::ptrdiff_t>(begin + piece.content.size()),
                  bytes.end());
    return filled;
  }
  return {};
}

/// Whether each Huffman table of a JPEG is whole and has at most as many codes as there is room for, wherever a decoder
/// may find one; stb_image writes past its memory else. What else is wrong is left to it.
/// @see ITU-T T.81 (1992), sections B.1.1 and B.2.4.2
bool has_sound_tables(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t most_codes = 256;
  std::size_t at = 0;
  while (true) {
    while (at < bytes.size() && bytes[at] != 0xff) ++at;  // to the next marker, over what is coded as well
    while (at < bytes.size() && bytes[at] == 0xff) ++at;
    if (at >= bytes.size()) return true;
    const std::uint8_t marker = bytes[at++];
    if (marker == 0xd9) return true;                                  // the end, nobody reads on
    if (marker == 0 || (marker >= 0xd0 && marker <= 0xd8)) continue;  // no segment behind these
    if (at + 2 > bytes.size()) return true;
    const std::size_t length = std::size_t{bytes[at]} << 8 | bytes[at + 1];
    if (marker == 0xc4) {
      std::span<const std::uint8_t> tables = bytes.subspan(at + 2);
      for (std::size_t rest = length < 2 ? 0 : length - 2; rest > 0;) {
        if (tables.size() < 17) return false;
        std::size_t codes = 0;
        for (const std::uint8_t count : tables.subspan(1, 16)) codes += count;
        if (codes > most_codes || 17 + codes > std::min(rest, tables.size())) return false;
        tables = tables.subspan(17 + codes);
        rest -= 17 + codes;
      }
    }
    at = std::min(at + std::max<std::size_t>(length, 2), bytes.size());
  }
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

/// The orientation in the EXIF data of a PNG: in the piece eXIf.
unsigned orientation_of_png(const std::vector<PngPiece>& pieces) {
  const auto exif = std::ranges::find(pieces, "eXIf", &PngPiece::name);
  return exif != pieces.end() ? orientation_in(exif->content) : 1;
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

[[noreturn]] void refuse_unknown(const std::string& where, std::span<const std::uint8_t> bytes) {
  const std::string kind = kind_of(bytes);
  throw FormatError(text(where, "neither PNG, JPEG nor PGM, or damaged at its beginning",
                         kind.empty() ? "" : "; it seems to be ", kind));
}

/// What stb_image has decoded, if it has.
template <class Sample>
void require_decoded(const std::string& where, const detail::Decoded<Sample>& decoded) {
  if (!decoded.pixels) throw FormatError(text(where, "damaged (", detail::stb_failure(), ")"));
}

Picture to_picture(const detail::Decoded<std::uint8_t>& decoded) {
  return {decoded.width, decoded.height, decoded.channels, {decoded.samples().begin(), decoded.samples().end()}};
}

Picture read_png(const std::string& where, std::span<const std::uint8_t> bytes) {
  require_reasonable_size(where, big_endian(bytes.subspan(16)), big_endian(bytes.subspan(20)));
  const auto pieces = pieces_of_png(bytes);
  if (!pieces) throw FormatError(where + "damaged (a piece of the PNG is cut short or has a wrong checksum)");
  require_plausible_png(where, bytes, *pieces);
  const std::vector<std::uint8_t> filled = with_full_palette(bytes, *pieces);
  const std::span<const std::uint8_t> sound = filled.empty() ? bytes : filled;
  const unsigned orientation = orientation_of_png(*pieces);
  if (bytes[24] == 16) {
    const auto decoded = detail::stb_decode_16(sound);
    require_decoded(where, decoded);
    return detail::turned(detail::from_16_bits(decoded.samples(), decoded.width, decoded.height, decoded.channels),
                          orientation);
  }
  const auto decoded = detail::stb_decode(sound);
  require_decoded(where, decoded);
  return detail::turned(to_picture(decoded), orientation);
}

Picture read_jpeg(const std::string& where, std::span<const std::uint8_t> bytes) {
  if (!has_sound_tables(bytes)) throw FormatError(where + "damaged (a Huffman table of the JPEG)");
  const auto header = detail::stb_header(bytes);
  if (header.channels == 0) refuse_unknown(where, bytes);
  require_reasonable_size(where, header.width, header.height);
  if (header.width * header.height > bytes.size() * most_jpeg_pixels_a_byte) {
    throw FormatError(text(where, "claims ", header.width, " x ", header.height, " pixels in ", bytes.size(),
                           " bytes, which cannot be; the JPEG is cut short or forged"));
  }
  detail::require_no_bomb(where, header.width * header.height * header.channels, bytes.size());
  const auto decoded = detail::stb_decode(bytes);
  require_decoded(where, decoded);
  return detail::turned(to_picture(decoded), orientation_of_jpeg(bytes));
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
  if (is_png(bytes)) return read_png(where, bytes);
  if (bytes.size() > 3 && bytes[0] == 0xff && bytes[1] == 0xd8) return read_jpeg(where, bytes);
  refuse_unknown(where, bytes);
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
