// schedule.hpp: the learning rate over a training.
#pragma once

#include <functional>

namespace digitnet {

/// The learning rate over a training: a factor on it for each step.
/// @param progress  how far the training will be in the middle of the step, as a share of all steps, in (0, 1)
using Schedule = std::function<double(double progress)>;

/// From 1 down to 0 along half a cosine, after a warm-up from 0 to 1 over its first share.
/// @param warmup  in [0, 1)
/// @throws ArgumentError  if warmup is out of range
/// @see Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2017), formula 5
Schedule cosine_schedule(double warmup = 0.0);

}  // namespace digitnet
