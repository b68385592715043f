// engine.hpp: one step of a training, as fast as the processor allows. Internal.
#pragma once

#include "batch_norm.hpp"
#include "fast_activation.hpp"
#include "kernels.hpp"
#include "sparse_samples.hpp"

#include <digitnet/trainer.hpp>

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace digitnet::detail {

/// What a step says about the batch, as it was before.
struct StepResult {
  double loss = 0;          ///< sum over the samples of their weight times their loss
  double weight = 0;        ///< sum of the weights; the number of samples if they have none
  std::size_t correct = 0;  ///< samples read correctly
};

/// Everything a training step needs, allocated once.
///
/// A step goes through the layers forward, then backward, in phases. The pieces of a phase need nothing of each
/// other and are shared by the team; behind each phase all wait for all:
///
///   forward, layer by layer:   a_i = f(a_{i-1} W_i + b_i); behind the last, dz = dL/dz   in tiles of samples and units
///   backward, layer by layer:  dz_{i-1} = (dz_i W_i^T) * f'(z_{i-1})                     in tiles of samples and units
///        beside the next one:  dW_i = a_{i-1}^T dz_i, db_i, and the step                 in blocks of rows of W_i,
///                                                                                        while they are in the cache
///
/// No two pieces write to the same place and nothing is summed across threads. The cut depends on the shapes
/// alone. So the result is the same bits for any number of threads.
///
/// Each product takes one of three ways; each is BLAS's within rounding, which is their plain form:
///
///   sparse  of the first layer, where most inputs are zero, as in MNIST: the zeros are left out. Forward it is a
///           phase before the others, cut by rows of the weights as the way back is, and each thread begins with the
///           same rows: so a row stays in the cache of one processor. The parts of z that the stripes of rows give
///           are summed up in their order.
///   narrow  of layers with few units, such as the ten outputs
///   BLAS    all others
///
/// Where gradients are clipped by their common norm, blocks keep their gradients, and the steps are a phase of
/// their own behind. max_norm adds a phase by units.
template <class Real>
class Engine {
 public:
  /// @param network  what is trained, in place
  Engine(Network<Real>& network, const Dataset& data, Optimizer<Real>& optimizer, const TrainingOptions& options,
         ThreadTeam& team);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// One step.
  /// @param samples       of the data set, at most options.batch_size
  /// @param schedule      factor on the learning rate
  /// @param augmentation  not moved on; each sample of the data set has a fork of it
  /// @param rng           for dropout: not moved on; each place in the batch has a fork of it
  /// @param measure       whether layer statistics are about this step's change of the weights
  StepResult step(std::span<const std::uint32_t> samples, double schedule, const Rng& augmentation, const Rng& rng,
                  bool measure);

  /// Whether the network in training is not the one to be used: it has no batch normalisation in it yet.
  bool has_batch_norm() const { return options_.batch_norm; }

  /// target += share * (network - target), where the network has its batch normalisation folded into it.
  /// A share of 1 makes them equal.
  void blend_into(Network<Real>& target, double share);

  /// With options.statistics: of the steps since the last call.
  struct Statistics {
    double gradient_norm = 0;
    std::vector<LayerStatistics> layers;  // without the histograms
  };
  Statistics take_statistics();

  /// What the engine itself remembers between two steps, besides network and optimizer.
  void store(TrainingState<Real>& state) const;

  /// @throws ShapeError  if the state is not one of this network and these options
  void restore(const TrainingState<Real>& state);

 private:
  /// A part of the samples of a batch, of the units of a layer or of the rows of its weights.
  struct Range {
    std::size_t first;
    std::size_t count;
  };

  /// Sums of squares that a block of weights leaves.
  struct BlockNorms {
    double gradient = 0;
    double bias = 0;  // of the gradients of the biases that the block has seen to
    double change = 0;
    double weights = 0;
  };

  /// What is kept of one layer. Rows are padded to whole vectors.
  struct Workspace {
    Matrix<Real> a;  // (batch, units): first z, then a in its place
    Matrix<Real> z;  // where the derivative needs it, else empty
    Matrix<Real> dz;
    std::size_t tile_samples = 0;  // forward
    std::size_t tile_units = 0;
    std::size_t back_samples = 0;  // backward, to the layer before
    std::size_t back_units = 0;
    std::size_t block_rows = 0;  // of weights

    // Of a narrow layer: its weights in the forms that narrow_product and combine_rows want.
    bool narrow = false;
    Matrix<Real> padded_weights;      // (inputs, lanes)
    Vector<Real> padded_bias;         // (lanes)
    Matrix<Real> transposed_weights;  // (units, inputs)

    // With dropout: the factors of the units, and what the next layer is given.
    Matrix<Real> mask;
    Matrix<Real> dropped;

    std::optional<BatchNorm<Real>> norm;

    // Where gradients wait for their common norm, or are looked at.
    Matrix<Real> weight_gradients;
    Vector<Real> bias_gradients;
    Vector<Real> gamma_gradients;
    Vector<Real> beta_gradients;
    std::vector<BlockNorms> norms;   // of each block
    std::vector<double> back_norms;  // of each tile backward: squares of the gradients of gamma and beta
    Matrix<std::uint8_t> alive;      // (tiles of samples, units): whether f'(z) was ever other than 0
    double gradient_norm_sum = 0;
  };

  /// Scratch space of one worker.
  struct Scratch {
    Vector<Real> gradient;         // of a block of weights
    Vector<Real> narrow_gradient;  // likewise, rows of `lanes`
    Vector<Real> unit_gradient;    // of biases and the like
    Vector<Real> gamma_gradient;
    Vector<Real> before;      // weights before their step, if changes are measured
    Vector<Real> derivative;  // f'(z) of a row, if units are looked at
    std::optional<Augmenter> augmenter;
    std::vector<std::uint8_t> augmented;  // a sample
    std::vector<Ink> ink;                 // of the samples of a tile, and of each its rest
    std::vector<Ink> ink_left;
    std::vector<BitSquare> ink_bits;  // of the batch at one group of inputs, and its values
    std::vector<const std::uint8_t*> ink_values;
    std::vector<const std::uint8_t*> ink_values_left;
  };

  Dense<Real>& layer(std::size_t i) { return network_.layer(i); }
  bool is_sparse(std::size_t i) const { return i == 0 && is_sparse_; }
  bool is_last(std::size_t i) const { return i + 1 == layers_.size(); }
  MatrixView<Real> batch_view(Matrix<Real>& matrix, std::size_t columns) const;
  MatrixView<Real> inputs_of(std::size_t i);
  Ink ink_of(std::size_t slot, std::size_t group) const;
  Rng fork(std::size_t layer, std::size_t slot, std::size_t first) const;

  void plan(std::size_t i, std::size_t batch_size);
  void weigh_samples();

  /// The number `part` of the pieces that some work on layer `layer` is cut into.
  struct Piece {
    void (Engine::*work)(std::size_t layer, std::size_t part, Scratch& scratch);
    std::size_t layer;
    std::size_t part;
  };
  using Phase = std::vector<Piece>;

  void plan_phases(std::size_t batch_size);
  void run(const Phase& phase);

  void prepare_samples(std::size_t i, std::size_t part, Scratch& scratch);
  void sparse_part(std::size_t i, std::size_t part, Scratch& scratch);
  void forward_tile(std::size_t i, std::size_t tile, Scratch& scratch);
  void preactivation(std::size_t i, Range samples, Range units);
  void look_at_units(std::size_t i, std::size_t s, Range units, std::size_t sample_tile, Scratch& scratch);
  void loss_gradient(Range samples, std::size_t tile);

  void backward_tile(std::size_t i, std::size_t tile, Scratch& scratch);
  void weight_block(std::size_t i, std::size_t block, Scratch& scratch);
  InkByInput find_ink(std::size_t group, Scratch& scratch) const;
  std::span<Real> weight_gradient(std::size_t i, Range rows, Scratch& scratch);

  // Tensors, by the optimizer's index: weights and bias of each layer, then gamma and beta of each.
  std::size_t weights_index(std::size_t i) const { return 2 * i; }
  std::size_t bias_index(std::size_t i) const { return 2 * i + 1; }
  std::size_t gamma_index(std::size_t i) const { return 2 * (layers_.size() + i); }
  std::size_t beta_index(std::size_t i) const { return 2 * (layers_.size() + i) + 1; }

  void take_weight_gradient(std::size_t i, Range rows, std::span<Real> gradient, Scratch& scratch, BlockNorms& norms);
  double take_unit_gradient(std::size_t tensor, std::span<Real> parameters, Range units, std::span<Real> gradient,
                            std::span<Real> kept);
  void step_weights(std::size_t i, Range rows, std::span<const Real> gradient, Scratch& scratch, BlockNorms& norms);
  void clipped_block(std::size_t i, std::size_t block, Scratch& scratch);
  void limit_norms(std::size_t i, std::size_t tile, Scratch& scratch);
  void arrange_narrow(std::size_t i, Range rows);
  void arrange_narrow_bias(std::size_t i, Range units);
  void count_norms();

  Network<Real>& network_;
  const Dataset& data_;
  Optimizer<Real>& optimizer_;
  const TrainingOptions& options_;
  ThreadTeam& team_;
  bool keeps_gradients_;              // until their common norm is known
  bool measures_gradients_;           // their norms
  std::array<Real, 256> byte_scale_;  // what a byte of ink counts for
  bool augments_;
  bool is_sparse_;                         // the first layer; else its inputs are x_
  std::optional<SparseSamples> packed_;    // the data set, if samples are taken from it as they are
  std::optional<ChangedSamples> changed_;  // the batch, if they are augmented or with dropout of inputs
  std::size_t stripes_ = 0;                // of rows of the sparse layer
  Matrix<Real> stripe_z_;                  // (stripes * batch, units): what each gives to z
  Matrix<Real> x_;                         // (batch, inputs), if not sparse
  std::vector<Workspace> layers_;
  std::vector<Scratch> scratch_;  // one for each worker
  std::vector<double> tile_losses_;
  std::vector<std::size_t> tile_correct_;
  std::vector<double> sample_weights_;  // of the data set; empty: all 1

  std::vector<Phase> forward_;
  std::vector<Phase> backward_;
  Phase clipped_steps_;
  Phase limits_;
  const Phase* phase_ = nullptr;  // in work
  std::function<void(std::size_t, std::size_t)> do_piece_;

  // Of the step in work.
  std::span<const std::uint32_t> samples_;
  Rng augmentation_{0};
  Rng rng_{0};
  bool measure_ = false;
  bool first_step_ = true;
  double weight_ = 0;  // of all samples of the batch
  Real clip_factor_ = 1;

  // Since the last statistics.
  std::size_t steps_ = 0;
  double gradient_norm_sum_ = 0;
};

}  // namespace digitnet::detail
