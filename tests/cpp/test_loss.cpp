#include <digitnet/loss.hpp>
#include <digitnet/random.hpp>

#include "arrays.hpp"
#include "catch.hpp"
#include "gradient.hpp"
#include "small_networks.hpp"

#include <limits>
#include <string>

using namespace digitnet;

namespace {

constexpr std::array every_loss{LossFunction::softmax_cross_entropy, LossFunction::sum_of_squares,
                                LossFunction::binary_cross_entropy, LossFunction::hinge, LossFunction::huber};

/// Those that have targets.
constexpr std::array soft_losses{LossFunction::softmax_cross_entropy, LossFunction::sum_of_squares,
                                 LossFunction::binary_cross_entropy, LossFunction::huber};

/// Whether a central difference at these outputs reaches no place where the loss has a kink: for the hinge where
/// the margin is just kept or two rivals are equal, for Huber's loss where a difference is 1 (there only its
/// second derivative jumps).
bool far_from_kinks(LossFunction loss, const Matrix<double>& outputs, const Labels& labels, double smoothing) {
  const double reach = 1e-3;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto a = row(outputs, i);
    std::vector<double> rivals;
    for (std::size_t k = 0; k < a.size(); ++k) {
      const double target = smoothing / static_cast<double>(a.size()) + (k == labels(i) ? 1 - smoothing : 0);
      if (loss == LossFunction::huber && std::abs(std::abs(a[k] - target) - 1) < reach) return false;
      if (k != labels(i)) rivals.push_back(a[k]);
    }
    std::sort(rivals.rbegin(), rivals.rend());
    if (loss == LossFunction::hinge && std::abs(1 + rivals[0] - a[labels(i)]) < reach) return false;
    if (loss == LossFunction::hinge && rivals.size() > 1 && rivals[0] - rivals[1] < reach) return false;
  }
  return true;
}

/// Outputs around 0, some of them off by more than 1, as far from kinks as central differences need.
Matrix<double> outputs_for(LossFunction loss, const Labels& labels, double smoothing, Rng& rng) {
  for (;;) {
    Matrix<double> outputs = normal<double>({labels.size(), 7}, rng, 2.0);
    if (far_from_kinks(loss, outputs, labels, smoothing)) return outputs;
  }
}

}  // namespace

TEST_CASE("loss: names go there and back, an unknown one is answered with those there are", "[loss]") {
  CHECK(every_loss.size() == loss_names.size());
  for (const LossFunction loss : every_loss) CHECK(loss_from_name(name_of(loss)) == loss);
  CHECK(name_of(LossFunction::softmax_cross_entropy) == "softmax_cross_entropy");
  CHECK(name_of(LossFunction::sum_of_squares) == "sum_of_squares");
  CHECK(name_of(LossFunction::binary_cross_entropy) == "binary_cross_entropy");
  CHECK(name_of(LossFunction::hinge) == "hinge");
  CHECK(name_of(LossFunction::huber) == "huber");
  CHECK_ERROR(
      loss_from_name("mse"), ArgumentError,
      "loss \"mse\", expected one of softmax_cross_entropy, sum_of_squares, binary_cross_entropy, hinge, huber");
  CHECK_ERROR(loss_from_name("mse", "Network"), ArgumentError, "Network: loss \"mse\", expected one of");
}

TEST_CASE("softmax_cross_entropy: ln 10 when ten digits look equally likely", "[loss]") {
  const auto loss = softmax_cross_entropy(zeros<double>({3, 10}), Labels{0, 5, 9});
  CHECK(loss.value == Approx(2.3025850929940457).epsilon(1e-15));
  CHECK(softmax_cross_entropy(zeros<float>({3, 10}), Labels{0, 5, 9}).value == Approx(2.3025851).epsilon(1e-6));
}

TEST_CASE("softmax_cross_entropy: values and gradients of a batch done by hand", "[loss]") {
  // softmax(1, 2, 3) = 0.0900, 0.2447, 0.6652; softmax(0, 0, ln 2) = 1/4, 1/4, 1/2
  const auto loss = softmax_cross_entropy(Matrix<double>{{1, 2, 3}, {0, 0, std::log(2.0)}}, Labels{2, 0});
  CHECK(loss.value == Approx((0.40760596444437992 + std::log(4.0)) / 2).epsilon(1e-14));
  const auto expected =
      Matrix<double>{{0.090030573170380458, 0.24472847105479765, 0.66524095577482187 - 1}, {-0.75, 0.25, 0.5}};
  CHECK(test::relative_error(loss.gradient, Matrix<double>(expected / 2)) < 1e-14);
}

TEST_CASE("softmax_cross_entropy: each row of the gradient sums to 0", "[loss][gradient]") {
  Rng rng(8);
  const Matrix<float> logits = normal<float>({20, 10}, rng, 3.0);
  const auto gradient = softmax_cross_entropy(logits, Labels(Labels::shape_type{20}, 4)).gradient;
  for (std::size_t i = 0; i < 20; ++i) {
    float sum = 0;
    for (const float value : row(gradient, i)) sum += value;
    CHECK(std::abs(sum) < 1e-7F);  // ten numbers below 1/20, each rounded to 6e-8 of itself
  }
}

TEST_CASE("softmax_cross_entropy: giant logits give the exact loss and no overflow", "[loss]") {
  for (const float z : {1e4F, 1e30F}) {
    const Matrix<float> logits{{z, 0, -z}};
    const auto right = softmax_cross_entropy(logits, Labels{0});
    CHECK(right.value == 0);
    CHECK(test::equal(right.gradient, Matrix<float>{{0, 0, 0}}));
    const auto wrong = softmax_cross_entropy(logits, Labels{2});
    CHECK(wrong.value == 2 * static_cast<double>(z));
    CHECK(test::equal(wrong.gradient, Matrix<float>{{1, 0, -1}}));
  }
}

TEST_CASE("sum_of_squares: values and gradients of a batch done by hand", "[loss]") {
  const auto outputs = Matrix<double>{{0.5, 0.25, 0}, {1, 0, 1}};
  const auto loss = sum_of_squares(outputs, Labels{0, 2});
  // First: 1/2 (0.25 + 0.0625) = 0.15625; second: 1/2 (1 + 0 + 0) = 0.5
  CHECK(loss.value == (0.15625 + 0.5) / 2);
  CHECK(test::equal(loss.gradient, Matrix<double>{{-0.25, 0.125, 0}, {0.5, 0, 0}}));
  CHECK(sum_of_squares(Matrix<double>{{0, 1, 0}}, Labels{1}).value == 0);
}

TEST_CASE("sum_of_squares: giant outputs of float are squared without overflow", "[loss]") {
  const auto loss = sum_of_squares(Matrix<float>{{1e30F, 0}}, Labels{1});
  CHECK(loss.value == Approx(5e59).epsilon(1e-6));
  CHECK(test::equal(loss.gradient, Matrix<float>{{1e30F, -1}}));
}

TEST_CASE("binary_cross_entropy: values and gradients of a batch done by hand", "[loss]") {
  // sigmoid(0) = 1/2, sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4
  const double z = std::log(3.0);
  const auto loss = binary_cross_entropy(Matrix<double>{{0, z, -z}, {-z, 0, 0}}, Labels{0, 0});
  // First: -ln(1/2) - ln(1/4) - ln(3/4); second: -ln(1/4) - 2 ln(1/2)
  CHECK(loss.value == Approx((std::log(32.0 / 3) + std::log(16.0)) / 2).epsilon(1e-14));
  CHECK(test::relative_error(loss.gradient, Matrix<double>{{-0.25, 0.375, 0.125}, {-0.375, 0.25, 0.25}}) < 1e-14);
  CHECK(binary_cross_entropy(zeros<double>({3, 10}), Labels{0, 5, 9}).value ==
        Approx(6.9314718055994531).epsilon(1e-14));
}

TEST_CASE("binary_cross_entropy: giant logits give the exact loss and no overflow", "[loss]") {
  for (const float z : {1e4F, 1e30F}) {
    const Matrix<float> logits{{z, -z}};
    const auto right = binary_cross_entropy(logits, Labels{0});
    CHECK(right.value == 0);
    CHECK(test::equal(right.gradient, Matrix<float>{{0, 0}}));
    const auto wrong = binary_cross_entropy(logits, Labels{1});
    CHECK(wrong.value == 2 * static_cast<double>(z));
    CHECK(test::equal(wrong.gradient, Matrix<float>{{1, -1}}));
  }
}

TEST_CASE("binary_cross_entropy: logits that are right keep their digits in float", "[loss]") {
  // sigmoid(20) is 1 in float; what is left of the loss and of the gradient, e^-20, is not 0.
  const auto loss = binary_cross_entropy(Matrix<float>{{20, -20}}, Labels{0});
  CHECK(loss.value == Approx(2 * std::exp(-20.0)).epsilon(1e-6));
  CHECK(loss.gradient(0, 0) == Approx(-std::exp(-20.0)).epsilon(1e-6));
  CHECK(loss.gradient(0, 1) == Approx(std::exp(-20.0)).epsilon(1e-6));
}

TEST_CASE("hinge: values and gradients of a batch done by hand", "[loss]") {
  // Right by 2, right by 1/2, wrong by 3; the largest of the others is the last, the first, the second.
  const auto loss = hinge(Matrix<double>{{3, 0, 1}, {1, 1.5, 0}, {1, 2, -1}, {0, 0, 5}}, Labels{0, 1, 2, 2});
  CHECK(loss.value == (0 + 0.5 + 4 + 0) / 4);
  CHECK(test::equal(loss.gradient, Matrix<double>{{0, 0, 0}, {0.25, -0.25, 0}, {0, 0.25, -0.25}, {0, 0, 0}}));
}

TEST_CASE("hinge: a sample right by just the margin asks for nothing, the first of equal rivals is pushed",
          "[loss]") {
  CHECK(test::equal(hinge(Matrix<double>{{2, 1}}, Labels{0}).gradient, Matrix<double>{{0, 0}}));
  CHECK(hinge(Matrix<double>{{2, 1}}, Labels{0}).value == 0);
  CHECK(test::equal(hinge(Matrix<double>{{1, 0, 1}}, Labels{1}).gradient, Matrix<double>{{1, -1, 0}}));
  CHECK(test::equal(hinge(Matrix<double>{{0, 0, 0}}, Labels{0}).gradient, Matrix<double>{{-1, 1, 0}}));
  CHECK(hinge(Matrix<double>{{0, 0, 0}}, Labels{0}).value == 1);
}

TEST_CASE("hinge: giant outputs are told apart without overflow", "[loss]") {
  for (const float a : {1e4F, 1e38F}) {
    const Matrix<float> outputs{{a, 0, -a}};
    CHECK(hinge(outputs, Labels{0}).value == 0);
    const auto wrong = hinge(outputs, Labels{2});
    CHECK(wrong.value == 1 + 2 * static_cast<double>(a));
    CHECK(test::equal(wrong.gradient, Matrix<float>{{1, 0, -1}}));
  }
}

TEST_CASE("huber: values and gradients of a batch done by hand", "[loss]") {
  // Differences 1/2, -2, 0 and 1, 3, -1: 1/8 + 3/2 and 1/2 + 5/2 + 1/2
  const auto loss = huber(Matrix<double>{{1.5, -2, 0}, {1, 3, 0}}, Labels{0, 2});
  CHECK(loss.value == (1.625 + 3.5) / 2);
  CHECK(test::equal(loss.gradient, Matrix<double>{{0.25, -0.5, 0}, {0.5, 0.5, -0.5}}));
}

TEST_CASE("huber: of outputs in [0, 1] it is the sum of squares", "[loss]") {
  Rng rng(11);
  Matrix<double> outputs = normal<double>({30, 10}, rng);
  for (std::size_t i = 0; i < 30; ++i) activate(Activation::sigmoid, row(outputs, i));
  const Labels labels = test::random_labels(30, 10, rng);
  CHECK(huber(outputs, labels).value == Approx(sum_of_squares(outputs, labels).value).epsilon(1e-14));
  CHECK(test::equal(huber(outputs, labels).gradient, sum_of_squares(outputs, labels).gradient));
}

TEST_CASE("huber: giant outputs pull with a force of 1", "[loss]") {
  const auto loss = huber(Matrix<float>{{1e30F, -1e4F, 0}}, Labels{2});
  CHECK(loss.value == Approx(1e30).epsilon(1e-6));
  CHECK(test::equal(loss.gradient, Matrix<float>{{1, -1, -1}}));
}

// Every loss

TEST_CASE("loss: gradients agree with central differences, with and without smoothing and weights",
          "[loss][gradient]") {
  Rng rng(7);
  const Labels labels{3, 1, 4, 1, 0, 6, 5, 2};
  const std::vector<double> weights{1, 0.5, 0, 3, 2, 0.25, 1, 7};
  for (const LossFunction loss : every_loss) {
    for (const double smoothing : {0.0, 0.1, 0.75}) {
      if (loss == LossFunction::hinge && smoothing > 0) continue;
      for (const bool weighted : {false, true}) {
        INFO(name_of(loss) << ", smoothing " << smoothing << (weighted ? ", weighted" : ""));
        const std::span<const double> by = weighted ? std::span<const double>(weights) : std::span<const double>();
        Matrix<double> outputs = outputs_for(loss, labels, smoothing, rng);
        const auto exact = mean_loss(loss, outputs, labels, smoothing, by).gradient;
        const auto value_at = [&] { return mean_loss(loss, outputs, labels, smoothing, by).value; };
        CHECK(test::relative_error(exact, test::central_difference(outputs, value_at)) < 1e-6);
      }
    }
  }
}

TEST_CASE("loss: gradients of large logits agree with central differences too", "[loss][gradient]") {
  // Logits of +-30 and a step of 1e-2, since what changes is as small as e^-30 of a loss of 30.
  for (const LossFunction loss : {LossFunction::softmax_cross_entropy, LossFunction::binary_cross_entropy}) {
    Matrix<double> logits = Matrix<double>{{30, -30, 2}, {-30, 30, -2}};
    const Labels labels{1, 1};
    const auto exact = mean_loss(loss, logits, labels, 0.1).gradient;
    const auto value_at = [&] { return mean_loss(loss, logits, labels, 0.1).value; };
    CHECK(test::relative_error(exact, test::central_difference(logits, value_at, 1e-2)) < 1e-4);
  }
}

TEST_CASE("loss: smoothing moves a share of each target to all classes", "[loss]") {
  // Of four classes and a share of 0.2 the targets are 0.85, 0.05, 0.05, 0.05.
  const Labels label{0};
  const Matrix<double> logits = Matrix<double>{{std::log(5.0), 0, 0, std::log(3.0)}};  // softmax 0.5, 0.1, 0.1, 0.3
  const auto softmax = softmax_cross_entropy(logits, label, 0.2);
  CHECK(softmax.value == Approx(-0.85 * std::log(0.5) - 0.1 * std::log(0.1) - 0.05 * std::log(0.3)).epsilon(1e-14));
  CHECK(test::relative_error(softmax.gradient, Matrix<double>{{-0.35, 0.05, 0.05, 0.25}}) < 1e-14);

  const auto binary = binary_cross_entropy(zeros<double>({1, 4}), label, 0.2);
  CHECK(binary.value == Approx(4 * std::log(2.0)).epsilon(1e-14));
  CHECK(test::relative_error(binary.gradient, Matrix<double>{{-0.35, 0.45, 0.45, 0.45}}) < 1e-14);

  const Matrix<double> outputs = Matrix<double>{{0.35, 0.55, 2.05, 0.05}};  // off by -1/2, 1/2, 2, 0
  CHECK(sum_of_squares(outputs, label, 0.2).value == Approx(0.125 + 0.125 + 2).epsilon(1e-14));
  CHECK(test::relative_error(sum_of_squares(outputs, label, 0.2).gradient, Matrix<double>{{-0.5, 0.5, 2, 0}}) <
        1e-14);
  CHECK(huber(outputs, label, 0.2).value == Approx(0.125 + 0.125 + 1.5).epsilon(1e-14));
  CHECK(test::relative_error(huber(outputs, label, 0.2).gradient, Matrix<double>{{-0.5, 0.5, 1, 0}}) < 1e-14);
}

TEST_CASE("loss: smoothed giant logits cost what their size says", "[loss]") {
  // Of two classes and a share of 0.5 the targets are 3/4, 1/4; the logits are 2e4 apart.
  const Matrix<float> logits{{1e4F, -1e4F}};
  CHECK(softmax_cross_entropy(logits, Labels{0}, 0.5).value == 5000);
  CHECK(test::equal(softmax_cross_entropy(logits, Labels{0}, 0.5).gradient, Matrix<float>{{0.25F, -0.25F}}));
  CHECK(binary_cross_entropy(logits, Labels{0}, 0.5).value == 5000);
  CHECK(test::equal(binary_cross_entropy(logits, Labels{0}, 0.5).gradient, Matrix<float>{{0.25F, -0.25F}}));
}

TEST_CASE("loss: with weights the mean is that of the samples as often as they weigh", "[loss]") {
  Rng rng(12);
  const Matrix<double> outputs = normal<double>({3, 5}, rng, 2.0);
  const Labels labels{4, 0, 2};
  // Weights 1, 0, 3 are the first sample once and the last three times.
  Matrix<double> repeated = zeros<double>({4, 5});
  for (std::size_t i = 0; i < 4; ++i) {
    const auto from = row(outputs, i == 0 ? 0 : 2);
    std::copy(from.begin(), from.end(), row(repeated, i).begin());
  }
  for (const LossFunction loss : every_loss) {
    INFO(name_of(loss));
    const auto weighted = mean_loss(loss, outputs, labels, 0, std::vector<double>{1, 0, 3});
    const auto expected = mean_loss(loss, repeated, Labels{4, 2, 2, 2});
    CHECK(weighted.value == Approx(expected.value).epsilon(1e-14));
    for (std::size_t k = 0; k < 5; ++k) {
      CHECK(weighted.gradient(0, k) == Approx(expected.gradient(0, k)).epsilon(1e-14));
      CHECK(weighted.gradient(1, k) == 0);
      CHECK(weighted.gradient(2, k) == Approx(3 * expected.gradient(1, k)).epsilon(1e-14));
    }
    // Only ratios count, however large or small they are.
    for (const double factor : {1e-300, 8.0, 1e300}) {
      const auto scaled = mean_loss(loss, outputs, labels, 0, std::vector<double>{factor, 0, 3 * factor});
      CHECK(scaled.value == Approx(weighted.value).epsilon(1e-14));
    }
    const auto equal = mean_loss(loss, outputs, labels, 0, std::vector<double>{2, 2, 2});
    CHECK(equal.value == Approx(mean_loss(loss, outputs, labels).value).epsilon(1e-14));
  }
}

TEST_CASE("loss: each function is mean_loss by its name", "[loss]") {
  Rng rng(13);
  const Matrix<float> outputs = normal<float>({6, 4}, rng, 2.0);
  const Labels labels{0, 1, 2, 3, 0, 1};
  const std::vector<double> weights{1, 2, 3, 4, 5, 6};
  const auto same = [](const Loss<float>& a, const Loss<float>& b) {
    return a.value == b.value && test::same_bits(a.gradient, b.gradient);
  };
  const auto of = [&](LossFunction loss, double smoothing) {
    return mean_loss(loss, outputs, labels, smoothing, weights);
  };
  CHECK(same(softmax_cross_entropy(outputs, labels, 0.1, weights), of(LossFunction::softmax_cross_entropy, 0.1)));
  CHECK(same(sum_of_squares(outputs, labels, 0.1, weights), of(LossFunction::sum_of_squares, 0.1)));
  CHECK(same(binary_cross_entropy(outputs, labels, 0.1, weights), of(LossFunction::binary_cross_entropy, 0.1)));
  CHECK(same(hinge(outputs, labels, weights), of(LossFunction::hinge, 0)));
  CHECK(same(huber(outputs, labels, 0.1, weights), of(LossFunction::huber, 0.1)));
}

TEMPLATE_TEST_CASE("sample_loss: the gradient comes scaled, the loss does not", "[loss]", float, double) {
  Rng rng(14);
  for (const LossFunction loss : every_loss) {
    INFO(name_of(loss));
    const TestType smoothing = loss == LossFunction::hinge ? 0 : TestType{0.125};
    const Matrix<TestType> outputs = normal<TestType>({1, 5}, rng, 2.0);
    Matrix<TestType> once = outputs;
    Matrix<TestType> twice = outputs;
    const double value = detail::sample_loss<TestType>(loss, row(once, 0), 3, 1, smoothing);
    CHECK(detail::sample_loss<TestType>(loss, row(twice, 0), 3, 2, smoothing) == value);
    CHECK(test::equal(Matrix<TestType>(2 * once), twice));  // doubling rounds nothing
    const auto mean = mean_loss(loss, outputs, Labels{3}, static_cast<double>(smoothing));
    CHECK(mean.value == value);
    CHECK(test::same_bits(mean.gradient, once));
  }
}

TEMPLATE_TEST_CASE("sample_loss: soft labels that are all for one class are its label", "[loss]", float, double) {
  Rng rng(15);
  const std::vector<float> shares{0, 0, 0, 1, 0};
  for (const LossFunction loss : soft_losses) {
    for (const TestType smoothing : {TestType{0}, TestType{0.125}}) {
      INFO(name_of(loss) << ", smoothing " << smoothing);
      const Matrix<TestType> outputs = normal<TestType>({1, 5}, rng, 2.0);
      Matrix<TestType> hard = outputs;
      Matrix<TestType> soft = outputs;
      const double expected = detail::sample_loss<TestType>(loss, row(hard, 0), 3, TestType{0.5}, smoothing);
      const double value = detail::sample_loss<TestType>(loss, row(soft, 0), shares, TestType{0.5}, smoothing);
      const double rounding = 8 * static_cast<double>(std::numeric_limits<TestType>::epsilon());
      CHECK(value == Approx(expected).epsilon(rounding));
      CHECK(test::relative_error(soft, hard) < rounding);
    }
  }
}

TEST_CASE("sample_loss: gradients of soft labels agree with central differences", "[loss][gradient]") {
  Rng rng(16);
  const std::vector<float> shares{0.5F, 0.125F, 0, 0.25F, 0, 0.125F, 0};
  for (const LossFunction loss : soft_losses) {
    for (const double smoothing : {0.0, 0.25}) {
      INFO(name_of(loss) << ", smoothing " << smoothing);
      Matrix<double> outputs = normal<double>({1, 7}, rng, 2.0);
      Matrix<double> exact = outputs;
      detail::sample_loss<double>(loss, row(exact, 0), shares, 1, smoothing);
      const auto value_at = [&] {
        Matrix<double> scratch = outputs;
        return detail::sample_loss<double>(loss, row(scratch, 0), shares, 1, smoothing);
      };
      CHECK(test::relative_error(exact, test::central_difference(outputs, value_at)) < 1e-6);
    }
  }
}

TEST_CASE("sample_loss: the cross-entropy with what the network says itself is its entropy, and pulls nowhere",
          "[loss]") {
  Matrix<double> logits{{std::log(4.0), std::log(2.0), 0, 0}};  // softmax 1/2, 1/4, 1/8, 1/8
  const std::vector<float> shares{0.5F, 0.25F, 0.125F, 0.125F};
  CHECK(detail::sample_loss<double>(LossFunction::softmax_cross_entropy, row(logits, 0), shares, 1, 0) ==
        Approx(1.75 * std::log(2.0)).epsilon(1e-14));
  for (const double pull : row(logits, 0)) CHECK(std::abs(pull) < 1e-15);
}

TEST_CASE("loss: an output that is no number makes a loss that is none", "[loss]") {
  for (const LossFunction loss : every_loss) {
    for (const std::size_t place : {0u, 1u, 2u, 3u}) {
      INFO(name_of(loss) << ", output " << place);
      Matrix<float> outputs{{1, 2, 3, 4}};
      outputs(0, place) = NAN;
      CHECK(std::isnan(mean_loss(loss, outputs, Labels{1}).value));
    }
  }
}

TEST_CASE("loss: one class alone is always right for softmax and has no hinge", "[loss][error]") {
  CHECK(softmax_cross_entropy(Matrix<double>{{5}}, Labels{0}).value == 0);
  CHECK_ERROR(hinge(Matrix<double>{{5}}, Labels{0}), ShapeError,
              "hinge: outputs of shape (1, 1), expected at least 2 columns");
}

TEMPLATE_TEST_CASE("loss: shapes and labels that do not fit are named", "[loss][error]", float, double) {
  const Matrix<TestType> outputs = zeros<TestType>({2, 10});
  for (const LossFunction loss : every_loss) {
    const std::string name(name_of(loss));
    CHECK_ERROR(mean_loss(loss, outputs, Labels{1}), ShapeError,
                name + ": outputs of shape (2, 10) and 1 labels, expected as many labels as rows");
    CHECK_ERROR(mean_loss(loss, outputs, Labels{1, 2, 3}), ShapeError,
                name + ": outputs of shape (2, 10) and 3 labels");
    CHECK_ERROR(mean_loss(loss, zeros<TestType>({0, 10}), Labels::from_shape({0})), ShapeError, "at least one");
    CHECK_ERROR(mean_loss(loss, outputs, Labels{0, 10}), ArgumentError,
                name + ": label 10 of sample 1, expected 0 to 9");
    CHECK_ERROR(mean_loss(loss, outputs, Labels{255, 0}), ArgumentError,
                name + ": label 255 of sample 0, expected 0 to 9");
  }
}

TEST_CASE("check_smoothing: takes shares of at least 0 and below 1, for the hinge only 0", "[loss][error]") {
  for (const LossFunction loss : every_loss) {
    check_smoothing(loss, 0);
    for (const double wrong : {-0.1, 1.0, 1.5, std::numeric_limits<double>::infinity()}) {
      CHECK_ERROR(check_smoothing(loss, wrong, "train"), ArgumentError,
                  detail::text("train: label smoothing of ", wrong, ", expected a share of at least 0 and below 1"));
    }
    CHECK_ERROR(check_smoothing(loss, NAN), ArgumentError, "check_smoothing: label smoothing of nan, expected");
    if (loss != LossFunction::hinge) check_smoothing(loss, 0.999);
  }
  CHECK_ERROR(check_smoothing(LossFunction::hinge, 0.1, "train"), ArgumentError,
              "train: label smoothing of 0.1 with the hinge loss, expected 0: it has no targets");
  CHECK_ERROR(huber(zeros<float>({1, 2}), Labels{0}, 1), ArgumentError, "huber: label smoothing of 1, expected");
  CHECK_ERROR(mean_loss(LossFunction::hinge, zeros<float>({1, 2}), Labels{0}, 0.1), ArgumentError,
              "hinge: label smoothing of 0.1 with the hinge loss");
}

TEST_CASE("loss: weights that are none are named", "[loss][error]") {
  const Matrix<float> outputs = zeros<float>({2, 3});
  const auto of = [&](const std::vector<double>& weights) {
    return sum_of_squares(outputs, Labels{0, 1}, 0, weights).value;
  };
  CHECK_ERROR(of({1}), ShapeError, "sum_of_squares: 1 sample weights for 2 samples, expected as many of both");
  CHECK_ERROR(of({1, 2, 3}), ShapeError, "sum_of_squares: 3 sample weights for 2 samples");
  CHECK_ERROR(of({1, -0.5}), ArgumentError,
              "sum_of_squares: weight -0.5 of sample 1, expected a finite number of at least 0");
  CHECK_ERROR(of({NAN, 1}), ArgumentError, "sum_of_squares: weight nan of sample 0");
  CHECK_ERROR(of({1, INFINITY}), ArgumentError, "sum_of_squares: weight inf of sample 1");
  CHECK_ERROR(of({0, 0}), ArgumentError, "sum_of_squares: the sample weights add up to 0, expected a finite number");
  CHECK_ERROR(of({1e308, 1e308}), ArgumentError, "sum_of_squares: the sample weights add up to inf");
}

// Weights

TEST_CASE("sample_weights_of: each sample gets the weight of its class", "[loss]") {
  CHECK(sample_weights_of(Labels{2, 0, 2, 1}, {0.5, 1, 4}) == std::vector<double>{4, 0.5, 4, 1});
  CHECK(sample_weights_of(Labels::from_shape({0}), {1}).empty());
}

TEST_CASE("sample_weights_of: a class without a weight and weights that are none are named", "[loss][error]") {
  CHECK_ERROR(sample_weights_of(Labels{0, 3}, {1, 1, 1}), ArgumentError,
              "sample_weights_of: label 3 of sample 1 and 3 class weights, expected one for each class");
  CHECK_ERROR(sample_weights_of(Labels{0}, {1, -1}), ArgumentError,
              "sample_weights_of: weight -1 of class 1, expected a finite number of at least 0");
  CHECK_ERROR(sample_weights_of(Labels{0}, {0, 0}), ArgumentError,
              "sample_weights_of: the class weights add up to 0");
  CHECK_ERROR(sample_weights_of(Labels{0}, {}), ArgumentError, "sample_weights_of: the class weights add up to 0");
}

TEST_CASE("balanced_class_weights: all classes count alike, and samples 1 on average", "[loss]") {
  const Dataset data(zeros<float>({6, 2}), Labels{0, 0, 0, 3, 3, 1}, 5);
  const std::vector<double> weights = balanced_class_weights(data);
  CHECK(weights == std::vector<double>{6 / 9.0, 2, 0, 1, 0});  // 6 samples, 3 classes with any
  double sum = 0;
  for (const double weight : sample_weights_of(data.labels(), weights)) sum += weight;
  CHECK(sum == Approx(6).epsilon(1e-15));
  const Dataset equal(zeros<float>({4, 2}), Labels{0, 1, 1, 0}, 2);
  CHECK(balanced_class_weights(equal) == std::vector<double>{1, 1});
  CHECK_ERROR(balanced_class_weights(Dataset()), ArgumentError,
              "balanced_class_weights: the data set is empty, expected at least one sample");
}

TEST_CASE("loss: what is asked about stays as it was", "[loss]") {
  const Matrix<float> before{{1, 2}, {3, 4}};
  const Matrix<float> outputs{{1, 2}, {3, 4}};
  for (const LossFunction loss : every_loss) mean_loss(loss, outputs, Labels{0, 1});
  CHECK(test::equal(outputs, before));
}
