#include "bindings.hpp"
#include "numpy_bridge.hpp"
#include "signals.hpp"

#include <digitnet/run.hpp>

#include <exception>

namespace digitnet::python {
namespace {

constexpr const char* train_doc = R"doc(
Train a network in place. digitnet.train is the friendlier form of this.

Args:
    network: what to train.
    data: samples to learn from.
    validation: samples to look at after each epoch, or None.
    optimizer: the rule of the steps; prepared anew.
    options: see digitnet.train.
    schedule: function from progress in (0, 1) to a factor on the learning rate, or None.
    seed: of the order of the samples.
    on_batch, on_epoch: called with each report, or None.
    stop: asks to stop, or None.

Returns:
    What happened, epoch by epoch.

Raises:
    ArgumentError, ShapeError: if data or options do not fit.
)doc";

/// The same schedule, which says what is wrong if a function of Python gives no number.
Schedule checked_schedule(const Schedule& schedule) {
  if (!schedule.description().empty()) return schedule;
  return [schedule](double progress) {
    try {
      return schedule(progress);
    } catch (const py::cast_error&) {
      throw py::type_error(
          "train: schedule returned no number, expected a factor on the learning rate; schedules of digitnet are "
          "made "
          "by a call, as in schedule=cosine_schedule()");
    }
  };
}

History train_network(Network<float>& network, const Dataset& training, const std::optional<Dataset>& validation,
                      Optimizer<float>& optimizer, TrainingOptions options, const std::optional<Schedule>& schedule,
                      std::uint64_t seed, const std::optional<std::function<void(const BatchReport&)>>& on_batch,
                      const std::optional<std::function<void(const EpochReport&)>>& on_epoch,
                      std::optional<StopFlag*> stop) {
  if (schedule) options.schedule = checked_schedule(*schedule);
  options.stop = stop.value_or(nullptr);
  options.on_epoch = on_epoch.value_or(nullptr);
  SignalCheck check_signals;
  options.on_batch = [&](const BatchReport& report) {
    if (on_batch) (*on_batch)(report);
    check_signals();
  };
  Rng rng(seed);
  return without_gil(
      [&] { return train(network, training, validation.value_or(Dataset()), optimizer, options, rng); });
}

constexpr const char* train_run_doc = R"doc(
Train a network in place and keep the training in a folder. digitnet.train with `run` is the friendlier form of this.

Args:
    directory: of the run; made if it is not there.
    network, data, validation, optimizer, options, schedule, seed, on_batch, on_epoch, stop: as for train.
    checkpoint_every: epochs from one checkpoint to the next.
    keep_last: newest checkpoints that are kept; 0 keeps all.
    best_metric: by which the best one is chosen, or None.
    source: where the samples come from, a JSON object as text; may be empty.

Returns:
    What happened, epoch by epoch.

Raises:
    ArgumentError, ShapeError: if data or options do not fit, or there is a run in the folder.
    IoError: if a file cannot be written.
)doc";

/// Ctrl-C in a run: the training is stopped, so that it leaves a checkpoint; then what the signal raised is raised.
class RunInterrupt {
 public:
  explicit RunInterrupt(StopFlag* theirs) : flag_(theirs != nullptr ? theirs : &own_) {}

  const StopFlag* flag() const { return flag_; }

  /// Whether a signal has come; to be called after each batch.
  void check() {
    if (!raised_) guard(check_signals_);
  }

  /// Calls a function of Python's. A signal's handler may run in there too.
  template <class Report>
  void call(const std::optional<std::function<void(const Report&)>>& function, const Report& report) {
    if (function) guard([&] { (*function)(report); });
  }

  void raise() const {
    if (raised_) std::rethrow_exception(raised_);
  }

 private:
  template <class Work>
  void guard(Work&& work) {
    try {
      work();
    } catch (py::error_already_set& error) {
      const py::gil_scoped_acquire acquire;
      if (!error.matches(PyExc_KeyboardInterrupt)) throw;
      raised_ = std::current_exception();
      flag_->request();
    }
  }

  StopFlag own_;
  StopFlag* flag_;
  SignalCheck check_signals_;
  std::exception_ptr raised_;
};

History train_run_network(const std::filesystem::path& directory, Network<float>& network, const Dataset& training,
                          const std::optional<Dataset>& validation, Optimizer<float>& optimizer,
                          TrainingOptions options, const std::optional<Schedule>& schedule, std::uint64_t seed,
                          const std::optional<std::function<void(const BatchReport&)>>& on_batch,
                          const std::optional<std::function<void(const EpochReport&)>>& on_epoch,
                          std::optional<StopFlag*> stop, std::size_t checkpoint_every, std::size_t keep_last,
                          const std::optional<std::string>& best_metric, const std::string& source) {
  if (schedule) options.schedule = checked_schedule(*schedule);
  RunInterrupt interrupt(stop.value_or(nullptr));
  options.stop = interrupt.flag();
  options.on_epoch = [&](const EpochReport& report) { interrupt.call(on_epoch, report); };
  options.on_batch = [&](const BatchReport& report) {
    interrupt.call(on_batch, report);
    interrupt.check();
  };
  RunOptions run{.checkpoint_every = checkpoint_every, .keep_last = keep_last, .source = source};
  if (best_metric) run.best_metric = metric_from_name(*best_metric);
  History history = without_gil([&] {
    return train_run(directory, network, training, validation.value_or(Dataset()), optimizer, options, seed, run);
  });
  interrupt.raise();
  return history;
}

constexpr const char* resume_run_doc = R"doc(
Go on with a run from its newest checkpoint. digitnet.resume is the friendlier form of this.

Args:
    directory: of the run.
    data: the samples it began with.
    validation: likewise, or None.
    threads: how many to use; 0 takes default_threads().
    on_batch, on_epoch: called with each report, or None.
    stop: asks to stop, or None.

Returns:
    The network, and what happened, from the first epoch on.

Raises:
    ArgumentError: if the samples are others, or another process trains in the folder.
    FormatError: if a file of the run is damaged.
    IoError: if there is no run, or a file cannot be read or written.
)doc";

std::pair<Network<float>, History> resume_run_network(
    const std::filesystem::path& directory, const Dataset& training, const std::optional<Dataset>& validation,
    std::size_t threads, const std::optional<std::function<void(const BatchReport&)>>& on_batch,
    const std::optional<std::function<void(const EpochReport&)>>& on_epoch, std::optional<StopFlag*> stop) {
  RunInterrupt interrupt(stop.value_or(nullptr));
  ResumeOptions options{.threads = threads, .stop = interrupt.flag()};
  options.on_epoch = [&](const EpochReport& report) { interrupt.call(on_epoch, report); };
  options.on_batch = [&](const BatchReport& report) {
    interrupt.call(on_batch, report);
    interrupt.check();
  };
  ResumedRun<float> result =
      without_gil([&] { return resume_run<float>(directory, training, validation.value_or(Dataset()), options); });
  interrupt.raise();
  return {std::move(result.network), std::move(result.history)};
}

std::string describe(const History& history) {
  if (history.epochs.empty()) return detail::text("<digitnet.History: no epochs, ", name_of(history.reason), ">");
  const EpochReport& last = history.epochs.back();
  return detail::text(
      "<digitnet.History: ", history.epochs.size(), " epochs, ", name_of(history.reason), ", training loss ",
      last.training_loss,
      last.validation_accuracy ? detail::text(", validation accuracy ", *last.validation_accuracy) : "", ">");
}

}  // namespace

void bind_trainer(py::module_& m) {
  py::class_<StopFlag>(m, "StopFlag", "Asks a training to stop, from any thread. The batch in work is finished.")
      .def(py::init<>())
      .def("request", &StopFlag::request, "Ask to stop.")
      .def("clear", &StopFlag::clear, "Take it back.")
      .def_property_readonly("requested", &StopFlag::requested);

  py::class_<BatchReport>(m, "BatchReport", "What is known after a batch.")
      .def_readonly("epoch", &BatchReport::epoch, "From 1.")
      .def_readonly("batch", &BatchReport::batch, "From 1.")
      .def_readonly("batches", &BatchReport::batches, "In an epoch.")
      .def_readonly("samples", &BatchReport::samples, "In this batch.")
      .def_readonly("loss", &BatchReport::loss, "Mean over the batch, before the step.")
      .def_readonly("accuracy", &BatchReport::accuracy, "Of the batch, before the step.")
      .def_readonly("learning_rate", &BatchReport::learning_rate, "Of this step.");

  py::class_<LayerStatistics>(m, "LayerStatistics", "What a layer was like during an epoch; see statistics of train.")
      .def_readonly("gradient_norm", &LayerStatistics::gradient_norm,
                    "Euclidean norm of the gradient of the weights, mean over the steps.")
      .def_readonly("update_ratio", &LayerStatistics::update_ratio,
                    "Norm of the last change of the weights over their norm; about 1e-3 is healthy.")
      .def_readonly("dead_share", &LayerStatistics::dead_share,
                    "Share of the units that no sample of the epoch gave a gradient.")
      .def_readonly("weight_mean", &LayerStatistics::weight_mean, "Of the weights after the epoch.")
      .def_readonly("weight_deviation", &LayerStatistics::weight_deviation, "Their standard deviation.")
      .def_readonly("histogram", &LayerStatistics::histogram,
                    "How many weights lie in each of 32 parts of equal width from histogram_low to histogram_high.")
      .def_readonly("histogram_low", &LayerStatistics::histogram_low, "The smallest weight.")
      .def_readonly("histogram_high", &LayerStatistics::histogram_high, "The largest weight.");

  py::class_<EpochReport>(m, "EpochReport", "What is known after an epoch.")
      .def_readonly("epoch", &EpochReport::epoch, "From 1.")
      .def_readonly("epochs", &EpochReport::epochs, "Asked for.")
      .def_readonly("training_loss", &EpochReport::training_loss, "Mean over the epoch, each sample as it was met.")
      .def_readonly("training_accuracy", &EpochReport::training_accuracy, "Likewise.")
      .def_readonly("validation_loss", &EpochReport::validation_loss,
                    "After the epoch; None without validation data.")
      .def_readonly("validation_accuracy", &EpochReport::validation_accuracy, "Likewise.")
      .def_readonly("learning_rate", &EpochReport::learning_rate, "Of the last step.")
      .def_readonly("seconds", &EpochReport::seconds, "For the epoch, without validation.")
      .def_readonly("gradient_norm", &EpochReport::gradient_norm,
                    "Of all gradients together, mean over the steps; None without statistics.")
      .def_readonly("layers", &EpochReport::layers, "A LayerStatistics for each layer; empty without statistics.")
      .def("__repr__", [](const EpochReport& report) {
        return detail::text("<digitnet.EpochReport ", report.epoch, " of ", report.epochs, ": training loss ",
                            report.training_loss, ">");
      });

  py::class_<LearningRateChange>(m, "LearningRateChange", R"doc(
Another learning rate from some place in a training on. Schedule and plateau go on multiplying it.

Args:
    epoch: whole epochs done before it.
    batch: batches done of the next one, below the number of batches.
    learning_rate: of the optimizer; train takes finite numbers above 0.
)doc")
      .def(py::init([](std::size_t epoch, std::size_t batch, double learning_rate) {
             return LearningRateChange{epoch, batch, learning_rate};
           }),
           py::arg("epoch"), py::arg("batch"), py::arg("learning_rate"))
      .def_readonly("epoch", &LearningRateChange::epoch)
      .def_readonly("batch", &LearningRateChange::batch)
      .def_readonly("learning_rate", &LearningRateChange::learning_rate)
      .def(
          "__eq__",
          [](const LearningRateChange& change, const py::object& other) {
            return py::isinstance<LearningRateChange>(other) && change == other.cast<LearningRateChange>();
          },
          py::is_operator())
      .def("__hash__",
           [](const LearningRateChange& change) {
             return py::hash(py::make_tuple(change.epoch, change.batch, change.learning_rate));
           })
      .def("__repr__", [](const LearningRateChange& change) {
        return detail::text("LearningRateChange(epoch=", change.epoch, ", batch=", change.batch,
                            ", learning_rate=", change.learning_rate, ")");
      });

  py::class_<History>(m, "History", "What happened in a training, epoch by epoch.")
      .def_readonly("epochs", &History::epochs, "A list of EpochReport; an epoch that was cut short is not in it.")
      .def_property_readonly(
          "reason", [](const History& history) { return std::string(name_of(history.reason)); },
          "Why it ended: done, stopped, loss_reached, diverged or early_stop.")
      .def_readonly("best_epoch", &History::best_epoch, "By the metric of early_stopping, from 1; 0 without.")
      .def_readonly("learning_rate_changes", &History::learning_rate_changes,
                    "A list of LearningRateChange: those that were made, in their order; at one place the last.")
      .def("__len__", [](const History& history) { return history.epochs.size(); })
      .def("__repr__", &describe);

  py::class_<EarlyStopping>(m, "EarlyStopping", R"doc(
Ends a training that no longer gets better (Prechelt 1998).

Args:
    metric: training_loss, training_accuracy, validation_loss or validation_accuracy.
    patience: epochs in a row without progress that end it, at least 1.
    min_delta: what the metric must improve by to count as progress, at least 0.
    restore_best: whether the network gets back what it was after its best epoch.

Raises:
    ArgumentError: if there is no such metric; train looks at the other arguments.
)doc")
      .def(py::init([](const std::string& metric, std::size_t patience, double min_delta, bool restore_best) {
             return EarlyStopping{metric_from_name(metric), patience, min_delta, restore_best};
           }),
           py::arg("metric") = "validation_loss", py::arg("patience") = 5, py::arg("min_delta") = 0.0,
           py::arg("restore_best") = true)
      .def_property_readonly("metric", [](const EarlyStopping& early) { return std::string(name_of(early.metric)); })
      .def_readonly("patience", &EarlyStopping::patience)
      .def_readonly("min_delta", &EarlyStopping::min_delta)
      .def_readonly("restore_best", &EarlyStopping::restore_best);

  py::class_<TrainingOptions>(m, "TrainingOptions", "The arguments of digitnet.train that say how to train.")
      .def(py::init<>())
      .def_readwrite("epochs", &TrainingOptions::epochs)
      .def_readwrite("batch_size", &TrainingOptions::batch_size)
      .def_readwrite("threads", &TrainingOptions::threads)
      .def_readwrite("shuffle", &TrainingOptions::shuffle)
      .def_readwrite("stop_below_loss", &TrainingOptions::stop_below_loss)
      .def_readwrite("plateau", &TrainingOptions::plateau)
      .def_property(
          "plateau_metric",
          [](const TrainingOptions& options) { return std::string(name_of(options.plateau_metric)); },
          [](TrainingOptions& options, const std::string& name) { options.plateau_metric = metric_from_name(name); })
      .def_readwrite("learning_rate_changes", &TrainingOptions::learning_rate_changes)
      .def_readwrite("label_smoothing", &TrainingOptions::label_smoothing)
      .def_readwrite("class_weights", &TrainingOptions::class_weights)
      .def_readwrite("sample_weights", &TrainingOptions::sample_weights)
      .def_readwrite("augmentation", &TrainingOptions::augmentation)
      .def_readwrite("l1", &TrainingOptions::l1)
      .def_readwrite("l2", &TrainingOptions::l2)
      .def_readwrite("max_norm", &TrainingOptions::max_norm)
      .def_readwrite("input_dropout", &TrainingOptions::input_dropout)
      .def_readwrite("dropout", &TrainingOptions::dropout)
      .def_readwrite("batch_norm", &TrainingOptions::batch_norm)
      .def_readwrite("clip_norm", &TrainingOptions::clip_norm)
      .def_readwrite("clip_value", &TrainingOptions::clip_value)
      .def_property(
          "averaging", [](const TrainingOptions& options) { return std::string(name_of(options.averaging)); },
          [](TrainingOptions& options, const std::string& name) { options.averaging = averaging_from_name(name); })
      .def_readwrite("ema_decay", &TrainingOptions::ema_decay)
      .def_readwrite("swa_start", &TrainingOptions::swa_start)
      .def_readwrite("early_stopping", &TrainingOptions::early_stopping)
      .def_readwrite("statistics", &TrainingOptions::statistics);

  m.def("train", &train_network, py::arg("network"), py::arg("data"), py::arg("validation"), py::arg("optimizer"),
        py::arg("options"), py::arg("schedule"), py::arg("seed"), py::arg("on_batch"), py::arg("on_epoch"),
        py::arg("stop"), train_doc);
  m.def("train_run", &train_run_network, py::arg("directory"), py::arg("network"), py::arg("data"),
        py::arg("validation"), py::arg("optimizer"), py::arg("options"), py::arg("schedule"), py::arg("seed"),
        py::arg("on_batch"), py::arg("on_epoch"), py::arg("stop"), py::arg("checkpoint_every"), py::arg("keep_last"),
        py::arg("best_metric"), py::arg("source"), train_run_doc);
  m.def("resume_run", &resume_run_network, py::arg("directory"), py::arg("data"), py::arg("validation"),
        py::arg("threads"), py::arg("on_batch"), py::arg("on_epoch"), py::arg("stop"), resume_run_doc);
}

}  // namespace digitnet::python
