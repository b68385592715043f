// architecture_json.hpp: an architecture as JSON, in model files and runs. Internal.
#pragma once

#include "strict_json.hpp"

#include <digitnet/network.hpp>

#include <string>

namespace digitnet::detail {

JsonDocument architecture_to_json(const Architecture& architecture);

/// @param where  start of every message
/// @throws FormatError  if it is not one that check_architecture lets pass
Architecture architecture_from_json(const std::string& where, const nlohmann::json& value);

}  // namespace digitnet::detail
