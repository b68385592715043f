#include <digitnet/initializer.hpp>

#include "arrays.hpp"
#include "catch.hpp"

using namespace digitnet;

namespace {

struct Moments {
  double mean = 0;
  double variance = 0;
  double fourth = 0;  // fourth moment over the square of the variance: 3 if normal, 1.8 if uniform
  double largest = 0;
};

Moments moments(const Matrix<double>& numbers) {
  Moments m;
  const auto count = static_cast<double>(numbers.size());
  for (const double x : numbers) m.mean += x / count;
  for (const double x : numbers) {
    const double square = (x - m.mean) * (x - m.mean);
    m.variance += square / count;
    m.fourth += square * square / count;
    m.largest = std::max(m.largest, std::abs(x));
  }
  m.fourth /= m.variance * m.variance;
  return m;
}

struct Promise {
  Initializer initializer;
  double variance;  // for fan_in 300, fan_out 100
  bool is_uniform;
};

}  // namespace

TEST_CASE("initializer: names go there and back, an unknown one is answered with those there are", "[initializer]") {
  for (std::size_t i = 0; i < initializer_names.size(); ++i) {
    const auto initializer = static_cast<Initializer>(i);
    CHECK(initializer_from_name(name_of(initializer)) == initializer);
  }
  CHECK(name_of(Initializer::glorot_uniform) == "glorot_uniform");
  CHECK(name_of(Initializer::zeros) == "zeros");
  CHECK_ERROR(initializer_from_name("xavier"), ArgumentError,
              "initializer \"xavier\", expected one of glorot_uniform, glorot_normal, he_uniform, he_normal, "
              "lecun_uniform, lecun_normal, zeros");
}

TEST_CASE("initial_weights: mean 0 and the variance of the table, normal or uniform", "[initializer]") {
  const auto promise = GENERATE(
      Promise{Initializer::glorot_uniform, 2.0 / 400, true}, Promise{Initializer::glorot_normal, 2.0 / 400, false},
      Promise{Initializer::he_uniform, 2.0 / 300, true}, Promise{Initializer::he_normal, 2.0 / 300, false},
      Promise{Initializer::lecun_uniform, 1.0 / 300, true}, Promise{Initializer::lecun_normal, 1.0 / 300, false});
  INFO(name_of(promise.initializer));
  Rng rng(5);
  const Matrix<double> weights = initial_weights<double>(promise.initializer, 300, 100, rng);
  REQUIRE(weights.shape(0) == 300);
  REQUIRE(weights.shape(1) == 100);
  const Moments m = moments(weights);
  // 30,000 numbers: the mean is known to sigma / 173, the variance of a normal to 0.8 %, the fourth moment
  // over the variance squared to 0.03. Limits of 4 to 5 of these.
  CHECK(std::abs(m.mean) < 4 * std::sqrt(promise.variance / 30000));
  CHECK(m.variance == Approx(promise.variance).epsilon(0.04));
  CHECK(m.fourth == Approx(promise.is_uniform ? 1.8 : 3.0).margin(0.15));
  if (promise.is_uniform) {
    const double limit = std::sqrt(3 * promise.variance);
    CHECK(m.largest <= limit);
    CHECK(m.largest > 0.999 * limit);
  } else {
    CHECK(m.largest > 3 * std::sqrt(promise.variance));
  }
}

TEST_CASE("initial_weights: zeros draws nothing", "[initializer]") {
  Rng rng(5);
  const auto before = rng.state();
  const Matrix<float> weights = initial_weights<float>(Initializer::zeros, 4, 3, rng);
  CHECK(test::equal(weights, zeros<float>({4, 3})));
  CHECK(rng.state() == before);
}

TEST_CASE("initial_weights: the same seed gives the same weights, another gives others", "[initializer]") {
  for (std::size_t i = 0; i < initializer_names.size(); ++i) {
    const auto initializer = static_cast<Initializer>(i);
    if (initializer == Initializer::zeros) continue;
    INFO(name_of(initializer));
    Rng first(1), again(1), other(2);
    const Matrix<float> weights = initial_weights<float>(initializer, 20, 30, first);
    CHECK(test::equal(weights, initial_weights<float>(initializer, 20, 30, again)));
    CHECK(!test::equal(weights, initial_weights<float>(initializer, 20, 30, other)));
  }
}

TEST_CASE("initial_weights: float and double are the same draws", "[initializer]") {
  for (std::size_t i = 0; i < initializer_names.size(); ++i) {
    Rng first(1), again(1);
    const auto narrow = initial_weights<float>(static_cast<Initializer>(i), 7, 5, first);
    const auto wide = initial_weights<double>(static_cast<Initializer>(i), 7, 5, again);
    CHECK(test::equal(narrow, Matrix<float>(xt::cast<float>(wide))));
  }
}

TEST_CASE("default_initializer: He for relu and its kin, Glorot for the rest", "[initializer]") {
  for (const Activation activation : {Activation::relu, Activation::leaky_relu, Activation::elu, Activation::gelu,
                                      Activation::silu, Activation::softplus}) {
    CHECK(default_initializer(activation) == Initializer::he_normal);
  }
  for (const Activation activation :
       {Activation::identity, Activation::sigmoid, Activation::tanh, Activation::softmax}) {
    CHECK(default_initializer(activation) == Initializer::glorot_uniform);
  }
}
