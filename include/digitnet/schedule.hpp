// schedule.hpp: the learning rate over a training.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace digitnet {

/// The learning rate over a training: a factor on it for each step. Made by the functions below, or from any function.
class Schedule {
 public:
  /// No schedule: the rate stays as it is.
  Schedule() = default;

  /// A function of one's own. Training by it cannot be written to a run's config.json.
  template <class Function>
  requires(std::is_invocable_r_v<double, const Function&, double> && !std::is_same_v<Function, Schedule>)
      Schedule(Function function)
      : function_(std::move(function)) {}

  /// @param description  what schedule_from_description makes this one of
  Schedule(std::function<double(double)> function, std::string description)
      : function_(std::move(function)), description_(std::move(description)) {}

  /// @param progress  how far the training will be in the middle of the step, as a share of all steps, in (0, 1)
  double operator()(double progress) const { return function_(progress); }

  explicit operator bool() const { return static_cast<bool>(function_); }

  /// How it was made, as a JSON object: {"name":"exponential","final_factor":0.01}. Empty for one's own function.
  const std::string& description() const { return description_; }

 private:
  std::function<double(double)> function_;
  std::string description_;
};

/// The schedule that a description tells of.
/// @throws FormatError    if it is no JSON object of this form
/// @throws ArgumentError  if there is no such schedule, or a setting is out of range
Schedule schedule_from_description(std::string_view description);

/// 1 throughout.
Schedule constant_schedule();

/// 1 at first, multiplied by `factor` at each milestone.
/// @param milestones  shares of the training in (0, 1), rising; {0.5, 0.75} for half way and three quarters
/// @param factor      more than 0, at most 1
/// @throws ArgumentError  if a milestone or the factor is out of range, or the milestones do not rise
Schedule step_schedule(std::vector<double> milestones, double factor = 0.1);

/// From 1 to `final_factor` by the same ratio in each step: final_factor^progress.
/// @param final_factor  more than 0, at most 1
/// @throws ArgumentError  if it is out of range
Schedule exponential_schedule(double final_factor = 0.01);

/// From 1 down to `final_factor` along half a cosine, after a warm-up from 0 to 1 over its first share; with more
/// cycles, back to 1 at once (a warm restart) and down again:
///
///     f + (1 - f) (1 + cos(pi x)) / 2        f: final_factor,  x in [0, 1): how far the cycle is
///
/// @param warmup            in [0, 1)
/// @param final_factor      in [0, 1]
/// @param cycles            how often it falls, in [1, 1000]
/// @param cycle_multiplier  how many times as long each cycle is as the one before, at least 1
/// @throws ArgumentError  if one is out of range, or the last cycle is so long that none of the first is left
/// @see Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2017), formula 5
Schedule cosine_schedule(double warmup = 0.0, double final_factor = 0.0, std::size_t cycles = 1,
                         double cycle_multiplier = 1.0);

/// One cycle: from `start_factor` up to 1 at `peak`, then down to `final_factor`, each along half a cosine. The
/// optimizer's rate is the highest, as a range test finds it. (The paper rises and falls in straight lines, the fall
/// in two parts; the cosine ends as gently with one setting less.)
/// @param peak          share of the training at which the rate is highest, in (0, 1)
/// @param start_factor  in [0, 1]
/// @param final_factor  in [0, 1]
/// @throws ArgumentError  if one is out of range
/// @see Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates (2018)
Schedule one_cycle_schedule(double peak = 0.3, double start_factor = 0.04, double final_factor = 1e-4);

/// Another schedule, multiplied by a factor that rises from 0 to 1 in a straight line over the first share of the
/// training. What the other schedule does, it does at the same time as without.
/// @param share  of the training, in [0, 1]; 0 changes nothing
/// @throws ArgumentError  if there is no schedule, or share is out of range
/// @see Goyal et al., Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (2017), section 2.2
Schedule with_warmup(Schedule schedule, double share);

/// Lowers the learning rate when a metric has stopped falling: a schedule that looks at what training achieves.
///
/// After each epoch it is shown a number that should fall, such as the validation loss, and gives the factor on the
/// learning rate for the epoch to come: 1 at first, and `factor` times what it was whenever the number has failed to
/// improve on its best by more than min_delta for more than `patience` epochs in a row.
///
///     ReduceOnPlateau plateau(0.5, 2);
///     double factor = plateau.observe(validation_loss);  // 1, or 0.5, or 0.25, ...
///
/// Its state is plain numbers, for files; one restored goes on where the other stood.
class ReduceOnPlateau {
 public:
  /// All it remembers.
  struct State {
    double factor = 1;              ///< on the learning rate, now
    std::optional<double> best{};   ///< lowest number so far; none before the first
    std::size_t bad_epochs = 0;     ///< since it improved, or the rate was lowered
    std::size_t cooldown_left = 0;  ///< epochs that will not be counted as bad

    bool operator==(const State&) const = default;
  };

  /// @param factor      more than 0, below 1
  /// @param patience    epochs without improvement that are let pass; the next one lowers the rate
  /// @param min_delta   an improvement must be larger than this; at least 0
  /// @param cooldown    epochs after the rate was lowered that are not counted as bad
  /// @param min_factor  the factor on the rate never falls below; in [0, 1]
  /// @throws ArgumentError  if one is out of range
  explicit ReduceOnPlateau(double factor = 0.1, std::size_t patience = 3, double min_delta = 1e-4,
                           std::size_t cooldown = 0, double min_factor = 0.0);

  double factor() const { return factor_; }
  std::size_t patience() const { return patience_; }
  double min_delta() const { return min_delta_; }
  std::size_t cooldown() const { return cooldown_; }
  double min_factor() const { return min_factor_; }

  /// Shows it what an epoch achieved.
  /// @param metric  lower is better; one that is not a finite number counts as no improvement
  /// @return  the factor on the learning rate for the next epoch
  double observe(double metric);

  const State& state() const { return state_; }

  /// @throws ArgumentError  if the state is not one that observe leaves behind: a factor outside (0, 1], or a best
  ///                        that is not finite; nothing is changed then
  void restore(const State& state);

 private:
  double factor_;
  std::size_t patience_;
  double min_delta_;
  std::size_t cooldown_;
  double min_factor_;
  State state_;
};

}  // namespace digitnet
