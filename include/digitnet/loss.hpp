// loss.hpp: how wrong a batch of outputs is, and which way is less wrong.
#pragma once

#include <digitnet/activation.hpp>
#include <digitnet/dataset.hpp>
#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace digitnet {

/// What a training makes small. The formula of each stands at the function of its name below.
enum class LossFunction { softmax_cross_entropy, sum_of_squares, binary_cross_entropy, hinge, huber };

/// Names as they stand in model files, on the command line and in Python; in the order of the enumeration.
inline constexpr std::array<std::string_view, 5> loss_names{"softmax_cross_entropy", "sum_of_squares",
                                                            "binary_cross_entropy", "hinge", "huber"};

inline std::string_view name_of(LossFunction loss) { return loss_names[static_cast<std::size_t>(loss)]; }

/// @param where  who asks, to begin the message with
/// @throws ArgumentError  if there is no loss of this name; the message lists them
inline LossFunction loss_from_name(std::string_view name, std::string_view where = {}) {
  return detail::from_name<LossFunction>("loss", loss_names, name, where);
}

/// Whether a loss is computed from the logits z of the last layer; the others are from its activations a.
inline bool loss_takes_logits(LossFunction loss) {
  return loss == LossFunction::softmax_cross_entropy || loss == LossFunction::binary_cross_entropy;
}

/// Checks that a share `smoothing` of each target may be spread over all classes:
///     t_k = (1 - smoothing) [k == y] + smoothing / classes
/// which keeps a network from being surer than its labels are. The hinge has no targets to smooth.
/// @param where  who asks, for the message
/// @throws ArgumentError  if smoothing is not in [0, 1), or not 0 for the hinge
/// @see Szegedy et al., Rethinking the Inception Architecture for Computer Vision (2016), section 7
inline void check_smoothing(LossFunction loss, double smoothing, std::string_view where = "check_smoothing") {
  if (!(smoothing >= 0 && smoothing < 1)) {
    throw ArgumentError(
        detail::text(where, ": label smoothing of ", smoothing, ", expected a share of at least 0 and below 1"));
  }
  if (loss == LossFunction::hinge && smoothing > 0) {
    throw ArgumentError(detail::text(where, ": label smoothing of ", smoothing,
                                     " with the hinge loss, expected 0: it has no targets"));
  }
}

/// A loss and its gradient, from one pass over a batch.
template <class Real>
struct Loss {
  double value = 0.0;     ///< mean over the batch; in nats for the two cross-entropies
  Matrix<Real> gradient;  ///< with respect to the logits or outputs given, of their shape
};

namespace detail {

/// What the outputs for one sample should be: 1 for its label and 0 elsewhere, smoothed.
template <class Real>
struct Target {
  std::size_t label;
  Real elsewhere;
  Real at_label;

  Target(std::size_t label_, std::size_t classes, Real smoothing)
      : label(label_), elsewhere(smoothing / static_cast<Real>(classes)), at_label(Real{1} - smoothing + elsewhere) {}

  Real operator[](std::size_t k) const { return k == label ? at_label : elsewhere; }
};

/// The same from soft labels, which add up to 1.
template <class Real>
struct SoftTarget {
  std::span<const float> shares;
  Real smoothing;

  Real operator[](std::size_t k) const {
    return (Real{1} - smoothing) * static_cast<Real>(shares[k]) + smoothing / static_cast<Real>(shares.size());
  }
};

// Each loss for one sample, from its logits z or activations a, which are overwritten by the gradient times
// `scale`. They return the loss, which `scale` leaves alone. NaN among the outputs makes a loss of NaN.

template <class Real>
double softmax_cross_entropy(std::span<Real> z, std::size_t label, Real scale, Real smoothing = 0) {
  const Real largest = *std::max_element(z.begin(), z.end());
  const auto below = [largest](Real value) { return static_cast<double>(largest) - static_cast<double>(value); };
  double loss = static_cast<double>(Real{1} - smoothing) * below(z[label]);
  const Real elsewhere = smoothing / static_cast<Real>(z.size());
  if (smoothing > 0) {
    for (const Real value : z) loss += static_cast<double>(elsewhere) * below(value);
  }
  Real total = 0;
  for (Real& value : z) total += value = std::exp(value - largest);
  const Real factor = scale / total;
  for (Real& value : z) value = value * factor - scale * elsewhere;  // softmax(z) minus the target
  z[label] -= scale * (Real{1} - smoothing);
  return static_cast<double>(std::log(total)) + loss;
}

template <class Real>
double softmax_cross_entropy(std::span<Real> z, const SoftTarget<Real>& target, Real scale) {
  const Real largest = *std::max_element(z.begin(), z.end());
  double loss = 0;
  Real total = 0;
  for (std::size_t k = 0; k < z.size(); ++k) {
    const Real below = largest - z[k];
    loss += static_cast<double>(target[k]) * static_cast<double>(below);
    total += z[k] = std::exp(-below);
  }
  for (std::size_t k = 0; k < z.size(); ++k) z[k] = scale * (z[k] / total - target[k]);
  return static_cast<double>(std::log(total)) + loss;
}

template <class Real, class AnyTarget>
double sum_of_squares(std::span<Real> a, const AnyTarget& target, Real scale) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const Real difference = a[k] - target[k];
    sum += static_cast<double>(difference) * static_cast<double>(difference);
    a[k] = scale * difference;
  }
  return sum / 2;
}

template <class Real, class AnyTarget>
double binary_cross_entropy(std::span<Real> z, const AnyTarget& target, Real scale) {
  double loss = 0;
  for (std::size_t k = 0; k < z.size(); ++k) {
    // With e = exp(-|z|): softplus(z) - t z = log(1 + e) + (z >= 0 ? 1 - t : -t) z, and what sigmoid(z) is away
    // from 0 or 1 is e / (1 + e). So large z lose no digits to a difference of nearly equal numbers.
    const Real value = z[k];
    const Real e = std::exp(-std::abs(value));
    const Real tail = e / (Real{1} + e);
    const Real rest = value >= 0 ? Real{1} - target[k] : -target[k];
    loss += static_cast<double>(std::log1p(e)) + static_cast<double>(rest) * static_cast<double>(value);
    z[k] = scale * (value >= 0 ? rest - tail : rest + tail);
  }
  return loss;
}

template <class Real>
double hinge(std::span<Real> a, std::size_t label, Real scale) {
  std::size_t rival = label == 0 ? 1 : 0;  // the largest of the other outputs, of equal ones the first
  for (std::size_t k = rival + 1; k < a.size(); ++k) {
    if (k != label && (a[k] > a[rival] || std::isnan(a[k]))) rival = k;
  }
  const double loss = 1 + static_cast<double>(a[rival]) - static_cast<double>(a[label]);
  std::fill(a.begin(), a.end(), Real{0});
  if (loss <= 0) return 0;
  a[rival] = scale;
  a[label] = -scale;
  return loss;
}

template <class Real, class AnyTarget>
double huber(std::span<Real> a, const AnyTarget& target, Real scale) {
  double loss = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const Real difference = a[k] - target[k];
    const auto distance = static_cast<double>(std::abs(difference));
    loss += distance <= 1 ? distance * distance / 2 : distance - 0.5;
    a[k] = scale * std::clamp(difference, Real{-1}, Real{1});
  }
  return loss;
}

/// The loss of one sample, whichever it is.
/// @param values     its logits if loss_takes_logits(loss), else its activations; overwritten by the gradient of
///                   the loss with respect to them, times `scale`; at least 2 for the hinge
/// @param label      below values.size()
/// @param smoothing  see check_smoothing; nothing is checked here
/// @return  the loss, without `scale`
template <class Real>
double sample_loss(LossFunction loss, std::span<Real> values, std::size_t label, Real scale, Real smoothing) {
  const Target<Real> target(label, values.size(), smoothing);
  switch (loss) {
    case LossFunction::softmax_cross_entropy: return softmax_cross_entropy(values, label, scale, smoothing);
    case LossFunction::sum_of_squares: return sum_of_squares(values, target, scale);
    case LossFunction::binary_cross_entropy: return binary_cross_entropy(values, target, scale);
    case LossFunction::hinge: return hinge(values, label, scale);
    case LossFunction::huber: break;
  }
  return huber(values, target, scale);
}

/// The same from soft labels. Not for the hinge, which has none.
/// @param shares  as many as values, each at least 0; they add up to 1
template <class Real>
double sample_loss(LossFunction loss, std::span<Real> values, std::span<const float> shares, Real scale,
                   Real smoothing) {
  const SoftTarget<Real> target{shares, smoothing};
  if (loss == LossFunction::softmax_cross_entropy) return softmax_cross_entropy(values, target, scale);
  if (loss == LossFunction::binary_cross_entropy) return binary_cross_entropy(values, target, scale);
  return loss == LossFunction::huber ? huber(values, target, scale) : sum_of_squares(values, target, scale);
}

template <class Real>
void require_targets(std::string_view where, const Matrix<Real>& outputs, const Labels& labels) {
  if (outputs.shape(0) != labels.size() || labels.size() == 0) {
    throw ShapeError(text(where, ": outputs of shape ", shape_text(outputs), " and ", labels.size(),
                          " labels, expected as many labels as rows, and at least one"));
  }
  for (std::size_t sample = 0; sample < labels.size(); ++sample) {
    if (labels(sample) >= outputs.shape(1)) {
      throw ArgumentError(text(where, ": label ", labels(sample), " of sample ", sample, ", expected 0 to ",
                               static_cast<std::ptrdiff_t>(outputs.shape(1)) - 1));
    }
  }
}

/// @param what  what the weights are of: "sample" or "class"
/// @return  their sum, which is finite
/// @throws ArgumentError  if one is not a finite number of at least 0, or none is above 0
inline double require_weights(std::string_view where, std::string_view what, std::span<const double> weights) {
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || std::isinf(weights[i])) {
      throw ArgumentError(
          text(where, ": weight ", weights[i], " of ", what, " ", i, ", expected a finite number of at least 0"));
    }
    sum += weights[i];
  }
  if (!(sum > 0) || std::isinf(sum)) {
    throw ArgumentError(
        text(where, ": the ", what, " weights add up to ", sum, ", expected a finite number above 0"));
  }
  return sum;
}

}  // namespace detail

/// The mean loss of a batch, whichever loss it is, and its gradient.
///
/// With weights w_i, one for each sample, the mean is sum_i w_i L_i / sum_i w_i: only their ratios count.
///
/// @param outputs         (batch, classes), finite: logits if loss_takes_logits(loss), else activations
/// @param labels          (batch), each in [0, classes)
/// @param smoothing       share of each target that is spread over all classes, see check_smoothing
/// @param sample_weights  (batch), finite, at least 0, not all 0; none for a weight of 1 each
/// @throws ShapeError     if the batch is empty, the batch sizes differ or there is one class alone for the hinge
/// @throws ArgumentError  if a label, the smoothing or a weight is out of range
template <class Real>
Loss<Real> mean_loss(LossFunction loss, const Matrix<Real>& outputs, const Labels& labels, double smoothing = 0,
                     std::span<const double> sample_weights = {}) {
  const std::string_view where = name_of(loss);
  detail::require_targets(where, outputs, labels);
  check_smoothing(loss, smoothing, where);
  const std::size_t batch = labels.size();
  if (loss == LossFunction::hinge && outputs.shape(1) < 2) {
    throw ShapeError(
        detail::text(where, ": outputs of shape ", shape_text(outputs), ", expected at least 2 columns"));
  }
  if (!sample_weights.empty() && sample_weights.size() != batch) {
    throw ShapeError(detail::text(where, ": ", sample_weights.size(), " sample weights for ", batch,
                                  " samples, expected as many of both"));
  }
  const double sum =
      sample_weights.empty() ? static_cast<double>(batch) : detail::require_weights(where, "sample", sample_weights);
  Loss<Real> mean{0.0, outputs};
  for (std::size_t sample = 0; sample < batch; ++sample) {
    const double share = (sample_weights.empty() ? 1.0 : sample_weights[sample]) / sum;
    mean.value += share * detail::sample_loss<Real>(loss, row(mean.gradient, sample), labels(sample),
                                                    static_cast<Real>(share), static_cast<Real>(smoothing));
  }
  return mean;
}

/// Softmax and cross-entropy in one step, from logits.
///
/// For one sample with logits z, true class y and targets t, t_k = [k == y] if there is no smoothing:
///     L = sum_k t_k (log(sum_j exp(z_j)) - z_k)        dL/dz_k = softmax(z)_k - t_k
/// The largest logit is subtracted before exp, so nothing overflows and log never sees zero.
///
/// @param logits  (batch, classes), finite
/// @return  the mean loss (ln 10 = 2.303 when ten digits look equally likely) and its gradient
/// Labels, smoothing, weights and errors as for mean_loss.
/// @see Bridle, Training Stochastic Model Recognition Algorithms as Networks can Lead to Maximum Mutual
///      Information Estimation of Parameters (1990); Goodfellow, Bengio, Courville, Deep Learning (2016), 6.2.2.3
template <class Real>
Loss<Real> softmax_cross_entropy(const Matrix<Real>& logits, const Labels& labels, double smoothing = 0,
                                 std::span<const double> sample_weights = {}) {
  return mean_loss(LossFunction::softmax_cross_entropy, logits, labels, smoothing, sample_weights);
}

/// Half the squared distance between the outputs and the targets.
///
/// For one sample with outputs a, true class y and targets t, t_k = [k == y] if there is no smoothing:
///     L = 1/2 sum_k (a_k - t_k)^2          dL/da_k = a_k - t_k
///
/// @param outputs  (batch, classes), finite: activations of the last layer
/// Labels, smoothing, weights and errors as for mean_loss.
/// @see Bishop, Pattern Recognition and Machine Learning (2006), section 5.2
template <class Real>
Loss<Real> sum_of_squares(const Matrix<Real>& outputs, const Labels& labels, double smoothing = 0,
                          std::span<const double> sample_weights = {}) {
  return mean_loss(LossFunction::sum_of_squares, outputs, labels, smoothing, sample_weights);
}

/// Sigmoid and cross-entropy in one step, from logits: each output answers for itself whether its class is there.
///
/// For one sample with logits z, true class y and targets t, t_k = [k == y] if there is no smoothing:
///     L = sum_k log(1 + exp(z_k)) - t_k z_k          dL/dz_k = sigmoid(z_k) - t_k
/// A sum over the outputs, where other libraries often take their mean. Stable for any finite z.
///
/// @param logits  (batch, classes), finite: pre-activations of a last layer of sigmoids
/// @return  the mean loss (10 ln 2 = 6.931 when ten outputs are all in doubt) and its gradient
/// Labels, smoothing, weights and errors as for mean_loss.
/// @see Baum and Wilczek, Supervised Learning of Probability Distributions by Neural Networks (1988)
template <class Real>
Loss<Real> binary_cross_entropy(const Matrix<Real>& logits, const Labels& labels, double smoothing = 0,
                                std::span<const double> sample_weights = {}) {
  return mean_loss(LossFunction::binary_cross_entropy, logits, labels, smoothing, sample_weights);
}

/// By how much the output of the true class fails to be 1 above the largest of the others.
///
/// For one sample with outputs a and true class y:
///     L = max(0, 1 + a_r - a_y),  r the first with a_r = max_{j != y} a_j
///     dL/da_r = 1, dL/da_y = -1 where L > 0; all else 0
/// A sample that is right by the margin asks for nothing more.
///
/// @param outputs  (batch, classes), finite, at least 2 classes: activations of the last layer
/// Labels, weights and errors as for mean_loss.
/// @see Crammer and Singer, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines (2001)
template <class Real>
Loss<Real> hinge(const Matrix<Real>& outputs, const Labels& labels, std::span<const double> sample_weights = {}) {
  return mean_loss(LossFunction::hinge, outputs, labels, 0, sample_weights);
}

/// The sum of squares, but for outputs that are off by more than 1 only in proportion: they pull with a force of
/// at most 1, however wrong they are.
///
/// For one sample with outputs a, true class y, targets t, t_k = [k == y] if there is no smoothing, and d = a - t:
///     L = sum_k (d_k^2 / 2 if |d_k| <= 1, else |d_k| - 1/2)          dL/da_k = min(max(d_k, -1), 1)
/// Outputs in [0, 1], those of softmax and sigmoid, are never off by more: there it is sum_of_squares.
///
/// @param outputs  (batch, classes), finite: activations of the last layer
/// Labels, smoothing, weights and errors as for mean_loss.
/// @see Huber, Robust Estimation of a Location Parameter (1964)
template <class Real>
Loss<Real> huber(const Matrix<Real>& outputs, const Labels& labels, double smoothing = 0,
                 std::span<const double> sample_weights = {}) {
  return mean_loss(LossFunction::huber, outputs, labels, smoothing, sample_weights);
}

/// The weight of each sample: that of its class.
/// @param class_weights  one for each class, finite, at least 0, not all 0
/// @throws ArgumentError  if a label has no weight, or a weight is out of range
inline std::vector<double> sample_weights_of(const Labels& labels, const std::vector<double>& class_weights) {
  detail::require_weights("sample_weights_of", "class", class_weights);
  std::vector<double> weights(labels.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (labels(i) >= class_weights.size()) {
      throw ArgumentError(detail::text("sample_weights_of: label ", labels(i), " of sample ", i, " and ",
                                       class_weights.size(), " class weights, expected one for each class"));
    }
    weights[i] = class_weights[labels(i)];
  }
  return weights;
}

/// Class weights under which all classes count alike, however many samples each has: n / (K n_k) for a class with
/// n_k of n samples, where K classes have any; 0 for a class without. The samples then weigh 1 on average.
/// @return  (data.classes())
/// @throws ArgumentError  if the data set is empty
/// @see King and Zeng, Logistic Regression in Rare Events Data (2001); scikit-learn's class_weight="balanced"
inline std::vector<double> balanced_class_weights(const Dataset& data) {
  if (data.empty()) {
    throw ArgumentError("balanced_class_weights: the data set is empty, expected at least one sample");
  }
  const std::vector<std::size_t> counts = data.class_counts();
  const auto present = static_cast<double>(
      counts.size() - static_cast<std::size_t>(std::count(counts.begin(), counts.end(), std::size_t{0})));
  std::vector<double> weights(counts.size(), 0.0);
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] > 0) weights[k] = static_cast<double>(data.size()) / (present * static_cast<double>(counts[k]));
  }
  return weights;
}

}  // namespace digitnet
