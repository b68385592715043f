#include <digitnet/trainer.hpp>

#include "arrays.hpp"
#include "catch.hpp"
#include "golden_training.hpp"
#include "gradient.hpp"
#include "reference_network.hpp"
#include "small_networks.hpp"

#include <limits>
#include <stdexcept>
#include <thread>

using namespace digitnet;
namespace golden = test::golden;

namespace {

constexpr auto cross_entropy = LossFunction::softmax_cross_entropy;
constexpr auto squares = LossFunction::sum_of_squares;

const std::vector<std::string> golden_names{"sgd", "momentum", "nesterov", "adam", "adamw"};

/// The optimizer of this name, with the settings of make_golden.py.
template <class Real>
std::unique_ptr<Optimizer<Real>> optimizer_named(const std::string& name) {
  if (name == "sgd") return std::make_unique<Sgd<Real>>(0.5);
  if (name == "momentum") return std::make_unique<Sgd<Real>>(0.1, 0.9);
  if (name == "nesterov") return std::make_unique<Sgd<Real>>(0.1, 0.9, true);
  if (name == "adam") return std::make_unique<Adam<Real>>(0.01);
  return std::make_unique<AdamW<Real>>(0.01, 0.1);
}

TrainingOptions options_of(std::size_t epochs, std::size_t batch_size, std::size_t threads = 1) {
  TrainingOptions options;
  options.epochs = epochs;
  options.batch_size = batch_size;
  options.threads = threads;
  return options;
}

template <class Real>
bool same_weights(const Network<Real>& a, const Network<Real>& b) {
  for (std::size_t i = 0; i < a.layers().size(); ++i) {
    if (!test::same_bits(a.layer(i).weights, b.layer(i).weights)) return false;
    if (!test::same_bits(a.layer(i).bias, b.layer(i).bias)) return false;
  }
  return true;
}

template <class Real>
double weights_apart(const Network<Real>& a, const Network<Real>& b) {
  double apart = 0;
  for (std::size_t i = 0; i < a.layers().size(); ++i) {
    apart = std::max(apart, test::relative_error(a.layer(i).weights, b.layer(i).weights));
    apart = std::max(apart, test::relative_error(a.layer(i).bias, b.layer(i).bias));
  }
  return apart;
}

/// One step on a whole data set with a learning rate of 1, so that the change of each parameter is the
/// gradient that training used, to about 1e-16.
template <class Real>
Network<Real> after_one_step(Network<Real> network, const Dataset& data, std::size_t threads = 1) {
  Sgd<Real> sgd(1.0);
  TrainingOptions options = options_of(1, data.size(), threads);
  options.shuffle = false;
  Rng rng(1);
  train(network, data, {}, sgd, options, rng);
  return network;
}

template <class Array>
Array difference(const Array& a, const Array& b) {
  return Array(a - b);
}

/// Whether every pre-activation is far enough from 0, where some activations have no derivative, for a
/// central difference not to reach it; and for the hinge, whether margins are from 1 and from each other.
bool far_from_kinks(const Network<double>& network, const Dataset& data) {
  for (std::size_t n = 0; n < data.size(); ++n) {
    for (const test::Numbers& layer : test::reference_pass(network, test::reference_inputs<double>(data, n)).z) {
      for (const double z : layer) {
        if (std::abs(z) < 3e-4) return false;
      }
    }
  }
  if (network.loss() != LossFunction::hinge) return true;
  const Matrix<double> outputs = network.forward(data);
  for (std::size_t n = 0; n < data.size(); ++n) {
    std::vector<double> margins;
    for (std::size_t k = 0; k < outputs.shape(1); ++k) {
      if (k != data.label(n)) margins.push_back(outputs(n, data.label(n)) - outputs(n, k));
    }
    std::sort(margins.begin(), margins.end());
    for (std::size_t k = 0; k < margins.size(); ++k) {
      if (std::abs(margins[k] - 1) < 1e-3 || (k > 0 && margins[k] - margins[k - 1] < 1e-3)) return false;
    }
  }
  return true;
}

struct Case {
  Network<double> network;
  Dataset data;
};

Case random_case(const Architecture& architecture, std::size_t samples, Rng& rng) {
  for (;;) {
    Case drawn{test::random_network<double>(architecture, rng),
               test::random_data(samples, architecture.sizes.front(), architecture.sizes.back(), rng)};
    if (far_from_kinks(drawn.network, drawn.data)) return drawn;
  }
}

void check_gradient(const Case& drawn) {
  Network<double> network = drawn.network;
  const Dataset& data = drawn.data;
  const Network<double> after = after_one_step(network, data, 2);
  const auto loss = [&] { return evaluate(network, data, 1).loss; };
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    Dense<double>& layer = network.layer(i);
    INFO("layer " << i);
    const auto weights = difference(layer.weights, after.layer(i).weights);
    CHECK(test::relative_error(weights, test::central_difference(layer.weights, loss)) < 1e-6);
    const auto bias = difference(layer.bias, after.layer(i).bias);
    CHECK(test::relative_error(bias, test::central_difference(layer.bias, loss)) < 1e-6);
  }
}

/// A network of 12-9-5 and 80 samples, as in make_golden.py.
template <class Real>
std::pair<Network<Real>, Dataset> golden_case() {
  Rng rng(1);
  Network<Real> network({{12, 9, 5}, {Activation::tanh, Activation::softmax}, cross_entropy});
  for (std::size_t i = 0; i < 2; ++i) {
    for (Real& value : values(network.layer(i).weights)) value = static_cast<Real>(rng.uniform(-0.5, 0.5));
    for (Real& value : values(network.layer(i).bias)) value = static_cast<Real>(rng.uniform(-0.5, 0.5));
  }
  Images images = test::random_images(80, 3, 4, rng);
  return {network, Dataset(std::move(images), test::random_labels(80, 5, rng), 5)};
}

/// A small training whose parts are easy to check: 25 samples, batches of 10, 10 and 5.
struct Small {
  Rng rng{1};
  Network<float> network = test::random_network<float>({{4, 6, 3}, {Activation::tanh, Activation::softmax}}, rng);
  Dataset data = test::random_data(25, 4, 3, rng);
  Sgd<float> sgd{0.1};
  TrainingOptions options = options_of(3, 10);

  History run(const Dataset& validation = {}) { return train(network, data, validation, sgd, options, rng); }
};

}  // namespace

TEST_CASE("train: the gradient agrees with central differences, for every hidden activation, output and loss",
          "[trainer][gradient]") {
  Rng rng(61);
  std::size_t checked = 0;
  for (std::size_t h = 0; h < activation_names.size(); ++h) {
    for (std::size_t o = 0; o < activation_names.size(); ++o) {
      for (std::size_t l = 0; l < loss_names.size(); ++l) {
        const Architecture architecture{
            {5, 4, 3}, {static_cast<Activation>(h), static_cast<Activation>(o)}, static_cast<LossFunction>(l)};
        try {
          check_architecture(architecture);
        } catch (const ArgumentError&) {
          continue;  // not everything goes with everything
        }
        INFO(activation_names[h] << " then " << activation_names[o] << ", " << loss_names[l]);
        check_gradient(random_case(architecture, 5, rng));
        ++checked;
      }
    }
  }
  CHECK(checked ==
        std::size_t{9} * (1 + 1 + 8 + 2 * 10));  // cross-entropy, binary cross-entropy, hinge, squares and Huber
}

TEST_CASE("train: the gradient agrees with central differences, for every size of a batch", "[trainer][gradient]") {
  Rng rng(62);
  for (const std::size_t batch : {1u, 2u, 31u, 32u, 33u, 64u, 70u}) {
    INFO("batch " << batch);
    check_gradient(
        random_case({{4, 3, 3, 2}, {Activation::gelu, Activation::relu, Activation::softmax}}, batch, rng));
    check_gradient(random_case({{4, 3}, {Activation::silu}, squares}, batch, rng));
  }
}

TEMPLATE_TEST_CASE("train: a step on images agrees with plain back-propagation", "[trainer][gradient]", float,
                   double) {
  Rng rng(63);
  const double limit = std::is_same_v<TestType, float> ? 1e-4 : 1e-11;  // the change is a small part of a weight
  const Dataset data = test::mnist_sample().train.slice(0, 100);
  for (const auto& [hidden, output, loss] : {std::tuple{Activation::relu, Activation::softmax, cross_entropy},
                                             std::tuple{Activation::sigmoid, Activation::sigmoid, squares},
                                             std::tuple{Activation::gelu, Activation::softmax, squares}}) {
    const auto network = test::random_network<TestType>({{784, 60, 30, 10}, {hidden, hidden, output}, loss}, rng);
    const auto expected = test::reference_gradients(network, data);
    const auto after = after_one_step(network, data, 2);
    CHECK(evaluate(network, data).loss == Approx(expected.loss).epsilon(limit));
    for (std::size_t i = 0; i < 3; ++i) {
      INFO(name_of(hidden) << " then " << name_of(output) << ", layer " << i);
      const auto& before = network.layer(i);
      CHECK(test::relative_error(difference(before.weights, after.layer(i).weights), expected.weights[i]) < limit);
      CHECK(test::relative_error(difference(before.bias, after.layer(i).bias), expected.bias[i]) < limit);
    }
  }
}

TEMPLATE_TEST_CASE(
    "train: a step on images of mostly nothing agrees with plain back-propagation, whatever their size",
    "[trainer][gradient]", float, double) {
  // Zeros may be left out of the sums of the first layer; one sample here is all zero, one has none.
  const double limit = std::is_same_v<TestType, float> ? 1e-4 : 1e-11;
  Rng rng(65);
  for (const std::size_t inputs : {1u, 2u, 63u, 64u, 65u, 128u, 200u}) {
    for (const std::size_t units : {1u, 3u, 8u, 15u, 16u, 17u, 33u, 64u, 100u}) {
      Images images = Images::from_shape({40, 1, inputs});
      for (auto& pixel : images) pixel = static_cast<std::uint8_t>(rng.below(6) == 0 ? 1 + rng.below(255) : 0);
      std::fill_n(images.data() + 3 * inputs, inputs, std::uint8_t{0});
      std::fill_n(images.data() + 5 * inputs, inputs, std::uint8_t{255});
      const Dataset data = Dataset(std::move(images), test::random_labels(40, 3, rng), 3).slice(1, 38);
      const auto network =
          test::random_network<TestType>({{inputs, units, 3}, {Activation::tanh, Activation::softmax}}, rng);
      const auto expected = test::reference_gradients(network, data);
      const auto after = after_one_step(network, data, 2);
      INFO(inputs << " inputs, " << units << " units");
      for (std::size_t i = 0; i < 2; ++i) {
        const auto& before = network.layer(i);
        CHECK(test::relative_error(difference(before.weights, after.layer(i).weights), expected.weights[i]) < limit);
        CHECK(test::relative_error(difference(before.bias, after.layer(i).bias), expected.bias[i]) < limit);
      }
    }
  }
}

TEST_CASE("train: a smaller last batch is averaged over the samples it has", "[trainer]") {
  Rng rng(64);
  auto [network, data] = random_case({{5, 4, 3}, {Activation::tanh, Activation::softmax}}, 70, rng);
  const Network<double> expected =
      after_one_step(after_one_step(network, data.slice(0, 50)), data.slice(50, 70));  // averages over 50, then 20
  Sgd<double> sgd(1.0);
  TrainingOptions options = options_of(1, 50);
  options.shuffle = false;
  std::vector<std::size_t> samples;
  options.on_batch = [&](const BatchReport& report) { samples.push_back(report.samples); };
  train(network, data, {}, sgd, options, rng);
  CHECK(samples == std::vector<std::size_t>{50, 20});
  CHECK(weights_apart(network, expected) < 1e-12);
}

TEMPLATE_TEST_CASE("train: 50 steps of each optimizer have the losses of NumPy", "[trainer]", float, double) {
  const double limit = std::is_same_v<TestType, float> ? 1e-5 : 1e-10;
  const std::array<const std::array<double, 50>*, 5> expected{&golden::sgd_losses, &golden::momentum_losses,
                                                              &golden::nesterov_losses, &golden::adam_losses,
                                                              &golden::adamw_losses};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(golden_names[i]);
    auto [network, data] = golden_case<TestType>();
    const auto optimizer = optimizer_named<TestType>(golden_names[i]);
    std::vector<double> losses;
    TrainingOptions options = options_of(10, 16, 2);
    options.on_batch = [&](const BatchReport& report) { losses.push_back(report.loss); };
    Rng rng(2);
    train(network, data, {}, *optimizer, options, rng);
    REQUIRE(losses.size() == 50);
    CHECK(optimizer->steps() == 50);
    for (std::size_t step = 0; step < 50; ++step) {
      INFO("step " << step + 1);
      CHECK(losses[step] == Approx((*expected[i])[step]).epsilon(limit));
    }
  }
}

TEST_CASE("train: repeats the training of the ancestor system, epoch by epoch", "[trainer]") {
  // 784-250-10, sigmoids, half the sum of squares, one sample at a time in the order of the data, rate 0.1,
  // all weights and biases uniform in [-0.5, 0.5), until the mean error of an epoch falls below 0.016.
  Rng rng(7);
  Network<double> network({{784, 250, 10}, {Activation::sigmoid, Activation::sigmoid}, squares});
  for (std::size_t i = 0; i < 2; ++i) {
    for (double& value : values(network.layer(i).weights)) value = rng.uniform(-0.5, 0.5);
    for (double& value : values(network.layer(i).bias)) value = rng.uniform(-0.5, 0.5);
  }
  const Dataset data = test::mnist_sample().train.slice(0, golden::ancestor_images);
  Sgd<double> sgd(0.1);
  TrainingOptions options = options_of(1000, 1);
  options.shuffle = false;
  options.stop_below_loss = 0.016;
  const History history = train(network, data, {}, sgd, options, rng);
  CHECK(history.reason == StopReason::loss_reached);
  REQUIRE(history.epochs.size() == golden::ancestor_errors.size());
  for (std::size_t epoch = 0; epoch < history.epochs.size(); ++epoch) {
    INFO("epoch " << epoch + 1);
    CHECK(history.epochs[epoch].training_loss == Approx(golden::ancestor_errors[epoch]).epsilon(1e-9));
  }
}

TEST_CASE("train: a tiny network learns twenty images by heart", "[trainer]") {
  const Dataset data = test::mnist_sample().train.slice(0, 20);
  for (const auto loss : {cross_entropy, squares}) {
    Rng rng(1);
    Network<float> network({784, 20, 10}, Activation::relu, rng, Activation::softmax, loss);
    Adam<float> adam(0.01);
    const History history = train(network, data, {}, adam, options_of(60, 5), rng);
    INFO(name_of(loss));
    CHECK(history.reason == StopReason::done);
    CHECK(history.epochs.back().training_accuracy == 1);
    CHECK(accuracy(network, data) == 1);
    CHECK(history.epochs.back().training_loss < 0.01);
    CHECK(history.epochs.back().training_loss < history.epochs.front().training_loss / 20);
  }
}

TEST_CASE("train: three epochs over 6,000 images read more than nine digits of ten", "[trainer]") {
  Rng rng(1);
  Network<float> network({784, 64, 10}, Activation::relu, rng);
  Adam<float> adam(2e-3);
  const History history =
      train(network, test::mnist_sample().train, test::mnist_sample().test, adam, options_of(3, 64, 0), rng);
  CHECK(history.epochs.size() == 3);
  CHECK(accuracy(network, test::mnist_sample().test) > 0.9);  // 0.93 here; 0.01 is one standard deviation
  CHECK(history.epochs.back().validation_accuracy == accuracy(network, test::mnist_sample().test));
}

TEST_CASE("train: the same seed gives the same bits for any number of threads", "[trainer]") {
  const Dataset bytes = test::mnist_sample().train.slice(0, 130);
  const Dataset numbers(bytes.to_matrix<float>(), bytes.labels());
  Rng rng(1);
  const Network<float> start({784, 50, 10}, Activation::relu, rng);  // weights enough for several pieces
  for (const Dataset& data : {bytes, numbers}) {
    for (const std::string& name : golden_names) {
      for (const std::size_t batch_size : {1u, 7u, 64u, 128u}) {
        if (batch_size == 1 && !data.has_bytes()) continue;  // slow, and nothing new
        const auto trained = [&](std::size_t threads) {
          Network<float> network = start;
          const auto optimizer = optimizer_named<float>(name);
          Rng order(5);
          train(network, data, {}, *optimizer, options_of(batch_size == 1 ? 1 : 2, batch_size, threads), order);
          return network;
        };
        const Network<float> one = trained(1);
        CHECK(!same_weights(one, start));
        for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
          INFO(name << ", batch size " << batch_size << ", " << threads << " threads");
          CHECK(same_weights(trained(threads), one));
        }
      }
    }
  }
}

TEST_CASE("train: reports are the same bits for any number of threads", "[trainer]") {
  std::vector<std::vector<double>> runs;
  for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
    Small small;
    std::vector<double> numbers;
    small.options.threads = threads;
    small.options.on_batch = [&](const BatchReport& report) {
      numbers.insert(numbers.end(), {report.loss, report.accuracy});
    };
    for (const EpochReport& epoch : small.run(small.data).epochs) {
      numbers.insert(numbers.end(), {epoch.training_loss, epoch.training_accuracy, epoch.validation_loss.value(),
                                     epoch.validation_accuracy.value()});
    }
    runs.push_back(numbers);
    CHECK(numbers == runs.front());
  }
}

TEST_CASE("train: another seed gives another order and other weights", "[trainer]") {
  const auto trained = [](std::uint64_t seed) {
    Small small;
    small.rng = Rng(seed);
    small.run();
    return small.network;
  };
  CHECK(same_weights(trained(1), trained(1)));
  CHECK(!same_weights(trained(1), trained(2)));
}

TEST_CASE("train: without shuffling the order is that of the data and no random number is drawn", "[trainer]") {
  Small small;
  small.options.shuffle = false;
  small.sgd.set_learning_rate(0);  // so that the network stays what it is
  const auto state = small.rng.state();
  std::vector<double> losses, accuracies;
  small.options.on_batch = [&](const BatchReport& report) {
    losses.push_back(report.loss);
    accuracies.push_back(report.accuracy);
  };
  small.run();
  CHECK(small.rng.state() == state);
  REQUIRE(losses.size() == 9);
  for (std::size_t batch = 0; batch < 9; ++batch) {
    const std::size_t first = batch % 3 * 10;
    const Evaluation expected =
        evaluate(small.network, small.data.slice(first, std::min<std::size_t>(first + 10, 25)));
    CHECK(losses[batch] == Approx(expected.loss).epsilon(1e-6));
    CHECK(accuracies[batch] == Approx(expected.accuracy));
  }
}

TEST_CASE("train: each epoch meets every sample once, in an order of its own drawn from the generator", "[trainer]") {
  Small small;
  small.sgd.set_learning_rate(0);
  small.options.batch_size = 1;  // the loss of a batch tells the sample
  std::vector<double> losses;
  small.options.on_batch = [&](const BatchReport& report) { losses.push_back(report.loss); };
  const History history = small.run();
  std::vector<std::vector<double>> epochs;
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    epochs.emplace_back(losses.begin() + 25 * static_cast<std::ptrdiff_t>(epoch),
                        losses.begin() + 25 * static_cast<std::ptrdiff_t>(epoch + 1));
  }
  CHECK(epochs[0] != epochs[1]);
  CHECK(epochs[1] != epochs[2]);
  for (auto& epoch : epochs) std::sort(epoch.begin(), epoch.end());
  CHECK(epochs[0] == epochs[1]);
  CHECK(epochs[1] == epochs[2]);
  const Evaluation all = evaluate(small.network, small.data);
  for (const EpochReport& report : history.epochs) {
    CHECK(report.training_loss == Approx(all.loss).epsilon(1e-6));
    CHECK(report.training_accuracy == Approx(all.accuracy).epsilon(1e-14));
  }
}

TEST_CASE("train: reports tell where the training is, in order, on the calling thread", "[trainer]") {
  Small small;
  const Dataset validation = test::random_data(11, 4, 3, small.rng);
  std::vector<std::string> events;
  std::vector<double> losses;
  std::vector<EpochReport> reports;
  const auto caller = std::this_thread::get_id();
  small.options.threads = 3;
  small.options.on_batch = [&](const BatchReport& report) {
    events.push_back(detail::text(report.epoch, ".", report.batch, "/", report.batches, " ", report.samples));
    losses.push_back(report.loss * static_cast<double>(report.samples));
    CHECK(report.learning_rate == Approx(0.1));
    CHECK(report.accuracy >= 0);
    CHECK(report.accuracy <= 1);
    CHECK(std::this_thread::get_id() == caller);
  };
  small.options.on_epoch = [&](const EpochReport& report) {
    events.push_back(detail::text(report.epoch, " of ", report.epochs));
    reports.push_back(report);
    CHECK(report.training_loss == Approx((losses[0] + losses[1] + losses[2]) / 25).epsilon(1e-14));
    losses.clear();
    const Evaluation expected = evaluate(small.network, validation);  // the network as it is after the epoch
    CHECK(report.validation_loss.value() == expected.loss);
    CHECK(report.validation_accuracy.value() == expected.accuracy);
    CHECK(report.learning_rate == Approx(0.1));
    CHECK(report.seconds >= 0);
    CHECK(std::this_thread::get_id() == caller);
  };
  const History history = small.run(validation);
  CHECK(events == std::vector<std::string>{"1.1/3 10", "1.2/3 10", "1.3/3 5", "1 of 3", "2.1/3 10", "2.2/3 10",
                                           "2.3/3 5", "2 of 3", "3.1/3 10", "3.2/3 10", "3.3/3 5", "3 of 3"});
  CHECK(history.reason == StopReason::done);
  REQUIRE(history.epochs.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(history.epochs[i].epoch == i + 1);
    CHECK(history.epochs[i].training_loss == reports[i].training_loss);
    CHECK(history.epochs[i].validation_loss == reports[i].validation_loss);
  }
}

TEST_CASE("train: a batch is reported as it was before the step", "[trainer]") {
  Small small;
  small.options = options_of(1, 25);
  const Evaluation before = evaluate(small.network, small.data);
  const History history = small.run();
  CHECK(history.epochs.at(0).training_loss == Approx(before.loss).epsilon(1e-6));
  CHECK(history.epochs.at(0).training_accuracy == Approx(before.accuracy).epsilon(1e-14));
  CHECK(evaluate(small.network, small.data).loss < before.loss);
}

TEST_CASE("train: a batch's accuracy counts what evaluate counts, for every output", "[trainer]") {
  for (std::size_t o = 0; o < activation_names.size(); ++o) {
    Network<float> network(Architecture{{1, 3}, {static_cast<Activation>(o)}, squares});
    network.layer(0).bias = Vector<float>{-1, -9, -2};  // gelu and silu have their largest output at -9
    const Dataset data(Matrix<float>{{0}, {0}, {0}, {0}}, Labels{0, 1, 1, 2}, 3);
    const Evaluation before = evaluate(network, data);
    Sgd<float> sgd(0.1);
    Rng rng(1);
    INFO(activation_names[o]);
    CHECK(train(network, data, {}, sgd, options_of(1, 4), rng).epochs.at(0).training_accuracy == before.accuracy);
    CHECK(before.accuracy == (needs_preactivation(static_cast<Activation>(o)) ? 0.5 : 0.25));
  }
}

TEST_CASE("train: without validation data there are no validation numbers", "[trainer]") {
  Small small;
  for (const EpochReport& report : small.run().epochs) {
    CHECK(!report.validation_loss.has_value());
    CHECK(!report.validation_accuracy.has_value());
  }
}

TEST_CASE("train: validation never changes the weights", "[trainer]") {
  Small with;
  with.run(with.data.slice(3, 20));
  Small without;
  without.run();
  CHECK(same_weights(with.network, without.network));
  CHECK(with.rng.state() == without.rng.state());
}

TEST_CASE("train: the stop flag ends it after the batch in work", "[trainer]") {
  Small stopped;
  StopFlag flag;
  std::size_t batches = 0;
  stopped.options.stop = &flag;
  stopped.options.on_batch = [&](const BatchReport&) {
    if (++batches == 4) flag.request();  // in the second epoch
  };
  const History history = stopped.run();
  CHECK(history.reason == StopReason::stopped);
  CHECK(batches == 4);
  CHECK(history.epochs.size() == 1);  // the epoch cut short is not in it
  for (const float p : stopped.network.predict_proba(stopped.data)) CHECK(std::isfinite(p));

  // The network is what it was after those four batches.
  Small thrown;
  batches = 0;
  thrown.options.on_batch = [&](const BatchReport&) {
    if (++batches == 4) throw std::runtime_error("enough");
  };
  CHECK_THROWS_AS(thrown.run(), std::runtime_error);
  CHECK(same_weights(stopped.network, thrown.network));
}

TEST_CASE("train: a stop asked for before it begins leaves the network as it is", "[trainer]") {
  Small small;
  const Network<float> before = small.network;
  StopFlag flag;
  flag.request();
  small.options.stop = &flag;
  const History history = small.run();
  CHECK(history.reason == StopReason::stopped);
  CHECK(history.epochs.empty());
  CHECK(same_weights(small.network, before));
  flag.clear();
  CHECK(!flag.requested());
  CHECK(small.run().reason == StopReason::done);
}

TEST_CASE("train: a stop asked for in the last batch of an epoch leaves that epoch whole", "[trainer]") {
  Small small;
  StopFlag flag;
  small.options.stop = &flag;
  std::size_t epochs = 0;
  small.options.on_batch = [&](const BatchReport& report) {
    if (report.epoch == 2 && report.batch == report.batches) flag.request();
  };
  small.options.on_epoch = [&](const EpochReport&) { ++epochs; };
  const History history = small.run();
  CHECK(history.reason == StopReason::stopped);
  CHECK(history.epochs.size() == 2);
  CHECK(epochs == 2);
}

TEST_CASE("train: another thread may ask to stop", "[trainer]") {
  Small small;
  StopFlag flag;
  small.options.stop = &flag;
  small.options.on_epoch = [&](const EpochReport&) { std::thread([&] { flag.request(); }).join(); };
  const History history = small.run();
  CHECK(history.reason == StopReason::stopped);
  CHECK(history.epochs.size() == 1);
}

TEST_CASE("StopFlag: what is asked of another one counts, too", "[trainer]") {
  StopFlag other;
  StopFlag flag(&other);
  CHECK_FALSE(flag.requested());
  other.request();
  CHECK(flag.requested());
  flag.clear();
  CHECK(flag.requested());
  other.clear();
  CHECK_FALSE(flag.requested());
  flag.request();
  CHECK(flag.requested());
  CHECK_FALSE(other.requested());
}

TEST_CASE("LearningRateControl: gives the last rate asked for, once", "[trainer][error]") {
  LearningRateControl control;
  CHECK_FALSE(control.take());
  control.set(0.25);
  control.set(0.5);
  CHECK(control.take() == 0.5);
  CHECK_FALSE(control.take());
  for (const double rate : {0.0, -1.0, HUGE_VAL, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_ERROR(control.set(rate), ArgumentError,
                detail::text("LearningRateControl: learning_rate is ", rate, ", expected a finite number above 0"));
  }
  CHECK_FALSE(control.take());
}

TEST_CASE("train: the learning rate is changed from the next batch on, by another thread or as planned",
          "[trainer]") {
  Small asked;  // 3 epochs of 3 batches
  LearningRateControl control;
  asked.options.learning_rate_control = &control;
  std::vector<double> rates;
  asked.options.on_batch = [&](const BatchReport& report) {
    rates.push_back(report.learning_rate);
    if (report.epoch == 1 && report.batch == 2) std::thread([&] { control.set(0.5); }).join();
    if (report.epoch == 2 && report.batch == 3) control.set(0.25);
    if (report.epoch == 3 && report.batch == 3) control.set(4);  // no batch is left for that
  };
  const History history = asked.run();
  CHECK(rates == std::vector<double>{0.1, 0.1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25});
  const std::vector<LearningRateChange> changes{{0, 2, 0.5}, {2, 0, 0.25}};
  CHECK(history.learning_rate_changes == changes);
  CHECK(asked.sgd.learning_rate() == 0.25);

  Small planned;
  planned.options.learning_rate_changes = changes;
  CHECK(planned.run().learning_rate_changes == changes);
  CHECK(same_weights(planned.network, asked.network));

  Small both;  // what is asked for counts in place of what was planned there and for later
  both.options.learning_rate_changes = {{0, 2, 0.5}, {2, 0, 9.0}, {2, 1, 9.0}};
  both.options.learning_rate_control = &control;
  CHECK(control.take() == 4);
  both.options.on_batch = [&](const BatchReport& report) {
    if (report.epoch == 2 && report.batch == 3) control.set(0.25);
  };
  CHECK(both.run().learning_rate_changes == changes);
  CHECK(same_weights(both.network, asked.network));
}

TEST_CASE("train: what is thrown before a change of the learning rate ends the training before it", "[trainer]") {
  Small small;
  small.options.learning_rate_changes = {{1, 1, 0.5}};
  small.options.on_learning_rate = [](const LearningRateChange&) { throw std::runtime_error("no"); };
  std::size_t batches = 0;
  small.options.on_batch = [&](const BatchReport&) { ++batches; };
  CHECK_THROWS_WITH(small.run(), "no");
  CHECK(batches == 4);
  CHECK(small.sgd.learning_rate() == 0.1);
}

TEST_CASE("train: states with changes of the learning rate are gone on with, or refused", "[trainer][error]") {
  const std::vector<LearningRateChange> changes{{0, 2, 0.5}, {2, 0, 0.25}};
  Small whole;
  whole.options.learning_rate_changes = changes;
  std::vector<TrainingState<float>> states;
  Checkpoints<float> kept{.save = [&](TrainingState<float> state) { states.push_back(std::move(state)); }};
  train(whole.network, whole.data, {}, whole.sgd, whole.options, whole.rng, kept);
  REQUIRE(states.size() == 4);
  const auto go_on = [&](TrainingState<float> state, std::vector<LearningRateChange> planned) {
    Small small;
    small.options.learning_rate_changes = std::move(planned);
    train(small.network, small.data, {}, small.sgd, small.options, small.rng,
          Checkpoints<float>{.from = std::move(state)});
    CHECK(small.sgd.learning_rate() == 0.25);
    return small.network;
  };
  for (const TrainingState<float>& state : states) CHECK(same_weights(go_on(state, changes), whole.network));
  CHECK(same_weights(go_on(states[3], {}), whole.network));  // those made are in the state

  const std::string other = "train: the state to go on from has other changes of the learning rate";
  CHECK_ERROR(go_on(states[2], {{0, 1, 0.5}}), ArgumentError, other);
  CHECK_ERROR(go_on(states[2], {{0, 2, 0.5}, {1, 1, 0.1}}), ArgumentError, other);
  TrainingState<float> early = states[0];
  early.history.learning_rate_changes = changes;
  CHECK_ERROR(go_on(early, {}), ArgumentError, other);
  early.history.learning_rate_changes = {{0, 0, -1.0}};
  CHECK_ERROR(go_on(early, {}), ArgumentError,
              "train: the state to go on from: learning_rate_changes[0]: learning_rate is -1, expected a finite "
              "number above 0");
}

TEST_CASE("train: what a callback throws comes out, and training goes on working", "[trainer]") {
  for (const std::size_t threads : {1u, 4u}) {
    Small small;
    small.options.threads = threads;
    TrainingOptions throwing = small.options;
    throwing.on_batch = [](const BatchReport&) { throw std::domain_error("of a batch"); };
    CHECK_THROWS_WITH(train(small.network, small.data, {}, small.sgd, throwing, small.rng), "of a batch");
    throwing = small.options;
    throwing.on_epoch = [](const EpochReport&) { throw std::domain_error("of an epoch"); };
    CHECK_THROWS_WITH(train(small.network, small.data, {}, small.sgd, throwing, small.rng), "of an epoch");
    throwing = small.options;
    throwing.schedule = [](double) -> double { throw std::domain_error("of a schedule"); };
    CHECK_THROWS_WITH(train(small.network, small.data, {}, small.sgd, throwing, small.rng), "of a schedule");
    CHECK(small.run().epochs.size() == 3);
  }
}

TEMPLATE_TEST_CASE("train: a giant learning rate is told as divergence", "[trainer]", float, double) {
  const double rate = std::is_same_v<TestType, float> ? 1e38 : 1e307;
  for (const auto& [output, loss] :
       {std::pair{Activation::softmax, cross_entropy}, std::pair{Activation::relu, squares},
        std::pair{Activation::identity, squares}}) {
    Rng rng(71);
    auto network = test::random_network<TestType>({{4, 6, 3}, {Activation::relu, output}, loss}, rng);
    const Dataset data = test::random_data(50, 4, 3, rng);
    Sgd<TestType> sgd(rate);
    TrainingOptions options = options_of(20, 10);
    std::vector<double> losses;
    std::size_t epochs = 0;
    options.on_batch = [&](const BatchReport& report) { losses.push_back(report.loss); };
    options.on_epoch = [&](const EpochReport&) { ++epochs; };
    const History history = train(network, data, {}, sgd, options, rng);
    INFO(name_of(output));
    CHECK(history.reason == StopReason::diverged);
    CHECK(history.epochs.size() == epochs);  // the epoch in which it diverged is not in it
    CHECK(epochs < 20);
    for (const double value : losses) CHECK(std::isfinite(value));
  }
}

TEST_CASE("train: a weight that is no number is told as divergence, behind any hidden activation", "[trainer]") {
  for (std::size_t h = 0; h < activation_names.size(); ++h) {
    const auto hidden = static_cast<Activation>(h);
    if (hidden == Activation::softmax) continue;
    INFO(name_of(hidden));
    Rng rng(72);
    auto network = test::random_network<float>({{4, 6, 3}, {hidden, Activation::softmax}}, rng);
    network.layer(0).weights(1, 2) = std::numeric_limits<float>::quiet_NaN();
    Sgd<float> sgd(0.1);
    CHECK(train(network, test::random_data(20, 4, 3, rng), {}, sgd, options_of(2, 5), rng).reason ==
          StopReason::diverged);
  }
}

TEST_CASE("train: stop_below_loss ends it after the first epoch below", "[trainer]") {
  Small all;
  all.options.epochs = 30;
  const History whole = all.run();
  REQUIRE(whole.epochs.size() == 30);
  const double threshold = whole.epochs[10].training_loss;

  Small some;
  some.options.epochs = 30;
  some.options.stop_below_loss = threshold;
  const History history = some.run();
  CHECK(history.reason == StopReason::loss_reached);
  CHECK(history.epochs.back().training_loss < threshold);
  for (std::size_t i = 0; i + 1 < history.epochs.size(); ++i) CHECK(history.epochs[i].training_loss >= threshold);
}

TEST_CASE("train: a batch size larger than the data takes all of it as one batch", "[trainer]") {
  Small all;
  all.options.batch_size = 25;
  all.run();
  Small more;
  more.options.batch_size = std::numeric_limits<std::size_t>::max();
  std::size_t samples = 0;
  more.options.on_batch = [&](const BatchReport& report) {
    samples += report.samples;
    CHECK(report.batches == 1);
  };
  more.run();
  CHECK(samples == 75);
  CHECK(same_weights(all.network, more.network));
}

TEST_CASE("train: an optimizer is prepared anew, so it can be used again", "[trainer]") {
  for (const std::string& name : golden_names) {
    INFO(name);
    const auto optimizer = optimizer_named<float>(name);
    Small first, second;
    train(first.network, first.data, {}, *optimizer, first.options, first.rng);
    CHECK(optimizer->steps() == 9);
    train(second.network, second.data, {}, *optimizer, second.options, second.rng);
    CHECK(optimizer->steps() == 9);
    CHECK(same_weights(first.network, second.network));
  }
}

TEST_CASE("train: bytes and the same numbers as float give nearly the same network", "[trainer]") {
  const Dataset bytes = test::mnist_sample().train.slice(100, 200);
  const Dataset numbers(bytes.to_matrix<float>(), bytes.labels());
  const auto trained = [](const Dataset& data) {
    Rng rng(1);
    Network<float> network({784, 20, 10}, Activation::tanh, rng);
    Sgd<float> sgd(0.1);
    train(network, data, {}, sgd, options_of(3, 16), rng);
    return network;
  };
  CHECK(weights_apart(trained(bytes), trained(numbers)) < 1e-4);  // some dozens of steps in float
}

TEST_CASE("train: a subset trains as if its samples stood alone", "[trainer]") {
  Rng rng(73);
  std::vector<std::uint32_t> chosen;
  for (std::uint32_t i = 0; i < 40; ++i) chosen.push_back(97 - 2 * i);
  const auto trained = [](const Dataset& data) {
    Rng seed(1);
    Network<float> network({data.inputs(), 6, 10}, Activation::tanh, seed);
    Sgd<float> sgd(0.1);
    train(network, data, {}, sgd, options_of(3, 10), seed);
    return network;
  };
  const Dataset numbers = test::random_data(100, 4, 3, rng).subset(chosen);
  CHECK(same_weights(trained(numbers), trained(Dataset(numbers.to_matrix<float>(), numbers.labels()))));

  const Dataset bytes = test::mnist_sample().train.subset(chosen);
  Images images = Images::from_shape({40, 28, 28});
  for (std::size_t i = 0; i < 40; ++i) std::copy_n(bytes.pixels(i).data(), 784, images.data() + i * 784);
  const Dataset copied(std::move(images), bytes.labels());
  CHECK(same_weights(trained(bytes), trained(copied)));
}

TEST_CASE("train: soft labels that are all for one class are its label", "[trainer]") {
  const Dataset data = test::mnist_sample().train.slice(100, 200);
  Matrix<float> targets = zeros<float>({100, 10});
  for (std::size_t i = 0; i < 100; ++i) targets(i, data.label(i)) = 1;
  const auto trained = [](const Dataset& from, bool augments) {
    Rng rng(1);
    Network<float> network({784, 20, 10}, Activation::tanh, rng);
    Sgd<float> sgd(0.1);
    TrainingOptions options = options_of(3, 16);
    options.label_smoothing = 0.1;
    if (augments) options.augmentation = Augmentation{};
    const History history = train(network, from, {}, sgd, options, rng);
    return std::pair(network, history.epochs.back());
  };
  for (const bool augments : {false, true}) {
    const auto [hard, by_labels] = trained(data, augments);
    const auto [soft, by_targets] = trained(data.with_targets(targets), augments);
    CHECK(weights_apart(hard, soft) < 1e-4);
    CHECK(by_targets.training_loss == Approx(by_labels.training_loss).epsilon(1e-5));
    CHECK(by_targets.training_accuracy == by_labels.training_accuracy);
  }
}

TEST_CASE("train: what a network learns are the soft labels, what is counted are the labels", "[trainer]") {
  Rng rng(75);
  const auto teacher = test::random_network<float>({{4, 8, 3}, {Activation::tanh, Activation::softmax}}, rng);
  const Dataset data = test::random_data(200, 4, 3, rng);
  const Dataset soft = data.with_targets(teacher.predict_proba(data));
  Network<float> student({4, 16, 3}, Activation::tanh, rng);
  Adam<float> adam(0.01);
  const History history = train(student, soft, soft, adam, options_of(60, 20), rng);
  const Matrix<float> learned = student.predict_proba(data);
  double apart = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    for (std::size_t k = 0; k < 3; ++k) apart = std::max(apart, std::abs(double{learned(i, k)} - soft.target(i)[k]));
  }
  CHECK(apart < 0.1);
  CHECK(history.epochs.back().validation_accuracy == evaluate(student, data).accuracy);
}

TEST_CASE("train: soft labels that the network or its loss cannot take are refused", "[trainer][error]") {
  Rng rng(76);
  const Dataset data = test::random_data(20, 4, 3, rng);
  const Dataset soft = data.with_targets(Matrix<float>(Matrix<float>::shape_type{20, 3}, 1.0F / 3));
  Sgd<float> sgd(0.1);
  const auto run = [&](const Architecture& architecture) {
    Network<float> network = test::random_network<float>(architecture, rng);
    train(network, soft, {}, sgd, options_of(1, 10), rng);
  };
  CHECK_ERROR(run({{4, 5}, {Activation::softmax}}), ArgumentError,
              "train: soft labels of 3 classes, expected 5, one for each output");
  CHECK_ERROR(run({{4, 3}, {Activation::identity}, LossFunction::hinge}), ArgumentError,
              "soft labels with the hinge loss");
}

TEST_CASE("train: a schedule multiplies the learning rate of each step", "[trainer]") {
  Small small;
  std::vector<double> progress, rates, last;
  small.options.schedule = [&](double share) {
    progress.push_back(share);
    return 1 - share;
  };
  small.options.on_batch = [&](const BatchReport& report) { rates.push_back(report.learning_rate); };
  small.options.on_epoch = [&](const EpochReport& report) { last.push_back(report.learning_rate); };
  small.run();
  REQUIRE(progress.size() == 9);
  for (std::size_t step = 0; step < 9; ++step) {
    const double share = (static_cast<double>(step) + 0.5) / 9;  // the middle of the step
    CHECK(progress[step] == Approx(share).epsilon(1e-14));
    CHECK(rates[step] == Approx(0.1 * (1 - share)).epsilon(1e-14));
  }
  CHECK(last == std::vector<double>{rates[2], rates[5], rates[8]});
  CHECK(small.sgd.learning_rate() == 0.1);
}

TEST_CASE("train: a schedule of 1 is no schedule, one of 0 moves nothing", "[trainer]") {
  Small plain, one, nothing;
  const Network<float> before = nothing.network;
  plain.run();
  one.options.schedule = [](double) { return 1.0; };
  one.run();
  CHECK(same_weights(plain.network, one.network));
  nothing.options.schedule = [](double) { return 0.0; };
  nothing.run();
  CHECK(same_weights(nothing.network, before));
}

TEST_CASE("train: a schedule that gives no factor ends the training before the step", "[trainer][error]") {
  for (const double factor :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Small small;
    const Network<float> before = small.network;
    small.options.schedule = [factor](double) { return factor; };
    CHECK_ERROR(small.run(), ArgumentError, "train: what the schedule gives is ");
    CHECK(same_weights(small.network, before));
  }
}

TEST_CASE("train: options that make no sense are named, and nothing is changed", "[trainer][error]") {
  Small small;
  const Network<float> before = small.network;
  const auto with = [&](auto change) {
    TrainingOptions options = small.options;
    change(options);
    return train(small.network, small.data, {}, small.sgd, options, small.rng);
  };
  CHECK_ERROR(with([](auto& options) { options.epochs = 0; }), ArgumentError,
              "train: epochs is 0, expected at least 1");
  CHECK_ERROR(with([](auto& options) { options.batch_size = 0; }), ArgumentError,
              "train: batch_size is 0, expected at least 1");
  const auto planned = [](std::vector<LearningRateChange> changes) {
    return [changes](auto& options) { options.learning_rate_changes = changes; };
  };
  CHECK_ERROR(with(planned({{0, 1, HUGE_VAL}})), ArgumentError,
              "train: learning_rate_changes[0]: learning_rate is inf, expected a finite number above 0");
  CHECK_ERROR(with(planned({{0, 1, 0.1}, {1, 3, 0.1}})), ArgumentError,
              "train: learning_rate_changes[1]: batch is 3, expected less than 3");
  CHECK_ERROR(with(planned({{1, 1, 0.1}, {1, 1, 0.2}})), ArgumentError,
              "train: learning_rate_changes[1]: epoch 1, batch 1 is not behind the one before");
  for (const double threshold : {-1.0, std::numeric_limits<double>::quiet_NaN(), HUGE_VAL}) {
    CHECK_ERROR(with([=](auto& options) { options.stop_below_loss = threshold; }), ArgumentError,
                detail::text("train: stop_below_loss is ", threshold, ", expected a number of at least 0"));
  }
  CHECK(same_weights(small.network, before));
}

TEST_CASE("train: data that does not fit is named, and nothing is changed", "[trainer][error]") {
  Small small;
  const Network<float> before = small.network;
  const Dataset wide = test::random_data(5, 7, 3, small.rng);
  const Dataset beyond(normal<float>({2, 4}, small.rng), Labels{0, 3}, 10);
  const auto with = [&](const Dataset& training, const Dataset& validation) {
    return train(small.network, training, validation, small.sgd, small.options, small.rng);
  };
  CHECK_ERROR(with({}, {}), ArgumentError, "train: the data set is empty, expected at least one sample");
  CHECK_ERROR(with(small.data.slice(3, 3), {}), ArgumentError, "train: the data set is empty");
  CHECK_ERROR(with(wide, {}), ShapeError,
              "train: samples of 7 numbers (1 x 7), expected 4, the inputs of the network");
  CHECK_ERROR(with(beyond, {}), ArgumentError,
              "train: the data has the label 3, expected 0 to 2, the outputs of the network");
  CHECK_ERROR(with(small.data, wide), ShapeError, "train (validation): samples of 7 numbers");
  CHECK_ERROR(with(small.data, beyond), ArgumentError, "train (validation): the data has the label 3");
  CHECK(same_weights(small.network, before));
}

TEST_CASE("StopReason: names", "[trainer]") {
  CHECK(name_of(StopReason::done) == "done");
  CHECK(name_of(StopReason::stopped) == "stopped");
  CHECK(name_of(StopReason::loss_reached) == "loss_reached");
  CHECK(name_of(StopReason::diverged) == "diverged");
}
