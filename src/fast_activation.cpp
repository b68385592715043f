#include "fast_activation.hpp"

#include "dispatch.hpp"
#include "kernels.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace digitnet::detail {
namespace {

/// e^x - 1 and e^x for x <= 0, in a form without branches that the compiler can vectorise.
///
/// x = n ln 2 + r with a whole n, |r| <= ln 2 / 2;  q = e^r - 1 by its Taylor series to r^7, whose next term is
/// below 6e-9;  e^x - 1 = 2^n q + (2^n - 1), where nothing cancels. Below -87, where e^x is 1e-38, it counts as 0.
/// NaN stays.
struct Exponential {
  float power;  // 2^n
  float q;

  DIGITNET_INLINE explicit Exponential(float x) {
    constexpr float ln2_high = 0.693359375F;  // few bits, so that n * ln2_high is exact
    constexpr float ln2_low = -2.12194440e-4F;
    constexpr float shift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number, kept in the lowest bits
    const bool vanishes = x < -87.0F;
    x = vanishes ? -87.0F : x;
    const float shifted = x * 1.44269504F + shift;
    const float n = shifted - shift;
    const float r = (x - n * ln2_high) - n * ln2_low;
    const auto scale = std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3f800000u);
    power = vanishes ? 0.0F : scale;
    q = r *
        (1.0F + r * (1.0F / 2 + r * (1.0F / 6 + r * (1.0F / 24 + r * (1.0F / 120 + r * (1.0F / 720 + r / 5040))))));
  }

  DIGITNET_INLINE float minus_one() const { return power * q + (power - 1.0F); }
  DIGITNET_INLINE float value() const { return power * q + power; }
};

DIGITNET_INLINE float fast_sigmoid(float z) {
  const float e = Exponential(-std::abs(z)).value();
  return (z >= 0 ? 1.0F : e) / (1.0F + e);
}

DIGITNET_INLINE float fast_tanh(float z) {
  const float e = Exponential(-2.0F * std::abs(z)).minus_one();
  return std::copysign(-e / (2.0F + e), z);
}

template <class Function>
DIGITNET_INLINE void map_all(std::span<float> values, const Function& f) {
  for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA {
    float* __restrict const v = values.data();
    for (std::size_t i = 0; i < values.size(); ++i) v[i] = f(v[i]);
  });
}

template <class Function>
DIGITNET_INLINE void scale_all(std::span<float> gradient, std::span<const float> kept, const Function& f) {
  for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA {
    float* __restrict const g = gradient.data();
    const float* __restrict const k = kept.data();
    for (std::size_t i = 0; i < gradient.size(); ++i) g[i] *= f(k[i]);
  });
}

/// See activate; in whole vectors, of which the last is filled up with numbers whose exponential is 0.
void fast_softmax(std::span<float> z) {
  using Lanes = std::array<float, lanes>;
  const float largest = *std::max_element(z.begin(), z.end());
  for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA {
    Lanes totals{};
    for (std::size_t first = 0; first < z.size(); first += lanes) {
      Lanes part;
      part.fill(-std::numeric_limits<float>::infinity());
      const std::span<float> values = z.subspan(first, std::min(lanes, z.size() - first));
      std::copy(values.begin(), values.end(), part.begin());
      for (std::size_t i = 0; i < lanes; ++i) part[i] = Exponential(part[i] - largest).value();
      for (std::size_t i = 0; i < lanes; ++i) totals[i] += part[i];
      std::copy_n(part.begin(), values.size(), values.begin());
    }
    float total = 0;
    for (const float part : totals) total += part;
    for (float& value : z) value /= total;
  });
}

}  // namespace

template <>
void fast_activate(Activation activation, std::span<float> z) {
  constexpr auto slope = static_cast<float>(leaky_relu_slope);
  switch (activation) {
    case Activation::identity: return;
    case Activation::sigmoid: return map_all(z, [](float x) DIGITNET_INLINE_LAMBDA { return fast_sigmoid(x); });
    case Activation::tanh: return map_all(z, [](float x) DIGITNET_INLINE_LAMBDA { return fast_tanh(x); });
    case Activation::relu: return map_all(z, [](float x) DIGITNET_INLINE_LAMBDA { return x < 0 ? 0.0F : x; });
    case Activation::leaky_relu:
      return map_all(z, [](float x) DIGITNET_INLINE_LAMBDA { return x > 0 ? x : slope * x; });
    case Activation::elu:
      return map_all(z, [](float x) DIGITNET_INLINE_LAMBDA {
        const float below = Exponential(x > 0 ? 0.0F : x).minus_one();
        return x > 0 ? x : below;
      });
    case Activation::silu: return map_all(z, [](float x) DIGITNET_INLINE_LAMBDA { return x * fast_sigmoid(x); });
    case Activation::softmax: return fast_softmax(z);
    default: return activate(activation, z);
  }
}

template <>
void fast_activation_gradient(Activation activation, std::span<float> gradient, std::span<const float> kept) {
  constexpr auto slope = static_cast<float>(leaky_relu_slope);
  switch (activation) {
    case Activation::identity: return;
    case Activation::sigmoid:
      return scale_all(gradient, kept, [](float a) DIGITNET_INLINE_LAMBDA { return a * (1.0F - a); });
    case Activation::tanh:
      return scale_all(gradient, kept, [](float a) DIGITNET_INLINE_LAMBDA { return 1.0F - a * a; });
    case Activation::relu:
      return scale_all(gradient, kept, [](float a) DIGITNET_INLINE_LAMBDA { return a > 0 ? 1.0F : 0.0F; });
    case Activation::leaky_relu:
      return scale_all(gradient, kept, [](float a) DIGITNET_INLINE_LAMBDA { return a > 0 ? 1.0F : slope; });
    case Activation::elu:
      return scale_all(gradient, kept, [](float a) DIGITNET_INLINE_LAMBDA { return a > 0 ? 1.0F : a + 1.0F; });
    case Activation::silu:
      return scale_all(gradient, kept, [](float z) DIGITNET_INLINE_LAMBDA {
        const float s = fast_sigmoid(z);
        return s + z * s * (1.0F - s);
      });
    default: return activation_gradient(activation, gradient, kept);
  }
}

// In double, used for checks, the plain forms are the only ones.
template <>
void fast_activate(Activation activation, std::span<double> z) {
  activate(activation, z);
}

template <>
void fast_activation_gradient(Activation activation, std::span<double> gradient, std::span<const double> kept) {
  activation_gradient(activation, gradient, kept);
}

}  // namespace digitnet::detail
