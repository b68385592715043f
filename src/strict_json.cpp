#include "strict_json.hpp"

#include <digitnet/error.hpp>

#include <utility>
#include <vector>

namespace digitnet::detail {
namespace {

using nlohmann::json;

/// Puts a document together from what the parser finds, and refuses what is strict about it.
class DocumentParser : public nlohmann::json_sax<json> {
 public:
  DocumentParser(const std::string& prefix, json& document) : prefix_(prefix), document_(document) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // there is none in JSON text

  bool start_object(std::size_t) override { return enter(json::value_t::object); }
  bool start_array(std::size_t) override { return enter(json::value_t::array); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }

  bool key(std::string& name) override {
    const auto [member, is_new] = open_.back()->get_ref<json::object_t&>().try_emplace(name);
    if (!is_new) throw FormatError(text(prefix_, "the key \"", shortened(name), "\" stands twice in one object"));
    member_ = &member->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    if (const auto* const syntax = dynamic_cast<const json::parse_error*>(&error)) {
      throw FormatError(
          text(prefix_, "byte ", syntax->byte == 0 ? 0 : syntax->byte - 1, " is not as JSON should be"));
    }
    throw FormatError(prefix_ + "a number out of range");  // too large for a double
  }

 private:
  /// The place of the next value.
  json& next() {
    if (open_.empty()) return document_;
    if (open_.back()->is_object()) return *member_;
    return open_.back()->get_ref<json::array_t&>().emplace_back();
  }

  bool add(json value) {
    next() = std::move(value);
    return true;
  }

  bool enter(json::value_t kind) {
    if (open_.size() >= deepest_json)
      throw FormatError(text(prefix_, "nested deeper than ", deepest_json, " levels"));
    json& value = next();
    value = json(kind);
    open_.push_back(&value);
    return true;
  }

  bool leave() {
    open_.pop_back();
    return true;
  }

  const std::string& prefix_;
  json& document_;
  std::vector<json*> open_;  // lists and objects, from the outermost; what they are in does not move meanwhile
  json* member_ = nullptr;   // of the innermost object, whose key was read last
};

}  // namespace

void JsonDocument::empty(json& value) noexcept {
  if (value.is_array()) {
    for (json& element : value.get_ref<json::array_t&>()) empty(element);
    value.get_ref<json::array_t&>().clear();
  } else if (value.is_object()) {
    for (auto& [name, member] : value.get_ref<json::object_t&>()) empty(member);
    value.get_ref<json::object_t&>().clear();
  }
}

JsonDocument parse_json(const std::string& prefix, std::string_view json_text) {
  // The parser takes a zero byte for the end of the text and would pass over whatever is behind it.
  if (const std::size_t zero = json_text.find('\0'); zero != json_text.npos) {
    throw FormatError(text(prefix, "byte ", zero, " is not as JSON should be"));
  }
  JsonDocument document(json::value_t::null);
  DocumentParser parser(prefix, document);
  json::sax_parse(json_text.begin(), json_text.end(), &parser);
  return document;
}

std::string to_json_text(const std::string& prefix, const json& value) {
  try {
    return value.dump();
  } catch (const json::exception&) {
    throw ArgumentError(prefix + "a text that is not UTF-8");
  }
}

}  // namespace digitnet::detail
