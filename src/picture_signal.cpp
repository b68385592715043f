#include "picture_signal.hpp"

#include "dispatch.hpp"
#include "histogram.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

// Whole numbers wherever it matters, and no fused multiply-add (see CMakeLists.txt): the same bytes everywhere.

namespace digitnet::detail {
namespace {

/// Colours are judged by at most about this many pixels, spread over the picture.
constexpr std::size_t most_samples = 1024;

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0, alpha = 255;
};

template <std::size_t Channels>
DIGITNET_INLINE Colour colour_of(const std::uint8_t* pixel) {
  if constexpr (Channels == 1) return {pixel[0], pixel[0], pixel[0], 255};
  if constexpr (Channels == 2) return {pixel[0], pixel[0], pixel[0], pixel[1]};
  if constexpr (Channels == 3) return {pixel[0], pixel[1], pixel[2], 255};
  if constexpr (Channels == 4) return {pixel[0], pixel[1], pixel[2], pixel[3]};
}

struct Samples {
  std::vector<Colour> colours;
  std::vector<Colour> border;
};

/// Pixels on a grid of which each line is moved a little, so that no straight line falls between all of them.
template <std::size_t Channels>
Samples samples_of(const Picture& picture) {
  const auto colour_at = [&](std::size_t x, std::size_t y) {
    return colour_of<Channels>(&picture.pixels[(y * picture.width + x) * Channels]);
  };
  Samples samples;
  std::size_t step = 1;
  while ((picture.width / step + 1) * (picture.height / step + 1) > most_samples) ++step;
  samples.colours.reserve(most_samples);
  std::size_t shift = 0;
  for (std::size_t y = step / 2; y < picture.height; y += step) {
    for (std::size_t x = shift % step; x < picture.width; x += step) {
      samples.colours.push_back(colour_at(x, y));
    }
    shift += 3 * step / 8 + 1;
  }
  const std::size_t along = std::max<std::size_t>(1, (picture.width + picture.height) / 256);
  for (std::size_t x = 0; x < picture.width; x += along) {
    samples.border.push_back(colour_at(x, 0));
    samples.border.push_back(colour_at(x, picture.height - 1));
  }
  for (std::size_t y = 0; y < picture.height; y += along) {
    samples.border.push_back(colour_at(0, y));
    samples.border.push_back(colour_at(picture.width - 1, y));
  }
  return samples;
}

/// The middle value of each channel, over the colours that are opaque enough.
Colour median_colour(const std::vector<Colour>& colours, int least_alpha) {
  std::array<Histogram, 3> counts{};
  std::uint32_t total = 0;
  for (const Colour& colour : colours) {
    if (colour.alpha < least_alpha) continue;
    ++counts[0][colour.red];
    ++counts[1][colour.green];
    ++counts[2][colour.blue];
    ++total;
  }
  const auto middle = [total](const Histogram& count) {
    std::uint32_t below = 0;
    std::uint8_t value = 0;
    while (value < 255 && (below += count[value]) * 2 <= total) ++value;
    return value;
  };
  return {middle(counts[0]), middle(counts[1]), middle(counts[2]), 255};
}

/// What alpha means in a picture that is not opaque everywhere.
struct Transparency {
  bool drawn_in_alpha = false;        ///< alpha alone is the drawing
  Colour behind{255, 255, 255, 255};  ///< otherwise: what is to be seen where it is transparent
};

Transparency transparency_of(const Samples& samples) {
  Transparency result;
  std::uint8_t most = 0;
  std::uint8_t least = 255;
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

DIGITNET_INLINE std::uint8_t blend(int value, int behind, int alpha) {
  return static_cast<std::uint8_t>((value * alpha + behind * (255 - alpha) + 127) / 255);
}

DIGITNET_INLINE Colour seen_over(const Colour& colour, const Colour& behind) {
  return {blend(colour.red, behind.red, colour.alpha), blend(colour.green, behind.green, colour.alpha),
          blend(colour.blue, behind.blue, colour.alpha), 255};
}

/// Grey = (red * weights[0] + green * weights[1] + blue * weights[2] + offset) / 256, in 0 to 255.
struct Axis {
  std::array<int, 3> weights{77, 150, 29};  // Rec. 601
  int offset = 0;
};

/// Sums over colours of red, green and blue, and of their products; below 2^31 for most_samples of them.
struct Moments {
  std::array<std::int32_t, 3> sum{};
  std::array<std::array<std::int32_t, 3>, 3> products{};
};

Moments moments_of(std::span<const Colour> colours) {
  Moments moments;
  Moments* const result = &moments;
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    std::int32_t r = 0, g = 0, b = 0, rr = 0, rg = 0, rb = 0, gg = 0, gb = 0, bb = 0;
    for (const Colour& colour : colours) {
      const std::int32_t red = colour.red, green = colour.green, blue = colour.blue;
      r += red, g += green, b += blue;
      rr += red * red, rg += red * green, rb += red * blue;
      gg += green * green, gb += green * blue, bb += blue * blue;
    }
    *result = {{r, g, b}, {{{rr, rg, rb}, {rg, gg, gb}, {rb, gb, bb}}}};
  });
  return moments;
}

/// The direction in which the colours differ most: from the ground to the ink, whatever their colours are.
Axis axis_of(const std::vector<Colour>& colours) {
  const auto count = static_cast<std::int64_t>(colours.size());
  const Moments moments = moments_of(colours);
  std::array<std::array<double, 3>, 3> covariance{};
  double trace = 0;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = i; j < 3; ++j) {
      covariance[i][j] = covariance[j][i] =
          static_cast<double>(count * moments.products[i][j] - std::int64_t{moments.sum[i]} * moments.sum[j]);
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

/// RGB as one number a pixel.
void project_rgb(const std::uint8_t* from, std::uint8_t* to, std::size_t count, const Axis& axis) {
  // The sums are in 0 to 65280, so 16 bits are enough, whatever the parts of them are.
  const auto red = static_cast<std::uint16_t>(axis.weights[0]);
  const auto green = static_cast<std::uint16_t>(axis.weights[1]);
  const auto blue = static_cast<std::uint16_t>(axis.weights[2]);
  const auto offset = static_cast<std::uint16_t>(axis.offset);
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for (std::size_t i = 0; i < count; ++i) {
      const auto value =
          static_cast<std::uint16_t>(std::uint32_t{red} * from[3 * i] + std::uint32_t{green} * from[3 * i + 1] +
                                     std::uint32_t{blue} * from[3 * i + 2] + offset);
      to[i] = static_cast<std::uint8_t>(value >> 8);
    }
  });
}

template <std::size_t Bytes>
struct PixelVector {
  using Halves [[gnu::vector_size(Bytes)]] = std::uint16_t;
  using Pixels [[gnu::vector_size(Bytes)]] = std::uint32_t;
  using Values [[gnu::vector_size(Bytes / 4)]] = std::uint8_t;
};

/// RGBA as one number a pixel, as if it were opaque.
/// @return  whether it is, all of it
bool project_rgba(const std::uint8_t* from, std::uint8_t* to, std::size_t count, const Axis& axis) {
  static_assert(std::endian::native == std::endian::little);
  // Red and blue are the lower bytes of the two halves of a pixel, green and alpha the upper ones. Each half is
  // weighed in 16 bits, and so is their sum; see project_rgb.
  const auto half = [](int weight) { return static_cast<std::uint32_t>(static_cast<std::uint16_t>(weight)); };
  const std::uint32_t lower = half(axis.weights[0]) | half(axis.weights[2]) << 16;
  const std::uint32_t upper = half(axis.weights[1]);
  const std::uint32_t offset = half(axis.offset);
  bool opaque = false;
  bool* const result = &opaque;
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    using Halves = typename PixelVector<Bytes>::Halves;
    using Pixels = typename PixelVector<Bytes>::Pixels;
    using Values = typename PixelVector<Bytes>::Values;
    constexpr std::size_t lanes = Bytes / 4;
    const auto lower_weights = reinterpret_cast<Halves>(Pixels{} + lower);
    const auto upper_weights = reinterpret_cast<Halves>(Pixels{} + upper);
    Pixels all = ~Pixels{};
    const auto project = [&](std::uint8_t* values_to, const std::uint8_t* pixels_from) DIGITNET_INLINE_LAMBDA {
      Halves bytes;
      std::memcpy(&bytes, pixels_from, sizeof bytes);
      all &= reinterpret_cast<Pixels>(bytes);
      const auto sums = reinterpret_cast<Pixels>((bytes & 255) * lower_weights + (bytes >> 8) * upper_weights);
      const Values values = __builtin_convertvector((sums + (sums >> 16) + offset) >> 8, Values);
      std::memcpy(values_to, &values, sizeof values);
    };
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) project(to + i, from + 4 * i);
    if (i < count) {  // the last ones, and white behind them
      std::array<std::uint8_t, Bytes> pixels;
      std::array<std::uint8_t, lanes> values;
      pixels.fill(255);
      std::copy_n(from + 4 * i, 4 * (count - i), pixels.data());
      project(values.data(), pixels.data());
      std::copy_n(values.data(), count - i, to + i);
    }
    std::uint32_t everywhere = ~std::uint32_t{0};
    for (std::size_t lane = 0; lane < lanes; ++lane) everywhere &= all[lane];
    *result = everywhere >> 24 == 255;
  });
  return opaque;
}

/// Grey or colours with alpha, as they are seen over what is behind.
template <std::size_t Channels>
void project_over(const std::uint8_t* from, std::uint8_t* to, std::size_t count, const Axis& axis,
                  const Colour& behind) {
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for (std::size_t i = 0; i < count; ++i) {
      const Colour colour = seen_over(colour_of<Channels>(from + Channels * i), behind);
      const int value = axis.weights[0] * colour.red + axis.weights[1] * colour.green + axis.weights[2] * colour.blue;
      to[i] = static_cast<std::uint8_t>((value + axis.offset) >> 8);
    }
  });
}

template <std::size_t Channels>
void signal_of_channels(const Picture& picture, std::uint8_t* signal) {
  const std::uint8_t* const from = picture.pixels.data();
  const std::size_t count = picture.width * picture.height;
  if constexpr (Channels == 1) {
    std::copy_n(from, count, signal);
    return;
  }
  Samples samples = samples_of<Channels>(picture);
  if constexpr (Channels == 3) return project_rgb(from, signal, count, axis_of(samples.colours));
  if constexpr (Channels == 4) {
    // Mostly all of it is opaque, and to know that takes no longer if it is found on the way.
    const bool opaque = std::all_of(samples.colours.begin(), samples.colours.end(),
                                    [](const Colour& colour) { return colour.alpha == 255; });
    if (opaque && project_rgba(from, signal, count, axis_of(samples.colours))) return;
  }
  const Transparency transparency = transparency_of(samples);
  if (transparency.drawn_in_alpha) {
    for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t i = 0; i < count; ++i) signal[i] = from[Channels * i + Channels - 1];
    });
    return;
  }
  for (Colour& colour : samples.colours) colour = seen_over(colour, transparency.behind);
  const Axis axis = Channels < 3 ? Axis{} : axis_of(samples.colours);
  project_over<Channels>(from, signal, count, axis, transparency.behind);
}

}  // namespace

std::unique_ptr<std::uint8_t[]> signal_of(const Picture& picture) {
  // Zeros would take as long as all else.
  auto signal = std::make_unique_for_overwrite<std::uint8_t[]>(picture.width * picture.height);
  switch (picture.channels) {
    case 1: signal_of_channels<1>(picture, signal.get()); break;
    case 2: signal_of_channels<2>(picture, signal.get()); break;
    case 3: signal_of_channels<3>(picture, signal.get()); break;
    default: signal_of_channels<4>(picture, signal.get());
  }
  return signal;
}

}  // namespace digitnet::detail
