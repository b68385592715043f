// optimizer.hpp: parameters and gradients in, better parameters out.
#pragma once

#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace digitnet {

/// Numbers by which a rule is set, by the names they have in its constructor; 1 and 0 for yes and no.
using OptimizerSettings = std::map<std::string, double>;

/// The rule by which gradients change parameters.
///
/// A step is one batch: begin_step counts it once, then update is called for each tensor, or for parts of
/// it, in any order and from several threads as long as the parts do not overlap. What the rule remembers
/// of a parameter is kept by the tensor's index. Every tensor is as long at each step as it was announced
/// to prepare. The same steps give the same bits, however tensors are cut into parts.
///
/// In the formulas below p is a parameter, g its gradient, r the learning rate of the step (the schedule's factor
/// in it) and t the number of the step, from 1. Each rule can also let weights decay, apart from the gradient: a
/// parameter that decays is multiplied by 1 - r * weight_decay in each step, besides what the rule does.
/// @see Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019)
template <class Real>
class Optimizer {
 public:
  using Numbers = std::vector<Real, detail::AlignedAllocator<Real>>;

  virtual ~Optimizer() = default;

  /// The name it has in files and on the command line.
  virtual std::string_view name() const = 0;

  /// All settings, for files; make_optimizer takes them. Empty for a rule of one's own that does not tell.
  virtual OptimizerSettings settings() const { return {}; }

  /// A copy with the same settings, steps and memory.
  virtual std::unique_ptr<Optimizer> clone() const = 0;

  /// Room for what is remembered of tensors of these sizes, as it is at the start, and no steps taken.
  virtual void prepare(const std::vector<std::size_t>& sizes) {
    steps_ = 0;
    state_.assign(states() * sizes.size(), {});
    tensors_ = sizes.size();
    for (std::size_t i = 0; i < state_.size(); ++i) {
      state_[i].assign(sizes[i % tensors_], initial_state(i / tensors_));
    }
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

  double weight_decay() const { return weight_decay_; }

  /// @throws ArgumentError  if it is not a finite number of at least 0
  void set_weight_decay(double decay) { weight_decay_ = checked("weight_decay", decay, 0, infinite); }

  /// Steps taken since prepare.
  std::size_t steps() const { return steps_; }

  /// What is remembered, tensor by tensor: all first numbers (such as first moments), then all second ones.
  const std::vector<Numbers>& state() const { return state_; }

  /// Goes on where another optimizer of the same kind and settings stood: with its steps() and its state().
  /// Nothing else is remembered, so all that follows is the same bits.
  /// @throws ShapeError  if the state does not have the sizes that prepare was told; nothing is changed then
  void restore(std::size_t steps, std::vector<Numbers> state) {
    if (state.size() != state_.size()) {
      throw ShapeError(detail::text("optimizer: a state of ", state.size(), " arrays, expected ", state_.size(), " (",
                                    name(), ", ", tensors_, " tensors)"));
    }
    for (std::size_t i = 0; i < state.size(); ++i) {
      if (state[i].size() != state_[i].size()) {
        throw ShapeError(detail::text("optimizer: array ", i, " of the state has ", state[i].size(),
                                      " numbers, expected ", state_[i].size()));
      }
    }
    steps_ = steps;
    state_ = std::move(state);
  }

 protected:
  static constexpr double infinite = std::numeric_limits<double>::infinity();

  explicit Optimizer(double learning_rate, double weight_decay = 0.0) {
    set_learning_rate(learning_rate);
    set_weight_decay(weight_decay);
  }
  Optimizer(const Optimizer&) = default;
  Optimizer& operator=(const Optimizer&) = default;

  /// Numbers remembered of each parameter.
  virtual std::size_t states() const = 0;

  /// What the remembered numbers `which` are before the first step.
  virtual Real initial_state(std::size_t /*which*/) const { return 0; }

  /// The remembered numbers `which` (from 0) of tensor `index`, from `first` on.
  Real* state(std::size_t which, std::size_t index, std::size_t first) {
    return state_[which * tensors_ + index].data() + first;
  }

  Real rate() const { return rate_; }

  /// What weight decay leaves of a parameter in this step, as a factor.
  Real kept(bool decayed) const { return Real{1} - (decayed ? rate_ * static_cast<Real>(weight_decay_) : Real{0}); }

  /// A setting within [low, high), or an error that names it.
  static double checked(const char* setting, double value, double low, double high) {
    if (std::isfinite(value) && value >= low && value < high) return value;
    throw ArgumentError(detail::text("optimizer: ", setting, " is ", value, ", expected a number of at least ", low,
                                     high < infinite ? detail::text(" and below ", high) : std::string()));
  }

 private:
  double learning_rate_ = 0;
  double weight_decay_ = 0;
  Real rate_ = 0;
  std::size_t steps_ = 0;
  std::size_t tensors_ = 0;
  std::vector<Numbers> state_;
};

/// Stochastic gradient descent, plain, with momentum m, or with Nesterov's:
///
///     plain      p -= r g
///     momentum   v = m v + g;  p -= r v             Polyak (1964)
///     nesterov   v = m v + g;  p -= r (g + m v)     Nesterov (1983), as Sutskever, Martens, Dahl, Hinton (2013)
template <class Real>
class Sgd : public Optimizer<Real> {
 public:
  /// @throws ArgumentError  unless learning_rate, weight_decay >= 0 and 0 <= momentum < 1, or if nesterov has no
  ///                        momentum
  explicit Sgd(double learning_rate = 0.1, double momentum = 0.0, bool nesterov = false, double weight_decay = 0.0)
      : Optimizer<Real>(learning_rate, weight_decay),
        momentum_(this->checked("momentum", momentum, 0, 1)),
        nesterov_(nesterov) {
    if (nesterov && momentum == 0) throw ArgumentError("optimizer: nesterov with momentum 0, expected more than 0");
  }

  std::string_view name() const override { return nesterov_ ? "nesterov" : momentum_ > 0 ? "momentum" : "sgd"; }
  std::unique_ptr<Optimizer<Real>> clone() const override { return std::make_unique<Sgd>(*this); }
  OptimizerSettings settings() const override;
  double momentum() const { return momentum_; }
  bool nesterov() const { return nesterov_; }

  void update(std::size_t index, std::size_t first, std::span<Real> parameters, std::span<const Real> gradients,
              bool decayed) override;

 protected:
  std::size_t states() const override { return momentum_ > 0 ? 1 : 0; }

 private:
  double momentum_;
  bool nesterov_;
};

/// AdaGrad: the step of a parameter shrinks with all the gradients it has seen.
///
///     v = v + g^2        p -= r g / (sqrt(v) + epsilon)
///
/// @see Duchi, Hazan, Singer, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization (2011),
///      figure 1, with diagonal matrices
template <class Real>
class AdaGrad : public Optimizer<Real> {
 public:
  /// @param initial_accumulator  v before the first step: more than 0 keeps the first steps from being large
  /// @throws ArgumentError  unless all are at least 0
  explicit AdaGrad(double learning_rate = 1e-2, double initial_accumulator = 0.0, double epsilon = 1e-10,
                   double weight_decay = 0.0)
      : Optimizer<Real>(learning_rate, weight_decay),
        initial_accumulator_(this->checked("initial_accumulator", initial_accumulator, 0, this->infinite)),
        epsilon_(this->checked("epsilon", epsilon, 0, this->infinite)) {}

  std::string_view name() const override { return "adagrad"; }
  std::unique_ptr<Optimizer<Real>> clone() const override { return std::make_unique<AdaGrad>(*this); }
  OptimizerSettings settings() const override;
  double initial_accumulator() const { return initial_accumulator_; }
  double epsilon() const { return epsilon_; }

  void update(std::size_t index, std::size_t first, std::span<Real> parameters, std::span<const Real> gradients,
              bool decayed) override;

 protected:
  std::size_t states() const override { return 1; }
  Real initial_state(std::size_t /*which*/) const override { return static_cast<Real>(initial_accumulator_); }

 private:
  double initial_accumulator_;
  double epsilon_;
};

/// RMSProp: gradients divided by the root of a running mean of their squares.
///
///     v = rho v + (1 - rho) g^2
///     plain      s = g / (sqrt(v) + epsilon)
///     centered   a = rho a + (1 - rho) g;  s = g / (sqrt(v - a^2) + epsilon)     Graves (2013)
///     then       p -= r s,  or with momentum m:  u = m u + s;  p -= r u
///
/// v - a^2 is a variance; where rounding takes it below 0 it is 0. (Graves has epsilon under the root.)
///
/// @see Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5 (2012)
/// @see Graves, Generating Sequences With Recurrent Neural Networks (2013), equations 38 to 41
template <class Real>
class RmsProp : public Optimizer<Real> {
 public:
  /// @throws ArgumentError  unless learning_rate, epsilon, weight_decay >= 0 and 0 <= rho, momentum < 1
  explicit RmsProp(double learning_rate = 1e-3, double rho = 0.9, double epsilon = 1e-8, double momentum = 0.0,
                   bool centered = false, double weight_decay = 0.0)
      : Optimizer<Real>(learning_rate, weight_decay),
        rho_(this->checked("rho", rho, 0, 1)),
        epsilon_(this->checked("epsilon", epsilon, 0, this->infinite)),
        momentum_(this->checked("momentum", momentum, 0, 1)),
        centered_(centered) {}

  std::string_view name() const override { return "rmsprop"; }
  std::unique_ptr<Optimizer<Real>> clone() const override { return std::make_unique<RmsProp>(*this); }
  OptimizerSettings settings() const override;
  double rho() const { return rho_; }
  double epsilon() const { return epsilon_; }
  double momentum() const { return momentum_; }
  bool centered() const { return centered_; }

  void update(std::size_t index, std::size_t first, std::span<Real> parameters, std::span<const Real> gradients,
              bool decayed) override;

 protected:
  /// v, then a if centered, then u if there is momentum.
  std::size_t states() const override { return 1 + (centered_ ? 1 : 0) + (momentum_ > 0 ? 1 : 0); }

 private:
  double rho_;
  double epsilon_;
  double momentum_;
  bool centered_;
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
  /// @throws ArgumentError  unless learning_rate, epsilon, weight_decay >= 0 and 0 <= beta1, beta2 < 1
  explicit Adam(double learning_rate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8,
                double weight_decay = 0.0)
      : Optimizer<Real>(learning_rate, weight_decay),
        beta1_(this->checked("beta1", beta1, 0, 1)),
        beta2_(this->checked("beta2", beta2, 0, 1)),
        epsilon_(this->checked("epsilon", epsilon, 0, this->infinite)) {}

  std::string_view name() const override { return "adam"; }
  std::unique_ptr<Optimizer<Real>> clone() const override { return std::make_unique<Adam>(*this); }
  OptimizerSettings settings() const override;
  double beta1() const { return beta1_; }
  double beta2() const { return beta2_; }
  double epsilon() const { return epsilon_; }

  void begin_step(double schedule = 1.0) override;
  void update(std::size_t index, std::size_t first, std::span<Real> parameters, std::span<const Real> gradients,
              bool decayed) override;

 protected:
  std::size_t states() const override { return 2; }

 private:
  double beta1_;
  double beta2_;
  double epsilon_;
  Real first_correction_ = 1;
  Real second_correction_ = 1;
};

/// Adam with weight decay, which stands before the other settings: weights also shrink by r * weight_decay a step.
/// (In the paper the decay is not multiplied by the learning rate, only by the schedule.)
/// @see Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2
template <class Real>
class AdamW : public Adam<Real> {
 public:
  /// @throws ArgumentError  as Adam
  explicit AdamW(double learning_rate = 1e-3, double weight_decay = 1e-2, double beta1 = 0.9, double beta2 = 0.999,
                 double epsilon = 1e-8)
      : Adam<Real>(learning_rate, beta1, beta2, epsilon, weight_decay) {}

  std::string_view name() const override { return "adamw"; }
  std::unique_ptr<Optimizer<Real>> clone() const override { return std::make_unique<AdamW>(*this); }
};

/// NAdam: Adam that looks ahead along its momentum, as Nesterov's does; the momentum grows slowly to b1.
///
///     mu_t = b1 (1 - 0.96^(t * momentum_decay) / 2)      M_t = mu_1 mu_2 ... mu_t
///     m = mu_t m + (1 - mu_t) g        v = b2 v + (1 - b2) g^2
///     p -= r (mu_{t+1} m / (1 - M_{t+1}) + (1 - mu_t) g / (1 - M_t)) / (sqrt(v / (1 - b2^t)) + epsilon)
///
/// Algorithm 2 of the paper, but for a factor b2 on v that it has in the last line alone. Some libraries keep m with
/// b1 in place of mu_t; their first steps differ from these.
///
/// @see Dozat, Incorporating Nesterov Momentum into Adam (2016), algorithm 2
template <class Real>
class NAdam : public Optimizer<Real> {
 public:
  /// @param momentum_decay  how fast the momentum grows; 0 holds it at b1 / 2
  /// @throws ArgumentError  unless learning_rate, epsilon, momentum_decay, weight_decay >= 0 and 0 <= beta1, beta2 < 1
  explicit NAdam(double learning_rate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8,
                 double momentum_decay = 4e-3, double weight_decay = 0.0)
      : Optimizer<Real>(learning_rate, weight_decay),
        beta1_(this->checked("beta1", beta1, 0, 1)),
        beta2_(this->checked("beta2", beta2, 0, 1)),
        epsilon_(this->checked("epsilon", epsilon, 0, this->infinite)),
        momentum_decay_(this->checked("momentum_decay", momentum_decay, 0, this->infinite)) {}

  std::string_view name() const override { return "nadam"; }
  std::unique_ptr<Optimizer<Real>> clone() const override { return std::make_unique<NAdam>(*this); }
  OptimizerSettings settings() const override;
  double beta1() const { return beta1_; }
  double beta2() const { return beta2_; }
  double epsilon() const { return epsilon_; }
  double momentum_decay() const { return momentum_decay_; }

  void begin_step(double schedule = 1.0) override;
  void update(std::size_t index, std::size_t first, std::span<Real> parameters, std::span<const Real> gradients,
              bool decayed) override;

 protected:
  std::size_t states() const override { return 2; }

 private:
  double momentum_at(std::size_t step) const;

  double beta1_;
  double beta2_;
  double epsilon_;
  double momentum_decay_;
  double product_ = 1;            // M of
  std::size_t product_step_ = 0;  // this step; made anew from steps() when that is not the one before
  Real momentum_ = 0;
  Real momentum_factor_ = 0;
  Real gradient_factor_ = 0;
  Real second_correction_ = 1;
};

/// Lion: steps of exactly the learning rate; only the sign of a mixture of gradient and momentum counts.
///
///     p -= r sign(b1 m + (1 - b1) g)        m = b2 m + (1 - b2) g
///
/// Its rate suits when it is three to ten times smaller than Adam's, and its weight decay as much larger.
///
/// @see Chen et al., Symbolic Discovery of Optimization Algorithms (2023), algorithm 2
template <class Real>
class Lion : public Optimizer<Real> {
 public:
  /// @throws ArgumentError  unless learning_rate, weight_decay >= 0 and 0 <= beta1, beta2 < 1
  explicit Lion(double learning_rate = 1e-4, double beta1 = 0.9, double beta2 = 0.99, double weight_decay = 0.0)
      : Optimizer<Real>(learning_rate, weight_decay),
        beta1_(this->checked("beta1", beta1, 0, 1)),
        beta2_(this->checked("beta2", beta2, 0, 1)) {}

  std::string_view name() const override { return "lion"; }
  std::unique_ptr<Optimizer<Real>> clone() const override { return std::make_unique<Lion>(*this); }
  OptimizerSettings settings() const override;
  double beta1() const { return beta1_; }
  double beta2() const { return beta2_; }

  void update(std::size_t index, std::size_t first, std::span<Real> parameters, std::span<const Real> gradients,
              bool decayed) override;

 protected:
  std::size_t states() const override { return 1; }

 private:
  double beta1_;
  double beta2_;
};

/// Every name that make_optimizer knows.
inline constexpr std::array<std::string_view, 9> optimizer_names{"sgd",  "momentum", "nesterov", "adagrad", "rmsprop",
                                                                 "adam", "adamw",    "nadam",    "lion"};

/// A learning rate to begin with, found good for networks of one hidden layer on MNIST, batches of 128 and a
/// cosine schedule. A learning-rate range test finds one for other networks and data.
/// @throws ArgumentError  if the name is not one of optimizer_names
double default_learning_rate(std::string_view name);

/// The optimizer of a name, with the defaults of its class for all but the learning rate; "momentum" and "nesterov"
/// are Sgd with a momentum of 0.9.
/// @param learning_rate  none takes default_learning_rate
/// @throws ArgumentError  if the name is not one of optimizer_names, or the rate is out of range
template <class Real>
std::unique_ptr<Optimizer<Real>> make_optimizer(std::string_view name,
                                                std::optional<double> learning_rate = std::nullopt);

/// The optimizer of a name, set as settings() of another said. What is not among them is as by default.
/// @throws ArgumentError  if the name is not one of optimizer_names, or a setting unknown or out of range
template <class Real>
std::unique_ptr<Optimizer<Real>> make_optimizer(std::string_view name, const OptimizerSettings& settings);

extern template class Sgd<float>;
extern template class Sgd<double>;
extern template class AdaGrad<float>;
extern template class AdaGrad<double>;
extern template class RmsProp<float>;
extern template class RmsProp<double>;
extern template class Adam<float>;
extern template class Adam<double>;
extern template class AdamW<float>;
extern template class AdamW<double>;
extern template class NAdam<float>;
extern template class NAdam<double>;
extern template class Lion<float>;
extern template class Lion<double>;

}  // namespace digitnet
