#include <digitnet/trainer.hpp>

#include "engine.hpp"
#include "evaluation.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace digitnet {
namespace {

using detail::text;
using Clock = std::chrono::steady_clock;

void check_options(const TrainingOptions& options) {
  if (options.epochs == 0) throw ArgumentError("train: epochs is 0, expected at least 1");
  if (options.batch_size == 0) throw ArgumentError("train: batch_size is 0, expected at least 1");
  if (!(options.stop_below_loss >= 0) || std::isinf(options.stop_below_loss)) {
    throw ArgumentError(
        text("train: stop_below_loss is ", options.stop_below_loss, ", expected a number of at least 0"));
  }
}

}  // namespace

template <class Real>
History train(Network<Real>& network, const Dataset& training, const Dataset& validation, Optimizer<Real>& optimizer,
              const TrainingOptions& options, Rng& rng) {
  check_options(options);
  detail::require_fitting_data("train", network.architecture(), training);
  if (!validation.empty()) detail::require_fitting_data("train (validation)", network.architecture(), validation);

  ThreadTeam team(options.threads);
  const SingleThreadedBlas guard;
  const std::size_t batch_size = std::min(options.batch_size, training.size());
  const std::size_t batches = (training.size() + batch_size - 1) / batch_size;
  const auto steps = static_cast<double>(options.epochs * batches);
  detail::Engine<Real> engine(network, training, optimizer, batch_size, team);
  std::vector<std::uint32_t> order(training.size());
  std::iota(order.begin(), order.end(), 0u);

  History history;
  for (std::size_t epoch = 1; epoch <= options.epochs; ++epoch) {
    const auto start = Clock::now();
    if (options.shuffle) shuffle(order, rng);
    EpochReport report;
    report.epoch = epoch;
    report.epochs = options.epochs;
    std::size_t correct = 0;
    for (std::size_t batch = 1; batch <= batches; ++batch) {
      if (options.stop != nullptr && options.stop->requested()) {
        history.reason = StopReason::stopped;
        return history;
      }
      const std::size_t first = (batch - 1) * batch_size;
      const auto samples =
          std::span<const std::uint32_t>(order).subspan(first, std::min(batch_size, order.size() - first));
      const double progress = (static_cast<double>((epoch - 1) * batches + batch) - 0.5) / steps;
      const double factor = options.schedule ? options.schedule(progress) : 1.0;
      const auto [batch_loss, batch_correct] = engine.step(samples, factor);
      report.training_loss += batch_loss;
      report.learning_rate = optimizer.learning_rate() * factor;
      correct += batch_correct;
      if (!std::isfinite(batch_loss)) {
        history.reason = StopReason::diverged;
        return history;
      }
      if (options.on_batch) {
        const auto size = static_cast<double>(samples.size());
        options.on_batch({.epoch = epoch,
                          .batch = batch,
                          .batches = batches,
                          .samples = samples.size(),
                          .loss = batch_loss / size,
                          .accuracy = static_cast<double>(batch_correct) / size,
                          .learning_rate = report.learning_rate});
      }
    }
    report.training_loss /= static_cast<double>(training.size());
    report.training_accuracy = static_cast<double>(correct) / static_cast<double>(training.size());
    report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (!validation.empty()) {
      const Evaluation evaluation = detail::evaluate("train (validation)", network, validation, team);
      report.validation_loss = evaluation.loss;
      report.validation_accuracy = evaluation.accuracy;
    }
    history.epochs.push_back(report);
    if (options.on_epoch) options.on_epoch(report);
    if (options.stop_below_loss > 0 && report.training_loss < options.stop_below_loss) {
      history.reason = StopReason::loss_reached;
      return history;
    }
  }
  return history;
}

template class Sgd<float>;
template class Sgd<double>;
template class Adam<float>;
template class Adam<double>;
template class AdamW<float>;
template class AdamW<double>;
template History train(Network<float>&, const Dataset&, const Dataset&, Optimizer<float>&, const TrainingOptions&,
                       Rng&);
template History train(Network<double>&, const Dataset&, const Dataset&, Optimizer<double>&, const TrainingOptions&,
                       Rng&);

}  // namespace digitnet
