// histogram.hpp: how often each byte value occurs, and what that tells of ground and ink. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace digitnet::detail {

using Histogram = std::array<std::uint32_t, 256>;

/// Counts some bytes more.
void count_bytes(const std::uint8_t* bytes, std::size_t count, Histogram& counts);

/// The value below which a share of those from `first` to `last` lies.
int quantile(const Histogram& counts, double share, int first = 0, int last = 255);

/// The smallest and the largest value there is; of an empty histogram 255 and 0.
int lowest_value(const Histogram& counts);
int highest_value(const Histogram& counts);

/// Two means: the threshold that lies in the middle between the means of what is above and below it.
/// Begun at the middle of the range, so that little ink on much paper is found too.
struct Classes {
  int threshold = 0;  ///< the first value of the upper class
  double low = 0, high = 0;
};

Classes two_means(const Histogram& counts, int lowest, int highest);

/// Which deviations from the ground are no ink and which are full ink.
struct Strength {
  int none = 0;
  int full = 255;

  /// Deviations become ink, in their place.
  void apply(std::uint8_t* values, std::size_t count) const;
};

/// From what paper's noise can be to what most ink has.
/// @param even  whether the ground is of one value; where it had to be guessed, more is taken for noise
Strength strength_of(const Histogram& deviations, bool even);

}  // namespace digitnet::detail
