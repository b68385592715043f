#include <digitnet/network.hpp>

#include "arrays.hpp"
#include "catch.hpp"
#include "gradient.hpp"
#include "reference_network.hpp"
#include "small_networks.hpp"

#include <limits>
#include <thread>

using namespace digitnet;

namespace {

constexpr auto squares = LossFunction::sum_of_squares;

/// Sums of up to some hundreds of products, each rounded to epsilon, through a few layers.
template <class Real>
constexpr double rounding = 1000 * static_cast<double>(std::numeric_limits<Real>::epsilon());

/// An architecture of two hidden layers; inputs 28 = 4 x 7.
Architecture deep(Activation hidden, Activation output) {
  const bool is_softmax = output == Activation::softmax;
  return {{28, 15, 9, 6}, {hidden, hidden, output}, is_softmax ? LossFunction::softmax_cross_entropy : squares};
}

std::vector<Architecture> every_kind() {
  std::vector<Architecture> kinds;
  for (std::size_t i = 0; i < activation_names.size(); ++i) {
    const auto activation = static_cast<Activation>(i);
    kinds.push_back(deep(Activation::tanh, activation));
    if (activation != Activation::softmax) kinds.push_back(deep(activation, Activation::softmax));
  }
  return kinds;
}

std::string described(const Architecture& architecture) {
  return detail::text(name_of(architecture.activations.front()), " then ", name_of(architecture.activations.back()));
}

}  // namespace

TEST_CASE("Network: sizes and activations give the architecture", "[network]") {
  Rng rng(1);
  const Network<float> network({784, 128, 64, 10}, Activation::relu, rng);
  CHECK(network.architecture() == Architecture{{784, 128, 64, 10},
                                               {Activation::relu, Activation::relu, Activation::softmax},
                                               LossFunction::softmax_cross_entropy});
  CHECK(network.inputs() == 784);
  CHECK(network.outputs() == 10);
  CHECK(network.layers().size() == 3);
  CHECK(network.parameter_count() == 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10);
  CHECK(network.loss() == LossFunction::softmax_cross_entropy);
  CHECK(network.metadata.empty());
  CHECK(network.layer(1).inputs() == 128);
  CHECK(network.layer(1).outputs() == 64);

  const Network<double> single({5, 3}, Activation::relu, rng, Activation::sigmoid, squares);
  CHECK(single.architecture() == Architecture{{5, 3}, {Activation::sigmoid}, squares});
}

TEST_CASE("Network: weights are drawn layer by layer as each activation asks, biases are 0", "[network]") {
  Rng rng(4), again(4);
  const Network<float> network({20, 15, 10}, Activation::relu, rng);
  CHECK(test::equal(network.layer(0).weights, initial_weights<float>(Initializer::he_normal, 20, 15, again)));
  CHECK(test::equal(network.layer(1).weights, initial_weights<float>(Initializer::glorot_uniform, 15, 10, again)));
  CHECK(rng.state() == again.state());
  for (const auto& layer : network.layers()) CHECK(test::equal(layer.bias, zero_vector<float>(layer.outputs())));

  const Network<float> chosen({20, 15, 10}, Activation::relu, rng, Activation::softmax,
                              LossFunction::softmax_cross_entropy, Initializer::lecun_uniform);
  CHECK(test::equal(chosen.layer(0).weights, initial_weights<float>(Initializer::lecun_uniform, 20, 15, again)));
  CHECK(test::equal(chosen.layer(1).weights, initial_weights<float>(Initializer::lecun_uniform, 15, 10, again)));

  const Network<float> from_architecture(network.architecture(), rng);
  CHECK(
      test::equal(from_architecture.layer(0).weights, initial_weights<float>(Initializer::he_normal, 20, 15, again)));
}

TEST_CASE("Network: without a generator all parameters are 0", "[network]") {
  const Network<float> network(Architecture{{4, 3, 2}, {Activation::relu, Activation::softmax}});
  for (const auto& layer : network.layers()) {
    CHECK(test::equal(layer.weights, zeros<float>({layer.inputs(), layer.outputs()})));
    CHECK(test::equal(layer.bias, zero_vector<float>(layer.outputs())));
  }
  CHECK(test::equal(network.predict_proba(Matrix<float>{{1, 2, 3, 4}}), Matrix<float>{{0.5F, 0.5F}}));
}

TEST_CASE("Network: the same seed gives the same weights, another gives others", "[network]") {
  Rng first(1), again(1), other(2);
  const Network<double> network({6, 5, 4}, Activation::silu, first);
  CHECK(test::equal(network.layer(1).weights, Network<double>({6, 5, 4}, Activation::silu, again).layer(1).weights));
  CHECK(!test::equal(network.layer(1).weights, Network<double>({6, 5, 4}, Activation::silu, other).layer(1).weights));
}

TEST_CASE("Network: an architecture that makes no sense is named", "[network][error]") {
  Rng rng(1);
  const auto of_sizes = [&](const std::vector<std::size_t>& sizes) {
    return Network<float>(sizes, Activation::relu, rng);
  };
  CHECK_ERROR(of_sizes({}), ArgumentError, "Network: 0 sizes, expected 2 to 257");
  CHECK_ERROR(of_sizes({784}), ArgumentError, "Network: 1 sizes, expected 2 to 257");
  CHECK_ERROR(of_sizes(std::vector<std::size_t>(258, 3)), ArgumentError, "Network: 258 sizes, expected 2 to 257");
  CHECK_ERROR(of_sizes(std::vector<std::size_t>(100000, 3)), ArgumentError, "Network: 100000 sizes");
  CHECK_ERROR(of_sizes({0, 10}), ArgumentError, "Network: inputs of size 0, expected 1 to 1048576");
  CHECK_ERROR(of_sizes({784, 0, 10}), ArgumentError, "Network: layer 0 of size 0, expected 1 to 1048576");
  CHECK_ERROR(of_sizes({784, 128, 0}), ArgumentError, "Network: layer 1 of size 0");
  CHECK_ERROR(of_sizes({784, 1000000000, 10}), ArgumentError, "Network: layer 0 of size 1000000000");
  CHECK_ERROR(of_sizes({std::numeric_limits<std::size_t>::max(), 10}), ArgumentError,
              "Network: inputs of size 1844674");
  CHECK_ERROR(of_sizes({784, 300}), ArgumentError,
              "Network: 300 outputs, expected at most 256, since labels are bytes");
  CHECK_ERROR(Network<float>({4, 3, 2}, Activation::softmax, rng), ArgumentError,
              "Network: softmax in layer 0, expected it in the last layer only");
  CHECK_ERROR(Network<float>({4, 3, 2}, Activation::relu, rng, Activation::sigmoid), ArgumentError,
              "Network: loss softmax_cross_entropy behind a last layer of sigmoid, expected softmax");
  CHECK_ERROR(Network<float>(Architecture{{4, 3, 2}, {Activation::softmax}}), ArgumentError,
              "Network: 1 activations, expected 2, one for each layer");
  CHECK_ERROR(Network<double>(Architecture{{4, 3}, {}}), ArgumentError, "Network: 0 activations, expected 1");
  CHECK_ERROR(check_architecture({{4, 3}, {Activation::relu, Activation::softmax}, squares}), ArgumentError,
              "Network: 2 activations, expected 1");
}

TEST_CASE("Network: each loss goes with the last layers it was made for", "[network][error]") {
  const auto of = [](Activation output, LossFunction loss) { check_architecture({{4, 3}, {output}, loss}); };
  for (std::size_t a = 0; a < activation_names.size(); ++a) {
    const auto output = static_cast<Activation>(a);
    const std::string behind = detail::text(" behind a last layer of ", name_of(output), ", expected ");
    of(output, squares);
    of(output, LossFunction::huber);
    if (output == Activation::softmax) {
      of(output, LossFunction::softmax_cross_entropy);
    } else {
      CHECK_ERROR(of(output, LossFunction::softmax_cross_entropy), ArgumentError,
                  "Network: loss softmax_cross_entropy" + behind + "softmax; sum_of_squares and huber go with any");
    }
    if (output == Activation::sigmoid) {
      of(output, LossFunction::binary_cross_entropy);
    } else {
      CHECK_ERROR(of(output, LossFunction::binary_cross_entropy), ArgumentError,
                  "Network: loss binary_cross_entropy" + behind + "sigmoid; sum_of_squares and huber go with any");
    }
    if (output == Activation::softmax || output == Activation::sigmoid) {
      CHECK_ERROR(of(output, LossFunction::hinge), ArgumentError,
                  "Network: loss hinge" + behind + "one whose outputs can be more than 1 apart, such as identity");
    } else {
      of(output, LossFunction::hinge);
    }
  }
  CHECK_ERROR(check_architecture({{4, 1}, {Activation::identity}, LossFunction::hinge}), ArgumentError,
              "Network: loss hinge with 1 output, expected at least 2");
}

TEST_CASE("Network: the largest sizes that make sense are taken", "[network]") {
  check_architecture({std::vector<std::size_t>(257, 3), std::vector<Activation>(256, Activation::relu), squares});
  check_architecture({{most_units, 256}, {Activation::softmax}, LossFunction::softmax_cross_entropy});
  Rng rng(1);
  const Network<float> smallest({1, 1}, Activation::relu, rng);
  CHECK(test::equal(smallest.predict_proba(Matrix<float>{{3}}), Matrix<float>{{1}}));
  const Network<float> deepest(std::vector<std::size_t>(257, 2), Activation::tanh, rng);
  CHECK(deepest.predict(Matrix<float>{{0.5, -1}}).size() == 1);
  const Network<float> widest({3, 256}, Activation::relu, rng);
  CHECK(widest.predict_proba(zeros<float>({2, 3})).shape(1) == 256);
}

TEST_CASE("Network: a layer that is not there is named", "[network][error]") {
  Rng rng(1);
  Network<float> network({4, 3, 2}, Activation::relu, rng);
  CHECK_ERROR(network.layer(2), ArgumentError, "Network::layer: layer 2, expected one below 2");
  CHECK_ERROR(std::as_const(network).layer(1000), ArgumentError, "Network::layer: layer 1000, expected one below 2");
}

TEST_CASE("Network: a copy has weights of its own", "[network]") {
  Rng rng(2);
  Network<float> network({4, 3, 2}, Activation::relu, rng);
  network.metadata["name"] = "first";
  const Network<float> copy = network;
  const Matrix<float> x{{1, 2, 3, 4}};
  const Matrix<float> before = network.logits(x);
  network.layer(0).weights(0, 0) += 1;
  network.layer(1).bias(1) += 1;
  network.metadata["name"] = "second";
  CHECK(test::same_bits(copy.logits(x), before));
  CHECK(!test::equal(network.logits(x), before));
  CHECK(copy.metadata.at("name") == "first");

  Network<float> assigned({1, 1}, Activation::relu, rng);
  assigned = copy;
  CHECK(test::same_bits(assigned.logits(x), before));
  const Network<float> moved = std::move(assigned);
  CHECK(test::same_bits(moved.logits(x), before));
  CHECK(moved.metadata.at("name") == "first");
}

TEMPLATE_TEST_CASE("Network: logits, forward and activations agree with plain loops, for every activation",
                   "[network]", float, double) {
  Rng rng(31);
  for (const Architecture& architecture : every_kind()) {
    const auto network = test::random_network<TestType>(architecture, rng);
    // 256 samples pass through together; the last of these is smaller.
    for (const std::size_t batch : {1u, 3u, 256u, 300u}) {
      INFO(described(architecture) << ", batch " << batch);
      const Matrix<TestType> x = normal<TestType>({batch, 28}, rng);
      const std::size_t last = network.layers().size() - 1;
      CHECK(test::relative_error(network.logits(x), test::reference_logits(network, x)) < rounding<TestType>);
      CHECK(test::relative_error(network.forward(x), test::reference_layer(network, x, last)) < rounding<TestType>);
      const auto activations = network.activations(x);
      REQUIRE(activations.size() == 3);
      for (std::size_t i = 0; i < 3; ++i) {
        CHECK(activations[i].shape(1) == network.layer(i).outputs());
        CHECK(test::relative_error(activations[i], test::reference_layer(network, x, i)) < rounding<TestType>);
      }
    }
  }
}

TEMPLATE_TEST_CASE("Network: predict is the class of the largest output, for every activation", "[network]", float,
                   double) {
  Rng rng(32);
  for (const Architecture& architecture : every_kind()) {
    INFO(described(architecture));
    const auto network = test::random_network<TestType>(architecture, rng);
    const Matrix<TestType> x = normal<TestType>({300, 28}, rng);
    const Labels predicted = network.predict(x);
    const Matrix<TestType> outputs = network.forward(x);
    REQUIRE(predicted.size() == 300);
    bool all_largest = true;
    for (std::size_t i = 0; i < 300; ++i) {
      for (const TestType other : row(outputs, i)) all_largest &= other <= outputs(i, predicted(i));
    }
    CHECK(all_largest);
  }
}

TEST_CASE("Network: predict tells apart outputs that round to one number", "[network]") {
  Network<float> network(Architecture{{1, 3}, {Activation::sigmoid}, squares});
  network.layer(0).bias = Vector<float>{30, 60, 40};
  CHECK(test::equal(network.forward(Matrix<float>{{0}}), Matrix<float>{{1, 1, 1}}));
  CHECK(test::equal(network.predict(Matrix<float>{{0}}), Labels{1}));
}

TEST_CASE("Network: predict goes by the outputs where the activation changes their order", "[network]") {
  for (const Activation activation : {Activation::gelu, Activation::silu}) {
    Network<float> network(Architecture{{1, 3}, {activation}, squares});
    network.layer(0).bias = Vector<float>{-1, -9, -2};  // nearly 0 at -9, well below at -1 and -2
    INFO(name_of(activation));
    CHECK(test::equal(network.predict(Matrix<float>{{0}}), Labels{1}));
  }
}

TEST_CASE("Network: of equal outputs the lower class is predicted", "[network]") {
  const Network<float> network(Architecture{{2, 5}, {Activation::softmax}});
  CHECK(test::equal(network.predict(zeros<float>({2, 2})), Labels{0, 0}));
}

TEST_CASE("Network: predict_proba of softmax is forward, and each row sums to 1", "[network]") {
  Rng rng(33);
  const auto network = test::random_network<float>(deep(Activation::gelu, Activation::softmax), rng);
  const Matrix<float> x = normal<float>({300, 28}, rng, 3.0);
  const Matrix<float> probabilities = network.predict_proba(x);
  CHECK(test::same_bits(probabilities, network.forward(x)));
  for (std::size_t i = 0; i < 300; ++i) {
    double sum = 0;
    for (const float p : row(probabilities, i)) {
      CHECK((p >= 0 && p <= 1));
      sum += static_cast<double>(p);
    }
    CHECK(sum == Approx(1).epsilon(1e-6));  // six numbers rounded to 6e-8
  }
}

TEST_CASE("Network: predict_proba of sigmoids is each output's share of their sum", "[network]") {
  Rng rng(34);
  const auto network = test::random_network<double>(deep(Activation::tanh, Activation::sigmoid), rng);
  const Matrix<double> x = normal<double>({5, 28}, rng);
  const Matrix<double> probabilities = network.predict_proba(x);
  const Matrix<double> outputs = network.forward(x);
  for (std::size_t i = 0; i < 5; ++i) {
    double sum = 0;
    for (const double a : row(outputs, i)) sum += a;
    for (std::size_t k = 0; k < 6; ++k) CHECK(probabilities(i, k) == Approx(outputs(i, k) / sum).epsilon(1e-14));
  }
}

TEST_CASE("Network: predict_proba of sigmoids that all round to 0 knows nothing", "[network]") {
  Network<float> network(Architecture{{1, 4}, {Activation::sigmoid}, squares});
  network.layer(0).bias = Vector<float>{-1e4F, -2e4F, -1e5F, -1e30F};
  CHECK(test::equal(network.predict_proba(Matrix<float>{{1}}), Matrix<float>{{0.25, 0.25, 0.25, 0.25}}));
}

TEST_CASE("Network: predict_proba asks for a last layer that gives probabilities", "[network][error]") {
  for (std::size_t i = 0; i < activation_names.size(); ++i) {
    const auto output = static_cast<Activation>(i);
    if (output == Activation::softmax || output == Activation::sigmoid) continue;
    const Network<float> network(Architecture{{2, 3}, {output}, squares});
    const std::string part =
        detail::text("predict_proba: the last layer is ", activation_names[i], ", expected softmax or sigmoid");
    CHECK_ERROR(network.predict_proba(zeros<float>({1, 2})), ArgumentError, part);
    CHECK_ERROR(network.predict_proba(Dataset()), ArgumentError, part);
    CHECK(network.forward(zeros<float>({1, 2})).size() == 3);
  }
}

TEST_CASE("Network: inputs of the wrong size are named", "[network][error]") {
  Rng rng(35);
  const Network<float> network({784, 10}, Activation::relu, rng);
  const Matrix<float> x = zeros<float>({32, 783});
  const std::string part = ": input has shape (32, 783), expected (batch, 784)";
  CHECK_ERROR(network.logits(x), ShapeError, "logits" + part);
  CHECK_ERROR(network.forward(x), ShapeError, "forward" + part);
  CHECK_ERROR(network.predict_proba(x), ShapeError, "predict_proba" + part);
  CHECK_ERROR(network.predict(x), ShapeError, "predict" + part);
  CHECK_ERROR(network.activations(x), ShapeError, "activations" + part);
  CHECK_ERROR(network.predict(zeros<float>({0, 783})), ShapeError, "input has shape (0, 783)");

  const Dataset data = test::random_data(32, 783, 10, rng);
  CHECK_ERROR(network.logits(data), ShapeError, "logits" + part);
  CHECK_ERROR(network.forward(data), ShapeError, "forward" + part);
  CHECK_ERROR(network.predict_proba(data), ShapeError, "predict_proba" + part);
  CHECK_ERROR(network.predict(data), ShapeError, "predict" + part);
}

TEST_CASE("Network: an empty batch gives an empty answer", "[network]") {
  Rng rng(36);
  const Network<float> network({4, 3, 2}, Activation::gelu, rng);
  const Matrix<float> none = zeros<float>({0, 4});
  CHECK(test::equal(network.logits(none), zeros<float>({0, 2})));
  CHECK(test::equal(network.forward(none, 3), zeros<float>({0, 2})));
  CHECK(test::equal(network.predict_proba(none), zeros<float>({0, 2})));
  CHECK(network.predict(none).size() == 0);
  CHECK(network.activations(none).size() == 2);
  CHECK(test::equal(network.activations(none)[0], zeros<float>({0, 3})));
  CHECK(test::equal(network.predict_proba(Dataset()), zeros<float>({0, 2})));
  CHECK(network.predict(Dataset()).size() == 0);
}

TEMPLATE_TEST_CASE("Network: the same bits for any number of threads", "[network]", float, double) {
  Rng rng(37);
  const auto network = test::random_network<TestType>(deep(Activation::silu, Activation::softmax), rng);
  for (const std::size_t batch : {1u, 255u, 256u, 257u, 1500u}) {
    const Matrix<TestType> x = normal<TestType>({batch, 28}, rng);
    const auto logits = network.logits(x, 1);
    const auto forward = network.forward(x, 1);
    const auto probabilities = network.predict_proba(x, 1);
    const auto labels = network.predict(x, 1);
    for (const std::size_t threads : {2u, 3u, 8u, 0u}) {
      INFO(batch << " samples, " << threads << " threads");
      CHECK(test::same_bits(network.logits(x, threads), logits));
      CHECK(test::same_bits(network.forward(x, threads), forward));
      CHECK(test::same_bits(network.predict_proba(x, threads), probabilities));
      CHECK(test::same_bits(network.predict(x, threads), labels));
    }
  }
}

TEMPLATE_TEST_CASE("Network: a data set of bytes and the matrix of its numbers give the same bits", "[network]",
                   float, double) {
  Rng rng(38);
  const auto network = test::random_network<TestType>(deep(Activation::relu, Activation::softmax), rng);
  const Dataset all(test::random_images(300, 4, 7, rng), test::random_labels(300, 6, rng), 6);
  for (const Dataset& data : {all, all.slice(17, 290), all.subset({7, 3, 3, 299, 0})}) {
    const Matrix<TestType> x = data.to_matrix<TestType>();
    CHECK(test::same_bits(network.logits(data), network.logits(x)));
    CHECK(test::same_bits(network.forward(data), network.forward(x)));
    CHECK(test::same_bits(network.predict_proba(data, 2), network.predict_proba(x)));
    CHECK(test::same_bits(network.predict(data, 3), network.predict(x)));
  }
}

TEMPLATE_TEST_CASE("Network: images that are mostly blank give what plain loops give, however they are asked about",
                   "[network]", float, double) {
  Rng rng(43);
  const std::size_t outputs = GENERATE(6u, 40u);  // narrow, and wide
  const Architecture architecture{{100, 140, 33, outputs}, {Activation::relu, Activation::elu, Activation::softmax}};
  const auto network = test::random_network<TestType>(architecture, rng);
  Images images = test::random_images(600, 10, 10, rng);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const bool blank = i / 100 < 300 ? i % 6 != 0 : i / 100 < 310;  // sparse samples, then blank ones, then dense
    if (blank) images.data()[i] = 0;
  }
  const Dataset all(std::move(images), test::random_labels(600, 6, rng), outputs);
  for (const Dataset& data :
       {all, all.slice(1, 200), all.slice(290, 299), all.slice(4, 5), all.subset({7, 3, 310, 5})}) {
    INFO(data.size() << " samples");
    const Matrix<TestType> x = data.to_matrix<TestType>();
    const Matrix<TestType> logits = network.logits(data);
    CHECK(test::relative_error(logits, test::reference_logits(network, x)) < rounding<TestType>);
    CHECK(test::same_bits(network.logits(x), logits));
    CHECK(test::same_bits(network.logits(data, 3), logits));
    CHECK(test::same_bits(network.predict_proba(x, 2), network.predict_proba(data)));
    CHECK(test::same_bits(network.predict(x, 2), network.predict(data)));
  }
}

TEST_CASE("Network: a data set of float and the matrix of its numbers give the same bits", "[network]") {
  Rng rng(39);
  const auto network = test::random_network<float>(deep(Activation::relu, Activation::softmax), rng);
  const Dataset data = test::random_data(300, 28, 6, rng);
  CHECK(test::same_bits(network.forward(data), network.forward(data.to_matrix<float>())));
}

TEST_CASE("Network: many threads may ask one network at once", "[network]") {
  Rng rng(40);
  const auto network = test::random_network<float>(deep(Activation::tanh, Activation::softmax), rng);
  const Matrix<float> x = normal<float>({600, 28}, rng);
  const Matrix<float> probabilities = network.predict_proba(x);
  const Labels labels = network.predict(x);
  const auto last = network.activations(x);

  std::array<bool, 8> right{};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      bool same = true;
      for (int turn = 0; turn < 10; ++turn) {
        same &= test::same_bits(network.predict_proba(x, 1 + t % 3), probabilities);
        same &= test::same_bits(network.predict(x), labels);
        same &= test::relative_error(network.activations(x).back(), last.back()) < rounding<float>;
      }
      right[t] = same;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool same : right) CHECK(same);
}

TEST_CASE("Network: giant inputs give no NaN", "[network]") {
  Rng rng(41);
  for (const Architecture& architecture : every_kind()) {
    INFO(described(architecture));
    const auto network = test::random_network<float>(architecture, rng);
    for (const float value : network.forward(normal<float>({10, 28}, rng, 1e4))) CHECK(std::isfinite(value));
  }
}
