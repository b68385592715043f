#include <digitnet/range_test.hpp>

#include "arrays.hpp"
#include "catch.hpp"
#include "small_networks.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

using namespace digitnet;

namespace {

/// A network and data on which rates from 1e-4 to 100 show all there is to see.
struct Setting {
  Rng rng{1};
  Network<float> network{{784, 32, 10}, Activation::relu, rng};
  Dataset data = test::mnist_sample().train.slice(0, 2000);
  Sgd<float> sgd{0.25};
  RangeTestOptions options;

  Setting() {
    options.low = 1e-4;
    options.high = 100;
    options.steps = 120;
    options.training.batch_size = 50;
    options.training.threads = 1;
  }

  RangeTest run() { return learning_rate_range_test(network, data, sgd, options, rng); }
};

}  // namespace

TEST_CASE("range test: the rate rises by the same ratio in each step", "[range_test]") {
  Setting setting;
  setting.options.low = 1e-3;
  setting.options.high = 0.1;
  setting.options.steps = 101;  // more than two epochs of 40 steps
  const RangeTest found = setting.run();
  REQUIRE(found.points.size() == 101);
  for (std::size_t i = 0; i < 101; ++i) {
    CHECK(found.points[i].learning_rate == Approx(1e-3 * std::pow(10, static_cast<double>(i) / 50)).epsilon(1e-10));
  }
}

TEST_CASE("range test: losses are those of a training, and their running mean", "[range_test]") {
  Setting setting;
  setting.options.steps = 30;
  setting.options.high = 0.5;
  Rng same = setting.rng;
  const RangeTest found = setting.run();
  REQUIRE(found.points.size() == 30);

  // The same training done by hand.
  Sgd<float> sgd(1e-4);
  Network<float> network = setting.network;
  TrainingOptions training = setting.options.training;
  training.epochs = 1;  // of 40 steps
  std::vector<double> losses;
  training.schedule = [](double progress) { return std::pow(5000, (progress * 40 - 0.5) / 29); };
  training.on_batch = [&](const BatchReport& report) { losses.push_back(report.loss); };
  train(network, setting.data, {}, sgd, training, same);
  double weighted = 0;
  double weights = 0;
  for (std::size_t i = 0; i < 30; ++i) {
    CHECK(found.points[i].loss == Approx(losses[i]).epsilon(1e-5));
    weighted = 0.9 * weighted + losses[i];
    weights = 0.9 * weights + 1;
    CHECK(found.points[i].smoothed_loss == Approx(weighted / weights).epsilon(1e-5));
  }
}

TEST_CASE("range test: finds a rate that learns, and ends where there is no hope", "[range_test]") {
  Setting setting;
  const RangeTest found = setting.run();
  CHECK(found.points.size() < setting.options.steps);
  CHECK(found.points.back().learning_rate < 100);
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < found.points.size(); ++i) {
    lowest = std::min(lowest, found.points[i].smoothed_loss);
    if (i + 1 < found.points.size()) CHECK(found.points[i].smoothed_loss <= 4 * lowest);
    CHECK(std::isfinite(found.points[i].loss));
  }
  REQUIRE(found.suggestion);
  CHECK(*found.suggestion > 0.01);
  CHECK(*found.suggestion < 1);

  // With it a short training does what one of a hundredth or of the last rate does not.
  const auto loss_with = [&](double rate) {
    Rng rng(2);
    Network<float> network = setting.network;
    Sgd<float> sgd(rate);
    TrainingOptions training = setting.options.training;
    training.epochs = 2;
    train(network, setting.data, {}, sgd, training, rng);
    return evaluate(network, setting.data, 1).loss;
  };
  const double good = loss_with(*found.suggestion);
  CHECK(good < 1);
  CHECK(good < loss_with(*found.suggestion / 100));
  const double bad = loss_with(found.points.back().learning_rate);
  CHECK(!(bad < good));
}

TEST_CASE("range test: neither the network nor the optimizer is changed", "[range_test]") {
  Setting setting;
  const Network<float> before = setting.network;
  setting.sgd.prepare({3});
  setting.sgd.begin_step();
  setting.run();
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(test::same_bits(setting.network.layer(i).weights, before.layer(i).weights));
    CHECK(test::same_bits(setting.network.layer(i).bias, before.layer(i).bias));
  }
  CHECK(setting.sgd.learning_rate() == 0.25);
  CHECK(setting.sgd.steps() == 1);
}

TEST_CASE("range test: every optimizer, float and double", "[range_test]") {
  const Dataset data = test::mnist_sample().train.slice(0, 1000);
  for (const std::string_view name : optimizer_names) {
    INFO(name);
    RangeTestOptions options;
    options.steps = 60;
    options.training.batch_size = 32;
    Rng rng(1);
    const Network<double> network({784, 16, 10}, Activation::relu, rng);
    const auto optimizer = make_optimizer<double>(name);
    const RangeTest found = learning_rate_range_test(network, data, *optimizer, options, rng);
    CHECK(found.points.size() > 20);
    REQUIRE(found.suggestion);
    CHECK(*found.suggestion > options.low);
    CHECK(*found.suggestion < options.high);
  }
}

TEST_CASE("range test: says so when the loss never falls", "[range_test]") {
  Setting setting;
  setting.options.low = 1e-30;
  setting.options.high = 1e-29;
  setting.options.training.shuffle = false;
  setting.data = setting.data.slice(0, 50);  // the same batch in each step, so that its loss does not change
  const RangeTest found = setting.run();
  CHECK(found.points.size() == 120);
  CHECK(!found.suggestion);
}

TEST_CASE("range test: a loss that is not finite ends it", "[range_test]") {
  Setting setting;
  setting.options.low = 1e35;
  setting.options.high = 1e38;
  const RangeTest found = setting.run();
  CHECK(found.points.size() < 5);
  for (const RangeTestPoint& point : found.points) CHECK(std::isfinite(point.loss));
  CHECK(!found.suggestion);
}

TEST_CASE("range test: reports each point, can be stopped, and lets exceptions through", "[range_test]") {
  Setting setting;
  StopFlag stop;
  setting.options.training.stop = &stop;
  std::vector<double> rates;
  setting.options.on_point = [&](const RangeTestPoint& point) {
    rates.push_back(point.learning_rate);
    if (rates.size() == 7) stop.request();
  };
  const RangeTest found = setting.run();
  CHECK(found.points.size() == rates.size());
  CHECK(rates.size() <= 8);
  CHECK(rates.size() >= 7);
  for (std::size_t i = 0; i < rates.size(); ++i) CHECK(rates[i] == found.points[i].learning_rate);
  CHECK(setting.run().points.empty());  // the flag is still up

  stop.clear();
  setting.options.on_point = [](const RangeTestPoint&) { throw std::domain_error("of a point"); };
  CHECK_THROWS_WITH(setting.run(), "of a point");
}

TEST_CASE("range test: the options of a training that make no sense here are not looked at", "[range_test]") {
  Setting setting, odd;
  odd.options.training.epochs = 0;
  odd.options.training.stop_below_loss = 100;
  odd.options.training.schedule = [](double) -> double { throw std::domain_error("of a schedule"); };
  odd.options.training.averaging = Averaging::swa;
  odd.options.training.early_stopping = EarlyStopping{};  // without validation data
  odd.options.training.plateau = ReduceOnPlateau(0.5, 0);
  const RangeTest expected = setting.run();
  const RangeTest found = odd.run();
  REQUIRE(found.points.size() == expected.points.size());
  CHECK(found.points.back().loss == expected.points.back().loss);
  CHECK(found.suggestion == expected.suggestion);
}

TEST_CASE("range test: nonsense is named", "[range_test][error]") {
  const auto with = [](auto change) {
    Setting setting;
    change(setting);
    return setting.run();
  };
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double low : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), infinity}) {
    CHECK_ERROR(with([=](Setting& s) { s.options.low = low; }), ArgumentError,
                detail::text("learning_rate_range_test: low is ", low, ", expected a number above 0"));
  }
  for (const double high : {1e-4, -1.0, std::numeric_limits<double>::quiet_NaN(), infinity}) {
    CHECK_ERROR(with([=](Setting& s) { s.options.high = high; }), ArgumentError,
                detail::text("learning_rate_range_test: high is ", high, ", expected a number above low, 0.0001"));
  }
  CHECK_ERROR(with([](Setting& s) { s.options.steps = 1; }), ArgumentError,
              "learning_rate_range_test: steps is 1, expected at least 2");
  CHECK_ERROR(with([](Setting& s) { s.options.training.batch_size = 0; }), ArgumentError, "batch_size is 0");
  CHECK_ERROR(with([](Setting& s) { s.data = Dataset(); }), ArgumentError, "train: ");
  CHECK_ERROR(with([](Setting& s) { s.data = test::random_data(20, 5, 3, s.rng); }), ShapeError, "train: ");
}
