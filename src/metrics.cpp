#include "evaluation.hpp"
#include "forward.hpp"

#include <algorithm>
#include <numeric>

namespace digitnet {
namespace {

using detail::text;

/// Whether `label` is among the k largest: fewer than k others are larger, or equal and before it.
template <class Real>
bool among_largest(std::span<const Real> values, std::size_t label, std::size_t k) {
  std::size_t ahead = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > values[label] || (values[i] == values[label] && i < label)) ++ahead;
  }
  return ahead < k;
}

void require_same_count(const char* where, std::size_t predictions, std::size_t labels) {
  if (predictions != labels) {
    throw ShapeError(
        text(where, ": ", predictions, " predictions and ", labels, " labels, expected as many of both"));
  }
}

void require_square(const char* where, const ConfusionMatrix& confusion) {
  if (confusion.shape(0) != confusion.shape(1)) {
    throw ShapeError(
        text(where, ": counts of shape ", shape_text(confusion), ", expected (classes, classes), as many of both"));
  }
}

/// What the diagonal is of the sum of each row, or of each column.
std::vector<double> share_of_diagonal(const char* where, const ConfusionMatrix& confusion, bool of_row) {
  require_square(where, confusion);
  const std::size_t classes = confusion.shape(0);
  std::vector<double> shares(classes, 0.0);
  for (std::size_t k = 0; k < classes; ++k) {
    std::uint64_t sum = 0;
    for (std::size_t j = 0; j < classes; ++j) sum += of_row ? confusion(k, j) : confusion(j, k);
    if (sum > 0) shares[k] = static_cast<double>(confusion(k, k)) / static_cast<double>(sum);
  }
  return shares;
}

}  // namespace

double accuracy(const Labels& predicted, const Labels& labels) {
  require_same_count("accuracy", predicted.size(), labels.size());
  if (labels.size() == 0) throw ShapeError("accuracy: no labels, expected at least one");
  const auto correct = std::inner_product(labels.begin(), labels.end(), predicted.begin(), std::size_t{0},
                                          std::plus<>(), std::equal_to<>());
  return static_cast<double>(correct) / static_cast<double>(labels.size());
}

template <class Real>
double top_k_accuracy(const Matrix<Real>& outputs, const Labels& labels, std::size_t k) {
  detail::require_targets("top_k_accuracy", outputs, labels);
  if (k == 0 || k > outputs.shape(1)) {
    throw ArgumentError(text("top_k_accuracy: k is ", k, ", expected 1 to ", outputs.shape(1)));
  }
  std::size_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) correct += among_largest(row(outputs, i), labels(i), k) ? 1 : 0;
  return static_cast<double>(correct) / static_cast<double>(labels.size());
}

ConfusionMatrix confusion_matrix(const Labels& predicted, const Labels& labels, std::size_t classes) {
  require_same_count("confusion_matrix", predicted.size(), labels.size());
  ConfusionMatrix confusion = zeros<std::uint64_t>({classes, classes});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels(i) >= classes || predicted(i) >= classes) {
      throw ArgumentError(text("confusion_matrix: label ", labels(i), " and prediction ", predicted(i), " of sample ",
                               i, ", expected both below ", classes));
    }
    ++confusion(labels(i), predicted(i));
  }
  return confusion;
}

std::vector<double> precision(const ConfusionMatrix& confusion) {
  return share_of_diagonal("precision", confusion, false);
}

std::vector<double> recall(const ConfusionMatrix& confusion) { return share_of_diagonal("recall", confusion, true); }

std::vector<double> f1(const ConfusionMatrix& confusion) {
  const std::vector<double> p = share_of_diagonal("f1", confusion, false);
  const std::vector<double> r = share_of_diagonal("f1", confusion, true);
  std::vector<double> scores(p.size(), 0.0);
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (p[k] > 0) scores[k] = 2 * p[k] * r[k] / (p[k] + r[k]);  // p and r are 0 together
  }
  return scores;
}

double macro_average(const std::vector<double>& of_classes, const ConfusionMatrix& confusion) {
  require_square("macro_average", confusion);
  const std::size_t classes = confusion.shape(0);
  if (of_classes.size() != classes) {
    throw ShapeError(text("macro_average: ", of_classes.size(), " numbers and counts of shape ",
                          shape_text(confusion), ", expected one number for each class"));
  }
  double sum = 0;
  std::size_t present = 0;
  for (std::size_t k = 0; k < classes; ++k) {
    bool occurs = false;
    for (std::size_t j = 0; j < classes; ++j) occurs = occurs || confusion(k, j) > 0 || confusion(j, k) > 0;
    if (!occurs) continue;
    sum += of_classes[k];
    ++present;
  }
  return present > 0 ? sum / static_cast<double>(present) : 0.0;
}

namespace detail {

void require_fitting_data(const char* where, const Architecture& architecture, const Dataset& data) {
  if (data.empty()) throw ArgumentError(text(where, ": the data set is empty, expected at least one sample"));
  if (data.inputs() != architecture.sizes.front()) {
    throw ShapeError(text(where, ": samples of ", data.inputs(), " numbers (", data.rows(), " x ", data.columns(),
                          "), expected ", architecture.sizes.front(), ", the inputs of the network"));
  }
  const std::vector<std::size_t> counts = data.class_counts();
  for (std::size_t label = architecture.sizes.back(); label < counts.size(); ++label) {
    if (counts[label] > 0) {
      throw ArgumentError(text(where, ": the data has the label ", label, ", expected 0 to ",
                               architecture.sizes.back() - 1, ", the outputs of the network"));
    }
  }
}

template <class Real>
Evaluation evaluate(const char* where, const Network<Real>& network, const Dataset& data, ThreadTeam& team) {
  require_fitting_data(where, network.architecture(), data);
  const Activation last = network.layers().back().activation;
  const LossFunction loss = network.loss();
  Labels predicted = Labels::from_shape({data.size()});
  std::vector<std::uint8_t> among_two(data.size());
  std::vector<double> losses(data.size());
  infer<Real>(network, data, team, [&](MatrixView<Real> logits, std::size_t first) {
    for (std::size_t i = 0; i < logits.rows; ++i) {
      const std::span<Real> values = logits.row(i);
      const std::size_t sample = first + i;
      const std::size_t label = data.label(sample);
      predicted(sample) = static_cast<std::uint8_t>(likeliest(last, values));
      among_two[sample] = among_largest<Real>(values, label, 2) ? 1 : 0;
      if (!loss_takes_logits(loss) && !needs_preactivation(last)) activate(last, values);
      losses[sample] = sample_loss<Real>(loss, values, label, 1, 0);
    }
  });

  Evaluation result;
  result.samples = data.size();
  const auto samples = static_cast<double>(data.size());
  result.loss = std::accumulate(losses.begin(), losses.end(), 0.0) / samples;
  result.accuracy = digitnet::accuracy(predicted, data.labels());
  result.top_2_accuracy = std::accumulate(among_two.begin(), among_two.end(), 0.0) / samples;
  result.confusion = confusion_matrix(predicted, data.labels(), network.outputs());
  result.precision = digitnet::precision(result.confusion);
  result.recall = digitnet::recall(result.confusion);
  result.f1 = digitnet::f1(result.confusion);
  result.macro_precision = macro_average(result.precision, result.confusion);
  result.macro_recall = macro_average(result.recall, result.confusion);
  result.macro_f1 = macro_average(result.f1, result.confusion);
  return result;
}

template Evaluation evaluate(const char*, const Network<float>&, const Dataset&, ThreadTeam&);
template Evaluation evaluate(const char*, const Network<double>&, const Dataset&, ThreadTeam&);

}  // namespace detail

template <class Real>
Evaluation evaluate(const Network<Real>& network, const Dataset& data, std::size_t threads) {
  ThreadTeam team(threads);
  return detail::evaluate("evaluate", network, data, team);
}

template Evaluation evaluate(const Network<float>&, const Dataset&, std::size_t);
template Evaluation evaluate(const Network<double>&, const Dataset&, std::size_t);
template double top_k_accuracy(const Matrix<float>&, const Labels&, std::size_t);
template double top_k_accuracy(const Matrix<double>&, const Labels&, std::size_t);

}  // namespace digitnet
