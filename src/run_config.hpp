// run_config.hpp: what a run was started with, as JSON. Internal.
#pragma once

#include "json_value.hpp"

#include <digitnet/run.hpp>

#include <memory>
#include <string>

namespace digitnet::detail {

template <class Real>
constexpr const char* precision_name = std::is_same_v<Real, float> ? "float32" : "float64";

/// Largest config.json that is written and read, in bytes. It may hold a weight for each sample.
inline constexpr std::uint64_t largest_config = std::uint64_t{1} << 24;

/// All of config.json.
/// @param created  when, as "2026-01-31T12:00:00Z"
/// @throws ArgumentError  if a setting cannot be written
template <class Real>
JsonValue run_config(const Network<Real>& network, const Dataset& training, const Dataset& validation,
                     const Optimizer<Real>& optimizer, const TrainingOptions& options, std::uint64_t seed,
                     const RunOptions& run, const std::string& created);

/// What a config.json says.
template <class Real>
struct RunPlan {
  Architecture architecture;
  std::unique_ptr<Optimizer<Real>> optimizer;
  TrainingOptions options;
  RunOptions run;
};

/// @param where  start of every message
/// @throws FormatError    if it breaks a rule
/// @throws ArgumentError  if the samples are not those it tells of, or the numbers are of another precision
template <class Real>
RunPlan<Real> read_run_config(const std::string& where, const std::string& text, const Dataset& training,
                              const Dataset& validation);

/// The metric by which a run's best checkpoint is chosen.
Metric best_metric_of(const RunOptions& run, const TrainingOptions& options, bool has_validation);

}  // namespace digitnet::detail
