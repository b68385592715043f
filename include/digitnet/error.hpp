// error.hpp: what can go wrong, and how it is said.
#pragma once

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace digitnet {

/// Base of everything digitnet throws. The message is one line:
/// where: what was found, expected what; a hint if there is a likely cause.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Arrays whose shapes do not fit together. In Python also a ValueError.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An argument outside its range, or an unknown name. In Python also a ValueError.
class ArgumentError : public Error {
 public:
  using Error::Error;
};

/// A file whose content breaks the rules of its format. In Python also a ValueError.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused: no such file, no permission, disk full. In Python also an OSError.
class IoError : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// All parts written one after the other; numbers of one byte as numbers, not as characters.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // or it would go on without what it had no memory for
  const auto write = [&out](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, std::uint8_t> || std::is_same_v<Part, std::int8_t>) {
      out << static_cast<int>(part);
    } else {
      out << part;
    }
  };
  (write(parts), ...);
  return out.str();
}

/// A name from outside as a message can show it: at most 40 bytes of UTF-8, no character cut in two, and "?"
/// for control characters, so that the message stays one line.
inline std::string shortened(std::string_view name) {
  const auto byte = [name](std::size_t i) { return static_cast<unsigned char>(name[i]); };
  std::size_t size = std::min<std::size_t>(name.size(), 40);
  while (size > 0 && size < name.size() && (byte(size) & 0xC0) == 0x80) --size;  // inside a character
  std::string shown(name.substr(0, size));
  for (char& character : shown) {
    if (static_cast<unsigned char>(character) < 0x20 || character == 0x7f) character = '?';
  }
  return shown;
}

}  // namespace detail
}  // namespace digitnet
