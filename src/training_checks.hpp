// training_checks.hpp: whether a training can be begun. Internal.
#pragma once

#include <digitnet/trainer.hpp>

namespace digitnet::detail {

/// @throws ArgumentError, ShapeError  as train
void check_training(const Architecture& architecture, const Dataset& training, const Dataset& validation,
                    const TrainingOptions& options);

}  // namespace digitnet::detail
