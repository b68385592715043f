// What strict_json.hpp promises: JSON from strangers, with nothing let pass that two readers would read differently.
#include "catch.hpp"
#include "strict_json.hpp"

#include <digitnet/error.hpp>

using digitnet::ArgumentError;
using digitnet::FormatError;
using digitnet::detail::deepest_json;
using digitnet::detail::parse_json;
using digitnet::detail::to_json_text;

namespace {

std::string repeated(const std::string& part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

}  // namespace

TEST_CASE("parse_json: values of every kind", "[json]") {
  const auto value = parse_json("f: ", R"( {"a": [1, -2.5, true, null], "b": {"c": "\u00e4"}} )");
  CHECK(value["a"].size() == 4);
  CHECK(value["a"][1] == -2.5);
  CHECK(value["b"]["c"] == "\xc3\xa4");
  CHECK(parse_json("f: ", "18446744073709551615") == 18446744073709551615u);
}

TEST_CASE("parse_json: what breaks the rules is told with its byte", "[json][error]") {
  CHECK_ERROR(parse_json("f: ", "{\"a\": 1,}"), FormatError, "f: byte 8 is not as JSON should be");
  CHECK_ERROR(parse_json("f: ", ""), FormatError, "f: byte 0 is not as JSON should be");
  CHECK_ERROR(parse_json("f: ", R"({"a": 1} x)"), FormatError, "f: byte 9 is not");
  for (const char* text : {"{", "[1, 2", "{'a': 1}", "nul", "NaN", "Infinity", "01", "+1", "\"\x01\"", "\"\xff\"",
                           R"({"a"})", "[1] [2]", "/* no */ 1", R"("\ud800")"}) {
    CAPTURE(text);
    CHECK_ERROR(parse_json("f: ", text), FormatError, "is not as JSON should be");
  }
}

TEST_CASE("parse_json: a text cut at any byte is refused", "[json][error]") {
  const std::string whole = R"({"a": [1, -2.5e3, true, null], "b": {"c": "text"}})";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK_THROWS_AS(parse_json("f: ", whole.substr(0, length)), FormatError);
  }
}

TEST_CASE("parse_json: no key twice in one object, however it is written", "[json][error]") {
  CHECK_ERROR(parse_json("f: ", R"({"a": 1, "b": 2, "a": 3})"), FormatError,
              "f: the key \"a\" stands twice in one object");
  CHECK_ERROR(parse_json("f: ", R"([{"x": {"a": 1, "\u0061": 3}}])"), FormatError, "the key \"a\" stands twice");
  CHECK_NOTHROW(parse_json("f: ", R"({"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]})"));
}

TEST_CASE("parse_json: nesting up to the limit and no deeper", "[json][error]") {
  const auto arrays = [](int depth) { return repeated("[", depth) + repeated("]", depth); };
  const auto objects = [](int depth) { return repeated("{\"a\":", depth) + "1" + repeated("}", depth); };
  CHECK_NOTHROW(parse_json("f: ", arrays(deepest_json)));
  CHECK_NOTHROW(parse_json("f: ", objects(deepest_json)));
  CHECK_ERROR(parse_json("f: ", arrays(deepest_json + 1)), FormatError, "f: nested deeper than 64 levels");
  CHECK_ERROR(parse_json("f: ", objects(deepest_json + 1)), FormatError, "f: nested deeper than 64 levels");
  CHECK_ERROR(parse_json("f: ", repeated("[", 1000000)), FormatError, "f: nested deeper than 64 levels");
}

TEST_CASE("parse_json: a number that no double holds is refused", "[json][error]") {
  CHECK_ERROR(parse_json("f: ", "[1e999]"), FormatError, "f: a number out of range");
  CHECK_ERROR(parse_json("f: ", "[-1e999]"), FormatError, "f: a number out of range");
  CHECK_NOTHROW(parse_json("f: ", "[1e-999]"));
}

TEST_CASE("parse_json: a message is of one line, whatever the key", "[json][error]") {
  CHECK_ERROR(parse_json("f: ", R"({"a\nb": 1, "a\nb": 2})"), FormatError, "stands twice");
}

TEST_CASE("to_json_text: no spaces, keys in order", "[json]") {
  nlohmann::json value;
  value["b"] = {1, 2.5, "x"};
  value["a"] = nullptr;
  CHECK(to_json_text("f: ", value) == R"({"a":null,"b":[1,2.5,"x"]})");
  CHECK(parse_json("f: ", to_json_text("f: ", value)) == value);
}

TEST_CASE("to_json_text: a text that is not UTF-8 is refused", "[json][error]") {
  CHECK_ERROR(to_json_text("f: ", nlohmann::json("\xff")), ArgumentError, "f: a text that is not UTF-8");
}
