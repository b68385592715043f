// catch.hpp: Catch2, version 2 or 3, and the checks that digitnet's tests share.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // Catch2 2 has it outside of a namespace
#else
#include <catch2/catch.hpp>
#endif

#include <string>
#include <typeinfo>

namespace digitnet::test {

/// "" for a message of one line that contains `part`, else what is wrong with it.
std::string wrong_with(const std::string& message, const std::string& part);

/// What an expression does when it should throw an Expected whose message contains `part`: "" if it does,
/// else what it did instead.
template <class Expected, class Expression>
std::string thrown_instead(Expression&& expression, const std::string& part) {
  try {
    expression();
  } catch (const Expected& error) {
    return wrong_with(error.what(), part);
  } catch (const std::exception& error) {
    return std::string("another type, ") + typeid(error).name() + ": " + error.what();
  }
  return "nothing";
}

}  // namespace digitnet::test

/// Checks that an expression throws an error of a type, with a message of one line that contains `part`.
#define CHECK_ERROR(expression, Type, part) \
  CHECK(digitnet::test::thrown_instead<Type>([&] { static_cast<void>(expression); }, part) == "")
