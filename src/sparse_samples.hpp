// sparse_samples.hpp: samples as lists of the inputs that are not zero. Internal.
#pragma once

#include <digitnet/dataset.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace digitnet::detail {

/// Inputs that one piece of the first layer's gradient is about. Where each such group begins in the list of a
/// sample is stored, so that a piece finds its part without searching.
inline constexpr std::size_t sparse_group = 64;

/// The pixels with ink of every sample of a data set, in order: about a fifth of MNIST's. Three bytes each.
class SparseSamples {
 public:
  /// Packs a data set if that pays: its samples are bytes, and few enough of them are not zero.
  /// Nothing else about a training depends on the answer, but for roundings.
  static std::optional<SparseSamples> pack(const Dataset& data);

  struct Entries {
    std::span<const std::uint16_t> inputs;  ///< rising
    std::span<const std::uint8_t> values;   ///< 1 to 255
  };

  /// All entries of a sample.
  Entries entries(std::size_t sample) const { return range(begins_[sample], begins_[sample + 1]); }

  /// Those with inputs in [group * sparse_group, (group + 1) * sparse_group).
  Entries entries(std::size_t sample, std::size_t group) const {
    const std::uint16_t* marks = &group_begins_[sample * (groups_ + 1) + group];
    return range(begins_[sample] + marks[0], begins_[sample] + marks[1]);
  }

 private:
  Entries range(std::size_t first, std::size_t last) const {
    return {{inputs_.data() + first, last - first}, {values_.data() + first, last - first}};
  }

  std::size_t groups_ = 0;
  std::vector<std::size_t> begins_;          // of each sample in the lists, and their end
  std::vector<std::uint16_t> group_begins_;  // of each group of each sample, and their end, from the sample's begin
  std::vector<std::uint16_t> inputs_;
  std::vector<std::uint8_t> values_;
};

/// What a byte means as a number: byte / 255, for all 256.
template <class Real>
constexpr std::array<Real, 256> byte_scale() {
  std::array<Real, 256> scale{};
  for (std::size_t byte = 0; byte < 256; ++byte) scale[byte] = static_cast<Real>(byte) * (Real{1} / 255);
  return scale;
}

}  // namespace digitnet::detail
