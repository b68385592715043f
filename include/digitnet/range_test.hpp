// range_test.hpp: which learning rate to take, from a short training in which it rises.
#pragma once

#include <digitnet/trainer.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace digitnet {

/// What was seen in one step of a range test.
struct RangeTestPoint {
  double learning_rate = 0;
  double loss = 0;  ///< of the batch, before the step
  double smoothed_loss =
      0;  ///< a running mean of the losses so far: it keeps nine tenths in each step, and is corrected
          ///< for having begun at 0
};

struct RangeTestOptions {
  double low = 1e-6;        ///< learning rate of the first step, above 0
  double high = 10;         ///< of the last, above low
  std::size_t steps = 200;  ///< at the most, at least 2

  /// How it trains: batch_size, threads, shuffle, what is learned from, dropout, clipping and so on, best as in the
  /// training to come. stop ends the test early. The epochs, the schedule, the plateau, averaging, early stopping and
  /// the callbacks are not looked at.
  TrainingOptions training{};

  std::function<void(const RangeTestPoint&)> on_point{};  ///< called after each step; what it throws ends the test
};

/// What a range test found.
struct RangeTest {
  std::vector<RangeTestPoint> points;  ///< by rising learning rate

  /// The learning rate at which the smoothed loss falls fastest, over the logarithm of the rate: a good one to begin
  /// with, and for a schedule that rises to it. None if the loss never fell.
  std::optional<double> suggestion{};
};

/// A learning-rate range test: trains a copy of a network for some hundred steps in which the rate rises from low to
/// high by the same ratio each time. Where the loss begins to fall the rate is large enough, where it rises again it
/// is too large.
///
/// It ends before `high` when the smoothed loss is more than four times the lowest so far, or a loss is not finite. A
/// step whose loss is not finite is not among the points. The first ten points, whose mean is of few batches, are never
/// suggested.
///
/// @param optimizer  a copy of it makes the steps, with its settings but for the rate; it is not changed itself, nor is
///                   the network
/// @throws ArgumentError  unless 0 < low < high, both finite, and steps >= 2; and as train
/// @throws ShapeError     as train
/// @see Smith, Cyclical Learning Rates for Training Neural Networks (2017), section 3.3
template <class Real>
RangeTest learning_rate_range_test(const Network<Real>& network, const Dataset& data,
                                   const Optimizer<Real>& optimizer, const RangeTestOptions& options, Rng& rng);

}  // namespace digitnet
