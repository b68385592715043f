#include <digitnet/activation.hpp>
#include <digitnet/random.hpp>

#include "catch.hpp"
#include "gradient.hpp"

#include <limits>
#include <numeric>

using namespace digitnet;

namespace {

/// The activation of one number; for softmax, of the row (z, 0).
template <class Real>
Real activated(Activation activation, Real z) {
  std::array<Real, 2> row{z, 0};
  activate(activation, std::span<Real>(row).first(activation == Activation::softmax ? 2 : 1));
  return row[0];
}

/// da/dz of one number, for all but softmax.
template <class Real>
Real derivative(Activation activation, Real z) {
  Real gradient = 1;
  const Real kept = needs_preactivation(activation) ? z : activated(activation, z);
  activation_gradient<Real>(activation, {&gradient, 1}, {&kept, 1});
  return gradient;
}

Activation every(std::size_t index) { return static_cast<Activation>(index); }

bool is_softmax(Activation activation) { return activation == Activation::softmax; }

}  // namespace

TEST_CASE("activation: names go there and back", "[activation]") {
  for (std::size_t i = 0; i < activation_names.size(); ++i) {
    CHECK(activation_from_name(name_of(every(i))) == every(i));
    CHECK(activation_from_name(activation_names[i]) == every(i));
  }
  CHECK(name_of(Activation::identity) == "identity");
  CHECK(name_of(Activation::leaky_relu) == "leaky_relu");
  CHECK(name_of(Activation::softmax) == "softmax");
}

TEST_CASE("activation: an unknown name is answered with those there are", "[activation][error]") {
  CHECK_ERROR(activation_from_name("swish"), ArgumentError,
              "activation \"swish\", expected one of identity, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, "
              "softplus, softmax");
  CHECK_ERROR(activation_from_name("Relu", "Network"), ArgumentError, "Network: activation \"Relu\", expected one");
  CHECK_ERROR(activation_from_name(""), ArgumentError, "activation \"\"");
  CHECK_ERROR(activation_from_name(std::string(1000, 'x')), ArgumentError, std::string(40, 'x') + "\", expected");
}

TEST_CASE("activation: a name with a slip or two is answered with the one that was meant", "[activation][error]") {
  const std::vector<std::array<std::string, 2>> slips{
      {{"rleu", "relu"}, {"Relu", "relu"}, {"leakyrelu", "leaky_relu"}, {"tan", "tanh"}, {"softmaxx", "softmax"}}};
  for (const auto& slip : slips) {
    CHECK_ERROR(activation_from_name(slip[0]), ArgumentError, "softmax; did you mean \"" + slip[1] + "\"?");
  }
  for (const char* other : {"", "x", "ab", "swish", "mish"}) {
    const auto hinted = [&] {
      try {
        activation_from_name(other);
      } catch (const ArgumentError& error) {
        return std::string(error.what()).find("did you mean") != std::string::npos;
      }
      return true;
    };
    CHECK_FALSE(hinted());
  }
}

TEST_CASE("activation: distance of names counts what is changed, put in and left out", "[activation]") {
  CHECK(detail::edit_distance("kitten", "sitting") == 3);
  CHECK(detail::edit_distance("sitting", "kitten") == 3);
  CHECK(detail::edit_distance("relu", "relu") == 0);
  CHECK(detail::edit_distance("", "relu") == 4);
  CHECK(detail::edit_distance("relu", "") == 4);
  CHECK(detail::edit_distance("rleu", "relu") == 2);
}

TEST_CASE("activation: a name that is no clean text still makes one line of clean text", "[activation][error]") {
  CHECK_ERROR(activation_from_name("re\nlu"), ArgumentError, "activation \"re?lu\"");
  // 39 bytes, then an e with accent: its two bytes are both shown or both left out.
  CHECK_ERROR(activation_from_name(std::string(39, 'x') + "\u00e9" + "y"), ArgumentError,
              std::string(39, 'x') + "\", expected");
}

TEST_CASE("activate: well-known values", "[activation]") {
  const auto value = [](Activation activation, double z) { return activated(activation, z); };
  // Relative, a few roundings of double; computed with 30 digits, rounded to 17.
  const auto is = [](double expected) { return Approx(expected).epsilon(1e-14).margin(1e-300); };
  CHECK(value(Activation::identity, -1.25) == -1.25);
  CHECK(value(Activation::sigmoid, 0) == 0.5);
  CHECK(value(Activation::sigmoid, 1) == is(0.73105857863000488));
  CHECK(value(Activation::sigmoid, -1) == is(0.26894142136999512));
  CHECK(value(Activation::tanh, 0.5) == is(0.46211715726000976));
  CHECK(value(Activation::relu, 2.5) == 2.5);
  CHECK(value(Activation::relu, -2.5) == 0);
  CHECK(value(Activation::leaky_relu, 2.5) == 2.5);
  CHECK(value(Activation::leaky_relu, -2.5) == is(-0.025));
  CHECK(value(Activation::elu, 2.5) == 2.5);
  CHECK(value(Activation::elu, -1) == is(-0.63212055882855768));
  CHECK(value(Activation::elu, -1e-12) == is(-9.999999999995e-13));
  CHECK(value(Activation::gelu, 0) == 0);
  CHECK(value(Activation::gelu, 1) == is(0.84134474606854293));
  CHECK(value(Activation::gelu, -1) == is(-0.15865525393145707));
  CHECK(value(Activation::silu, 0) == 0);
  CHECK(value(Activation::silu, 1) == is(0.73105857863000488));
  CHECK(value(Activation::silu, -2) == is(-0.23840584404423511));
  CHECK(value(Activation::softplus, 0) == is(0.69314718055994531));
  CHECK(value(Activation::softplus, 1) == is(1.3132616875182228));
  CHECK(value(Activation::softplus, -40) == is(4.2483542552915889e-18));
}

TEST_CASE("activate: zero has the value the formula gives, for every activation", "[activation]") {
  for (const Activation activation : {Activation::identity, Activation::tanh, Activation::relu,
                                      Activation::leaky_relu, Activation::elu, Activation::gelu, Activation::silu}) {
    INFO(name_of(activation));
    CHECK(activated(activation, 0.0F) == 0.0F);
  }
}

TEST_CASE("activate: softmax of a row", "[activation]") {
  std::vector<double> z{1, 2, 3};
  activate(Activation::softmax, std::span<double>(z));
  CHECK(z[0] == Approx(0.090030573170380458).epsilon(1e-14));
  CHECK(z[1] == Approx(0.24472847105479765).epsilon(1e-14));
  CHECK(z[2] == Approx(0.66524095577482187).epsilon(1e-14));

  std::vector<float> one{-7};
  activate(Activation::softmax, std::span<float>(one));
  CHECK(one[0] == 1);

  std::vector<float> same(10, 12345.0F);
  activate(Activation::softmax, std::span<float>(same));
  for (const float a : same) CHECK(a == Approx(0.1));
}

TEST_CASE("activate: softmax is the same for logits moved together, and sums to 1", "[activation]") {
  Rng rng(3);
  for (int trial = 0; trial < 20; ++trial) {
    Matrix<double> z = normal<double>({1, 10}, rng, 5.0);
    Matrix<double> moved = z;
    for (double& value : values(moved)) value += 1000;
    activate(Activation::softmax, row(z, 0));
    activate(Activation::softmax, row(moved, 0));
    CHECK(test::relative_error(z, moved) < 1e-12);  // 1000 + z is rounded to 1e-13
    CHECK(std::accumulate(z.begin(), z.end(), 0.0) == Approx(1).epsilon(1e-14));
  }
}

TEST_CASE("activate: extremes neither overflow nor lose their value", "[activation]") {
  const float most = std::numeric_limits<float>::max();
  for (const float z : {100.0F, 1e4F, most}) {
    INFO("z = " << z);
    for (const Activation activation : {Activation::identity, Activation::relu, Activation::leaky_relu,
                                        Activation::elu, Activation::gelu, Activation::silu, Activation::softplus}) {
      INFO(name_of(activation));
      CHECK(activated(activation, z) == z);
    }
    CHECK(activated(Activation::sigmoid, z) == 1);
    CHECK(activated(Activation::tanh, z) == 1);
    CHECK(activated(Activation::softmax, z) == 1);

    CHECK(activated(Activation::identity, -z) == -z);
    CHECK(activated(Activation::sigmoid, -z) >= 0);
    CHECK(activated(Activation::sigmoid, -z) < 1e-40F);
    CHECK(activated(Activation::tanh, -z) == -1);
    CHECK(activated(Activation::relu, -z) == 0);
    CHECK(activated(Activation::leaky_relu, -z) == Approx(-0.01F * z));
    CHECK(activated(Activation::elu, -z) == -1);
    CHECK(std::abs(activated(Activation::gelu, -z)) < 1e-40F);
    CHECK(std::abs(activated(Activation::silu, -z)) < 1e-40F);
    CHECK(activated(Activation::softplus, -z) >= 0);
    CHECK(activated(Activation::softplus, -z) < 1e-40F);
    CHECK(activated(Activation::softmax, -z) >= 0);
    CHECK(activated(Activation::softmax, -z) < 1e-40F);
  }
  std::array<float, 3> widest{most, -most, 0};  // their difference is more than a float can hold
  activate(Activation::softmax, std::span<float>(widest));
  CHECK(widest == std::array<float, 3>{1, 0, 0});
}

TEST_CASE("activation_gradient: extremes neither overflow nor lose their value", "[activation][gradient]") {
  for (const float z : {100.0F, 1e4F, std::numeric_limits<float>::max()}) {
    INFO("z = " << z);
    for (const Activation activation : {Activation::identity, Activation::relu, Activation::leaky_relu,
                                        Activation::elu, Activation::gelu, Activation::silu, Activation::softplus}) {
      INFO(name_of(activation));
      CHECK(derivative(activation, z) == 1);
    }
    for (const Activation activation : {Activation::sigmoid, Activation::tanh}) {
      INFO(name_of(activation));
      CHECK(derivative(activation, z) == 0);
    }
    CHECK(derivative(Activation::identity, -z) == 1);
    CHECK(derivative(Activation::leaky_relu, -z) == Approx(0.01));
    for (const Activation activation : {Activation::sigmoid, Activation::tanh, Activation::relu, Activation::elu,
                                        Activation::gelu, Activation::silu, Activation::softplus}) {
      INFO(name_of(activation));
      CHECK(std::abs(derivative(activation, -z)) < 1e-40F);
    }
  }
}

TEST_CASE("activate: a z that is no number stays none, so that a training sees that it diverged", "[activation]") {
  for (std::size_t i = 0; i < activation_names.size(); ++i) {
    INFO(activation_names[i]);
    CHECK(std::isnan(activated(every(i), std::numeric_limits<float>::quiet_NaN())));
  }
}

TEST_CASE("activation_gradient: every element-wise derivative agrees with central differences",
          "[activation][gradient]") {
  Rng rng(11);
  for (std::size_t i = 0; i < activation_names.size(); ++i) {
    const Activation activation = every(i);
    if (is_softmax(activation)) continue;
    INFO(name_of(activation));
    for (int trial = 0; trial < 200; ++trial) {
      double z = rng.uniform(-5, 5);
      if (std::abs(z) < 1e-3) z = 0.5;  // away from the kinks, where there is no derivative
      INFO("z = " << z);
      const double step = 1e-5;
      const double estimate = (activated(activation, z + step) - activated(activation, z - step)) / (2 * step);
      // The least derivative here, tanh' at 5, is 2e-4; the estimate is wrong by some 1e-11.
      CHECK(derivative(activation, z) == Approx(estimate).epsilon(1e-6).margin(3e-11));
    }
  }
}

TEST_CASE("activation_gradient: multiplies what comes from above", "[activation][gradient]") {
  for (std::size_t i = 0; i < activation_names.size(); ++i) {
    if (is_softmax(every(i))) continue;
    INFO(activation_names[i]);
    std::array<double, 3> kept{0.3, -0.4, 0.9};
    if (!needs_preactivation(every(i))) activate(every(i), std::span<double>(kept));
    std::array<double, 3> once{1, 1, 1};
    std::array<double, 3> scaled{2, 0, -3};
    activation_gradient<double>(every(i), once, kept);
    activation_gradient<double>(every(i), scaled, kept);
    CHECK(scaled[0] == Approx(2 * once[0]).epsilon(1e-15));
    CHECK(scaled[1] == 0);
    CHECK(scaled[2] == Approx(-3 * once[2]).epsilon(1e-15));
  }
}

TEST_CASE("activation_gradient: softmax's product with its Jacobian agrees with central differences",
          "[activation][gradient]") {
  Rng rng(12);
  for (const std::size_t classes : {1u, 2u, 3u, 10u, 256u}) {
    Matrix<double> z = normal<double>({1, classes}, rng);
    const Matrix<double> above = normal<double>({1, classes}, rng);  // dL/da of L = sum_k above_k a_k
    const auto loss = [&] {
      Matrix<double> a = z;
      activate(Activation::softmax, row(a, 0));
      return std::inner_product(a.begin(), a.end(), above.begin(), 0.0);
    };
    Matrix<double> kept = z;
    activate(Activation::softmax, row(kept, 0));
    Matrix<double> exact = above;
    activation_gradient<double>(Activation::softmax, row(exact, 0), row(std::as_const(kept), 0));
    INFO(classes << " classes");
    if (classes == 1) {
      CHECK(exact(0, 0) == 0);  // it is always 1
    } else {
      CHECK(test::relative_error(exact, test::central_difference(z, loss)) < 1e-6);
    }
  }
}

TEST_CASE("needs_preactivation: only where the value does not tell the derivative", "[activation]") {
  for (std::size_t i = 0; i < activation_names.size(); ++i) {
    INFO(activation_names[i]);
    CHECK(needs_preactivation(every(i)) == (every(i) == Activation::gelu || every(i) == Activation::silu));
  }
}

TEST_CASE("activate: float follows double", "[activation]") {
  Rng rng(13);
  for (std::size_t i = 0; i < activation_names.size(); ++i) {
    if (is_softmax(every(i))) continue;
    INFO(activation_names[i]);
    for (int trial = 0; trial < 200; ++trial) {
      const auto z = static_cast<float>(rng.uniform(-6, 6));
      INFO("z = " << z);
      // A few roundings of float; a negative z of gelu meets erfc's rounding of its argument, times z^2.
      CHECK(activated(every(i), z) == Approx(activated(every(i), static_cast<double>(z))).epsilon(1e-5));
      CHECK(derivative(every(i), z) ==
            Approx(derivative(every(i), static_cast<double>(z))).epsilon(1e-5).margin(3e-7));
    }
  }
}
