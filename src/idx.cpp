#include "idx_reader.hpp"

#include "byte_source.hpp"
#include "file_writer.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <iomanip>
#include <new>
#include <optional>

namespace digitnet {
namespace {

using detail::ByteSource;
using detail::text;

constexpr std::size_t max_dimensions = 4;

struct TypeCode {
  std::uint8_t code;
  std::size_t size;
  const char* name;
};

/// In the order of the alternatives of IdxArray::Values.
constexpr std::array<TypeCode, 6> type_codes{{{0x08, 1, "unsigned byte"},
                                              {0x09, 1, "signed byte"},
                                              {0x0B, 2, "short"},
                                              {0x0C, 4, "int"},
                                              {0x0D, 4, "float"},
                                              {0x0E, 8, "double"}}};

struct Header {
  std::size_t type = 0;  // index into type_codes
  std::vector<std::size_t> shape;
  std::uint64_t elements = 0;

  std::uint64_t bytes() const { return elements * type_codes[type].size; }
};

std::string hexadecimal(std::span<const std::uint8_t> bytes) {
  std::ostringstream out;
  out << "0x" << std::hex << std::setfill('0');
  for (const std::uint8_t byte : bytes) out << std::setw(2) << static_cast<int>(byte);
  return out.str();
}

/// What a magic number means in MNIST, as a help in messages.
const char* mnist_meaning(std::span<const std::uint8_t> magic) {
  if (magic[0] != 0 || magic[1] != 0 || magic[2] != 0x08) return "";
  return magic[3] == 1 ? " (labels)" : magic[3] == 3 ? " (images)" : "";
}

std::string hint_for(std::span<const std::uint8_t> magic) {
  if (magic[0] == '<') return "; is it a web page, saved instead of the data?";
  if (magic[0] == 'P' && magic[1] == 'K') return "; it looks like a zip archive, unpack it first";
  if (magic[0] == 0x89 && magic[1] == 'P') return "; it is a PNG image";
  if (magic[2] == 0 && magic[3] == 0 && magic[0] != 0) return "; are its bytes in the wrong order?";
  return "";
}

std::string shape_product(const std::vector<std::size_t>& shape) {
  std::string product;
  for (const std::size_t extent : shape) product += (product.empty() ? "" : " x ") + std::to_string(extent);
  return product;
}

std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) | (std::uint32_t{bytes[2]} << 8) |
         std::uint32_t{bytes[3]};
}

/// How many numbers an array of this shape has; none if they are more bytes than any file can hold. There a size
/// of 0 counts as 1, since the steps from row to row, which are products of the other sizes, must not overflow either.
std::optional<std::uint64_t> element_count(const std::vector<std::size_t>& shape, std::size_t element_size) {
  constexpr std::uint64_t most_bytes = std::uint64_t{1} << 62;
  std::uint64_t count = 1;
  std::uint64_t bytes = element_size;
  for (const std::size_t extent : shape) {
    const std::uint64_t factor = std::max<std::size_t>(extent, 1);
    if (bytes > most_bytes / factor) return std::nullopt;
    bytes *= factor;
    count *= extent;
  }
  return count;
}

/// Magic number and sizes; `wanted_magic` 0 accepts every type and number of dimensions.
Header read_header(ByteSource& source, std::uint32_t wanted_magic) {
  std::array<std::uint8_t, 4> magic{};
  if (const std::size_t got = source.read(magic); got < magic.size()) {
    throw FormatError(text(source.prefix(), got,
                           " bytes, expected at least 8, the magic number and a size; the file is ",
                           got == 0 ? "empty" : "cut short"));
  }
  Header header;
  while (header.type < type_codes.size() && type_codes[header.type].code != magic[2]) ++header.type;
  const std::size_t dimensions = magic[3];
  const bool valid = magic[0] == 0 && magic[1] == 0 && header.type < type_codes.size() && dimensions >= 1 &&
                     dimensions <= max_dimensions;
  if (wanted_magic != 0 && big_endian(magic) != wanted_magic) {
    const auto wanted = std::array<std::uint8_t, 4>{0, 0, static_cast<std::uint8_t>(wanted_magic >> 8),
                                                    static_cast<std::uint8_t>(wanted_magic)};
    const char* found = mnist_meaning(magic);
    throw FormatError(text(source.prefix(), "byte 0: magic number ", hexadecimal(magic), found, ", expected ",
                           hexadecimal(wanted), mnist_meaning(wanted),
                           found[0] != '\0' ? "; are the paths swapped?" : hint_for(magic)));
  }
  if (!valid) {
    throw FormatError(text(source.prefix(), "byte 0: magic number ", hexadecimal(magic),
                           ", expected 0x0000TTDD with type TT 08, 09, 0b, 0c, 0d or 0e and 01 to 04 dimensions DD",
                           hint_for(magic)));
  }

  std::array<std::uint8_t, 4 * max_dimensions> sizes{};
  const auto size_bytes = std::span(sizes).first(4 * dimensions);
  if (const std::size_t got = source.read(size_bytes); got < size_bytes.size()) {
    throw FormatError(text(source.prefix(), "the header ends at byte ", 4 + got, ", expected ", 4 + size_bytes.size(),
                           " bytes of it; the file is cut short"));
  }
  for (std::size_t d = 0; d < dimensions; ++d) header.shape.push_back(big_endian(size_bytes.subspan(4 * d, 4)));
  const auto elements = element_count(header.shape, type_codes[header.type].size);
  if (!elements) {
    throw FormatError(
        text(source.prefix(), "byte 4: sizes ", shape_product(header.shape), " are more than any file can hold"));
  }
  header.elements = *elements;
  const std::uint64_t body = header.bytes();

  // Before anything is allocated: could the file hold that much?
  const std::uint64_t header_bytes = 4 + 4 * dimensions;
  if (const auto length = source.length(); length && *length != header_bytes + body) {
    const std::uint64_t found = *length - header_bytes;
    throw FormatError(text(source.prefix(), found, " bytes of data, expected ", body, " (",
                           shape_product(header.shape), ")",
                           found < body ? "; the file is cut short" : "; something else follows the data"));
  }
  if (source.is_gzip() && detail::is_bomb(header_bytes + body, source.stored_length())) {
    throw FormatError(text(source.prefix(), "claims ", body, " bytes of data (", shape_product(header.shape),
                           ") from ", source.stored_length(), " packed ones, expected at most ",
                           detail::largest_packing, " times as many; is it a gzip bomb?"));
  }
  return header;
}

/// The body of the file into memory of the very size; a byte too few or too many is an error.
void read_body(ByteSource& source, const Header& header, std::span<std::uint8_t> target) {
  const std::size_t got = source.read(target);
  std::uint8_t extra = 0;
  const bool more = got == target.size() && source.read({&extra, 1}) == 1;
  if (got < target.size() || more) {
    throw FormatError(text(source.prefix(), more ? "more than " : "", got, " bytes of data, expected ",
                           header.bytes(), " (", shape_product(header.shape), ")",
                           more ? "; something else follows the data" : "; the file is cut short"));
  }
}

/// Numbers in the file are big-endian.
template <class Element>
void to_native(std::span<Element> elements) {
  if constexpr (sizeof(Element) > 1 && std::endian::native == std::endian::little) {
    for (Element& element : elements) {
      std::array<std::uint8_t, sizeof(Element)> bytes{};
      std::memcpy(bytes.data(), &element, sizeof(Element));
      std::reverse(bytes.begin(), bytes.end());
      std::memcpy(&element, bytes.data(), sizeof(Element));
    }
  }
}

/// Uninitialised memory, so that pages the file never fills are never used.
template <class Array, class Shape>
Array allocate(const ByteSource& source, const Header& header, const Shape& shape) {
  try {
    return Array::from_shape(shape);
  } catch (const std::bad_alloc&) {
    throw FormatError(text(source.prefix(), "claims ", header.bytes(), " bytes of data (",
                           shape_product(header.shape), "), more than there is memory for"));
  }
}

template <class Array>
std::span<std::uint8_t> bytes_of(Array& array) {
  return {reinterpret_cast<std::uint8_t*>(array.data()), array.size() * sizeof(*array.data())};
}

template <std::size_t Type = 0>
IdxArray::Values read_values(ByteSource& source, const Header& header) {
  if constexpr (Type < std::variant_size_v<IdxArray::Values>) {
    if (header.type != Type) return read_values<Type + 1>(source, header);
    using Array = std::variant_alternative_t<Type, IdxArray::Values>;
    auto values = allocate<Array>(source, header, std::array<std::size_t, 1>{header.elements});
    read_body(source, header, bytes_of(values));
    to_native(std::span(values.data(), values.size()));
    return values;
  } else {
    throw Error("read_idx: a type without an alternative");  // the header admits only those of type_codes
  }
}

IdxArray read_idx_from(ByteSource& source) {
  const Header header = read_header(source, 0);
  return {header.shape, read_values(source, header)};
}

}  // namespace

namespace detail {

Images read_idx_images(const char* where, const std::filesystem::path& path) {
  ByteSource source(where, path);
  const Header header = read_header(source, 0x00000803);
  auto images =
      allocate<Images>(source, header, std::array<std::size_t, 3>{header.shape[0], header.shape[1], header.shape[2]});
  read_body(source, header, bytes_of(images));
  return images;
}

Labels read_idx_labels(const char* where, const std::filesystem::path& path) {
  ByteSource source(where, path);
  const Header header = read_header(source, 0x00000801);
  auto labels = allocate<Labels>(source, header, std::array<std::size_t, 1>{header.shape[0]});
  read_body(source, header, bytes_of(labels));
  return labels;
}

}  // namespace detail

IdxArray read_idx(const std::filesystem::path& path) {
  ByteSource source("read_idx", path);
  return read_idx_from(source);
}

IdxArray read_idx_bytes(std::span<const std::uint8_t> bytes, const std::string& name) {
  ByteSource source("read_idx_bytes", bytes, name);
  return read_idx_from(source);
}

Images read_idx_images(const std::filesystem::path& path) { return detail::read_idx_images("read_idx_images", path); }

Labels read_idx_labels(const std::filesystem::path& path) { return detail::read_idx_labels("read_idx_labels", path); }

void write_idx(const std::filesystem::path& path, const IdxArray& array) {
  if (array.shape.empty() || array.shape.size() > max_dimensions) {
    throw ArgumentError(text("write_idx: ", array.shape.size(), " dimensions, expected 1 to 4"));
  }
  std::vector<std::uint8_t> header{0, 0, type_codes[array.values.index()].code,
                                   static_cast<std::uint8_t>(array.shape.size())};
  for (const std::size_t extent : array.shape) {
    if (extent > 0xffffffffu) throw ArgumentError(text("write_idx: a size of ", extent, ", expected less than 2^32"));
    for (const int shift : {24, 16, 8, 0}) header.push_back(static_cast<std::uint8_t>(extent >> shift));
  }
  const auto elements = element_count(array.shape, type_codes[array.values.index()].size);
  if (!elements) {
    throw ArgumentError(text("write_idx: sizes ", shape_product(array.shape), " are more than any file can hold"));
  }
  std::visit(
      [&](auto values) {  // a copy, to be turned into big-endian; also where nothing has to be turned
        if (values.size() != *elements) {
          throw ArgumentError(text("write_idx: ", values.size(), " values, expected ", *elements, " (",
                                   shape_product(array.shape), ")"));
        }
        to_native(std::span(values.data(), values.size()));
        detail::PackedWriter sink("write_idx", path);
        sink.write(header);
        sink.write(bytes_of(values));
        sink.commit();
      },
      array.values);
}

}  // namespace digitnet
