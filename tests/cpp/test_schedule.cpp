#include <digitnet/error.hpp>
#include <digitnet/schedule.hpp>

#include "catch.hpp"

#include <cmath>
#include <limits>
#include <numbers>

using namespace digitnet;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

/// What a training of this many steps asks for.
std::vector<double> shares(std::size_t steps) {
  std::vector<double> middle;
  for (std::size_t step = 0; step < steps; ++step) {
    middle.push_back((static_cast<double>(step) + 0.5) / static_cast<double>(steps));
  }
  return middle;
}

}  // namespace

TEST_CASE("constant_schedule: 1 throughout", "[schedule]") {
  for (const double share : shares(7)) CHECK(constant_schedule()(share) == 1);
}

TEST_CASE("step_schedule: lower after each milestone", "[schedule]") {
  const Schedule schedule = step_schedule({0.5, 0.75}, 0.25);
  CHECK(schedule(0.01) == 1);
  CHECK(schedule(0.499) == 1);
  CHECK(schedule(0.5) == 0.25);
  CHECK(schedule(0.749) == 0.25);
  CHECK(schedule(0.75) == 0.0625);
  CHECK(schedule(0.99) == 0.0625);
  CHECK(step_schedule({0.5})(0.6) == Approx(0.1).epsilon(1e-15));
  CHECK(step_schedule({})(0.9) == 1);
  CHECK(step_schedule({0.5}, 1.0)(0.9) == 1);
}

TEST_CASE("exponential_schedule: by the same ratio in each step", "[schedule]") {
  const Schedule schedule = exponential_schedule(0.0001);
  CHECK(schedule(0) == 1);
  CHECK(schedule(0.25) == Approx(0.1).epsilon(1e-14));
  CHECK(schedule(0.5) == Approx(0.01).epsilon(1e-14));
  CHECK(schedule(1) == Approx(0.0001).epsilon(1e-14));
  CHECK(exponential_schedule()(1) == Approx(0.01).epsilon(1e-14));
  CHECK(exponential_schedule(1)(0.3) == 1);
}

TEST_CASE("cosine_schedule: from 1 down to 0, after the warm-up", "[schedule]") {
  const Schedule plain = cosine_schedule();
  CHECK(plain(0) == 1);
  CHECK(plain(0.5) == Approx(0.5).epsilon(1e-14));
  CHECK(plain(1.0 / 3) == Approx(0.75).epsilon(1e-14));
  CHECK(plain(1) == Approx(0).margin(1e-15));

  const Schedule warmed = cosine_schedule(0.2);
  CHECK(warmed(0) == 0);
  CHECK(warmed(0.05) == Approx(0.25));
  CHECK(warmed(0.2) == 1);
  CHECK(warmed(0.6) == Approx(0.5).epsilon(1e-14));
  CHECK(warmed(1) == Approx(0).margin(1e-15));
}

TEST_CASE("cosine_schedule: the plain form has the bits of its formula", "[schedule]") {
  // Models that were trained with it come out the same.
  for (const double warmup : {0.0, 0.1, 0.3}) {
    const Schedule schedule = cosine_schedule(warmup);
    for (const double share : shares(97)) {
      const double formula =
          share < warmup ? share / warmup : 0.5 * (1 + std::cos(std::numbers::pi * (share - warmup) / (1 - warmup)));
      CHECK(schedule(share) == formula);
    }
  }
}

TEST_CASE("cosine_schedule: ends at the final factor", "[schedule]") {
  const Schedule schedule = cosine_schedule(0.5, 0.2);
  CHECK(schedule(0.25) == 0.5);
  CHECK(schedule(0.5) == 1);
  CHECK(schedule(0.75) == Approx(0.6).epsilon(1e-14));
  CHECK(schedule(1) == Approx(0.2).epsilon(1e-14));
  CHECK(cosine_schedule(0, 1)(0.7) == 1);
}

TEST_CASE("cosine_schedule: begins anew in each cycle", "[schedule]") {
  const Schedule four = cosine_schedule(0, 0, 4);
  for (const double share : shares(40)) {
    const double in_cycle = share * 4 - std::floor(share * 4);
    CHECK(four(share) == Approx(0.5 * (1 + std::cos(std::numbers::pi * in_cycle))).margin(1e-12));
  }
  CHECK(four(0.25) == Approx(1).epsilon(1e-12));  // a restart
  CHECK(four(0.2499999) == Approx(0).margin(1e-10));

  const Schedule growing = cosine_schedule(0.3, 0.5, 3, 2);  // of lengths 0.1, 0.2, 0.4 after the warm-up
  CHECK(growing(0.15) == 0.5);
  CHECK(growing(0.35) == Approx(0.75).epsilon(1e-12));
  CHECK(growing(0.4 + 1e-9) == Approx(1).epsilon(1e-6));
  CHECK(growing(0.5) == Approx(0.75).epsilon(1e-12));
  CHECK(growing(0.6 + 1e-9) == Approx(1).epsilon(1e-6));
  CHECK(growing(0.8) == Approx(0.75).epsilon(1e-12));
  CHECK(growing(1) == Approx(0.5).epsilon(1e-12));
  for (const double share : shares(1000)) {
    CHECK(cosine_schedule(0, 0.1, 1000)(share) >= 0.1);
    CHECK(growing(share) <= 1);
  }
}

TEST_CASE("one_cycle_schedule: up to 1 and down", "[schedule]") {
  const Schedule schedule = one_cycle_schedule(0.25, 0.2, 0.0);
  CHECK(schedule(0) == Approx(0.2).epsilon(1e-14));
  CHECK(schedule(0.125) == Approx(0.6).epsilon(1e-14));
  CHECK(schedule(0.25) == 1);
  CHECK(schedule(0.625) == Approx(0.5).epsilon(1e-14));
  CHECK(schedule(0.5) == Approx(0.75).epsilon(1e-14));
  CHECK(schedule(1) == Approx(0).margin(1e-15));
  CHECK(one_cycle_schedule()(0) == Approx(0.04).epsilon(1e-12));
  CHECK(one_cycle_schedule()(0.3) == 1);
  CHECK(one_cycle_schedule()(1) == Approx(1e-4).epsilon(1e-12));
}

TEST_CASE("with_warmup: rises in a straight line, and leaves the rest where it was", "[schedule]") {
  const Schedule schedule = with_warmup(step_schedule({0.1, 0.5}, 0.5), 0.2);
  CHECK(schedule(0) == 0);
  CHECK(schedule(0.05) == Approx(0.25).epsilon(1e-14));
  CHECK(schedule(0.15) == Approx(0.75 * 0.5).epsilon(1e-14));
  CHECK(schedule(0.2) == 0.5);
  CHECK(schedule(0.49) == 0.5);
  CHECK(schedule(0.5) == 0.25);
  for (const double share : shares(9)) {
    CHECK(with_warmup(exponential_schedule(), 0)(share) == exponential_schedule()(share));
    CHECK(with_warmup(constant_schedule(), 1)(share) == share);
  }
}

TEST_CASE("schedule: settings out of range are named", "[schedule][error]") {
  for (const double share : {-0.1, 1.0, 2.0, not_a_number, infinity}) {
    CHECK_ERROR(cosine_schedule(share), ArgumentError,
                detail::text("cosine_schedule: warmup is ", share, ", expected a share of at least 0 and below 1"));
    CHECK_ERROR(one_cycle_schedule(share), ArgumentError,
                detail::text("one_cycle_schedule: peak is ", share, ", expected a number above 0 and below 1"));
    CHECK_ERROR(step_schedule({share}), ArgumentError,
                detail::text("step_schedule: a milestone is ", share, ", expected a number above 0 and below 1"));
  }
  CHECK_ERROR(one_cycle_schedule(0), ArgumentError, "peak is 0");
  CHECK_ERROR(step_schedule({0.0}), ArgumentError, "a milestone is 0");
  CHECK_ERROR(step_schedule({0.5, 0.25}), ArgumentError,
              "step_schedule: milestone 0.25 after 0.5, expected rising shares of the training");
  CHECK_ERROR(step_schedule({0.5, 0.5}), ArgumentError, "milestone 0.5 after 0.5");
  for (const double factor : {-0.1, 0.0, 1.5, not_a_number, infinity}) {
    CHECK_ERROR(step_schedule({0.5}, factor), ArgumentError,
                detail::text("step_schedule: factor is ", factor, ", expected a number above 0 and at most 1"));
    CHECK_ERROR(exponential_schedule(factor), ArgumentError,
                detail::text("exponential_schedule: final_factor is ", factor, ", expected"));
  }
  for (const double factor : {-0.1, 1.5, not_a_number, -infinity}) {
    const std::string part = detail::text("_factor is ", factor, ", expected a number from 0 to 1");
    CHECK_ERROR(cosine_schedule(0.1, factor), ArgumentError, "cosine_schedule: final" + part);
    CHECK_ERROR(one_cycle_schedule(0.3, factor), ArgumentError, "one_cycle_schedule: start" + part);
    CHECK_ERROR(one_cycle_schedule(0.3, 0.1, factor), ArgumentError, "one_cycle_schedule: final" + part);
    CHECK_ERROR(with_warmup(constant_schedule(), factor), ArgumentError,
                detail::text("with_warmup: share is ", factor, ", expected a number from 0 to 1"));
  }
  CHECK_ERROR(cosine_schedule(0, 0, 0), ArgumentError, "cosine_schedule: cycles is 0, expected 1 to 1000");
  CHECK_ERROR(cosine_schedule(0, 0, 1001), ArgumentError, "cosine_schedule: cycles is 1001, expected 1 to 1000");
  for (const double multiplier : {0.5, -2.0, not_a_number, infinity}) {
    CHECK_ERROR(
        cosine_schedule(0, 0, 2, multiplier), ArgumentError,
        detail::text("cosine_schedule: cycle_multiplier is ", multiplier, ", expected a number of at least 1"));
  }
  CHECK_ERROR(cosine_schedule(0, 0, 1000, 2), ArgumentError, "nothing is left of the first; expected fewer");
  CHECK_ERROR(with_warmup({}, 0.1), ArgumentError, "with_warmup: no schedule, expected one");
}

TEST_CASE("ReduceOnPlateau: lowers the rate when patience is at an end", "[schedule]") {
  ReduceOnPlateau plateau(0.5, 2, 0.1);
  std::vector<double> factors;
  // Best 5; then three epochs without improvement of more than 0.1; then better; then three again.
  for (const double loss : {5.0, 5.0, 4.95, 6.0, 4.0, 4.0, 3.95, 4.2, 1.0}) factors.push_back(plateau.observe(loss));
  CHECK(factors == std::vector<double>{1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25});
  CHECK(plateau.state() == ReduceOnPlateau::State{0.25, 1.0, 0, 0});
}

TEST_CASE("ReduceOnPlateau: with no patience each epoch that is not better counts", "[schedule]") {
  ReduceOnPlateau plateau(0.5, 0, 0.0);
  CHECK(plateau.observe(1) == 1);
  CHECK(plateau.observe(0.999) == 1);
  CHECK(plateau.observe(0.999) == 0.5);
  CHECK(plateau.observe(0.999) == 0.25);
}

TEST_CASE("ReduceOnPlateau: epochs of the cooldown are not counted", "[schedule]") {
  ReduceOnPlateau plateau(0.5, 0, 0.0, 2);
  std::vector<double> factors(9);
  for (double& factor : factors) factor = plateau.observe(1);
  CHECK(factors == std::vector<double>{1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125});
  ReduceOnPlateau better(0.5, 0, 0.0, 2);
  better.observe(3);
  better.observe(3);
  CHECK(better.state().cooldown_left == 2);
  better.observe(2);  // an epoch that is better passes as well
  CHECK(better.state().cooldown_left == 1);
}

TEST_CASE("ReduceOnPlateau: not below the least factor", "[schedule]") {
  ReduceOnPlateau plateau(0.1, 0, 0.0, 0, 0.05);
  plateau.observe(1);
  CHECK(plateau.observe(1) == Approx(0.1).epsilon(1e-15));
  CHECK(plateau.observe(1) == 0.05);
  CHECK(plateau.observe(1) == 0.05);
  ReduceOnPlateau steady(0.1, 0, 0.0, 0, 1.0);
  steady.observe(1);
  CHECK(steady.observe(1) == 1);
}

TEST_CASE("ReduceOnPlateau: what is not a number is no improvement", "[schedule]") {
  ReduceOnPlateau plateau(0.5, 1);
  CHECK(plateau.observe(not_a_number) == 1);
  CHECK(!plateau.state().best);
  CHECK(plateau.observe(-infinity) == 0.5);
  CHECK(plateau.observe(3) == 0.5);
  CHECK(plateau.state().best == 3.0);
}

TEST_CASE("ReduceOnPlateau: one restored goes on where the other stood", "[schedule]") {
  ReduceOnPlateau one(0.5, 1, 0.01, 2);
  for (const double loss : {3.0, 2.0, 2.0, 2.0, 2.0, 1.999}) one.observe(loss);
  ReduceOnPlateau other(0.5, 1, 0.01, 2);
  other.restore(one.state());
  for (const double loss : {2.0, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0}) {
    CHECK(other.observe(loss) == one.observe(loss));
    CHECK(other.state() == one.state());
  }
  CHECK(one.state().factor < 0.5);

  const ReduceOnPlateau::State before = one.state();
  for (const double factor : {0.0, -1.0, 1.5, not_a_number}) {
    CHECK_ERROR(one.restore({factor, 1.0, 0, 0}), ArgumentError,
                detail::text("ReduceOnPlateau: the factor of the state is ", factor, ", expected"));
  }
  CHECK_ERROR(one.restore({1.0, not_a_number, 0, 0}), ArgumentError,
              "ReduceOnPlateau: the best of the state is nan, expected");
  CHECK(one.state() == before);
}

TEST_CASE("ReduceOnPlateau: settings are kept, nonsense is named", "[schedule][error]") {
  const ReduceOnPlateau plateau(0.25, 7, 0.5, 3, 0.125);
  CHECK(plateau.factor() == 0.25);
  CHECK(plateau.patience() == 7);
  CHECK(plateau.min_delta() == 0.5);
  CHECK(plateau.cooldown() == 3);
  CHECK(plateau.min_factor() == 0.125);
  for (const double factor : {0.0, 1.0, -0.5, not_a_number, infinity}) {
    CHECK_ERROR(ReduceOnPlateau(factor), ArgumentError,
                detail::text("ReduceOnPlateau: factor is ", factor, ", expected a number above 0 and below 1"));
  }
  for (const double number : {-1e-9, not_a_number, infinity}) {
    CHECK_ERROR(ReduceOnPlateau(0.1, 3, number), ArgumentError,
                detail::text("ReduceOnPlateau: min_delta is ", number, ", expected a number of at least 0"));
    CHECK_ERROR(ReduceOnPlateau(0.1, 3, 0.0, 0, number), ArgumentError,
                detail::text("ReduceOnPlateau: min_factor is ", number, ", expected a number from 0 to 1"));
  }
}
