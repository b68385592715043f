#include "safetensors.hpp"

#include "json_fields.hpp"
#include "sha256.hpp"

#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace digitnet::detail {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the files are little-endian, and so is this code");

/// A safetensors file is: the length of the header (8 bytes, little-endian), the header (JSON), the data.
constexpr std::size_t prefix_bytes = 8;

constexpr const char* metadata_key = "__metadata__";

/// Bytes of one number, 0 for a type that is not known.
std::uint64_t dtype_size(const std::string& dtype) {
  if (dtype == "F16" || dtype == "BF16") return 2;
  if (dtype == "F32" || dtype == "U32") return 4;
  if (dtype == "U8") return 1;
  return dtype == "F64" ? 8 : 0;
}

/// SHA-256 over all that the file says: metadata, tensors and their data. It does not depend on the order of keys,
/// on spaces or on where in the data a tensor lies, so a file that another safetensors library has written anew
/// still fits its checksum.
std::string checksum_of(const std::map<std::string, std::string>& metadata, const Tensors& tensors,
                        std::span<const std::uint8_t> data) {
  Sha256 sum;
  const auto add = [&sum](const std::string& part) {
    sum.update({reinterpret_cast<const std::uint8_t*>(part.data()), part.size()});
    sum.update(std::array<std::uint8_t, 1>{0});
  };
  for (const auto& [key, value] : metadata) {
    if (key == checksum_key) continue;
    add(key);
    add(value);
  }
  for (const auto& [name, tensor] : tensors) {
    add(name);
    add(tensor.dtype);
    for (const std::uint64_t extent : tensor.shape) add(std::to_string(extent));
    sum.update(data.subspan(tensor.begin, tensor.end - tensor.begin));
  }
  return "sha256:" + sum.finish();
}

/// What a file that is no safetensors file may be, by how it begins.
std::string hint_for(std::span<const std::uint8_t> bytes) {
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 64));
  struct Kind {
    std::string_view start;
    const char* hint;
  };
  constexpr std::array<Kind, 10> kinds{{
      {"<", "is it a web page, saved instead of the file?"},
      {"version https://git-lfs", "it is a Git LFS pointer; `git lfs pull` gets the file"},
      {"PK\x03\x04", "it looks like a zip archive, such as .npz, .pt or .keras"},
      {"\x80", "it looks like a Python pickle"},
      {"\x89HDF", "it is an HDF5 file, as older Keras writes them"},
      {"\x93NUMPY", "it is an array of NumPy"},
      {"\x89PNG", "it is a PNG image"},
      {"\xff\xd8\xff", "it is a JPEG image"},
      {"\x1f\x8b", "it is compressed; unpack it with gunzip first"},
      {std::string_view("\0\0", 2), "it looks like IDX data, expected a model"},
  }};
  for (const Kind& kind : kinds) {
    if (start.starts_with(kind.start)) return text("; ", kind.hint);
  }
  const auto is_text = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; };
  return std::all_of(start.begin(), start.end(), is_text) ? "; it looks like a text" : "";
}

/// What the header says of one array.
TensorEntry read_tensor_entry(const std::string& where, const json& value, const std::vector<std::string>& dtypes) {
  const Fields fields(where, value);
  TensorEntry tensor;
  tensor.dtype = fields.text("dtype");
  tensor.shape = fields.wholes("shape");
  const std::vector<std::uint64_t> offsets = fields.wholes("data_offsets");
  fields.require_no_others();
  if (std::ranges::find(dtypes, tensor.dtype) == dtypes.end()) {
    std::string known = dtypes.front();
    for (std::size_t i = 1; i < dtypes.size(); ++i) known += (i + 1 < dtypes.size() ? ", " : " or ") + dtypes[i];
    throw FormatError(text(where, "dtype \"", shortened(tensor.dtype), "\", expected ", known));
  }
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    throw FormatError(where + "data_offsets, expected a begin and an end behind it");
  }
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  std::uint64_t bytes = dtype_size(tensor.dtype);
  for (const std::uint64_t extent : tensor.shape) {
    if (extent != 0 && bytes > largest_tensor_file / extent) {
      throw FormatError(where + "a shape too large for any file");
    }
    bytes *= extent;
  }
  if (bytes != tensor.end - tensor.begin) {
    throw FormatError(text(where, tensor.end - tensor.begin, " bytes, expected ", bytes, " of dtype ", tensor.dtype,
                           " and shape ", shape_text_of(tensor.shape)));
  }
  return tensor;
}

}  // namespace

TensorFile::TensorFile(std::string where, std::span<const std::uint8_t> bytes, std::vector<std::string> dtypes)
    : TensorFile(std::move(where), bytes, std::move(dtypes), bytes.size()) {}

TensorFile::TensorFile(std::string where, std::span<const std::uint8_t> bytes, std::vector<std::string> dtypes,
                       std::uint64_t file_bytes)
    : where_(std::move(where)), dtypes_(std::move(dtypes)) {
  if (bytes.size() < prefix_bytes) {
    refuse(text(bytes.size(), " bytes, expected a safetensors file of at least ", prefix_bytes + 2));
  }
  const auto header_bytes = stored_at<std::uint64_t>(bytes.data(), 0);
  const std::uint64_t behind = file_bytes - prefix_bytes;
  const bool too_long = header_bytes > behind;
  if ((too_long || header_bytes > largest_header) && (behind == 0 || bytes[prefix_bytes] != '{')) {
    refuse(text("not a safetensors file: its first ", prefix_bytes, " bytes give a header of ", header_bytes,
                " bytes, the file has ", file_bytes, hint_for(bytes)));
  }
  if (header_bytes > largest_header) {
    refuse(text("byte 0: a header of ", header_bytes, " bytes, expected at most ", largest_header));
  }
  if (too_long) {
    refuse(text("byte 0: a header of ", header_bytes, " bytes, expected at most the ", behind,
                " that follow; the file is cut short"));
  }
  if (prefix_bytes + header_bytes > bytes.size()) refuse("the file has become shorter while it was read");
  data_ = bytes.subspan(prefix_bytes + header_bytes);
  read_header({reinterpret_cast<const char*>(bytes.data()) + prefix_bytes, static_cast<std::size_t>(header_bytes)});
}

void TensorFile::check_beginning(std::string where, std::span<const std::uint8_t> beginning, std::uint64_t file_bytes,
                                 std::vector<std::string> dtypes) {
  const TensorFile file(std::move(where), beginning, std::move(dtypes), file_bytes);
  file.require_gapless(file_bytes - (beginning.size() - file.data_.size()));
}

void TensorFile::refuse(const std::string& what) const { throw FormatError(where_ + what); }

void TensorFile::read_header(std::string_view header) {
  const std::string in_header = where_ + "header: ";
  if (header.empty() || header.front() != '{') throw FormatError(in_header + "does not begin with {");
  const JsonDocument value = parse_json(in_header, header);
  for (const auto& [name, entry] : value.items()) {
    if (name != metadata_key) {
      tensors_[name] = read_tensor_entry(text(where_, "tensor ", shortened(name), ": "), entry, dtypes_);
      continue;
    }
    if (!entry.is_object()) throw FormatError(in_header + "__metadata__ is not a JSON object");
    for (const auto& [key, item] : entry.items()) {
      if (!item.is_string()) {
        throw FormatError(text(in_header, "__metadata__ \"", shortened(key), "\" is not a text"));
      }
      metadata_[key] = item.get<std::string>();
    }
  }
}

/// The tensors lie one behind the other in the data: no hole, no overlap, nothing left over.
void TensorFile::require_gapless(std::uint64_t data_bytes) const {
  std::vector<std::pair<std::uint64_t, std::string>> begins;
  for (const auto& [name, tensor] : tensors_) begins.emplace_back(tensor.begin, name);
  std::sort(begins.begin(), begins.end());
  std::uint64_t expected = 0;
  for (const auto& [begin, name] : begins) {
    if (begin != expected) {
      refuse(text("tensor ", shortened(name), " begins at byte ", begin, " of the data, expected ", expected,
                  ", where the one before it ends"));
    }
    expected = tensors_.at(name).end;
  }
  if (expected != data_bytes) {
    refuse(text("the data has ", data_bytes, " bytes, expected ", expected, ", where the last tensor ends",
                data_bytes < expected ? "; the file is cut short" : ""));
  }
}

const std::string& TensorFile::metadata(const char* key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) refuse(text("header: no \"", key, "\" in __metadata__"));
  return found->second;
}

void TensorFile::require_format(const char* format, int newest_version) const {
  const auto found = metadata_.find("format");
  if (found == metadata_.end() || found->second != format) {
    refuse(text("a safetensors file without \"format\": \"", format,
                "\" in its metadata; was it made by another library?"));
  }
  const std::string& digits = metadata("version");
  int version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error != std::errc{} || end != digits.data() + digits.size() || version < 1) {
    refuse(text("format version \"", shortened(digits), "\", expected a number from 1 on"));
  }
  if (version > newest_version) {
    refuse(text("format version ", version, ", expected at most ", newest_version,
                "; the file is from a newer digitnet"));
  }
}

const TensorEntry& TensorFile::tensor(const std::string& name, const std::vector<std::uint64_t>& shape,
                                      const char* by) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) refuse(text("no tensor ", name));
  if (found->second.shape != shape) {
    refuse(text("tensor ", name, ": shape ", shape_text_of(found->second.shape), ", expected ", shape_text_of(shape),
                " by the ", by));
  }
  return found->second;
}

void TensorFile::require_checksum() const {
  if (checksum_of(metadata_, tensors_, data_) != metadata(checksum_key)) {
    refuse("the checksum does not fit the content; the file was damaged or changed");
  }
}

void TensorWriter::add(const std::string& name, std::string dtype, std::vector<std::uint64_t> shape,
                       std::span<const std::uint8_t> bytes) {
  const std::uint64_t begin = data_.size();
  data_.insert(data_.end(), bytes.begin(), bytes.end());
  tensors_[name] = {std::move(dtype), std::move(shape), begin, data_.size()};
}

std::vector<std::uint8_t> TensorWriter::finish(const std::string& where,
                                               std::map<std::string, std::string> metadata) const {
  metadata[checksum_key] = checksum_of(metadata, tensors_, data_);
  JsonDocument header(json::value_t::object);
  header[metadata_key] = metadata;
  for (const auto& [name, tensor] : tensors_) {
    json& entry = header[name] = json::object();
    entry["dtype"] = tensor.dtype;
    entry["shape"] = tensor.shape;
    entry["data_offsets"] = std::vector<std::uint64_t>{tensor.begin, tensor.end};
  }
  std::string header_text = to_json_text(where + "metadata: ", header);
  header_text.append((prefix_bytes - header_text.size() % prefix_bytes) % prefix_bytes, ' ');  // data on 8 bytes
  if (header_text.size() > largest_header) {
    throw ArgumentError(
        text(where, "metadata makes a header of ", header_text.size(), " bytes, expected at most ", largest_header));
  }
  const std::uint64_t header_bytes = header_text.size();
  std::vector<std::uint8_t> bytes(prefix_bytes + header_text.size() + data_.size());
  std::memcpy(bytes.data(), &header_bytes, prefix_bytes);
  std::memcpy(bytes.data() + prefix_bytes, header_text.data(), header_text.size());
  std::copy(data_.begin(), data_.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(prefix_bytes + header_text.size()));
  return bytes;
}

}  // namespace digitnet::detail
