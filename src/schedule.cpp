#include <digitnet/error.hpp>
#include <digitnet/schedule.hpp>

#include <cmath>
#include <numbers>

namespace digitnet {

using detail::text;

Schedule cosine_schedule(double warmup) {
  if (!(warmup >= 0 && warmup < 1)) {
    throw ArgumentError(text("cosine_schedule: warmup is ", warmup, ", expected a share of at least 0 and below 1"));
  }
  return [warmup](double progress) {
    if (progress < warmup) return progress / warmup;
    return 0.5 * (1 + std::cos(std::numbers::pi * (progress - warmup) / (1 - warmup)));
  };
}

}  // namespace digitnet
