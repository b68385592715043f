// What histogram.hpp promises, by the plain loops.
#include "catch.hpp"

#include <histogram.hpp>

#include <digitnet/random.hpp>

#include <cmath>
#include <vector>

using namespace digitnet;
using detail::Histogram;

namespace {

/// Runs of one value between values at random.
std::vector<std::uint8_t> bytes(std::size_t count, Rng& rng) {
  std::vector<std::uint8_t> values;
  while (values.size() < count) {
    const auto value = static_cast<std::uint8_t>(rng.below(256));
    values.insert(values.end(), rng.below(3) == 0 ? rng.below(60) : 1, value);
  }
  values.resize(count);
  return values;
}

Histogram counted(const std::vector<std::uint8_t>& values) {
  Histogram counts{};
  for (const std::uint8_t value : values) ++counts[value];
  return counts;
}

}  // namespace

TEST_CASE("count_bytes: counts every byte, and adds to what was counted", "[histogram]") {
  Rng rng(1);
  for (std::size_t count = 0; count < 200; ++count) {
    const std::vector<std::uint8_t> values = bytes(count, rng);
    Histogram counts{};
    counts[0] = counts[7] = 3;
    Histogram expected = counted(values);
    expected[0] += 3;
    expected[7] += 3;
    detail::count_bytes(values.data(), values.size(), counts);
    CHECK(counts == expected);
  }
  Histogram counts{};
  const std::vector<std::uint8_t> plain(100000, 255);
  detail::count_bytes(plain.data(), plain.size(), counts);
  CHECK(counts[255] == 100000);
  CHECK(detail::lowest_value(counts) == 255);
  CHECK(detail::highest_value(counts) == 255);
}

TEST_CASE("quantile: more than the share is at or below it", "[histogram]") {
  Histogram counts{};
  counts[10] = 50;
  counts[20] = 50;
  CHECK(detail::quantile(counts, 0.0) == 10);
  CHECK(detail::quantile(counts, 0.49) == 10);
  CHECK(detail::quantile(counts, 0.5) == 20);
  CHECK(detail::quantile(counts, 0.5, 0, 15) == 10);
  CHECK(detail::quantile(counts, 1.0) == 255);
  CHECK(detail::lowest_value(counts) == 10);
  CHECK(detail::highest_value(counts) == 20);
}

TEST_CASE("two_means: the threshold is in the middle between the means of the two classes", "[histogram]") {
  Rng rng(2);
  for (int round = 0; round < 50; ++round) {
    const Histogram counts = counted(bytes(1 + rng.below(2000), rng));
    const detail::Classes classes =
        detail::two_means(counts, detail::lowest_value(counts), detail::highest_value(counts));
    double sums[2]{};
    double totals[2]{};
    for (int value = 0; value < 256; ++value) {
      const int upper = value >= classes.threshold ? 1 : 0;
      const double count = counts[static_cast<std::size_t>(value)];
      sums[upper] += value * count;
      totals[upper] += count;
    }
    if (totals[0] > 0) CHECK(classes.low == sums[0] / totals[0]);
    if (totals[1] > 0) CHECK(classes.high == sums[1] / totals[1]);
    CHECK(classes.threshold == static_cast<int>(std::ceil((classes.low + classes.high) / 2)));
  }
}

TEST_CASE("Strength: noise is no ink, what most ink has is full", "[histogram]") {
  Histogram counts{};
  counts[0] = 5000;
  counts[4] = 100;
  counts[200] = 500;
  const detail::Strength strength = detail::strength_of(counts, true);
  CHECK(strength.full == 200);
  std::vector<std::uint8_t> values{0, 4, 106, 200, 255};
  strength.apply(values.data(), values.size());
  CHECK(values[0] == 0);
  CHECK(values[1] == 0);
  CHECK(values[2] == (106 - strength.none) * 255 / (200 - strength.none));
  CHECK(values[3] == 255);
  CHECK(values[4] == 255);
}
