#include "forward.hpp"

#include "sparse_samples.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>
#include <utility>

namespace digitnet::detail {
namespace {

/// Samples passed through the network at a time: enough for BLAS to be quick.
constexpr std::size_t block_rows = 256;
/// For up to this many samples BLAS takes longer to begin than loops to end.
constexpr std::size_t few_rows = 8;
/// Up to this share of numbers that are not zero, skipping the others takes less time than BLAS: it breaks even
/// between 0.4 and 0.7 for 32 to 1024 units.
constexpr double largest_skipped_density = 0.5;
/// Samples of a block that are looked at to estimate that share.
constexpr std::size_t looked_at = 8;

std::size_t count_bits(std::span<const std::uint64_t> bits) {
  std::size_t count = 0;
  for (const std::uint64_t word : bits) count += static_cast<std::size_t>(std::popcount(word));
  return count;
}

}  // namespace

template <class Real>
NarrowLayer<Real>::NarrowLayer(const Dense<Real>& layer)
    : weights(zeros<Real>({layer.inputs(), lanes})), bias(zero_vector<Real>(lanes)) {
  for (std::size_t i = 0; i < layer.inputs(); ++i) {
    std::copy_n(row(layer.weights, i).data(), layer.outputs(), row(weights, i).data());
  }
  std::copy_n(layer.bias.data(), layer.outputs(), bias.data());
}

HalfLayers::HalfLayers(const Network<float>& network) : layers_(network.layers().size()) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Dense<float>& layer = network.layers()[i];
    const bool is_narrow = i > 0 && i + 1 == layers_.size() && layer.outputs() <= lanes;
    if (!is_narrow && layer.inputs() <= most_listed_inputs) layers_[i] = HalfRows::of(layer);
  }
}

template <class Real>
ForwardPass<Real>::ForwardPass(const Network<Real>& network, std::size_t rows, const HalfLayers* halves)
    : network_(network),
      halves_(halves),
      bytes_(rows),
      numbers_(rows),
      bits_(rows * ink_groups(network.inputs())),
      x_(Matrix<Real>::from_shape({rows, network.inputs()})) {
  const std::vector<Dense<Real>>& layers = network.layers();
  if (layers.size() > 1 && network.outputs() <= lanes) narrow_.emplace(layers.back());
  std::size_t most = 0;
  for (const Dense<Real>& layer : layers) {
    most = std::max(most, std::min(layer.inputs(), most_listed_inputs));
    const bool is_narrow = narrow_ && &layer == &layers.back();
    // Whole vectors may be written; what goes beyond a row is written before the next one.
    const std::size_t size = is_narrow ? rows * lanes : (rows - 1) * layer.outputs() + padded(layer.outputs());
    a_.push_back(Vector<Real>::from_shape({size}));
  }
  listed_.resize(most + 1);
  factors_.resize(most + 1);
}

template <class Real>
MatrixView<Real> ForwardPass<Real>::activations(std::size_t layer, std::size_t count) {
  const std::size_t units = network_.layers()[layer].outputs();
  const bool is_narrow = narrow_ && layer + 1 == a_.size();
  return {a_[layer].data(), count, units, is_narrow ? lanes : units};
}

/// z = x W + b
template <class Real>
void ForwardPass<Real>::product(const Dense<Real>& layer, MatrixView<const Real> x, MatrixView<Real> z) {
  if (narrow_ && &layer == &network_.layers().back()) {
    narrow_product<Real>(z.data, narrow_->bias.data(), x.data, x.stride, 1, narrow_->weights.data(), x.rows,
                         x.columns);
  } else if (x.rows > few_rows) {
    affine<Real>(layer, x, z);
  } else {
    for (std::size_t i = 0; i < x.rows; ++i) add_rows(layer, x.row(i), z.row(i));
  }
}

template <class Real>
const HalfRows* ForwardPass<Real>::halves_of(const Dense<Real>& layer) const {
  if (halves_ == nullptr) return nullptr;
  return halves_->at(static_cast<std::size_t>(&layer - network_.layers().data()));
}

/// The inputs of one sample that are not zero and what they count for, into listed_ and factors_.
/// @return  how many
template <class Real>
template <class Value>
std::size_t ForwardPass<Real>::list(std::span<const Value> x) {
  static constexpr std::array<Real, 256> scale = byte_scale<Real>();
  std::size_t count = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {  // written before it is known whether it counts: no branch
    listed_[count] = static_cast<std::uint16_t>(i);
    if constexpr (std::is_same_v<Value, std::uint8_t>) {
      factors_[count] = scale[x[i]];
    } else {
      factors_[count] = x[i];
    }
    count += x[i] != Value{0} ? 1 : 0;
  }
  return count;
}

/// The same for one sample. Most of what relu leaves is zero, and rows of weights that count nothing need not be read.
template <class Real>
void ForwardPass<Real>::add_rows(const Dense<Real>& layer, std::span<const Real> x, std::span<Real> z) {
  if (x.size() > most_listed_inputs) {
    combine_rows<Real>(z.data(), layer.bias.data(), layer.weights.data(), layer.outputs(), layer.outputs(), nullptr,
                       x.data(), x.size());
    return;
  }
  const std::size_t count = list(x);
  if constexpr (std::is_same_v<Real, float>) {
    if (const HalfRows* const halves = halves_of(layer)) {
      return halves->combine(z.data(), listed_.data(), factors_.data(), count);
    }
  }
  combine_rows<Real>(z.data(), layer.bias.data(), layer.weights.data(), layer.outputs(), layer.outputs(),
                     listed_.data(), factors_.data(), count);
}

/// By a few of the samples.
template <class Real>
template <class Value>
bool ForwardPass<Real>::mostly_zeros(std::span<const Value* const> samples) {
  if (samples.size() <= few_rows) return true;  // there the loop that skips zeros is the quicker in any case
  const std::size_t inputs = network_.inputs();
  const std::size_t rows = std::min(samples.size(), looked_at);
  std::size_t ink = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    find_ink(std::span(samples[i * samples.size() / rows], inputs), bits_.data());
    ink += count_bits({bits_.data(), ink_groups(inputs)});
  }
  return static_cast<double>(ink) <= largest_skipped_density * static_cast<double>(rows * inputs);
}

/// The samples as numbers: where they lie, if they are numbers one behind the other, else copied.
template <class Real>
template <class Value>
MatrixView<const Real> ForwardPass<Real>::numbers(std::span<const Value* const> samples) {
  const std::size_t inputs = network_.inputs();
  if constexpr (std::is_same_v<Value, Real>) {
    std::size_t i = 1;
    while (i < samples.size() && samples[i] == samples[0] + i * inputs) ++i;
    if (i >= samples.size()) return {samples[0], samples.size(), inputs, inputs};
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Real* const to = row(x_, i).data();
    if constexpr (std::is_same_v<Value, Real>) {
      std::copy_n(samples[i], inputs, to);
    } else {
      bytes_to_numbers<Real>(to, {samples[i], inputs});
    }
  }
  return {x_.data(), samples.size(), inputs, inputs};
}

template <class Real>
template <class Value>
MatrixView<Real> ForwardPass<Real>::run(std::span<const Value* const> samples) {
  static constexpr std::array<Real, 256> scale = byte_scale<Real>();
  const std::vector<Dense<Real>>& layers = network_.layers();
  const Dense<Real>& first = layers.front();
  const std::size_t count = samples.size();
  const MatrixView<Real> z = activations(0, count);
  const HalfRows* const halves = count == 1 ? halves_of(first) : nullptr;
  if (halves != nullptr) {
    const std::size_t listed = list(std::span(samples[0], first.inputs()));
    if constexpr (std::is_same_v<Real, float>) halves->combine(z.data, listed_.data(), factors_.data(), listed);
  } else if (mostly_zeros(samples)) {
    const std::size_t inputs = first.inputs();
    for (std::size_t i = 0; i < count; ++i) find_ink(std::span(samples[i], inputs), &bits_[i * ink_groups(inputs)]);
    skipping_product<Real, Value>(z.data, z.stride, first.bias.data(), first.weights.data(), first.outputs(),
                                  first.outputs(), inputs, samples, bits_.data(), scale.data());
  } else {
    product(first, numbers(samples), z);
  }
  for (std::size_t i = 1; i < layers.size(); ++i) {
    const MatrixView<Real> a = activations(i - 1, count);
    fast_activate<Real>(layers[i - 1].activation, {a.data, a.rows * a.stride});
    product(layers[i], a, activations(i, count));
  }
  return activations(layers.size() - 1, count);
}

template <class Real>
MatrixView<Real> ForwardPass<Real>::logits(const Dataset& samples, std::size_t first, std::size_t count) {
  if (samples.has_bytes()) {
    for (std::size_t i = 0; i < count; ++i) bytes_[i] = samples.pixels(first + i).data();
    return run<std::uint8_t>({bytes_.data(), count});
  }
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<Real, float>) {
      numbers_[i] = samples.numbers(first + i).data();
    } else {
      samples.copy_sample(first + i, row(x_, i));
      numbers_[i] = row(x_, i).data();
    }
  }
  return run<Real>({numbers_.data(), count});
}

template <class Real>
MatrixView<Real> ForwardPass<Real>::logits(const Matrix<Real>& samples, std::size_t first, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) numbers_[i] = row(samples, first + i).data();
  return run<Real>({numbers_.data(), count});
}

template <class Real>
std::span<Real> ForwardPass<Real>::logits(std::span<const std::uint8_t> sample) {
  bytes_[0] = sample.data();
  return run<std::uint8_t>({bytes_.data(), 1}).row(0);
}

template <class Real>
std::span<Real> ForwardPass<Real>::logits(std::span<const Real> sample) {
  numbers_[0] = sample.data();
  return run<Real>({numbers_.data(), 1}).row(0);
}

void require_probabilities(const char* where, Activation last) {
  if (last == Activation::softmax || last == Activation::sigmoid) return;
  throw ArgumentError(text(where, ": the last layer is ", name_of(last),
                           ", expected softmax or sigmoid; forward gives its outputs as they are"));
}

namespace {

template <class Real, class Samples>
void infer_blocks(const Network<Real>& network, const Samples& samples, std::size_t count, ThreadTeam& team,
                  const TakeLogits<Real>& take) {
  const std::size_t blocks = (count + block_rows - 1) / block_rows;
  std::vector<ForwardPass<Real>> passes;
  const std::size_t workers = blocks > 1 ? team.size() : 1;
  passes.reserve(workers);
  for (std::size_t worker = 0; worker < workers; ++worker) passes.emplace_back(network, std::min(count, block_rows));
  const SingleThreadedBlas guard;  // also for one worker: the sums inside BLAS may depend on its threads
  team.run(blocks, [&](std::size_t block, std::size_t worker) {
    const std::size_t first = block * block_rows;
    take(passes[worker].logits(samples, first, std::min(block_rows, count - first)), first);
  });
}

}  // namespace

template <class Real>
void infer(const Network<Real>& network, const Dataset& samples, ThreadTeam& team, const TakeLogits<Real>& take) {
  infer_blocks(network, samples, samples.size(), team, take);
}

template <class Real>
void infer(const Network<Real>& network, const Matrix<Real>& samples, ThreadTeam& team,
           const TakeLogits<Real>& take) {
  infer_blocks(network, samples, samples.shape(0), team, take);
}

#define DIGITNET_INSTANTIATE(Real)                                                                 \
  template struct NarrowLayer<Real>;                                                               \
  template class ForwardPass<Real>;                                                                \
  template void infer(const Network<Real>&, const Dataset&, ThreadTeam&, const TakeLogits<Real>&); \
  template void infer(const Network<Real>&, const Matrix<Real>&, ThreadTeam&, const TakeLogits<Real>&);
DIGITNET_INSTANTIATE(float)
DIGITNET_INSTANTIATE(double)

}  // namespace digitnet::detail
