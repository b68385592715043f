#include <digitnet/network.hpp>
#include <digitnet/parallel.hpp>

#include "forward.hpp"

#include <algorithm>
#include <utility>

namespace digitnet {
namespace {

using detail::text;

[[noreturn]] void refuse_inputs(const char* where, const std::string& shape, std::size_t inputs) {
  throw ShapeError(text(where, ": input has shape ", shape, ", expected (batch, ", inputs, ")"));
}

template <class Real>
std::size_t sample_count(const Matrix<Real>& images) {
  return images.shape(0);
}

std::size_t sample_count(const Dataset& images) { return images.size(); }

template <class Real>
void require_inputs(const char* where, const Network<Real>& network, const Matrix<Real>& images) {
  if (images.shape(1) != network.inputs()) refuse_inputs(where, shape_text(images), network.inputs());
}

template <class Real>
void require_inputs(const char* where, const Network<Real>& network, const Dataset& images) {
  if (!images.empty() && images.inputs() != network.inputs()) {
    refuse_inputs(where, text("(", images.size(), ", ", images.inputs(), ")"), network.inputs());
  }
}

/// Gives the logits of each sample to take(sample, logits), which may change them.
template <class Real, class Samples, class Take>
void ask(const char* where, const Network<Real>& network, const Samples& images, std::size_t threads,
         const Take& take) {
  require_inputs(where, network, images);
  ThreadTeam team(threads);
  detail::infer<Real>(network, images, team, [&](MatrixView<Real> logits, std::size_t first) {
    for (std::size_t i = 0; i < logits.rows; ++i) take(first + i, logits.row(i));
  });
}

/// The logits of all samples, each row changed by `finish`.
template <class Real, class Samples, class Finish>
Matrix<Real> ask_matrix(const char* where, const Network<Real>& network, const Samples& images, std::size_t threads,
                        const Finish& finish) {
  Matrix<Real> answer = Matrix<Real>::from_shape({sample_count(images), network.outputs()});
  ask(where, network, images, threads, [&](std::size_t sample, std::span<Real> z) {
    finish(z);
    std::copy(z.begin(), z.end(), row(answer, sample).begin());
  });
  return answer;
}

template <class Real, class Samples>
Matrix<Real> ask_forward(const Network<Real>& network, const Samples& images, std::size_t threads) {
  const Activation last = network.layers().back().activation;
  return ask_matrix("forward", network, images, threads,
                    [last](std::span<Real> z) { detail::fast_activate(last, z); });
}

template <class Real, class Samples>
Matrix<Real> ask_probabilities(const Network<Real>& network, const Samples& images, std::size_t threads) {
  const Activation last = network.layers().back().activation;
  detail::require_probabilities("predict_proba", last);
  return ask_matrix("predict_proba", network, images, threads,
                    [last](std::span<Real> z) { detail::to_probabilities(last, z); });
}

template <class Real, class Samples>
Labels ask_labels(const Network<Real>& network, const Samples& images, std::size_t threads) {
  const Activation last = network.layers().back().activation;
  Labels labels = Labels::from_shape({sample_count(images)});
  ask("predict", network, images, threads, [&](std::size_t sample, std::span<Real> z) {
    labels(sample) = static_cast<std::uint8_t>(detail::likeliest(last, z));
  });
  return labels;
}

/// Which last layers a loss goes with. The two cross-entropies have their activation built in; the hinge wants one
/// output 1 above the others, and those of softmax and sigmoid are never further apart.
void check_loss(LossFunction loss, Activation last, std::size_t outputs) {
  const auto refuse = [&](const char* expected) {
    throw ArgumentError(
        text("Network: loss ", name_of(loss), " behind a last layer of ", name_of(last), ", expected ", expected));
  };
  if (loss == LossFunction::softmax_cross_entropy && last != Activation::softmax) {
    refuse("softmax; sum_of_squares and huber go with any");
  }
  if (loss == LossFunction::binary_cross_entropy && last != Activation::sigmoid) {
    refuse("sigmoid; sum_of_squares and huber go with any");
  }
  if (loss != LossFunction::hinge) return;
  if (last == Activation::softmax || last == Activation::sigmoid) {
    refuse("one whose outputs can be more than 1 apart, such as identity");
  }
  if (outputs < 2) throw ArgumentError("Network: loss hinge with 1 output, expected at least 2, to be told apart");
}

}  // namespace

void check_architecture(const Architecture& architecture) {
  const auto& [sizes, activations, loss] = architecture;
  if (sizes.size() < 2 || sizes.size() - 1 > most_layers) {
    throw ArgumentError(text("Network: ", sizes.size(), " sizes, expected 2 to ", most_layers + 1,
                             ": the inputs, then the units of each layer"));
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 1 || sizes[i] > most_units) {
      throw ArgumentError(text("Network: ", i == 0 ? std::string("inputs") : text("layer ", i - 1), " of size ",
                               sizes[i], ", expected 1 to ", most_units));
    }
  }
  if (sizes.back() > 256) {
    throw ArgumentError(text("Network: ", sizes.back(), " outputs, expected at most 256, since labels are bytes"));
  }
  if (activations.size() != sizes.size() - 1) {
    throw ArgumentError(
        text("Network: ", activations.size(), " activations, expected ", sizes.size() - 1, ", one for each layer"));
  }
  for (std::size_t i = 0; i + 1 < activations.size(); ++i) {
    if (activations[i] == Activation::softmax) {
      throw ArgumentError(text("Network: softmax in layer ", i, ", expected it in the last layer only"));
    }
  }
  check_loss(loss, activations.back(), sizes.back());
}

template <class Real>
Network<Real>::Network(const Architecture& architecture) : loss_(architecture.loss) {
  check_architecture(architecture);
  for (std::size_t i = 0; i < architecture.activations.size(); ++i) {
    layers_.push_back({zeros<Real>({architecture.sizes[i], architecture.sizes[i + 1]}),
                       zero_vector<Real>(architecture.sizes[i + 1]), architecture.activations[i]});
  }
}

template <class Real>
Network<Real>::Network(const Architecture& architecture, Rng& rng, std::optional<Initializer> initializer)
    : Network(architecture) {
  for (Dense<Real>& layer : layers_) {
    layer.weights = initial_weights<Real>(initializer.value_or(default_initializer(layer.activation)), layer.inputs(),
                                          layer.outputs(), rng);
  }
}

template <class Real>
Network<Real>::Network(std::vector<std::size_t> sizes, Activation hidden, Rng& rng, Activation output,
                       LossFunction loss, std::optional<Initializer> initializer)
    : Network(
          [&] {
            Architecture architecture{std::move(sizes), {}, loss};
            const std::size_t layers = std::max<std::size_t>(architecture.sizes.size(), 2) - 1;
            architecture.activations.assign(std::min(layers, most_layers), hidden);
            architecture.activations.back() = output;
            return architecture;
          }(),
          rng, initializer) {}

template <class Real>
Network<Real>::Network(const Network& other) = default;
template <class Real>
Network<Real>::Network(Network&& other) noexcept = default;
template <class Real>
Network<Real>& Network<Real>::operator=(const Network& other) = default;
template <class Real>
Network<Real>& Network<Real>::operator=(Network&& other) noexcept = default;
template <class Real>
Network<Real>::~Network() = default;

template <class Real>
std::size_t Network<Real>::inputs() const {
  return layers_.front().inputs();
}

template <class Real>
std::size_t Network<Real>::outputs() const {
  return layers_.back().outputs();
}

template <class Real>
const Dense<Real>& Network<Real>::layer(std::size_t index) const {
  if (index >= layers_.size()) {
    throw ArgumentError(text("Network::layer: layer ", index, ", expected one below ", layers_.size()));
  }
  return layers_[index];
}

template <class Real>
Dense<Real>& Network<Real>::layer(std::size_t index) {
  return const_cast<Dense<Real>&>(std::as_const(*this).layer(index));
}

template <class Real>
Architecture Network<Real>::architecture() const {
  Architecture architecture{{inputs()}, {}, loss_};
  for (const Dense<Real>& layer : layers_) {
    architecture.sizes.push_back(layer.outputs());
    architecture.activations.push_back(layer.activation);
  }
  return architecture;
}

template <class Real>
std::size_t Network<Real>::parameter_count() const {
  std::size_t count = 0;
  for (const Dense<Real>& layer : layers_) count += layer.parameter_count();
  return count;
}

template <class Real>
Matrix<Real> Network<Real>::logits(const Matrix<Real>& images, std::size_t threads) const {
  return ask_matrix("logits", *this, images, threads, [](std::span<Real>) {});
}

template <class Real>
Matrix<Real> Network<Real>::logits(const Dataset& images, std::size_t threads) const {
  return ask_matrix("logits", *this, images, threads, [](std::span<Real>) {});
}

template <class Real>
Matrix<Real> Network<Real>::forward(const Matrix<Real>& images, std::size_t threads) const {
  return ask_forward(*this, images, threads);
}

template <class Real>
Matrix<Real> Network<Real>::forward(const Dataset& images, std::size_t threads) const {
  return ask_forward(*this, images, threads);
}

template <class Real>
Matrix<Real> Network<Real>::predict_proba(const Matrix<Real>& images, std::size_t threads) const {
  return ask_probabilities(*this, images, threads);
}

template <class Real>
Matrix<Real> Network<Real>::predict_proba(const Dataset& images, std::size_t threads) const {
  return ask_probabilities(*this, images, threads);
}

template <class Real>
Labels Network<Real>::predict(const Matrix<Real>& images, std::size_t threads) const {
  return ask_labels(*this, images, threads);
}

template <class Real>
Labels Network<Real>::predict(const Dataset& images, std::size_t threads) const {
  return ask_labels(*this, images, threads);
}

template <class Real>
std::vector<Matrix<Real>> Network<Real>::activations(const Matrix<Real>& images) const {
  require_inputs("activations", *this, images);
  std::vector<Matrix<Real>> activations;
  for (const Dense<Real>& layer : layers_) {
    activations.push_back(layer.forward(activations.empty() ? images : activations.back()));
  }
  return activations;
}

template struct Dense<float>;
template struct Dense<double>;
template class Network<float>;
template class Network<double>;

}  // namespace digitnet
