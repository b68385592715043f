// layer.hpp: one dense layer: parameters, forward, backward.
#pragma once

#include <digitnet/activation.hpp>
#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <algorithm>

namespace digitnet {

/// Gradients of the loss with respect to what a layer holds and what it was given.
template <class Real>
struct DenseGradients {
  Matrix<Real> weights;  ///< (inputs, outputs)
  Vector<Real> bias;     ///< (outputs)
  Matrix<Real> input;    ///< (batch, inputs)
};

/// A fully connected layer, a = f(x W + b). It holds parameters and nothing else: what a training must
/// remember of a batch is the training's, so many threads may share one layer.
template <class Real>
struct Dense {
  Matrix<Real> weights;  ///< (inputs, outputs)
  Vector<Real> bias;     ///< (outputs)
  Activation activation = Activation::identity;

  std::size_t inputs() const { return weights.shape(0); }
  std::size_t outputs() const { return weights.shape(1); }
  std::size_t parameter_count() const { return weights.size() + bias.size(); }

  /// z = x W + b.
  /// @param x  (batch, inputs)
  /// @throws ShapeError  if x does not have inputs() columns
  Matrix<Real> preactivation(const Matrix<Real>& x) const;

  /// a = f(x W + b), shape (batch, outputs).
  /// @throws ShapeError  if x does not have inputs() columns
  Matrix<Real> forward(const Matrix<Real>& x) const;

  /// The gradients of a batch, from dL/dz:  dW = x^T dz,  db = the sum of the rows of dz,  dx = dz W^T.
  /// @param x   (batch, inputs), what forward was given
  /// @param dz  (batch, outputs), the gradient with respect to z; see activation_gradient
  /// @throws ShapeError  if the shapes do not fit the layer and each other
  /// @see Goodfellow, Bengio, Courville, Deep Learning (2016), algorithm 6.4
  DenseGradients<Real> backward(const Matrix<Real>& x, const Matrix<Real>& dz) const;
};

namespace detail {

/// z = x W + b in place: each row starts as the bias, the product is added to it.
template <class Real>
void affine(const Dense<Real>& layer, MatrixView<const Real> x, MatrixView<Real> z) {
  for (std::size_t sample = 0; sample < z.rows; ++sample) {
    std::copy(layer.bias.data(), layer.bias.data() + layer.bias.size(), z.row(sample).data());
  }
  gemm<Real>(Real{1}, x, Transpose::no, view(layer.weights), Transpose::no, Real{1}, z);
}

/// sum += each row of `rows`
template <class Real>
void add_rows(MatrixView<const Real> rows, std::span<Real> sum) {
  for (std::size_t sample = 0; sample < rows.rows; ++sample) {
    const std::span<const Real> values = rows.row(sample);
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += values[k];
  }
}

}  // namespace detail

template <class Real>
Matrix<Real> Dense<Real>::preactivation(const Matrix<Real>& x) const {
  if (x.shape(1) != inputs()) {
    throw ShapeError(
        detail::text("Dense::forward: input has shape ", shape_text(x), ", expected (batch, ", inputs(), ")"));
  }
  Matrix<Real> z = Matrix<Real>::from_shape({x.shape(0), outputs()});
  detail::affine(*this, view(x), view(z));
  return z;
}

template <class Real>
Matrix<Real> Dense<Real>::forward(const Matrix<Real>& x) const {
  Matrix<Real> a = preactivation(x);
  for (std::size_t sample = 0; sample < a.shape(0); ++sample) activate(activation, row(a, sample));
  return a;
}

template <class Real>
DenseGradients<Real> Dense<Real>::backward(const Matrix<Real>& x, const Matrix<Real>& dz) const {
  if (x.shape(1) != inputs() || dz.shape(1) != outputs() || x.shape(0) != dz.shape(0)) {
    throw ShapeError(detail::text("Dense::backward: input ", shape_text(x), " and gradient ", shape_text(dz),
                                  ", expected (batch, ", inputs(), ") and (batch, ", outputs(), ")"));
  }
  DenseGradients<Real> gradients{Matrix<Real>::from_shape(weights.shape()), zero_vector<Real>(outputs()),
                                 Matrix<Real>::from_shape(x.shape())};
  gemm<Real>(Real{1}, view(x), Transpose::yes, view(dz), Transpose::no, Real{0}, view(gradients.weights));
  detail::add_rows<Real>(view(dz), values(gradients.bias));
  gemm<Real>(Real{1}, view(dz), Transpose::no, view(weights), Transpose::yes, Real{0}, view(gradients.input));
  return gradients;
}

extern template struct Dense<float>;
extern template struct Dense<double>;

}  // namespace digitnet
