// model_file.hpp: model files put together by hand, right or wrong, from docs/file-format.md.
#pragma once

#include "sha256.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace digitnet::test {

/// The parts of a model file. Change what should be wrong, then ask for bytes(): the checksum fits whatever
/// is there, unless metadata["checksum"] is given.
struct ModelFile {
  struct Tensor {
    std::string name;
    std::string dtype;
    std::vector<std::uint64_t> shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  std::map<std::string, std::string> metadata{
      {"format", "digitnet"},
      {"version", "1"},
      {"architecture", R"({"activations":["relu","softmax"],"loss":"softmax_cross_entropy","sizes":[2,3,2]})"}};
  std::vector<Tensor> tensors;
  std::vector<std::uint8_t> data;

  /// Adds a tensor behind the others.
  template <class Number>
  void add(const std::string& name, const std::string& dtype, std::vector<std::uint64_t> shape,
           const std::vector<Number>& numbers) {
    const std::uint64_t begin = data.size();
    for (const Number number : numbers) {
      const auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof(Number)>>(number);
      data.insert(data.end(), bytes.begin(), bytes.end());
    }
    tensors.push_back({name, dtype, std::move(shape), begin, data.size()});
  }

  Tensor& tensor(const std::string& name) {
    for (Tensor& each : tensors) {
      if (each.name == name) return each;
    }
    throw std::out_of_range("ModelFile: no tensor " + name);
  }

  std::string checksum() const {
    std::map<std::string, Tensor> sorted;
    for (const Tensor& each : tensors) sorted[each.name] = each;
    std::string covered;
    for (const auto& [key, value] : metadata) {
      if (key == "checksum") continue;
      covered.append(key).push_back('\0');
      covered.append(value).push_back('\0');
    }
    for (const auto& [name, each] : sorted) {
      covered += name + '\0' + each.dtype + '\0';
      for (const std::uint64_t extent : each.shape) covered += std::to_string(extent) + '\0';
      for (std::uint64_t at = each.begin; at < each.end && at < data.size(); ++at) {
        covered += static_cast<char>(data[at]);
      }
    }
    detail::Sha256 sum;
    sum.update({reinterpret_cast<const std::uint8_t*>(covered.data()), covered.size()});
    return "sha256:" + sum.finish();
  }

  /// Every metadata pair as a JSON member, and the checksum.
  std::string metadata_text() const {
    std::string text;
    for (const auto& [key, value] : metadata) text += quoted(key) + ": " + quoted(value) + ", ";
    return metadata.contains("checksum") ? text.substr(0, text.size() - 2)
                                         : text + R"("checksum": ")" + checksum() + '"';
  }

  /// One tensor as a JSON member.
  static std::string tensor_text(const Tensor& tensor) {
    std::string shape;
    for (const std::uint64_t extent : tensor.shape) shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
    return quoted(tensor.name) + R"(: {"dtype": )" + quoted(tensor.dtype) + R"(, "shape": [)" + shape +
           R"(], "data_offsets": [)" + std::to_string(tensor.begin) + ", " + std::to_string(tensor.end) + "]}";
  }

  std::string header() const {
    std::string text = R"({"__metadata__": {)" + metadata_text() + "}";
    for (const Tensor& each : tensors) text += ", " + tensor_text(each);
    return text + "}";
  }

  std::vector<std::uint8_t> bytes() const { return with_header(header()); }

  /// The file with another text for a header.
  std::vector<std::uint8_t> with_header(std::string_view text) const {
    const auto length = std::bit_cast<std::array<std::uint8_t, 8>>(static_cast<std::uint64_t>(text.size()));
    std::vector<std::uint8_t> file(length.size() + text.size() + data.size());
    auto end = std::copy(length.begin(), length.end(), file.begin());
    end = std::copy(text.begin(), text.end(), end);
    std::copy(data.begin(), data.end(), end);
    return file;
  }

  static std::string quoted(const std::string& text) {
    std::string json = "\"";
    for (const char character : text) {
      if (character == '"' || character == '\\') json += '\\';
      if (const auto code = static_cast<unsigned char>(character); code < 0x20) {
        json += "\\u00";
        for (const int digit : {code / 16, code % 16}) json += "0123456789abcdef"[digit];
      } else {
        json += character;
      }
    }
    return json + '"';
  }
};

/// 2-3-2 of F32: weights 1, 2, 3 ... and biases 0.5, 1.5 ...
inline ModelFile small_model() {
  ModelFile file;
  file.add<float>("layers.0.weights", "F32", {2, 3}, {1, 2, 3, 4, 5, 6});
  file.add<float>("layers.0.bias", "F32", {3}, {0.5F, 1.5F, 2.5F});
  file.add<float>("layers.1.weights", "F32", {3, 2}, {1, 2, 3, 4, 5, 6});
  file.add<float>("layers.1.bias", "F32", {2}, {0.5F, 1.5F});
  return file;
}

}  // namespace digitnet::test
