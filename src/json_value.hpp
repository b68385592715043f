// json_value.hpp: JSON that is put together to be written. Internal.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace digitnet::detail {

/// A value of JSON with those in it, in the order in which they were added: {{"epoch", 3}, {"sums", {{"loss", 0.5}}}}.
///
/// Where there is no memory, all of it throws std::bad_alloc and nothing else happens. A value of nlohmann::json cannot
/// do that: its destructor asks for memory, and null that is made an object by [] is left half made.
class JsonValue {
 public:
  struct Member;

  // Of what a value is made of, without a word more.
  JsonValue(std::nullptr_t = nullptr) : text_("null") {}
  JsonValue(bool value) : text_(value ? "true" : "false") {}
  template <std::integral Number>
  JsonValue(Number value) : text_(std::to_string(value)) {}
  JsonValue(double value);            ///< the shortest digits that are read as this number; null if it is not finite
  JsonValue(std::string_view value);  ///< a text; what is not UTF-8 in it is replaced
  JsonValue(const std::string& value) : JsonValue(std::string_view(value)) {}
  JsonValue(const char* value) : JsonValue(std::string_view(value)) {}
  JsonValue(std::initializer_list<Member> members);

  // A list of numbers, to which nothing can be added. Kept as its text, since there may be very many.
  template <class Number>
  JsonValue(const std::vector<Number>& numbers) : text_(text_of(numbers)) {}
  template <class Number, std::size_t size>
  JsonValue(const std::array<Number, size>& numbers) : text_(text_of(numbers)) {}

  static JsonValue object() { return JsonValue(Kind::object); }
  static JsonValue array() { return JsonValue(Kind::list); }

  /// A value that is JSON text already, as it is.
  static JsonValue of_text(std::string written);

  /// The member of this name, which is null if it was not there yet. Of an object.
  JsonValue& operator[](std::string_view key);

  /// Adds to a list that was made by array.
  void push_back(JsonValue value) { values_.push_back(std::move(value)); }

  /// Adds the members of another object, in place of those of their names.
  void update(const JsonValue& other);

  /// As text: in one line, or with each member of an object on a line of its own, this much further in than the object.
  std::string dump(std::size_t indent = 0) const;

 private:
  enum class Kind { scalar, list, object };

  explicit JsonValue(Kind kind) : kind_(kind) {}
  template <class Numbers>
  static std::string text_of(const Numbers& numbers) {
    std::string text = "[";
    for (const auto& number : numbers) text.append(text.size() > 1 ? "," : "").append(JsonValue(number).text_);
    return text += ']';
  }
  void append_to(std::string& text, std::size_t indent, std::size_t depth) const;

  Kind kind_ = Kind::scalar;
  std::string text_;               // of a scalar, or of a list of numbers
  std::vector<std::string> keys_;  // of an object, as many as values
  std::vector<JsonValue> values_;
};

struct JsonValue::Member {
  const char* key;
  JsonValue value;
};

}  // namespace digitnet::detail
