#include <digitnet/range_test.hpp>

#include <algorithm>
#include <cmath>

namespace digitnet {
namespace {

using detail::text;

constexpr double smoothing = 0.9;         // share of the running mean that a step keeps
constexpr double hopeless = 4;            // times the lowest smoothed loss
constexpr std::size_t first_points = 10;  // that are never suggested
constexpr double rounding = 1e-9;         // a fall of less than this share of the loss is none

void check_options(const RangeTestOptions& options) {
  if (!(options.low > 0 && std::isfinite(options.low))) {
    throw ArgumentError(text("learning_rate_range_test: low is ", options.low, ", expected a number above 0"));
  }
  if (!(options.high > options.low && std::isfinite(options.high))) {
    throw ArgumentError(
        text("learning_rate_range_test: high is ", options.high, ", expected a number above low, ", options.low));
  }
  if (options.steps < 2) {
    throw ArgumentError(text("learning_rate_range_test: steps is ", options.steps, ", expected at least 2"));
  }
}

/// Between the first points and the lowest one, the rate where the loss falls fastest.
std::optional<double> steepest_fall(const std::vector<RangeTestPoint>& points) {
  const auto lower = [](const RangeTestPoint& a, const RangeTestPoint& b) {
    return a.smoothed_loss < b.smoothed_loss;
  };
  const auto lowest =
      static_cast<std::size_t>(std::min_element(points.begin(), points.end(), lower) - points.begin());
  std::optional<double> rate;
  double steepest = points.empty() ? 0 : -rounding * points.front().smoothed_loss;
  for (std::size_t i = first_points; i <= lowest && i + 1 < points.size(); ++i) {
    const double change = points[i + 1].smoothed_loss - points[i - 1].smoothed_loss;
    if (change < steepest) {
      steepest = change;
      rate = points[i].learning_rate;
    }
  }
  return rate;
}

}  // namespace

template <class Real>
RangeTest learning_rate_range_test(const Network<Real>& network, const Dataset& data,
                                   const Optimizer<Real>& optimizer, const RangeTestOptions& options, Rng& rng) {
  check_options(options);
  Network<Real> copy = network;
  const auto stepper = optimizer.clone();
  stepper->set_learning_rate(options.low);

  TrainingOptions training = options.training;
  const std::size_t batch_size =
      std::clamp<std::size_t>(training.batch_size, 1, std::max<std::size_t>(1, data.size()));
  const std::size_t batches = std::max<std::size_t>(1, (data.size() + batch_size - 1) / batch_size);  // in an epoch
  training.epochs = (options.steps + batches - 1) / batches;
  training.stop_below_loss = 0;
  training.averaging = Averaging::none;
  training.early_stopping.reset();
  training.plateau.reset();
  training.on_epoch = nullptr;
  const auto all_steps = static_cast<double>(training.epochs * batches);
  const auto last_step = static_cast<double>(options.steps - 1);
  training.schedule = [&](double progress) {
    const double step = std::min(std::round(progress * all_steps - 0.5), last_step);  // from 0
    return std::pow(options.high / options.low, step / last_step);
  };

  RangeTest result;
  StopFlag stop;
  training.stop = &stop;
  double mean = 0;
  double lowest = std::numeric_limits<double>::infinity();
  training.on_batch = [&](const BatchReport& report) {
    mean = smoothing * mean + (1 - smoothing) * report.loss;
    const double smoothed = mean / (1 - std::pow(smoothing, static_cast<double>(result.points.size() + 1)));
    result.points.push_back({report.learning_rate, report.loss, smoothed});
    lowest = std::min(lowest, smoothed);
    if (result.points.size() == options.steps || smoothed > hopeless * lowest) stop.request();
    if (options.training.stop != nullptr && options.training.stop->requested()) stop.request();
    if (options.on_point) options.on_point(result.points.back());
  };
  if (options.training.stop != nullptr && options.training.stop->requested()) stop.request();
  train(copy, data, Dataset(), *stepper, training, rng);
  result.suggestion = steepest_fall(result.points);
  return result;
}

template RangeTest learning_rate_range_test(const Network<float>&, const Dataset&, const Optimizer<float>&,
                                            const RangeTestOptions&, Rng&);
template RangeTest learning_rate_range_test(const Network<double>&, const Dataset&, const Optimizer<double>&,
                                            const RangeTestOptions&, Rng&);

}  // namespace digitnet
