#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace digitnet::detail {

/// Most of a picture is of one value. To count each of its pixels would mean to wait for the count before; so eight
/// alike are told by one comparison, and counted when another value comes.
void count_bytes(const std::uint8_t* bytes, std::size_t count, Histogram& counts) {
  std::uint64_t alike = 0;  // eight bytes of one value, which were seen `times` times
  std::uint32_t times = 0;
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes + i, 8);
    if (eight == alike) {
      ++times;
    } else if (eight == std::rotl(eight, 8)) {
      counts[alike & 255] += 8 * times;
      alike = eight;
      times = 1;
    } else {
      for (std::size_t k = 0; k < 8; ++k) ++counts[bytes[i + k]];
    }
  }
  counts[alike & 255] += 8 * times;
  for (; i < count; ++i) ++counts[bytes[i]];
}

int quantile(const Histogram& counts, double share, int first, int last) {
  std::uint64_t total = 0;
  for (int value = first; value <= last; ++value) total += counts[static_cast<std::size_t>(value)];
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total));
  std::uint64_t below = 0;
  for (int value = first; value <= last; ++value) {
    below += counts[static_cast<std::size_t>(value)];
    if (below > wanted) return value;
  }
  return last;
}

int lowest_value(const Histogram& counts) {
  int value = 0;
  while (value < 255 && counts[static_cast<std::size_t>(value)] == 0) ++value;
  return value;
}

int highest_value(const Histogram& counts) {
  int value = 255;
  while (value > 0 && counts[static_cast<std::size_t>(value)] == 0) --value;
  return value;
}

Classes two_means(const Histogram& counts, int lowest, int highest) {
  // Of the values below each: how many there are, and their sum.
  std::array<std::uint64_t, 257> totals{};
  std::array<std::uint64_t, 257> sums{};
  for (std::size_t value = 0; value < 256; ++value) {
    totals[value + 1] = totals[value] + counts[value];
    sums[value + 1] = sums[value] + std::uint64_t{counts[value]} * value;
  }
  const auto mean = [](std::uint64_t sum, std::uint64_t total, int otherwise) {
    return total > 0 ? static_cast<double>(sum) / static_cast<double>(total) : otherwise;
  };
  Classes classes;
  classes.threshold = (lowest + highest + 1) / 2;
  for (int step = 0; step < 16; ++step) {
    const auto at = static_cast<std::size_t>(classes.threshold);
    classes.low = mean(sums[at], totals[at], lowest);
    classes.high = mean(sums[256] - sums[at], totals[256] - totals[at], highest);
    const int next = static_cast<int>(std::ceil((classes.low + classes.high) / 2));
    if (next == classes.threshold) break;
    classes.threshold = next;
  }
  return classes;
}

void Strength::apply(std::uint8_t* values, std::size_t count) const {
  std::array<std::uint8_t, 256> ink{};
  for (int value = 0; value < 256; ++value) {
    ink[static_cast<std::size_t>(value)] =
        static_cast<std::uint8_t>(std::clamp((value - none) * 255 / (full - none), 0, 255));
  }
  for (std::size_t i = 0; i < count; ++i) values[i] = ink[values[i]];
}

Strength strength_of(const Histogram& deviations, bool even) {
  const Classes classes = two_means(deviations, 0, std::max(1, highest_value(deviations)));
  const int full = std::max(2, quantile(deviations, 0.5, classes.threshold, 255));
  const int noise = quantile(deviations, 0.75, 0, std::max(1, full / 2) - 1);
  return {std::min(full * 2 / 5, std::max(3 * noise, even ? full / 16 : full / 4)), full};
}

}  // namespace digitnet::detail
