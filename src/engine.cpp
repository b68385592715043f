#include "engine.hpp"

#include "denormals.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace digitnet::detail {
namespace {

// The cut into pieces: large enough for BLAS to be quick and for a wait to be short beside the work, small enough
// for the cache and for sharing. It depends on shapes alone.

/// Samples that are copied, or passed through a narrow layer, at a time; and those that are augmented.
constexpr std::size_t few_samples = 32;
constexpr std::size_t augmented_samples = 8;
/// Samples of a tile at the most, and units of a tile of a wide layer.
constexpr std::size_t tile_most_samples = 128;
constexpr std::size_t tile_wide_units = 256;
/// Units of the sparse layer at a time, and stripes that its rows are cut into: fewer if many units make them costly.
constexpr std::size_t sparse_units = 128;
constexpr std::size_t sparse_stripes(std::size_t units) { return units > 256 ? 2 : 4; }
/// Tiles that a batch is cut into at the least, if that leaves few_samples in each.
constexpr std::size_t least_tiles = 4;
/// Weights of a block at the most.
constexpr std::size_t block_weights = 1 << 17;
/// Units whose norms are limited, and rows of weights that are blended, at a time.
constexpr std::size_t limit_units = 64;
constexpr std::size_t blend_rows = 64;

constexpr std::size_t parts(std::size_t whole, std::size_t part) { return (whole + part - 1) / part; }

/// Rows of whole vectors, and not a power of two of bytes apart: such rows share few places of the cache.
template <class Real>
Matrix<Real> padded_matrix(std::size_t rows, std::size_t columns) {
  const std::size_t whole = padded(columns);
  return zeros<Real>({rows, whole * sizeof(Real) % 2048 == 0 ? whole + lanes : whole});
}

}  // namespace

template <class Real>
Engine<Real>::Engine(Network<Real>& network, const Dataset& data, Optimizer<Real>& optimizer,
                     const TrainingOptions& options, ThreadTeam& team)
    : network_(network),
      data_(data),
      optimizer_(optimizer),
      options_(options),
      team_(team),
      keeps_gradients_(options.clip_norm > 0),
      measures_gradients_(options.clip_norm > 0 || options.statistics),
      byte_scale_(byte_scale<Real>(static_cast<Real>(1 / (1 - options.input_dropout)))),
      augments_(options.augmentation && !options.augmentation->is_none()),
      is_sparse_(SparseSamples::pays(data)),
      layers_(network.layers().size()),
      scratch_(team.size()) {
  const std::size_t batch_size = std::min(options.batch_size, data.size());
  x_ = padded_matrix<Real>(is_sparse_ ? 0 : batch_size, network.inputs());
  if (is_sparse_ && !augments_) packed_ = SparseSamples::pack(data, team);
  if (is_sparse_ && (augments_ || options.input_dropout > 0)) changed_.emplace(batch_size, network.inputs());
  for (Scratch& scratch : scratch_) {
    if (!augments_) break;
    scratch.augmenter.emplace(*options.augmentation, data.rows(), data.columns());
    scratch.augmented.resize(data.inputs());
  }
  tile_losses_.resize(parts(batch_size, few_samples));
  tile_correct_.resize(tile_losses_.size());
  weigh_samples();

  std::vector<std::size_t> tensor_sizes;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    tensor_sizes.push_back(layer(i).weights.size());
    tensor_sizes.push_back(layer(i).bias.size());
    plan(i, batch_size);
  }
  for (std::size_t i = 0; options.batch_norm && i + 1 < layers_.size(); ++i) {
    tensor_sizes.insert(tensor_sizes.end(), {layer(i).outputs(), layer(i).outputs()});
  }
  optimizer.prepare(tensor_sizes);
  if (is_sparse_) {
    stripes_ = std::min(sparse_stripes(layer(0).outputs()), ink_groups(network.inputs()));
    stripe_z_ = padded_matrix<Real>(stripes_ * batch_size, layer(0).outputs());
    for (Scratch& scratch : scratch_) {
      scratch.ink.resize(batch_size);
      scratch.ink_left.resize(batch_size);
      scratch.ink_bits.resize(parts(batch_size, 64));
      scratch.ink_values.resize(batch_size);
      scratch.ink_values_left.resize(batch_size);
    }
  }
  plan_phases(batch_size);
  do_piece_ = [this](std::size_t index, std::size_t worker) {
    const FlushDenormals guard;
    const Piece& piece = (*phase_)[index];
    (this->*piece.work)(piece.layer, piece.part, scratch_[worker]);
  };
}

/// Room for layer i, and how its work is cut.
template <class Real>
void Engine<Real>::plan(std::size_t i, std::size_t batch_size) {
  const std::size_t inputs = layer(i).inputs();
  const std::size_t units = layer(i).outputs();
  Workspace& space = layers_[i];
  space.a = padded_matrix<Real>(batch_size, units);
  space.dz = padded_matrix<Real>(batch_size, units);
  space.z = padded_matrix<Real>(needs_preactivation(layer(i).activation) ? batch_size : 0, units);
  if (!is_last(i) && options_.dropout > 0) {
    space.mask = padded_matrix<Real>(batch_size, units);
    space.dropped = padded_matrix<Real>(batch_size, units);
  }
  if (!is_last(i) && options_.batch_norm) space.norm.emplace(batch_size, units);

  space.narrow = units <= lanes && !is_sparse(i);
  if (space.narrow) {
    space.padded_weights = zeros<Real>({inputs, lanes});
    space.padded_bias = zero_vector<Real>(lanes);
    space.transposed_weights = padded_matrix<Real>(units, inputs);
    arrange_narrow(i, {0, inputs});
    std::copy_n(layer(i).bias.data(), units, space.padded_bias.data());
  }

  // Forward. The loss needs a whole row of the last layer, batch normalisation a whole column.
  if (space.norm) {
    space.tile_samples = batch_size;
    space.tile_units = std::min({units, tile_wide_units, padded(parts(units, least_tiles))});
  } else {
    space.tile_units = is_last(i) || space.narrow || is_sparse(i) ? units : std::min(units, tile_wide_units);
    const std::size_t unit_tiles = parts(units, space.tile_units);
    space.tile_samples =
        std::clamp(parts(batch_size, parts(least_tiles, unit_tiles)), few_samples, tile_most_samples);
  }

  // Blocks of whole vectors, at least four unless the layer is small.
  const std::size_t rows = std::min(block_weights / units, parts(inputs, least_tiles));
  space.block_rows = is_sparse(i) ? ink_group : std::max(lanes, padded(rows));
  space.norms.resize(parts(inputs, space.block_rows));

  // Backward, likewise.
  const bool by_samples = space.narrow && !options_.batch_norm;
  space.back_samples = by_samples ? few_samples : batch_size;
  space.back_units = by_samples ? inputs : space.block_rows;
  space.back_norms.resize(parts(batch_size, space.back_samples) * parts(inputs, space.back_units));

  if (keeps_gradients_) {
    space.weight_gradients = zeros<Real>({inputs, units});
    space.bias_gradients = zero_vector<Real>(units);
    space.gamma_gradients = zero_vector<Real>(space.norm ? units : 0);
    space.beta_gradients = zero_vector<Real>(space.norm ? units : 0);
  }
  if (options_.statistics) space.alive = zeros<std::uint8_t>({parts(batch_size, space.tile_samples), units});

  const auto at_least = [](Vector<Real>& vector, std::size_t size) {
    if (vector.size() < size) vector = zero_vector<Real>(size);
  };
  const std::size_t block_size = std::min(space.block_rows, inputs) * units;
  for (Scratch& scratch : scratch_) {
    at_least(scratch.gradient, block_size);
    if (options_.statistics) at_least(scratch.before, block_size);
    if (options_.statistics) at_least(scratch.derivative, units);
    if (space.narrow) at_least(scratch.narrow_gradient, space.block_rows * lanes);
    at_least(scratch.unit_gradient, std::max(space.block_rows, units));
    if (options_.batch_norm) at_least(scratch.gamma_gradient, std::max(space.block_rows, units));
  }
}

/// Both phases in one. What is at the same place in both stays side by side: each thread begins with its own stretch.
template <class Phase>
Phase beside(const Phase& a, const Phase& b) {
  Phase both;
  std::size_t next = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    for (; next < b.size() && (2 * next + 1) * a.size() < (2 * k + 1) * b.size(); ++next) both.push_back(b[next]);
    both.push_back(a[k]);
  }
  for (; next < b.size(); ++next) both.push_back(b[next]);
  return both;
}

template <class Real>
void Engine<Real>::plan_phases(std::size_t batch_size) {
  const auto phase = [](auto work, std::size_t layer, std::size_t count) {
    Phase pieces;
    for (std::size_t part = 0; part < count; ++part) pieces.push_back({work, layer, part});
    return pieces;
  };
  const auto steps = [&](std::size_t i) { return phase(&Engine::weight_block, i, layers_[i].norms.size()); };
  if (!packed_ || changed_) {
    const std::size_t together = augments_ ? augmented_samples : few_samples;
    forward_.push_back(phase(&Engine::prepare_samples, 0, parts(batch_size, together)));
  }
  if (is_sparse_)
    forward_.push_back(phase(&Engine::sparse_part, 0, stripes_ * parts(layer(0).outputs(), sparse_units)));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Workspace& space = layers_[i];
    forward_.push_back(phase(&Engine::forward_tile, i,
                             parts(batch_size, space.tile_samples) * parts(layer(i).outputs(), space.tile_units)));
    if (keeps_gradients_)
      clipped_steps_ = beside(phase(&Engine::clipped_block, i, space.norms.size()), clipped_steps_);
    if (options_.max_norm > 0) {
      limits_ = beside(phase(&Engine::limit_norms, i, parts(layer(i).outputs(), limit_units)), limits_);
    }
  }
  Phase waiting;  // the steps of the layer behind: its weights are still needed on the way back to it
  for (std::size_t i = layers_.size(); i-- > 1;) {
    backward_.push_back(beside(phase(&Engine::backward_tile, i, layers_[i].back_norms.size()), waiting));
    waiting = steps(i);
  }
  backward_.push_back(beside(steps(0), waiting));
}

template <class Real>
void Engine<Real>::run(const Phase& phase) {
  phase_ = &phase;
  team_.run(phase.size(), do_piece_);
}

template <class Real>
void Engine<Real>::weigh_samples() {
  const auto& [by_class, by_sample] = std::tie(options_.class_weights, options_.sample_weights);
  if (by_class.empty() && by_sample.empty()) return;
  sample_weights_.resize(data_.size());
  for (std::size_t sample = 0; sample < data_.size(); ++sample) {
    sample_weights_[sample] =
        (by_class.empty() ? 1.0 : by_class[data_.label(sample)]) * (by_sample.empty() ? 1.0 : by_sample[sample]);
  }
}

template <class Real>
StepResult Engine<Real>::step(std::span<const std::uint32_t> samples, double schedule, const Rng& augmentation,
                              const Rng& rng, bool measure) {
  samples_ = samples;
  augmentation_ = augmentation;
  rng_ = rng;
  measure_ = measure;
  weight_ = static_cast<double>(samples.size());
  if (!sample_weights_.empty()) {
    weight_ = 0;
    for (const std::uint32_t sample : samples) weight_ += sample_weights_[sample];
  }
  optimizer_.begin_step(schedule);
  for (const Phase& phase : forward_) run(phase);
  first_step_ = false;
  for (const Phase& phase : backward_) run(phase);
  if (measures_gradients_) count_norms();
  run(clipped_steps_);
  run(limits_);

  StepResult result{.weight = weight_};
  for (std::size_t tile = 0; tile < parts(samples.size(), layers_.back().tile_samples); ++tile) {
    result.loss += tile_losses_[tile];
    result.correct += tile_correct_[tile];
  }
  return result;
}

/// The rows of a workspace that the batch uses.
template <class Real>
MatrixView<Real> Engine<Real>::batch_view(Matrix<Real>& matrix, std::size_t columns) const {
  return {matrix.data(), samples_.size(), columns, matrix.shape(1)};
}

/// What layer i is given, (samples, inputs). Not for the sparse layer.
template <class Real>
MatrixView<Real> Engine<Real>::inputs_of(std::size_t i) {
  if (i == 0) return batch_view(x_, network_.inputs());
  Workspace& before = layers_[i - 1];
  return batch_view(options_.dropout > 0 ? before.dropped : before.a, layer(i).inputs());
}

/// The ink of one place in the batch, from one group of inputs on.
template <class Real>
Ink Engine<Real>::ink_of(std::size_t slot, std::size_t group) const {
  return changed_ ? changed_->ink(slot, group) : packed_->ink(samples_[slot], group);
}

/// The generator for one place in the batch. Layers are counted from 1 here; 0 is the inputs.
template <class Real>
Rng Engine<Real>::fork(std::size_t layer, std::size_t slot, std::size_t first) const {
  return rng_.fork((static_cast<std::uint64_t>(slot) * (most_layers + 1) + layer) * (most_units + 1) + first);
}

/// A row of factors: 0 with the probability `share`, else 1 / (1 - share).
template <class Real>
void draw_mask(std::span<Real> mask, double share, Rng rng) {
  const auto kept = static_cast<Real>(1 / (1 - share));
  for (Real& factor : mask) factor = rng.uniform() < share ? Real{0} : kept;
}

template <class Real>
void Engine<Real>::prepare_samples(std::size_t /*layer*/, std::size_t part, Scratch& scratch) {
  const std::size_t together = augments_ ? augmented_samples : few_samples;
  const std::size_t last = std::min(samples_.size(), (part + 1) * together);
  for (std::size_t s = part * together; s < last; ++s) {
    if (augments_) {
      Rng rng = augmentation_.fork(samples_[s]);
      scratch.augmenter->augment(data_.pixels(samples_[s]), scratch.augmented, rng);
      if (is_sparse_) changed_->put(s, scratch.augmented);
    }
    if (is_sparse_) {
      if (options_.input_dropout > 0) {
        const Ink all = augments_ ? changed_->ink(s) : packed_->ink(samples_[s]);
        changed_->thin(s, all, options_.input_dropout, fork(0, s, 0));
      }
      continue;
    }
    const std::span<Real> x = inputs_of(0).row(s);
    if (augments_) {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<Real>(scratch.augmented[i]) * (Real{1} / 255);
    } else {
      data_.copy_sample(samples_[s], x);
    }
    if (options_.input_dropout > 0) {
      const auto kept = static_cast<Real>(1 / (1 - options_.input_dropout));
      Rng rng = fork(0, s, 0);
      for (Real& value : x) value = rng.uniform() < options_.input_dropout ? Real{0} : kept * value;
    }
  }
}

/// What one stripe of rows of the sparse layer gives to the z of some units, for all samples; the first, the bias too.
template <class Real>
void Engine<Real>::sparse_part(std::size_t i, std::size_t part, Scratch& scratch) {
  const Dense<Real>& dense = layer(i);
  const std::size_t unit_tiles = parts(dense.outputs(), sparse_units);
  const std::size_t stripe = part / unit_tiles;
  const std::size_t unit = part % unit_tiles * sparse_units;
  const std::size_t groups = ink_groups(dense.inputs());
  const std::size_t group = stripe * groups / stripes_;
  const std::size_t rows = std::min(dense.inputs(), (stripe + 1) * groups / stripes_ * ink_group) - group * ink_group;
  const std::span<Ink> ink = std::span(scratch.ink).subspan(0, samples_.size());
  for (std::size_t s = 0; s < ink.size(); ++s) {
    ink[s] = ink_of(s, group);
    __builtin_prefetch(ink[s].bits);
    __builtin_prefetch(ink[s].values);
    __builtin_prefetch(ink[s].values + 64);
  }
  sparse_product<Real>(row(stripe_z_, stripe * ink.size()).data() + unit, stripe_z_.shape(1),
                       stripe == 0 ? dense.bias.data() + unit : nullptr,
                       row(dense.weights, group * ink_group).data() + unit, dense.outputs(),
                       std::min(sparse_units, dense.outputs() - unit), rows, ink, scratch.ink_left,
                       byte_scale_.data());
}

template <class Real>
void Engine<Real>::forward_tile(std::size_t i, std::size_t tile, Scratch& scratch) {
  Workspace& space = layers_[i];
  const std::size_t outputs = layer(i).outputs();
  const std::size_t unit_tiles = parts(outputs, space.tile_units);
  const std::size_t sample_tile = tile / unit_tiles;
  const std::size_t first_sample = sample_tile * space.tile_samples;
  const std::size_t first_unit = tile % unit_tiles * space.tile_units;
  if (first_sample >= samples_.size()) return;  // the last batch may be a small one
  const Range samples{first_sample, std::min(space.tile_samples, samples_.size() - first_sample)};
  const Range units{first_unit, std::min(space.tile_units, outputs - first_unit)};

  preactivation(i, samples, units);
  const auto part = [&](Matrix<Real>& matrix) {
    return batch_view(matrix, outputs).columns_from(units.first, units.count);
  };
  if (space.norm) space.norm->forward(part(space.a), first_unit, first_step_);
  const Activation activation = layer(i).activation;
  for (std::size_t s = first_sample; s < first_sample + samples.count; ++s) {
    const std::span<Real> values = part(space.a).row(s);
    if (needs_preactivation(activation)) std::copy(values.begin(), values.end(), part(space.z).row(s).begin());
    if (is_last(i)) continue;
    fast_activate(activation, values);
    if (options_.statistics) look_at_units(i, s, units, sample_tile, scratch);
    if (options_.dropout > 0) {
      const std::span<Real> mask = part(space.mask).row(s);
      const std::span<Real> dropped = part(space.dropped).row(s);
      draw_mask(mask, options_.dropout, fork(i + 1, s, first_unit));
      for (std::size_t k = 0; k < mask.size(); ++k) dropped[k] = values[k] * mask[k];
    }
  }
  if (is_last(i)) loss_gradient(samples, tile);
}

/// Notes which units still learn from sample s: those with f'(z) other than 0.
template <class Real>
void Engine<Real>::look_at_units(std::size_t i, std::size_t s, Range units, std::size_t sample_tile,
                                 Scratch& scratch) {
  Workspace& space = layers_[i];
  const Activation activation = layer(i).activation;
  const std::span<Real> derivative = values(scratch.derivative).subspan(0, units.count);
  std::fill(derivative.begin(), derivative.end(), Real{1});
  Matrix<Real>& kept = needs_preactivation(activation) ? space.z : space.a;
  fast_activation_gradient<Real>(activation, derivative,
                                 batch_view(kept, layer(i).outputs()).row(s).subspan(units.first, units.count));
  const std::span<std::uint8_t> alive = row(space.alive, sample_tile).subspan(units.first, units.count);
  for (std::size_t k = 0; k < units.count; ++k) {
    if (derivative[k] != Real{0}) alive[k] = 1;
  }
}

/// z = a_{i-1} W + b, for some samples and units.
template <class Real>
void Engine<Real>::preactivation(std::size_t i, Range samples, Range units) {
  const Dense<Real>& dense = layer(i);
  Workspace& space = layers_[i];
  const MatrixView<Real> z = batch_view(space.a, dense.outputs())
                                 .rows_from(samples.first, samples.count)
                                 .columns_from(units.first, units.count);
  if (is_sparse(i)) {
    const std::size_t stride = stripe_z_.shape(1);
    for (std::size_t s = 0; s < samples.count; ++s) {
      const Real* const parts_of_z = stripe_z_.data() + (samples.first + s) * stride + units.first;
      sum_rows<Real>(z.row(s).data(), parts_of_z, samples_.size() * stride, units.count, stripes_);
    }
    return;
  }
  const MatrixView<Real> x = inputs_of(i).rows_from(samples.first, samples.count);
  if (space.narrow) {
    narrow_product<Real>(z.data, space.padded_bias.data(), x.data, x.stride, 1, space.padded_weights.data(), x.rows,
                         x.columns);
    return;
  }
  for (std::size_t s = 0; s < z.rows; ++s) {
    std::copy_n(dense.bias.data() + units.first, units.count, z.row(s).begin());
  }
  gemm<Real>(Real{1}, x, Transpose::no, view(dense.weights).columns_from(units.first, units.count), Transpose::no,
             Real{1}, z);
}

/// From the logits of some samples to dL/dz of the last layer.
template <class Real>
void Engine<Real>::loss_gradient(Range samples, std::size_t tile) {
  Workspace& space = layers_.back();
  const std::size_t units = network_.outputs();
  const Activation activation = network_.layers().back().activation;
  const bool takes_logits = loss_takes_logits(network_.loss());
  double loss = 0;
  std::size_t correct = 0;
  for (std::size_t s = samples.first; s < samples.first + samples.count; ++s) {
    const std::span<Real> a = batch_view(space.a, units).row(s);
    const std::span<Real> dz = batch_view(space.dz, units).row(s);
    const std::size_t label = data_.label(samples_[s]);
    const double weight = sample_weights_.empty() ? 1.0 : sample_weights_[samples_[s]];
    const auto scale = static_cast<Real>(weight_ > 0 ? weight / weight_ : 0);
    if (needs_preactivation(activation)) activate(activation, a);  // before it is asked, as in evaluate
    correct += static_cast<std::size_t>(std::max_element(a.begin(), a.end()) - a.begin()) == label ? 1 : 0;
    if (!takes_logits && !needs_preactivation(activation)) activate(activation, a);
    std::copy(a.begin(), a.end(), dz.begin());
    const auto smoothing = static_cast<Real>(options_.label_smoothing);
    loss += weight * (data_.has_targets()
                          ? sample_loss<Real>(network_.loss(), dz, data_.target(samples_[s]), scale, smoothing)
                          : sample_loss<Real>(network_.loss(), dz, label, scale, smoothing));
    if (!takes_logits) {
      activation_gradient<Real>(activation, dz,
                                needs_preactivation(activation) ? batch_view(space.z, units).row(s) : a);
    }
  }
  tile_losses_[tile] = loss;
  tile_correct_[tile] = correct;
}

/// dz_{i-1} = (dz_i W_i^T) * f'(z_{i-1}) for some samples and some columns, which are rows of W_i; and for all columns
/// of the batch what batch normalisation makes of it.
template <class Real>
void Engine<Real>::backward_tile(std::size_t i, std::size_t tile, Scratch& scratch) {
  Workspace& space = layers_[i];
  Workspace& before = layers_[i - 1];
  const std::size_t inputs = layer(i).inputs();
  const std::size_t unit_tiles = parts(inputs, space.back_units);
  const std::size_t first_sample = tile / unit_tiles * space.back_samples;
  const std::size_t first_unit = tile % unit_tiles * space.back_units;
  space.back_norms[tile] = 0;
  if (first_sample >= samples_.size()) return;
  const Range samples{first_sample, std::min(space.back_samples, samples_.size() - first_sample)};
  const Range units{first_unit, std::min(space.back_units, inputs - first_unit)};
  const auto part = [&](Matrix<Real>& matrix) {
    return batch_view(matrix, inputs).rows_from(samples.first, samples.count).columns_from(units.first, units.count);
  };
  const MatrixView<Real> dz = batch_view(space.dz, layer(i).outputs()).rows_from(samples.first, samples.count);
  const MatrixView<Real> dx = part(before.dz);
  if (space.narrow) {
    const Matrix<Real>& transposed = space.transposed_weights;
    for (std::size_t s = 0; s < dx.rows; ++s) {
      combine_rows<Real>(dx.row(s).data(), nullptr, transposed.data() + units.first, transposed.shape(1), units.count,
                         nullptr, dz.row(s).data(), dz.columns);
    }
  } else {
    gemm<Real>(Real{1}, dz, Transpose::no, view(std::as_const(layer(i).weights)).rows_from(units.first, units.count),
               Transpose::yes, Real{0}, dx);
  }
  if (options_.dropout > 0) {
    const MatrixView<Real> mask = part(before.mask);
    for (std::size_t s = 0; s < dx.rows; ++s) {
      for (std::size_t k = 0; k < units.count; ++k) dx.row(s)[k] *= mask.row(s)[k];
    }
  }
  const Activation activation = layer(i - 1).activation;
  const MatrixView<Real> kept = part(needs_preactivation(activation) ? before.z : before.a);
  for (std::size_t s = 0; s < dx.rows; ++s) fast_activation_gradient<Real>(activation, dx.row(s), kept.row(s));
  if (!before.norm) return;
  const std::span<Real> gamma_gradient = values(scratch.gamma_gradient).subspan(0, units.count);
  const std::span<Real> beta_gradient = values(scratch.unit_gradient).subspan(0, units.count);
  before.norm->backward(dx, units.first, gamma_gradient, beta_gradient);
  space.back_norms[tile] += take_unit_gradient(gamma_index(i - 1), values(before.norm->gamma), units, gamma_gradient,
                                               values(before.gamma_gradients));
  space.back_norms[tile] += take_unit_gradient(beta_index(i - 1), values(before.norm->beta), units, beta_gradient,
                                               values(before.beta_gradients));
}

/// The gradients and the step of some rows of weights, and of a part of the biases.
template <class Real>
void Engine<Real>::weight_block(std::size_t i, std::size_t block, Scratch& scratch) {
  Workspace& space = layers_[i];
  Dense<Real>& dense = layer(i);
  const std::size_t first = block * space.block_rows;
  const Range rows{first, std::min(space.block_rows, dense.inputs() - first)};
  BlockNorms& norms = space.norms[block];
  norms = {};
  take_weight_gradient(i, rows, weight_gradient(i, rows, scratch), scratch, norms);

  if (space.norm) return;  // the mean takes every bias away again, so it has no gradient; beta stands for it
  const std::size_t share = padded(parts(dense.outputs(), space.norms.size()));
  const std::size_t first_unit = block * share;
  if (first_unit >= dense.outputs()) return;
  const Range units{first_unit, std::min(share, dense.outputs() - first_unit)};
  const MatrixView<Real> dz = batch_view(space.dz, dense.outputs()).columns_from(units.first, units.count);
  sum_rows<Real>(scratch.unit_gradient.data(), dz.data, dz.stride, dz.columns, dz.rows);
  norms.bias = take_unit_gradient(bias_index(i), values(dense.bias), units, values(scratch.unit_gradient),
                                  values(space.bias_gradients));
  if (!keeps_gradients_) arrange_narrow_bias(i, units);
}

/// The ink of the batch at one group of inputs.
template <class Real>
InkByInput Engine<Real>::find_ink(std::size_t group, Scratch& scratch) const {
  for (std::size_t s = 0; s < samples_.size(); ++s) {
    const Ink ink = ink_of(s, group);
    scratch.ink_bits[s / 64][s % 64] = *ink.bits;
    scratch.ink_values[s] = ink.values;
  }
  const std::span<BitSquare> squares = std::span(scratch.ink_bits).subspan(0, parts(samples_.size(), 64));
  for (std::size_t s = samples_.size(); s < squares.size() * 64; ++s) squares.back()[s % 64] = 0;
  for (BitSquare& square : squares) transpose_bits(square);
  const std::size_t count = samples_.size();
  return {squares, std::span(scratch.ink_values).subspan(0, count),
          std::span(scratch.ink_values_left).subspan(0, count)};
}

/// Some rows of dW_i = a_{i-1}^T dz_i, without gaps.
template <class Real>
std::span<Real> Engine<Real>::weight_gradient(std::size_t i, Range rows, Scratch& scratch) {
  const std::size_t units = layer(i).outputs();
  const MatrixView<Real> dz = batch_view(layers_[i].dz, units);
  const std::span<Real> gradient = values(scratch.gradient).subspan(0, rows.count * units);
  if (is_sparse(i)) {
    sparse_gradient<Real>(gradient.data(), units, rows.count, dz.data, dz.stride, units,
                          find_ink(rows.first / ink_group, scratch), byte_scale_.data());
    return gradient;
  }
  const MatrixView<Real> x = inputs_of(i).columns_from(rows.first, rows.count);
  if (layers_[i].narrow) {
    narrow_product<Real>(scratch.narrow_gradient.data(), nullptr, x.data, 1, x.stride, dz.data, rows.count, x.rows);
    for (std::size_t row = 0; row < rows.count; ++row) {
      std::copy_n(scratch.narrow_gradient.data() + row * lanes, units, gradient.data() + row * units);
    }
  } else {
    gemm<Real>(Real{1}, x, Transpose::yes, dz, Transpose::no, Real{0},
               MatrixView<Real>{gradient.data(), rows.count, units, units});
  }
  return gradient;
}

template <class Real>
double sum_of_squares_of(std::span<const Real> values) {
  double sum = 0;
  for (const Real value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum;
}

template <class Real>
void limit_values(std::span<Real> gradient, double limit) {
  const auto most = static_cast<Real>(limit);
  for (Real& value : gradient) value = value > most ? most : value < -most ? -most : value;  // NaN stays
}

/// The gradient of a block of weights becomes its step, or is kept until the norm of all is known.
template <class Real>
void Engine<Real>::take_weight_gradient(std::size_t i, Range rows, std::span<Real> gradient, Scratch& scratch,
                                        BlockNorms& norms) {
  const std::size_t offset = rows.first * layer(i).outputs();
  const std::span<const Real> weights = values(layer(i).weights).subspan(offset, gradient.size());
  if (options_.l1 > 0 || options_.l2 > 0) {
    const auto l1 = static_cast<Real>(options_.l1);
    const auto l2 = static_cast<Real>(options_.l2);
    for (std::size_t k = 0; k < gradient.size(); ++k) {
      const Real sign = weights[k] > 0 ? Real{1} : weights[k] < 0 ? Real{-1} : Real{0};
      gradient[k] += l1 * sign + l2 * weights[k];
    }
  }
  if (options_.clip_value > 0) limit_values(gradient, options_.clip_value);
  if (measures_gradients_) norms.gradient = sum_of_squares_of<Real>(gradient);
  if (keeps_gradients_) {
    std::copy(gradient.begin(), gradient.end(), layers_[i].weight_gradients.data() + offset);
  } else {
    step_weights(i, rows, gradient, scratch, norms);
  }
}

/// Likewise for parameters of which each unit has one.
/// @return  the sum of the squares of their gradients, if that is asked for
template <class Real>
double Engine<Real>::take_unit_gradient(std::size_t tensor, std::span<Real> parameters, Range units,
                                        std::span<Real> gradient, std::span<Real> kept) {
  const std::span<Real> used = gradient.subspan(0, units.count);
  if (options_.clip_value > 0) limit_values(used, options_.clip_value);
  if (keeps_gradients_) {
    std::copy(used.begin(), used.end(), kept.begin() + static_cast<std::ptrdiff_t>(units.first));
  } else {
    optimizer_.update(tensor, units.first, parameters.subspan(units.first, units.count), used, false);
  }
  return measures_gradients_ ? sum_of_squares_of<Real>(used) : 0;
}

template <class Real>
void Engine<Real>::step_weights(std::size_t i, Range rows, std::span<const Real> gradient, Scratch& scratch,
                                BlockNorms& norms) {
  const std::size_t offset = rows.first * layer(i).outputs();
  const std::span<Real> weights = values(layer(i).weights).subspan(offset, gradient.size());
  if (measure_) std::copy(weights.begin(), weights.end(), scratch.before.begin());
  optimizer_.update(weights_index(i), offset, weights, gradient, true);
  if (measure_) {
    norms.change = 0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const double change = static_cast<double>(weights[k]) - static_cast<double>(scratch.before(k));
      norms.change += change * change;
    }
    norms.weights = sum_of_squares_of<Real>(weights);
  }
  if (layers_[i].narrow) arrange_narrow(i, rows);
}

/// The norm of all gradients of the step, and what they are scaled by.
template <class Real>
void Engine<Real>::count_norms() {
  double all = 0;
  for (Workspace& space : layers_) {
    double weights = 0;
    for (const BlockNorms& norms : space.norms) {
      weights += norms.gradient;
      all += norms.gradient + norms.bias;
    }
    for (const double squares : space.back_norms) all += squares;
    space.gradient_norm_sum += std::sqrt(weights);
  }
  const double norm = std::sqrt(all);
  gradient_norm_sum_ += norm;
  ++steps_;
  clip_factor_ = static_cast<Real>(norm > options_.clip_norm ? options_.clip_norm / norm : 1.0);
}

/// The step of a block whose gradient was kept; the first block of a layer sees to its biases too.
template <class Real>
void Engine<Real>::clipped_block(std::size_t i, std::size_t block, Scratch& scratch) {
  Workspace& space = layers_[i];
  Dense<Real>& dense = layer(i);
  const auto scaled = [this](std::span<Real> gradient) {
    for (Real& value : gradient) value *= clip_factor_;
    return gradient;
  };
  const std::size_t first = block * space.block_rows;
  const Range rows{first, std::min(space.block_rows, dense.inputs() - first)};
  const std::size_t offset = first * dense.outputs();
  step_weights(i, rows, scaled(values(space.weight_gradients).subspan(offset, rows.count * dense.outputs())), scratch,
               space.norms[block]);
  if (block > 0) return;
  if (space.norm) {
    optimizer_.update(gamma_index(i), 0, values(space.norm->gamma), scaled(values(space.gamma_gradients)), false);
    optimizer_.update(beta_index(i), 0, values(space.norm->beta), scaled(values(space.beta_gradients)), false);
  } else {
    optimizer_.update(bias_index(i), 0, values(dense.bias), scaled(values(space.bias_gradients)), false);
    arrange_narrow_bias(i, {0, dense.outputs()});
  }
}

/// Makes the weights of some units shorter if they are longer than allowed.
template <class Real>
void Engine<Real>::limit_norms(std::size_t i, std::size_t tile, Scratch& /*scratch*/) {
  Matrix<Real>& weights = layer(i).weights;
  const std::size_t first = tile * limit_units;
  const std::size_t count = std::min(limit_units, layer(i).outputs() - first);
  std::array<double, limit_units> squares{};
  for (std::size_t row = 0; row < weights.shape(0); ++row) {
    const std::span<const Real> values = digitnet::row(std::as_const(weights), row).subspan(first, count);
    for (std::size_t k = 0; k < count; ++k)
      squares[k] += static_cast<double>(values[k]) * static_cast<double>(values[k]);
  }
  std::array<Real, limit_units> factors{};
  bool any = false;
  for (std::size_t k = 0; k < count; ++k) {
    const double norm = std::sqrt(squares[k]);
    factors[k] = static_cast<Real>(norm > options_.max_norm ? options_.max_norm / norm : 1.0);
    any = any || norm > options_.max_norm;
  }
  if (!any) return;
  for (std::size_t row = 0; row < weights.shape(0); ++row) {
    const std::span<Real> values = digitnet::row(weights, row).subspan(first, count);
    for (std::size_t k = 0; k < count; ++k) values[k] *= factors[k];
  }
  if (layers_[i].narrow) arrange_narrow(i, {0, weights.shape(0)});
}

/// Some rows of the weights of a narrow layer, in its other forms.
template <class Real>
void Engine<Real>::arrange_narrow(std::size_t i, Range rows) {
  Workspace& space = layers_[i];
  for (std::size_t row = rows.first; row < rows.first + rows.count; ++row) {
    const std::span<const Real> weights = digitnet::row(std::as_const(layer(i).weights), row);
    std::copy(weights.begin(), weights.end(), space.padded_weights.data() + row * lanes);
    for (std::size_t unit = 0; unit < weights.size(); ++unit) {
      space.transposed_weights.data()[unit * space.transposed_weights.shape(1) + row] = weights[unit];
    }
  }
}

template <class Real>
void Engine<Real>::arrange_narrow_bias(std::size_t i, Range units) {
  if (layers_[i].narrow) std::copy_n(&layer(i).bias(units.first), units.count, &layers_[i].padded_bias(units.first));
}

template <class Real>
void Engine<Real>::blend_into(Network<Real>& target, double share) {
  const auto blend = [share](Real& value, Real other) {
    value = share == 1 ? other : value + static_cast<Real>(share) * (other - value);
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::optional<BatchNorm<Real>>& norm = layers_[i].norm;
    Dense<Real>& to = target.layer(i);
    const Dense<Real>& from = layer(i);
    const auto blend_piece = [&](std::size_t piece, std::size_t) {
      const std::size_t last = std::min(from.inputs(), (piece + 1) * blend_rows);
      for (std::size_t row = piece * blend_rows; row < last; ++row) {
        const std::span<Real> to_row = digitnet::row(to.weights, row);
        const std::span<const Real> from_row = digitnet::row(from.weights, row);
        for (std::size_t unit = 0; unit < to_row.size(); ++unit) {
          blend(to_row[unit], norm ? from_row[unit] * norm->scale(unit) : from_row[unit]);
        }
      }
    };
    team_.run(parts(from.inputs(), blend_rows), std::ref(blend_piece));  // by reference: nothing is allocated
    for (std::size_t unit = 0; unit < to.outputs(); ++unit) {
      blend(to.bias(unit), norm ? norm->folded_bias(unit, from.bias(unit)) : from.bias(unit));
    }
  }
}

template <class Real>
typename Engine<Real>::Statistics Engine<Real>::take_statistics() {
  Statistics statistics;
  const double steps = static_cast<double>(std::max<std::size_t>(steps_, 1));
  statistics.gradient_norm = gradient_norm_sum_ / steps;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Workspace& space = layers_[i];
    LayerStatistics layer_statistics;
    layer_statistics.gradient_norm = space.gradient_norm_sum / steps;
    double change = 0;
    double weights = 0;
    for (const BlockNorms& norms : space.norms) {
      change += norms.change;
      weights += norms.weights;
    }
    layer_statistics.update_ratio = weights > 0 ? std::sqrt(change / weights) : 0;
    if (!is_last(i)) {
      std::size_t dead = 0;
      for (std::size_t unit = 0; unit < space.alive.shape(1); ++unit) {
        bool alive = false;
        for (std::size_t tile = 0; tile < space.alive.shape(0); ++tile) alive = alive || space.alive(tile, unit) != 0;
        dead += alive ? 0 : 1;
      }
      layer_statistics.dead_share = static_cast<double>(dead) / static_cast<double>(space.alive.shape(1));
      std::fill(space.alive.begin(), space.alive.end(), std::uint8_t{0});
    }
    statistics.layers.push_back(layer_statistics);
    space.gradient_norm_sum = 0;
  }
  steps_ = 0;
  gradient_norm_sum_ = 0;
  return statistics;
}

template <class Real>
void Engine<Real>::store(TrainingState<Real>& state) const {
  state.batch_norm.clear();
  for (const Workspace& space : layers_) {
    if (!space.norm) continue;
    for (const Vector<Real>* vector :
         {&space.norm->gamma, &space.norm->beta, &space.norm->running_mean, &space.norm->running_variance}) {
      state.batch_norm.emplace_back(vector->begin(), vector->end());
    }
  }
  state.sums.gradient_norm = gradient_norm_sum_;
  state.sums.layer_gradient_norms.clear();
  state.sums.alive.clear();
  if (!options_.statistics) return;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Workspace& space = layers_[i];
    state.sums.layer_gradient_norms.push_back(space.gradient_norm_sum);
    if (is_last(i)) continue;
    std::vector<std::uint8_t>& alive = state.sums.alive.emplace_back(space.alive.shape(1));
    for (std::size_t tile = 0; tile < space.alive.shape(0); ++tile) {
      for (std::size_t unit = 0; unit < alive.size(); ++unit) alive[unit] |= space.alive(tile, unit);
    }
  }
}

template <class Real>
void Engine<Real>::restore(const TrainingState<Real>& state) {
  const std::size_t hidden = layers_.size() - 1;
  const auto require = [](const char* what, std::size_t found, std::size_t expected) {
    if (found == expected) return;
    throw ShapeError(text("train: a state with ", found, " numbers of ", what, ", expected ", expected,
                          "; is it of another training?"));
  };
  require("batch normalisation", state.batch_norm.size(), options_.batch_norm ? 4 * hidden : 0);
  require("gradient norms", state.sums.layer_gradient_norms.size(), options_.statistics ? layers_.size() : 0);
  require("units alive", state.sums.alive.size(), options_.statistics ? hidden : 0);
  for (std::size_t i = 0; i < hidden; ++i) {
    const std::size_t units = layer(i).outputs();
    for (std::size_t k = 4 * i; k < 4 * (i + 1) && options_.batch_norm; ++k) {
      require("batch normalisation", state.batch_norm[k].size(), units);
    }
    if (options_.statistics) require("units alive", state.sums.alive[i].size(), units);
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Workspace& space = layers_[i];
    if (space.norm) {
      std::size_t next = 4 * i;
      for (Vector<Real>* vector :
           {&space.norm->gamma, &space.norm->beta, &space.norm->running_mean, &space.norm->running_variance}) {
        std::ranges::copy(state.batch_norm[next++], vector->begin());
      }
    }
    if (!options_.statistics) continue;
    space.gradient_norm_sum = state.sums.layer_gradient_norms[i];
    std::fill(space.alive.begin(), space.alive.end(), std::uint8_t{0});
    if (i < hidden) std::ranges::copy(state.sums.alive[i], space.alive.begin());
  }
  first_step_ = state.steps == 0;
  steps_ = state.batch;
  gradient_norm_sum_ = state.sums.gradient_norm;
}

template class Engine<float>;
template class Engine<double>;

}  // namespace digitnet::detail
