#include <digitnet/error.hpp>
#include <digitnet/schedule.hpp>

#include "catch.hpp"

#include <limits>

using namespace digitnet;

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

TEST_CASE("cosine_schedule: a warm-up out of range is named", "[schedule][error]") {
  for (const double warmup : {-0.1, 1.0, 2.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_ERROR(cosine_schedule(warmup), ArgumentError,
                detail::text("cosine_schedule: warmup is ", warmup, ", expected a share of at least 0 and below 1"));
  }
}
