// strict_json.hpp: JSON from strangers. Internal.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace digitnet::detail {

/// Deepest nesting of objects and arrays that is read.
inline constexpr int deepest_json = 64;

/// Parses JSON; no key twice in an object, no nesting deeper than deepest_json, nothing behind the end.
/// @param prefix  start of the message of every error: "load_network: file: header: "
/// @throws FormatError  with the byte at which the text breaks a rule
nlohmann::json parse_json(const std::string& prefix, std::string_view text);

/// The text of a value: no spaces, keys in order, so the same value gives the same bytes.
/// @throws ArgumentError  if a string is not UTF-8
std::string to_json_text(const std::string& prefix, const nlohmann::json& value);

}  // namespace digitnet::detail
