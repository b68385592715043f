// pictures.hpp: pictures drawn, packed and measured, for tests.
#pragma once

#include "bytes.hpp"

#include <digitnet/preprocess.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace digitnet::test {

inline const std::filesystem::path images_folder = std::filesystem::path(DIGITNET_TEST_DATA) / "images";

inline Bytes big_endian(std::size_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

inline Bytes png_chunk(const char* type, const Bytes& content) {
  const Bytes checked = joined({bytes_of(type), content});
  const uLong checksum = crc32(0, checked.data(), static_cast<uInt>(checked.size()));
  return joined({big_endian(content.size()), checked, big_endian(checksum)});
}

/// The beginning of a PNG file: signature and sizes, eight bits a channel.
inline Bytes png_header(std::size_t width, std::size_t height, std::size_t channels) {
  constexpr std::uint8_t colour_types[]{0, 0, 4, 2, 6};
  return joined(
      {bytes_of("\x89PNG\r\n\x1a\n"),
       png_chunk("IHDR", joined({big_endian(width), big_endian(height), {8, colour_types[channels], 0, 0, 0}}))});
}

inline Bytes png(const Picture& picture) {
  Bytes lines;
  const std::size_t length = picture.width * picture.channels;
  for (std::size_t y = 0; y < picture.height; ++y) {
    lines.push_back(0);  // no filter
    const auto first = picture.pixels.begin() + static_cast<std::ptrdiff_t>(y * length);
    lines.insert(lines.end(), first, first + static_cast<std::ptrdiff_t>(length));
  }
  uLongf size = compressBound(lines.size());
  Bytes packed(size);
  compress(packed.data(), &size, lines.data(), lines.size());
  packed.resize(size);
  return joined({png_header(picture.width, picture.height, picture.channels), png_chunk("IDAT", packed),
                 png_chunk("IEND", {})});
}

inline Bytes pgm(std::size_t width, std::size_t height, const Bytes& pixels) {
  return joined({bytes_of(detail::text("P5\n", width, " ", height, "\n255\n")), pixels});
}

/// Ink of a figure like a 7 of bars 60 wide and 90 high, somewhere on a larger sheet.
inline Matrix<float> figure(std::size_t height = 150, std::size_t width = 200, std::size_t top = 20,
                            std::size_t left = 70) {
  Matrix<float> ink = zeros<float>({height, width});
  for (std::size_t y = 0; y < 90; ++y) {
    for (std::size_t x = 0; x < 60; ++x) {
      if (y < 12 || x >= 45) ink(top + y, left + x) = 1;
    }
  }
  return ink;
}

/// A grey picture: ink black on white, or white on black.
inline Picture painted(const Matrix<float>& ink, bool black_on_white) {
  Picture picture{ink.shape(1), ink.shape(0), 1, {}};
  for (const float value : values(ink)) {
    picture.pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * (black_on_white ? 1 - value : value))));
  }
  return picture;
}

/// The same grey in more channels; `alpha` fills the last of 2 or 4.
inline Picture with_channels(const Picture& grey, std::size_t channels, std::uint8_t alpha = 255) {
  Picture picture{grey.width, grey.height, channels, {}};
  for (const std::uint8_t value : grey.pixels) {
    for (std::size_t c = 0; c < channels; ++c) {
      picture.pixels.push_back(c + 1 == channels && channels % 2 == 0 ? alpha : value);
    }
  }
  return picture;
}

/// Each pixel as `factor` times `factor` equal ones.
inline Matrix<float> enlarged(const Matrix<float>& ink, std::size_t factor) {
  Matrix<float> large = zeros<float>({ink.shape(0) * factor, ink.shape(1) * factor});
  for (std::size_t y = 0; y < large.shape(0); ++y) {
    for (std::size_t x = 0; x < large.shape(1); ++x) large(y, x) = ink(y / factor, x / factor);
  }
  return large;
}

struct Measured {
  double mass = 0;                    ///< in pixels of full ink
  double x = 0, y = 0;                ///< centre of mass; 14 is the middle
  std::size_t width = 0, height = 0;  ///< of the box of all that is not 0
};

inline Measured measure(const MnistImage& image) {
  Measured result;
  std::size_t left = mnist_side, right = 0, top = mnist_side, bottom = 0;
  for (std::size_t y = 0; y < mnist_side; ++y) {
    for (std::size_t x = 0; x < mnist_side; ++x) {
      const double value = image[y * mnist_side + x] / 255.0;
      if (value <= 0) continue;
      result.mass += value;
      result.x += value * (static_cast<double>(x) + 0.5);
      result.y += value * (static_cast<double>(y) + 0.5);
      left = std::min(left, x), right = std::max(right, x + 1);
      top = std::min(top, y), bottom = std::max(bottom, y + 1);
    }
  }
  if (result.mass > 0) {
    result.x /= result.mass;
    result.y /= result.mass;
    result.width = right - left;
    result.height = bottom - top;
  }
  return result;
}

inline int largest_difference(const MnistImage& a, const MnistImage& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(int{a[i]} - int{b[i]}));
  return largest;
}

/// Mean over the pixels of the difference, 255 for the most there can be.
inline double mean_difference(const MnistImage& a, const MnistImage& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum / static_cast<double>(a.size());
}

inline bool is_blank(const MnistImage& image) { return image == MnistImage{}; }

}  // namespace digitnet::test
