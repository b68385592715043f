#include "json_fields.hpp"

#include <digitnet/error.hpp>

namespace digitnet::detail {

using nlohmann::json;

Fields::Fields(std::string where, const json& value) : where_(std::move(where)), value_(value) {
  if (!value.is_object()) throw FormatError(where_ + "not a JSON object");
}

void Fields::refuse(const char* key, const std::string& what) const {
  throw FormatError(detail::text(where_, "\"", key, "\" ", what));
}

const json& Fields::member(const char* key, bool (json::*is)() const noexcept, const char* type) const {
  asked_.insert(key);
  const auto found = value_.find(key);
  if (found == value_.end()) throw FormatError(detail::text(where_, "no \"", key, "\", expected ", type));
  if (!((*found).*is)()) refuse(key, detail::text("is of another type, expected ", type));
  return *found;
}

const json& Fields::any(const char* key) const {
  asked_.insert(key);
  const auto found = value_.find(key);
  if (found == value_.end()) throw FormatError(detail::text(where_, "no \"", key, "\""));
  return *found;
}

bool Fields::is_null(const char* key) const { return any(key).is_null(); }

bool Fields::is_text(const char* key) const { return any(key).is_string(); }

std::string Fields::text(const char* key) const { return member(key, &json::is_string, "a name").get<std::string>(); }

bool Fields::truth(const char* key) const { return member(key, &json::is_boolean, "true or false").get<bool>(); }

double Fields::number(const char* key) const { return member(key, &json::is_number, "a number").get<double>(); }

std::uint64_t Fields::whole(const char* key) const {
  return member(key, &json::is_number_unsigned, "a whole number of at least 0").get<std::uint64_t>();
}

std::vector<double> Fields::numbers(const char* key) const {
  std::vector<double> numbers;
  for (const json& value : member(key, &json::is_array, "a list of numbers")) {
    if (!value.is_number()) refuse(key, "holds something else than numbers");
    numbers.push_back(value.get<double>());
  }
  return numbers;
}

std::vector<std::uint64_t> Fields::wholes(const char* key) const {
  std::vector<std::uint64_t> numbers;
  for (const json& value : member(key, &json::is_array, "a list of whole numbers")) {
    if (!value.is_number_unsigned()) refuse(key, "holds something else than whole numbers");
    numbers.push_back(value.get<std::uint64_t>());
  }
  return numbers;
}

std::vector<std::string> Fields::texts(const char* key) const {
  std::vector<std::string> texts;
  for (const json& value : member(key, &json::is_array, "a list of names")) {
    if (!value.is_string()) refuse(key, "holds something else than names");
    texts.push_back(value.get<std::string>());
  }
  return texts;
}

const json& Fields::object(const char* key) const { return member(key, &json::is_object, "an object"); }

const json& Fields::array(const char* key) const { return member(key, &json::is_array, "a list"); }

Fields Fields::fields(const char* key) const { return {detail::text(where_, "\"", key, "\": "), object(key)}; }

std::vector<Fields> Fields::objects(const char* key) const {
  std::vector<Fields> objects;
  for (const json& value : array(key)) {
    objects.emplace_back(detail::text(where_, "\"", key, "\"[", objects.size(), "]: "), value);
  }
  return objects;
}

void Fields::require_no_others() const {
  for (const auto& [key, value] : value_.items()) {
    if (!asked_.contains(key)) throw FormatError(detail::text(where_, "an unknown member \"", shortened(key), "\""));
  }
}

}  // namespace digitnet::detail
