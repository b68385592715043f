// strict_json.hpp: JSON from strangers. Internal.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace digitnet::detail {

/// Deepest nesting of objects and arrays that is read.
inline constexpr int deepest_json = 64;

/// JSON that goes without asking for memory.
///
/// The destructor of nlohmann::json puts what a list or object holds on a list of its own first, and as no destructor
/// may throw, the program ends where there is no memory for that. So values that have values in them belong in one of
/// these. Add to it by assignment, `document["sizes"] = sizes`, not with a list in braces, whose parts are destroyed,
/// and only to what is an object or a list already: null made one by [] would be half made without memory.
class JsonDocument : public nlohmann::json {
 public:
  explicit JsonDocument(value_t kind) : nlohmann::json(kind) {}
  JsonDocument(JsonDocument&& other) noexcept = default;
  JsonDocument& operator=(JsonDocument&& other) = delete;
  ~JsonDocument() { empty(*this); }

 private:
  static void empty(nlohmann::json& value) noexcept;
};

/// Parses JSON; no key twice in an object, no nesting deeper than deepest_json, nothing behind the end.
/// @param prefix  start of the message of every error: "load_network: file: header: "
/// @throws FormatError  with the byte at which the text breaks a rule
JsonDocument parse_json(const std::string& prefix, std::string_view text);

/// The text of a value: no spaces, keys in order, so the same value gives the same bytes.
/// @throws ArgumentError  if a string is not UTF-8
std::string to_json_text(const std::string& prefix, const nlohmann::json& value);

}  // namespace digitnet::detail
