// What error.hpp promises: one base for all, messages kept, numbers written as numbers.
#include "catch.hpp"

#include <digitnet/error.hpp>

#include <type_traits>

using namespace digitnet;

TEST_CASE("error: everything thrown can be caught as Error, as runtime_error and as exception", "[error]") {
  STATIC_REQUIRE(std::is_base_of_v<std::runtime_error, Error>);
  STATIC_REQUIRE(std::is_base_of_v<Error, ShapeError>);
  STATIC_REQUIRE(std::is_base_of_v<Error, ArgumentError>);
  STATIC_REQUIRE(std::is_base_of_v<Error, FormatError>);
  STATIC_REQUIRE(std::is_base_of_v<Error, IoError>);
  CHECK_ERROR(throw ShapeError("a: b, expected c"), Error, "a: b, expected c");
  CHECK_ERROR(throw IoError("a: b, expected c"), std::runtime_error, "a: b, expected c");
}

TEST_CASE("error: the kinds are not kinds of each other", "[error]") {
  STATIC_REQUIRE_FALSE(std::is_base_of_v<ArgumentError, ShapeError>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<ShapeError, ArgumentError>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<IoError, FormatError>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<FormatError, IoError>);
}

TEST_CASE("text: parts of all kinds are written one after the other", "[error]") {
  CHECK(detail::text("layer ", 2, ": ", std::string("input"), " of ", 0.5, ", ", std::size_t{784}, '!') ==
        "layer 2: input of 0.5, 784!");
}

TEST_CASE("text: a number of one byte is a number, not a character", "[error]") {
  CHECK(detail::text(std::uint8_t{65}, " ", std::int8_t{-3}, " ", std::uint8_t{0}) == "65 -3 0");
}
