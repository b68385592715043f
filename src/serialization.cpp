#include <digitnet/serialization.hpp>

#include "byte_source.hpp"
#include "file_writer.hpp"
#include "sha256.hpp"
#include "strict_json.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <set>
#include <type_traits>

namespace digitnet {
namespace {

using detail::text;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "model files are little-endian, and so is this code");

/// A safetensors file is: the length of the header (8 bytes, little-endian), the header (JSON), the data.
constexpr std::size_t prefix_bytes = 8;
constexpr std::uint64_t largest_header = 1 << 20;
constexpr std::uint64_t largest_file = std::uint64_t{1} << 36;

constexpr const char* metadata_key = "__metadata__";
constexpr const char* checksum_key = "checksum";

/// Keys of the metadata that the format itself writes, from the network.
const std::set<std::string> format_keys{"format", "version", "architecture", checksum_key};

struct TensorEntry {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;  // in the data
  std::uint64_t end = 0;
};

using Tensors = std::map<std::string, TensorEntry>;

std::string weights_name(std::size_t layer) { return text("layers.", layer, ".weights"); }
std::string bias_name(std::size_t layer) { return text("layers.", layer, ".bias"); }

template <class Real>
constexpr const char* dtype_of = std::is_same_v<Real, float> ? "F32" : "F64";

/// Bytes of one number, 0 for a type that is not known.
std::uint64_t dtype_size(const std::string& dtype) {
  if (dtype == "F16" || dtype == "BF16") return 2;
  if (dtype == "F32") return 4;
  return dtype == "F64" ? 8 : 0;
}

/// SHA-256 over all that the file says: metadata, tensors and their data. It does not depend on the order of keys,
/// on spaces or on where in the data a tensor lies, so a file that another safetensors library has written anew
/// still fits its checksum.
std::string checksum_of(const Metadata& metadata, const Tensors& tensors, std::span<const std::uint8_t> data) {
  detail::Sha256 sum;
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

json architecture_to_json(const Architecture& architecture) {
  json value{{"sizes", architecture.sizes}, {"loss", name_of(architecture.loss)}, {"activations", json::array()}};
  for (const Activation activation : architecture.activations) value["activations"].push_back(name_of(activation));
  return value;
}

// Reading. Each step checks one thing and says what it found; `where` is "load_network: file: ".

[[noreturn]] void refuse(const std::string& where, const std::string& what) { throw FormatError(where + what); }

/// A member of an object, of the type wanted.
const json& member(const std::string& where, const json& object, const char* key, bool (json::*is)() const noexcept,
                   const char* type) {
  const auto found = object.find(key);
  if (found == object.end()) refuse(where, text("no \"", key, "\", expected ", type));
  if (!((*found).*is)()) refuse(where, text("\"", key, "\" is of another type, expected ", type));
  return *found;
}

/// A list of whole numbers of at least 0.
std::vector<std::uint64_t> numbers(const std::string& where, const json& object, const char* key) {
  std::vector<std::uint64_t> list;
  for (const json& number : member(where, object, key, &json::is_array, "a list of whole numbers")) {
    if (!number.is_number_unsigned()) refuse(where, text("\"", key, "\" holds something else than whole numbers"));
    list.push_back(number.get<std::uint64_t>());
  }
  return list;
}

void require_no_other_keys(const std::string& where, const json& object, std::size_t known) {
  if (object.size() != known) refuse(where, text(object.size(), " members, expected ", known));
}

Architecture read_architecture(const std::string& where, const std::string& description) {
  const json value = detail::parse_json(where, description);
  if (!value.is_object()) refuse(where, "not a JSON object");
  Architecture architecture;
  for (const std::uint64_t size : numbers(where, value, "sizes")) architecture.sizes.push_back(size);
  try {
    for (const json& name : member(where, value, "activations", &json::is_array, "a list of names")) {
      if (!name.is_string()) refuse(where, "\"activations\" holds something else than names");
      architecture.activations.push_back(activation_from_name(name.get<std::string>()));
    }
    architecture.loss = loss_from_name(member(where, value, "loss", &json::is_string, "a name").get<std::string>());
    check_architecture(architecture);
  } catch (const ArgumentError& error) {
    refuse(where, error.what());
  }
  require_no_other_keys(where, value, 3);
  return architecture;
}

TensorEntry read_tensor_entry(const std::string& where, const json& value) {
  if (!value.is_object()) refuse(where, "not a JSON object");
  TensorEntry tensor;
  tensor.dtype = member(where, value, "dtype", &json::is_string, "a name").get<std::string>();
  tensor.shape = numbers(where, value, "shape");
  const std::vector<std::uint64_t> offsets = numbers(where, value, "data_offsets");
  require_no_other_keys(where, value, 3);
  if (dtype_size(tensor.dtype) == 0) {
    refuse(where, text("dtype \"", detail::shortened(tensor.dtype), "\", expected F16, BF16, F32 or F64"));
  }
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    refuse(where, "data_offsets, expected a begin and an end behind it");
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  std::uint64_t bytes = dtype_size(tensor.dtype);
  for (const std::uint64_t extent : tensor.shape) {
    if (extent != 0 && bytes > largest_file / extent) refuse(where, "a shape too large for any file");
    bytes *= extent;
  }
  if (bytes != tensor.end - tensor.begin) {
    refuse(where, text(tensor.end - tensor.begin, " bytes, expected ", bytes, " of dtype ", tensor.dtype,
                       " and shape ", shape_text_of(tensor.shape)));
  }
  return tensor;
}

/// The tensors lie one behind the other in the data: no hole, no overlap, nothing left over.
void require_gapless(const std::string& where, const Tensors& tensors, std::uint64_t data_bytes) {
  std::vector<std::pair<std::uint64_t, std::string>> begins;
  for (const auto& [name, tensor] : tensors) begins.emplace_back(tensor.begin, name);
  std::sort(begins.begin(), begins.end());
  std::uint64_t expected = 0;
  for (const auto& [begin, name] : begins) {
    if (begin != expected) {
      refuse(where, text("tensor ", detail::shortened(name), " begins at byte ", begin, " of the data, expected ",
                         expected, ", where the one before it ends"));
    }
    expected = tensors.at(name).end;
  }
  if (expected != data_bytes) {
    refuse(where, text("the data has ", data_bytes, " bytes, expected ", expected, ", where the last tensor ends",
                       data_bytes < expected ? "; the file is cut short" : ""));
  }
}

struct Header {
  Metadata metadata;
  Tensors tensors;
};

Header read_header(const std::string& where, std::string_view header_text) {
  const std::string in_header = where + "header: ";
  if (header_text.empty() || header_text.front() != '{') refuse(in_header, "does not begin with {");
  const json value = detail::parse_json(in_header, header_text);
  Header header;
  for (const auto& [name, entry] : value.items()) {
    if (name != metadata_key) {
      header.tensors[name] = read_tensor_entry(text(where, "tensor ", detail::shortened(name), ": "), entry);
      continue;
    }
    if (!entry.is_object()) refuse(in_header, "__metadata__ is not a JSON object");
    for (const auto& [key, item] : entry.items()) {
      if (!item.is_string()) refuse(in_header, text("__metadata__ \"", detail::shortened(key), "\" is not a text"));
      header.metadata[key] = item.get<std::string>();
    }
  }
  return header;
}

const std::string& required(const std::string& where, const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) refuse(where, text("header: no \"", key, "\" in __metadata__"));
  return found->second;
}

void require_format(const std::string& where, const Metadata& metadata) {
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != "digitnet") {
    refuse(where,
           R"(a safetensors file without "format": "digitnet" in its metadata; was it made by another library?)");
  }
  const std::string& digits = required(where, metadata, "version");
  int version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error != std::errc{} || end != digits.data() + digits.size() || version < 1) {
    refuse(where, text("format version \"", detail::shortened(digits), "\", expected a number from 1 on"));
  }
  if (version > model_format_version) {
    refuse(where, text("format version ", version, ", expected at most ", model_format_version,
                       "; the file is from a newer digitnet"));
  }
}

/// IEEE 754 half precision, section 3.6: 1 bit sign, 5 bits exponent, 10 bits fraction.
float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const float magnitude = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                          : exponent == 31 ? (fraction == 0 ? HUGE_VALF : NAN)
                                           : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

/// The nearest half-precision number, of two the even one; infinity from 65520 on.
std::uint16_t float_to_half(double value) {
  const double magnitude = std::abs(value);
  const int exponent = std::clamp(std::ilogb(magnitude), -14, 16);  // -14 for all that has less than 11 bits
  // In units of the last place; 1024 of them go to the next exponent, so a carry needs no care.
  const double units = std::nearbyint(std::ldexp(magnitude, 10 - exponent));
  const double bits = std::min(1024.0 * (exponent + 14) + units, 31 * 1024.0);
  return static_cast<std::uint16_t>(static_cast<int>(bits) | (std::signbit(value) ? 0x8000 : 0));
}

template <class Stored>
Stored stored_at(const std::uint8_t* bytes, std::size_t index) {
  Stored value;
  std::memcpy(&value, bytes + index * sizeof(Stored), sizeof(Stored));
  return value;
}

template <class Real>
void fill(const std::string& where, std::span<Real> target, const TensorEntry& tensor,
          std::span<const std::uint8_t> data) {
  const std::uint8_t* bytes = data.data() + tensor.begin;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (tensor.dtype == "F32") {
      target[i] = static_cast<Real>(stored_at<float>(bytes, i));
    } else if (tensor.dtype == "F64") {
      target[i] = static_cast<Real>(stored_at<double>(bytes, i));
    } else if (tensor.dtype == "F16") {
      target[i] = static_cast<Real>(half_to_float(stored_at<std::uint16_t>(bytes, i)));
    } else {  // BF16: the upper half of a float
      const auto bits = static_cast<std::uint32_t>(stored_at<std::uint16_t>(bytes, i)) << 16;
      target[i] = static_cast<Real>(std::bit_cast<float>(bits));
    }
    if (!std::isfinite(target[i])) refuse(where, text("value ", i, " is ", target[i], ", expected a finite number"));
  }
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

template <class Real>
Network<Real> read_network(const std::string& where, std::span<const std::uint8_t> bytes) {
  if (bytes.size() < prefix_bytes) {
    refuse(where, text(bytes.size(), " bytes, expected a safetensors file of at least ", prefix_bytes + 2));
  }
  const auto header_bytes = stored_at<std::uint64_t>(bytes.data(), 0);
  const std::size_t behind = bytes.size() - prefix_bytes;
  const bool too_long = header_bytes > behind;
  if ((too_long || header_bytes > largest_header) && (behind == 0 || bytes[prefix_bytes] != '{')) {
    refuse(where, text("not a safetensors file: its first ", prefix_bytes, " bytes give a header of ", header_bytes,
                       " bytes, the file has ", bytes.size(), hint_for(bytes)));
  }
  if (header_bytes > largest_header) {
    refuse(where, text("byte 0: a header of ", header_bytes, " bytes, expected at most ", largest_header));
  }
  if (too_long) {
    refuse(where, text("byte 0: a header of ", header_bytes, " bytes, expected at most the ", behind,
                       " that follow; the file is cut short"));
  }
  const std::span<const std::uint8_t> data = bytes.subspan(prefix_bytes + header_bytes);
  const Header header = read_header(
      where, {reinterpret_cast<const char*>(bytes.data()) + prefix_bytes, static_cast<std::size_t>(header_bytes)});
  require_format(where, header.metadata);
  require_gapless(where, header.tensors, data.size());
  const Architecture architecture =
      read_architecture(where + "architecture: ", required(where, header.metadata, "architecture"));

  // The shapes the architecture asks for, before a network of that size is made.
  const std::size_t layers = architecture.activations.size();
  if (header.tensors.size() != 2 * layers) {
    refuse(where, text(header.tensors.size(), " tensors, expected ", 2 * layers, " for ", layers, " layers"));
  }
  const auto tensor = [&](const std::string& name, const std::vector<std::uint64_t>& shape) -> const TensorEntry& {
    const auto found = header.tensors.find(name);
    if (found == header.tensors.end()) refuse(where, text("no tensor ", name));
    if (found->second.shape != shape) {
      refuse(where, text("tensor ", name, ": shape ", shape_text_of(found->second.shape), ", expected ",
                         shape_text_of(shape), " by the architecture"));
    }
    return found->second;
  };
  for (std::size_t i = 0; i < layers; ++i) {
    tensor(weights_name(i), {architecture.sizes[i], architecture.sizes[i + 1]});
    tensor(bias_name(i), {architecture.sizes[i + 1]});
  }
  if (checksum_of(header.metadata, header.tensors, data) != required(where, header.metadata, checksum_key)) {
    refuse(where, "the checksum does not fit the content; the file was damaged or changed");
  }

  Network<Real> network(architecture);
  for (std::size_t i = 0; i < layers; ++i) {
    Dense<Real>& layer = network.layer(i);
    fill(text(where, "tensor ", weights_name(i), ": "), values(layer.weights), header.tensors.at(weights_name(i)),
         data);
    fill(text(where, "tensor ", bias_name(i), ": "), values(layer.bias), header.tensors.at(bias_name(i)), data);
  }
  for (const auto& [key, value] : header.metadata) {
    if (!format_keys.contains(key)) network.metadata[key] = value;
  }
  return network;
}

/// What a file says about itself when nobody has said otherwise.
Metadata complete_metadata(const std::string& where, const Architecture& architecture, const Metadata& given) {
  for (const auto& [key, value] : given) {
    if (format_keys.contains(key)) {
      throw ArgumentError(text(where, "metadata has the key \"", key, "\", which the format keeps for itself"));
    }
  }
  Metadata metadata = given;
  metadata["format"] = "digitnet";
  metadata["version"] = std::to_string(model_format_version);
  metadata["architecture"] = architecture_to_json(architecture).dump();
  metadata.emplace("preprocessing", R"({"input":"ink","range":[0,1]})");
  if (architecture.sizes.back() == 10) {
    metadata.emplace("labels", R"(["0","1","2","3","4","5","6","7","8","9"])");
  }
  return metadata;
}

template <class Real>
std::vector<std::uint16_t> halves_of(const std::string& where, std::span<const Real> numbers) {
  std::vector<std::uint16_t> halves(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    halves[i] = float_to_half(numbers[i]);
    if ((halves[i] & 0x7fff) >= 31 * 1024) {
      throw ArgumentError(text(where, "value ", i, " is ", numbers[i],
                               ", expected at most 65504 in half precision; save it in full"));
    }
  }
  return halves;
}

template <class Real>
std::vector<std::uint8_t> write_network(const std::string& where, const Network<Real>& network, Precision precision) {
  Tensors tensors;
  std::vector<std::uint8_t> data;
  const auto add = [&](const std::string& name, std::vector<std::uint64_t> shape, std::span<const Real> numbers) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (!std::isfinite(numbers[i])) {
        throw ArgumentError(text(where, name, ": value ", i, " is ", numbers[i],
                                 ", expected a finite number; did the training diverge?"));
      }
    }
    const std::uint64_t begin = data.size();
    const auto append = [&data](const auto& stored) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(stored.data());
      data.insert(data.end(), bytes, bytes + stored.size() * sizeof(stored[0]));
    };
    if (precision == Precision::half) {
      append(halves_of(text(where, name, ": "), numbers));
    } else {
      append(numbers);
    }
    tensors[name] = {precision == Precision::half ? "F16" : dtype_of<Real>, std::move(shape), begin, data.size()};
  };
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Dense<Real>& layer = network.layer(i);
    add(weights_name(i), {layer.inputs(), layer.outputs()}, values(layer.weights));
    add(bias_name(i), {layer.outputs()}, values(layer.bias));
  }

  Metadata metadata = complete_metadata(where, network.architecture(), network.metadata);
  metadata[checksum_key] = checksum_of(metadata, tensors, data);
  json header{{metadata_key, metadata}};
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {tensor.begin, tensor.end}}};
  }
  std::string header_text = detail::to_json_text(where + "metadata: ", header);
  header_text.append((prefix_bytes - header_text.size() % prefix_bytes) % prefix_bytes, ' ');  // data on 8 bytes
  if (header_text.size() > largest_header) {
    throw ArgumentError(
        text(where, "metadata makes a header of ", header_text.size(), " bytes, expected at most ", largest_header));
  }
  const std::uint64_t header_bytes = header_text.size();
  std::vector<std::uint8_t> bytes(prefix_bytes + header_text.size() + data.size());
  std::memcpy(bytes.data(), &header_bytes, prefix_bytes);
  std::memcpy(bytes.data() + prefix_bytes, header_text.data(), header_text.size());
  std::memcpy(bytes.data() + prefix_bytes + header_text.size(), data.data(), data.size());
  return bytes;
}

}  // namespace

template <class Real>
void save_network(const Network<Real>& network, const std::filesystem::path& path, Precision precision) {
  const std::vector<std::uint8_t> bytes =
      write_network(text("save_network: ", path.string(), ": "), network, precision);
  detail::FileWriter writer("save_network", path);
  writer.write(bytes);
  writer.commit();
}

template <class Real>
Network<Real> load_network(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = detail::read_whole_file("load_network", path, largest_file);
  return read_network<Real>(text("load_network: ", path.string(), ": "), bytes);
}

template <class Real>
std::vector<std::uint8_t> network_to_bytes(const Network<Real>& network, Precision precision) {
  return write_network("network_to_bytes: ", network, precision);
}

template <class Real>
Network<Real> network_from_bytes(std::span<const std::uint8_t> bytes, const std::string& name) {
  return read_network<Real>(text("network_from_bytes: ", name, ": "), bytes);
}

template void save_network(const Network<float>&, const std::filesystem::path&, Precision);
template void save_network(const Network<double>&, const std::filesystem::path&, Precision);
template Network<float> load_network(const std::filesystem::path&);
template Network<double> load_network(const std::filesystem::path&);
template std::vector<std::uint8_t> network_to_bytes(const Network<float>&, Precision);
template std::vector<std::uint8_t> network_to_bytes(const Network<double>&, Precision);
template Network<float> network_from_bytes(std::span<const std::uint8_t>, const std::string&);
template Network<double> network_from_bytes(std::span<const std::uint8_t>, const std::string&);

}  // namespace digitnet
