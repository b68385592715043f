#include "picture_signal.hpp"

#include "dispatch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

// Whole numbers wherever it matters, and no fused multiply-add (see CMakeLists.txt): the same bytes everywhere.

namespace digitnet::detail {
namespace {

/// Colours are judged by at most about this many pixels, spread over the picture.
constexpr std::size_t most_samples = 1024;

using Histogram = std::array<std::uint32_t, 256>;

struct Colour {
  int red = 0, green = 0, blue = 0, alpha = 255;
};

Colour colour_at(const Picture& picture, std::size_t x, std::size_t y) {
  const std::uint8_t* pixel = &picture.pixels[(y * picture.width + x) * picture.channels];
  switch (picture.channels) {
    case 1: return {pixel[0], pixel[0], pixel[0], 255};
    case 2: return {pixel[0], pixel[0], pixel[0], pixel[1]};
    case 3: return {pixel[0], pixel[1], pixel[2], 255};
    default: return {pixel[0], pixel[1], pixel[2], pixel[3]};
  }
}

struct Samples {
  std::vector<Colour> colours;
  std::vector<Colour> border;
};

/// Pixels on a grid of which each line is moved a little, so that no straight line falls between all of them.
Samples samples_of(const Picture& picture) {
  Samples samples;
  std::size_t step = 1;
  while ((picture.width / step + 1) * (picture.height / step + 1) > most_samples) ++step;
  samples.colours.reserve(most_samples);
  std::size_t shift = 0;
  for (std::size_t y = step / 2; y < picture.height; y += step) {
    for (std::size_t x = shift % step; x < picture.width; x += step) {
      samples.colours.push_back(colour_at(picture, x, y));
    }
    shift += 3 * step / 8 + 1;
  }
  const std::size_t along = std::max<std::size_t>(1, (picture.width + picture.height) / 256);
  for (std::size_t x = 0; x < picture.width; x += along) {
    samples.border.push_back(colour_at(picture, x, 0));
    samples.border.push_back(colour_at(picture, x, picture.height - 1));
  }
  for (std::size_t y = 0; y < picture.height; y += along) {
    samples.border.push_back(colour_at(picture, 0, y));
    samples.border.push_back(colour_at(picture, picture.width - 1, y));
  }
  return samples;
}

/// The middle value of each channel, over the colours that are opaque enough.
Colour median_colour(const std::vector<Colour>& colours, int least_alpha) {
  std::array<Histogram, 3> counts{};
  std::uint32_t total = 0;
  for (const Colour& colour : colours) {
    if (colour.alpha < least_alpha) continue;
    ++counts[0][static_cast<std::size_t>(colour.red)];
    ++counts[1][static_cast<std::size_t>(colour.green)];
    ++counts[2][static_cast<std::size_t>(colour.blue)];
    ++total;
  }
  const auto middle = [total](const Histogram& count) {
    std::uint32_t below = 0;
    int value = 0;
    while (value < 255 && (below += count[static_cast<std::size_t>(value)]) * 2 <= total) ++value;
    return value;
  };
  return {middle(counts[0]), middle(counts[1]), middle(counts[2]), 255};
}

/// What alpha means in a picture.
struct Transparency {
  bool drawn_in_alpha = false;  ///< alpha alone is the drawing
  bool opaque = true;
  Colour behind{255, 255, 255, 255};  ///< otherwise: what is to be seen where it is transparent
};

bool is_opaque(const Picture& picture) {
  const std::size_t line = picture.width * picture.channels;
  std::vector<std::uint8_t> all(line, 255);
  for (std::size_t y = 0; y < picture.height; ++y) {
    const std::uint8_t* from = &picture.pixels[y * line];
    std::uint8_t* to = all.data();
    for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t i = 0; i < line; ++i) to[i] &= from[i];
    });
  }
  for (std::size_t i = picture.channels - 1; i < line; i += picture.channels) {
    if (all[i] != 255) return false;
  }
  return true;
}

Transparency transparency_of(const Picture& picture, const Samples& samples) {
  Transparency result;
  if (picture.channels % 2 != 0 || is_opaque(picture)) return result;
  result.opaque = false;
  int most = 0;
  int least = 255;
  for (const std::vector<Colour>* part : {&samples.colours, &samples.border}) {
    for (const Colour& colour : *part) {
      most = std::max(most, colour.alpha);
      least = std::min(least, colour.alpha);
    }
  }
  const int visible = std::max(1, most / 2);
  const Colour usual = median_colour(samples.colours, visible);
  std::size_t seen = 0;
  std::size_t others = 0;
  for (const Colour& colour : samples.colours) {
    if (colour.alpha < visible) continue;
    ++seen;
    const int away = std::max(
        {std::abs(colour.red - usual.red), std::abs(colour.green - usual.green), std::abs(colour.blue - usual.blue)});
    if (away > 48) ++others;
  }
  // One colour, here and there: nothing but alpha can be the drawing.
  if (others * 200 <= seen && (least < visible || seen == 0)) {
    result.drawn_in_alpha = true;
    return result;
  }
  std::size_t clear_border = 0;
  for (const Colour& colour : samples.border) clear_border += colour.alpha < visible ? 1 : 0;
  const bool strokes_of_many_colours = clear_border * 2 > samples.border.size() && seen * 2 < samples.colours.size();
  if (strokes_of_many_colours) {
    const bool light = usual.red * 3 + usual.green * 6 + usual.blue > 1700;
    result.behind = light ? Colour{0, 0, 0, 255} : Colour{255, 255, 255, 255};
  } else {
    result.behind = usual;  // a sheet with clear corners or holes: they are paper too
  }
  return result;
}

int blend(int value, int behind, int alpha) { return (value * alpha + behind * (255 - alpha) + 127) / 255; }

Colour seen_over(const Colour& colour, const Colour& behind) {
  return {blend(colour.red, behind.red, colour.alpha), blend(colour.green, behind.green, colour.alpha),
          blend(colour.blue, behind.blue, colour.alpha), 255};
}

/// Grey = (red * weights[0] + green * weights[1] + blue * weights[2] + offset) / 256, in 0 to 255.
struct Axis {
  std::array<int, 3> weights{77, 150, 29};  // Rec. 601
  int offset = 0;
};

/// The direction in which the colours differ most: from the ground to the ink, whatever their colours are.
Axis axis_of(const std::vector<Colour>& colours) {
  const auto count = static_cast<std::int64_t>(colours.size());
  std::array<std::int64_t, 3> sum{};
  std::array<std::array<std::int64_t, 3>, 3> products{};
  for (const Colour& colour : colours) {
    const std::array<int, 3> c{colour.red, colour.green, colour.blue};
    for (std::size_t i = 0; i < 3; ++i) {
      sum[i] += c[i];
      for (std::size_t j = i; j < 3; ++j) products[i][j] += c[i] * c[j];
    }
  }
  std::array<std::array<double, 3>, 3> covariance{};
  double trace = 0;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = i; j < 3; ++j) {
      covariance[i][j] = covariance[j][i] = static_cast<double>(count * products[i][j] - sum[i] * sum[j]);
    }
    trace += covariance[i][i];
    if (covariance[i][i] > covariance[largest][largest]) largest = i;
  }
  if (!(trace > 0)) return {};
  std::array<double, 3> direction = covariance[largest];
  for (int step = 0; step < 12; ++step) {
    std::array<double, 3> next{};
    double size = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) next[i] += covariance[i][j] * direction[j];
      size += std::abs(next[i]);
    }
    for (std::size_t i = 0; i < 3; ++i) direction[i] = next[i] / size;
  }
  if (direction[0] + direction[1] + direction[2] < 0) {
    for (double& part : direction) part = -part;  // light is more
  }
  Axis axis;
  for (std::size_t i = 0; i < 3; ++i) axis.weights[i] = static_cast<int>(std::lround(direction[i] * 256));
  int size = 0;
  for (const int weight : axis.weights) size += std::abs(weight);
  axis.weights[largest] += axis.weights[largest] < 0 ? size - 256 : 256 - size;  // so that grey stays as it is
  for (const int weight : axis.weights) axis.offset += weight < 0 ? -255 * weight : 0;
  return axis;
}

/// One line of RGB or RGBA as one number a pixel.
template <std::size_t Channels>
void project(const std::uint8_t* from, std::uint8_t* to, std::size_t count, const Axis& axis) {
  // The sums are in 0 to 65280, so 16 bits are enough, whatever the parts of them are.
  const auto red = static_cast<std::uint16_t>(axis.weights[0]);
  const auto green = static_cast<std::uint16_t>(axis.weights[1]);
  const auto blue = static_cast<std::uint16_t>(axis.weights[2]);
  const auto offset = static_cast<std::uint16_t>(axis.offset);
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<std::uint16_t>(std::uint32_t{red} * from[Channels * i] +
                                                    std::uint32_t{green} * from[Channels * i + 1] +
                                                    std::uint32_t{blue} * from[Channels * i + 2] + offset);
      to[i] = static_cast<std::uint8_t>(value >> 8);
    }
  });
}

}  // namespace

std::unique_ptr<std::uint8_t[]> signal_of(const Picture& picture) {
  Samples samples = samples_of(picture);
  const Transparency transparency = transparency_of(picture, samples);
  const std::size_t width = picture.width;
  const std::size_t count = width * picture.height;
  auto signal = std::make_unique_for_overwrite<std::uint8_t[]>(count);  // zeros would take as long as all else
  if (transparency.drawn_in_alpha) {
    const std::size_t channels = picture.channels;
    const std::uint8_t* from = picture.pixels.data() + channels - 1;
    std::uint8_t* const to = signal.get();
    for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      if (channels == 4) {
        for (std::size_t i = 0; i < count; ++i) to[i] = from[4 * i];
      } else {
        for (std::size_t i = 0; i < count; ++i) to[i] = from[2 * i];
      }
    });
    return signal;
  }
  if (!transparency.opaque) {
    for (Colour& colour : samples.colours) colour = seen_over(colour, transparency.behind);
  }
  const Axis axis = picture.channels < 3 ? Axis{} : axis_of(samples.colours);
  if (transparency.opaque && picture.channels != 2) {
    for (std::size_t y = 0; y < picture.height; ++y) {
      const std::uint8_t* from = &picture.pixels[y * width * picture.channels];
      if (picture.channels == 3) project<3>(from, &signal[y * width], width, axis);
      if (picture.channels == 4) project<4>(from, &signal[y * width], width, axis);
    }
    return signal;
  }
  for (std::size_t y = 0; y < picture.height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const Colour colour = seen_over(colour_at(picture, x, y), transparency.behind);
      const int value = axis.weights[0] * colour.red + axis.weights[1] * colour.green + axis.weights[2] * colour.blue;
      signal[y * width + x] = static_cast<std::uint8_t>((value + axis.offset) >> 8);
    }
  }
  return signal;
}

}  // namespace digitnet::detail
