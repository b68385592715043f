#include "sparse_samples.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace digitnet::detail {
namespace {

/// Samples that are packed by one thread at a time.
constexpr std::size_t piece_samples = 2048;

/// The density of a data set, from a thousand samples spread over it.
double estimate_density(const Dataset& data) {
  const std::size_t step = std::max<std::size_t>(1, data.size() / 1000);
  std::size_t ink = 0;
  std::size_t pixels = 0;
  for (std::size_t sample = 0; sample < data.size(); sample += step) {
    const auto all = data.pixels(sample);
    ink += all.size() - static_cast<std::size_t>(std::count(all.begin(), all.end(), std::uint8_t{0}));
    pixels += data.inputs();
  }
  return static_cast<double>(ink) / static_cast<double>(pixels);
}

#if defined(__SSE2__)
/// Bit i is set if byte i of 64 is not zero.
std::uint64_t bits_of_group(const std::uint8_t* bytes) {
  std::uint64_t zeros = 0;
  for (std::size_t i = 0; i < ink_group; i += 16) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + i));
    const int are_zero = _mm_movemask_epi8(_mm_cmpeq_epi8(sixteen, _mm_setzero_si128()));
    zeros |= static_cast<std::uint64_t>(are_zero) << i;
  }
  return ~zeros;
}
#else
std::uint64_t bits_of_group(const std::uint8_t* bytes) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t low_seven = 0x7f7f7f7f7f7f7f7fu;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < ink_group; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i, 8);
    word = ((word | ((word & low_seven) + low_seven)) & ~low_seven) >> 7;  // 1 in each byte that is not zero
    bits |= ((word * 0x0102040810204080u) >> 56) << i;                     // the eight ones side by side
  }
  return bits;
}
#endif

template <class Value>
void find_ink_of(std::span<const Value> inputs, std::uint64_t* bits) {
  for (std::size_t first = 0; first < inputs.size(); first += ink_group) {
    std::array<std::uint8_t, ink_group> is_ink{};
    const Value* const from = inputs.data() + first;
    if (first + ink_group <= inputs.size()) {
      for (std::size_t i = 0; i < ink_group; ++i) is_ink[i] = from[i] != Value{0} ? 1 : 0;
    } else {
      for (std::size_t i = 0; i < inputs.size() - first; ++i) is_ink[i] = from[i] != Value{0} ? 1 : 0;
    }
    *bits++ = bits_of_group(is_ink.data());
  }
}

std::span<const std::uint8_t> group_of(std::span<const std::uint8_t> pixels, std::size_t group) {
  return pixels.subspan(group * ink_group, std::min(ink_group, pixels.size() - group * ink_group));
}

}  // namespace

std::uint64_t ink_bits(std::span<const std::uint8_t> pixels) {
  if (pixels.size() == ink_group) return bits_of_group(pixels.data());
  std::array<std::uint8_t, ink_group> filled_up{};
  std::copy(pixels.begin(), pixels.end(), filled_up.begin());
  return bits_of_group(filled_up.data());
}

void find_ink(std::span<const std::uint8_t> inputs, std::uint64_t* bits) {
  const std::size_t whole = inputs.size() / ink_group;
  for (std::size_t group = 0; group < whole; ++group) bits[group] = bits_of_group(inputs.data() + group * ink_group);
  if (whole * ink_group < inputs.size()) bits[whole] = ink_bits(inputs.subspan(whole * ink_group));
}

void find_ink(std::span<const float> inputs, std::uint64_t* bits) { find_ink_of(inputs, bits); }
void find_ink(std::span<const double> inputs, std::uint64_t* bits) { find_ink_of(inputs, bits); }

bool SparseSamples::pays(const Dataset& data) {
  return data.has_bytes() && !data.empty() && data.inputs() > 0 && data.inputs() <= most_listed_inputs &&
         estimate_density(data) <= largest_sparse_density;
}

std::optional<SparseSamples> SparseSamples::pack(const Dataset& data, ThreadTeam& team) {
  if (!pays(data)) return std::nullopt;
  SparseSamples packed;
  packed.groups_ = ink_groups(data.inputs());
  packed.bits_.resize(data.size() * packed.groups_);
  packed.group_begins_.resize(packed.bits_.size());
  packed.begins_.resize(data.size() + 1);
  const std::size_t pieces = (data.size() + piece_samples - 1) / piece_samples;
  const auto for_samples = [&](auto&& visit) {
    team.run(pieces, [&](std::size_t piece, std::size_t) {
      const std::size_t last = std::min(data.size(), (piece + 1) * piece_samples);
      for (std::size_t sample = piece * piece_samples; sample < last; ++sample) visit(sample);
    });
  };
  for_samples([&](std::size_t sample) {
    std::size_t count = 0;
    for (std::size_t group = 0; group < packed.groups_; ++group) {
      const std::uint64_t bits = ink_bits(group_of(data.pixels(sample), group));
      packed.bits_[sample * packed.groups_ + group] = bits;
      packed.group_begins_[sample * packed.groups_ + group] = static_cast<std::uint16_t>(count);
      count += static_cast<std::size_t>(std::popcount(bits));
    }
    packed.begins_[sample + 1] = count;
  });
  for (std::size_t sample = 0; sample < data.size(); ++sample) packed.begins_[sample + 1] += packed.begins_[sample];
  packed.values_.resize(packed.begins_.back());
  for_samples([&](std::size_t sample) {
    std::uint8_t* next = packed.values_.data() + packed.begins_[sample];
    for (const std::uint8_t pixel : data.pixels(sample)) {
      if (pixel != 0) *next++ = pixel;
    }
  });
  return packed;
}

ChangedSamples::ChangedSamples(std::size_t batch_size, std::size_t inputs)
    : size_(inputs + 1),
      groups_(ink_groups(inputs)),
      values_(batch_size * size_),
      bits_(batch_size * groups_),
      group_begins_(batch_size * groups_) {}

void ChangedSamples::put(std::size_t slot, std::span<const std::uint8_t> pixels) {
  std::uint8_t* const kept = values_.data() + slot * size_;
  std::size_t count = 0;
  for (std::size_t group = 0; group < groups_; ++group) {
    const std::span<const std::uint8_t> of_group = group_of(pixels, group);
    bits_[slot * groups_ + group] = ink_bits(of_group);
    group_begins_[slot * groups_ + group] = static_cast<std::uint16_t>(count);
    for (const std::uint8_t pixel : of_group) {  // written before it is known whether it counts: no branch
      kept[count] = pixel;
      count += pixel != 0 ? 1 : 0;
    }
  }
}

void ChangedSamples::thin(std::size_t slot, Ink all, double share, Rng rng) {
  const std::uint8_t* value = all.values;
  std::uint8_t* const kept = values_.data() + slot * size_;
  std::size_t count = 0;
  for (std::size_t group = 0; group < groups_; ++group) {
    group_begins_[slot * groups_ + group] = static_cast<std::uint16_t>(count);
    std::uint64_t kept_bits = 0;
    for (std::uint64_t bits = all.bits[group]; bits != 0; bits &= bits - 1) {
      kept[count] = *value++;
      if (rng.uniform() < share) continue;
      kept_bits |= bits & (~bits + 1);  // the lowest bit
      ++count;
    }
    bits_[slot * groups_ + group] = kept_bits;
  }
}

Ink ChangedSamples::ink(std::size_t slot, std::size_t group) const {
  const std::size_t index = slot * groups_ + group;
  return {bits_.data() + index, values_.data() + slot * size_ + group_begins_[index]};
}

}  // namespace digitnet::detail
