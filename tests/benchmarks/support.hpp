// support.hpp: what the benchmark programs share.
#pragma once

#include <digitnet/digitnet.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The value that `share` of all values are not above: 0.5 for the median.
inline double percentile(std::vector<double> values, double share) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(std::floor(share * static_cast<double>(values.size() - 1)))];
}

/// The most memory this process has held so far, in MB (10^6 bytes); 0 where the system does not say.
inline double peak_memory_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024 / 1e6;
  }
  return 0;
}

/// The same samples as float with the mean ink of MNIST taken away, so that no input is zero.
inline digitnet::Dataset without_zeros(const digitnet::Dataset& data) {
  constexpr float mean_ink = 0.1307F;
  digitnet::Matrix<float> inputs = data.to_matrix<float>();
  for (float& value : digitnet::values(inputs)) value -= mean_ink;
  return {std::move(inputs), data.labels(), data.classes()};
}

}  // namespace bench
