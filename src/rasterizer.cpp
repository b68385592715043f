// Compiled without contraction (-ffp-contract=off), so that equal lines give equal bytes on every processor.
#include "rasterizer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace digitnet::detail {
namespace {

constexpr auto side = static_cast<float>(mnist_side);

/// Middles of the pixels of a row, and some beyond.
constexpr auto middles = [] {
  std::array<float, 32> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) + 0.5F;
  return values;
}();

/// The first of the pixels whose middles are not before `least`, and the first of those that are beyond `most`.
std::pair<std::size_t, std::size_t> pixels_between(float least, float most) {
  const float first = std::clamp(std::floor(least), 0.0F, side);
  const float last = std::clamp(std::floor(most) + 1, 0.0F, side);
  return {static_cast<std::size_t>(first), static_cast<std::size_t>(last)};
}

}  // namespace

Rasterizer::Rasterizer(const Pen& pen) : pen_(pen) { squared_.fill(pen.reach() * pen.reach()); }

void Rasterizer::draw(Place a, Place b) {
  if (std::pair(b.x, b.y) < std::pair(a.x, a.y)) std::swap(a, b);  // rounding must not depend on the direction
  const float dx = b.x - a.x;
  const float dy = b.y - a.y;
  const float length2 = dx * dx + dy * dy;
  const float ux = length2 > 0 ? dx / length2 : 0;
  const float uy = length2 > 0 ? dy / length2 : 0;
  const auto [top, bottom] = pixels_between(std::min(a.y, b.y) - pen_.reach(), std::max(a.y, b.y) + pen_.reach());
  const auto [left, right] = pixels_between(a.x - pen_.reach(), b.x + pen_.reach());
  if (left >= right) return;
  constexpr std::size_t lanes = 4;  // columns are taken in fours, so that the compiler makes one operation of four
  const std::size_t first = left / lanes;
  const std::size_t last = (right + lanes - 1) / lanes;
  for (std::size_t row = top; row < bottom; ++row) {
    const float py = middles[row] - a.y;
    float* squared = &squared_[row * stride];
    for (std::size_t block = first; block < last; ++block) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const std::size_t column = block * lanes + lane;
        const float px = middles[column] - a.x;
        const float along = px * ux + py * uy;  // 0 at a, 1 at b
        const float bounded = std::min(std::max(along, 0.0F), 1.0F);
        const float qx = px - bounded * dx;
        const float qy = py - bounded * dy;
        squared[column] = std::min(squared[column], qx * qx + qy * qy);
      }
    }
  }
}

MnistImage Rasterizer::image() const {
  MnistImage image;
  for (std::size_t row = 0; row < mnist_side; ++row) {
    for (std::size_t column = 0; column < mnist_side; ++column) {
      const float distance = std::sqrt(squared_[row * stride + column]);
      const float ink = std::min(std::max((pen_.reach() - distance) / pen_.softness, 0.0F), 1.0F);
      image[row * mnist_side + column] = static_cast<std::uint8_t>(ink * 255 + 0.5F);
    }
  }
  return image;
}

}  // namespace digitnet::detail
