// text_image.hpp: a grey image as lines of text, for the example programs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <span>
#include <string_view>

/// Two pixels above each other become one character: a character of a terminal is twice as high as wide.
inline void draw(std::ostream& out, std::span<const std::uint8_t> pixels, std::size_t rows, std::size_t columns) {
  constexpr std::string_view shades = " .:-=+*#%@";
  for (std::size_t y = 0; y < rows; y += 2) {
    for (std::size_t x = 0; x < columns; ++x) {
      const int upper = pixels[y * columns + x];
      const int lower = y + 1 < rows ? pixels[(y + 1) * columns + x] : upper;
      out << shades[static_cast<std::size_t>((upper + lower) / 2) * (shades.size() - 1) / 255];
    }
    out << '\n';
  }
}
