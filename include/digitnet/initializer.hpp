// initializer.hpp: weights to start from.
#pragma once

#include <digitnet/activation.hpp>
#include <digitnet/random.hpp>
#include <digitnet/tensor.hpp>

#include <array>
#include <cmath>
#include <string_view>

namespace digitnet {

/// Ways to draw the first weights (fan_in, fan_out) of a layer, with mean 0 and a variance that keeps
/// activations and gradients of one size from layer to layer:
///
///     glorot   2 / (fan_in + fan_out)   Glorot and Bengio (2010), formula 12 and 16; sigmoid, tanh, softmax
///     he       2 / fan_in               He, Zhang, Ren, Sun (2015), formula 10; relu and its kin
///     lecun    1 / fan_in               LeCun, Bottou, Orr, Mueller, Efficient BackProp (1998), formula 16
///     zeros    0                        all units of a layer stay alike: for tests and for filling later
///
/// A uniform distribution of variance v reaches from -sqrt(3 v) to sqrt(3 v).
enum class Initializer { glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal, zeros };

inline constexpr std::array<std::string_view, 7> initializer_names{
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "zeros"};

inline std::string_view name_of(Initializer initializer) {
  return initializer_names[static_cast<std::size_t>(initializer)];
}

/// @param where  who asks, to begin the message with
/// @throws ArgumentError  if there is no initializer of this name; the message lists them
inline Initializer initializer_from_name(std::string_view name, std::string_view where = {}) {
  return detail::from_name<Initializer>("initializer", initializer_names, name, where);
}

/// The usual choice for a layer with this activation.
inline Initializer default_initializer(Activation activation) {
  switch (activation) {
    case Activation::relu:
    case Activation::leaky_relu:
    case Activation::elu:
    case Activation::gelu:
    case Activation::silu:
    case Activation::softplus: return Initializer::he_normal;
    default: return Initializer::glorot_uniform;
  }
}

/// First weights of a layer, (fan_in, fan_out). To draw them within fixed limits, as older systems do, use
/// uniform(shape, low, high, rng) of random.hpp.
template <class Real>
Matrix<Real> initial_weights(Initializer initializer, std::size_t fan_in, std::size_t fan_out, Rng& rng) {
  double variance = 0;
  switch (initializer) {
    case Initializer::glorot_uniform:
    case Initializer::glorot_normal: variance = 2.0 / static_cast<double>(fan_in + fan_out); break;
    case Initializer::he_uniform:
    case Initializer::he_normal: variance = 2.0 / static_cast<double>(fan_in); break;
    case Initializer::lecun_uniform:
    case Initializer::lecun_normal: variance = 1.0 / static_cast<double>(fan_in); break;
    case Initializer::zeros: return zeros<Real>({fan_in, fan_out});
  }
  const bool is_uniform = initializer == Initializer::glorot_uniform || initializer == Initializer::he_uniform ||
                          initializer == Initializer::lecun_uniform;
  const double limit = std::sqrt(3 * variance);
  return is_uniform ? uniform<Real>({fan_in, fan_out}, -limit, limit, rng)
                    : normal<Real>({fan_in, fan_out}, rng, std::sqrt(variance));
}

}  // namespace digitnet
