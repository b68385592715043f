// trainer.hpp: epochs, batches, reports, stopping.
#pragma once

#include <digitnet/augment.hpp>
#include <digitnet/dataset.hpp>
#include <digitnet/metrics.hpp>
#include <digitnet/network.hpp>
#include <digitnet/optimizer.hpp>
#include <digitnet/random.hpp>
#include <digitnet/schedule.hpp>

#include <array>
#include <atomic>
#include <cmath>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace digitnet {

/// Asks a training to stop, from any thread or a signal handler. The batch in work is finished.
class StopFlag {
 public:
  StopFlag() = default;

  /// @param other  one whose requests count as well; null: none. It has to live as long as this one.
  explicit StopFlag(const StopFlag* other) : other_(other) {}

  void request() { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const {
    return requested_.load(std::memory_order_relaxed) || (other_ != nullptr && other_->requested());
  }
  void clear() { requested_.store(false, std::memory_order_relaxed); }  ///< but not that of the other

 private:
  std::atomic<bool> requested_{false};
  const StopFlag* other_ = nullptr;
  static_assert(std::atomic<bool>::is_always_lock_free);
};

/// Asks a training for another learning rate, from any thread or a signal handler. It holds from the next batch on.
class LearningRateControl {
 public:
  /// Asks for a learning rate; the last one asked for counts.
  /// @throws ArgumentError  if it is not a finite number above 0
  void set(double learning_rate) {
    if (!std::isfinite(learning_rate) || learning_rate <= 0) {
      throw ArgumentError(detail::text("LearningRateControl: learning_rate is ", learning_rate,
                                       ", expected a finite number above 0"));
    }
    asked_for_.store(learning_rate, std::memory_order_relaxed);
  }

  /// What was asked for since the last time; for the training.
  std::optional<double> take() {
    if (asked_for_.load(std::memory_order_relaxed) == 0) return std::nullopt;  // most of the time
    return asked_for_.exchange(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<double> asked_for_{0};  // 0: nothing
  static_assert(std::atomic<double>::is_always_lock_free);
};

/// Another learning rate from some place in a training on. Schedule and plateau go on multiplying it.
struct LearningRateChange {
  std::size_t epoch = 0;     ///< whole epochs done before it
  std::size_t batch = 0;     ///< batches done of the next one, below the number of batches
  double learning_rate = 0;  ///< of the optimizer, finite and above 0

  bool operator==(const LearningRateChange&) const = default;
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

/// What a layer was like during an epoch; see TrainingOptions::statistics.
struct LayerStatistics {
  double gradient_norm = 0;     ///< Euclidean norm of dL/dW, mean over the steps
  double update_ratio = 0;      ///< norm of the last change of W over the norm of W; about 1e-3 is healthy
  double dead_share = 0;        ///< units whose gradient f'(z) was 0 for every sample of the epoch, in [0, 1]
  double weight_mean = 0;       ///< of W after the epoch
  double weight_deviation = 0;  ///< its standard deviation

  /// How many weights lie in each of `bins` parts of equal width of [histogram_low, histogram_high], the
  /// smallest and the largest weight.
  static constexpr std::size_t bins = 32;
  std::array<std::size_t, bins> histogram{};
  double histogram_low = 0;
  double histogram_high = 0;
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
  std::optional<double> gradient_norm{};        ///< of all gradients together, mean over the steps; with statistics
  std::vector<LayerStatistics> layers{};        ///< one for each layer, with statistics, else empty
};

/// The numbers of a report that can be watched.
enum class Metric { training_loss, training_accuracy, validation_loss, validation_accuracy };

inline constexpr std::array<std::string_view, 4> metric_names{"training_loss", "training_accuracy", "validation_loss",
                                                              "validation_accuracy"};

inline std::string_view name_of(Metric metric) { return metric_names[static_cast<std::size_t>(metric)]; }

/// @throws ArgumentError  if there is no metric of this name; the message lists them
inline Metric metric_from_name(std::string_view name) {
  return detail::from_name<Metric>("metric", metric_names, name, "train");
}

/// Ends a training that no longer gets better.
/// @see Prechelt, Early Stopping - But When? (1998)
struct EarlyStopping {
  Metric metric = Metric::validation_loss;
  std::size_t patience = 5;  ///< epochs in a row without progress that end it, at least 1
  double min_delta = 0;      ///< what a metric must improve by to count as progress, at least 0
  bool restore_best = true;  ///< whether the network gets back what it was after its best epoch
};

/// Which weights a network has after a training.
enum class Averaging {
  none,  ///< those of the last step
  ema,   ///< their exponential moving average over the steps; Polyak and Juditsky (1992)
  swa,   ///< their mean over the epochs from swa_start on; Izmailov et al., Averaging Weights Leads to Wider Optima
         ///< and Better Generalization (2018)
};

inline constexpr std::array<std::string_view, 3> averaging_names{"none", "ema", "swa"};

inline std::string_view name_of(Averaging averaging) { return averaging_names[static_cast<std::size_t>(averaging)]; }

/// @throws ArgumentError  if there is no averaging of this name; the message lists them
inline Averaging averaging_from_name(std::string_view name) {
  return detail::from_name<Averaging>("averaging", averaging_names, name, "train");
}

struct TrainingOptions {
  std::size_t epochs = 10;
  std::size_t batch_size = 128;
  std::size_t threads = 0;  ///< 0 takes default_threads(); the result is the same bits for any number
  bool shuffle = true;      ///< a new order of the samples for each epoch

  /// Ends the training after the first epoch whose mean training loss is below. 0 never does.
  double stop_below_loss = 0;

  Schedule schedule{};  ///< none: constant

  /// Makes the learning rate smaller when a metric no longer gets better; its factor multiplies the schedule's. Each
  /// training begins with a copy of this one.
  std::optional<ReduceOnPlateau> plateau{};
  Metric plateau_metric = Metric::validation_loss;

  /// Sets the optimizer's learning rate at places known beforehand: in their order, one for each. What a control asks
  /// for meanwhile makes those still to come void.
  std::vector<LearningRateChange> learning_rate_changes{};

  // What is learned from.
  double label_smoothing = 0;            ///< in [0, 1), see loss.hpp
  std::vector<double> class_weights{};   ///< one for each class, of at least 0; none: all 1
  std::vector<double> sample_weights{};  ///< one for each training sample, likewise; multiplied by those of the class

  /// Changes each sample anew in each epoch, as images; training data must be images of bytes. Losses and accuracies of
  /// training are those on the changed samples, so they may well be worse than those of validation, which is left as it
  /// is. None, or one that changes nothing: samples as they are.
  std::optional<Augmentation> augmentation{};

  // What keeps a network from learning by heart. Penalties are not part of the losses reported.
  double l1 = 0;             ///< adds l1 * sum |w| to the loss, over weights but not biases
  double l2 = 0;             ///< adds l2 / 2 * sum w^2, likewise; see also Optimizer::set_weight_decay
  double max_norm = 0;       ///< most that the weights of one unit may have as norm after a step; 0: any
                             ///< Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting
                             ///< (2014), section 5.1
  double input_dropout = 0;  ///< share of inputs set to 0 at random in each step, in [0, 1); the others are
                             ///< multiplied by 1 / (1 - share), so nothing is to be done when predicting
  double dropout = 0;        ///< likewise, for the units of each hidden layer; section 4

  /// Normalises the pre-activations of each hidden layer over the batch. After each epoch the network gets
  /// weights and biases that have the running means and variances in them, so it stays a network of dense layers.
  /// Training it again begins from the same function, by the means and variances of its first batch.
  /// Ioffe and Szegedy, Batch Normalization (2015), algorithms 1 and 2.
  bool batch_norm = false;

  // What keeps a step from going too far.
  double clip_norm = 0;   ///< largest norm of all gradients together; larger ones are scaled down. 0: any
                          ///< Pascanu, Mikolov, Bengio, On the Difficulty of Training Recurrent Neural Networks
                          ///< (2013)
  double clip_value = 0;  ///< largest size of each gradient; 0: any

  // What the network is after the training.
  Averaging averaging = Averaging::none;  ///< reports and callbacks of an epoch see the averaged weights
  double ema_decay = 0.999;               ///< share of the average that a step keeps at the most, in [0, 1)
  double swa_start = 0.75;                ///< share of the epochs before the mean begins, in [0, 1)
  std::optional<EarlyStopping> early_stopping{};

  bool statistics = false;  ///< whether reports have gradient norms and what each layer was like; takes a little time

  std::function<void(const BatchReport&)> on_batch{};                 ///< called by the thread that called train
  std::function<void(const EpochReport&)> on_epoch{};                 ///< likewise; what they throw ends the training
  std::function<void(const LearningRateChange&)> on_learning_rate{};  ///< likewise, before a change is made
  const StopFlag* stop = nullptr;
  LearningRateControl* learning_rate_control = nullptr;
};

/// Why a training ended.
enum class StopReason {
  done,          ///< all epochs
  stopped,       ///< by the stop flag
  loss_reached,  ///< stop_below_loss
  diverged,      ///< the loss is no longer a finite number; try a smaller learning rate
  early_stop,    ///< TrainingOptions::early_stopping
};

inline constexpr std::array<std::string_view, 5> stop_reason_names{"done", "stopped", "loss_reached", "diverged",
                                                                   "early_stop"};

inline std::string_view name_of(StopReason reason) { return stop_reason_names[static_cast<std::size_t>(reason)]; }

/// What happened, epoch by epoch. An epoch that was cut short is not in it.
struct History {
  std::vector<EpochReport> epochs;
  StopReason reason = StopReason::done;
  std::size_t best_epoch = 0;  ///< by the metric of early_stopping, from 1; 0 without

  /// Those that were made, in their order, also in an epoch that was cut short; at one place the last.
  std::vector<LearningRateChange> learning_rate_changes{};
};

/// All that a training is between two of its steps. Stored and continued, it ends in the same bits as without the break.
template <class Real>
struct TrainingState {
  using Numbers = typename Optimizer<Real>::Numbers;

  std::size_t epoch = 0;              ///< whole epochs done
  std::size_t batch = 0;              ///< batches done of the next one
  std::optional<StopReason> ended{};  ///< if there is nothing to be continued

  Network<Real> network;                   ///< as it would be used
  std::optional<Network<Real>> working{};  ///< what is trained, where that is another: with averaging or batch_norm
  std::size_t averaged = 0;                ///< steps or epochs in the average
  std::vector<Numbers> batch_norm{};       ///< gamma, beta, running mean and variance of each hidden layer in turn

  std::size_t steps = 0;             ///< of the optimizer
  std::vector<Numbers> optimizer{};  ///< what it remembers, see Optimizer::state

  Rng::State rng{};
  Rng::State augmentation{};
  std::vector<std::uint32_t> order{};  ///< of the samples in the epoch last begun
  ReduceOnPlateau::State plateau{};

  History history{};                    ///< of the epochs done
  double best_value = 0;                ///< of the metric of early stopping, turned so that less is better
  std::optional<Network<Real>> best{};  ///< what the network was after its best epoch, if it may get that back

  /// Sums over the batches done of the next epoch.
  struct Sums {
    double loss = 0;
    double weight = 0;
    std::size_t correct = 0;
    double seconds = 0;

    // With statistics.
    double gradient_norm = 0;
    std::vector<double> layer_gradient_norms{};
    std::vector<std::vector<std::uint8_t>> alive{};  ///< of each hidden layer and unit, whether it had a gradient
  } sums{};
};

/// Where a training leaves its states, and where it begins.
template <class Real>
struct Checkpoints {
  /// Given the state at first, after every so many epochs, at the end, and where a training is stopped or a callback
  /// throws within an epoch. Called by the thread that called train; what it throws ends the training.
  std::function<void(TrainingState<Real>)> save{};
  std::size_t every = 1;  ///< epochs from one to the next, at least 1

  /// What to go on from: of a training of the same data and options. Network, optimizer and rng take what is in it.
  std::optional<TrainingState<Real>> from{};
};

/// Trains a network in place.
///
/// In each epoch every sample is met once, in an order drawn from `rng`; the last batch may be smaller. The
/// loss is averaged over the batch. The same network, data, options and `rng` give the same bits for any
/// number of threads: work is cut by samples for the passes forward and backward, by rows of the weights for
/// gradients and steps, and each piece is computed by one thread.
///
/// @param validation  looked at after each epoch and never learned from; may be empty
/// @param optimizer   prepared anew, so its learning rate counts and what it remembers does not; a rate that was changed
///                    during the training stays
/// @throws ArgumentError  if there are no samples, a setting is out of its range, or a label is not below
///                        network.outputs()
/// @throws ShapeError     if the samples do not have network.inputs() numbers
template <class Real>
History train(Network<Real>& network, const Dataset& training, const Dataset& validation, Optimizer<Real>& optimizer,
              const TrainingOptions& options, Rng& rng);

/// The same with checkpoints.
/// @throws ArgumentError, ShapeError  also if the state to go on from is not one of this network, data and options
template <class Real>
History train(Network<Real>& network, const Dataset& training, const Dataset& validation, Optimizer<Real>& optimizer,
              const TrainingOptions& options, Rng& rng, Checkpoints<Real> checkpoints);

}  // namespace digitnet
