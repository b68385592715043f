// fast_activation.hpp: activations several numbers at a time, for the processor that is there. Internal.
#pragma once

#include <digitnet/activation.hpp>

#include <span>

namespace digitnet::detail {

/// activate, with e^x computed for several numbers at a time in float; see activation.hpp for the formulas.
/// Relative error below 4e-7 against them, of a softmax below 8e-7 where a probability is above 1e-37.
template <class Real>
void fast_activate(Activation activation, std::span<Real> z);

/// activation_gradient, likewise.
template <class Real>
void fast_activation_gradient(Activation activation, std::span<Real> gradient, std::span<const Real> kept);

}  // namespace digitnet::detail
