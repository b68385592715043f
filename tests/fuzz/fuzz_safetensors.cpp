// The bytes are a model file; and, since a fuzzer never finds a SHA-256, the same once more with the checksum that
// its content has, computed here from docs/file-format.md.
#include "../support/model_file.hpp"
#include "networks.hpp"

#include <nlohmann/json.hpp>

using namespace digitnet;
using namespace digitnet::fuzz;

namespace {

/// Whole numbers only: nlohmann::json would cast others, also those that no whole number holds.
std::uint64_t whole(const nlohmann::json& value) {
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

/// The file with its checksum put right; nothing if it has no header in which one could stand.
std::optional<Bytes> with_right_checksum(const Bytes& bytes) {
  if (bytes.size() < 8) return std::nullopt;
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > bytes.size() - 8) return std::nullopt;
  const auto data_begin = bytes.begin() + static_cast<std::ptrdiff_t>(8 + length);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, length);
  nlohmann::json header = nlohmann::json::parse(text, nullptr, false);
  if (!header.is_object() || !header.contains("__metadata__")) return std::nullopt;
  test::ModelFile file;
  file.metadata.clear();
  file.data.assign(data_begin, bytes.end());
  try {
    for (const auto& [key, value] : header["__metadata__"].items()) file.metadata[key] = value.get<std::string>();
    file.metadata.erase("checksum");
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      auto& tensor = file.tensors.emplace_back();
      tensor.name = name;
      tensor.dtype = entry.at("dtype").get<std::string>();
      for (const nlohmann::json& extent : entry.at("shape")) tensor.shape.push_back(whole(extent));
      tensor.begin = whole(entry.at("data_offsets").at(0));
      tensor.end = whole(entry.at("data_offsets").at(1));
    }
    header["__metadata__"]["checksum"] = file.checksum();
    return file.with_header(header.dump());
  } catch (const nlohmann::json::exception&) {  // something of another type, or no UTF-8
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, data + size);
  if (load_save_load<float>(bytes)) {
    load_save_load<double>(bytes);
  } else if (const auto repaired = with_right_checksum(bytes); repaired && load_save_load<float>(*repaired)) {
    load_save_load<double>(*repaired);
  }
  return 0;
}
