#include "sparse_samples.hpp"

#include <algorithm>

namespace digitnet::detail {
namespace {

/// Above this share of inputs that are not zero, a dense product takes less time than a sparse one.
constexpr double largest_density = 0.35;

/// Inputs are counted in 16 bits.
constexpr std::size_t most_inputs = 1 << 16;

std::size_t count_ink(std::span<const std::uint8_t> pixels) {
  return pixels.size() - static_cast<std::size_t>(std::count(pixels.begin(), pixels.end(), std::uint8_t{0}));
}

/// The density of a data set, from a thousand samples spread over it.
double estimate_density(const Dataset& data) {
  const std::size_t step = std::max<std::size_t>(1, data.size() / 1000);
  std::size_t ink = 0;
  std::size_t pixels = 0;
  for (std::size_t sample = 0; sample < data.size(); sample += step) {
    ink += count_ink(data.pixels(sample));
    pixels += data.inputs();
  }
  return static_cast<double>(ink) / static_cast<double>(pixels);
}

}  // namespace

std::optional<SparseSamples> SparseSamples::pack(const Dataset& data) {
  if (!data.has_bytes() || data.empty() || data.inputs() == 0 || data.inputs() >= most_inputs ||
      estimate_density(data) > largest_density) {
    return std::nullopt;
  }
  SparseSamples packed;
  packed.groups_ = (data.inputs() + sparse_group - 1) / sparse_group;
  packed.begins_.resize(data.size() + 1);
  for (std::size_t sample = 0; sample < data.size(); ++sample) {
    packed.begins_[sample + 1] = packed.begins_[sample] + count_ink(data.pixels(sample));
  }
  packed.group_begins_.resize(data.size() * (packed.groups_ + 1));
  packed.inputs_.resize(packed.begins_.back() + 1);  // one more: written to and never read
  packed.values_.resize(packed.begins_.back() + 1);
  for (std::size_t sample = 0; sample < data.size(); ++sample) {
    const std::span<const std::uint8_t> pixels = data.pixels(sample);
    std::uint16_t* inputs = packed.inputs_.data() + packed.begins_[sample];
    std::uint8_t* values = packed.values_.data() + packed.begins_[sample];
    std::uint16_t* marks = &packed.group_begins_[sample * (packed.groups_ + 1)];
    std::size_t found = 0;
    for (std::size_t group = 0; group < packed.groups_; ++group) {
      marks[group] = static_cast<std::uint16_t>(found);
      const std::size_t last = std::min(pixels.size(), (group + 1) * sparse_group);
      for (std::size_t i = group * sparse_group; i < last; ++i) {  // without a branch: ink is hard to foretell
        inputs[found] = static_cast<std::uint16_t>(i);
        values[found] = pixels[i];
        found += pixels[i] != 0 ? 1 : 0;
      }
    }
    marks[packed.groups_] = static_cast<std::uint16_t>(found);
  }
  return packed;
}

}  // namespace digitnet::detail
