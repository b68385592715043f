#include <digitnet/activation.hpp>
#include <digitnet/optimizer.hpp>

#include "dispatch.hpp"

#include <algorithm>
#include <utility>

namespace digitnet {
namespace {

using detail::for_processor;

// Each rule as a plain loop over one part of a tensor, left to the compiler to vectorise: nothing overlaps, and all
// that does not change is a value. The symbols are those of optimizer.hpp; `kept` is what weight decay leaves.

template <class Real>
DIGITNET_INLINE void plain_loop(std::size_t size, Real* __restrict p, const Real* __restrict g, Real r, Real kept) {
  for (std::size_t i = 0; i < size; ++i) p[i] = kept * p[i] - r * g[i];
}

template <class Real>
DIGITNET_INLINE void momentum_loop(std::size_t size, Real* __restrict p, const Real* __restrict g, Real* __restrict v,
                                   Real r, Real kept, Real m) {
  for (std::size_t i = 0; i < size; ++i) {
    v[i] = m * v[i] + g[i];
    p[i] = kept * p[i] - r * v[i];
  }
}

template <class Real>
DIGITNET_INLINE void nesterov_loop(std::size_t size, Real* __restrict p, const Real* __restrict g, Real* __restrict v,
                                   Real r, Real kept, Real m) {
  for (std::size_t i = 0; i < size; ++i) {
    v[i] = m * v[i] + g[i];
    p[i] = kept * p[i] - r * (g[i] + m * v[i]);
  }
}

template <class Real>
DIGITNET_INLINE void adagrad_loop(std::size_t size, Real* __restrict p, const Real* __restrict g, Real* __restrict v,
                                  Real r, Real kept, Real epsilon) {
  for (std::size_t i = 0; i < size; ++i) {
    v[i] = v[i] + g[i] * g[i];
    p[i] = kept * p[i] - r * g[i] / (std::sqrt(v[i]) + epsilon);
  }
}

/// a and u are looked at only if they are there.
template <bool Centered, bool Momentum, class Real>
DIGITNET_INLINE void rmsprop_loop(std::size_t size, Real* __restrict p, const Real* __restrict g, Real* __restrict v,
                                  Real* __restrict a, Real* __restrict u, Real r, Real kept, Real rho, Real epsilon,
                                  Real m) {
  for (std::size_t i = 0; i < size; ++i) {
    v[i] = rho * v[i] + (Real{1} - rho) * g[i] * g[i];
    Real square = v[i];
    if constexpr (Centered) {
      a[i] = rho * a[i] + (Real{1} - rho) * g[i];
      const Real variance = v[i] - a[i] * a[i];
      square = variance < Real{0} ? Real{0} : variance;
    }
    const Real s = g[i] / (std::sqrt(square) + epsilon);
    if constexpr (Momentum) {
      u[i] = m * u[i] + s;
      p[i] = kept * p[i] - r * u[i];
    } else {
      p[i] = kept * p[i] - r * s;
    }
  }
}

/// `r` with the correction of the first moment in it, `correction` that of the second.
template <class Real>
DIGITNET_INLINE void adam_loop(std::size_t size, Real* __restrict p, const Real* __restrict g, Real* __restrict m,
                               Real* __restrict v, Real r, Real kept, Real b1, Real b2, Real epsilon,
                               Real correction) {
  for (std::size_t i = 0; i < size; ++i) {
    m[i] = b1 * m[i] + (Real{1} - b1) * g[i];
    v[i] = b2 * v[i] + (Real{1} - b2) * g[i] * g[i];
    p[i] = kept * p[i] - r * m[i] / (std::sqrt(v[i] * correction) + epsilon);
  }
}

/// `rm` and `rg` are the rate with the factors of m and of g in it.
template <class Real>
DIGITNET_INLINE void nadam_loop(std::size_t size, Real* __restrict p, const Real* __restrict g, Real* __restrict m,
                                Real* __restrict v, Real rm, Real rg, Real kept, Real mu, Real b2, Real epsilon,
                                Real correction) {
  for (std::size_t i = 0; i < size; ++i) {
    m[i] = mu * m[i] + (Real{1} - mu) * g[i];
    v[i] = b2 * v[i] + (Real{1} - b2) * g[i] * g[i];
    p[i] = kept * p[i] - (rm * m[i] + rg * g[i]) / (std::sqrt(v[i] * correction) + epsilon);
  }
}

template <class Real>
DIGITNET_INLINE void lion_loop(std::size_t size, Real* __restrict p, const Real* __restrict g, Real* __restrict m,
                               Real r, Real kept, Real b1, Real b2) {
  for (std::size_t i = 0; i < size; ++i) {
    const Real c = b1 * m[i] + (Real{1} - b1) * g[i];
    const Real sign = c > Real{0} ? Real{1} : c < Real{0} ? Real{-1} : c;  // not a number stays so, and is seen
    p[i] = kept * p[i] - r * sign;
    m[i] = b2 * m[i] + (Real{1} - b2) * g[i];
  }
}

/// In the order of optimizer_names; measured as default_learning_rate says.
constexpr std::array<double, optimizer_names.size()> default_rates{0.2,  0.05, 0.05, 0.05, 2e-3,
                                                                   3e-3, 3e-3, 3e-3, 6e-4};
constexpr double usual_momentum = 0.9;

}  // namespace

template <class Real>
void Sgd<Real>::update(std::size_t index, std::size_t first, std::span<Real> parameters,
                       std::span<const Real> gradients, bool decayed) {
  const std::size_t size = parameters.size();
  Real* p = parameters.data();
  const Real* g = gradients.data();
  const Real r = this->rate();
  const Real kept = this->kept(decayed);
  if (momentum_ == 0) {
    for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA { plain_loop(size, p, g, r, kept); });
    return;
  }
  Real* v = this->state(0, index, first);
  const auto m = static_cast<Real>(momentum_);
  if (nesterov_) {
    for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA { nesterov_loop(size, p, g, v, r, kept, m); });
  } else {
    for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA { momentum_loop(size, p, g, v, r, kept, m); });
  }
}

template <class Real>
void AdaGrad<Real>::update(std::size_t index, std::size_t first, std::span<Real> parameters,
                           std::span<const Real> gradients, bool decayed) {
  const std::size_t size = parameters.size();
  Real* p = parameters.data();
  const Real* g = gradients.data();
  Real* v = this->state(0, index, first);
  const Real r = this->rate();
  const Real kept = this->kept(decayed);
  const auto epsilon = static_cast<Real>(epsilon_);
  for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA { adagrad_loop(size, p, g, v, r, kept, epsilon); });
}

template <class Real>
void RmsProp<Real>::update(std::size_t index, std::size_t first, std::span<Real> parameters,
                           std::span<const Real> gradients, bool decayed) {
  const std::size_t size = parameters.size();
  Real* p = parameters.data();
  const Real* g = gradients.data();
  Real* v = this->state(0, index, first);
  Real* a = centered_ ? this->state(1, index, first) : nullptr;
  Real* u = momentum_ > 0 ? this->state(centered_ ? 2 : 1, index, first) : nullptr;
  const Real r = this->rate();
  const Real kept = this->kept(decayed);
  const auto rho = static_cast<Real>(rho_);
  const auto epsilon = static_cast<Real>(epsilon_);
  const auto m = static_cast<Real>(momentum_);
  const auto run = [=]<bool Centered, bool Momentum>() {
    for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA {
      rmsprop_loop<Centered, Momentum>(size, p, g, v, a, u, r, kept, rho, epsilon, m);
    });
  };
  if (centered_) {
    momentum_ > 0 ? run.template operator()<true, true>() : run.template operator()<true, false>();
  } else {
    momentum_ > 0 ? run.template operator()<false, true>() : run.template operator()<false, false>();
  }
}

template <class Real>
void Adam<Real>::begin_step(double schedule) {
  Optimizer<Real>::begin_step(schedule);
  const auto t = static_cast<double>(this->steps());
  first_correction_ = static_cast<Real>(1 / (1 - std::pow(beta1_, t)));
  second_correction_ = static_cast<Real>(1 / (1 - std::pow(beta2_, t)));
}

template <class Real>
void Adam<Real>::update(std::size_t index, std::size_t first, std::span<Real> parameters,
                        std::span<const Real> gradients, bool decayed) {
  const std::size_t size = parameters.size();
  Real* p = parameters.data();
  const Real* g = gradients.data();
  Real* m = this->state(0, index, first);
  Real* v = this->state(1, index, first);
  const Real r = this->rate() * first_correction_;
  const Real kept = this->kept(decayed);
  const auto b1 = static_cast<Real>(beta1_);
  const auto b2 = static_cast<Real>(beta2_);
  const auto epsilon = static_cast<Real>(epsilon_);
  const Real correction = second_correction_;
  for_processor([=]<std::size_t>()
                    DIGITNET_INLINE_LAMBDA { adam_loop(size, p, g, m, v, r, kept, b1, b2, epsilon, correction); });
}

template <class Real>
double NAdam<Real>::momentum_at(std::size_t step) const {
  return beta1_ * (1 - 0.5 * std::pow(0.96, static_cast<double>(step) * momentum_decay_));
}

template <class Real>
void NAdam<Real>::begin_step(double schedule) {
  Optimizer<Real>::begin_step(schedule);
  const std::size_t t = this->steps();
  if (product_step_ + 1 != t) {  // prepared or restored since
    product_ = 1;
    product_step_ = 0;
  }
  while (product_step_ < t && product_ != 0) product_ *= momentum_at(++product_step_);
  product_step_ = t;
  const double mu = momentum_at(t);
  const double next = momentum_at(t + 1);
  momentum_ = static_cast<Real>(mu);
  momentum_factor_ = static_cast<Real>(next / (1 - product_ * next));
  gradient_factor_ = static_cast<Real>((1 - mu) / (1 - product_));
  second_correction_ = static_cast<Real>(1 / (1 - std::pow(beta2_, static_cast<double>(t))));
}

template <class Real>
void NAdam<Real>::update(std::size_t index, std::size_t first, std::span<Real> parameters,
                         std::span<const Real> gradients, bool decayed) {
  const std::size_t size = parameters.size();
  Real* p = parameters.data();
  const Real* g = gradients.data();
  Real* m = this->state(0, index, first);
  Real* v = this->state(1, index, first);
  const Real rm = this->rate() * momentum_factor_;
  const Real rg = this->rate() * gradient_factor_;
  const Real kept = this->kept(decayed);
  const Real mu = momentum_;
  const auto b2 = static_cast<Real>(beta2_);
  const auto epsilon = static_cast<Real>(epsilon_);
  const Real correction = second_correction_;
  for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA {
    nadam_loop(size, p, g, m, v, rm, rg, kept, mu, b2, epsilon, correction);
  });
}

template <class Real>
void Lion<Real>::update(std::size_t index, std::size_t first, std::span<Real> parameters,
                        std::span<const Real> gradients, bool decayed) {
  const std::size_t size = parameters.size();
  Real* p = parameters.data();
  const Real* g = gradients.data();
  Real* m = this->state(0, index, first);
  const Real r = this->rate();
  const Real kept = this->kept(decayed);
  const auto b1 = static_cast<Real>(beta1_);
  const auto b2 = static_cast<Real>(beta2_);
  for_processor([=]<std::size_t>() DIGITNET_INLINE_LAMBDA { lion_loop(size, p, g, m, r, kept, b1, b2); });
}

double default_learning_rate(std::string_view name) {
  return default_rates[detail::from_name<std::size_t>("optimizer", optimizer_names, name, "")];
}

template <class Real>
std::unique_ptr<Optimizer<Real>> make_optimizer(std::string_view name, std::optional<double> learning_rate) {
  const double usual_rate = default_learning_rate(name);  // or says that the name is unknown
  const double rate = learning_rate.value_or(usual_rate);
  if (name == "sgd") return std::make_unique<Sgd<Real>>(rate);
  if (name == "momentum") return std::make_unique<Sgd<Real>>(rate, usual_momentum);
  if (name == "nesterov") return std::make_unique<Sgd<Real>>(rate, usual_momentum, true);
  if (name == "adagrad") return std::make_unique<AdaGrad<Real>>(rate);
  if (name == "rmsprop") return std::make_unique<RmsProp<Real>>(rate);
  if (name == "adam") return std::make_unique<Adam<Real>>(rate);
  if (name == "adamw") return std::make_unique<AdamW<Real>>(rate);
  if (name == "nadam") return std::make_unique<NAdam<Real>>(rate);
  return std::make_unique<Lion<Real>>(rate);
}

template <class Real>
OptimizerSettings Sgd<Real>::settings() const {
  OptimizerSettings settings{{"learning_rate", this->learning_rate()}, {"weight_decay", this->weight_decay()}};
  if (momentum_ > 0) settings["momentum"] = momentum_;
  return settings;
}

template <class Real>
OptimizerSettings AdaGrad<Real>::settings() const {
  return {{"learning_rate", this->learning_rate()},
          {"initial_accumulator", initial_accumulator_},
          {"epsilon", epsilon_},
          {"weight_decay", this->weight_decay()}};
}

template <class Real>
OptimizerSettings RmsProp<Real>::settings() const {
  return {{"learning_rate", this->learning_rate()},
          {"rho", rho_},
          {"epsilon", epsilon_},
          {"momentum", momentum_},
          {"centered", centered_ ? 1.0 : 0.0},
          {"weight_decay", this->weight_decay()}};
}

template <class Real>
OptimizerSettings Adam<Real>::settings() const {
  return {{"learning_rate", this->learning_rate()},
          {"beta1", beta1_},
          {"beta2", beta2_},
          {"epsilon", epsilon_},
          {"weight_decay", this->weight_decay()}};
}

template <class Real>
OptimizerSettings NAdam<Real>::settings() const {
  return {{"learning_rate", this->learning_rate()},
          {"beta1", beta1_},
          {"beta2", beta2_},
          {"epsilon", epsilon_},
          {"momentum_decay", momentum_decay_},
          {"weight_decay", this->weight_decay()}};
}

template <class Real>
OptimizerSettings Lion<Real>::settings() const {
  return {{"learning_rate", this->learning_rate()},
          {"beta1", beta1_},
          {"beta2", beta2_},
          {"weight_decay", this->weight_decay()}};
}

template <class Real>
std::unique_ptr<Optimizer<Real>> make_optimizer(std::string_view name, const OptimizerSettings& settings) {
  const OptimizerSettings usual = make_optimizer<Real>(name)->settings();
  for (const auto& [setting, value] : settings) {
    if (usual.contains(setting)) continue;
    throw ArgumentError(detail::text("optimizer: ", name, " has no setting \"", detail::shortened(setting), "\""));
  }
  const auto of = [&](const char* setting) {
    const auto found = settings.find(setting);
    return found == settings.end() ? usual.at(setting) : found->second;
  };
  const double rate = of("learning_rate");
  const double decay = of("weight_decay");
  if (name == "sgd") return std::make_unique<Sgd<Real>>(rate, 0.0, false, decay);
  if (name == "momentum" || name == "nesterov") {
    return std::make_unique<Sgd<Real>>(rate, of("momentum"), name == "nesterov", decay);
  }
  if (name == "adagrad") {
    return std::make_unique<AdaGrad<Real>>(rate, of("initial_accumulator"), of("epsilon"), decay);
  }
  if (name == "rmsprop") {
    return std::make_unique<RmsProp<Real>>(rate, of("rho"), of("epsilon"), of("momentum"), of("centered") != 0,
                                           decay);
  }
  if (name == "adam") return std::make_unique<Adam<Real>>(rate, of("beta1"), of("beta2"), of("epsilon"), decay);
  if (name == "adamw") return std::make_unique<AdamW<Real>>(rate, decay, of("beta1"), of("beta2"), of("epsilon"));
  if (name == "nadam") {
    return std::make_unique<NAdam<Real>>(rate, of("beta1"), of("beta2"), of("epsilon"), of("momentum_decay"), decay);
  }
  return std::make_unique<Lion<Real>>(rate, of("beta1"), of("beta2"), decay);
}

template class Sgd<float>;
template class Sgd<double>;
template class AdaGrad<float>;
template class AdaGrad<double>;
template class RmsProp<float>;
template class RmsProp<double>;
template class Adam<float>;
template class Adam<double>;
template class AdamW<float>;
template class AdamW<double>;
template class NAdam<float>;
template class NAdam<double>;
template class Lion<float>;
template class Lion<double>;
template std::unique_ptr<Optimizer<float>> make_optimizer(std::string_view, std::optional<double>);
template std::unique_ptr<Optimizer<double>> make_optimizer(std::string_view, std::optional<double>);
template std::unique_ptr<Optimizer<float>> make_optimizer(std::string_view, const OptimizerSettings&);
template std::unique_ptr<Optimizer<double>> make_optimizer(std::string_view, const OptimizerSettings&);

}  // namespace digitnet
