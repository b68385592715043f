#include "kernels.hpp"

#include "dispatch.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

namespace digitnet::detail {
namespace {

/// `Count` vectors of `Bytes` bytes, side by side: sums that are independent of each other, so that the processor
/// can work on all while each waits for its own last addition.
template <class Real, std::size_t Bytes, std::size_t Count>
struct Sums {
  using Vector [[gnu::vector_size(Bytes)]] = Real;
  static constexpr std::size_t width = Bytes / sizeof(Real);
  static constexpr std::size_t columns = Count * width;

  Vector sum[Count];

  DIGITNET_INLINE void start_with(const Real* values) {
    for (std::size_t i = 0; i < Count; ++i) {
      sum[i] = Vector{};
      if (values != nullptr) std::memcpy(&sum[i], values + i * width, Bytes);
    }
  }
  DIGITNET_INLINE void add(Real factor, const Real* values) {
    asm("" : "+r"(values));  // one address for all: the compiler would keep a pointer for each vector
    for (std::size_t i = 0; i < Count; ++i) {
      Vector part;
      std::memcpy(&part, values + i * width, Bytes);
      sum[i] += factor * part;
    }
  }
  DIGITNET_INLINE void add(const Sums& other) {
    for (std::size_t i = 0; i < Count; ++i) sum[i] += other.sum[i];
  }
  DIGITNET_INLINE void store(Real* values) const {
    for (std::size_t i = 0; i < Count; ++i) std::memcpy(values + i * width, &sum[i], Bytes);
  }
};

/// Calls take(sums, first) for blocks of columns that cover [0, columns): eight vectors, then four, two, one, then
/// smaller vectors, then single numbers.
template <class Real, std::size_t Bytes, std::size_t Count = 8, class Take>
DIGITNET_INLINE void for_blocks(std::size_t columns, const Take& take, std::size_t first = 0) {
  using Block = Sums<Real, Bytes, Count>;
  for (; first + Block::columns <= columns; first += Block::columns) {
    Block sums;
    take(sums, first);
  }
  if constexpr (Count > 1) {
    for_blocks<Real, Bytes, Count / 2>(columns, take, first);
  } else if constexpr (Bytes > sizeof(Real)) {
    for_blocks<Real, Bytes / 2, 1>(columns, take, first);
  }
}

}  // namespace

template <class Real>
void combine_rows(Real* out, const Real* start, const Real* matrix, std::size_t stride, std::size_t columns,
                  const std::uint16_t* indices, const Real* factors, std::size_t count) {
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for_blocks<Real, Bytes>(columns, [&](auto& sums, std::size_t first) DIGITNET_INLINE_LAMBDA {
      sums.start_with(start == nullptr ? nullptr : start + first);
      if (indices == nullptr) {
        for (std::size_t k = 0; k < count; ++k) sums.add(factors[k], matrix + k * stride + first);
      } else {
        for (std::size_t k = 0; k < count; ++k) sums.add(factors[k], matrix + indices[k] * stride + first);
      }
      sums.store(out + first);
    });
  });
}

template <class Real>
void narrow_product(Real* c, const Real* start, const Real* a, std::size_t row_stride, std::size_t column_stride,
                    const Real* b, std::size_t m, std::size_t count) {
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    using Row = Sums<Real, Bytes, lanes * sizeof(Real) / Bytes>;
    constexpr std::size_t together = Bytes == 64 ? 8 : 4;  // rows whose sums fit into the registers
    std::size_t i = 0;
    for (; i + together <= m; i += together) {
      Row rows[together];
      for (Row& row : rows) row.start_with(start);
      const Real* from = a + i * row_stride;
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t r = 0; r < together; ++r)
          rows[r].add(from[r * row_stride + k * column_stride], b + k * lanes);
      }
      for (std::size_t r = 0; r < together; ++r) rows[r].store(c + (i + r) * lanes);
    }
    for (; i < m; ++i) {
      constexpr std::size_t parts = Bytes == 64 ? 4 : 2;  // of the sum: an addition need not wait for the one before
      Row sums[parts];
      for (std::size_t part = 0; part < parts; ++part) sums[part].start_with(part == 0 ? start : nullptr);
      const Real* const from = a + i * row_stride;
      std::size_t k = 0;
      for (; k + parts <= count; k += parts) {
        for (std::size_t part = 0; part < parts; ++part) {
          sums[part].add(from[(k + part) * column_stride], b + (k + part) * lanes);
        }
      }
      for (; k < count; ++k) sums[0].add(from[k * column_stride], b + k * lanes);
      for (std::size_t part = 1; part < parts; ++part) sums[0].add(sums[part]);
      sums[0].store(c + i * lanes);
    }
  });
}

template <class Real>
void sum_rows(Real* sum, const Real* matrix, std::size_t stride, std::size_t columns, std::size_t count) {
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for_blocks<Real, Bytes>(columns, [&](auto& sums, std::size_t first) DIGITNET_INLINE_LAMBDA {
      sums.start_with(nullptr);
      for (std::size_t k = 0; k < count; ++k) sums.add(Real{1}, matrix + k * stride + first);
      sums.store(sum + first);
    });
  });
}

// Halves of halves: first the two off-diagonal quarters of 32 x 32 change places, then those of 16 x 16 within
// each, down to single bits. Warren, Hacker's Delight (2012), section 7-3.
void transpose_bits(BitSquare& square) {
  std::uint64_t mask = 0x00000000ffffffffu;
  for (std::size_t half = 32; half != 0; half /= 2, mask ^= mask << half) {
    for (std::size_t block = 0; block < 64; block += 2 * half) {
      for (std::size_t i = block; i < block + half; ++i) {
        const std::uint64_t changed = ((square[i] >> half) ^ square[i + half]) & mask;
        square[i] ^= changed << half;
        square[i + half] ^= changed;
      }
    }
  }
}

template <class Real>
void bytes_to_numbers(Real* numbers, std::span<const std::uint8_t> bytes) {
  for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA {
    Real* __restrict const to = numbers;
    for (std::size_t i = 0; i < bytes.size(); ++i) to[i] = static_cast<Real>(bytes[i]) * (Real{1} / 255);
  });
}

namespace {

/// Rows of weights so many bytes apart, or a multiple, push each other out of the first-level cache. For this many
/// samples or more it pays to copy them side by side before they are used.
constexpr std::size_t bad_stride_bytes = 2048;
constexpr std::size_t pack_for_samples = 32;

/// What sparse_product and skipping_product do, for one block of columns.
///
/// @param ink_of  from a sample and a group to {bits, factor}: which inputs are not zero, and what the i-th of them
///                counts for; asked once for each group, in rising order, and for their factors in rising order of i
template <class Sums, class Real, class InkOf>
DIGITNET_INLINE void product_of_block(Sums& sums, Real* z, std::size_t z_stride, const Real* bias,
                                      const Real* weights, std::size_t stride, std::size_t inputs,
                                      std::size_t samples, const InkOf& ink_of) {
  constexpr std::size_t width = Sums::columns;
  const bool packs = samples >= pack_for_samples && stride * sizeof(Real) % bad_stride_bytes == 0;
  alignas(64) std::array<Real, ink_group * width> packed;
  for (std::size_t group = 0; group < ink_groups(inputs); ++group) {
    const Real* rows = weights + group * ink_group * stride;
    std::size_t row_stride = stride;
    if (packs) {
      const std::size_t count = std::min(ink_group, inputs - group * ink_group);
      for (std::size_t i = 0; i < count; ++i) std::copy_n(rows + i * stride, width, packed.data() + i * width);
      rows = packed.data();
      row_stride = width;
    }
    for (std::size_t s = 0; s < samples; ++s) {
      auto [bits, factor] = ink_of(s, group);
      if (bits == 0 && group > 0) continue;
      Real* const target = z + s * z_stride;
      sums.start_with(group > 0 ? target : bias);
      for (; bits != 0; bits &= bits - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(bits));
        sums.add(factor(i), rows + i * row_stride);
      }
      sums.store(target);
    }
  }
}

/// Bits of a group and a function that gives the factor of an input.
template <class Factor>
struct GroupInk {
  std::uint64_t bits;
  Factor factor;
};
template <class Factor>
GroupInk(std::uint64_t, Factor) -> GroupInk<Factor>;

/// The factors of the inputs that are not 0, one after the other.
template <class Real>
struct NextFactor {
  const std::uint8_t* next;
  const Real* scale;
  DIGITNET_INLINE Real operator()(std::size_t) { return scale[*next++]; }
};

/// A byte stands for a number on a scale, a number for itself.
template <class Real>
DIGITNET_INLINE Real factor_of(std::uint8_t value, const Real* scale) {
  return scale[value];
}
template <class Real>
DIGITNET_INLINE Real factor_of(Real value, const Real*) {
  return value;
}

}  // namespace

template <class Real>
void sparse_product(Real* z, std::size_t z_stride, const Real* bias, const Real* weights, std::size_t stride,
                    std::size_t columns, std::size_t inputs, std::span<const Ink> samples, std::span<Ink> scratch,
                    const Real* scale) {
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for_blocks<Real, Bytes>(columns, [&](auto& sums, std::size_t first) DIGITNET_INLINE_LAMBDA {
      std::copy(samples.begin(), samples.end(), scratch.begin());
      product_of_block(sums, z + first, z_stride, bias == nullptr ? nullptr : bias + first, weights + first, stride,
                       inputs, samples.size(), [=](std::size_t s, std::size_t) DIGITNET_INLINE_LAMBDA {
                         Ink& ink = scratch[s];
                         const std::uint64_t bits = *ink.bits++;
                         const std::uint8_t* next = ink.values;
                         ink.values += std::popcount(bits);
                         return GroupInk{bits, NextFactor<Real>{next, scale}};
                       });
    });
  });
}

template <class Real, class Value>
void skipping_product(Real* z, std::size_t z_stride, const Real* bias, const Real* weights, std::size_t stride,
                      std::size_t columns, std::size_t inputs, std::span<const Value* const> samples,
                      const std::uint64_t* bits, const Real* scale) {
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for_blocks<Real, Bytes>(columns, [&](auto& sums, std::size_t first) DIGITNET_INLINE_LAMBDA {
      product_of_block(sums, z + first, z_stride, bias + first, weights + first, stride, inputs, samples.size(),
                       [=](std::size_t s, std::size_t group) DIGITNET_INLINE_LAMBDA {
                         const Value* const sample = samples[s] + group * ink_group;
                         return GroupInk{bits[s * ink_groups(inputs) + group],
                                         [sample, scale](std::size_t i)
                                             DIGITNET_INLINE_LAMBDA { return factor_of(sample[i], scale); }};
                       });
    });
  });
}

template <class Real>
void sparse_gradient(Real* gradient, std::size_t gradient_stride, std::size_t rows, const Real* dz,
                     std::size_t dz_stride, std::size_t columns, const InkByInput& ink, const Real* scale) {
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for_blocks<Real, Bytes>(columns, [&](auto& sums, std::size_t first) DIGITNET_INLINE_LAMBDA {
      std::copy(ink.values.begin(), ink.values.end(), ink.next.begin());
      for (std::size_t block = 0; block < ink.bits.size(); ++block) {
        const std::uint8_t** const next = ink.next.data() + block * 64;
        const Real* const dz_block = dz + block * 64 * dz_stride + first;
        for (std::size_t row = 0; row < rows; ++row) {
          std::uint64_t bits = ink.bits[block][row];
          if (bits == 0 && block > 0) continue;
          Real* const target = gradient + row * gradient_stride + first;
          sums.start_with(block > 0 ? target : nullptr);
          for (; bits != 0; bits &= bits - 1) {
            const auto s = static_cast<std::size_t>(std::countr_zero(bits));
            sums.add(scale[*next[s]++], dz_block + s * dz_stride);
          }
          sums.store(target);
        }
      }
    });
  });
}

// NOLINTBEGIN(bugprone-macro-parentheses): the argument is a type
#define DIGITNET_INSTANTIATE(Real)                                                                                  \
  template void combine_rows(Real*, const Real*, const Real*, std::size_t, std::size_t, const std::uint16_t*,       \
                             const Real*, std::size_t);                                                             \
  template void narrow_product(Real*, const Real*, const Real*, std::size_t, std::size_t, const Real*, std::size_t, \
                               std::size_t);                                                                        \
  template void sum_rows(Real*, const Real*, std::size_t, std::size_t, std::size_t);                                \
  template void sparse_product(Real*, std::size_t, const Real*, const Real*, std::size_t, std::size_t, std::size_t, \
                               std::span<const Ink>, std::span<Ink>, const Real*);                                  \
  template void bytes_to_numbers(Real*, std::span<const std::uint8_t>);                                             \
  template void skipping_product(Real*, std::size_t, const Real*, const Real*, std::size_t, std::size_t,            \
                                 std::size_t, std::span<const std::uint8_t* const>, const std::uint64_t*,           \
                                 const Real*);                                                                      \
  template void skipping_product(Real*, std::size_t, const Real*, const Real*, std::size_t, std::size_t,            \
                                 std::size_t, std::span<const Real* const>, const std::uint64_t*, const Real*);     \
  template void sparse_gradient(Real*, std::size_t, std::size_t, const Real*, std::size_t, std::size_t,             \
                                const InkByInput&, const Real*);
// NOLINTEND(bugprone-macro-parentheses)
DIGITNET_INSTANTIATE(float)
DIGITNET_INSTANTIATE(double)

}  // namespace digitnet::detail
