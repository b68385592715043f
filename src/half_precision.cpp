#include "half_precision.hpp"

#include "dispatch.hpp"
#include "kernels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace digitnet::detail {

float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const float magnitude = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                          : exponent == 31 ? (fraction == 0 ? HUGE_VALF : NAN)
                                           : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

std::uint16_t float_to_half(double value) {
  const double magnitude = std::abs(value);
  const int exponent = std::clamp(std::ilogb(magnitude), -14, 16);  // -14 for all that has less than 11 bits
  // In units of the last place; 1024 of them go to the next exponent, so a carry needs no care.
  const double units = std::nearbyint(std::ldexp(magnitude, 10 - exponent));
  const double bits = std::min(1024.0 * (exponent + 14) + units, 31 * 1024.0);
  return static_cast<std::uint16_t>(static_cast<int>(bits) | (std::signbit(value) ? 0x8000 : 0));
}

namespace {

#if defined(__x86_64__)

/// What the loops share.
struct Rows {
  float* out;
  const float* start;
  const std::uint16_t* matrix;
  std::size_t stride;
  const std::uint16_t* indices;
  const float* factors;
  std::size_t count;
};

/// Count vectors of columns from column `first` on; sums that are independent of each other, as in combine_rows.
template <std::size_t Count>
[[gnu::target("avx512f")]] void block_avx512(const Rows& rows, std::size_t first) {
  __m512 sums[Count];
  for (std::size_t i = 0; i < Count; ++i) sums[i] = _mm512_loadu_ps(rows.start + first + 16 * i);
  for (std::size_t k = 0; k < rows.count; ++k) {
    const __m512 factor = _mm512_set1_ps(rows.factors[k]);
    const auto* const row = reinterpret_cast<const __m256i*>(rows.matrix + rows.indices[k] * rows.stride + first);
    for (std::size_t i = 0; i < Count; ++i) {
      // Without a mask GCC's header warns of a vector that it leaves uninitialised (bug 105593).
      const __m512 weights = _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(row + i));
      sums[i] += factor * weights;  // fused or not as in combine_rows: that is the compiler's choice
    }
  }
  for (std::size_t i = 0; i < Count; ++i) _mm512_storeu_ps(rows.out + first + 16 * i, sums[i]);
}

template <std::size_t Count>
[[gnu::target("avx2,fma,f16c")]] void block_avx2(const Rows& rows, std::size_t first) {
  __m256 sums[Count];
  for (std::size_t i = 0; i < Count; ++i) sums[i] = _mm256_loadu_ps(rows.start + first + 8 * i);
  for (std::size_t k = 0; k < rows.count; ++k) {
    const __m256 factor = _mm256_set1_ps(rows.factors[k]);
    const auto* const row = reinterpret_cast<const __m128i*>(rows.matrix + rows.indices[k] * rows.stride + first);
    for (std::size_t i = 0; i < Count; ++i) {
      sums[i] += factor * _mm256_cvtph_ps(_mm_loadu_si128(row + i));
    }
  }
  for (std::size_t i = 0; i < Count; ++i) _mm256_storeu_ps(rows.out + first + 8 * i, sums[i]);
}

/// Wide blocks as long as there are columns for them, then narrow ones.
template <class Wide, class Narrow>
void for_columns(std::size_t columns, std::size_t wide, const Wide& take_wide, const Narrow& take_narrow) {
  std::size_t first = 0;
  for (; first + wide <= columns; first += wide) take_wide(first);
  for (; first < columns; first += lanes) take_narrow(first);
}

bool converts_halves() {
  if (processor_simd() != Simd::avx2) return processor_simd() == Simd::avx512;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;  // Clang's __builtin_cpu_supports does not know of f16c
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

#endif

}  // namespace

std::optional<HalfRows> HalfRows::of(const Dense<float>& layer) {
#if defined(__x86_64__)
  if (!converts_halves()) return {};
  HalfRows rows;
  rows.columns_ = padded(layer.outputs());
  rows.weights_ = zero_vector<std::uint16_t>(layer.inputs() * rows.columns_);
  rows.bias_ = zero_vector<float>(rows.columns_);
  for (std::size_t i = 0; i < layer.inputs(); ++i) {
    const std::span<const float> weights = row(layer.weights, i);
    for (std::size_t j = 0; j < weights.size(); ++j) {
      const std::uint16_t half = float_to_half(weights[j]);
      if (std::bit_cast<std::uint32_t>(half_to_float(half)) != std::bit_cast<std::uint32_t>(weights[j])) return {};
      rows.weights_(i * rows.columns_ + j) = half;
    }
  }
  std::copy_n(layer.bias.data(), layer.outputs(), rows.bias_.data());
  return rows;
#else
  static_cast<void>(layer);
  return {};
#endif
}

void HalfRows::combine(float* out, const std::uint16_t* indices, const float* factors, std::size_t count) const {
#if defined(__x86_64__)
  const Rows rows{out, bias_.data(), weights_.data(), columns_, indices, factors, count};
  if (processor_simd() == Simd::avx512) {
    for_columns(
        columns_, 8 * lanes, [&](std::size_t first) { block_avx512<8>(rows, first); },
        [&](std::size_t first) { block_avx512<1>(rows, first); });
  } else {
    for_columns(
        columns_, 4 * lanes, [&](std::size_t first) { block_avx2<8>(rows, first); },
        [&](std::size_t first) { block_avx2<2>(rows, first); });
  }
#else
  static_cast<void>(out), static_cast<void>(indices), static_cast<void>(factors), static_cast<void>(count);
#endif
}

}  // namespace digitnet::detail
