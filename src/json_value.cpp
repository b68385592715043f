#include "json_value.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace digitnet::detail {
namespace {

using nlohmann::json;

// Texts and numbers alone are safe with nlohmann::json: they hold nothing that its destructor would ask memory for.

std::string in_quotes(std::string_view words) {
  return json(std::string(words)).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

JsonValue::JsonValue(double value) : text_(json(value).dump()) {}

JsonValue::JsonValue(std::string_view value) : text_(in_quotes(value)) {}

JsonValue::JsonValue(std::initializer_list<Member> members) : kind_(Kind::object) {
  keys_.reserve(members.size());
  values_.reserve(members.size());
  for (const Member& member : members) (*this)[member.key] = member.value;
}

JsonValue JsonValue::of_text(std::string written) {
  JsonValue value;
  value.text_ = std::move(written);
  return value;
}

JsonValue& JsonValue::operator[](std::string_view key) {
  if (const auto found = std::ranges::find(keys_, key); found != keys_.end()) {
    return values_[static_cast<std::size_t>(found - keys_.begin())];
  }
  values_.emplace_back();
  try {
    keys_.emplace_back(key);
  } catch (...) {
    values_.pop_back();
    throw;
  }
  return values_.back();
}

void JsonValue::update(const JsonValue& other) {
  for (std::size_t i = 0; i < other.keys_.size(); ++i) (*this)[other.keys_[i]] = other.values_[i];
}

std::string JsonValue::dump(std::size_t indent) const {
  std::string text;
  append_to(text, indent, 0);
  return text;
}

void JsonValue::append_to(std::string& text, std::size_t indent, std::size_t depth) const {
  if (kind_ == Kind::scalar) {
    text += text_;
    return;
  }
  const bool in_lines = kind_ == Kind::object && indent > 0 && !values_.empty();
  const auto next_line = [&text, indent](std::size_t deep) { text.append("\n").append(indent * deep, ' '); };
  text += kind_ == Kind::list ? '[' : '{';
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (i > 0) text += ',';
    if (in_lines) next_line(depth + 1);
    if (kind_ == Kind::object) text.append(in_quotes(keys_[i])).append(indent > 0 ? ": " : ":");
    values_[i].append_to(text, indent, depth + 1);
  }
  if (in_lines) next_line(depth);
  text += kind_ == Kind::list ? ']' : '}';
}

}  // namespace digitnet::detail
