#include <digitnet/error.hpp>
#include <digitnet/schedule.hpp>

#include "json_fields.hpp"
#include "json_value.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace digitnet {
namespace {

using detail::JsonValue;
using detail::text;
using nlohmann::json;

constexpr std::size_t most_cycles = 1000;

[[noreturn]] void refuse(const char* where, const char* setting, double value, const char* expected) {
  throw ArgumentError(text(where, ": ", setting, " is ", value, ", expected ", expected));
}

// Comparisons with what is not a number are false, so it is refused as well.

/// At least 0 and at most 1.
void require_share(const char* where, const char* setting, double value) {
  if (!(value >= 0 && value <= 1)) refuse(where, setting, value, "a number from 0 to 1");
}

/// More than 0 and at most 1.
void require_positive_share(const char* where, const char* setting, double value) {
  if (!(value > 0 && value <= 1)) refuse(where, setting, value, "a number above 0 and at most 1");
}

/// More than 0 and below 1.
void require_inner_share(const char* where, const char* setting, double value) {
  if (!(value > 0 && value < 1)) refuse(where, setting, value, "a number above 0 and below 1");
}

/// From `from` to `to` along half a cosine, for an angle from 0 to pi.
double along_cosine(double from, double to, double angle) { return to + (from - to) * (0.5 * (1 + std::cos(angle))); }

}  // namespace

Schedule constant_schedule() {
  return {[](double) { return 1.0; }, JsonValue{{"name", "constant"}}.dump()};
}

Schedule step_schedule(std::vector<double> milestones, double factor) {
  require_positive_share("step_schedule", "factor", factor);
  for (std::size_t i = 0; i < milestones.size(); ++i) {
    require_inner_share("step_schedule", "a milestone", milestones[i]);
    if (i > 0 && milestones[i] <= milestones[i - 1]) {
      throw ArgumentError(text("step_schedule: milestone ", milestones[i], " after ", milestones[i - 1],
                               ", expected rising shares of the training"));
    }
  }
  std::string description = JsonValue{{"name", "step"}, {"milestones", milestones}, {"factor", factor}}.dump();
  return {[milestones = std::move(milestones), factor](double progress) {
            const auto passed = std::upper_bound(milestones.begin(), milestones.end(), progress) - milestones.begin();
            return std::pow(factor, static_cast<double>(passed));
          },
          std::move(description)};
}

Schedule exponential_schedule(double final_factor) {
  require_positive_share("exponential_schedule", "final_factor", final_factor);
  return {[final_factor](double progress) { return std::pow(final_factor, progress); },
          JsonValue{{"name", "exponential"}, {"final_factor", final_factor}}.dump()};
}

Schedule cosine_schedule(double warmup, double final_factor, std::size_t cycles, double cycle_multiplier) {
  if (!(warmup >= 0 && warmup < 1)) {
    refuse("cosine_schedule", "warmup", warmup, "a share of at least 0 and below 1");
  }
  require_share("cosine_schedule", "final_factor", final_factor);
  if (cycles < 1 || cycles > most_cycles) {
    throw ArgumentError(text("cosine_schedule: cycles is ", cycles, ", expected 1 to ", most_cycles));
  }
  if (!(cycle_multiplier >= 1 && std::isfinite(cycle_multiplier))) {
    refuse("cosine_schedule", "cycle_multiplier", cycle_multiplier, "a number of at least 1");
  }
  // begins[k] and begins[k + 1]: where cycle k lies, as angles of one cosine over them all.
  std::vector<double> begins{0.0};
  double length = 1;
  for (std::size_t k = 0; k < cycles; ++k, length *= cycle_multiplier) begins.push_back(begins.back() + length);
  const double total = begins.back();
  if (!(total < 1e15)) {
    throw ArgumentError(text("cosine_schedule: ", cycles, " cycles, each ", cycle_multiplier,
                             " times as long as the one before: nothing is left of the first; expected fewer"));
  }
  for (double& begin : begins) begin = std::numbers::pi * (begin / total);
  const auto factor = [warmup, final_factor, begins = std::move(begins)](double progress) {
    if (progress < warmup) return progress / warmup;
    const double angle = std::numbers::pi * (progress - warmup) / (1 - warmup);
    const auto next = std::upper_bound(begins.begin() + 1, begins.end() - 1, angle);
    const double begin = *(next - 1);
    const double span = *next - begin;
    const bool whole = begins.size() == 2;
    return along_cosine(1, final_factor, whole ? angle : std::numbers::pi * ((angle - begin) / span));
  };
  const JsonValue description{{"name", "cosine"},
                              {"warmup", warmup},
                              {"final_factor", final_factor},
                              {"cycles", cycles},
                              {"cycle_multiplier", cycle_multiplier}};
  return {factor, description.dump()};
}

Schedule one_cycle_schedule(double peak, double start_factor, double final_factor) {
  require_inner_share("one_cycle_schedule", "peak", peak);
  require_share("one_cycle_schedule", "start_factor", start_factor);
  require_share("one_cycle_schedule", "final_factor", final_factor);
  const auto factor = [=](double progress) {
    if (progress < peak) return along_cosine(start_factor, 1, std::numbers::pi * (progress / peak));
    return along_cosine(1, final_factor, std::numbers::pi * ((progress - peak) / (1 - peak)));
  };
  const JsonValue description{
      {"name", "one-cycle"}, {"peak", peak}, {"start_factor", start_factor}, {"final_factor", final_factor}};
  return {factor, description.dump()};
}

Schedule with_warmup(Schedule schedule, double share) {
  if (!schedule) throw ArgumentError("with_warmup: no schedule, expected one, such as constant_schedule()");
  require_share("with_warmup", "share", share);
  std::string description;
  if (!schedule.description().empty()) {
    description =
        JsonValue{{"name", "warmup"}, {"share", share}, {"schedule", JsonValue::of_text(schedule.description())}}
            .dump();
  }
  return {[schedule = std::move(schedule), share](double progress) {
            const double factor = schedule(progress);
            return progress < share ? factor * (progress / share) : factor;
          },
          std::move(description)};
}

Schedule schedule_from_description(std::string_view description) {
  const std::string where = "schedule_from_description: ";
  const detail::JsonDocument value = detail::parse_json(where, description);
  const detail::Fields fields(where, value);
  const std::string name = fields.text("name");
  Schedule schedule;
  if (name == "constant") {
    schedule = constant_schedule();
  } else if (name == "step") {
    schedule = step_schedule(fields.numbers("milestones"), fields.number("factor"));
  } else if (name == "exponential") {
    schedule = exponential_schedule(fields.number("final_factor"));
  } else if (name == "cosine") {
    schedule = cosine_schedule(fields.number("warmup"), fields.number("final_factor"), fields.whole("cycles"),
                               fields.number("cycle_multiplier"));
  } else if (name == "one-cycle") {
    schedule =
        one_cycle_schedule(fields.number("peak"), fields.number("start_factor"), fields.number("final_factor"));
  } else if (name == "warmup") {
    schedule = with_warmup(schedule_from_description(fields.object("schedule").dump()), fields.number("share"));
  } else {
    throw ArgumentError(text(where, "name \"", detail::shortened(name),
                             "\", expected one of constant, step, exponential, cosine, one-cycle, warmup"));
  }
  fields.require_no_others();
  return schedule;
}

ReduceOnPlateau::ReduceOnPlateau(double factor, std::size_t patience, double min_delta, std::size_t cooldown,
                                 double min_factor)
    : factor_(factor), patience_(patience), min_delta_(min_delta), cooldown_(cooldown), min_factor_(min_factor) {
  require_inner_share("ReduceOnPlateau", "factor", factor);
  if (!(min_delta >= 0 && std::isfinite(min_delta))) {
    refuse("ReduceOnPlateau", "min_delta", min_delta, "a number of at least 0");
  }
  require_share("ReduceOnPlateau", "min_factor", min_factor);
}

double ReduceOnPlateau::observe(double metric) {
  if (std::isfinite(metric) && (!state_.best || metric < *state_.best - min_delta_)) {
    state_.best = metric;
    state_.bad_epochs = 0;
    if (state_.cooldown_left > 0) --state_.cooldown_left;
  } else if (state_.cooldown_left > 0) {
    --state_.cooldown_left;
  } else if (++state_.bad_epochs > patience_) {
    state_.factor = std::max(min_factor_, state_.factor * factor_);
    state_.bad_epochs = 0;
    state_.cooldown_left = cooldown_;
  }
  return state_.factor;
}

void ReduceOnPlateau::restore(const State& state) {
  require_positive_share("ReduceOnPlateau", "the factor of the state", state.factor);
  if (state.best && !std::isfinite(*state.best)) {
    refuse("ReduceOnPlateau", "the best of the state", *state.best, "a finite number, or none");
  }
  state_ = state;
}

}  // namespace digitnet
