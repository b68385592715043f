// trainer.hpp: epochs, batches, reports, stopping.
#pragma once

#include <digitnet/dataset.hpp>
#include <digitnet/metrics.hpp>
#include <digitnet/network.hpp>
#include <digitnet/optimizer.hpp>
#include <digitnet/random.hpp>
#include <digitnet/schedule.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace digitnet {

/// Asks a training to stop, from any thread or a signal handler. The batch in work is finished.
class StopFlag {
 public:
  void request() { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }
  void clear() { requested_.store(false, std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

/// What is known after a batch.
struct BatchReport {
  std::size_t epoch = 0;     ///< from 1
  std::size_t batch = 0;     ///< from 1
  std::size_t batches = 0;   ///< in an epoch
  std::size_t samples = 0;   ///< in this batch
  double loss = 0;           ///< mean over the batch, before the step
  double accuracy = 0;       ///< of the batch, before the step
  double learning_rate = 0;  ///< of this step
};

/// What is known after an epoch.
struct EpochReport {
  std::size_t epoch = 0;                        ///< from 1
  std::size_t epochs = 0;                       ///< asked for
  double training_loss = 0;                     ///< mean over the epoch, each sample as it was met
  double training_accuracy = 0;                 ///< likewise
  std::optional<double> validation_loss{};      ///< after the epoch, if there is validation data
  std::optional<double> validation_accuracy{};  ///< likewise
  double learning_rate = 0;                     ///< of the last step
  double seconds = 0;                           ///< for the epoch, without validation
};

struct TrainingOptions {
  std::size_t epochs = 10;
  std::size_t batch_size = 128;
  std::size_t threads = 0;  ///< 0 takes default_threads(); the result is the same bits for any number
  bool shuffle = true;      ///< a new order of the samples for each epoch

  /// Ends the training after the first epoch whose mean training loss is below. 0 never does.
  double stop_below_loss = 0;

  Schedule schedule{};  ///< none: constant

  std::function<void(const BatchReport&)> on_batch{};  ///< called by the thread that called train
  std::function<void(const EpochReport&)> on_epoch{};  ///< likewise; what they throw ends the training
  const StopFlag* stop = nullptr;
};

/// Why a training ended.
enum class StopReason {
  done,          ///< all epochs
  stopped,       ///< by the stop flag
  loss_reached,  ///< stop_below_loss
  diverged,      ///< the loss is no longer a finite number; try a smaller learning rate
};

inline constexpr std::array<std::string_view, 4> stop_reason_names{"done", "stopped", "loss_reached", "diverged"};

inline std::string_view name_of(StopReason reason) { return stop_reason_names[static_cast<std::size_t>(reason)]; }

/// What happened, epoch by epoch. An epoch that was cut short is not in it.
struct History {
  std::vector<EpochReport> epochs;
  StopReason reason = StopReason::done;
};

/// Trains a network in place.
///
/// In each epoch every sample is met once, in an order drawn from `rng`; the last batch may be smaller. The
/// loss is averaged over the batch. The same network, data, options and `rng` give the same bits for any
/// number of threads: work is cut by samples for the passes forward and backward, by rows of the weights for
/// gradients and steps, and each piece is computed by one thread.
///
/// @param validation  looked at after each epoch and never learned from; may be empty
/// @param optimizer   prepared anew, so its learning rate counts and what it remembers does not
/// @throws ArgumentError  if there are no samples, epochs or batch_size is 0, or a label is not below
///                        network.outputs()
/// @throws ShapeError     if the samples do not have network.inputs() numbers
template <class Real>
History train(Network<Real>& network, const Dataset& training, const Dataset& validation, Optimizer<Real>& optimizer,
              const TrainingOptions& options, Rng& rng);

}  // namespace digitnet
