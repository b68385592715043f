#include "catch.hpp"

namespace digitnet::test {

std::string wrong_with(const std::string& message, const std::string& part) {
  if (message.find('\n') != std::string::npos) return "a message of more than one line: " + message;
  return message.find(part) != std::string::npos ? "" : "the message: " + message;
}

}  // namespace digitnet::test
