// What rasterizer.hpp promises: lines by distance, the same whatever their order and direction.
#include "catch.hpp"

#include <rasterizer.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace digitnet;
using detail::Pen;
using detail::Place;
using detail::Rasterizer;

namespace {

/// The same in double, the plain way: the distance of each pixel's middle from the line.
MnistImage by_distance(const std::vector<std::pair<Place, Place>>& lines, const Pen& pen) {
  MnistImage image{};
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double x = static_cast<double>(i % mnist_side) + 0.5;
    const double y = static_cast<double>(i / mnist_side) + 0.5;
    double distance = std::numeric_limits<double>::infinity();
    for (const auto& [a, b] : lines) {
      const double dx = static_cast<double>(b.x) - static_cast<double>(a.x);
      const double dy = static_cast<double>(b.y) - static_cast<double>(a.y);
      const double px = x - static_cast<double>(a.x);
      const double py = y - static_cast<double>(a.y);
      const double length2 = dx * dx + dy * dy;
      const double along = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0, 1.0) : 0.0;
      distance = std::min(distance, std::hypot(px - along * dx, py - along * dy));
    }
    const double ink = (static_cast<double>(pen.reach()) - distance) / static_cast<double>(pen.softness);
    image[i] = static_cast<std::uint8_t>(std::lround(std::clamp(ink, 0.0, 1.0) * 255));
  }
  return image;
}

int largest_difference(const MnistImage& a, const MnistImage& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(int{a[i]} - int{b[i]}));
  return largest;
}

MnistImage drawn(const std::vector<std::pair<Place, Place>>& lines, const Pen& pen) {
  Rasterizer rasterizer(pen);
  for (const auto& [a, b] : lines) rasterizer.draw(a, b);
  return rasterizer.image();
}

}  // namespace

TEST_CASE("Rasterizer: each pixel by its distance from the nearest line", "[rasterizer]") {
  const std::vector<std::pair<Place, Place>> lines{{{4.2F, 5.1F}, {20.7F, 22.3F}},
                                                   {{14, 3}, {14, 25}},
                                                   {{2, 9.5F}, {26, 9.5F}},
                                                   {{22, 4}, {22, 4}},
                                                   {{-5, 20}, {3, 31}},
                                                   {{27.9F, 0}, {27.9F, 0.2F}},
                                                   {{24, 24}, {24.001F, 24}}};
  for (const Pen pen : {Pen{2.3F, 1.1F}, Pen{0.5F, 0.5F}, Pen{8, 2}}) {
    CHECK(largest_difference(drawn(lines, pen), by_distance(lines, pen)) <= 1);  // float against double
    for (const auto& line : lines) CHECK(largest_difference(drawn({line}, pen), by_distance({line}, pen)) <= 1);
  }
}

TEST_CASE("Rasterizer: order and direction change no byte", "[rasterizer]") {
  const Pen pen{2.3F, 1.1F};
  const std::vector<std::pair<Place, Place>> lines{{{4.2F, 5.1F}, {20.7F, 22.3F}}, {{21, 3.3F}, {6.1F, 25}}};
  const MnistImage expected = drawn(lines, pen);
  CHECK(drawn({lines[1], lines[0]}, pen) == expected);
  CHECK(drawn({{lines[0].second, lines[0].first}, {lines[1].second, lines[1].first}}, pen) == expected);
  CHECK(drawn({lines[0], lines[1], lines[0]}, pen) == expected);  // drawn twice, no darker
}

TEST_CASE("Rasterizer: what is outside leaves no ink", "[rasterizer]") {
  const Pen pen{2.3F, 1.1F};
  CHECK(drawn({{{-10, -10}, {40, -10}}, {{50, 3}, {50, 4}}, {{1e9F, 1e9F}, {1e9F, 1e9F}}}, pen) == MnistImage{});
  CHECK(drawn({}, pen) == MnistImage{});
}
