// run.hpp: a training that lives in a directory, and survives.
#pragma once

#include <digitnet/serialization.hpp>
#include <digitnet/trainer.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace digitnet {

/// How a run is kept on disk.
struct RunOptions {
  std::size_t checkpoint_every = 1;  ///< epochs from one checkpoint to the next, at least 1
  std::size_t keep_last = 5;  ///< newest checkpoints that are kept; 0 keeps all. The first and the best one stay.

  /// By which the best checkpoint is chosen; none takes that of early stopping, else the validation loss, else the
  /// training loss.
  std::optional<Metric> best_metric{};

  /// Where the samples come from, for those who start the run again: a JSON object, kept as data.source in config.json.
  std::string source{};
};

/// Trains a network as train does, and keeps the training in a directory: its configuration, what happens, and
/// checkpoints from which resume_run goes on. The form is that of docs/runs.md, the same from C++, Python and the
/// command line. Reports have their statistics whatever the options say.
///
/// Checkpoints are written by a thread of their own while the training goes on; the next one waits until the one before
/// is on the disk. A training that is stopped, or ended by what a callback throws, leaves one of its last batch.
///
/// @param directory  is made, with those above it, if it is not there; else without a run in it
/// @param seed       of the order of the samples and all else that is drawn
/// @throws ArgumentError  as train; and if the directory holds a run already or something else, a setting cannot be
///                        written (a schedule or optimizer of one's own), or another process trains in it
/// @throws IoError        if a file cannot be written. The training ends there; the checkpoint before is whole.
template <class Real>
History train_run(const std::filesystem::path& directory, Network<Real>& network, const Dataset& training,
                  const Dataset& validation, Optimizer<Real>& optimizer, const TrainingOptions& options,
                  std::uint64_t seed, const RunOptions& run = {});

/// What may differ from the training that is gone on with; the result is the same.
struct ResumeOptions {
  std::size_t threads = 0;
  std::function<void(const BatchReport&)> on_batch{};
  std::function<void(const EpochReport&)> on_epoch{};
  std::function<void(const LearningRateChange&)> on_learning_rate{};
  const StopFlag* stop = nullptr;
  LearningRateControl* learning_rate_control = nullptr;  ///< what it asks for does change the result
};

/// What a run that was gone on with came to.
template <class Real>
struct ResumedRun {
  Network<Real> network;
  History history;  ///< of all epochs
};

/// Goes on with a run from its newest checkpoint, to the very bits that it would have reached without a break. A run
/// that has come to its end is left as it is.
///
/// @param training    the samples the run began with, likewise validation: their fingerprints are compared
/// @throws IoError        if there is no such run, or a file cannot be read or written
/// @throws FormatError    if a file of the run breaks a rule; the message says which and where
/// @throws ArgumentError  if the samples are others, the run is one of the other kind of numbers, or another process
///                        trains in it
template <class Real>
ResumedRun<Real> resume_run(const std::filesystem::path& directory, const Dataset& training,
                            const Dataset& validation, const ResumeOptions& options = {});

}  // namespace digitnet
