// engine.hpp: one step of a training, as fast as the processor allows. Internal.
#pragma once

#include "kernels.hpp"
#include "sparse_samples.hpp"

#include <digitnet/trainer.hpp>

#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace digitnet::detail {

/// Everything a training step needs, allocated once.
///
/// A step goes through the layers forward, then backward. What one layer does is a phase, cut into pieces that
/// the team shares, with a wait for all at its end:
///
///   forward, in tiles of samples and units:      a_i = f(a_{i-1} W_i + b_i); behind the last, dz = dL/dz
///   backward, in blocks of rows of the weights:  dz_{i-1} = (dz_i W_i^T) * f'(z_{i-1}),  for those columns
///                                                dW_i = a_{i-1}^T dz_i, and the step, while both are in the cache
///
/// No two pieces write to the same place and nothing is summed across threads. The cut depends on the shapes
/// alone. So the result is the same bits for any number of threads.
///
/// Each product takes one of three ways; each is BLAS's within rounding, which is their plain form:
///
///   sparse  of the first layer, where most inputs are zero, as in MNIST: the zeros are left out
///   narrow  of layers with few units, such as the ten outputs
///   BLAS    all others
template <class Real>
class Engine {
 public:
  Engine(Network<Real>& network, const Dataset& data, Optimizer<Real>& optimizer, std::size_t batch_size,
         ThreadTeam& team);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// One step on the samples named, at most batch_size.
  /// @param schedule  factor on the learning rate
  /// @return  the sum of their losses and how many were read correctly, both before the step
  std::pair<double, std::size_t> step(std::span<const std::uint32_t> samples, double schedule);

 private:
  /// What is kept of one layer. Rows are padded to whole vectors.
  struct Workspace {
    Matrix<Real> a;   // (batch, units): first z, then a in its place
    Matrix<Real> z;   // where the derivative needs it, else empty
    Matrix<Real> dz;  // (batch, units)
    std::size_t tile_samples = 0;
    std::size_t tile_units = 0;
    std::size_t block_rows = 0;

    // Of a narrow layer: its weights in the forms that narrow_product and combine_rows want.
    bool narrow = false;
    Matrix<Real> padded_weights;      // (inputs, lanes)
    Vector<Real> padded_bias;         // (lanes)
    Matrix<Real> transposed_weights;  // (units, inputs)
  };

  /// Scratch space of one worker.
  struct Scratch {
    Vector<Real> gradient;         // of a block of weights
    Vector<Real> narrow_gradient;  // likewise, rows of `lanes`
    Vector<Real> bias_gradient;
    std::vector<BitSquare> ink_bits;
    std::vector<const std::uint8_t*> ink_values;
  };

  /// A part of the samples of a batch, or of the units of a layer.
  struct Range {
    std::size_t first;
    std::size_t count;
  };

  Dense<Real>& layer(std::size_t i) { return network_.layer(i); }
  bool is_sparse(std::size_t i) const { return i == 0 && sparse_.has_value(); }
  MatrixView<Real> batch_view(Matrix<Real>& matrix, std::size_t columns) const;
  MatrixView<Real> inputs_of(std::size_t i);

  void plan(std::size_t i, std::size_t batch_size);
  void copy_samples(std::size_t piece);
  void forward_tile(std::size_t i, std::size_t tile);
  void preactivation(std::size_t i, Range samples, Range units);
  void loss_gradient(Range samples, std::size_t tile);
  void backward_block(std::size_t i, std::size_t block, Scratch& scratch);
  void input_gradient(std::size_t i, Range rows, Scratch& scratch);
  InkByInput find_ink(std::size_t group, Scratch& scratch) const;
  std::span<Real> weight_gradient(std::size_t i, Range rows, Scratch& scratch);
  void arrange_narrow(std::size_t i, Range rows);
  void step_bias(std::size_t i, Range units, std::span<const Real> gradient);

  static constexpr std::array<Real, 256> byte_scale = detail::byte_scale<Real>();

  Network<Real>& network_;
  const Dataset& data_;
  Optimizer<Real>& optimizer_;
  ThreadTeam& team_;
  std::span<const std::uint32_t> samples_;  // of the batch
  std::optional<SparseSamples> sparse_;     // none: x_
  Matrix<Real> x_;                          // (batch, inputs)
  std::vector<Workspace> layers_;
  std::vector<Scratch> scratch_;  // one for each worker
  std::vector<double> tile_losses_;
  std::vector<std::size_t> tile_correct_;
  std::size_t phase_layer_ = 0;
  std::function<void(std::size_t, std::size_t)> copy_piece_;
  std::function<void(std::size_t, std::size_t)> forward_piece_;
  std::function<void(std::size_t, std::size_t)> backward_piece_;
};

}  // namespace digitnet::detail
