#include <digitnet/inference.hpp>

#include "kernels.hpp"
#include "sparse_samples.hpp"

#include <algorithm>

namespace digitnet {

template <class Real>
Predictor<Real>::Predictor(Network<Real> network) : network_(std::move(network)) {
  for (const Dense<Real>& layer : network_.layers()) a_.push_back(zero_vector<Real>(detail::padded(layer.outputs())));
  const std::size_t listed = std::min(network_.inputs(), detail::most_listed_inputs);
  indices_.resize(listed);
  bytes_.resize(listed);
  numbers_.resize(network_.inputs());
  const Dense<Real>& last = network_.layers().back();
  if (network_.layers().size() > 1 && last.outputs() <= detail::lanes) {
    last_weights_ = zeros<Real>({last.inputs(), detail::lanes});
    last_bias_ = zero_vector<Real>(detail::lanes);
    for (std::size_t i = 0; i < last.inputs(); ++i) {
      std::copy_n(row(last.weights, i).data(), last.outputs(), row(last_weights_, i).data());
    }
    std::copy_n(last.bias.data(), last.outputs(), last_bias_.data());
  }
}

template <class Real>
void Predictor<Real>::require_inputs(std::size_t count) const {
  if (count != network_.inputs()) {
    throw ShapeError(detail::text("Predictor: ", count, " inputs, expected ", network_.inputs()));
  }
}

/// From the pre-activations of the first layer to the logits.
template <class Real>
std::span<Real> Predictor<Real>::run_layers() {
  const std::vector<Dense<Real>>& layers = network_.layers();
  for (std::size_t i = 1; i < layers.size(); ++i) {
    const Dense<Real>& layer = layers[i];
    const std::span<Real> x = values(a_[i - 1]).subspan(0, layer.inputs());
    detail::fast_activate<Real>(layers[i - 1].activation, x);
    if (i + 1 == layers.size() && last_bias_.size() > 0) {
      detail::narrow_product<Real>(a_[i].data(), last_bias_.data(), x.data(), 0, 1, last_weights_.data(), 1,
                                   x.size());
    } else {
      detail::combine_rows<Real>(a_[i].data(), layer.bias.data(), layer.weights.data(), layer.outputs(),
                                 layer.outputs(), nullptr, x.data(), x.size());
    }
  }
  return values(a_.back()).subspan(0, network_.outputs());
}

template <class Real>
std::span<Real> Predictor<Real>::logits(std::span<const std::uint8_t> pixels) {
  require_inputs(pixels.size());
  static constexpr std::array<Real, 256> scale = detail::byte_scale<Real>();
  if (pixels.size() > detail::most_listed_inputs) {
    std::transform(pixels.begin(), pixels.end(), numbers_.begin(), [](std::uint8_t byte) { return scale[byte]; });
    return logits(std::span<const Real>(numbers_));
  }
  const Dense<Real>& first = network_.layers().front();
  const std::size_t count = detail::list_ink(pixels, indices_.data(), bytes_.data());
  detail::combine_rows<Real>(a_.front().data(), first.bias.data(), first.weights.data(), first.outputs(),
                             first.outputs(), indices_.data(), bytes_.data(), count, scale.data());
  return run_layers();
}

template <class Real>
std::span<Real> Predictor<Real>::logits(std::span<const Real> inputs) {
  require_inputs(inputs.size());
  const Dense<Real>& first = network_.layers().front();
  std::size_t count = 0;
  const bool listed = inputs.size() <= detail::most_listed_inputs;
  if (listed) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {  // without a branch: ink is hard to foretell
      indices_[count] = static_cast<std::uint16_t>(i);
      numbers_[count] = inputs[i];
      count += inputs[i] != Real{0} ? 1 : 0;
    }
  }
  detail::combine_rows<Real>(a_.front().data(), first.bias.data(), first.weights.data(), first.outputs(),
                             first.outputs(), listed ? indices_.data() : nullptr,
                             listed ? numbers_.data() : inputs.data(), listed ? count : inputs.size());
  return run_layers();
}

template <class Real>
std::span<const Real> Predictor<Real>::activated(std::span<Real> z) const {
  activate(network_.layers().back().activation, z);
  return z;
}

/// By z where that is the same order, as Network::predict does: activations may round two of them to one number.
template <class Real>
std::size_t Predictor<Real>::likeliest(std::span<Real> z) const {
  if (needs_preactivation(network_.layers().back().activation)) activated(z);
  return static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin());
}

template <class Real>
std::span<const Real> Predictor<Real>::forward(std::span<const std::uint8_t> pixels) {
  return activated(logits(pixels));
}

template <class Real>
std::span<const Real> Predictor<Real>::forward(std::span<const Real> inputs) {
  return activated(logits(inputs));
}

template <class Real>
std::size_t Predictor<Real>::predict(std::span<const std::uint8_t> pixels) {
  return likeliest(logits(pixels));
}

template <class Real>
std::size_t Predictor<Real>::predict(std::span<const Real> inputs) {
  return likeliest(logits(inputs));
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
