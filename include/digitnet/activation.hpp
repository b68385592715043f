// activation.hpp: element-wise functions and their derivatives.
#pragma once

#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace digitnet {

/// What a layer does to its pre-activations z. Softmax works on the whole row and is for the last layer.
enum class Activation { identity, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, softplus, softmax };

/// Names as they stand in model files, on the command line and in Python; in the order of the enumeration.
inline constexpr std::array<std::string_view, 10> activation_names{
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "softmax"};

/// Slope of leaky_relu for z < 0. Maas, Hannun, Ng, Rectifier Nonlinearities Improve Neural Network Acoustic
/// Models (2013).
inline constexpr double leaky_relu_slope = 0.01;

namespace detail {

/// How many characters have to be changed, put in or left out to make one name the other.
/// Levenshtein, Binary Codes Capable of Correcting Deletions, Insertions, and Reversals (1966)
inline std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);  // distances from what was read of `from` to each beginning of `to`
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({changed, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

/// "; did you mean "adam"?" for a name that is at most two slips away from a known one, else nothing.
template <std::size_t Count>
std::string name_hint(const std::array<std::string_view, Count>& names, std::string_view name) {
  const std::size_t slips = std::min<std::size_t>(2, name.size() / 2);
  if (name.size() > 40) return "";  // no slip of the pen
  const auto nearest = std::min_element(names.begin(), names.end(), [name](std::string_view a, std::string_view b) {
    return edit_distance(name, a) < edit_distance(name, b);
  });
  return edit_distance(name, *nearest) <= slips ? text("; did you mean \"", *nearest, "\"?") : "";
}

/// The value of a fixed table of names. Nothing is ever looked up by name anywhere else.
/// @param where  who asks, for the message; empty if the caller says it
template <class Enumeration, std::size_t Count>
Enumeration from_name(const char* what, const std::array<std::string_view, Count>& names, std::string_view name,
                      std::string_view where) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    std::string known;
    for (const std::string_view each : names) known.append(known.empty() ? "" : ", ").append(each);
    throw ArgumentError(text(where, where.empty() ? "" : ": ", what, " \"", shortened(name), "\", expected one of ",
                             known, name_hint(names, name)));
  }
  return static_cast<Enumeration>(found - names.begin());
}

template <class Real>
Real sigmoid(Real z) {  // exp of a negative number only: no overflow on either side
  const Real e = std::exp(-std::abs(z));
  return (z >= 0 ? Real{1} : e) / (Real{1} + e);
}

/// The standard normal distribution function, the factor of GELU.
template <class Real>
Real normal_cdf(Real z) {
  return Real{0.5} * std::erfc(-z * static_cast<Real>(1 / std::numbers::sqrt2));
}

template <class Real>
Real normal_density(Real z) {
  return static_cast<Real>(std::numbers::inv_sqrtpi / std::numbers::sqrt2) * std::exp(Real{-0.5} * z * z);
}

/// values[i] = f(values[i])
template <class Real, class Function>
void map(std::span<Real> values, Function f) {
  for (Real& value : values) value = f(value);
}

/// gradient[i] *= f(values[i])
template <class Real, class Function>
void scale(std::span<Real> gradient, std::span<const Real> values, Function f) {
  for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] *= f(values[i]);
}

}  // namespace detail

inline std::string_view name_of(Activation activation) {
  return activation_names[static_cast<std::size_t>(activation)];
}

/// @param where  who asks, to begin the message with
/// @throws ArgumentError  if there is no activation of this name; the message lists them
inline Activation activation_from_name(std::string_view name, std::string_view where = {}) {
  return detail::from_name<Activation>("activation", activation_names, name, where);
}

/// Whether the derivative needs z; for the others the activation a is enough and z can be overwritten.
inline bool needs_preactivation(Activation activation) {
  return activation == Activation::gelu || activation == Activation::silu;
}

/// One row of pre-activations z becomes activations a, in place.
///
///     identity  z                     sigmoid     1 / (1 + e^-z)
///     tanh      tanh z                relu        max(z, 0)         Nair and Hinton (2010)
///     elu       z, e^z - 1 below 0    leaky_relu  z, 0.01 z below 0
///     gelu      z Phi(z)              silu        z sigmoid(z)      Hendrycks and Gimpel (2016), both
///     softplus  ln(1 + e^z)           softmax     e^z_k / sum_j e^z_j
///
/// ELU: Clevert, Unterthiner, Hochreiter (2016). Nothing overflows for any finite z; NaN stays NaN, so that
/// a training sees that it diverged.
template <class Real>
void activate(Activation activation, std::span<Real> z) {
  switch (activation) {
    case Activation::identity: return;
    case Activation::sigmoid: return detail::map(z, [](Real x) { return detail::sigmoid(x); });
    case Activation::tanh: return detail::map(z, [](Real x) { return std::tanh(x); });
    case Activation::relu: return detail::map(z, [](Real x) { return x < 0 ? Real{0} : x; });
    case Activation::leaky_relu:
      return detail::map(z, [](Real x) { return x > 0 ? x : static_cast<Real>(leaky_relu_slope) * x; });
    case Activation::elu: return detail::map(z, [](Real x) { return x > 0 ? x : std::expm1(x); });
    case Activation::gelu: return detail::map(z, [](Real x) { return x * detail::normal_cdf(x); });
    case Activation::silu: return detail::map(z, [](Real x) { return x * detail::sigmoid(x); });
    case Activation::softplus:
      return detail::map(z, [](Real x) { return std::max(x, Real{0}) + std::log1p(std::exp(-std::abs(x))); });
    case Activation::softmax: {
      const Real largest = *std::max_element(z.begin(), z.end());
      Real total = 0;
      for (Real& x : z) total += x = std::exp(x - largest);
      for (Real& x : z) x /= total;
      return;
    }
  }
}

/// One row of dL/da becomes dL/dz, in place.
///
/// @param gradient  dL/da on entry, dL/dz on return
/// @param kept      z if needs_preactivation(activation), else a; as many as gradient
template <class Real>
void activation_gradient(Activation activation, std::span<Real> gradient, std::span<const Real> kept) {
  switch (activation) {
    case Activation::identity: return;
    case Activation::sigmoid: return detail::scale(gradient, kept, [](Real a) { return a * (Real{1} - a); });
    case Activation::tanh: return detail::scale(gradient, kept, [](Real a) { return Real{1} - a * a; });
    case Activation::relu: return detail::scale(gradient, kept, [](Real a) { return a > 0 ? Real{1} : Real{0}; });
    case Activation::leaky_relu:
      return detail::scale(gradient, kept,
                           [](Real a) { return a > 0 ? Real{1} : static_cast<Real>(leaky_relu_slope); });
    case Activation::elu: return detail::scale(gradient, kept, [](Real a) { return a > 0 ? Real{1} : a + Real{1}; });
    case Activation::gelu:
      return detail::scale(gradient, kept,
                           [](Real z) { return detail::normal_cdf(z) + z * detail::normal_density(z); });
    case Activation::silu:
      return detail::scale(gradient, kept, [](Real z) {
        const Real s = detail::sigmoid(z);
        return s + z * s * (Real{1} - s);
      });
    case Activation::softplus: return detail::scale(gradient, kept, [](Real a) { return -std::expm1(-a); });
    case Activation::softmax: {  // dL/dz_k = a_k (dL/da_k - sum_j a_j dL/da_j)
      Real mean = 0;
      for (std::size_t k = 0; k < kept.size(); ++k) mean += kept[k] * gradient[k];
      for (std::size_t k = 0; k < kept.size(); ++k) gradient[k] = kept[k] * (gradient[k] - mean);
      return;
    }
  }
}

}  // namespace digitnet
