// idx.hpp: the IDX file format, in which MNIST is published. Knows nothing of digits.
#pragma once

#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <variant>
#include <vector>

namespace digitnet {

/// An array of one of the six element types of IDX, 1 to 4 dimensions, row-major.
///
/// The order of the alternatives is that of the type codes: 0x08 unsigned byte, 0x09 signed byte,
/// 0x0B short, 0x0C int, 0x0D float, 0x0E double.
struct IdxArray {
  using Values = std::variant<Vector<std::uint8_t>, Vector<std::int8_t>, Vector<std::int16_t>, Vector<std::int32_t>,
                              Vector<float>, Vector<double>>;
  std::vector<std::size_t> shape;
  Values values;
};

/// Reads an IDX file, plain or gzip (told by its first bytes, of one or several members).
///
/// The sizes that the header claims are multiplied without overflow and compared with the length of the
/// file before anything is allocated; a gzip file is never unpacked further than one byte past its claim.
///
/// @throws IoError      if the file cannot be opened or read
/// @throws FormatError  if the magic number, the sizes or the number of bytes are not those of an IDX file
/// @see LeCun, Cortes, Burges, The MNIST database of handwritten digits (1998), "file formats"
IdxArray read_idx(const std::filesystem::path& path);

/// The same from memory, plain or gzip; `name` stands for the path in messages.
IdxArray read_idx_bytes(std::span<const std::uint8_t> bytes, const std::string& name = "memory");

/// Writes an IDX file, beside its place first and renamed when it is whole; gzip if the name ends in ".gz".
/// @throws ArgumentError  if there are not 1 to 4 dimensions of less than 2^32, or not as many values as they ask
/// @throws IoError        if the file cannot be written; nothing is left behind
void write_idx(const std::filesystem::path& path, const IdxArray& array);

/// Three-dimensional unsigned bytes, as MNIST keeps its images, straight into place.
/// @throws IoError, FormatError  as read_idx; also if the file holds labels or another type
Images read_idx_images(const std::filesystem::path& path);

/// One-dimensional unsigned bytes, as MNIST keeps its labels.
/// @throws IoError, FormatError  as read_idx; also if the file holds images or another type
Labels read_idx_labels(const std::filesystem::path& path);

}  // namespace digitnet
