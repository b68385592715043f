#include <digitnet/layer.hpp>
#include <digitnet/random.hpp>

#include "arrays.hpp"
#include "catch.hpp"
#include "gradient.hpp"

using namespace digitnet;

namespace {

template <class Real>
Dense<Real> random_layer(std::size_t inputs, std::size_t outputs, Activation activation, Rng& rng) {
  Dense<Real> layer{normal<Real>({inputs, outputs}, rng, 0.5), zero_vector<Real>(outputs), activation};
  for (Real& value : values(layer.bias)) value = static_cast<Real>(rng.normal());
  return layer;
}

/// x W + b by the definition, in double.
template <class Real>
Matrix<double> plain_preactivation(const Dense<Real>& layer, const Matrix<Real>& x) {
  Matrix<double> z = zeros<double>({x.shape(0), layer.outputs()});
  for (std::size_t n = 0; n < x.shape(0); ++n) {
    for (std::size_t j = 0; j < layer.outputs(); ++j) {
      z(n, j) = static_cast<double>(layer.bias(j));
      for (std::size_t i = 0; i < layer.inputs(); ++i) {
        z(n, j) += static_cast<double>(x(n, i)) * static_cast<double>(layer.weights(i, j));
      }
    }
  }
  return z;
}

/// Sums of some dozens of products of numbers around 1, each rounded to epsilon.
template <class Real>
constexpr double rounding = 100 * static_cast<double>(std::numeric_limits<Real>::epsilon());

}  // namespace

TEST_CASE("Dense: counts", "[layer]") {
  const Dense<float> layer{zeros<float>({784, 10}), zero_vector<float>(10), Activation::relu};
  CHECK(layer.inputs() == 784);
  CHECK(layer.outputs() == 10);
  CHECK(layer.parameter_count() == 7850);
  CHECK(Dense<float>{}.activation == Activation::identity);
}

TEST_CASE("Dense: a layer done by hand", "[layer]") {
  const Dense<double> layer{{{1, 2, 3}, {4, 5, 6}}, {10, -20, 0.5}, Activation::relu};
  const Matrix<double> x{{1, -1}, {0, 2}};
  CHECK(test::equal(layer.preactivation(x), Matrix<double>{{7, -23, -2.5}, {18, -10, 12.5}}));
  CHECK(test::equal(layer.forward(x), Matrix<double>{{7, 0, 0}, {18, 0, 12.5}}));

  const Matrix<double> dz{{1, 0, 2}, {-1, 3, 0}};
  const auto gradients = layer.backward(x, dz);
  CHECK(test::equal(gradients.weights, Matrix<double>{{1, 0, 2}, {-3, 6, -2}}));
  CHECK(test::equal(gradients.bias, Vector<double>{0, 3, 2}));
  CHECK(test::equal(gradients.input, Matrix<double>{{7, 16}, {5, 11}}));
}

TEMPLATE_TEST_CASE("Dense: forward agrees with a triple loop, for every activation", "[layer]", float, double) {
  Rng rng(21);
  for (std::size_t a = 0; a < activation_names.size(); ++a) {
    for (const std::size_t batch : {1u, 2u, 33u}) {
      const auto layer = random_layer<TestType>(37, 11, static_cast<Activation>(a), rng);
      const Matrix<TestType> x = normal<TestType>({batch, 37}, rng);
      Matrix<double> expected = plain_preactivation(layer, x);
      INFO(activation_names[a] << ", batch " << batch);
      CHECK(test::relative_error(layer.preactivation(x), expected) < rounding<TestType>);
      for (std::size_t i = 0; i < batch; ++i) activate(layer.activation, row(expected, i));
      CHECK(test::relative_error(layer.forward(x), expected) < rounding<TestType>);
    }
  }
}

TEMPLATE_TEST_CASE("Dense: backward agrees with triple loops", "[layer]", float, double) {
  Rng rng(22);
  for (const std::size_t batch : {1u, 5u, 40u}) {
    const auto layer = random_layer<TestType>(13, 9, Activation::tanh, rng);
    const Matrix<TestType> x = normal<TestType>({batch, 13}, rng);
    const Matrix<TestType> dz = normal<TestType>({batch, 9}, rng);
    Matrix<double> dw = zeros<double>({13, 9});
    Vector<double> db = zero_vector<double>(9);
    Matrix<double> dx = zeros<double>({batch, 13});
    for (std::size_t n = 0; n < batch; ++n) {
      for (std::size_t j = 0; j < 9; ++j) {
        const auto d = static_cast<double>(dz(n, j));
        db(j) += d;
        for (std::size_t i = 0; i < 13; ++i) {
          dw(i, j) += static_cast<double>(x(n, i)) * d;
          dx(n, i) += d * static_cast<double>(layer.weights(i, j));
        }
      }
    }
    const auto gradients = layer.backward(x, dz);
    INFO("batch " << batch);
    CHECK(test::relative_error(gradients.weights, dw) < rounding<TestType>);
    CHECK(test::relative_error(gradients.bias, db) < rounding<TestType>);
    CHECK(test::relative_error(gradients.input, dx) < rounding<TestType>);
  }
}

TEST_CASE("Dense: gradients of weights, bias and input agree with central differences", "[layer][gradient]") {
  Rng rng(23);
  for (std::size_t a = 0; a < activation_names.size(); ++a) {
    auto layer = random_layer<double>(6, 4, static_cast<Activation>(a), rng);
    Matrix<double> x = normal<double>({3, 6}, rng);
    const Matrix<double> above = normal<double>({3, 4}, rng);  // dL/da of L = sum above * a
    const auto loss = [&] {
      const Matrix<double> outputs = layer.forward(x);
      double sum = 0;
      for (std::size_t i = 0; i < outputs.size(); ++i) sum += outputs.data()[i] * above.data()[i];
      return sum;
    };
    const Matrix<double> kept = needs_preactivation(layer.activation) ? layer.preactivation(x) : layer.forward(x);
    for (const double z : layer.preactivation(x)) REQUIRE(std::abs(z) > 1e-4);  // no kink within the step
    Matrix<double> dz = above;
    for (std::size_t i = 0; i < 3; ++i) activation_gradient<double>(layer.activation, row(dz, i), row(kept, i));
    const auto exact = layer.backward(x, dz);
    INFO(activation_names[a]);
    CHECK(test::relative_error(exact.weights, test::central_difference(layer.weights, loss)) < 1e-6);
    CHECK(test::relative_error(exact.bias, test::central_difference(layer.bias, loss)) < 1e-6);
    CHECK(test::relative_error(exact.input, test::central_difference(x, loss)) < 1e-6);
  }
}

TEST_CASE("Dense: an empty batch gives empty answers and gradients of 0", "[layer]") {
  Rng rng(24);
  const auto layer = random_layer<float>(3, 2, Activation::softmax, rng);
  CHECK(layer.forward(zeros<float>({0, 3})).shape() == zeros<float>({0, 2}).shape());
  const auto gradients = layer.backward(zeros<float>({0, 3}), zeros<float>({0, 2}));
  CHECK(test::equal(gradients.weights, zeros<float>({3, 2})));
  CHECK(test::equal(gradients.bias, zero_vector<float>(2)));
  CHECK(gradients.input.size() == 0);
}

TEST_CASE("Dense: shapes that do not fit are named", "[layer][error]") {
  const Dense<float> layer{zeros<float>({784, 10}), zero_vector<float>(10), Activation::relu};
  CHECK_ERROR(layer.forward(zeros<float>({32, 783})), ShapeError,
              "Dense::forward: input has shape (32, 783), expected (batch, 784)");
  CHECK_ERROR(layer.preactivation(zeros<float>({1, 10})), ShapeError,
              "Dense::forward: input has shape (1, 10), expected (batch, 784)");
  const std::string expected = "expected (batch, 784) and (batch, 10)";
  CHECK_ERROR(layer.backward(zeros<float>({2, 783}), zeros<float>({2, 10})), ShapeError,
              "Dense::backward: input (2, 783) and gradient (2, 10), " + expected);
  CHECK_ERROR(layer.backward(zeros<float>({2, 784}), zeros<float>({2, 11})), ShapeError, expected);
  CHECK_ERROR(layer.backward(zeros<float>({2, 784}), zeros<float>({3, 10})), ShapeError, expected);
}
