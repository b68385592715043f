#include <digitnet/inference.hpp>

#include "forward.hpp"

#include <algorithm>
#include <utility>

namespace digitnet {

template <class Real>
struct Predictor<Real>::State {
  explicit State(Network<Real> asked) : network(std::move(asked)), pass(network, 1) {}

  template <class Value>
  std::span<Real> logits(std::span<const Value> sample) {
    if (sample.size() != network.inputs()) {
      throw ShapeError(detail::text("Predictor: ", sample.size(), " inputs, expected ", network.inputs()));
    }
    return pass.logits(sample);
  }

  template <class Value>
  std::span<const Real> forward(std::span<const Value> sample) {
    const std::span<Real> z = logits(sample);
    detail::fast_activate(network.layers().back().activation, z);
    return z;
  }

  template <class Value>
  std::span<const Real> predict_proba(std::span<const Value> sample) {
    const Activation last = network.layers().back().activation;
    detail::require_probabilities("predict_proba", last);
    const std::span<Real> z = logits(sample);
    detail::to_probabilities(last, z);
    return z;
  }

  template <class Value>
  std::size_t predict(std::span<const Value> sample) {
    return detail::likeliest(network.layers().back().activation, logits(sample));
  }

  Network<Real> network;
  detail::ForwardPass<Real> pass;  // refers to the network here
};

template <class Real>
Predictor<Real>::Predictor(Network<Real> network) : state_(std::make_unique<State>(std::move(network))) {}

template <class Real>
Predictor<Real>::Predictor(const Predictor& other) : Predictor(other.network()) {}

template <class Real>
Predictor<Real>& Predictor<Real>::operator=(const Predictor& other) {
  return *this = Predictor(other);
}

template <class Real>
Predictor<Real>::Predictor(Predictor&& other) noexcept = default;
template <class Real>
Predictor<Real>& Predictor<Real>::operator=(Predictor&& other) noexcept = default;
template <class Real>
Predictor<Real>::~Predictor() = default;

template <class Real>
const Network<Real>& Predictor<Real>::network() const {
  return state_->network;
}

template <class Real>
std::span<const Real> Predictor<Real>::forward(std::span<const std::uint8_t> pixels) {
  return state_->forward(pixels);
}

template <class Real>
std::span<const Real> Predictor<Real>::forward(std::span<const Real> inputs) {
  return state_->forward(inputs);
}

template <class Real>
std::span<const Real> Predictor<Real>::predict_proba(std::span<const std::uint8_t> pixels) {
  return state_->predict_proba(pixels);
}

template <class Real>
std::span<const Real> Predictor<Real>::predict_proba(std::span<const Real> inputs) {
  return state_->predict_proba(inputs);
}

template <class Real>
std::size_t Predictor<Real>::predict(std::span<const std::uint8_t> pixels) {
  return state_->predict(pixels);
}

template <class Real>
std::size_t Predictor<Real>::predict(std::span<const Real> inputs) {
  return state_->predict(inputs);
}

template class Predictor<float>;
template class Predictor<double>;

Classifier::Classifier(Network<float> network) : network_(std::move(network)) {
  if (network_.inputs() != mnist_side * mnist_side) {
    throw ShapeError(detail::text("Classifier: the network takes ", network_.inputs(), " inputs, expected ",
                                  mnist_side * mnist_side, ", one for each pixel of 28 x 28"));
  }
  network_.predict_proba(zeros<float>({0, network_.inputs()}));  // says now if there are no probabilities
}

Prediction Classifier::classify(const MnistImage& image) const {
  Prediction prediction;
  prediction.image = image;
  if (std::all_of(image.begin(), image.end(), [](std::uint8_t pixel) { return pixel == 0; })) return prediction;
  Matrix<float> input = Matrix<float>::from_shape({1, image.size()});
  std::transform(image.begin(), image.end(), input.begin(),
                 [](std::uint8_t pixel) { return static_cast<float>(pixel) * (1.0F / 255); });
  const Matrix<float> probabilities = network_.predict_proba(input);
  prediction.probabilities.assign(probabilities.begin(), probabilities.end());
  const auto likeliest = std::max_element(probabilities.begin(), probabilities.end());
  prediction.digit = static_cast<std::size_t>(likeliest - probabilities.begin());
  prediction.probability = *likeliest;
  return prediction;
}

}  // namespace digitnet
