// reference_network.hpp: what a network computes, one sample at a time, in plain loops and in double. Slow and
// easy to check against the formulas; every faster path of the library is compared with it.
#pragma once

#include <digitnet/dataset.hpp>
#include <digitnet/network.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <vector>

namespace digitnet::test {

using Numbers = std::vector<double>;

inline double reference_activation(Activation activation, double z) {
  switch (activation) {
    case Activation::sigmoid: return 1 / (1 + std::exp(-z));
    case Activation::tanh: return std::tanh(z);
    case Activation::relu: return std::max(z, 0.0);
    case Activation::leaky_relu: return z > 0 ? z : 0.01 * z;
    case Activation::elu: return z > 0 ? z : std::exp(z) - 1;
    case Activation::gelu: return z * (1 + std::erf(z / std::numbers::sqrt2)) / 2;
    case Activation::silu: return z / (1 + std::exp(-z));
    case Activation::softplus: return std::log(1 + std::exp(z));
    default: return z;
  }
}

inline double reference_derivative(Activation activation, double z) {
  const double sigmoid = 1 / (1 + std::exp(-z));
  switch (activation) {
    case Activation::sigmoid: return sigmoid * (1 - sigmoid);
    case Activation::tanh: return 1 - std::tanh(z) * std::tanh(z);
    case Activation::relu: return z > 0 ? 1 : 0;
    case Activation::leaky_relu: return z > 0 ? 1 : 0.01;
    case Activation::elu: return z > 0 ? 1 : std::exp(z);
    case Activation::gelu:
      return (1 + std::erf(z / std::numbers::sqrt2)) / 2 + z * std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    case Activation::silu: return sigmoid + z * sigmoid * (1 - sigmoid);
    case Activation::softplus: return sigmoid;
    default: return 1;
  }
}

inline Numbers reference_activations(Activation activation, Numbers z) {
  if (activation == Activation::softmax) {
    const double largest = *std::max_element(z.begin(), z.end());
    double total = 0;
    for (const double value : z) total += std::exp(value - largest);
    for (double& value : z) value = std::exp(value - largest) / total;
  } else {
    for (double& value : z) value = reference_activation(activation, value);
  }
  return z;
}

/// Everything that one sample makes of a network.
struct ReferencePass {
  std::vector<Numbers> z;  ///< pre-activations of each layer
  std::vector<Numbers> a;  ///< a[0] the inputs, a[i + 1] the activations of layer i
};

template <class Real>
ReferencePass reference_pass(const Network<Real>& network, const Numbers& inputs) {
  ReferencePass pass{{}, {inputs}};
  for (const Dense<Real>& layer : network.layers()) {
    Numbers z(layer.outputs());
    for (std::size_t j = 0; j < z.size(); ++j) {
      z[j] = static_cast<double>(layer.bias(j));
      for (std::size_t i = 0; i < layer.inputs(); ++i) {
        z[j] += pass.a.back()[i] * static_cast<double>(layer.weights(i, j));
      }
    }
    pass.a.push_back(reference_activations(layer.activation, z));
    pass.z.push_back(std::move(z));
  }
  return pass;
}

/// One sample of a data set as a network of Real sees it.
template <class Real>
Numbers reference_inputs(const Dataset& data, std::size_t sample) {
  std::vector<Real> numbers(data.inputs());
  data.copy_sample(sample, std::span<Real>(numbers));
  return {numbers.begin(), numbers.end()};
}

/// Pre-activations of the last layer, (batch, outputs).
template <class Real>
Matrix<double> reference_logits(const Network<Real>& network, const Matrix<Real>& inputs) {
  Matrix<double> logits = zeros<double>({inputs.shape(0), network.outputs()});
  for (std::size_t n = 0; n < inputs.shape(0); ++n) {
    const Numbers z = reference_pass(network, {row(inputs, n).begin(), row(inputs, n).end()}).z.back();
    std::copy(z.begin(), z.end(), row(logits, n).begin());
  }
  return logits;
}

/// Activations of one layer, (batch, units).
template <class Real>
Matrix<double> reference_layer(const Network<Real>& network, const Matrix<Real>& inputs, std::size_t layer) {
  Matrix<double> activations = zeros<double>({inputs.shape(0), network.layer(layer).outputs()});
  for (std::size_t n = 0; n < inputs.shape(0); ++n) {
    const Numbers a = reference_pass(network, {row(inputs, n).begin(), row(inputs, n).end()}).a[layer + 1];
    std::copy(a.begin(), a.end(), row(activations, n).begin());
  }
  return activations;
}

/// The loss of one sample, as its definition says: from the activations, cross-entropies by their logarithms.
inline double reference_loss(LossFunction loss, const ReferencePass& pass, std::size_t label) {
  const Numbers& a = pass.a.back();
  if (loss == LossFunction::softmax_cross_entropy) return -std::log(a[label]);
  double sum = 0;
  double largest_other = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double distance = std::abs(a[k] - (k == label ? 1 : 0));
    if (k != label) largest_other = std::max(largest_other, a[k]);
    if (loss == LossFunction::sum_of_squares || (loss == LossFunction::huber && distance <= 1)) {
      sum += distance * distance / 2;
    } else if (loss == LossFunction::huber) {
      sum += distance - 0.5;
    } else if (loss == LossFunction::binary_cross_entropy) {
      sum -= std::log(1 - distance);
    }
  }
  return loss == LossFunction::hinge ? std::max(0.0, 1 + largest_other - a[label]) : sum;
}

/// dL/da of one sample, for the losses of the activations.
inline Numbers reference_loss_derivative(LossFunction loss, const Numbers& a, std::size_t label) {
  Numbers da = a;
  da[label] -= 1;
  if (loss == LossFunction::huber) {
    for (double& difference : da) difference = std::min(std::max(difference, -1.0), 1.0);
  } else if (loss == LossFunction::hinge) {
    std::fill(da.begin(), da.end(), 0.0);
    std::size_t rival = label == 0 ? 1 : 0;
    for (std::size_t k = 0; k < a.size(); ++k) rival = k != label && a[k] > a[rival] ? k : rival;
    if (1 + a[rival] - a[label] > 0) {
      da[rival] = 1;
      da[label] = -1;
    }
  }
  return da;
}

/// The mean loss of a data set and its gradient with respect to every parameter, by back-propagation.
struct ReferenceGradients {
  double loss = 0;
  std::vector<Matrix<double>> weights;
  std::vector<Vector<double>> bias;
};

template <class Real>
ReferenceGradients reference_gradients(const Network<Real>& network, const Dataset& data) {
  ReferenceGradients mean;
  for (const Dense<Real>& layer : network.layers()) {
    mean.weights.push_back(zeros<double>({layer.inputs(), layer.outputs()}));
    mean.bias.push_back(zero_vector<double>(layer.outputs()));
  }
  const auto share = 1 / static_cast<double>(data.size());
  for (std::size_t n = 0; n < data.size(); ++n) {
    const ReferencePass pass = reference_pass(network, reference_inputs<Real>(data, n));
    mean.loss += share * reference_loss(network.loss(), pass, data.label(n));

    // dL/dz of the last layer. Softmax and cross-entropy together give a - t, as do sigmoid and binary
    // cross-entropy; otherwise dL/da goes through the derivative of the activation, for softmax the matrix
    // da_j/dz_k = a_j ([j = k] - a_k).
    const Numbers& a = pass.a.back();
    const Activation last = network.layers().back().activation;
    const Numbers da = reference_loss_derivative(network.loss(), a, data.label(n));
    Numbers dz = da;
    for (std::size_t k = 0; k < dz.size() && !loss_takes_logits(network.loss()); ++k) {
      if (last == Activation::softmax) {
        dz[k] = 0;
        for (std::size_t j = 0; j < a.size(); ++j) dz[k] += da[j] * a[j] * ((j == k ? 1 : 0) - a[k]);
      } else {
        dz[k] *= reference_derivative(last, pass.z.back()[k]);
      }
    }
    for (std::size_t l = network.layers().size(); l-- > 0;) {
      const Dense<Real>& layer = network.layer(l);
      Numbers below(layer.inputs());
      for (std::size_t j = 0; j < layer.outputs(); ++j) {
        mean.bias[l](j) += share * dz[j];
        for (std::size_t i = 0; i < layer.inputs(); ++i) {
          mean.weights[l](i, j) += share * pass.a[l][i] * dz[j];
          below[i] += static_cast<double>(layer.weights(i, j)) * dz[j];
        }
      }
      if (l == 0) break;
      for (std::size_t i = 0; i < below.size(); ++i) {
        below[i] *= reference_derivative(network.layer(l - 1).activation, pass.z[l - 1][i]);
      }
      dz = std::move(below);
    }
  }
  return mean;
}

}  // namespace digitnet::test
