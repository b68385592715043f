#include "evaluation.hpp"
#include "forward.hpp"

#include <algorithm>
#include <cmath>
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

void require_numbers(const char* where, const char* what, const std::vector<double>& numbers) {
  if (numbers.empty()) throw ShapeError(text(where, ": no ", what, "s, expected at least one"));
  const auto wrong = std::find_if(numbers.begin(), numbers.end(), [](double number) { return std::isnan(number); });
  if (wrong != numbers.end()) {
    throw ArgumentError(text(where, ": ", what, ' ', wrong - numbers.begin(), " is ", *wrong, ", expected a number"));
  }
}

/// How many of `count` are at least this share of them. A share such as 0.9 may be a little more than nine tenths.
std::size_t count_of_share(const char* where, const char* what, double share, std::size_t count) {
  if (!(share > 0 && share <= 1)) {
    throw ArgumentError(text(where, ": ", what, " is ", share, ", expected more than 0 and at most 1"));
  }
  const double least = std::ceil(share * static_cast<double>(count) * (1 - 1e-12));
  return std::clamp(static_cast<std::size_t>(least), std::size_t{1}, count);
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

template <class Real>
std::vector<ReliabilityBin> reliability_diagram(const Matrix<Real>& probabilities, const Labels& labels,
                                                std::size_t bins) {
  detail::require_targets("reliability_diagram", probabilities, labels);
  if (bins == 0) throw ArgumentError("reliability_diagram: 0 bins, expected at least 1");
  std::vector<ReliabilityBin> diagram(bins);
  const auto width = 1 / static_cast<double>(bins);
  for (std::size_t i = 0; i < bins; ++i) {
    diagram[i].lower = static_cast<double>(i) * width;
    diagram[i].upper = static_cast<double>(i + 1) * width;
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span<const Real> of_sample = row(probabilities, i);
    const auto largest = std::max_element(of_sample.begin(), of_sample.end());
    const double confidence = *largest;
    if (!(confidence >= 0 && confidence <= 1 + 1e-6)) {  // softmax may round to a little more than 1
      throw ArgumentError(
          text("reliability_diagram: confidence ", confidence, " of sample ", i, ", expected 0 to 1"));
    }
    const double place = std::ceil(confidence * static_cast<double>(bins)) - 1;  // (lower, upper]
    ReliabilityBin& bin = diagram[static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(bins - 1)))];
    ++bin.samples;
    bin.confidence += confidence;
    bin.accuracy += largest - of_sample.begin() == labels(i) ? 1 : 0;
  }
  for (ReliabilityBin& bin : diagram) {
    if (bin.samples == 0) continue;
    bin.confidence /= static_cast<double>(bin.samples);
    bin.accuracy /= static_cast<double>(bin.samples);
  }
  return diagram;
}

template <class Real>
double expected_calibration_error(const Matrix<Real>& probabilities, const Labels& labels, std::size_t bins) {
  double sum = 0;
  for (const ReliabilityBin& bin : reliability_diagram(probabilities, labels, bins)) {
    sum += static_cast<double>(bin.samples) * std::abs(bin.accuracy - bin.confidence);
  }
  return sum / static_cast<double>(labels.size());
}

double CoverageCurve::at(double coverage) const {
  return accuracy.at(count_of_share("CoverageCurve::at", "coverage", coverage, accuracy.size()) - 1);
}

CoverageCurve coverage_curve(const std::vector<double>& confidences, const Labels& predicted, const Labels& labels) {
  require_same_count("coverage_curve", predicted.size(), labels.size());
  if (confidences.size() != labels.size()) {
    throw ShapeError(text("coverage_curve: ", confidences.size(), " confidences and ", labels.size(),
                          " labels, expected as many of both"));
  }
  require_numbers("coverage_curve", "confidence", confidences);
  std::vector<std::size_t> order(confidences.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return confidences[a] > confidences[b]; });

  CoverageCurve curve;
  double right = 0;  // of the samples before the group
  for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
    double right_in_group = 0;
    for (; last < order.size() && confidences[order[last]] == confidences[order[first]]; ++last) {
      right_in_group += predicted(order[last]) == labels(order[last]) ? 1 : 0;
    }
    const double share = right_in_group / static_cast<double>(last - first);
    for (std::size_t k = first + 1; k <= last; ++k) {
      curve.accuracy.push_back((right + share * static_cast<double>(k - first)) / static_cast<double>(k));
    }
    right += right_in_group;
  }
  curve.area =
      std::accumulate(curve.accuracy.begin(), curve.accuracy.end(), 0.0) / static_cast<double>(curve.accuracy.size());
  return curve;
}

double auroc(const std::vector<double>& positives, const std::vector<double>& negatives) {
  require_numbers("auroc", "positive", positives);
  require_numbers("auroc", "negative", negatives);
  std::vector<double> sorted = negatives;
  std::sort(sorted.begin(), sorted.end());
  double wins = 0;
  for (const double score : positives) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), score);
    wins += static_cast<double>(first - sorted.begin()) + static_cast<double>(last - first) / 2;
  }
  return wins / static_cast<double>(positives.size()) / static_cast<double>(negatives.size());
}

double acceptance_rate(const std::vector<double>& scores, double threshold) {
  require_numbers("acceptance_rate", "score", scores);
  require_numbers("acceptance_rate", "threshold", {threshold});
  const auto accepted = std::count_if(scores.begin(), scores.end(), [&](double score) { return score >= threshold; });
  return static_cast<double>(accepted) / static_cast<double>(scores.size());
}

double threshold_accepting(double share, std::vector<double> scores) {
  require_numbers("threshold_accepting", "score", scores);
  const std::size_t accepted = count_of_share("threshold_accepting", "share", share, scores.size());
  const auto place = scores.begin() + static_cast<std::ptrdiff_t>(scores.size() - accepted);
  std::nth_element(scores.begin(), place, scores.end());
  return *place;
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
template std::vector<ReliabilityBin> reliability_diagram(const Matrix<float>&, const Labels&, std::size_t);
template std::vector<ReliabilityBin> reliability_diagram(const Matrix<double>&, const Labels&, std::size_t);
template double expected_calibration_error(const Matrix<float>&, const Labels&, std::size_t);
template double expected_calibration_error(const Matrix<double>&, const Labels&, std::size_t);

}  // namespace digitnet
