#include "batch_norm.hpp"

#include <algorithm>

namespace digitnet::detail {

// Loops go along the rows, which lie in memory one unit behind the other.

template <class Real>
void BatchNorm<Real>::forward(MatrixView<Real> z, std::size_t first, bool first_batch) {
  const auto n = static_cast<Real>(z.rows);
  const std::span<Real> mean = values(mean_).subspan(first, z.columns);
  const std::span<Real> variance = values(variance_).subspan(first, z.columns);
  const std::span<Real> inverse_deviation = values(inverse_deviation_).subspan(first, z.columns);
  std::fill(mean.begin(), mean.end(), Real{0});
  std::fill(variance.begin(), variance.end(), Real{0});
  for (std::size_t s = 0; s < z.rows; ++s) {
    const std::span<const Real> row = z.row(s);
    for (std::size_t k = 0; k < z.columns; ++k) mean[k] += row[k];
  }
  for (Real& value : mean) value /= n;
  for (std::size_t s = 0; s < z.rows; ++s) {  // in a second pass: nothing cancels
    const std::span<const Real> row = z.row(s);
    for (std::size_t k = 0; k < z.columns; ++k) variance[k] += (row[k] - mean[k]) * (row[k] - mean[k]);
  }
  const Real unbiased = z.rows > 1 ? n / (n - 1) : Real{1};
  const Real share = first_batch ? Real{1} : static_cast<Real>(momentum);
  for (std::size_t k = 0; k < z.columns; ++k) {
    const std::size_t unit = first + k;
    variance[k] /= n;
    const Real deviation = std::sqrt(variance[k] + static_cast<Real>(epsilon));
    inverse_deviation[k] = Real{1} / deviation;
    running_mean(unit) += share * (mean[k] - running_mean(unit));
    running_variance(unit) += share * (unbiased * variance[k] - running_variance(unit));
    if (first_batch) {
      gamma(unit) = deviation;
      beta(unit) = mean[k];
    }
  }
  for (std::size_t s = 0; s < z.rows; ++s) {
    const std::span<Real> row = z.row(s);
    const std::span<Real> x = digitnet::row(x_, s).subspan(first, z.columns);
    for (std::size_t k = 0; k < z.columns; ++k) {
      x[k] = (row[k] - mean[k]) * inverse_deviation[k];
      row[k] = gamma(first + k) * x[k] + beta(first + k);
    }
  }
}

// With n samples, sums over them:   dbeta = sum dy,   dgamma = sum dy x,
//     dz = gamma / deviation * (dy - (dbeta + x dgamma) / n)
template <class Real>
void BatchNorm<Real>::backward(MatrixView<Real> dy, std::size_t first, std::span<Real> gamma_gradient,
                               std::span<Real> beta_gradient) {
  const auto n = static_cast<Real>(dy.rows);
  std::fill_n(gamma_gradient.begin(), dy.columns, Real{0});
  std::fill_n(beta_gradient.begin(), dy.columns, Real{0});
  for (std::size_t s = 0; s < dy.rows; ++s) {
    const std::span<const Real> row = dy.row(s);
    const std::span<const Real> x = digitnet::row(x_, s).subspan(first, dy.columns);
    for (std::size_t k = 0; k < dy.columns; ++k) {
      beta_gradient[k] += row[k];
      gamma_gradient[k] += row[k] * x[k];
    }
  }
  for (std::size_t s = 0; s < dy.rows; ++s) {
    const std::span<Real> row = dy.row(s);
    const std::span<const Real> x = digitnet::row(x_, s).subspan(first, dy.columns);
    for (std::size_t k = 0; k < dy.columns; ++k) {
      const std::size_t unit = first + k;
      row[k] = gamma(unit) * inverse_deviation_(unit) * (row[k] - (beta_gradient[k] + x[k] * gamma_gradient[k]) / n);
    }
  }
}

template class BatchNorm<float>;
template class BatchNorm<double>;

}  // namespace digitnet::detail
