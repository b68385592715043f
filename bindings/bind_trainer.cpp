#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/trainer.hpp>

#include <chrono>

namespace digitnet::python {
namespace {

using Clock = std::chrono::steady_clock;

/// How often a training asks Python whether a signal such as Ctrl-C has come. Asking needs the GIL, which
/// another Python thread may hold for milliseconds, so it is not done for every batch of a microsecond.
constexpr std::chrono::milliseconds signal_interval{20};

void check_signals() {
  const py::gil_scoped_acquire acquire;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

constexpr const char* train_doc = R"doc(
Train a network in place. digitnet.train is the friendlier form of this.

Args:
    network: what to train.
    training: samples to learn from.
    validation: samples to look at after each epoch, or None.
    optimizer: the rule of the steps; prepared anew.
    epochs, batch_size, threads, shuffle, stop_below_loss: see digitnet.train.
    schedule: function from progress in (0, 1) to a factor on the learning rate, or None.
    seed: of the order of the samples.
    on_batch, on_epoch: called with each report, or None.
    stop: asks to stop, or None.

Returns:
    What happened, epoch by epoch.

Raises:
    ArgumentError, ShapeError: if data or options do not fit.
)doc";

History train_network(Network<float>& network, const Dataset& training, const std::optional<Dataset>& validation,
                      Optimizer<float>& optimizer, std::size_t epochs, std::size_t batch_size, std::size_t threads,
                      bool shuffle, double stop_below_loss, const std::optional<Schedule>& schedule,
                      std::uint64_t seed, const std::optional<std::function<void(const BatchReport&)>>& on_batch,
                      const std::optional<std::function<void(const EpochReport&)>>& on_epoch,
                      std::optional<StopFlag*> stop) {
  TrainingOptions options;
  options.epochs = epochs;
  options.batch_size = batch_size;
  options.threads = threads;
  options.shuffle = shuffle;
  options.stop_below_loss = stop_below_loss;
  options.schedule = schedule.value_or(nullptr);
  options.stop = stop.value_or(nullptr);
  options.on_epoch = on_epoch.value_or(nullptr);
  auto last_check = Clock::now();
  options.on_batch = [&](const BatchReport& report) {
    if (on_batch) (*on_batch)(report);
    if (const auto now = Clock::now(); now - last_check >= signal_interval) {
      check_signals();
      last_check = now;
    }
  };
  Rng rng(seed);
  return without_gil(
      [&] { return train(network, training, validation.value_or(Dataset()), optimizer, options, rng); });
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
      .def("__repr__", [](const EpochReport& report) {
        return detail::text("<digitnet.EpochReport ", report.epoch, " of ", report.epochs, ": training loss ",
                            report.training_loss, ">");
      });

  py::class_<History>(m, "History", "What happened in a training, epoch by epoch.")
      .def_readonly("epochs", &History::epochs, "A list of EpochReport; an epoch that was cut short is not in it.")
      .def_property_readonly(
          "reason", [](const History& history) { return std::string(name_of(history.reason)); },
          "Why it ended: done, stopped, loss_reached or diverged.")
      .def("__len__", [](const History& history) { return history.epochs.size(); })
      .def("__repr__", &describe);

  m.def("train", &train_network, py::arg("network"), py::arg("training"), py::arg("validation"), py::arg("optimizer"),
        py::arg("epochs"), py::arg("batch_size"), py::arg("threads"), py::arg("shuffle"), py::arg("stop_below_loss"),
        py::arg("schedule"), py::arg("seed"), py::arg("on_batch"), py::arg("on_epoch"), py::arg("stop"), train_doc);
}

}  // namespace digitnet::python
