#include <digitnet/network.hpp>
#include <digitnet/parallel.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace digitnet {
namespace {

using detail::text;

/// Samples passed through a network at a time: their activations stay in the cache, and the product of
/// matrices is large enough to be fast.
constexpr std::size_t block_rows = 256;

template <class Real>
void require_inputs(const char* where, const Network<Real>& network, std::size_t inputs, const std::string& shape) {
  if (inputs != network.inputs()) {
    throw ShapeError(text(where, ": input has shape ", shape, ", expected (batch, ", network.inputs(), ")"));
  }
}

template <class Real>
detail::CopySample<Real> copier(const Matrix<Real>& images) {
  return [&images](std::size_t index, std::span<Real> target) {
    const std::span<const Real> sample = row(images, index);
    std::copy(sample.begin(), sample.end(), target.begin());
  };
}

template <class Real>
detail::CopySample<Real> copier(const Dataset& images) {
  return [&images](std::size_t index, std::span<Real> target) { images.copy_sample(index, target); };
}

template <class Real>
std::size_t sample_count(const Matrix<Real>& images) {
  return images.shape(0);
}

std::size_t sample_count(const Dataset& images) { return images.size(); }

/// Logits of all samples, each row then changed by `finish`.
template <class Real, class Samples, class Finish>
Matrix<Real> ask(const char* where, const Network<Real>& network, const Samples& images, std::size_t threads,
                 Finish finish) {
  if constexpr (std::is_same_v<Samples, Dataset>) {
    if (!images.empty()) {
      require_inputs(where, network, images.inputs(), text("(", images.size(), ", ", images.inputs(), ")"));
    }
  } else {
    require_inputs(where, network, images.shape(1), shape_text(images));
  }
  Matrix<Real> answer = Matrix<Real>::from_shape({sample_count(images), network.outputs()});
  ThreadTeam team(threads);
  detail::infer<Real>(network, sample_count(images), copier<Real>(images), team,
                      [&](detail::ForwardPass<Real>& pass, std::size_t first, std::size_t count) {
                        for (std::size_t i = 0; i < count; ++i) {
                          const std::span<Real> from = row(pass.a.back(), i);
                          const std::span<Real> to = row(answer, first + i);
                          std::copy(from.begin(), from.end(), to.begin());
                          finish(to);
                        }
                      });
  return answer;
}

template <class Real, class Samples>
Matrix<Real> ask_forward(const Network<Real>& network, const Samples& images, std::size_t threads) {
  const Activation last = network.layers().back().activation;
  return ask("forward", network, images, threads, [last](std::span<Real> z) { activate(last, z); });
}

template <class Real, class Samples>
Matrix<Real> ask_probabilities(const Network<Real>& network, const Samples& images, std::size_t threads) {
  const Activation last = network.layers().back().activation;
  if (last != Activation::softmax && last != Activation::sigmoid) {
    throw ArgumentError(text("predict_proba: the last layer is ", name_of(last),
                             ", expected softmax or sigmoid; forward gives its outputs as they are"));
  }
  return ask("predict_proba", network, images, threads, [last](std::span<Real> z) {
    activate(last, z);
    if (last == Activation::softmax) return;
    Real sum = 0;
    for (const Real value : z) sum += value;
    // Sigmoids far below zero may all round to nothing; then nothing is known.
    for (Real& value : z) value = sum > 0 ? value / sum : Real{1} / static_cast<Real>(z.size());
  });
}

template <class Real, class Samples>
Labels ask_labels(const Network<Real>& network, const Samples& images, std::size_t threads) {
  // Only gelu and silu change the order of their inputs; the others may round two of them to one number.
  const Activation last = network.layers().back().activation;
  const Matrix<Real> outputs = ask("predict", network, images, threads, [last](std::span<Real> z) {
    if (needs_preactivation(last)) activate(last, z);
  });
  Labels labels = Labels::from_shape({outputs.shape(0)});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span<const Real> z = row(outputs, i);
    labels(i) = static_cast<std::uint8_t>(std::max_element(z.begin(), z.end()) - z.begin());
  }
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
  return ask("logits", *this, images, threads, [](std::span<Real>) {});
}

template <class Real>
Matrix<Real> Network<Real>::logits(const Dataset& images, std::size_t threads) const {
  return ask("logits", *this, images, threads, [](std::span<Real>) {});
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
  require_inputs("activations", *this, images.shape(1), shape_text(images));
  std::vector<Matrix<Real>> activations;
  for (const Dense<Real>& layer : layers_) {
    activations.push_back(layer.forward(activations.empty() ? images : activations.back()));
  }
  return activations;
}

namespace detail {

template <class Real>
ForwardPass<Real>::ForwardPass(const Network<Real>& network, std::size_t rows) {
  a.push_back(Matrix<Real>::from_shape({rows, network.inputs()}));
  for (const Dense<Real>& layer : network.layers()) {
    a.push_back(Matrix<Real>::from_shape({rows, layer.outputs()}));
    z.push_back(Matrix<Real>::from_shape({needs_preactivation(layer.activation) ? rows : 0, layer.outputs()}));
  }
}

template <class Real>
void ForwardPass<Real>::run(const Network<Real>& network, std::size_t first, std::size_t count, bool first_done) {
  const std::size_t depth = network.layers().size();
  for (std::size_t i = 0; i < depth; ++i) {
    const Dense<Real>& layer = network.layer(i);
    if (i > 0 || !first_done) {
      affine<Real>(layer, view(a[i]).rows_from(first, count), view(a[i + 1]).rows_from(first, count));
    }
    for (std::size_t sample = first; sample < first + count; ++sample) {
      const std::span<Real> values = row(a[i + 1], sample);
      if (z[i].shape(0) > 0) std::copy(values.begin(), values.end(), row(z[i], sample).begin());
      if (i + 1 < depth) activate(layer.activation, values);
    }
  }
}

template <class Real>
void infer(const Network<Real>& network, std::size_t count, const CopySample<Real>& copy, ThreadTeam& team,
           const TakeBlock<Real>& take) {
  const std::size_t blocks = (count + block_rows - 1) / block_rows;
  const std::size_t workers = blocks > 1 ? team.size() : 1;
  std::vector<ForwardPass<Real>> passes(workers, ForwardPass<Real>(network, std::min(count, block_rows)));
  const SingleThreadedBlas guard;  // also for one worker: the sums inside BLAS may depend on its threads
  team.run(blocks, [&](std::size_t block, std::size_t worker) {
    ForwardPass<Real>& pass = passes[worker];
    const std::size_t first = block * block_rows;
    const std::size_t rows = std::min(block_rows, count - first);
    for (std::size_t i = 0; i < rows; ++i) copy(first + i, row(pass.a.front(), i));
    pass.run(network, 0, rows);
    take(pass, first, rows);
  });
}

template struct ForwardPass<float>;
template struct ForwardPass<double>;
template void infer<float>(const Network<float>&, std::size_t, const CopySample<float>&, ThreadTeam&,
                           const TakeBlock<float>&);
template void infer<double>(const Network<double>&, std::size_t, const CopySample<double>&, ThreadTeam&,
                            const TakeBlock<double>&);

}  // namespace detail

template struct Dense<float>;
template struct Dense<double>;
template class Network<float>;
template class Network<double>;

}  // namespace digitnet
