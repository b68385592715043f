// What plane.hpp promises: each by the plain loop it stands for.
#include "catch.hpp"

#include <plane.hpp>

#include <digitnet/random.hpp>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

using namespace digitnet;
using detail::Box;
using detail::Component;
using detail::Plane;
using detail::Taps;

namespace {

Plane noise(std::size_t width, std::size_t height, Rng& rng) {
  Plane plane(width, height);
  for (std::uint8_t& value : plane.values) value = static_cast<std::uint8_t>(rng.below(256));
  return plane;
}

std::uint8_t mean_of(const Plane& plane, const Box& box) {
  std::size_t sum = 0;
  for (std::size_t y = box.top; y < box.bottom; ++y) {
    for (std::size_t x = box.left; x < box.right; ++x) sum += plane.row(y)[x];
  }
  const std::size_t area = box.width() * box.height();
  return static_cast<std::uint8_t>((sum + area / 2) / area);
}

/// A weighted mean of taps.count values that are `step` apart.
std::uint8_t weighed(const std::uint8_t* values, std::size_t step, const Taps& taps,
                     const std::vector<std::uint16_t>& weights) {
  std::size_t sum = taps.count == 0 ? 0 : 128;
  for (std::size_t i = 0; i < taps.count; ++i) sum += weights[taps.weights + i] * values[(taps.first + i) * step];
  return static_cast<std::uint8_t>(sum >> 8);
}

/// Parts by filling from each pixel on, in the order of their first pixels.
std::vector<Component> filled(const Plane& plane, int threshold) {
  std::vector<Component> parts;
  Plane open = plane;
  for (std::uint8_t& value : open.values) value = value >= threshold ? 1 : 0;
  for (std::size_t start = 0; start < open.values.size(); ++start) {
    if (open.values[start] == 0) continue;
    Component part{{plane.width, plane.height, 0, 0}, 0, 0};
    std::vector<std::size_t> todo{start};
    open.values[start] = 0;
    while (!todo.empty()) {
      const std::size_t at = todo.back();
      todo.pop_back();
      const std::size_t x = at % plane.width;
      const std::size_t y = at / plane.width;
      part.box = around(part.box, {x, y, x + 1, y + 1});
      part.mass += plane.values[at];
      ++part.pixels;
      for (std::size_t v = y - std::min<std::size_t>(y, 1); v <= std::min(y + 1, plane.height - 1); ++v) {
        for (std::size_t u = x - std::min<std::size_t>(x, 1); u <= std::min(x + 1, plane.width - 1); ++u) {
          if (std::exchange(open.row(v)[u], std::uint8_t{0}) != 0) todo.push_back(v * plane.width + u);
        }
      }
    }
    parts.push_back(part);
  }
  return parts;
}

}  // namespace

TEST_CASE("shrunk: each pixel is the rounded mean of those it stands for", "[plane]") {
  Rng rng(1);
  for (const std::size_t step : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 13u, 100u}) {
    for (const std::size_t width : {1u, 30u, 64u, 101u, 400u}) {
      const std::size_t height = 1 + rng.below(120);
      const Plane plane = noise(width, height, rng);
      const Plane small = shrunk(view(plane), step);
      REQUIRE(small.width == (width + step - 1) / step);
      REQUIRE(small.height == (height + step - 1) / step);
      bool equal = true;
      for (std::size_t y = 0; y < small.height; ++y) {
        for (std::size_t x = 0; x < small.width; ++x) {
          const Box box{x * step, y * step, std::min(width, (x + 1) * step), std::min(height, (y + 1) * step)};
          equal = equal && small.row(y)[x] == mean_of(plane, box);
        }
      }
      INFO(width << " x " << height << ", step " << step);
      CHECK(equal);
    }
  }
  const Plane full(300, 300, 255);
  CHECK(shrunk(view(full), 150).values == std::vector<std::uint8_t>(4, 255));
}

TEST_CASE("resampled: columns are weighed after rows, both rounded", "[plane]") {
  Rng rng(2);
  for (const double pitch : {0.3, 1.0, 2.7, 4.0, 7.3, 9.9}) {
    const std::size_t width = 60 + rng.below(300);
    const std::size_t height = 60 + rng.below(300);
    const Plane plane = noise(width, height, rng);
    const detail::Resampling columns = detail::resampling(width, 80, 40 - 40 * pitch, pitch);
    const detail::Resampling rows = detail::resampling(height, 80, -3.2, pitch);
    Plane between(width, 80);
    for (std::size_t y = 0; y < 80; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        between.row(y)[x] = weighed(&plane.values[x], width, rows.targets[y], rows.weights);
      }
    }
    Plane expected(80, 80);
    for (std::size_t y = 0; y < 80; ++y) {
      if (rows.targets[y].count == 0) continue;
      for (std::size_t x = 0; x < 80; ++x) {
        expected.row(y)[x] = weighed(between.row(y), 1, columns.targets[x], columns.weights);
      }
    }
    INFO("pitch " << pitch);
    CHECK(resampled(view(plane), columns, rows).values == expected.values);
    for (const Taps& taps : columns.targets) {
      const auto first = columns.weights.begin() + static_cast<std::ptrdiff_t>(taps.weights);
      const int sum = std::accumulate(first, first + static_cast<std::ptrdiff_t>(taps.count), 0);
      CHECK(sum == (taps.count == 0 ? 0 : 256));
    }
  }
}

TEST_CASE("components_of: the parts that filling finds, in the order of their first pixels", "[plane]") {
  Rng rng(3);
  for (int round = 0; round < 60; ++round) {
    const Plane plane = noise(1 + rng.below(round % 2 == 0 ? 200 : 20), 1 + rng.below(40), rng);
    const int threshold = 1 + static_cast<int>(rng.below(255));
    const std::vector<Component> expected = filled(plane, threshold);
    const detail::Components found = detail::components_of(plane, threshold);
    REQUIRE(found.list.size() == expected.size());
    std::vector<std::size_t> pixels(expected.size());
    for (const detail::Run& run : found.runs) pixels[run.part] += run.last - run.first;
    bool equal = true;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const Component& a = found.list[i];
      const Component& b = expected[i];
      equal = equal && a.mass == b.mass && a.pixels == b.pixels && pixels[i] == b.pixels &&
              a.box.left == b.box.left && a.box.right == b.box.right && a.box.top == b.box.top &&
              a.box.bottom == b.box.bottom;
    }
    CHECK(equal);
  }
  CHECK(detail::components_of(Plane(64, 3, 255), 255).list.size() == 1);
  CHECK(detail::components_of(Plane(64, 3, 9), 10).list.empty());
}

TEST_CASE("rounded: as lround, also next to a half", "[plane]") {
  CHECK(detail::rounded(0.49999999999999994) == 0);
  CHECK(detail::rounded(0.5) == 1);
  CHECK(detail::rounded(254.5) == 255);
  CHECK(detail::rounded(254.49999999999997) == 254);
}
