#include <digitnet/trainer.hpp>

#include "engine.hpp"
#include "evaluation.hpp"
#include "training_checks.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

namespace digitnet {
namespace {

using detail::text;
using Clock = std::chrono::steady_clock;

constexpr double infinite = std::numeric_limits<double>::infinity();

/// A setting within [low, high), or an error that names it.
void require(const char* setting, double value, double low, double high) {
  if (std::isfinite(value) && value >= low && value < high) return;
  throw ArgumentError(text("train: ", setting, " is ", value, ", expected a number of at least ", low,
                           high < infinite ? text(" and below ", high) : std::string()));
}

void check_options(const TrainingOptions& options) {
  if (options.epochs == 0) throw ArgumentError("train: epochs is 0, expected at least 1");
  if (options.batch_size == 0) throw ArgumentError("train: batch_size is 0, expected at least 1");
  require("stop_below_loss", options.stop_below_loss, 0, infinite);
  require("l1", options.l1, 0, infinite);
  require("l2", options.l2, 0, infinite);
  require("max_norm", options.max_norm, 0, infinite);
  require("input_dropout", options.input_dropout, 0, 1);
  require("dropout", options.dropout, 0, 1);
  if (options.augmentation) check_augmentation(*options.augmentation, "train: augmentation");
  require("clip_norm", options.clip_norm, 0, infinite);
  require("clip_value", options.clip_value, 0, infinite);
  require("ema_decay", options.ema_decay, 0, 1);
  require("swa_start", options.swa_start, 0, 1);
  if (options.early_stopping) {
    if (options.early_stopping->patience == 0) {
      throw ArgumentError("train: early_stopping.patience is 0, expected at least 1");
    }
    require("early_stopping.min_delta", options.early_stopping->min_delta, 0, infinite);
  }
}

/// What a schedule makes of the learning rate; one's own function may give anything.
double factor_of(const Schedule& schedule, double progress) {
  if (!schedule) return 1;
  const double factor = schedule(progress);
  require("what the schedule gives", factor, 0, infinite);
  return factor;
}

std::size_t batches_of(std::size_t samples, std::size_t batch_size) {
  return samples / batch_size + (samples % batch_size == 0 ? 0 : 1);
}

auto place_of(const LearningRateChange& change) { return std::tie(change.epoch, change.batch); }

/// Changes are in order, each at a place there is, with a rate there can be.
void check_changes(const std::string& where, const std::vector<LearningRateChange>& changes, std::size_t batches) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& [epoch, batch, rate] = changes[i];
    const std::string which = text(where, "learning_rate_changes[", i, "]: ");
    if (!std::isfinite(rate) || rate <= 0) {
      throw ArgumentError(text(which, "learning_rate is ", rate, ", expected a finite number above 0"));
    }
    if (batch >= batches) throw ArgumentError(text(which, "batch is ", batch, ", expected less than ", batches));
    if (i > 0 && place_of(changes[i - 1]) >= place_of(changes[i])) {
      throw ArgumentError(text(which, "epoch ", epoch, ", batch ", batch, " is not behind the one before"));
    }
  }
}

bool is_of_validation(Metric metric) {
  return metric == Metric::validation_loss || metric == Metric::validation_accuracy;
}

/// A metric turned so that less is better.
double badness(Metric metric, const EpochReport& report) {
  switch (metric) {
    case Metric::training_loss: return report.training_loss;
    case Metric::training_accuracy: return -report.training_accuracy;
    case Metric::validation_loss: return report.validation_loss.value_or(infinite);
    case Metric::validation_accuracy: break;
  }
  return -report.validation_accuracy.value_or(-infinite);
}

/// Weights are finite, of at least 0, as many as expected, and not all 0.
void check_weights(const char* setting, const char* what, const std::vector<double>& weights, std::size_t expected) {
  if (weights.empty()) return;
  if (weights.size() != expected) {
    throw ArgumentError(text("train: ", setting, " has ", weights.size(), " numbers, expected ", expected));
  }
  detail::require_weights(text("train: ", setting), what, weights);
}

void require_augmentable(const Dataset& data) {
  const std::size_t least = std::min(data.rows(), data.columns());
  const std::size_t most = std::max(data.rows(), data.columns());
  if (data.has_bytes() && least >= Augmenter::least_side && most <= Augmenter::most_side) return;
  throw ArgumentError(text("train: augmentation of samples of ", data.rows(), " x ", data.columns(),
                           data.has_bytes() ? " bytes" : " numbers", ", expected images of bytes, with sides of ",
                           Augmenter::least_side, " to ", Augmenter::most_side));
}

void require_soft_labels(const Architecture& architecture, const Dataset& data) {
  if (data.classes() != architecture.sizes.back()) {
    throw ArgumentError(text("train: soft labels of ", data.classes(), " classes, expected ",
                             architecture.sizes.back(), ", one for each output"));
  }
  if (architecture.loss == LossFunction::hinge) {
    throw ArgumentError("train: soft labels with the hinge loss, expected another loss: it has no targets");
  }
}

void check_data_options(const TrainingOptions& options, const Architecture& architecture, const Dataset& training,
                        const Dataset& validation) {
  detail::require_fitting_data("train", architecture, training);
  if (!validation.empty()) detail::require_fitting_data("train (validation)", architecture, validation);
  check_smoothing(architecture.loss, options.label_smoothing, "train");
  check_weights("class_weights", "class", options.class_weights, architecture.sizes.back());
  check_weights("sample_weights", "sample", options.sample_weights, training.size());
  if (options.augmentation && !options.augmentation->is_none()) require_augmentable(training);
  if (training.has_targets()) require_soft_labels(architecture, training);
  check_changes("train: ", options.learning_rate_changes, batches_of(training.size(), options.batch_size));
  const auto require_metric = [&](const char* setting, Metric metric) {
    if (!validation.empty() || !is_of_validation(metric)) return;
    throw ArgumentError(text("train: ", setting, " watches ", name_of(metric),
                             " but there is no validation data; set some aside, or watch training_loss"));
  };
  if (options.early_stopping) require_metric("early_stopping", options.early_stopping->metric);
  if (options.plateau) require_metric("plateau", options.plateau_metric);
}

/// How the weights of a layer are distributed.
template <class Real>
void describe_weights(const Matrix<Real>& weights, LayerStatistics& statistics) {
  const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
  statistics.histogram_low = static_cast<double>(*low);
  statistics.histogram_high = static_cast<double>(*high);
  const double width = (statistics.histogram_high - statistics.histogram_low) / LayerStatistics::bins;
  double sum = 0;
  double squares = 0;
  for (const Real weight : values(weights)) {
    const auto value = static_cast<double>(weight);
    sum += value;
    squares += value * value;
    const double bin = width > 0 ? (value - statistics.histogram_low) / width : 0;
    ++statistics.histogram[std::min(static_cast<std::size_t>(bin), LayerStatistics::bins - 1)];
  }
  const auto count = static_cast<double>(weights.size());
  statistics.weight_mean = sum / count;
  statistics.weight_deviation =
      std::sqrt(std::max(0.0, squares / count - statistics.weight_mean * statistics.weight_mean));
}

/// Errors of a state that belongs to another training, before anything is changed.
template <class Real>
void check_state(const TrainingState<Real>& state, const Network<Real>& network, const TrainingOptions& options,
                 std::size_t samples, std::size_t batches) {
  const auto refuse = [](const std::string& what) {
    throw ArgumentError(text("train: the state to go on from ", what, "; is it of another training?"));
  };
  const bool works_apart = options.batch_norm || options.averaging != Averaging::none;
  const Architecture architecture = network.architecture();
  if (state.network.architecture() != architecture) refuse("has a network of another architecture");
  if (state.working.has_value() != works_apart || (works_apart && state.working->architecture() != architecture)) {
    refuse("has other averages or batch normalisation");
  }
  if (state.best && state.best->architecture() != architecture) refuse("has a best network of another architecture");
  if (state.epoch > options.epochs) refuse(text("is of epoch ", state.epoch, ", expected at most ", options.epochs));
  if (state.batch >= batches) refuse(text("is behind batch ", state.batch, " of ", batches));
  if (state.history.epochs.size() != state.epoch) {
    refuse(text("has a history of ", state.history.epochs.size(), " epochs, expected ", state.epoch));
  }
  if (state.history.best_epoch > state.epoch) refuse("has a best epoch to come");
  const std::vector<LearningRateChange>& changes = state.history.learning_rate_changes;
  check_changes("train: the state to go on from: ", changes, batches);
  const auto place = std::tie(state.epoch, state.batch);
  std::vector<LearningRateChange> known = options.learning_rate_changes;
  for (const LearningRateChange& change : changes) detail::add_change(known, change);
  const auto to_come = known.begin() + static_cast<std::ptrdiff_t>(changes.size());
  if ((!changes.empty() && place_of(changes.back()) > place) ||
      !std::equal(known.begin(), to_come, changes.begin()) ||
      (to_come != known.end() && place_of(*to_come) < place)) {
    refuse("has other changes of the learning rate");
  }
  std::vector<bool> met(samples);
  for (const std::uint32_t sample : state.order) {
    if (sample >= samples || met[sample]) refuse(text("has sample ", sample, " twice or beyond all"));
    met[sample] = true;
  }
  if (state.order.size() != samples) {
    refuse(text("has an order of ", state.order.size(), " samples, expected ", samples));
  }
}

/// One call of train.
template <class Real>
class Training {
 public:
  Training(Network<Real>& network, const Dataset& training, const Dataset& validation, Optimizer<Real>& optimizer,
           const TrainingOptions& options, Rng& rng, Checkpoints<Real>& checkpoints)
      : network_(network),
        training_(training),
        validation_(validation),
        optimizer_(optimizer),
        options_(options),
        rng_(rng),
        checkpoints_(checkpoints),
        plateau_(options.plateau),
        team_(options.threads),
        batch_size_(std::min(options.batch_size, training.size())),
        batches_(batches_of(training.size(), batch_size_)),
        order_(training.size()),
        changes_(options.learning_rate_changes) {
    if (checkpoints.from) {
      take_network(*checkpoints.from);
    } else if (options.batch_norm || options.averaging != Averaging::none) {
      working_.emplace(network);
    }
    engine_.emplace(working_ ? *working_ : network, training, optimizer, options, team_);
    std::iota(order_.begin(), order_.end(), 0u);
    if (checkpoints.from) {
      take_rest(std::move(*checkpoints.from));
    } else if (options.augmentation && !options.augmentation->is_none()) {
      augmentation_ = Rng(rng.next());
    }
  }

  History run() {
    if (!checkpoints_.from) save();
    try {
      if (!ended_) history_.reason = run_epochs();
    } catch (...) {
      publish_unfinished();
      throw;
    }
    if (best_) network_ = std::move(*best_);
    return std::move(history_);
  }

 private:
  StopReason run_epochs() {
    while (epoch_ < options_.epochs) {
      EpochReport report;
      report.epoch = epoch_ + 1;
      report.epochs = options_.epochs;
      if (const std::optional<StopReason> reason = run_epoch(report)) {
        publish_unfinished();
        if (*reason == StopReason::stopped && !is_saved_) save();
        return *reason;
      }
      publish(report.epoch);
      complete(report);
      sums_ = {};
      batch_ = 0;
      ++epoch_;
      history_.epochs.push_back(report);
      if (plateau_) plateau_factor_ = plateau_->observe(badness(options_.plateau_metric, report));
      const bool gets_better = !options_.early_stopping || keeps_getting_better(report);
      if (epoch_ == options_.epochs) ended_ = StopReason::done;
      if (!gets_better) ended_ = StopReason::early_stop;
      if (options_.stop_below_loss > 0 && report.training_loss < options_.stop_below_loss) {
        ended_ = StopReason::loss_reached;
      }
      is_saved_ = false;
      call_back(options_.on_epoch, report);
      if (ended_ || epoch_ % checkpoints_.every == 0) save();
      if (ended_) return *ended_;
    }
    return StopReason::done;
  }

  /// @return  why the training ends within this epoch, if it does
  std::optional<StopReason> run_epoch(EpochReport& report) {
    const auto start = Clock::now();
    const double seconds_before = sums_.seconds;  // of this epoch, if it goes on behind a break
    if (batch_ == 0) {
      if (heed_requests()) return StopReason::stopped;  // before anything is drawn for the epoch
      if (options_.shuffle) shuffle(order_, rng_);
    }
    const Rng augmentation = augmentation_.fork(report.epoch);
    const auto steps = static_cast<double>(options_.epochs * batches_);
    while (batch_ < batches_) {
      if (batch_ > 0 && heed_requests()) return StopReason::stopped;
      const std::size_t first = batch_ * batch_size_;
      const auto samples =
          std::span<const std::uint32_t>(order_).subspan(first, std::min(batch_size_, order_.size() - first));
      const double progress = (static_cast<double>(epoch_ * batches_ + batch_) + 0.5) / steps;
      const double factor = plateau_factor_ * factor_of(options_.schedule, progress);
      const bool draws = options_.dropout > 0 || options_.input_dropout > 0;
      const detail::StepResult result = engine_->step(samples, factor, augmentation, Rng(draws ? rng_.next() : 0),
                                                      options_.statistics && batch_ + 1 == batches_);
      is_saved_ = false;
      ++batch_;
      sums_.loss += result.loss;
      sums_.weight += result.weight;
      sums_.correct += result.correct;
      sums_.seconds = seconds_before + std::chrono::duration<double>(Clock::now() - start).count();
      report.learning_rate = optimizer_.learning_rate() * factor;
      if (!std::isfinite(result.loss)) return StopReason::diverged;
      if (options_.averaging == Averaging::ema) average_step();
      call_back(options_.on_batch,
                BatchReport{.epoch = report.epoch,
                            .batch = batch_,
                            .batches = batches_,
                            .samples = samples.size(),
                            .loss = result.weight > 0 ? result.loss / result.weight : 0.0,
                            .accuracy = static_cast<double>(result.correct) / static_cast<double>(samples.size()),
                            .learning_rate = report.learning_rate});
    }
    report.training_loss = sums_.weight > 0 ? sums_.loss / sums_.weight : 0.0;
    report.training_accuracy = static_cast<double>(sums_.correct) / static_cast<double>(training_.size());
    report.seconds = seconds_before + std::chrono::duration<double>(Clock::now() - start).count();
    return std::nullopt;
  }

  /// Changes the learning rate where that is planned or asked for. Whether the training is to stop.
  bool heed_requests() {
    const auto is_due = [this](const LearningRateChange& change) {
      return place_of(change) == std::tie(epoch_, batch_);
    };
    if (next_change_ < changes_.size() && is_due(changes_[next_change_])) {
      change_learning_rate(changes_[next_change_].learning_rate);
    }
    if (options_.learning_rate_control != nullptr) {
      if (const std::optional<double> rate = options_.learning_rate_control->take()) change_learning_rate(*rate);
    }
    return options_.stop != nullptr && options_.stop->requested();
  }

  /// From the next batch on.
  void change_learning_rate(double rate) {
    const LearningRateChange change{.epoch = epoch_, .batch = batch_, .learning_rate = rate};
    call_back(options_.on_learning_rate, change);
    optimizer_.set_learning_rate(rate);
    detail::add_change(changes_, change);
    detail::add_change(history_.learning_rate_changes, change);
    next_change_ = history_.learning_rate_changes.size();
    is_saved_ = false;
  }

  /// An average of few steps forgets faster, so that the first weights do not stay in it.
  void average_step() {
    ++averaged_;
    const auto steps = static_cast<double>(averaged_);
    engine_->blend_into(network_, 1 - std::min(options_.ema_decay, (1 + steps) / (10 + steps)));
  }

  /// Gives the network what it is to be used with after an epoch.
  void publish(std::size_t epoch) {
    if (!working_ || options_.averaging == Averaging::ema) return;
    const bool averages = options_.averaging == Averaging::swa &&
                          static_cast<double>(epoch) > options_.swa_start * static_cast<double>(options_.epochs);
    if (averages) ++averaged_;
    engine_->blend_into(network_, averages ? 1.0 / static_cast<double>(averaged_) : 1.0);
  }

  /// In the middle of an epoch: what was learned, but a mean of epochs stays what it is.
  void publish_unfinished() {
    if (working_ && averaged_ == 0 && optimizer_.steps() > 0) engine_->blend_into(network_, 1.0);
  }

  /// What is known about the network after the epoch.
  void complete(EpochReport& report) {
    if (!validation_.empty()) {
      const Evaluation evaluation = detail::evaluate("train (validation)", network_, validation_, team_);
      report.validation_loss = evaluation.loss;
      report.validation_accuracy = evaluation.accuracy;
    }
    if (options_.statistics) {
      auto statistics = engine_->take_statistics();
      report.gradient_norm = statistics.gradient_norm;
      report.layers = std::move(statistics.layers);
      for (std::size_t i = 0; i < report.layers.size(); ++i) {
        describe_weights(std::as_const(network_).layer(i).weights, report.layers[i]);
      }
    }
  }

  bool keeps_getting_better(const EpochReport& report) {
    const EarlyStopping& early = *options_.early_stopping;
    const double value = badness(early.metric, report);
    if (history_.best_epoch == 0 || value < best_value_ - early.min_delta) {
      best_value_ = value;
      history_.best_epoch = report.epoch;
      if (early.restore_best) best_ = network_;
    }
    return report.epoch - history_.best_epoch < early.patience;
  }

  /// Calls a function of the caller's; if it throws, what was learned is kept all the same.
  template <class Report>
  void call_back(const std::function<void(const Report&)>& function, const Report& report) {
    if (!function) return;
    try {
      function(report);
    } catch (...) {
      publish_unfinished();
      try {
        if (batch_ < batches_) save();
      } catch (const std::exception&) {  // the callback's error is told, it came first
      }
      throw;
    }
  }

  void save() {
    is_saved_ = true;
    if (!checkpoints_.save) return;
    TrainingState<Real> state{.network = network_};
    state.epoch = epoch_;
    state.batch = batch_;
    state.ended = ended_;
    state.working = working_;
    state.averaged = averaged_;
    state.steps = optimizer_.steps();
    state.optimizer = optimizer_.state();
    state.rng = rng_.state();
    state.augmentation = augmentation_.state();
    state.order = order_;
    if (plateau_) state.plateau = plateau_->state();
    state.history = history_;
    if (ended_) state.history.reason = *ended_;
    state.best_value = best_value_;
    state.best = best_;
    state.sums = sums_;
    engine_->store(state);
    checkpoints_.save(std::move(state));
  }

  /// What the engine is made of.
  void take_network(const TrainingState<Real>& state) {
    check_state(state, network_, options_, order_.size(), batches_);
    network_ = state.network;
    working_ = state.working;
  }

  /// What is put into the engine.
  void take_rest(TrainingState<Real>&& state) {
    engine_->restore(state);
    optimizer_.restore(state.steps, std::move(state.optimizer));
    rng_ = Rng::from_state(state.rng);
    augmentation_ = Rng::from_state(state.augmentation);
    order_ = std::move(state.order);
    if (plateau_) {
      plateau_->restore(state.plateau);
      plateau_factor_ = state.plateau.factor;
    }
    epoch_ = state.epoch;
    batch_ = state.batch;
    ended_ = state.ended;
    averaged_ = state.averaged;
    history_ = std::move(state.history);
    for (const LearningRateChange& change : history_.learning_rate_changes) {
      detail::add_change(changes_, change);
      optimizer_.set_learning_rate(change.learning_rate);
    }
    next_change_ = history_.learning_rate_changes.size();
    best_value_ = state.best_value;
    best_ = std::move(state.best);
    sums_ = std::move(state.sums);
    is_saved_ = true;
  }

  Network<Real>& network_;
  const Dataset& training_;
  const Dataset& validation_;
  Optimizer<Real>& optimizer_;
  const TrainingOptions& options_;
  Rng& rng_;
  Checkpoints<Real>& checkpoints_;
  Rng augmentation_{0};
  std::optional<ReduceOnPlateau> plateau_;
  double plateau_factor_ = 1;
  ThreadTeam team_;
  const SingleThreadedBlas blas_guard_;
  std::size_t batch_size_;
  std::size_t batches_;  // in an epoch
  std::vector<std::uint32_t> order_;
  // What is trained is not what is used, where that is an average or has its batch normalisation folded in.
  std::optional<Network<Real>> working_;  // none: the network itself is trained
  std::optional<detail::Engine<Real>> engine_;
  std::size_t averaged_ = 0;  // steps or epochs in the average

  std::size_t epoch_ = 0;  // whole ones done
  std::size_t batch_ = 0;  // done of the next
  typename TrainingState<Real>::Sums sums_;
  std::optional<StopReason> ended_;
  bool is_saved_ = false;  // as it is now
  History history_;
  std::vector<LearningRateChange> changes_;  // of the learning rate, first those of the history, then those to come
  std::size_t next_change_ = 0;              // the first of those to come
  double best_value_ = 0;
  std::optional<Network<Real>> best_;
};

}  // namespace

void detail::check_training(const Architecture& architecture, const Dataset& training, const Dataset& validation,
                            const TrainingOptions& options) {
  check_options(options);
  check_data_options(options, architecture, training, validation);
}

void detail::add_change(std::vector<LearningRateChange>& changes, const LearningRateChange& change) {
  const auto at = std::lower_bound(
      changes.begin(), changes.end(), change,
      [](const LearningRateChange& one, const LearningRateChange& other) { return place_of(one) < place_of(other); });
  if (at != changes.end() && *at == change) return;
  changes.erase(at, changes.end());
  changes.push_back(change);
}

template <class Real>
History train(Network<Real>& network, const Dataset& training, const Dataset& validation, Optimizer<Real>& optimizer,
              const TrainingOptions& options, Rng& rng, Checkpoints<Real> checkpoints) {
  detail::check_training(network.architecture(), training, validation, options);
  if (checkpoints.every == 0) throw ArgumentError("train: checkpoints every 0 epochs, expected at least 1");
  return Training<Real>(network, training, validation, optimizer, options, rng, checkpoints).run();
}

template <class Real>
History train(Network<Real>& network, const Dataset& training, const Dataset& validation, Optimizer<Real>& optimizer,
              const TrainingOptions& options, Rng& rng) {
  return train(network, training, validation, optimizer, options, rng, Checkpoints<Real>());
}

template History train(Network<float>&, const Dataset&, const Dataset&, Optimizer<float>&, const TrainingOptions&,
                       Rng&);
template History train(Network<double>&, const Dataset&, const Dataset&, Optimizer<double>&, const TrainingOptions&,
                       Rng&);
template History train(Network<float>&, const Dataset&, const Dataset&, Optimizer<float>&, const TrainingOptions&,
                       Rng&, Checkpoints<float>);
template History train(Network<double>&, const Dataset&, const Dataset&, Optimizer<double>&, const TrainingOptions&,
                       Rng&, Checkpoints<double>);

}  // namespace digitnet
