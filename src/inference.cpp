#include <digitnet/inference.hpp>

#include "forward.hpp"
#include "quantized.hpp"
#include "sparse_samples.hpp"

#include <algorithm>
#include <utility>

namespace digitnet {

namespace {

/// The questions, for whatever knows the logits of a sample.
template <class Logits>
struct Questions : Logits {
  using Logits::Logits;

  template <class Value>
  auto checked_logits(std::span<const Value> sample) {
    if (sample.size() != this->inputs()) {
      throw ShapeError(detail::text(Logits::name, ": ", sample.size(), " inputs, expected ", this->inputs()));
    }
    return this->logits(sample);
  }

  template <class Value>
  auto forward(std::span<const Value> sample) {
    const auto z = checked_logits(sample);
    detail::fast_activate(this->last_activation(), z);
    return z;
  }

  template <class Value>
  auto predict_proba(std::span<const Value> sample) {
    detail::require_probabilities("predict_proba", this->last_activation());
    const auto z = checked_logits(sample);
    detail::to_probabilities(this->last_activation(), z);
    return z;
  }

  template <class Value>
  std::size_t predict(std::span<const Value> sample) {
    return detail::likeliest(this->last_activation(), checked_logits(sample));
  }
};

template <class Real>
struct FloatLogits {
  static constexpr const char* name = "Predictor";

  explicit FloatLogits(Network<Real> asked) : network(std::move(asked)), pass(network, 1) {}

  std::size_t inputs() const { return network.inputs(); }
  Activation last_activation() const { return network.layers().back().activation; }

  template <class Value>
  std::span<Real> logits(std::span<const Value> sample) {
    return pass.logits(sample);
  }

  Network<Real> network;
  detail::ForwardPass<Real> pass;  // refers to the network here
};

class QuantizedLogits {
 public:
  static constexpr const char* name = "QuantizedPredictor";

  explicit QuantizedLogits(const Network<float>& network)
      : activations_(network.architecture().activations), sizes_(network.architecture().sizes) {
    const std::size_t depth = network.layers().size();
    const bool narrow = depth > 1 && network.outputs() <= detail::lanes;
    for (std::size_t i = 0; i < depth; ++i) {
      if (narrow && i + 1 == depth) {
        last_.emplace(network.layers()[i]);
      } else {
        layers_.emplace_back(network.layers()[i], i);
      }
    }
    const std::size_t widest = detail::padded(*std::max_element(sizes_.begin(), sizes_.end()));
    bytes_.resize(widest);
    bits_.resize(detail::ink_groups(widest));
    sums_ = zero_vector<std::int32_t>(widest);
    a_ = zero_vector<float>(widest);
    next_ = zero_vector<float>(widest);
  }

  std::size_t inputs() const { return sizes_.front(); }
  std::size_t outputs() const { return sizes_.back(); }
  Activation last_activation() const { return activations_.back(); }

  std::size_t parameter_bytes() const {
    std::size_t bytes = last_ ? (last_->weights.size() + last_->bias.size()) * sizeof(float) : 0;
    for (const detail::QuantizedLayer& layer : layers_) bytes += layer.size();
    return bytes;
  }

  std::span<float> logits(std::span<const std::uint8_t> sample) {
    if (sample.size() % 4 != 0) {  // the layer reads whole quads
      std::copy(sample.begin(), sample.end(), bytes_.begin());
      sample = std::span(bytes_).first(sample.size());
    }
    return run({sample, 1.0F / 255, 0});
  }

  std::span<float> logits(std::span<const float> sample) { return run(detail::to_bytes(sample, bytes_)); }

 private:
  std::span<float> run(detail::ByteInputs x) {
    std::span<float> a;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (i > 0) x = detail::to_bytes(a, bytes_);
      a = values(a_).first(layers_[i].outputs());
      layers_[i].preactivation(x, bits_.data(), sums_.data(), a);
      if (i + 1 < sizes_.size() - 1) detail::fast_activate(activations_[i], a);
    }
    if (!last_) return a;
    detail::narrow_product<float>(next_.data(), last_->bias.data(), a.data(), 0, 1, last_->weights.data(), 1,
                                  a.size());
    return values(next_).first(outputs());
  }

  std::vector<Activation> activations_;
  std::vector<std::size_t> sizes_;
  std::vector<detail::QuantizedLayer> layers_;
  std::optional<detail::NarrowLayer<float>> last_;
  std::vector<std::uint8_t> bytes_;  // inputs of a layer, and room for the rest of a quad
  std::vector<std::uint64_t> bits_;
  Vector<std::int32_t> sums_;
  Vector<float> a_;
  Vector<float> next_;
};

}  // namespace

template <class Real>
struct Predictor<Real>::State : Questions<FloatLogits<Real>> {
  using Questions<FloatLogits<Real>>::Questions;
};

struct QuantizedPredictor::State : Questions<QuantizedLogits> {
  using Questions<QuantizedLogits>::Questions;
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

QuantizedPredictor::QuantizedPredictor(const Network<float>& network) : state_(std::make_unique<State>(network)) {}
QuantizedPredictor::QuantizedPredictor(const QuantizedPredictor& other)
    : state_(std::make_unique<State>(*other.state_)) {}
QuantizedPredictor& QuantizedPredictor::operator=(const QuantizedPredictor& other) {
  return *this = QuantizedPredictor(other);
}
QuantizedPredictor::QuantizedPredictor(QuantizedPredictor&& other) noexcept = default;
QuantizedPredictor& QuantizedPredictor::operator=(QuantizedPredictor&& other) noexcept = default;
QuantizedPredictor::~QuantizedPredictor() = default;

std::size_t QuantizedPredictor::inputs() const { return state_->inputs(); }
std::size_t QuantizedPredictor::outputs() const { return state_->outputs(); }
std::size_t QuantizedPredictor::parameter_bytes() const { return state_->parameter_bytes(); }

std::span<const float> QuantizedPredictor::forward(std::span<const std::uint8_t> pixels) {
  return state_->forward(pixels);
}
std::span<const float> QuantizedPredictor::forward(std::span<const float> inputs) { return state_->forward(inputs); }
std::span<const float> QuantizedPredictor::predict_proba(std::span<const std::uint8_t> pixels) {
  return state_->predict_proba(pixels);
}
std::span<const float> QuantizedPredictor::predict_proba(std::span<const float> inputs) {
  return state_->predict_proba(inputs);
}
std::size_t QuantizedPredictor::predict(std::span<const std::uint8_t> pixels) { return state_->predict(pixels); }
std::size_t QuantizedPredictor::predict(std::span<const float> inputs) { return state_->predict(inputs); }

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
