// optimizer.hpp: parameters and gradients in, better parameters out.
#pragma once

#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <cmath>
#include <memory>
#include <string_view>
#include <vector>

namespace digitnet {

/// The rule by which gradients change parameters.
///
/// A step is one batch: begin_step counts it once, then update is called for each tensor, or for parts of
/// it, in any order and from several threads as long as the parts do not overlap. What the rule remembers
/// of a parameter is kept by the tensor's index. Every tensor is as long at each step as it was announced
/// to prepare.
template <class Real>
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// The name it has in files and on the command line.
  virtual std::string_view name() const = 0;

  /// Room for what is remembered of tensors of these sizes, all zero, and no steps taken.
  virtual void prepare(const std::vector<std::size_t>& sizes) {
    steps_ = 0;
    state_.assign(states() * sizes.size(), {});
    tensors_ = sizes.size();
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i].assign(sizes[i % tensors_], Real{0});
  }

  /// Counts a step.
  /// @param schedule  factor on the learning rate during this step
  virtual void begin_step(double schedule = 1.0) {
    ++steps_;
    rate_ = static_cast<Real>(learning_rate_ * schedule);
  }

  /// Changes the parameters [first, first + parameters.size()) of tensor `index`.
  /// @param decayed  whether weight decay applies: to weights, not to biases
  virtual void update(std::size_t index, std::size_t first, std::span<Real> parameters,
                      std::span<const Real> gradients, bool decayed) = 0;

  double learning_rate() const { return learning_rate_; }

  /// @throws ArgumentError  if it is not a finite number of at least 0
  void set_learning_rate(double rate) { learning_rate_ = checked("learning_rate", rate, 0, infinite); }

  /// Steps taken since prepare.
  std::size_t steps() const { return steps_; }

  /// What is remembered, tensor by tensor: all first moments, then all second moments.
  const std::vector<std::vector<Real>>& state() const { return state_; }

 protected:
  static constexpr double infinite = std::numeric_limits<double>::infinity();

  explicit Optimizer(double learning_rate) { set_learning_rate(learning_rate); }
  Optimizer(const Optimizer&) = default;
  Optimizer& operator=(const Optimizer&) = default;

  /// Numbers remembered of each parameter.
  virtual std::size_t states() const = 0;

  /// The remembered numbers `which` (0 or 1) of tensor `index`, from `first` on.
  Real* state(std::size_t which, std::size_t index, std::size_t first) {
    return state_[which * tensors_ + index].data() + first;
  }

  Real rate() const { return rate_; }

  /// A setting within [low, high), or an error that names it.
  static double checked(const char* setting, double value, double low, double high) {
    if (std::isfinite(value) && value >= low && value < high) return value;
    throw ArgumentError(detail::text("optimizer: ", setting, " is ", value, ", expected a number of at least ", low,
                                     high < infinite ? detail::text(" and below ", high) : std::string()));
  }

 private:
  double learning_rate_ = 0;
  Real rate_ = 0;
  std::size_t steps_ = 0;
  std::size_t tensors_ = 0;
  std::vector<std::vector<Real>> state_;
};

/// Stochastic gradient descent, plain, with momentum m, or with Nesterov's:
///
///     plain      p -= r g
///     momentum   v = m v + g;  p -= r v             Polyak (1964)
///     nesterov   v = m v + g;  p -= r (g + m v)     Nesterov (1983), as Sutskever, Martens, Dahl, Hinton (2013)
template <class Real>
class Sgd : public Optimizer<Real> {
 public:
  /// @throws ArgumentError  unless learning_rate >= 0 and 0 <= momentum < 1, or if nesterov has no momentum
  explicit Sgd(double learning_rate = 0.1, double momentum = 0.0, bool nesterov = false)
      : Optimizer<Real>(learning_rate), momentum_(this->checked("momentum", momentum, 0, 1)), nesterov_(nesterov) {
    if (nesterov && momentum == 0) throw ArgumentError("optimizer: nesterov with momentum 0, expected more than 0");
  }

  std::string_view name() const override { return nesterov_ ? "nesterov" : momentum_ > 0 ? "momentum" : "sgd"; }
  double momentum() const { return momentum_; }
  bool nesterov() const { return nesterov_; }

  void update(std::size_t index, std::size_t first, std::span<Real> parameters, std::span<const Real> gradients,
              bool /*decayed*/) override {
    const Real r = this->rate();
    const auto m = static_cast<Real>(momentum_);
    Real* __restrict p = parameters.data();
    const Real* __restrict g = gradients.data();
    const std::size_t size = parameters.size();
    if (momentum_ == 0) {
      for (std::size_t i = 0; i < size; ++i) p[i] -= r * g[i];
      return;
    }
    Real* __restrict v = this->state(0, index, first);
    if (nesterov_) {
      for (std::size_t i = 0; i < size; ++i) {
        v[i] = m * v[i] + g[i];
        p[i] -= r * (g[i] + m * v[i]);
      }
    } else {
      for (std::size_t i = 0; i < size; ++i) {
        v[i] = m * v[i] + g[i];
        p[i] -= r * v[i];
      }
    }
  }

 protected:
  std::size_t states() const override { return momentum_ > 0 ? 1 : 0; }

 private:
  double momentum_;
  bool nesterov_;
};

/// Adam: steps of about the learning rate, whatever the size of the gradients.
///
///     m = b1 m + (1 - b1) g        v = b2 v + (1 - b2) g^2
///     p -= r (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
///
/// @see Kingma and Ba, Adam: A Method for Stochastic Optimization (2015), algorithm 1
template <class Real>
class Adam : public Optimizer<Real> {
 public:
  /// @throws ArgumentError  unless learning_rate >= 0, 0 <= beta1, beta2 < 1 and epsilon >= 0
  explicit Adam(double learning_rate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
      : Adam(learning_rate, beta1, beta2, epsilon, 0.0) {}

  std::string_view name() const override { return "adam"; }
  double beta1() const { return beta1_; }
  double beta2() const { return beta2_; }
  double epsilon() const { return epsilon_; }

  void begin_step(double schedule = 1.0) override {
    Optimizer<Real>::begin_step(schedule);
    const auto t = static_cast<double>(this->steps());
    first_correction_ = static_cast<Real>(1 / (1 - std::pow(beta1_, t)));
    second_correction_ = static_cast<Real>(1 / (1 - std::pow(beta2_, t)));
  }

  void update(std::size_t index, std::size_t first, std::span<Real> parameters, std::span<const Real> gradients,
              bool decayed) override {
    const auto b1 = static_cast<Real>(beta1_);
    const auto b2 = static_cast<Real>(beta2_);
    const auto epsilon = static_cast<Real>(epsilon_);
    const Real step = this->rate() * first_correction_;
    const Real correction = second_correction_;
    const Real kept = Real{1} - (decayed ? this->rate() * static_cast<Real>(weight_decay_) : Real{0});
    Real* __restrict p = parameters.data();
    const Real* __restrict g = gradients.data();
    Real* __restrict m = this->state(0, index, first);
    Real* __restrict v = this->state(1, index, first);
    const std::size_t size = parameters.size();
    for (std::size_t i = 0; i < size; ++i) {
      m[i] = b1 * m[i] + (Real{1} - b1) * g[i];
      v[i] = b2 * v[i] + (Real{1} - b2) * g[i] * g[i];
      p[i] = kept * p[i] - step * m[i] / (std::sqrt(v[i] * correction) + epsilon);
    }
  }

 protected:
  Adam(double learning_rate, double beta1, double beta2, double epsilon, double weight_decay)
      : Optimizer<Real>(learning_rate),
        beta1_(this->checked("beta1", beta1, 0, 1)),
        beta2_(this->checked("beta2", beta2, 0, 1)),
        epsilon_(this->checked("epsilon", epsilon, 0, this->infinite)),
        weight_decay_(this->checked("weight_decay", weight_decay, 0, this->infinite)) {}

  std::size_t states() const override { return 2; }
  double decay() const { return weight_decay_; }

 private:
  double beta1_;
  double beta2_;
  double epsilon_;
  double weight_decay_;
  Real first_correction_ = 1;
  Real second_correction_ = 1;
};

/// Adam with weight decay of its own, apart from the gradient: weights also shrink by r * weight_decay a step.
/// @see Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2
template <class Real>
class AdamW : public Adam<Real> {
 public:
  /// @throws ArgumentError  as Adam, and unless weight_decay >= 0
  explicit AdamW(double learning_rate = 1e-3, double weight_decay = 1e-2, double beta1 = 0.9, double beta2 = 0.999,
                 double epsilon = 1e-8)
      : Adam<Real>(learning_rate, beta1, beta2, epsilon, weight_decay) {}

  std::string_view name() const override { return "adamw"; }
  double weight_decay() const { return this->decay(); }
};

extern template class Sgd<float>;
extern template class Sgd<double>;
extern template class Adam<float>;
extern template class Adam<double>;
extern template class AdamW<float>;
extern template class AdamW<double>;

}  // namespace digitnet
