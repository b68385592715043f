#include <digitnet/loss.hpp>
#include <digitnet/random.hpp>

#include "arrays.hpp"
#include "catch.hpp"
#include "gradient.hpp"

using namespace digitnet;

namespace {

Matrix<double> matrix(std::initializer_list<std::initializer_list<double>> rows) { return Matrix<double>(rows); }

}  // namespace

TEST_CASE("loss: names go there and back, an unknown one is answered with those there are", "[loss]") {
  for (const LossFunction loss : {LossFunction::softmax_cross_entropy, LossFunction::sum_of_squares}) {
    CHECK(loss_from_name(name_of(loss)) == loss);
  }
  CHECK(name_of(LossFunction::sum_of_squares) == "sum_of_squares");
  CHECK_ERROR(loss_from_name("mse"), ArgumentError,
              "loss \"mse\", expected one of softmax_cross_entropy, sum_of_squares");
}

TEST_CASE("softmax_cross_entropy: ln 10 when ten digits look equally likely", "[loss]") {
  const auto loss = softmax_cross_entropy(zeros<double>({3, 10}), Labels{0, 5, 9});
  CHECK(loss.value == Approx(2.3025850929940457).epsilon(1e-15));
  CHECK(softmax_cross_entropy(zeros<float>({3, 10}), Labels{0, 5, 9}).value == Approx(2.3025851).epsilon(1e-6));
}

TEST_CASE("softmax_cross_entropy: values and gradients of a batch done by hand", "[loss]") {
  // softmax(1, 2, 3) = 0.0900, 0.2447, 0.6652; softmax(0, 0, ln 2) = 1/4, 1/4, 1/2
  const auto loss = softmax_cross_entropy(matrix({{1, 2, 3}, {0, 0, std::log(2.0)}}), Labels{2, 0});
  CHECK(loss.value == Approx((0.40760596444437992 + std::log(4.0)) / 2).epsilon(1e-14));
  const auto expected =
      matrix({{0.090030573170380458, 0.24472847105479765, 0.66524095577482187 - 1}, {-0.75, 0.25, 0.5}});
  CHECK(test::relative_error(loss.gradient, Matrix<double>(expected / 2)) < 1e-14);
}

TEST_CASE("softmax_cross_entropy: gradient agrees with central differences", "[loss][gradient]") {
  Rng rng(7);
  Matrix<double> logits = normal<double>({4, 10}, rng);
  const Labels labels{3, 1, 4, 1};
  const auto exact = softmax_cross_entropy(logits, labels).gradient;
  const auto estimate = test::central_difference(logits, [&] { return softmax_cross_entropy(logits, labels).value; });
  CHECK(test::relative_error(exact, estimate) < 1e-6);
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

TEST_CASE("softmax_cross_entropy: a logit that is no number makes a loss that is none", "[loss]") {
  for (const std::size_t place : {0u, 1u, 2u}) {
    Matrix<float> logits = zeros<float>({1, 3});
    logits(0, place) = NAN;
    CHECK(std::isnan(softmax_cross_entropy(logits, Labels{1}).value));
  }
}

TEST_CASE("sum_of_squares: values and gradients of a batch done by hand", "[loss]") {
  const auto outputs = matrix({{0.5, 0.25, 0}, {1, 0, 1}});
  const auto loss = sum_of_squares(outputs, Labels{0, 2});
  // First: 1/2 (0.25 + 0.0625) = 0.15625; second: 1/2 (1 + 0 + 0) = 0.5
  CHECK(loss.value == (0.15625 + 0.5) / 2);
  CHECK(test::equal(loss.gradient, matrix({{-0.25, 0.125, 0}, {0.5, 0, 0}})));
  CHECK(sum_of_squares(matrix({{0, 1, 0}}), Labels{1}).value == 0);
}

TEST_CASE("sum_of_squares: gradient agrees with central differences", "[loss][gradient]") {
  Rng rng(9);
  Matrix<double> outputs = normal<double>({5, 7}, rng);
  const Labels labels{0, 6, 2, 2, 5};
  const auto exact = sum_of_squares(outputs, labels).gradient;
  const auto estimate = test::central_difference(outputs, [&] { return sum_of_squares(outputs, labels).value; });
  CHECK(test::relative_error(exact, estimate) < 1e-6);
}

TEST_CASE("sum_of_squares: giant outputs of float are squared without overflow", "[loss]") {
  const auto loss = sum_of_squares(Matrix<float>{{1e30F, 0}}, Labels{1});
  CHECK(loss.value == Approx(5e59).epsilon(1e-6));
  CHECK(test::equal(loss.gradient, Matrix<float>{{1e30F, -1}}));
}

TEMPLATE_TEST_CASE("loss: shapes and labels that do not fit are named", "[loss][error]", float, double) {
  const Matrix<TestType> outputs = zeros<TestType>({2, 10});
  CHECK_ERROR(softmax_cross_entropy(outputs, Labels{1}), ShapeError,
              "softmax_cross_entropy: outputs of shape (2, 10) and 1 labels, expected as many labels as rows");
  CHECK_ERROR(sum_of_squares(outputs, Labels{1, 2, 3}), ShapeError,
              "sum_of_squares: outputs of shape (2, 10) and 3 labels");
  CHECK_ERROR(softmax_cross_entropy(zeros<TestType>({0, 10}), Labels::from_shape({0})), ShapeError, "at least one");
  CHECK_ERROR(sum_of_squares(zeros<TestType>({0, 10}), Labels::from_shape({0})), ShapeError, "at least one");
  CHECK_ERROR(softmax_cross_entropy(outputs, Labels{0, 10}), ArgumentError,
              "softmax_cross_entropy: label 10 of sample 1, expected 0 to 9");
  CHECK_ERROR(sum_of_squares(outputs, Labels{255, 0}), ArgumentError,
              "sum_of_squares: label 255 of sample 0, expected 0 to 9");
}

TEST_CASE("loss: what is asked about stays as it was", "[loss]") {
  const Matrix<float> outputs{{1, 2}, {3, 4}};
  const Matrix<float> before = outputs;
  softmax_cross_entropy(outputs, Labels{0, 1});
  sum_of_squares(outputs, Labels{0, 1});
  CHECK(test::equal(outputs, before));
}
