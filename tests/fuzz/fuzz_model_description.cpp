// The bytes are the architecture of a model, JSON within the header of a model file. The tensors and the checksum
// around it are those that it asks for, so that it is the only thing that may be wrong.
#include "../support/model_file.hpp"
#include "networks.hpp"

#include <nlohmann/json.hpp>

using namespace digitnet;
using namespace digitnet::fuzz;

namespace {

constexpr std::uint64_t most_numbers = 4096;  // of one tensor; larger networks are made in the tests

/// The sizes in a description, if they are those of a small network.
std::vector<std::uint64_t> small_sizes(std::string_view description) {
  const nlohmann::json value = nlohmann::json::parse(description, nullptr, false);
  if (!value.is_object() || !value.contains("sizes") || !value["sizes"].is_array()) return {};
  std::vector<std::uint64_t> sizes;
  for (const nlohmann::json& size : value["sizes"]) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > most_numbers) return {};
    if (!sizes.empty() && sizes.back() * size.get<std::uint64_t>() > most_numbers) return {};
    sizes.push_back(size.get<std::uint64_t>());
  }
  return sizes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string description(reinterpret_cast<const char*>(data), size);
  test::ModelFile file;
  file.metadata["architecture"] = description;
  const std::vector<std::uint64_t> sizes = small_sizes(description);
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    const std::string layer = "layers." + std::to_string(i);
    file.add<float>(layer + ".weights", "F32", {sizes[i], sizes[i + 1]},
                    std::vector<float>(sizes[i] * sizes[i + 1], 0.5F));
    file.add<float>(layer + ".bias", "F32", {sizes[i + 1]}, std::vector<float>(sizes[i + 1], -1.0F));
  }
  load_save_load<float>(file.bytes());
  return 0;
}
