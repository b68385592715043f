// What TrainingOptions offers beside epochs and batches: weights, penalties, dropout, batch normalisation, clipping,
// averages, early stopping, statistics.
#include "../../src/batch_norm.hpp"
#include "arrays.hpp"
#include "catch.hpp"
#include "gradient.hpp"
#include "small_networks.hpp"

#include <digitnet/trainer.hpp>

#include <cmath>
#include <numeric>

using namespace digitnet;

namespace {

constexpr LossFunction cross_entropy = LossFunction::softmax_cross_entropy;

template <class Real>
Network<Real> small_network(std::uint64_t seed = 1) {
  Rng rng(seed);
  return test::random_network<Real>(
      {{20, 33, 17, 5}, {Activation::tanh, Activation::silu, Activation::softmax}, cross_entropy}, rng);
}

Dataset small_data(std::size_t samples = 40) {
  Rng rng(2);
  return test::random_data(samples, 20, 5, rng);
}

TrainingOptions one_step(const Dataset& data) {
  TrainingOptions options;
  options.epochs = 1;
  options.batch_size = data.size();
  options.threads = 2;
  options.shuffle = false;
  return options;
}

template <class Real>
History run(Network<Real>& network, const Dataset& data, const TrainingOptions& options, double rate = 1.0,
            const Dataset& validation = {}) {
  Sgd<Real> sgd(rate);
  Rng rng(7);
  return train(network, data, validation, sgd, options, rng);
}

/// The change that one step at a rate of 1 makes, which is the gradient, against central differences of `loss`.
template <class Loss>
void check_step_gradient(Network<double> network, const Dataset& data, const TrainingOptions& options, Loss loss) {
  Network<double> after = network;
  run(after, data, options);
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    INFO("layer " << i);
    Dense<double>& layer = network.layer(i);
    const Matrix<double> weights = layer.weights - after.layer(i).weights;
    CHECK(test::relative_error(weights, test::central_difference(layer.weights, [&] { return loss(network); })) <
          1e-6);
    const Vector<double> bias = layer.bias - after.layer(i).bias;
    CHECK(test::relative_error(bias, test::central_difference(layer.bias, [&] { return loss(network); })) < 1e-6);
  }
}

template <class Real>
double squared_distance(const Network<Real>& a, const Network<Real>& b) {
  double sum = 0;
  const auto add = [&sum](const auto& x, const auto& y) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double difference = static_cast<double>(x.data()[i]) - static_cast<double>(y.data()[i]);
      sum += difference * difference;
    }
  };
  for (std::size_t i = 0; i < a.layers().size(); ++i) {
    add(a.layer(i).weights, b.layer(i).weights);
    add(a.layer(i).bias, b.layer(i).bias);
  }
  return sum;
}

template <class Real>
void check_same_bits(const Network<Real>& a, const Network<Real>& b) {
  for (std::size_t i = 0; i < a.layers().size(); ++i) {
    CHECK(a.layer(i).weights == b.layer(i).weights);
    CHECK(a.layer(i).bias == b.layer(i).bias);
  }
}

}  // namespace

TEST_CASE("train: label smoothing and weights of classes and samples have the gradient of their loss",
          "[trainer][gradient]") {
  const Dataset data = small_data();
  TrainingOptions options = one_step(data);
  options.label_smoothing = 0.1;
  options.class_weights = {1, 2, 0, 0.5, 3};
  for (std::size_t i = 0; i < data.size(); ++i) options.sample_weights.push_back(static_cast<double>(i % 4));
  std::vector<double> weights;
  for (std::size_t i = 0; i < data.size(); ++i) {
    weights.push_back(options.class_weights[data.label(i)] * options.sample_weights[i]);
  }
  check_step_gradient(small_network<double>(), data, options, [&](const Network<double>& network) {
    return softmax_cross_entropy(network.logits(data), data.labels(), 0.1, weights).value;
  });
}

TEST_CASE("train: the loss reported is the weighted mean", "[trainer]") {
  const Dataset data = small_data();
  TrainingOptions options = one_step(data);
  options.class_weights = {1, 2, 0, 0.5, 3};
  const Network<double> network = small_network<double>();
  std::vector<double> weights;
  for (std::size_t i = 0; i < data.size(); ++i) weights.push_back(options.class_weights[data.label(i)]);
  const double expected = softmax_cross_entropy(network.logits(data), data.labels(), 0, weights).value;
  Network<double> trained = network;
  CHECK(run(trained, data, options).epochs.at(0).training_loss == Approx(expected).epsilon(1e-12));
}

TEST_CASE("train: penalties have the gradient of l1 sum |w| + l2 / 2 sum w^2, for weights alone",
          "[trainer][gradient]") {
  const Dataset data = small_data();
  TrainingOptions options = one_step(data);
  options.l1 = 0.01;
  options.l2 = 0.3;
  check_step_gradient(small_network<double>(), data, options, [&](const Network<double>& network) {
    double loss = evaluate(network, data, 1).loss;
    for (const Dense<double>& layer : network.layers()) {
      for (const double w : layer.weights) loss += 0.01 * std::abs(w) + 0.15 * w * w;
    }
    return loss;
  });
}

TEST_CASE("BatchNorm: the backward pass agrees with central differences", "[trainer][gradient]") {
  Rng rng(3);
  constexpr std::size_t samples = 7;
  constexpr std::size_t units = 5;
  Matrix<double> z = normal<double>({samples, units}, rng);
  const Matrix<double> wanted = normal<double>({samples, units}, rng);  // L = sum of y * wanted
  detail::BatchNorm<double> norm(samples, units);
  for (std::size_t k = 0; k < units; ++k) {
    norm.gamma(k) = rng.uniform(0.5, 2);
    norm.beta(k) = rng.normal();
  }
  const auto loss = [&] {
    Matrix<double> y = z;
    norm.forward(view(y).columns_from(0, 2), 0, false);  // in two parts, as tiles do
    norm.forward(view(y).columns_from(2, 3), 2, false);
    return std::inner_product(y.begin(), y.end(), wanted.begin(), 0.0);
  };
  loss();
  Matrix<double> dz = wanted;
  Vector<double> dgamma = zero_vector<double>(units);
  Vector<double> dbeta = zero_vector<double>(units);
  norm.backward(view(dz), 0, values(dgamma), values(dbeta));
  CHECK(test::relative_error(dz, test::central_difference(z, loss)) < 1e-6);
  CHECK(test::relative_error(dgamma, test::central_difference(norm.gamma, loss)) < 1e-6);
  CHECK(test::relative_error(dbeta, test::central_difference(norm.beta, loss)) < 1e-6);
}

TEST_CASE("train: batch normalisation begins from the function the network has, and is folded into it", "[trainer]") {
  const Dataset data = small_data(500);
  Network<double> network = small_network<double>();
  const Matrix<double> before = network.logits(data);
  TrainingOptions options = one_step(data);
  options.batch_norm = true;
  run(network, data, options, 0.0);  // no step: folding by the statistics of the only batch
  const Matrix<double> after = network.logits(data);
  CHECK(test::relative_error(after, before) < 5e-3);  // the variance is estimated over 500, unbiased
}

TEST_CASE("train: with batch normalisation a network learns, to the same bits for any number of threads",
          "[trainer]") {
  const Dataset data = small_data();
  std::vector<Network<float>> networks;
  for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
    TrainingOptions options = one_step(data);
    options.epochs = 60;
    options.batch_size = 20;
    options.threads = threads;
    options.batch_norm = true;
    networks.push_back(small_network<float>());
    const History history = run(networks.back(), data, options, 0.2);
    CHECK(history.epochs.back().training_loss < 0.3 * history.epochs.front().training_loss);
  }
  for (const Network<float>& network : networks) check_same_bits(network, networks.front());
}

TEST_CASE("train: dropout of inputs leaves some out and makes up for it", "[trainer]") {
  // One layer and one sample: dW = x^T dz, so a row of weights moves if its input was kept, and by twice as much.
  for (const bool sparse : {true, false}) {
    Images images(Images::shape_type{1, 20, 20}, std::uint8_t{0});
    for (std::size_t i = 0; i < images.size(); i += sparse ? 4 : 1) images.data()[i] = 200;
    const Dataset data(std::move(images), Labels{3}, 5);
    const Network<double> start({{400, 5}, {Activation::softmax}, cross_entropy});
    TrainingOptions options = one_step(data);
    Network<double> plain = start;
    run(plain, data, options);
    options.input_dropout = 0.5;
    Network<double> thinned = start;
    run(thinned, data, options);
    std::size_t ink = 0;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < 400; ++i) {
      const double whole = plain.layer(0).weights(i, 3);
      const double moved = thinned.layer(0).weights(i, 3);
      ink += whole != 0 ? 1 : 0;
      kept += moved != 0 ? 1 : 0;
      CHECK((moved == 0 || moved == Approx(2 * whole)));
    }
    CHECK(kept > ink * 3 / 10);
    CHECK(kept < ink * 7 / 10);
  }
}

TEST_CASE("train: dropout of units changes the training and not the predictions", "[trainer]") {
  const Dataset data = small_data();
  TrainingOptions options = one_step(data);
  Network<double> plain = small_network<double>();
  Network<double> dropped = plain;
  const double loss = run(plain, data, options, 0.0).epochs[0].training_loss;
  options.dropout = 0.5;
  const double dropped_loss = run(dropped, data, options, 0.0).epochs[0].training_loss;
  CHECK(loss != dropped_loss);
  check_same_bits(plain, dropped);  // a rate of 0: nothing moved, so both predict the same
  options.dropout = 1e-12;          // practically never
  CHECK(run(dropped, data, options, 0.0).epochs[0].training_loss == Approx(loss).epsilon(1e-9));
}

TEST_CASE("train: clip_norm scales the whole gradient, clip_value each number", "[trainer]") {
  const Dataset data = small_data();
  const Network<double> start = small_network<double>();
  TrainingOptions options = one_step(data);
  Network<double> plain = start;
  run(plain, data, options);
  const double norm = std::sqrt(squared_distance(plain, start));

  options.clip_norm = norm / 4;
  Network<double> clipped = start;
  run(clipped, data, options);
  CHECK(std::sqrt(squared_distance(clipped, start)) == Approx(norm / 4).epsilon(1e-9));
  const Matrix<double> a = plain.layer(1).weights - start.layer(1).weights;
  const Matrix<double> b = clipped.layer(1).weights - start.layer(1).weights;
  CHECK(test::relative_error(Matrix<double>(4.0 * b), a) < 1e-9);

  options.clip_norm = norm * 2;  // not reached
  Network<double> whole = start;
  run(whole, data, options);
  CHECK(squared_distance(whole, plain) < 1e-24);

  options.clip_norm = 0;
  options.clip_value = 1e-3;
  Network<double> limited = start;
  run(limited, data, options);
  const Matrix<double> change = limited.layer(0).weights - start.layer(0).weights;
  double largest = 0;
  for (const double value : change) largest = std::max(largest, std::abs(value));
  CHECK(largest == Approx(1e-3).epsilon(1e-9));
}

TEST_CASE("train: max_norm bounds the weights of each unit", "[trainer]") {
  const Dataset data = small_data();
  TrainingOptions options = one_step(data);
  options.epochs = 5;
  options.max_norm = 0.7;
  Network<double> network = small_network<double>();
  run(network, data, options);
  bool any_at_limit = false;
  for (const Dense<double>& layer : network.layers()) {
    for (std::size_t unit = 0; unit < layer.outputs(); ++unit) {
      double squares = 0;
      for (std::size_t i = 0; i < layer.inputs(); ++i) squares += layer.weights(i, unit) * layer.weights(i, unit);
      CHECK(std::sqrt(squares) <= 0.7 * (1 + 1e-12));
      any_at_limit = any_at_limit || std::sqrt(squares) > 0.7 * (1 - 1e-12);
    }
  }
  CHECK(any_at_limit);
}

TEST_CASE("train: averages are those of the steps or epochs", "[trainer]") {
  const Dataset data = small_data();
  TrainingOptions options = one_step(data);
  options.epochs = 4;
  options.batch_size = 10;
  Network<double> plain = small_network<double>();
  std::vector<Matrix<double>> steps;  // the weights of layer 0 after each
  std::vector<Matrix<double>> epochs;
  TrainingOptions watched = options;
  watched.on_batch = [&](const BatchReport&) { steps.push_back(std::as_const(plain).layer(0).weights); };
  watched.on_epoch = [&](const EpochReport&) { epochs.push_back(std::as_const(plain).layer(0).weights); };
  Matrix<double> average = plain.layer(0).weights;
  run(plain, data, watched);

  options.averaging = Averaging::ema;
  options.ema_decay = 0.5;
  Network<double> ema = small_network<double>();
  run(ema, data, options);
  for (std::size_t t = 1; t <= steps.size(); ++t) {
    const double decay = std::min(0.5, (1.0 + static_cast<double>(t)) / (10.0 + static_cast<double>(t)));
    average = Matrix<double>(decay * average + (1 - decay) * steps[t - 1]);
  }
  CHECK(test::relative_error(ema.layer(0).weights, average) < 1e-12);

  options.averaging = Averaging::swa;
  options.swa_start = 0.5;
  Network<double> swa = small_network<double>();
  run(swa, data, options);
  CHECK(test::relative_error(swa.layer(0).weights, Matrix<double>((epochs[2] + epochs[3]) / 2.0)) < 1e-12);
}

TEST_CASE("train: early stopping waits as long as it was told, and gives the best network back", "[trainer]") {
  const Dataset data = small_data();
  Rng rng(9);
  const Dataset other = test::random_data(30, 20, 5, rng);  // nothing learned from data helps here
  TrainingOptions options = one_step(data);
  options.epochs = 200;
  options.early_stopping = EarlyStopping{.metric = Metric::validation_loss, .patience = 3};
  Network<double> network = small_network<double>();
  const History history = run(network, data, options, 0.5, other);
  CHECK(history.reason == StopReason::early_stop);
  std::size_t best = 0;
  for (std::size_t i = 1; i < history.epochs.size(); ++i) {
    if (*history.epochs[i].validation_loss < *history.epochs[best].validation_loss) best = i;
  }
  CHECK(history.best_epoch == best + 1);
  CHECK(history.epochs.size() == best + 1 + 3);
  CHECK(evaluate(network, other).loss == *history.epochs[best].validation_loss);
}

TEST_CASE("train: the learning rate falls when the metric watched no longer gets better", "[trainer]") {
  const Dataset data = small_data();
  TrainingOptions options = one_step(data);
  options.epochs = 6;
  options.plateau = ReduceOnPlateau(0.5, 1, 1e9);  // nothing counts as better than the first epoch
  options.plateau_metric = Metric::training_loss;
  options.schedule = [](double) { return 0.5; };
  Network<float> network = small_network<float>();
  std::vector<double> rates;
  for (const EpochReport& report : run(network, data, options).epochs) rates.push_back(report.learning_rate);
  CHECK(rates == std::vector<double>{0.5, 0.5, 0.5, 0.25, 0.25, 0.125});
}

TEST_CASE("train: statistics tell gradients, changes, dead units and the distribution of weights", "[trainer]") {
  const Dataset data = small_data();
  Rng rng(4);
  Network<double> network =
      test::random_network<double>({{20, 8, 5}, {Activation::relu, Activation::softmax}, cross_entropy}, rng);
  network.layer(0).bias(2) = -1e6;  // never above 0
  const Network<double> start = network;
  TrainingOptions options = one_step(data);
  options.statistics = true;
  const EpochReport report = run(network, data, options).epochs.at(0);
  REQUIRE(report.layers.size() == 2);
  CHECK(*report.gradient_norm == Approx(std::sqrt(squared_distance(network, start))).epsilon(1e-6));
  for (std::size_t i = 0; i < 2; ++i) {
    const Matrix<double> change = network.layer(i).weights - start.layer(i).weights;
    const double norm = std::sqrt(std::inner_product(change.begin(), change.end(), change.begin(), 0.0));
    const Matrix<double>& weights = network.layer(i).weights;
    const double size = std::sqrt(std::inner_product(weights.begin(), weights.end(), weights.begin(), 0.0));
    CHECK(report.layers[i].gradient_norm == Approx(norm).epsilon(1e-9));
    CHECK(report.layers[i].update_ratio == Approx(norm / size).epsilon(1e-9));
    const auto& histogram = report.layers[i].histogram;
    CHECK(std::accumulate(histogram.begin(), histogram.end(), std::size_t{0}) == weights.size());
    CHECK(report.layers[i].histogram_low == *std::min_element(weights.begin(), weights.end()));
  }
  CHECK(report.layers[0].dead_share >= 1.0 / 8);
  CHECK(report.layers[1].dead_share == 0);
}

TEST_CASE("train: everything at once gives the same bits for any number of threads", "[trainer]") {
  Rng rng(5);
  const Dataset data(test::random_images(300, 10, 10, rng), test::random_labels(300, 10, rng));
  std::vector<Network<float>> networks;
  for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
    Rng weights(6);
    networks.emplace_back(std::vector<std::size_t>{100, 300, 12, 10}, Activation::relu, weights);
    TrainingOptions options;
    options.epochs = 3;
    options.batch_size = 70;
    options.threads = threads;
    options.label_smoothing = 0.05;
    options.class_weights = {1, 2, 3, 4, 5, 1, 2, 3, 4, 5};
    options.l1 = 1e-5;
    options.l2 = 1e-4;
    options.max_norm = 2;
    options.input_dropout = 0.1;
    options.dropout = 0.3;
    options.batch_norm = true;
    options.clip_norm = 1;
    options.averaging = Averaging::ema;
    options.statistics = true;
    AdamW<float> optimizer(1e-3);
    Rng order(7);
    train(networks.back(), data, data, optimizer, options, order);
  }
  for (const Network<float>& network : networks) check_same_bits(network, networks.front());
}

TEST_CASE("train: settings of the tools that make no sense are named", "[trainer][error]") {
  const Dataset data = small_data();
  const auto check = [&](auto change, const char* message) {
    TrainingOptions options = one_step(data);
    change(options);
    Network<float> network = small_network<float>();
    CHECK_ERROR(run(network, data, options), ArgumentError, message);
    check_same_bits(network, small_network<float>());
  };
  const double nan = std::nan("");
  check([&](TrainingOptions& o) { o.dropout = 1; },
        "train: dropout is 1, expected a number of at least 0 and below 1");
  check([&](TrainingOptions& o) { o.input_dropout = -0.1; }, "input_dropout is -0.1");
  check([&](TrainingOptions& o) { o.l1 = nan; }, "l1 is nan");
  check([&](TrainingOptions& o) { o.l2 = -1; }, "l2 is -1, expected a number of at least 0");
  check([&](TrainingOptions& o) { o.max_norm = -1; }, "max_norm is -1");
  check([&](TrainingOptions& o) { o.clip_norm = nan; }, "clip_norm is nan");
  check([&](TrainingOptions& o) { o.clip_value = -2; }, "clip_value is -2");
  check([&](TrainingOptions& o) { o.ema_decay = 1; }, "ema_decay is 1");
  check([&](TrainingOptions& o) { o.swa_start = 1; }, "swa_start is 1");
  check([&](TrainingOptions& o) { o.label_smoothing = 1; }, "label smoothing of 1");
  check([&](TrainingOptions& o) { o.class_weights = {1, 2}; }, "class_weights has 2 numbers, expected 5");
  check([&](TrainingOptions& o) { o.sample_weights = {1}; }, "sample_weights has 1 numbers, expected 40");
  check([&](TrainingOptions& o) { o.class_weights = {1, -1, 0, 0, 0}; }, "weight -1");
  check([&](TrainingOptions& o) { o.early_stopping = EarlyStopping{.patience = 0}; }, "patience is 0");
  check([&](TrainingOptions& o) { o.early_stopping = EarlyStopping{}; }, "early_stopping watches validation_loss");
  check([&](TrainingOptions& o) { o.plateau = ReduceOnPlateau(); }, "plateau watches validation_loss");
  CHECK_ERROR(metric_from_name("score"), ArgumentError, "validation_loss");
}
