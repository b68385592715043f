// batch_norm.hpp: batch normalisation of one layer while it is trained. Internal.
#pragma once

#include <digitnet/tensor.hpp>

#include <cmath>
#include <span>

namespace digitnet::detail {

/// Normalises each unit over the batch, then gives it a scale and a shift that are learned:
///
///     x = (z - mean) / sqrt(variance + epsilon)        y = gamma x + beta
///
/// A range of units is handled at a time, with all samples of the batch; ranges are independent of each other.
/// @see Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
///      Shift (2015), algorithm 1 and section 3
template <class Real>
class BatchNorm {
 public:
  static constexpr double epsilon = 1e-5;

  /// Share of the running mean and variance that a batch replaces.
  static constexpr double momentum = 0.1;

  BatchNorm(std::size_t batch_size, std::size_t units)
      : gamma(zero_vector<Real>(units)),
        beta(zero_vector<Real>(units)),
        running_mean(zero_vector<Real>(units)),
        running_variance(zero_vector<Real>(units)),
        mean_(zero_vector<Real>(units)),
        variance_(zero_vector<Real>(units)),
        inverse_deviation_(zero_vector<Real>(units)),
        x_(zeros<Real>({batch_size, units})) {}

  /// z becomes y, in place, for the units [first, first + z.columns).
  /// @param first_batch  whether gamma and beta are to be chosen so that y = z, and the running values are these
  void forward(MatrixView<Real> z, std::size_t first, bool first_batch);

  /// dL/dy becomes dL/dz, in place.
  /// @param gamma_gradient, beta_gradient  z.columns numbers
  void backward(MatrixView<Real> dy, std::size_t first, std::span<Real> gamma_gradient,
                std::span<Real> beta_gradient);

  /// By how much the weights of a unit are multiplied to have the normalisation in them, by the running values.
  Real scale(std::size_t unit) const {
    return gamma(unit) / std::sqrt(running_variance(unit) + static_cast<Real>(epsilon));
  }

  /// The bias that goes with it.
  Real folded_bias(std::size_t unit, Real bias) const {
    return (bias - running_mean(unit)) * scale(unit) + beta(unit);
  }

  Vector<Real> gamma;  // (units), like all of these
  Vector<Real> beta;
  Vector<Real> running_mean;
  Vector<Real> running_variance;

 private:
  Vector<Real> mean_;  // of the batch, like the next two
  Vector<Real> variance_;
  Vector<Real> inverse_deviation_;
  Matrix<Real> x_;  // (batch, units)
};

}  // namespace digitnet::detail
