#include "strict_json.hpp"

#include <digitnet/error.hpp>

#include <set>
#include <vector>

namespace digitnet::detail {

nlohmann::json parse_json(const std::string& prefix, std::string_view json_text) {
  // The parser takes a zero byte for the end of the text and would pass over whatever is behind it.
  if (const std::size_t zero = json_text.find('\0'); zero != json_text.npos) {
    throw FormatError(text(prefix, "byte ", zero, " is not as JSON should be"));
  }
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> keys;  // of each object that is open
  const auto check = [&](int depth, Event event, nlohmann::json& parsed) {
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= deepest_json) throw FormatError(text(prefix, "nested deeper than ", deepest_json, " levels"));
      if (event == Event::object_start) keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw FormatError(
          text(prefix, "the key \"", shortened(parsed.get<std::string>()), "\" stands twice in one object"));
    }
    return true;
  };
  try {
    return nlohmann::json::parse(json_text.begin(), json_text.end(), check);
  } catch (const nlohmann::json::parse_error& error) {
    throw FormatError(text(prefix, "byte ", error.byte == 0 ? 0 : error.byte - 1, " is not as JSON should be"));
  } catch (const nlohmann::json::exception&) {  // a number too large for a double
    throw FormatError(text(prefix, "a number out of range"));
  }
}

std::string to_json_text(const std::string& prefix, const nlohmann::json& value) {
  try {
    return value.dump();
  } catch (const nlohmann::json::exception&) {
    throw ArgumentError(prefix + "a text that is not UTF-8");
  }
}

}  // namespace digitnet::detail
