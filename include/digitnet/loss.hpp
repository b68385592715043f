// loss.hpp: how wrong a batch of outputs is, and which way is less wrong.
#pragma once

#include <digitnet/activation.hpp>
#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

namespace digitnet {

/// What a training makes small.
enum class LossFunction { softmax_cross_entropy, sum_of_squares };

inline constexpr std::array<std::string_view, 2> loss_names{"softmax_cross_entropy", "sum_of_squares"};

inline std::string_view name_of(LossFunction loss) { return loss_names[static_cast<std::size_t>(loss)]; }

/// @throws ArgumentError  if there is no loss of this name; the message lists them
inline LossFunction loss_from_name(std::string_view name) {
  return detail::from_name<LossFunction>("loss", loss_names, name);
}

/// A loss and its gradient, from one pass over a batch.
template <class Real>
struct Loss {
  double value = 0.0;     ///< mean over the batch; in nats for the cross-entropy
  Matrix<Real> gradient;  ///< with respect to the logits or outputs given, of their shape
};

namespace detail {

/// Softmax and cross-entropy of one sample; its logits are overwritten by the gradient times `scale`.
/// @return  the loss of the sample, in nats
template <class Real>
double softmax_cross_entropy(std::span<Real> z, std::size_t label, Real scale) {
  const Real largest = *std::max_element(z.begin(), z.end());
  const Real wanted = z[label];
  Real total = 0;
  for (Real& value : z) total += value = std::exp(value - largest);
  const Real factor = scale / total;
  for (Real& value : z) value *= factor;  // softmax(z)
  z[label] -= scale;                      // minus the one-hot target
  return static_cast<double>(std::log(total)) + static_cast<double>(largest) - static_cast<double>(wanted);
}

/// Half the sum of squares of one sample with the one-hot target of its label; its outputs are overwritten
/// by the gradient times `scale`.
template <class Real>
double sum_of_squares(std::span<Real> a, std::size_t label, Real scale) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const Real difference = a[k] - (k == label ? Real{1} : Real{0});
    sum += static_cast<double>(difference) * static_cast<double>(difference);
    a[k] = scale * difference;
  }
  return sum / 2;
}

template <class Real>
void require_targets(const char* where, const Matrix<Real>& outputs, const Labels& labels) {
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

/// Mean loss and gradient of a batch, from the function for one sample.
template <class Real, class Sample>
Loss<Real> batch_loss(const char* where, const Matrix<Real>& outputs, const Labels& labels, Sample sample_loss) {
  require_targets(where, outputs, labels);
  Loss<Real> loss{0.0, outputs};
  const std::size_t batch = labels.size();
  for (std::size_t sample = 0; sample < batch; ++sample) {
    loss.value += sample_loss(row(loss.gradient, sample), labels(sample), Real{1} / static_cast<Real>(batch));
  }
  loss.value /= static_cast<double>(batch);
  return loss;
}

}  // namespace detail

/// Softmax and cross-entropy in one step, from logits.
///
/// For one sample with logits z and true class y:
///     L = log(sum_k exp(z_k)) - z_y        dL/dz_k = softmax(z)_k - [k == y]
/// The largest logit is subtracted before exp, so nothing overflows and log never sees zero.
///
/// @param logits  (batch, classes), finite
/// @param labels  (batch), each in [0, classes)
/// @return  the mean loss (ln 10 = 2.303 when ten digits look equally likely) and its gradient
/// @throws ShapeError     if the batch is empty or the two batch sizes differ
/// @throws ArgumentError  if a label is out of range
/// @see Goodfellow, Bengio, Courville, Deep Learning (2016), section 6.2.2.3
template <class Real>
Loss<Real> softmax_cross_entropy(const Matrix<Real>& logits, const Labels& labels) {
  return detail::batch_loss("softmax_cross_entropy", logits, labels, detail::softmax_cross_entropy<Real>);
}

/// Half the squared distance between the outputs and the one-hot target.
///
/// For one sample with outputs a and target t, t_k = [k == y]:
///     L = 1/2 sum_k (a_k - t_k)^2          dL/da_k = a_k - t_k
///
/// @param outputs  (batch, classes), finite: activations of the last layer
/// @param labels   (batch), each in [0, classes)
/// @throws ShapeError, ArgumentError  as softmax_cross_entropy
/// @see Bishop, Pattern Recognition and Machine Learning (2006), section 5.2
template <class Real>
Loss<Real> sum_of_squares(const Matrix<Real>& outputs, const Labels& labels) {
  return detail::batch_loss("sum_of_squares", outputs, labels, detail::sum_of_squares<Real>);
}

}  // namespace digitnet
