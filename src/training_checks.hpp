// training_checks.hpp: whether a training can be begun. Internal.
#pragma once

#include <digitnet/trainer.hpp>

namespace digitnet::detail {

/// @throws ArgumentError, ShapeError  as train
void check_training(const Architecture& architecture, const Dataset& training, const Dataset& validation,
                    const TrainingOptions& options);

/// Adds a change of the learning rate to those known, which are in order. One that is known already changes nothing;
/// another makes those known for the same place and for later ones void.
void add_change(std::vector<LearningRateChange>& changes, const LearningRateChange& change);

}  // namespace digitnet::detail
