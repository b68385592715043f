// sparse_samples.hpp: samples as lists of the inputs that are not zero. Internal.
#pragma once

#include "kernels.hpp"

#include <digitnet/dataset.hpp>
#include <digitnet/parallel.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace digitnet::detail {

/// Which of up to 64 pixels are not zero, as bits.
std::uint64_t ink_bits(std::span<const std::uint8_t> pixels);

/// Which of some inputs are not zero: bit i % 64 of bits[i / 64] for input i. Room for ink_groups(inputs).
void find_ink(std::span<const std::uint8_t> inputs, std::uint64_t* bits);
void find_ink(std::span<const float> inputs, std::uint64_t* bits);
void find_ink(std::span<const double> inputs, std::uint64_t* bits);

/// Most inputs of a sample: where a group begins in its values is kept in 16 bits.
inline constexpr std::size_t most_listed_inputs = 1 << 16;

/// Above this share of inputs that are not zero, a dense product takes less time than a sparse one.
inline constexpr double largest_sparse_density = 0.35;

/// The pixels with ink of every sample of a data set, a byte each and a bit for every pixel that says where.
/// For MNIST, where a fifth of the pixels have ink, that is a third of the data.
class SparseSamples {
 public:
  /// Whether to leave out zeros pays: samples are bytes, and few enough of them are not zero.
  /// Nothing else about a training depends on the answer, but for roundings.
  static bool pays(const Dataset& data);

  /// Packs a data set if that pays.
  static std::optional<SparseSamples> pack(const Dataset& data, ThreadTeam& team);

  /// One sample, from its group `group` on.
  Ink ink(std::size_t sample, std::size_t group = 0) const {
    const std::size_t index = sample * groups_ + group;
    return {bits_.data() + index, values_.data() + begins_[sample] + group_begins_[index]};
  }

 private:
  template <class Value>
  using Array = std::vector<Value, AlignedAllocator<Value>>;

  std::size_t groups_ = 0;
  Array<std::uint64_t> bits_;          // of each group of each sample
  Array<std::uint16_t> group_begins_;  // likewise, in the values of the sample
  Array<std::size_t> begins_;          // of each sample in the values, and their end
  Array<std::uint8_t> values_;
};

/// The samples of a batch that are not as they lie in the data set: augmented, or with dropout of the inputs.
class ChangedSamples {
 public:
  ChangedSamples(std::size_t batch_size, std::size_t inputs);

  /// Puts a sample into a slot.
  void put(std::size_t slot, std::span<const std::uint8_t> pixels);

  /// Puts a sample into a slot, each of its pixels with ink left out with the probability `share`. It may be the one
  /// that is there.
  void thin(std::size_t slot, Ink all, double share, Rng rng);

  Ink ink(std::size_t slot, std::size_t group = 0) const;

 private:
  std::size_t size_;  // of a slot: one more than inputs, since each value is written before it is left out
  std::size_t groups_;
  std::vector<std::uint8_t> values_;
  std::vector<std::uint64_t> bits_;
  std::vector<std::uint16_t> group_begins_;
};

/// What a byte means as a number: byte / 255 * factor, for all 256.
template <class Real>
constexpr std::array<Real, 256> byte_scale(Real factor = Real{1}) {
  std::array<Real, 256> scale{};
  for (std::size_t byte = 0; byte < 256; ++byte) scale[byte] = static_cast<Real>(byte) * (Real{1} / 255) * factor;
  return scale;
}

}  // namespace digitnet::detail
