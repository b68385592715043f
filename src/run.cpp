#include <digitnet/run.hpp>

#include "byte_source.hpp"
#include "checkpoint.hpp"
#include "event_log.hpp"
#include "file_writer.hpp"
#include "learning_rate_json.hpp"
#include "open_file.hpp"
#include "run_config.hpp"
#include "run_control.hpp"
#include "training_checks.hpp"

#include <digitnet/parallel.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <ctime>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

namespace digitnet {
namespace {

namespace fs = std::filesystem;
using detail::CheckpointPosition;
using detail::event_number;
using detail::EventLog;
using detail::JsonValue;
using detail::text;
using Clock = std::chrono::steady_clock;

/// Time from one event of a batch to the next, at the least.
constexpr std::chrono::milliseconds batch_interval{100};

fs::path config_of(const fs::path& run) { return run / "config.json"; }
fs::path events_of(const fs::path& run) { return run / "events.jsonl"; }
fs::path control_of(const fs::path& run) { return run / "control.json"; }
fs::path checkpoints_of(const fs::path& run) { return run / "checkpoints"; }

std::string utc_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> buffer{};
  std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return buffer.data();
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// Keeps other processes from training in the same folder. The system lets it go when the process ends, however that is.
class RunLock {
 public:
  RunLock(const char* where, const fs::path& run) : path_(run / "lock"), file_(path_, O_RDWR | O_CREAT) {
    if (!file_.is_open()) {
      const int reason = errno;
      throw IoError(text(where, ": ", path_.string(), ": cannot be written: ", std::strerror(reason)));
    }
    // Those who only look whether the lock is held take it for a moment.
    for (int tries = 0; ::flock(file_.descriptor(), LOCK_EX | LOCK_NB) != 0;) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK && ++tries < 10) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      const int reason = errno;
      if (reason == EWOULDBLOCK) {
        throw ArgumentError(text(where, ": ", run.string(), ": another process ", holder_name(),
                                 "trains in it, expected none; stop it first, or take another folder"));
      }
      throw IoError(text(where, ": ", path_.string(), ": cannot be locked: ", std::strerror(reason)));
    }
    const std::string id = text(::getpid(), "\n");
    // Only to be read by people: a lock that does not say who holds it is one all the same.
    if (::ftruncate(file_.descriptor(), 0) != 0 || ::pwrite(file_.descriptor(), id.data(), id.size(), 0) < 0) return;
  }

 private:
  std::string holder_name() const {
    std::array<char, 16> buffer{};
    const ssize_t count = ::pread(file_.descriptor(), buffer.data(), buffer.size(), 0);
    std::string digits;
    for (ssize_t i = 0; i < count && std::isdigit(static_cast<unsigned char>(buffer[static_cast<std::size_t>(i)]));
         ++i) {
      digits += buffer[static_cast<std::size_t>(i)];
    }
    return digits.empty() ? digits : text("(", digits, ") ");
  }

  fs::path path_;
  detail::OpenFile file_;
};

/// A metric turned so that less is better; one that is not a number is worst.
double badness_of(Metric metric, const EpochReport& report) {
  double value = std::numeric_limits<double>::infinity();
  switch (metric) {
    case Metric::training_loss: value = report.training_loss; break;
    case Metric::training_accuracy: value = -report.training_accuracy; break;
    case Metric::validation_loss: value = report.validation_loss.value_or(value); break;
    case Metric::validation_accuracy: value = -report.validation_accuracy.value_or(-value); break;
  }
  return std::isnan(value) ? std::numeric_limits<double>::infinity() : value;
}

template <class Real>
bool is_finite(const Network<Real>& network) {
  return std::ranges::all_of(network.layers(), [](const Dense<Real>& layer) {
    const auto finite = [](Real number) { return std::isfinite(number); };
    return std::ranges::all_of(values(layer.weights), finite) && std::ranges::all_of(values(layer.bias), finite);
  });
}

/// Writes checkpoints by a thread of its own, one at a time, and removes those that are no longer wanted.
template <class Real>
class CheckpointWriter {
 public:
  CheckpointWriter(fs::path run, EventLog& events, std::size_t keep_last, Metric best_metric)
      : run_(std::move(run)), events_(events), keep_last_(keep_last), best_metric_(best_metric) {
    positions_ = detail::find_checkpoints(checkpoints_of(run_));
    thread_ = std::thread([this] { work(); });
  }
  ~CheckpointWriter() {
    {
      const std::scoped_lock lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Which epoch is the best of those whose checkpoints are there. Before the first submit.
  void look_for_best(const History& history) {
    for (const EpochReport& report : history.epochs) {
      if (std::ranges::find(positions_, CheckpointPosition{report.epoch, 0}) != positions_.end()) compare(report);
    }
  }

  /// Points the links to where they should and removes what is no longer wanted, after a process that died, or was
  /// refused, before it came to that.
  void tidy() {
    if (positions_.empty()) return;
    point("latest", positions_.back());
    if (best_epoch_) point("best", {*best_epoch_, 0});
    prune(CheckpointPosition(positions_.back()));
  }

  /// Hands over a state, when the one before is written.
  /// @throws  what went wrong with the one before
  void submit(TrainingState<Real> state) {
    std::unique_lock lock(mutex_);
    wait_until_idle(lock);
    next_.emplace(std::move(state));
    lock.unlock();
    changed_.notify_all();
  }

  /// Waits until all is written.
  /// @throws  what went wrong
  void finish() {
    std::unique_lock lock(mutex_);
    wait_until_idle(lock);
  }

  std::optional<std::size_t> best_epoch() const { return best_epoch_; }  // when all is written

 private:
  void wait_until_idle(std::unique_lock<std::mutex>& lock) {
    changed_.wait(lock, [this] { return !next_ && !is_working_; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return next_ || ends_; });
      if (!next_) return;
      const TrainingState<Real> state = std::move(*next_);
      next_.reset();
      is_working_ = true;
      lock.unlock();
      std::exception_ptr error;
      try {
        write(state);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      is_working_ = false;
      if (error) error_ = error;
      changed_.notify_all();
    }
  }

  void write(const TrainingState<Real>& state) {
    if (!is_finite(state.network)) {  // the next step will find out
      events_.write("message", {{"level", "warning"}, {"text", "weights are not finite: no checkpoint"}});
      return;
    }
    const auto start = Clock::now();
    const CheckpointPosition position{state.epoch, state.batch};
    const fs::path folder = checkpoints_of(run_);
    detail::write_checkpoint(folder, state);
    if (std::ranges::find(positions_, position) == positions_.end()) positions_.push_back(position);
    const bool is_best = position.batch == 0 && position.epoch > 0 && compare(state.history.epochs.back());
    const fs::path path = fs::path("checkpoints") / position.name();
    detail::replace_link(run_ / "latest", path);
    if (is_best) detail::replace_link(run_ / "best", path);
    detail::flush_folder("train_run", run_);
    events_.write("checkpoint", {{"epoch", position.epoch},
                                 {"batch", position.batch},
                                 {"path", path.string()},
                                 {"best", is_best},
                                 {"seconds", std::chrono::duration<double>(Clock::now() - start).count()}});
    prune(position);
  }

  void point(const char* link, const CheckpointPosition& position) {
    const fs::path target = fs::path("checkpoints") / position.name();
    std::error_code none;
    if (fs::read_symlink(run_ / link, none) != target) detail::replace_link(run_ / link, target);
  }

  /// Whether an epoch is the best so far.
  bool compare(const EpochReport& report) {
    const double value = badness_of(best_metric_, report);
    if (best_epoch_ && !(value < best_value_)) return false;
    best_epoch_ = report.epoch;
    best_value_ = value;
    return true;
  }

  /// Removes older checkpoints, and those of a part of an epoch that is done by now.
  void prune(const CheckpointPosition& newest) {
    std::sort(positions_.begin(), positions_.end(), std::greater<>());
    std::size_t whole = 0;  // checkpoints of whole epochs, from the newest on
    std::vector<CheckpointPosition> kept;
    for (const CheckpointPosition& position : positions_) {
      const bool is_part = position.batch > 0;
      if (!is_part) ++whole;
      const bool is_recent = !is_part && (keep_last_ == 0 || whole <= keep_last_);
      const bool stays = position == newest || is_recent || (!is_part && position.epoch == 0) ||
                         (!is_part && position.epoch == best_epoch_) || newest < position;
      if (stays) {
        kept.push_back(position);
      } else {
        detail::remove_checkpoint(checkpoints_of(run_), position);
      }
    }
    positions_ = std::move(kept);
  }

  fs::path run_;
  EventLog& events_;
  std::size_t keep_last_;
  Metric best_metric_;
  std::vector<CheckpointPosition> positions_;  // of the checkpoints there are
  std::optional<std::size_t> best_epoch_;
  double best_value_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<TrainingState<Real>> next_;
  bool is_working_ = false;
  bool ends_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

JsonValue layer_event(const LayerStatistics& layer) {
  return {{"gradient_norm", event_number(layer.gradient_norm)},
          {"update_ratio", event_number(layer.update_ratio)},
          {"dead_share", event_number(layer.dead_share)},
          {"weight_mean", event_number(layer.weight_mean)},
          {"weight_deviation", event_number(layer.weight_deviation)},
          {"histogram", layer.histogram},
          {"histogram_low", event_number(layer.histogram_low)},
          {"histogram_high", event_number(layer.histogram_high)}};
}

JsonValue epoch_event(const EpochReport& report, std::size_t samples, const Architecture& architecture) {
  const auto optional = [](const std::optional<double>& value) {
    return value ? event_number(*value) : JsonValue(nullptr);
  };
  double dead_units = 0;
  JsonValue layers = JsonValue::array();
  for (std::size_t i = 0; i < report.layers.size(); ++i) {
    dead_units += std::round(report.layers[i].dead_share * static_cast<double>(architecture.sizes[i + 1]));
    layers.push_back(layer_event(report.layers[i]));
  }
  return {{"epoch", report.epoch},
          {"epochs", report.epochs},
          {"training_loss", event_number(report.training_loss)},
          {"training_accuracy", event_number(report.training_accuracy)},
          {"validation_loss", optional(report.validation_loss)},
          {"validation_accuracy", optional(report.validation_accuracy)},
          {"learning_rate", event_number(report.learning_rate)},
          {"seconds", report.seconds},
          {"images_per_second", event_number(static_cast<double>(samples) / report.seconds)},
          {"gradient_norm", optional(report.gradient_norm)},
          {"dead_units", static_cast<std::size_t>(dead_units)},
          {"layers", layers}};
}

JsonValue end_event(const std::string& reason, const CheckpointPosition& reached, std::optional<std::size_t> best,
                    double seconds, const std::string& error = "") {
  JsonValue event{{"reason", reason},
                  {"epoch", reached.epoch},
                  {"batch", reached.batch},
                  {"best_epoch", best ? JsonValue(*best) : JsonValue(nullptr)},
                  {"seconds", seconds}};
  if (!error.empty()) event["error"] = error.substr(0, 10'000);  // a line that readers still take
  return event;
}

/// What is missing of a run whose last checkpoint is there: its process died before it came to the links and the end.
template <class Real>
void complete(const fs::path& directory, const TrainingState<Real>& state, const RunOptions& run,
              Metric best_metric) {
  EventLog events("resume_run", events_of(directory));
  if (events.has_ended()) return;
  CheckpointWriter<Real> writer(directory, events, run.keep_last, best_metric);
  writer.look_for_best(state.history);
  writer.tidy();
  double seconds = 0;
  for (const EpochReport& report : state.history.epochs) seconds += report.seconds;
  events.write(
      "end", end_event(std::string(name_of(*state.ended)), {state.epoch, state.batch}, writer.best_epoch(), seconds));
}

/// Plans the changes of the learning rate that were told, so that those behind the state that is gone on from are made
/// again. One told at the very place of the state may have been made after it was saved: it goes into the state.
template <class Real>
void plan_changes(const std::vector<LearningRateChange>& told, std::vector<LearningRateChange>& planned,
                  TrainingState<Real>& from) {
  std::vector<LearningRateChange> valid;
  for (const LearningRateChange& change : told) {
    detail::add_change(valid, change);
    detail::add_change(planned, change);
  }
  for (const LearningRateChange& change : valid) {
    if (CheckpointPosition{change.epoch, change.batch} == CheckpointPosition{from.epoch, from.batch}) {
      detail::add_change(from.history.learning_rate_changes, change);
    }
  }
}

/// Trains in a folder that is made and locked, from its beginning or from a state.
template <class Real>
History train_in(const char* where, const fs::path& directory, Network<Real>& network, const Dataset& training,
                 const Dataset& validation, Optimizer<Real>& optimizer, TrainingOptions options, Rng& rng,
                 const RunOptions& run, std::optional<TrainingState<Real>> from) {
  const auto start = Clock::now();
  const Architecture architecture = network.architecture();
  EventLog events(where, events_of(directory));
  CheckpointWriter<Real> writer(directory, events, run.keep_last,
                                detail::best_metric_of(run, options, !validation.empty()));
  if (from) {
    plan_changes(events.learning_rate_changes(), options.learning_rate_changes, *from);
    writer.look_for_best(from->history);
    writer.tidy();
  }
  const std::size_t batch_size = std::min(options.batch_size, training.size());
  const std::size_t batches = (training.size() + batch_size - 1) / batch_size;
  events.write("start", {{"epoch", from ? from->epoch : 0},
                         {"batch", from ? from->batch : 0},
                         {"epochs", options.epochs},
                         {"batches", batches},
                         {"samples", training.size()},
                         {"parameters", network.parameter_count()},
                         {"threads", options.threads == 0 ? default_threads() : options.threads},
                         {"process", ::getpid()},
                         {"host", host_name()}});

  CheckpointPosition reached{from ? from->epoch : 0, from ? from->batch : 0};
  const auto end = [&](const char* reason, const std::string& error) {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    events.write("end", end_event(reason, reached, writer.best_epoch(), seconds, error));
  };

  bool has_failed = false;  // to write a checkpoint: then no later one is tried, so that none is left out
  options.statistics = true;
  StopFlag stop(options.stop);  // also by the control file
  options.stop = &stop;
  LearningRateControl rate_control;
  if (options.learning_rate_control == nullptr) options.learning_rate_control = &rate_control;
  detail::ControlFile control(directory, [&events](const std::string& problem) {
    events.write("message", {{"level", "warning"}, {"text", problem}});
  });
  options.on_learning_rate = [&, theirs = options.on_learning_rate](const LearningRateChange& change) {
    events.write("learning_rate", detail::change_to_json(change));
    events.flush();  // before the first batch that it changes
    if (theirs) theirs(change);
  };
  options.on_batch = [&, theirs = options.on_batch, last = Clock::time_point()](const BatchReport& report) mutable {
    reached = {report.epoch - 1, report.batch};
    if (const auto now = Clock::now(); now - last >= batch_interval) {
      last = now;
      events.write("batch", {{"epoch", report.epoch},
                             {"batch", report.batch},
                             {"batches", report.batches},
                             {"samples", report.samples},
                             {"loss", event_number(report.loss)},
                             {"accuracy", event_number(report.accuracy)},
                             {"learning_rate", event_number(report.learning_rate)}});
      if (const std::optional<detail::RunRequest> request = control.take()) {
        if (request->learning_rate) options.learning_rate_control->set(*request->learning_rate);
        if (request->stop) stop.request();
      }
    }
    if (theirs) theirs(report);
  };
  options.on_epoch = [&, theirs = options.on_epoch](const EpochReport& report) {
    try {
      writer.finish();  // before the next epoch is told, the one before is on the disk
    } catch (...) {
      has_failed = true;
      throw;
    }
    reached = {report.epoch, 0};
    events.write("epoch", epoch_event(report, training.size(), architecture));
    if (theirs) theirs(report);
  };
  const auto save = [&](TrainingState<Real> state) {
    if (!has_failed) writer.submit(std::move(state));
  };
  Checkpoints<Real> checkpoints{.save = save, .every = run.checkpoint_every, .from = std::move(from)};
  try {
    History history = train(network, training, validation, optimizer, options, rng, std::move(checkpoints));
    writer.finish();
    end(std::string(name_of(history.reason)).c_str(), "");
    return history;
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    try {  // what went wrong first is what is told; the rest is done as far as it can be
      try {
        writer.finish();
      } catch (const std::exception&) {
      }
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& reason) {
        end("failed", reason.what());
      } catch (...) {
        end("failed", "an exception of a kind of its own");
      }
    } catch (const std::exception&) {
    }
    std::rethrow_exception(error);
  }
}

/// Makes the folders of a run, unless there is something else in their place. Whether the outermost was not there.
bool make_folders(const fs::path& directory) {
  const std::string prefix = text("train_run: ", directory.string(), ": ");
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (status.type() == fs::file_type::none) throw IoError(text(prefix, "cannot be looked at: ", error.message()));
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw ArgumentError(prefix + "is a file, expected the name of a folder");
  }
  if (!detail::find_checkpoints(checkpoints_of(directory)).empty()) {
    throw ArgumentError(prefix + "there is a run in it already; go on with it by resume, or take another folder");
  }
  // What a run leaves that was killed before its first checkpoint may be begun anew.
  for (const std::string& name : detail::names_in(directory, error)) {
    if (name.starts_with(".") || name == "lock" || name == "config.json" || name == "events.jsonl" ||
        name == "checkpoints" || name == "control.json") {
      continue;
    }
    throw ArgumentError(text(prefix, "holds ", name, ", expected an empty folder"));
  }
  error.clear();
  fs::create_directories(checkpoints_of(directory), error);
  if (error) throw IoError(text(prefix, "cannot be made: ", error.message()));
  return !fs::exists(status);
}

/// Removes what a killed process has left half written, and what was asked of it.
void remove_leftovers(const fs::path& directory) {
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(control_of(directory), ignored)))
    fs::remove(control_of(directory), ignored);
  detail::remove_leftovers(directory, {".config.json.", ".control.json.", ".latest.", ".best."});
  detail::remove_leftovers(checkpoints_of(directory), {"."});
}

/// Leaves nothing of a run that failed before its first checkpoint.
void remove_empty_run(const fs::path& directory) {
  std::error_code ignored;
  if (!detail::names_in(checkpoints_of(directory), ignored).empty() || ignored) return;
  for (const fs::path& path :
       {checkpoints_of(directory), events_of(directory), config_of(directory), directory / "lock", directory}) {
    fs::remove(path, ignored);
  }
}

}  // namespace

template <class Real>
History train_run(const fs::path& directory, Network<Real>& network, const Dataset& training,
                  const Dataset& validation, Optimizer<Real>& optimizer, const TrainingOptions& options,
                  std::uint64_t seed, const RunOptions& run) {
  if (run.checkpoint_every == 0) throw ArgumentError("train_run: checkpoint_every is 0, expected at least 1");
  detail::check_training(network.architecture(), training, validation, options);
  const std::string words =
      detail::run_config(network, training, validation, optimizer, options, seed, run, utc_time()).dump(2) + "\n";
  if (words.size() > detail::largest_config) {
    throw ArgumentError(text("train_run: config.json would have ", words.size(), " bytes, expected at most ",
                             detail::largest_config, "; are there weights for very many samples?"));
  }

  const bool is_new = make_folders(directory);
  try {
    const RunLock lock("train_run", directory);
    remove_leftovers(directory);
    std::error_code ignored;
    fs::remove(events_of(directory), ignored);
    detail::FileWriter writer("train_run", config_of(directory));
    writer.write({reinterpret_cast<const std::uint8_t*>(words.data()), words.size()});
    writer.commit();
    Rng rng(seed);
    return train_in<Real>("train_run", directory, network, training, validation, optimizer, options, rng, run,
                          std::nullopt);
  } catch (...) {
    if (is_new) remove_empty_run(directory);
    throw;
  }
}

template <class Real>
ResumedRun<Real> resume_run(const fs::path& directory, const Dataset& training, const Dataset& validation,
                            const ResumeOptions& options) {
  const std::string prefix = text("resume_run: ", directory.string(), ": ");
  const std::vector<std::uint8_t> config =
      detail::read_whole_file("resume_run", config_of(directory), detail::largest_config);
  detail::RunPlan<Real> plan =
      detail::read_run_config<Real>(text("resume_run: ", config_of(directory).string(), ": "),
                                    std::string(config.begin(), config.end()), training, validation);
  const RunLock lock("resume_run", directory);
  const fs::path folder = checkpoints_of(directory);
  remove_leftovers(directory);
  const std::vector<CheckpointPosition> positions = detail::find_checkpoints(folder);
  if (positions.empty()) {
    throw IoError(prefix + "no checkpoint in it: it was killed before the first; begin it anew with train");
  }
  // The newest, whatever `latest` says: a process may have died after a checkpoint was there and before the link.
  TrainingState<Real> state = detail::read_checkpoint<Real>(folder / positions.back().name());
  for (EpochReport& report : state.history.epochs) report.epochs = plan.options.epochs;
  ResumedRun<Real> result{.network = state.network, .history = state.history};
  if (state.ended) {
    complete(directory, state, plan.run, detail::best_metric_of(plan.run, plan.options, !validation.empty()));
    if (state.best) result.network = std::move(*state.best);
    return result;
  }
  plan.options.threads = options.threads;
  plan.options.on_batch = options.on_batch;
  plan.options.on_epoch = options.on_epoch;
  plan.options.on_learning_rate = options.on_learning_rate;
  plan.options.stop = options.stop;
  plan.options.learning_rate_control = options.learning_rate_control;
  if (plan.architecture != state.network.architecture()) {
    throw FormatError(prefix + "the newest checkpoint is of another architecture than config.json");
  }
  Rng rng = Rng::from_state(state.rng);
  result.history = train_in<Real>("resume_run", directory, result.network, training, validation, *plan.optimizer,
                                  plan.options, rng, plan.run, std::move(state));
  return result;
}

template History train_run(const fs::path&, Network<float>&, const Dataset&, const Dataset&, Optimizer<float>&,
                           const TrainingOptions&, std::uint64_t, const RunOptions&);
template History train_run(const fs::path&, Network<double>&, const Dataset&, const Dataset&, Optimizer<double>&,
                           const TrainingOptions&, std::uint64_t, const RunOptions&);
template ResumedRun<float> resume_run(const fs::path&, const Dataset&, const Dataset&, const ResumeOptions&);
template ResumedRun<double> resume_run(const fs::path&, const Dataset&, const Dataset&, const ResumeOptions&);

}  // namespace digitnet
