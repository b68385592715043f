#include <digitnet/serialization.hpp>

#include "architecture_json.hpp"
#include "byte_source.hpp"
#include "file_writer.hpp"
#include "half_precision.hpp"
#include "json_fields.hpp"
#include "safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

namespace digitnet {
namespace {

using detail::stored_at;
using detail::text;
using nlohmann::json;

/// Keys of the metadata that the format itself writes, from the network.
const std::set<std::string> format_keys{"format", "version", "architecture", detail::checksum_key};

std::string weights_name(std::size_t layer) { return text("layers.", layer, ".weights"); }
std::string bias_name(std::size_t layer) { return text("layers.", layer, ".bias"); }

/// Numbers of a file, of any of its types.
template <class Real>
void fill(const std::string& where, std::span<Real> target, const detail::TensorFile& file, const std::string& name) {
  const detail::TensorEntry& tensor = file.tensors().at(name);
  const std::uint8_t* bytes = file.bytes(tensor).data();
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (tensor.dtype == "F32") {
      target[i] = static_cast<Real>(stored_at<float>(bytes, i));
    } else if (tensor.dtype == "F64") {
      target[i] = static_cast<Real>(stored_at<double>(bytes, i));
    } else if (tensor.dtype == "F16") {
      target[i] = static_cast<Real>(detail::half_to_float(stored_at<std::uint16_t>(bytes, i)));
    } else {  // BF16: the upper half of a float
      const auto bits = static_cast<std::uint32_t>(stored_at<std::uint16_t>(bytes, i)) << 16;
      target[i] = static_cast<Real>(std::bit_cast<float>(bits));
    }
    if (!std::isfinite(target[i])) {
      throw FormatError(text(where, "tensor ", name, ": value ", i, " is ", target[i], ", expected a finite number"));
    }
  }
}

const std::vector<std::string> known_dtypes{"F16", "BF16", "F32", "F64"};

template <class Real>
Network<Real> read_network(const std::string& where, std::span<const std::uint8_t> bytes) {
  const detail::TensorFile file(where, bytes, known_dtypes);
  file.require_format("digitnet", model_format_version);
  file.require_gapless();
  const std::string in_architecture = where + "architecture: ";
  const Architecture architecture = detail::architecture_from_json(
      in_architecture, detail::parse_json(in_architecture, file.metadata("architecture")));

  // The shapes the architecture asks for, before a network of that size is made.
  const std::size_t layers = architecture.activations.size();
  if (file.tensors().size() != 2 * layers) {
    file.refuse(text(file.tensors().size(), " tensors, expected ", 2 * layers, " for ", layers, " layers"));
  }
  for (std::size_t i = 0; i < layers; ++i) {
    file.tensor(weights_name(i), {architecture.sizes[i], architecture.sizes[i + 1]}, "architecture");
    file.tensor(bias_name(i), {architecture.sizes[i + 1]}, "architecture");
  }
  file.require_checksum();

  Network<Real> network(architecture);
  for (std::size_t i = 0; i < layers; ++i) {
    fill(where, values(network.layer(i).weights), file, weights_name(i));
    fill(where, values(network.layer(i).bias), file, bias_name(i));
  }
  for (const auto& [key, value] : file.metadata()) {
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
  metadata["architecture"] = detail::architecture_to_json(architecture).dump();
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
    halves[i] = detail::float_to_half(numbers[i]);
    if ((halves[i] & 0x7fff) >= 31 * 1024) {
      throw ArgumentError(text(where, "value ", i, " is ", numbers[i],
                               ", expected at most 65504 in half precision; save it in full"));
    }
  }
  return halves;
}

template <class Real>
std::vector<std::uint8_t> write_network(const std::string& where, const Network<Real>& network, Precision precision) {
  detail::TensorWriter writer;
  const auto add = [&](const std::string& name, std::vector<std::uint64_t> shape, std::span<const Real> numbers) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (!std::isfinite(numbers[i])) {
        throw ArgumentError(text(where, name, ": value ", i, " is ", numbers[i],
                                 ", expected a finite number; did the training diverge?"));
      }
    }
    if (precision == Precision::half) {
      const std::vector<std::uint16_t> halves = halves_of(text(where, name, ": "), numbers);
      const auto bytes = std::as_bytes(std::span(halves));
      writer.add(name, "F16", std::move(shape), {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    } else {
      writer.add(name, std::move(shape), numbers);
    }
  };
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Dense<Real>& layer = network.layer(i);
    add(weights_name(i), {layer.inputs(), layer.outputs()}, values(layer.weights));
    add(bias_name(i), {layer.outputs()}, values(layer.bias));
  }
  return writer.finish(where, complete_metadata(where, network.architecture(), network.metadata));
}

}  // namespace

namespace detail {

JsonDocument architecture_to_json(const Architecture& architecture) {
  JsonDocument value(json::value_t::object);
  value["sizes"] = architecture.sizes;
  value["loss"] = name_of(architecture.loss);
  json& activations = value["activations"] = json::array();
  for (const Activation activation : architecture.activations) activations.push_back(name_of(activation));
  return value;
}

Architecture architecture_from_json(const std::string& where, const json& value) {
  const Fields fields(where, value);
  Architecture architecture;
  for (const std::uint64_t size : fields.wholes("sizes")) architecture.sizes.push_back(size);
  try {
    for (const std::string& name : fields.texts("activations")) {
      architecture.activations.push_back(activation_from_name(name));
    }
    architecture.loss = loss_from_name(fields.text("loss"));
    check_architecture(architecture);
  } catch (const ArgumentError& error) {
    throw FormatError(where + error.what());
  }
  fields.require_no_others();
  return architecture;
}

}  // namespace detail

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
  const std::string where = text("load_network: ", path.string(), ": ");
  const std::vector<std::uint8_t> bytes =
      detail::read_whole_file("load_network", path, detail::largest_tensor_file,
                              [&where](std::span<const std::uint8_t> beginning, std::uint64_t file_bytes) {
                                detail::TensorFile::check_beginning(where, beginning, file_bytes, known_dtypes);
                              });
  return read_network<Real>(where, bytes);
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
