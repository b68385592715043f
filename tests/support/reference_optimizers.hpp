// reference_optimizers.hpp: the rules of optimizer.hpp as they stand in the papers, one number at a time.
#pragma once

#include <digitnet/optimizer.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace digitnet::test {

/// One parameter and what is remembered of it.
template <class Real>
struct Remembered {
  Real p = 0;
  std::array<Real, 3> state{};
};

/// A rule by its plain form and by what digitnet has, with the same settings.
template <class Real>
struct ReferenceRule {
  std::string name;  // of the case; may say more than the optimizer's name
  std::function<std::unique_ptr<Optimizer<Real>>()> make;
  double learning_rate;
  std::array<Real, 3> start;  // of the state
  /// Step t, from 1, with the gradient g and the rate r; weight decay is left to the caller.
  std::function<void(Remembered<Real>&, Real g, Real r, int t)> step;
};

template <class Real>
std::vector<ReferenceRule<Real>> reference_rules() {
  using Kept = Remembered<Real>;
  const auto root = [](Real x) { return std::sqrt(x); };
  const auto momentum_at = [](int t) { return 0.9 * (1 - 0.5 * std::pow(0.96, t * 0.004)); };
  const auto product_to = [momentum_at](int t) {
    double product = 1;
    for (int i = 1; i <= t; ++i) product *= momentum_at(i);
    return product;
  };
  const Real epsilon = Real(1e-8);
  const auto adam = [=](Kept& k, Real g, Real r, int t) {
    auto& [m, v, unused] = k.state;
    m = Real(0.9) * m + (1 - Real(0.9)) * g;
    v = Real(0.999) * v + (1 - Real(0.999)) * g * g;
    k.p -= r * (m / Real(1 - std::pow(0.9, t))) / (root(v / Real(1 - std::pow(0.999, t))) + epsilon);
  };
  const auto rmsprop = [=](bool centered, Real momentum) {
    return [=](Kept& k, Real g, Real r, int) {
      auto& [v, second, third] = k.state;
      v = Real(0.9) * v + (1 - Real(0.9)) * g * g;
      Real variance = v;
      if (centered) {
        second = Real(0.9) * second + (1 - Real(0.9)) * g;
        variance = std::max(Real(0), v - second * second);
      }
      Real s = g / (root(variance) + epsilon);
      if (momentum > 0) {
        Real& u = centered ? third : second;
        u = momentum * u + s;
        s = u;
      }
      k.p -= r * s;
    };
  };
  return {
      {"sgd",
       [] { return std::make_unique<Sgd<Real>>(0.5); },
       0.5,
       {},
       [](Kept& k, Real g, Real r, int) { k.p -= r * g; }},
      {"momentum",
       [] { return std::make_unique<Sgd<Real>>(0.1, 0.9); },
       0.1,
       {},
       [](Kept& k, Real g, Real r, int) {
         k.state[0] = Real(0.9) * k.state[0] + g;
         k.p -= r * k.state[0];
       }},
      {"nesterov",
       [] { return std::make_unique<Sgd<Real>>(0.1, 0.9, true); },
       0.1,
       {},
       [](Kept& k, Real g, Real r, int) {
         k.state[0] = Real(0.9) * k.state[0] + g;
         k.p -= r * (g + Real(0.9) * k.state[0]);
       }},
      {"adagrad",
       [] { return std::make_unique<AdaGrad<Real>>(0.1, 0.5, 1e-8); },
       0.1,
       {Real(0.5)},
       [=](Kept& k, Real g, Real r, int) {
         k.state[0] += g * g;
         k.p -= r * g / (root(k.state[0]) + epsilon);
       }},
      {"rmsprop", [] { return std::make_unique<RmsProp<Real>>(0.01); }, 0.01, {}, rmsprop(false, 0)},
      {"rmsprop with momentum",
       [] { return std::make_unique<RmsProp<Real>>(0.01, 0.9, 1e-8, 0.5); },
       0.01,
       {},
       rmsprop(false, Real(0.5))},
      {"rmsprop, centered",
       [] { return std::make_unique<RmsProp<Real>>(0.01, 0.9, 1e-8, 0.0, true); },
       0.01,
       {},
       rmsprop(true, 0)},
      {"rmsprop, centered, with momentum",
       [] { return std::make_unique<RmsProp<Real>>(0.01, 0.9, 1e-8, 0.5, true); },
       0.01,
       {},
       rmsprop(true, Real(0.5))},
      {"adam", [] { return std::make_unique<Adam<Real>>(0.01); }, 0.01, {}, adam},
      {"adamw", [] { return std::make_unique<AdamW<Real>>(0.01); }, 0.01, {}, adam},
      {"nadam",
       [] { return std::make_unique<NAdam<Real>>(0.01); },
       0.01,
       {},
       [=](Kept& k, Real g, Real r, int t) {
         auto& [m, v, unused] = k.state;
         const double mu = momentum_at(t);
         m = Real(mu) * m + (1 - Real(mu)) * g;
         v = Real(0.999) * v + (1 - Real(0.999)) * g * g;
         const Real m_hat = Real(momentum_at(t + 1) / (1 - product_to(t + 1))) * m;
         const Real g_hat = Real((1 - mu) / (1 - product_to(t))) * g;
         k.p -= r * (m_hat + g_hat) / (root(v / Real(1 - std::pow(0.999, t))) + epsilon);
       }},
      {"lion",
       [] { return std::make_unique<Lion<Real>>(0.01); },
       0.01,
       {},
       [](Kept& k, Real g, Real r, int) {
         const Real c = Real(0.9) * k.state[0] + (1 - Real(0.9)) * g;
         k.p -= c > 0 ? r : c < 0 ? -r : Real(0);
         k.state[0] = Real(0.99) * k.state[0] + (1 - Real(0.99)) * g;
       }},
  };
}

}  // namespace digitnet::test
