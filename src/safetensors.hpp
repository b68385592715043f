// safetensors.hpp: named arrays and texts in one file. Internal.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace digitnet::detail {

/// Where in the data of a file an array lies.
struct TensorEntry {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

using Tensors = std::map<std::string, TensorEntry>;

inline constexpr std::uint64_t largest_header = 1 << 20;
inline constexpr std::uint64_t largest_tensor_file = std::uint64_t{1} << 36;
inline constexpr const char* checksum_key = "checksum";

template <class Stored>
constexpr const char* dtype_of = std::is_same_v<Stored, float>           ? "F32"
                                 : std::is_same_v<Stored, double>        ? "F64"
                                 : std::is_same_v<Stored, std::uint32_t> ? "U32"
                                                                         : "U8";

/// A value from bytes that may lie anywhere.
template <class Stored>
Stored stored_at(const std::uint8_t* bytes, std::size_t index) {
  Stored value;
  std::memcpy(&value, bytes + index * sizeof(Stored), sizeof(Stored));
  return value;
}

/// A file that is read, by views into its bytes.
class TensorFile {
 public:
  /// Looks at every length and shape; the arrays are not looked at.
  /// @param where   start of every message: "load_network: file: "
  /// @param dtypes  types of numbers that are expected
  /// @throws FormatError  if a rule of the format is broken
  TensorFile(std::string where, std::span<const std::uint8_t> bytes, std::vector<std::string> dtypes);

  /// The same of a file of which only the beginning is there, with all of its header: whether it is worth reading on.
  /// @throws FormatError  if a rule of the format is broken, or the arrays do not fill the file
  static void check_beginning(std::string where, std::span<const std::uint8_t> beginning, std::uint64_t file_bytes,
                              std::vector<std::string> dtypes);

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const Tensors& tensors() const { return tensors_; }

  /// @throws FormatError  if there is none of this key
  const std::string& metadata(const char* key) const;

  /// An array of a name and a shape.
  /// @param by  what says that it is to have this shape, for the message
  /// @throws FormatError  if there is none
  const TensorEntry& tensor(const std::string& name, const std::vector<std::uint64_t>& shape, const char* by) const;

  /// What lies in an array.
  std::span<const std::uint8_t> bytes(const TensorEntry& tensor) const {
    return data_.subspan(tensor.begin, tensor.end - tensor.begin);
  }

  /// @throws FormatError  unless "format" is this one, and "version" a number from 1 to the newest
  void require_format(const char* format, int newest_version) const;

  /// @throws FormatError  if the arrays overlap, or leave a hole or something behind them
  void require_gapless() const { require_gapless(data_.size()); }

  /// @throws FormatError  if the checksum in the metadata is not that of what the file says
  void require_checksum() const;

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  TensorFile(std::string where, std::span<const std::uint8_t> beginning, std::vector<std::string> dtypes,
             std::uint64_t file_bytes);
  void read_header(std::string_view header);
  void require_gapless(std::uint64_t data_bytes) const;

  std::string where_;
  std::vector<std::string> dtypes_;
  std::map<std::string, std::string> metadata_;
  Tensors tensors_;
  std::span<const std::uint8_t> data_;
};

/// Collects the arrays of a file.
class TensorWriter {
 public:
  /// @param dtype  of the numbers, as in dtype_of
  void add(const std::string& name, std::string dtype, std::vector<std::uint64_t> shape,
           std::span<const std::uint8_t> bytes);

  template <class Stored>
  void add(const std::string& name, std::vector<std::uint64_t> shape, std::span<const Stored> numbers) {
    add(name, dtype_of<Stored>, std::move(shape),
        {reinterpret_cast<const std::uint8_t*>(numbers.data()), numbers.size_bytes()});
  }

  /// The file. The same arrays and metadata give the same bytes.
  /// @param metadata  without the checksum, which is added
  /// @throws ArgumentError  if the metadata are no UTF-8, or too long
  std::vector<std::uint8_t> finish(const std::string& where, std::map<std::string, std::string> metadata) const;

 private:
  Tensors tensors_;
  std::vector<std::uint8_t> data_;
};

}  // namespace digitnet::detail
