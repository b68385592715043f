// What json_value.hpp promises: JSON that is put together to be written.
#include "catch.hpp"
#include "json_value.hpp"
#include "strict_json.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

using digitnet::detail::JsonValue;
using digitnet::detail::parse_json;

TEST_CASE("JsonValue: values of every kind, members in the order in which they came", "[json]") {
  JsonValue value{{"z", nullptr},
                  {"a", true},
                  {"whole", std::uint64_t{18446744073709551615u}},
                  {"negative", -3},
                  {"text", "a \"b\"\n\\"},
                  {"inner", {{"one", 1}}},
                  {"list", std::array{1, 2, 3}},
                  {"mixed", JsonValue::array()},
                  {"empty", std::array<double, 0>()},
                  {"nothing", JsonValue::object()}};
  for (const JsonValue& element : {JsonValue(1), JsonValue("four")}) value["mixed"].push_back(element);
  value["new"] = JsonValue::of_text("[{}, null]");
  value["z"] = false;
  CHECK(value.dump() ==
        R"({"z":false,"a":true,"whole":18446744073709551615,"negative":-3,"text":"a \"b\"\n\\","inner":{"one":1},)"
        R"("list":[1,2,3],"mixed":[1,"four"],"empty":[],"nothing":{},"new":[{}, null]})");
  CHECK(JsonValue().dump() == "null");
  CHECK(JsonValue(value).dump() == value.dump());
}

TEST_CASE("JsonValue: a number is read as the very number it was", "[json]") {
  for (const double number : {0.0, -0.0, 1.0, 0.1, 1.0 / 3, 1e-300, 5e-324, -1.7976931348623157e308, 2e22}) {
    CAPTURE(number);
    const auto read = parse_json("", JsonValue(number).dump()).get<double>();
    CHECK(read == number);
    CHECK(std::signbit(read) == std::signbit(number));
  }
  CHECK(JsonValue(2.0).dump() == "2.0");
  CHECK(JsonValue(std::numeric_limits<double>::infinity()).dump() == "null");
  CHECK(JsonValue(std::numeric_limits<double>::quiet_NaN()).dump() == "null");
}

TEST_CASE("JsonValue: what is not UTF-8 in a text, or in a name, is replaced", "[json]") {
  CHECK(JsonValue("\xff").dump() == "\"\xef\xbf\xbd\"");
  CHECK(JsonValue{{"\xc3", 1}}.dump() == "{\"\xef\xbf\xbd\":1}");
}

TEST_CASE("JsonValue: update puts members in place of those of their names", "[json]") {
  JsonValue value{{"a", 1}, {"b", 2}};
  value.update({{"b", 3}, {"c", 4}});
  CHECK(value.dump() == R"({"a":1,"b":3,"c":4})");
}

TEST_CASE("JsonValue: with an indent, each member of an object has a line of its own", "[json]") {
  const JsonValue value{{"a", {{"b", 1}, {"c", std::array{1.5, 2.0}}}}, {"d", JsonValue::object()}};
  CHECK(value.dump(2) == "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": [1.5,2.0]\n  },\n  \"d\": {}\n}");
}
