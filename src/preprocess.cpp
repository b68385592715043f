#include <digitnet/preprocess.hpp>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace digitnet {
namespace {

using detail::text;

/// How much each pixel of a row of `count` pixels counts in each of mnist_side target pixels.
///
/// Target pixel t covers the source from (t - offset) / scale on, for 1 / scale pixels. Made smaller,
/// it is their mean; made larger, the line between the two nearest.
std::vector<std::vector<std::pair<std::size_t, float>>> resampling(std::size_t count, double scale, double offset) {
  std::vector<std::vector<std::pair<std::size_t, float>>> weights(mnist_side);
  for (std::size_t t = 0; t < mnist_side; ++t) {
    const double first = (static_cast<double>(t) - offset) / scale;
    const double last = first + 1 / scale;
    const double at = (first + last) / 2;
    const double reach = scale < 1 ? (last - first) / 2 + 1 : 1.5;
    const auto begin = static_cast<std::ptrdiff_t>(std::floor(at - reach));
    const auto end = static_cast<std::ptrdiff_t>(std::ceil(at + reach));
    for (std::ptrdiff_t s = std::max<std::ptrdiff_t>(begin, 0);
         s < std::min<std::ptrdiff_t>(end, static_cast<std::ptrdiff_t>(count)); ++s) {
      const auto left = static_cast<double>(s);
      const double weight = scale < 1 ? std::max(0.0, std::min(left + 1, last) - std::max(left, first)) * scale
                                      : std::max(0.0, 1 - std::abs(left + 0.5 - at));
      if (weight > 0) weights[t].emplace_back(static_cast<std::size_t>(s), static_cast<float>(weight));
    }
  }
  return weights;
}

/// Where the ink [first, last) goes, as what to add to its place when scaled: to whole pixels, so that its center
/// of mass is nearest to the middle of pixel 14, but not beyond the edge of the image.
double offset_for(std::size_t first, std::size_t last, double scale, double center) {
  const double middle = static_cast<double>(mnist_side) / 2 + 0.5;
  const double start = std::round(middle - (center - static_cast<double>(first)) * scale);
  const double latest = std::floor(static_cast<double>(mnist_side) - static_cast<double>(last - first) * scale);
  return std::clamp(start, 0.0, latest) - static_cast<double>(first) * scale;
}

}  // namespace

MnistImage to_mnist_image(const Matrix<float>& ink) {
  const std::size_t height = ink.shape(0);
  const std::size_t width = ink.shape(1);
  std::size_t top = height, bottom = 0, left = width, right = 0;  // of the ink, the ends exclusive
  double mass = 0, mass_x = 0, mass_y = 0;
  for (std::size_t y = 0; y < height; ++y) {
    const std::span<const float> line = row(ink, y);
    for (std::size_t x = 0; x < width; ++x) {
      if (!(line[x] >= 0 && line[x] <= 1)) {
        throw ArgumentError(
            text("to_mnist_image: ink ", line[x], " at row ", y, ", column ", x, ", expected 0 to 1"));
      }
      if (line[x] == 0) continue;
      top = std::min(top, y);
      bottom = std::max(bottom, y + 1);
      left = std::min(left, x);
      right = std::max(right, x + 1);
      mass += line[x];
      mass_x += line[x] * (static_cast<double>(x) + 0.5);
      mass_y += line[x] * (static_cast<double>(y) + 0.5);
    }
  }
  MnistImage image{};
  if (mass <= 0) return image;
  const double scale = static_cast<double>(mnist_box) / static_cast<double>(std::max(bottom - top, right - left));
  const auto columns = resampling(width, scale, offset_for(left, right, scale, mass_x / mass));
  const auto rows = resampling(height, scale, offset_for(top, bottom, scale, mass_y / mass));
  for (std::size_t y = 0; y < mnist_side; ++y) {
    for (std::size_t x = 0; x < mnist_side; ++x) {
      float sum = 0;
      for (const auto& [source_y, weight_y] : rows[y]) {
        for (const auto& [source_x, weight_x] : columns[x]) sum += weight_y * weight_x * ink(source_y, source_x);
      }
      image[y * mnist_side + x] = static_cast<std::uint8_t>(std::lround(std::clamp(sum, 0.0F, 1.0F) * 255));
    }
  }
  return image;
}

MnistImage to_mnist_image(const Picture& picture) { return to_mnist_image(ink_of(picture)); }

}  // namespace digitnet
