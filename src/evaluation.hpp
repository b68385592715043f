// evaluation.hpp: what evaluate and train share. Internal.
#pragma once

#include <digitnet/metrics.hpp>
#include <digitnet/parallel.hpp>

namespace digitnet::detail {

/// @throws ArgumentError, ShapeError  if the data is empty or does not fit the network
void require_fitting_data(const char* where, const Architecture& architecture, const Dataset& data);

/// evaluate with a team that is there already.
template <class Real>
Evaluation evaluate(const char* where, const Network<Real>& network, const Dataset& data, ThreadTeam& team);

}  // namespace digitnet::detail
