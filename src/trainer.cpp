#include <digitnet/trainer.hpp>

#include "evaluation.hpp"
#include "kernels.hpp"
#include "sparse_samples.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>

namespace digitnet {
namespace {

using detail::text;
using Clock = std::chrono::steady_clock;

/// Samples that one thread passes forward and backward at a time, and parameters of a layer that one thread
/// updates at a time. Fixed, so that the pieces, and with them all roundings, are the same for any number of
/// threads; large enough for BLAS to be quick, small enough for the cache and for sharing.
constexpr std::size_t piece_samples = 32;
constexpr std::size_t piece_parameters = 1 << 15;

/// Samples of a batch are counted in 16 bits where inputs are sparse.
constexpr std::size_t largest_sparse_batch = 1 << 16;

/// The ink of a batch, turned around: for each input of one group, the samples that have ink there.
class InputColumns {
 public:
  explicit InputColumns(std::size_t batch_size)
      : samples_(batch_size * detail::sparse_group), values_(batch_size * detail::sparse_group) {}

  struct Column {
    std::span<const std::uint16_t> samples;  // positions in the batch, rising
    std::span<const std::uint8_t> values;
  };

  /// A counting sort of the entries of `samples` in the group that begins with input `first`.
  void collect(const detail::SparseSamples& data, std::span<const std::uint32_t> samples, std::size_t group,
               std::size_t first) {
    ends_.fill(0);
    for (const std::uint32_t sample : samples) {
      for (const std::uint16_t input : data.entries(sample, group).inputs) ++ends_[input - first];
    }
    std::exclusive_scan(ends_.begin(), ends_.end(), ends_.begin(), std::size_t{0});
    begins_ = ends_;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto [inputs, values] = data.entries(samples[i], group);
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        const std::size_t position = ends_[inputs[k] - first]++;
        samples_[position] = static_cast<std::uint16_t>(i);
        values_[position] = values[k];
      }
    }
  }

  Column column(std::size_t input) const {
    const std::size_t count = ends_[input] - begins_[input];
    return {{&samples_[begins_[input]], count}, {&values_[begins_[input]], count}};
  }

 private:
  std::vector<std::uint16_t> samples_;
  std::vector<std::uint8_t> values_;
  std::array<std::size_t, detail::sparse_group> begins_{};
  std::array<std::size_t, detail::sparse_group> ends_{};
};

/// Everything a training step needs, allocated once.
///
/// A step has two phases, each cut into pieces that the team shares, with a wait for all in between:
///
///   1. by samples: copy them, pass forward, loss, and backward to the dz of every layer:
///          dz_last = dL/dz,   dz_i = (dz_{i+1} W_{i+1}^T) * f'(z_i)
///   2. by rows of the weights: gradient and step while both are in the cache:
///          dW_i = a_i^T dz_i,   db_i = the sum of the rows of dz_i
///
/// No two pieces write to the same place, so nothing is summed across threads.
///
/// Where most inputs are zero, as in MNIST, both products of the first layer leave the zeros out: a sample's z is
/// the sum of the rows of W that its ink picks, and row i of dW the sum of the rows of dz of the samples that have
/// ink at i. The dense products, a[0] W and a[0]^T dz, are the plain form of the same.
template <class Real>
class Engine {
 public:
  Engine(Network<Real>& network, const Dataset& data, Optimizer<Real>& optimizer, std::size_t batch_size,
         ThreadTeam& team)
      : network_(network), data_(data), optimizer_(optimizer), team_(team), pass_(network, batch_size) {
    if (batch_size <= largest_sparse_batch) sparse_ = detail::SparseSamples::pack(data);
    if (sparse_) columns_.assign(team.size(), InputColumns(batch_size));
    std::vector<std::size_t> tensor_sizes;
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const Dense<Real>& layer = network.layer(i);
      dz_.push_back(Matrix<Real>::from_shape({batch_size, layer.outputs()}));
      weight_gradients_.push_back(Matrix<Real>::from_shape(layer.weights.shape()));
      bias_gradients_.push_back(zero_vector<Real>(layer.outputs()));
      tensor_sizes.push_back(layer.weights.size());
      tensor_sizes.push_back(layer.bias.size());
      const std::size_t rows =
          i == 0 && sparse_ ? detail::sparse_group : std::max<std::size_t>(1, piece_parameters / layer.outputs());
      for (std::size_t first = 0; first < layer.inputs(); first += rows) {
        weight_pieces_.push_back({i, first, std::min(rows, layer.inputs() - first)});
      }
    }
    optimizer.prepare(tensor_sizes);
    piece_losses_.resize((batch_size + piece_samples - 1) / piece_samples);
    piece_correct_.resize(piece_losses_.size());
    pass_piece_ = [this](std::size_t piece, std::size_t) { pass_piece(piece); };
    step_piece_ = [this](std::size_t piece, std::size_t worker) { step_piece(weight_pieces_[piece], worker); };
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// One step on the samples named.
  /// @return  the sum of their losses and how many were read correctly, both before the step
  std::pair<double, std::size_t> step(std::span<const std::uint32_t> samples, double schedule) {
    samples_ = samples;
    const std::size_t pieces = (samples.size() + piece_samples - 1) / piece_samples;
    team_.run(pieces, pass_piece_);
    optimizer_.begin_step(schedule);
    team_.run(weight_pieces_.size(), step_piece_);
    double loss = 0;
    std::size_t correct = 0;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      loss += piece_losses_[piece];
      correct += piece_correct_[piece];
    }
    return {loss, correct};
  }

 private:
  struct WeightPiece {
    std::size_t layer;
    std::size_t first;  // row of the weights
    std::size_t rows;
  };

  void pass_piece(std::size_t piece) {
    const std::size_t first = piece * piece_samples;
    const std::size_t count = std::min(piece_samples, samples_.size() - first);
    for (std::size_t i = first; i < first + count; ++i) {
      if (sparse_) {
        sparse_preactivation(i);
      } else {
        data_.copy_sample(samples_[i], row(pass_.a.front(), i));
      }
    }
    pass_.run(network_, first, count, sparse_.has_value());

    const std::size_t last = network_.layers().size() - 1;
    piece_losses_[piece] = 0;
    piece_correct_[piece] = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      loss_gradient(i, row(dz_[last], i), piece_losses_[piece], piece_correct_[piece]);
    }
    for (std::size_t layer = last; layer > 0; --layer) {
      const Activation activation = network_.layer(layer - 1).activation;
      const Matrix<Real>& kept = needs_preactivation(activation) ? pass_.z[layer - 1] : pass_.a[layer];
      gemm<Real>(Real{1}, view(dz_[layer]).rows_from(first, count), Transpose::no,
                 view(std::as_const(network_).layer(layer).weights), Transpose::yes, Real{0},
                 view(dz_[layer - 1]).rows_from(first, count));
      for (std::size_t i = first; i < first + count; ++i) {
        activation_gradient<Real>(activation, row(dz_[layer - 1], i), row(kept, i));
      }
    }
  }

  /// From the logits of sample i of the batch to dL/dz of the last layer.
  void loss_gradient(std::size_t i, std::span<Real> dz, double& loss, std::size_t& correct) {
    const std::size_t last = network_.layers().size() - 1;
    const Activation activation = network_.layer(last).activation;
    const std::span<Real> a = row(pass_.a.back(), i);
    const std::size_t label = data_.label(samples_[i]);
    const Real scale = Real{1} / static_cast<Real>(samples_.size());
    const bool cross_entropy = network_.loss() == LossFunction::softmax_cross_entropy;
    if (needs_preactivation(activation)) activate(activation, a);  // before it is asked, as in evaluate
    correct += static_cast<std::size_t>(std::max_element(a.begin(), a.end()) - a.begin()) == label ? 1 : 0;
    if (!cross_entropy && !needs_preactivation(activation)) activate(activation, a);
    std::copy(a.begin(), a.end(), dz.begin());
    if (cross_entropy) {
      loss += detail::softmax_cross_entropy(dz, label, scale);
    } else {
      loss += detail::sum_of_squares(dz, label, scale);
      activation_gradient<Real>(activation, dz,
                                row(needs_preactivation(activation) ? pass_.z[last] : pass_.a.back(), i));
    }
  }

  /// z = x W + b of the first layer, for sample i of the batch.
  void sparse_preactivation(std::size_t i) {
    const Dense<Real>& layer = network_.layer(0);
    const auto ink = sparse_->entries(samples_[i]);
    detail::combine_rows(row(pass_.a[1], i).data(), layer.bias.data(), layer.weights.data(), layer.outputs(),
                         ink.inputs.data(), ink.values.data(), ink.values.size(), byte_scale.data());
  }

  /// Rows of dW of the first layer: the inputs of one group.
  void sparse_weight_gradient(const WeightPiece& piece, InputColumns& columns) {
    const std::size_t group = piece.first / detail::sparse_group;
    columns.collect(*sparse_, samples_, group, piece.first);
    const std::size_t outputs = network_.layer(0).outputs();
    for (std::size_t input = 0; input < piece.rows; ++input) {
      const auto [samples, values] = columns.column(input);
      detail::combine_rows<Real>(row(weight_gradients_[0], piece.first + input).data(), nullptr, dz_[0].data(),
                                 outputs, samples.data(), values.data(), values.size(), byte_scale.data());
    }
  }

  void step_piece(const WeightPiece& piece, std::size_t worker) {
    Dense<Real>& layer = network_.layer(piece.layer);
    const MatrixView<const Real> dz = view(std::as_const(dz_[piece.layer])).rows_from(0, samples_.size());
    if (piece.layer == 0 && sparse_) {
      sparse_weight_gradient(piece, columns_[worker]);
    } else {
      const MatrixView<const Real> a = view(std::as_const(pass_.a[piece.layer])).rows_from(0, samples_.size());
      gemm<Real>(Real{1}, a.columns_from(piece.first, piece.rows), Transpose::yes, dz, Transpose::no, Real{0},
                 view(weight_gradients_[piece.layer]).rows_from(piece.first, piece.rows));
    }
    const std::size_t offset = piece.first * layer.outputs();
    const std::size_t size = piece.rows * layer.outputs();
    optimizer_.update(2 * piece.layer, offset, values(layer.weights).subspan(offset, size),
                      values(weight_gradients_[piece.layer]).subspan(offset, size), true);
    if (piece.first == 0) {
      const std::span<Real> gradient = values(bias_gradients_[piece.layer]);
      std::fill(gradient.begin(), gradient.end(), Real{0});
      detail::add_rows<Real>(dz, gradient);
      optimizer_.update(2 * piece.layer + 1, 0, values(layer.bias), gradient, false);
    }
  }

  static constexpr std::array<Real, 256> byte_scale = detail::byte_scale<Real>();

  Network<Real>& network_;
  const Dataset& data_;
  Optimizer<Real>& optimizer_;
  ThreadTeam& team_;
  std::span<const std::uint32_t> samples_;
  detail::ForwardPass<Real> pass_;
  std::optional<detail::SparseSamples> sparse_;  // none: dense
  std::vector<InputColumns> columns_;            // one for each worker
  std::vector<Matrix<Real>> dz_;
  std::vector<Matrix<Real>> weight_gradients_;
  std::vector<Vector<Real>> bias_gradients_;
  std::vector<WeightPiece> weight_pieces_;
  std::vector<double> piece_losses_;
  std::vector<std::size_t> piece_correct_;
  std::function<void(std::size_t, std::size_t)> pass_piece_;
  std::function<void(std::size_t, std::size_t)> step_piece_;
};

void check_options(const TrainingOptions& options) {
  if (options.epochs == 0) throw ArgumentError("train: epochs is 0, expected at least 1");
  if (options.batch_size == 0) throw ArgumentError("train: batch_size is 0, expected at least 1");
  if (!(options.stop_below_loss >= 0) || std::isinf(options.stop_below_loss)) {
    throw ArgumentError(
        text("train: stop_below_loss is ", options.stop_below_loss, ", expected a number of at least 0"));
  }
}

}  // namespace

Schedule cosine_schedule(double warmup) {
  if (!(warmup >= 0 && warmup < 1)) {
    throw ArgumentError(text("cosine_schedule: warmup is ", warmup, ", expected a share of at least 0 and below 1"));
  }
  return [warmup](double progress) {
    if (progress < warmup) return progress / warmup;
    return 0.5 * (1 + std::cos(std::numbers::pi * (progress - warmup) / (1 - warmup)));
  };
}

template <class Real>
History train(Network<Real>& network, const Dataset& training, const Dataset& validation, Optimizer<Real>& optimizer,
              const TrainingOptions& options, Rng& rng) {
  check_options(options);
  detail::require_fitting_data("train", network.architecture(), training);
  if (!validation.empty()) detail::require_fitting_data("train (validation)", network.architecture(), validation);

  ThreadTeam team(options.threads);
  const SingleThreadedBlas guard;
  const std::size_t batch_size = std::min(options.batch_size, training.size());
  const std::size_t batches = (training.size() + batch_size - 1) / batch_size;
  const auto steps = static_cast<double>(options.epochs * batches);
  Engine<Real> engine(network, training, optimizer, batch_size, team);
  std::vector<std::uint32_t> order(training.size());
  std::iota(order.begin(), order.end(), 0u);

  History history;
  for (std::size_t epoch = 1; epoch <= options.epochs; ++epoch) {
    const auto start = Clock::now();
    if (options.shuffle) shuffle(order, rng);
    EpochReport report;
    report.epoch = epoch;
    report.epochs = options.epochs;
    std::size_t correct = 0;
    for (std::size_t batch = 1; batch <= batches; ++batch) {
      if (options.stop != nullptr && options.stop->requested()) {
        history.reason = StopReason::stopped;
        return history;
      }
      const std::size_t first = (batch - 1) * batch_size;
      const auto samples =
          std::span<const std::uint32_t>(order).subspan(first, std::min(batch_size, order.size() - first));
      const double progress = (static_cast<double>((epoch - 1) * batches + batch) - 0.5) / steps;
      const double factor = options.schedule ? options.schedule(progress) : 1.0;
      const auto [batch_loss, batch_correct] = engine.step(samples, factor);
      report.training_loss += batch_loss;
      report.learning_rate = optimizer.learning_rate() * factor;
      correct += batch_correct;
      if (!std::isfinite(batch_loss)) {
        history.reason = StopReason::diverged;
        return history;
      }
      if (options.on_batch) {
        const auto size = static_cast<double>(samples.size());
        options.on_batch({.epoch = epoch,
                          .batch = batch,
                          .batches = batches,
                          .samples = samples.size(),
                          .loss = batch_loss / size,
                          .accuracy = static_cast<double>(batch_correct) / size,
                          .learning_rate = report.learning_rate});
      }
    }
    report.training_loss /= static_cast<double>(training.size());
    report.training_accuracy = static_cast<double>(correct) / static_cast<double>(training.size());
    report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (!validation.empty()) {
      const Evaluation evaluation = detail::evaluate("train (validation)", network, validation, team);
      report.validation_loss = evaluation.loss;
      report.validation_accuracy = evaluation.accuracy;
    }
    history.epochs.push_back(report);
    if (options.on_epoch) options.on_epoch(report);
    if (options.stop_below_loss > 0 && report.training_loss < options.stop_below_loss) {
      history.reason = StopReason::loss_reached;
      return history;
    }
  }
  return history;
}

template class Sgd<float>;
template class Sgd<double>;
template class Adam<float>;
template class Adam<double>;
template class AdamW<float>;
template class AdamW<double>;
template History train(Network<float>&, const Dataset&, const Dataset&, Optimizer<float>&, const TrainingOptions&,
                       Rng&);
template History train(Network<double>&, const Dataset&, const Dataset&, Optimizer<double>&, const TrainingOptions&,
                       Rng&);

}  // namespace digitnet
