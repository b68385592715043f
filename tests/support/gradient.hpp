// gradient.hpp: gradients estimated from values alone, to compare the exact ones with.
#pragma once

#include <digitnet/tensor.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace digitnet::test {

/// The gradient of a value with respect to each number of a matrix or vector of double.
///
/// (f(x + h) - f(x - h)) / 2h is wrong by about h^2 / 6 times the third derivative, 2e-11 for h = 1e-5, and
/// by the rounding of f over h, 1e-11 for values around 1: hence the limit of 1e-6 for gradients not below 1e-4.
///
/// @param at        where; changed during the call, and as before after it
/// @param value_at  the value, computed anew from `at` by each call
template <class Array, class Function>
Array central_difference(Array& at, Function value_at, double step = 1e-5) {
  Array gradient = Array::from_shape(at.shape());
  for (std::size_t i = 0; i < at.size(); ++i) {
    double& number = values(at)[i];
    const double before = number;
    number = before + step;
    const double above = value_at();
    number = before - step;
    const double below = value_at();
    number = before;
    values(gradient)[i] = (above - below) / (2 * step);
  }
  return gradient;
}

/// The Euclidean norm of the difference, as a share of the larger of the two norms; 0 if both are 0.
template <class Array, class Other>
double relative_error(const Array& a, const Other& b) {
  if (a.size() != b.size()) return INFINITY;
  double difference = 0;
  double size_of_a = 0;
  double size_of_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a.data()[i]);
    const auto y = static_cast<double>(b.data()[i]);
    difference += (x - y) * (x - y);
    size_of_a += x * x;
    size_of_b += y * y;
  }
  const double larger = std::max(size_of_a, size_of_b);
  return larger == 0 ? 0 : std::sqrt(difference / larger);
}

}  // namespace digitnet::test
