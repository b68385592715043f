#include "engine.hpp"

#include "denormals.hpp"

#include <algorithm>

namespace digitnet::detail {
namespace {

// The cut into pieces: large enough for BLAS to be quick and for a wait to be short beside the work, small enough
// for the cache and for sharing. It depends on shapes alone.

/// Samples that are copied, or passed through a narrow layer, at a time.
constexpr std::size_t few_samples = 32;
/// Samples of a tile at the most, and units of a tile of a wide layer.
constexpr std::size_t tile_most_samples = 128;
constexpr std::size_t tile_wide_units = 256;
/// Units of a tile of the sparse layer: its part of the weights stays in the second-level cache.
constexpr std::size_t tile_sparse_units = 128;
/// Tiles that a batch is cut into at the least, if that leaves few_samples in each.
constexpr std::size_t least_tiles = 4;
/// Weights of a block at the most.
constexpr std::size_t block_weights = 1 << 17;

constexpr std::size_t parts(std::size_t whole, std::size_t part) { return (whole + part - 1) / part; }

template <class Real>
Matrix<Real> padded_matrix(std::size_t rows, std::size_t columns) {
  return zeros<Real>({rows, padded(columns)});
}

}  // namespace

template <class Real>
Engine<Real>::Engine(Network<Real>& network, const Dataset& data, Optimizer<Real>& optimizer, std::size_t batch_size,
                     ThreadTeam& team)
    : network_(network),
      data_(data),
      optimizer_(optimizer),
      team_(team),
      sparse_(SparseSamples::pack(data, team)),
      x_(padded_matrix<Real>(sparse_ ? 0 : batch_size, network.inputs())),
      layers_(network.layers().size()),
      scratch_(team.size()),
      tile_losses_(parts(batch_size, few_samples)),
      tile_correct_(tile_losses_.size()) {
  std::vector<std::size_t> tensor_sizes;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    tensor_sizes.push_back(layer(i).weights.size());
    tensor_sizes.push_back(layer(i).bias.size());
    plan(i, batch_size);
  }
  optimizer.prepare(tensor_sizes);
  for (Scratch& scratch : scratch_) {
    if (sparse_) {
      scratch.ink_bits.resize(parts(batch_size, 64));
      scratch.ink_values.resize(batch_size);
    }
  }
  copy_piece_ = [this](std::size_t piece, std::size_t) { copy_samples(piece); };
  forward_piece_ = [this](std::size_t tile, std::size_t) {
    const FlushDenormals guard;
    forward_tile(phase_layer_, tile);
  };
  backward_piece_ = [this](std::size_t block, std::size_t worker) {
    const FlushDenormals guard;
    backward_block(phase_layer_, block, scratch_[worker]);
  };
}

/// Room for layer i, and how its work is cut.
template <class Real>
void Engine<Real>::plan(std::size_t i, std::size_t batch_size) {
  const std::size_t inputs = layer(i).inputs();
  const std::size_t units = layer(i).outputs();
  const bool last = i + 1 == layers_.size();
  Workspace& space = layers_[i];
  space.a = padded_matrix<Real>(batch_size, units);
  space.dz = padded_matrix<Real>(batch_size, units);
  space.z = padded_matrix<Real>(needs_preactivation(layer(i).activation) ? batch_size : 0, units);

  space.narrow = units <= lanes && !is_sparse(i);
  if (space.narrow) {
    space.padded_weights = zeros<Real>({inputs, lanes});
    space.padded_bias = zero_vector<Real>(lanes);
    space.transposed_weights = padded_matrix<Real>(units, inputs);
    arrange_narrow(i, {0, inputs});
    std::copy_n(layer(i).bias.data(), units, space.padded_bias.data());
  }

  // The loss needs a whole row of the last layer.
  space.tile_units = last ? units : std::min(units, is_sparse(i) ? tile_sparse_units : tile_wide_units);
  const std::size_t unit_tiles = parts(units, space.tile_units);
  space.tile_samples = std::clamp(parts(batch_size, parts(least_tiles, unit_tiles)), few_samples, tile_most_samples);

  // At least four blocks, of whole vectors, unless the layer is small.
  const std::size_t rows = std::min(block_weights / units, parts(inputs, least_tiles));
  space.block_rows = is_sparse(i) ? ink_group : std::max(lanes, padded(rows));

  const std::size_t block_size = std::min(space.block_rows, inputs) * units;
  for (Scratch& scratch : scratch_) {
    if (scratch.gradient.size() < block_size) scratch.gradient = zero_vector<Real>(block_size);
    if (space.narrow && scratch.narrow_gradient.size() < space.block_rows * lanes) {
      scratch.narrow_gradient = zero_vector<Real>(space.block_rows * lanes);
    }
    const std::size_t widest = std::max(space.block_rows, units);
    if (scratch.bias_gradient.size() < widest) scratch.bias_gradient = zero_vector<Real>(widest);
  }
}

template <class Real>
std::pair<double, std::size_t> Engine<Real>::step(std::span<const std::uint32_t> samples, double schedule) {
  samples_ = samples;
  optimizer_.begin_step(schedule);
  if (!sparse_) team_.run(parts(samples.size(), few_samples), copy_piece_);
  for (phase_layer_ = 0; phase_layer_ < layers_.size(); ++phase_layer_) {
    const Workspace& space = layers_[phase_layer_];
    team_.run(parts(samples.size(), space.tile_samples) * parts(layer(phase_layer_).outputs(), space.tile_units),
              forward_piece_);
  }
  for (phase_layer_ = layers_.size(); phase_layer_-- > 0;) {
    team_.run(parts(layer(phase_layer_).inputs(), layers_[phase_layer_].block_rows), backward_piece_);
  }
  double loss = 0;
  std::size_t correct = 0;
  for (std::size_t tile = 0; tile < parts(samples.size(), layers_.back().tile_samples); ++tile) {
    loss += tile_losses_[tile];
    correct += tile_correct_[tile];
  }
  return {loss, correct};
}

/// The rows of a workspace that the batch uses.
template <class Real>
MatrixView<Real> Engine<Real>::batch_view(Matrix<Real>& matrix, std::size_t columns) const {
  return {matrix.data(), samples_.size(), columns, matrix.shape(1)};
}

/// What layer i is given, (samples, inputs). Not for the sparse layer.
template <class Real>
MatrixView<Real> Engine<Real>::inputs_of(std::size_t i) {
  return batch_view(i == 0 ? x_ : layers_[i - 1].a, layer(i).inputs());
}

template <class Real>
void Engine<Real>::copy_samples(std::size_t piece) {
  const std::size_t last = std::min(samples_.size(), (piece + 1) * few_samples);
  for (std::size_t s = piece * few_samples; s < last; ++s) data_.copy_sample(samples_[s], inputs_of(0).row(s));
}

template <class Real>
void Engine<Real>::forward_tile(std::size_t i, std::size_t tile) {
  Workspace& space = layers_[i];
  const std::size_t units = layer(i).outputs();
  const std::size_t unit_tiles = parts(units, space.tile_units);
  const std::size_t first_sample = tile / unit_tiles * space.tile_samples;
  const std::size_t first_unit = tile % unit_tiles * space.tile_units;
  const Range samples_of_tile{first_sample, std::min(space.tile_samples, samples_.size() - first_sample)};
  const Range units_of_tile{first_unit, std::min(space.tile_units, units - first_unit)};

  preactivation(i, samples_of_tile, units_of_tile);
  const Activation activation = layer(i).activation;
  const MatrixView<Real> a = batch_view(space.a, units).columns_from(units_of_tile.first, units_of_tile.count);
  for (std::size_t s = first_sample; s < first_sample + samples_of_tile.count; ++s) {
    const std::span<Real> values = a.row(s);
    if (needs_preactivation(activation)) {
      std::copy(values.begin(), values.end(), batch_view(space.z, units).row(s).begin() + units_of_tile.first);
    }
    if (i + 1 < layers_.size()) fast_activate(activation, values);
  }
  if (i + 1 == layers_.size()) loss_gradient(samples_of_tile, tile);
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
    for (std::size_t s = 0; s < samples.count; ++s) {
      const auto [inputs, values] = sparse_->entries(samples_[samples.first + s]);
      combine_rows(z.row(s).data(), dense.bias.data() + units.first, dense.weights.data() + units.first,
                   dense.outputs(), units.count, inputs.data(), values.data(), values.size(), byte_scale.data());
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
  const bool cross_entropy = network_.loss() == LossFunction::softmax_cross_entropy;
  const Real scale = Real{1} / static_cast<Real>(samples_.size());
  double loss = 0;
  std::size_t correct = 0;
  for (std::size_t s = samples.first; s < samples.first + samples.count; ++s) {
    const std::span<Real> a = batch_view(space.a, units).row(s);
    const std::span<Real> dz = batch_view(space.dz, units).row(s);
    const std::size_t label = data_.label(samples_[s]);
    if (needs_preactivation(activation)) activate(activation, a);  // before it is asked, as in evaluate
    correct += static_cast<std::size_t>(std::max_element(a.begin(), a.end()) - a.begin()) == label ? 1 : 0;
    if (!cross_entropy && !needs_preactivation(activation)) activate(activation, a);
    std::copy(a.begin(), a.end(), dz.begin());
    if (cross_entropy) {
      loss += softmax_cross_entropy(dz, label, scale);
    } else {
      loss += sum_of_squares(dz, label, scale);
      activation_gradient<Real>(activation, dz,
                                needs_preactivation(activation) ? batch_view(space.z, units).row(s) : a);
    }
  }
  tile_losses_[tile] = loss;
  tile_correct_[tile] = correct;
}

template <class Real>
void Engine<Real>::backward_block(std::size_t i, std::size_t block, Scratch& scratch) {
  const Workspace& space = layers_[i];
  Dense<Real>& dense = layer(i);
  const std::size_t first = block * space.block_rows;
  const Range rows{first, std::min(space.block_rows, dense.inputs() - first)};
  if (i + 1 == layers_.size() && block == 0) {  // of the others, the layer behind has done it
    const MatrixView<Real> dz = batch_view(layers_[i].dz, dense.outputs());
    sum_rows<Real>(scratch.bias_gradient.data(), dz.data, dz.stride, dz.columns, dz.rows);
    step_bias(i, {0, dz.columns}, values(scratch.bias_gradient));
  }
  if (i > 0) input_gradient(i, rows, scratch);  // by the weights before their step
  const std::span<Real> gradient = weight_gradient(i, rows, scratch);
  optimizer_.update(2 * i, first * dense.outputs(),
                    values(dense.weights).subspan(first * dense.outputs(), gradient.size()), gradient, true);
  if (space.narrow) arrange_narrow(i, rows);
}

/// dz_{i-1} = (dz_i W_i^T) * f'(z_{i-1}) for some columns, which are rows of W_i, and the step of their biases.
template <class Real>
void Engine<Real>::input_gradient(std::size_t i, Range rows, Scratch& scratch) {
  const Workspace& space = layers_[i];
  Workspace& before = layers_[i - 1];
  const std::size_t units = layer(i).outputs();
  const std::size_t inputs = layer(i).inputs();
  const MatrixView<Real> dz = batch_view(layers_[i].dz, units);
  const MatrixView<Real> dx = batch_view(before.dz, inputs).columns_from(rows.first, rows.count);
  if (space.narrow) {
    const Matrix<Real>& transposed = space.transposed_weights;
    for (std::size_t s = 0; s < dx.rows; ++s) {
      combine_rows<Real>(dx.row(s).data(), nullptr, transposed.data() + rows.first, transposed.shape(1), rows.count,
                         nullptr, dz.row(s).data(), units);
    }
  } else {
    gemm<Real>(Real{1}, dz, Transpose::no, view(std::as_const(layer(i).weights)).rows_from(rows.first, rows.count),
               Transpose::yes, Real{0}, dx);
  }
  const Activation activation = layer(i - 1).activation;
  const MatrixView<Real> kept =
      batch_view(needs_preactivation(activation) ? before.z : before.a, inputs).columns_from(rows.first, rows.count);
  for (std::size_t s = 0; s < dx.rows; ++s) fast_activation_gradient<Real>(activation, dx.row(s), kept.row(s));
  sum_rows<Real>(scratch.bias_gradient.data(), dx.data, dx.stride, dx.columns, dx.rows);
  step_bias(i - 1, rows, values(scratch.bias_gradient));
}

/// The ink of the batch at one group of inputs.
template <class Real>
InkByInput Engine<Real>::find_ink(std::size_t group, Scratch& scratch) const {
  for (std::size_t s = 0; s < samples_.size(); ++s) {
    const auto [bits, values] = sparse_->group(samples_[s], group);
    scratch.ink_bits[s / 64][s % 64] = bits;
    scratch.ink_values[s] = values;
  }
  const std::span<BitSquare> squares = std::span(scratch.ink_bits).subspan(0, parts(samples_.size(), 64));
  for (std::size_t s = samples_.size(); s < squares.size() * 64; ++s) squares.back()[s % 64] = 0;
  for (BitSquare& square : squares) transpose_bits(square);
  return {squares, scratch.ink_values};
}

/// Some rows of dW_i = a_{i-1}^T dz_i, without gaps.
template <class Real>
std::span<Real> Engine<Real>::weight_gradient(std::size_t i, Range rows, Scratch& scratch) {
  const std::size_t units = layer(i).outputs();
  const MatrixView<Real> dz = batch_view(layers_[i].dz, units);
  const std::span<Real> gradient = values(scratch.gradient).subspan(0, rows.count * units);
  if (is_sparse(i)) {
    sparse_gradient<Real>(gradient.data(), units, rows.count, dz.data, dz.stride, units,
                          find_ink(rows.first / ink_group, scratch), byte_scale.data());
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
void Engine<Real>::step_bias(std::size_t i, Range units, std::span<const Real> gradient) {
  const std::span<Real> bias = values(layer(i).bias).subspan(units.first, units.count);
  optimizer_.update(2 * i + 1, units.first, bias, gradient.subspan(0, units.count), false);
  if (layers_[i].narrow) std::copy(bias.begin(), bias.end(), layers_[i].padded_bias.data() + units.first);
}

template class Engine<float>;
template class Engine<double>;

}  // namespace digitnet::detail
