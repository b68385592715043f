#include <digitnet/metrics.hpp>

#include "arrays.hpp"
#include "catch.hpp"
#include "reference_network.hpp"
#include "small_networks.hpp"

#include <cmath>
#include <limits>
#include <numeric>

using namespace digitnet;

namespace {

constexpr auto squares = LossFunction::sum_of_squares;

/// Everything in an evaluation, for comparing bit by bit.
std::vector<double> numbers_of(const Evaluation& evaluation) {
  std::vector<double> numbers{static_cast<double>(evaluation.samples),
                              evaluation.loss,
                              evaluation.accuracy,
                              evaluation.top_2_accuracy,
                              evaluation.macro_precision,
                              evaluation.macro_recall,
                              evaluation.macro_f1};
  for (const auto count : evaluation.confusion) numbers.push_back(static_cast<double>(count));
  numbers.insert(numbers.end(), evaluation.precision.begin(), evaluation.precision.end());
  numbers.insert(numbers.end(), evaluation.recall.begin(), evaluation.recall.end());
  numbers.insert(numbers.end(), evaluation.f1.begin(), evaluation.f1.end());
  return numbers;
}

/// Every pair of last layer and loss that goes together.
std::vector<std::pair<Activation, LossFunction>> outputs_and_losses() {
  std::vector<std::pair<Activation, LossFunction>> pairs;
  for (std::size_t a = 0; a < activation_names.size(); ++a) {
    const auto output = static_cast<Activation>(a);
    pairs.emplace_back(output, squares);
    pairs.emplace_back(output, LossFunction::huber);
    if (output == Activation::softmax) {
      pairs.emplace_back(output, LossFunction::softmax_cross_entropy);
    } else if (output == Activation::sigmoid) {
      pairs.emplace_back(output, LossFunction::binary_cross_entropy);
    } else {
      pairs.emplace_back(output, LossFunction::hinge);
    }
  }
  return pairs;
}

Labels labels_without_any() { return Labels::from_shape({0}); }

}  // namespace

TEST_CASE("accuracy: the share of labels that were predicted", "[metrics]") {
  CHECK(accuracy(Labels{1, 2, 3, 4}, Labels{1, 2, 3, 4}) == 1);
  CHECK(accuracy(Labels{1, 2, 3, 4}, Labels{1, 0, 3, 0}) == 0.5);
  CHECK(accuracy(Labels{9}, Labels{0}) == 0);
}

TEST_CASE("accuracy: no labels or other numbers of them are named", "[metrics][error]") {
  CHECK_ERROR(accuracy(labels_without_any(), labels_without_any()), ShapeError, "accuracy: no labels");
  CHECK_ERROR(accuracy(Labels{1, 2}, Labels{1}), ShapeError,
              "accuracy: 2 predictions and 1 labels, expected as many of both");
}

TEMPLATE_TEST_CASE("top_k_accuracy: counts labels among the k largest", "[metrics]", float, double) {
  const Matrix<TestType> outputs{{0.125, 0.25, 0.625}, {0.5, 0.375, 0.125}, {3, 1, 2}, {-1, -2, -3}};
  const Labels labels{1, 0, 1, 2};  // second, first, third, third
  CHECK(top_k_accuracy(outputs, labels, 1) == 0.25);
  CHECK(top_k_accuracy(outputs, labels, 2) == 0.5);
  CHECK(top_k_accuracy(outputs, labels, 3) == 1);
}

TEST_CASE("top_k_accuracy: of equal outputs the one of the lower class counts as larger", "[metrics]") {
  const Matrix<float> same{{1, 1, 1}};
  CHECK(top_k_accuracy(same, Labels{0}, 1) == 1);
  CHECK(top_k_accuracy(same, Labels{1}, 1) == 0);
  CHECK(top_k_accuracy(same, Labels{1}, 2) == 1);
  CHECK(top_k_accuracy(same, Labels{2}, 2) == 0);
  CHECK(top_k_accuracy(Matrix<float>{{0, 1, 1}}, Labels{2}, 1) == 0);
}

TEST_CASE("top_k_accuracy: with k of 1 it is the accuracy of the predictions", "[metrics]") {
  Rng rng(3);
  const auto network = test::random_network<float>({{5, 4}, {Activation::softmax}}, rng);
  const Matrix<float> x = normal<float>({200, 5}, rng);
  const Labels labels = test::random_labels(200, 4, rng);
  CHECK(top_k_accuracy(network.forward(x), labels, 1) == accuracy(network.predict(x), labels));
}

TEST_CASE("top_k_accuracy: what does not fit is named", "[metrics][error]") {
  const Matrix<float> outputs = zeros<float>({2, 10});
  CHECK_ERROR(top_k_accuracy(outputs, Labels{0, 1}, 0), ArgumentError, "top_k_accuracy: k is 0, expected 1 to 10");
  CHECK_ERROR(top_k_accuracy(outputs, Labels{0, 1}, 11), ArgumentError, "top_k_accuracy: k is 11, expected 1 to 10");
  CHECK_ERROR(top_k_accuracy(outputs, Labels{0}, 1), ShapeError,
              "top_k_accuracy: outputs of shape (2, 10) and 1 labels");
  CHECK_ERROR(top_k_accuracy(zeros<float>({0, 10}), labels_without_any(), 1), ShapeError, "at least one");
  CHECK_ERROR(top_k_accuracy(outputs, Labels{0, 10}, 1), ArgumentError,
              "top_k_accuracy: label 10 of sample 1, expected 0 to 9");
}

TEST_CASE("confusion_matrix: rows are labels, columns predictions", "[metrics]") {
  const ConfusionMatrix confusion = confusion_matrix(Labels{0, 1, 1, 2, 0}, Labels{0, 1, 2, 2, 1}, 3);
  CHECK(test::equal(confusion, ConfusionMatrix{{1, 0, 0}, {1, 1, 0}, {0, 1, 1}}));
  CHECK(
      test::equal(confusion_matrix(labels_without_any(), labels_without_any(), 2), ConfusionMatrix{{0, 0}, {0, 0}}));
  CHECK(confusion_matrix(Labels{9}, Labels{9}).shape(0) == 10);
  CHECK(confusion_matrix(Labels{255}, Labels{0}, 256)(0, 255) == 1);
}

TEST_CASE("confusion_matrix: what does not fit is named", "[metrics][error]") {
  CHECK_ERROR(confusion_matrix(Labels{0, 1}, Labels{0}), ShapeError,
              "confusion_matrix: 2 predictions and 1 labels, expected as many of both");
  CHECK_ERROR(confusion_matrix(Labels{0, 3}, Labels{0, 1}, 3), ArgumentError,
              "confusion_matrix: label 1 and prediction 3 of sample 1, expected both below 3");
  CHECK_ERROR(confusion_matrix(Labels{0}, Labels{10}), ArgumentError,
              "confusion_matrix: label 10 and prediction 0 of sample 0, expected both below 10");
}

TEST_CASE("precision, recall: shares of the columns and of the rows, 0 where there are none", "[metrics]") {
  const ConfusionMatrix confusion{{3, 1, 0, 0}, {1, 2, 0, 1}, {0, 0, 0, 0}, {0, 1, 0, 0}};
  CHECK(precision(confusion) == std::vector<double>{0.75, 0.5, 0, 0});
  CHECK(recall(confusion) == std::vector<double>{0.75, 0.5, 0, 0});
  const ConfusionMatrix skewed{{1, 3}, {0, 4}};
  CHECK(precision(skewed) == std::vector<double>{1, 4.0 / 7});
  CHECK(recall(skewed) == std::vector<double>{0.25, 1});
}

TEST_CASE("f1: the harmonic mean of precision and recall, 0 where both are", "[metrics]") {
  // Precision 1, 4/7, recall 1/4, 1: 2 * 1/4 / (5/4) and 2 * 4/7 / (11/7)
  const std::vector<double> skewed = f1(ConfusionMatrix{{1, 3}, {0, 4}});
  CHECK(skewed[0] == Approx(0.4).epsilon(1e-15));
  CHECK(skewed[1] == Approx(8.0 / 11).epsilon(1e-15));
  CHECK(f1(ConfusionMatrix{{3, 1, 0, 0}, {1, 2, 0, 1}, {0, 0, 0, 0}, {0, 1, 0, 0}}) ==
        std::vector<double>{0.75, 0.5, 0, 0});
}

TEST_CASE("macro_average: every class that occurs counts alike, others not at all", "[metrics]") {
  // The first two occur as labels, the third as a prediction only, the fourth not at all.
  const ConfusionMatrix confusion{{90, 0, 10, 0}, {0, 1, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}};
  CHECK(macro_average(recall(confusion), confusion) == Approx((0.9 + 1 + 0) / 3).epsilon(1e-15));
  CHECK(macro_average(precision(confusion), confusion) == Approx(2.0 / 3).epsilon(1e-15));
  CHECK(macro_average({1, 2, 6, 1000}, confusion) == 3);
  CHECK(macro_average({1, 1}, ConfusionMatrix{{0, 0}, {0, 0}}) == 0);
}

TEST_CASE("precision, recall, f1, macro_average: counts that are not square or do not fit are named",
          "[metrics][error]") {
  const ConfusionMatrix flat{{1, 2, 3}, {4, 5, 6}};
  CHECK_ERROR(precision(flat), ShapeError, "precision: counts of shape (2, 3), expected (classes, classes)");
  CHECK_ERROR(recall(flat), ShapeError, "recall: counts of shape (2, 3), expected (classes, classes)");
  CHECK_ERROR(f1(flat), ShapeError, "f1: counts of shape (2, 3), expected (classes, classes)");
  CHECK_ERROR(macro_average({1, 2}, flat), ShapeError, "macro_average: counts of shape (2, 3)");
  CHECK_ERROR(macro_average({1, 2, 3}, ConfusionMatrix{{1, 0}, {0, 1}}), ShapeError,
              "macro_average: 3 numbers and counts of shape (2, 2), expected one number for each class");
}

TEMPLATE_TEST_CASE("evaluate: agrees with plain loops, for every output and loss", "[metrics]", float, double) {
  Rng rng(51);
  // The same accuracy is only to be had if no two outputs are as close as their rounding: with 600 samples of
  // five outputs around 1 the closest pair is about 1e-4 apart.
  const double limit = std::is_same_v<TestType, float> ? 1e-5 : 1e-12;
  for (const auto& [output, loss_function] : outputs_and_losses()) {
    INFO(name_of(output) << ", " << name_of(loss_function));
    const auto network = test::random_network<TestType>({{9, 8, 5}, {Activation::tanh, output}, loss_function}, rng);
    const Dataset data = test::random_data(600, 9, 5, rng);
    const Evaluation evaluation = evaluate(network, data, 2);

    double loss = 0;
    std::size_t correct = 0;
    std::size_t among_two = 0;
    ConfusionMatrix confusion = zeros<std::uint64_t>({5, 5});
    for (std::size_t n = 0; n < data.size(); ++n) {
      const auto pass = test::reference_pass(network, test::reference_inputs<TestType>(data, n));
      const bool by_output = needs_preactivation(output);
      const test::Numbers& ranks = by_output ? pass.a.back() : pass.z.back();
      const std::size_t label = data.label(n);
      loss += test::reference_loss(network.loss(), pass, label) / 600;
      std::vector<std::size_t> order{0, 1, 2, 3, 4};
      std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return ranks[i] > ranks[j]; });
      correct += order[0] == label ? 1 : 0;
      among_two += order[0] == label || order[1] == label ? 1 : 0;
      ++confusion(label, order[0]);
    }
    CHECK(evaluation.samples == 600);
    CHECK(evaluation.loss == Approx(loss).epsilon(limit));
    CHECK(evaluation.accuracy == static_cast<double>(correct) / 600);
    CHECK(evaluation.top_2_accuracy == static_cast<double>(among_two) / 600);
    CHECK(test::equal(evaluation.confusion, confusion));
    CHECK(evaluation.precision == precision(confusion));
    CHECK(evaluation.recall == recall(confusion));
    CHECK(evaluation.f1 == f1(confusion));
    CHECK(evaluation.macro_precision == macro_average(precision(confusion), confusion));
    CHECK(evaluation.macro_recall == macro_average(recall(confusion), confusion));
    CHECK(evaluation.macro_f1 == macro_average(f1(confusion), confusion));
    CHECK(accuracy(network, data) == evaluation.accuracy);
  }
}

TEST_CASE("evaluate: the confusion matrix counts every sample once", "[metrics]") {
  Rng rng(52);
  const Network<float> network({784, 10}, Activation::relu, rng);
  const Dataset& data = test::mnist_sample().test;
  const Evaluation evaluation = evaluate(network, data);
  REQUIRE(evaluation.confusion.shape(0) == 10);
  std::uint64_t diagonal = 0;
  for (std::size_t k = 0; k < 10; ++k) {
    const auto counts = row(evaluation.confusion, k);
    CHECK(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) == data.class_counts()[k]);
    diagonal += evaluation.confusion(k, k);
  }
  CHECK(evaluation.accuracy == static_cast<double>(diagonal) / 1000);
  CHECK(evaluation.top_2_accuracy >= evaluation.accuracy);
}

TEST_CASE("evaluate: correct is what predict says, also where outputs round to one number", "[metrics]") {
  Network<float> network(Architecture{{1, 3}, {Activation::sigmoid}, squares});
  network.layer(0).bias = Vector<float>{30, 60, 40};
  const Dataset data(Matrix<float>{{0}, {1}}, Labels{1, 2}, 3);
  const Evaluation evaluation = evaluate(network, data);
  CHECK(evaluation.accuracy == accuracy(network.predict(data), data.labels()));
  CHECK(evaluation.accuracy == 0.5);
  CHECK(evaluation.top_2_accuracy == 1);
  CHECK(evaluation.loss == 1);
}

TEST_CASE("evaluate: correct is what predict says, also where the activation changes the order", "[metrics]") {
  Network<float> network(Architecture{{1, 3}, {Activation::gelu}, squares});
  network.layer(0).bias = Vector<float>{-1, -9, -2};  // the outputs are -0.16, -0.00, -0.05
  const Evaluation evaluation = evaluate(network, Dataset(Matrix<float>{{0}, {1}}, Labels{1, 2}, 3));
  CHECK(evaluation.accuracy == 0.5);
  CHECK(evaluation.top_2_accuracy == 1);
}

TEMPLATE_TEST_CASE("evaluate: the same bits for any number of threads", "[metrics]", float, double) {
  Rng rng(53);
  const auto network = test::random_network<TestType>({{9, 8, 5}, {Activation::gelu, Activation::softmax}}, rng);
  for (const std::size_t samples : {1u, 256u, 257u, 2000u}) {
    const Dataset data = test::random_data(samples, 9, 5, rng);
    const auto one = numbers_of(evaluate(network, data, 1));
    for (const std::size_t threads : {2u, 3u, 8u, 0u}) CHECK(numbers_of(evaluate(network, data, threads)) == one);
  }
}

TEST_CASE("evaluate: more outputs than classes in the data are fine", "[metrics]") {
  Rng rng(54);
  const Network<float> network({3, 7}, Activation::relu, rng);
  const Evaluation evaluation = evaluate(network, test::random_data(20, 3, 4, rng));
  CHECK(evaluation.confusion.shape(0) == 7);
  CHECK(evaluation.recall.size() == 7);
}

TEST_CASE("evaluate: a class count beyond the outputs is fine as long as no label is", "[metrics]") {
  Rng rng(55);
  const Network<float> network({3, 4}, Activation::relu, rng);
  CHECK(evaluate(network, Dataset(normal<float>({2, 3}, rng), Labels{0, 3}, 200)).samples == 2);
}

TEST_CASE("evaluate: data that does not fit is named", "[metrics][error]") {
  Rng rng(56);
  const Network<float> network({784, 10}, Activation::relu, rng);
  CHECK_ERROR(evaluate(network, Dataset()), ArgumentError, "evaluate: the data set is empty, expected at least one");
  CHECK_ERROR(accuracy(network, Dataset()), ArgumentError, "evaluate: the data set is empty");
  CHECK_ERROR(evaluate(network, Dataset(test::random_images(2, 27, 28, rng), Labels{0, 1})), ShapeError,
              "evaluate: samples of 756 numbers (27 x 28), expected 784, the inputs of the network");
  CHECK_ERROR(evaluate(network, Dataset(test::random_images(2, 28, 28, rng), Labels{0, 10}, 11)), ArgumentError,
              "evaluate: the data has the label 10, expected 0 to 9, the outputs of the network");
}

// Confidence

TEST_CASE("expected_calibration_error: a case worked out by hand", "[metrics][confidence]") {
  // Confidences 0.6 (right), 0.7 (wrong), 0.9 (right), 1 (right); four bins of 0.25: (0.5, 0.75] and (0.75, 1].
  const Matrix<double> probabilities{{0.6, 0.4}, {0.3, 0.7}, {0.9, 0.1}, {0, 1}};
  const Labels labels{0, 0, 0, 1};
  const std::vector<ReliabilityBin> diagram = reliability_diagram(probabilities, labels, 4);
  REQUIRE(diagram.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(diagram[i].lower == 0.25 * static_cast<double>(i));
    CHECK(diagram[i].upper == 0.25 * static_cast<double>(i + 1));
    CHECK(diagram[i].samples == (i < 2 ? 0 : 2));
  }
  CHECK(diagram[2].confidence == Approx(0.65).epsilon(1e-12));
  CHECK(diagram[2].accuracy == 0.5);
  CHECK(diagram[3].confidence == Approx(0.95).epsilon(1e-12));
  CHECK(diagram[3].accuracy == 1);
  CHECK((diagram[0].confidence == 0 && diagram[0].accuracy == 0));
  // (2 * |0.5 - 0.65| + 2 * |1 - 0.95|) / 4
  CHECK(expected_calibration_error(probabilities, labels, 4) == Approx(0.1).epsilon(1e-12));
  // One bin: accuracy 3/4, confidence 0.8.
  CHECK(expected_calibration_error(probabilities, labels, 1) == Approx(0.05).epsilon(1e-12));
}

TEST_CASE("reliability_diagram: a confidence on an edge belongs to the bin below, 0 to the first",
          "[metrics][confidence]") {
  const Matrix<double> probabilities{{0.5, 0.25}, {0, 0}, {0.75, 0}, {1, 0}, {0.25, 0.25}};
  const std::vector<ReliabilityBin> diagram = reliability_diagram(probabilities, Labels{0, 0, 0, 0, 0}, 4);
  CHECK(diagram[0].samples == 2);  // 0 and 0.25
  CHECK(diagram[1].samples == 1);
  CHECK(diagram[2].samples == 1);
  CHECK(diagram[3].samples == 1);
}

TEST_CASE("expected_calibration_error: large for probabilities that boast, small for those that are true",
          "[metrics][confidence]") {
  Rng rng(4);
  const std::size_t count = 20000;
  Matrix<float> honest = zeros<float>({count, 2});
  Matrix<float> boasting = zeros<float>({count, 2});
  Labels labels = Labels::from_shape({count});
  for (std::size_t i = 0; i < count; ++i) {
    const double p = 0.5 + 0.5 * rng.uniform();
    labels(i) = rng.uniform() < p ? 0 : 1;
    honest(i, 0) = static_cast<float>(p);
    honest(i, 1) = static_cast<float>(1 - p);
    boasting(i, 0) = 1;
  }
  CHECK(expected_calibration_error(honest, labels) < 0.02);
  CHECK(expected_calibration_error(boasting, labels) == Approx(0.25).margin(0.02));
}

TEST_CASE("reliability_diagram: wrong arguments are named", "[metrics][error]") {
  const Matrix<float> one{{0.5F, 0.5F}};
  CHECK_ERROR(reliability_diagram(one, Labels{0}, 0), ArgumentError, "reliability_diagram: 0 bins");
  CHECK_ERROR(reliability_diagram(one, Labels{2}), ArgumentError, "label 2 of sample 0, expected 0 to 1");
  CHECK_ERROR(reliability_diagram(one, Labels{0, 1}), ShapeError, "as many labels as rows");
  CHECK_ERROR(expected_calibration_error(Matrix<float>{{2, 0}}, Labels{0}), ArgumentError,
              "confidence 2 of sample 0, expected 0 to 1");
  CHECK_ERROR(expected_calibration_error(Matrix<float>{{NAN, NAN}}, Labels{0}), ArgumentError, "confidence nan");
}

TEST_CASE("coverage_curve: accuracy of the most confident, worked out by hand", "[metrics][confidence]") {
  // By confidence: right, right, wrong, right.
  const CoverageCurve curve = coverage_curve({0.2, 0.9, 0.5, 0.8}, Labels{1, 2, 3, 4}, Labels{1, 2, 0, 4});
  REQUIRE(curve.accuracy.size() == 4);
  CHECK(curve.accuracy[0] == 1);
  CHECK(curve.accuracy[1] == 1);
  CHECK(curve.accuracy[2] == Approx(2.0 / 3));
  CHECK(curve.accuracy[3] == 0.75);
  CHECK(curve.area == Approx((1 + 1 + 2.0 / 3 + 0.75) / 4));
  CHECK(curve.at(1) == 0.75);
  CHECK(curve.at(0.75) == Approx(2.0 / 3));
  CHECK(curve.at(0.74) == Approx(2.0 / 3));  // no fewer than this share
  CHECK(curve.at(0.5) == 1);
  CHECK(curve.at(1e-9) == 1);
}

TEST_CASE("coverage_curve: equal confidences count with their mean, in whatever order they come",
          "[metrics][confidence]") {
  // One right at 2, then two right of four at 1.
  const CoverageCurve one = coverage_curve({1, 1, 2, 1, 1}, Labels{0, 0, 0, 1, 1}, Labels{0, 0, 0, 0, 0});
  const CoverageCurve other = coverage_curve({1, 2, 1, 1, 1}, Labels{1, 0, 1, 0, 0}, Labels{0, 0, 0, 0, 0});
  CHECK(one.accuracy == other.accuracy);
  const std::vector<double> expected{1, 1.5 / 2, 2.0 / 3, 2.5 / 4, 3.0 / 5};
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(one.accuracy[k] == Approx(expected[k]));
}

TEST_CASE("coverage_curve: wrong arguments are named", "[metrics][error]") {
  CHECK_ERROR(coverage_curve({}, labels_without_any(), labels_without_any()), ShapeError,
              "coverage_curve: no confidences, expected at least one");
  CHECK_ERROR(coverage_curve({1}, Labels{1, 2}, Labels{1, 2}), ShapeError, "1 confidences and 2 labels");
  CHECK_ERROR(coverage_curve({1}, Labels{1, 2}, Labels{1}), ShapeError, "2 predictions and 1 labels");
  CHECK_ERROR(coverage_curve({1, NAN}, Labels{1, 2}, Labels{1, 2}), ArgumentError, "confidence 1 is nan");
  const CoverageCurve curve = coverage_curve({1}, Labels{1}, Labels{1});
  CHECK_ERROR(curve.at(0), ArgumentError, "coverage is 0, expected more than 0 and at most 1");
  CHECK_ERROR(curve.at(1.1), ArgumentError, "coverage is 1.1");
  CHECK_ERROR(curve.at(NAN), ArgumentError, "coverage is nan");
}

TEST_CASE("auroc: the share of pairs that are in the right order, ties half", "[metrics][confidence]") {
  CHECK(auroc({2, 3}, {0, 1}) == 1);
  CHECK(auroc({0, 1}, {2, 3}) == 0);
  CHECK(auroc({1, 1, 1}, {1, 1}) == 0.5);
  Rng rng(8);
  std::vector<double> positives(50);
  std::vector<double> negatives(70);
  for (double& score : positives) score = static_cast<double>(rng.below(20)) + 4;  // with many ties
  for (double& score : negatives) score = static_cast<double>(rng.below(20));
  double pairs = 0;
  for (const double p : positives) {
    for (const double n : negatives) pairs += p > n ? 1 : p == n ? 0.5 : 0;
  }
  CHECK(auroc(positives, negatives) == Approx(pairs / (50 * 70)).epsilon(1e-12));
  CHECK_ERROR(auroc({}, {1}), ShapeError, "auroc: no positives");
  CHECK_ERROR(auroc({1}, {}), ShapeError, "auroc: no negatives");
  CHECK_ERROR(auroc({1}, {1, NAN}), ArgumentError, "negative 1 is nan");
}

TEST_CASE("threshold_accepting: the largest threshold that accepts a share", "[metrics][confidence]") {
  std::vector<double> hundred(100);
  std::iota(hundred.begin(), hundred.end(), 1.0);
  CHECK(threshold_accepting(0.9, hundred) == 11);   // 11 to 100 are 90
  CHECK(threshold_accepting(0.985, hundred) == 2);  // 98.5 of 100 are 99
  CHECK(threshold_accepting(1, hundred) == 1);
  CHECK(threshold_accepting(1e-9, hundred) == 100);
  Rng rng(2);
  std::vector<double> scores(997);
  for (double& score : scores) score = static_cast<double>(rng.below(300));
  for (const double share : {0.01, 0.3, 0.5, 0.9, 0.98, 0.999}) {
    const double threshold = threshold_accepting(share, scores);
    CHECK(acceptance_rate(scores, threshold) >= share);
    CHECK(acceptance_rate(scores, threshold + 0.5) < share);
  }
  CHECK_ERROR(threshold_accepting(0, {1}), ArgumentError, "share is 0, expected more than 0 and at most 1");
  CHECK_ERROR(threshold_accepting(0.5, {}), ShapeError, "threshold_accepting: no scores");
  CHECK_ERROR(threshold_accepting(0.5, {NAN}), ArgumentError, "score 0 is nan");
}

TEST_CASE("acceptance_rate: what reaches the threshold counts", "[metrics][confidence]") {
  CHECK(acceptance_rate({1, 2, 3, 4}, 3) == 0.5);
  CHECK(acceptance_rate({1, 2, 3, 4}, 4.5) == 0);
  CHECK(acceptance_rate({1, 2}, -std::numeric_limits<double>::infinity()) == 1);
  CHECK_ERROR(acceptance_rate({}, 1), ShapeError, "acceptance_rate: no scores");
  CHECK_ERROR(acceptance_rate({1}, NAN), ArgumentError, "threshold 0 is nan");
}
