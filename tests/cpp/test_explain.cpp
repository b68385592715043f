#include <digitnet/explain.hpp>
#include <digitnet/trainer.hpp>

#include "arrays.hpp"
#include "catch.hpp"
#include "gradient.hpp"
#include "small_networks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

using namespace digitnet;

namespace {

/// A network that knows the sample of MNIST, trained once.
const Network<float>& trained() {
  static const Network<float> network = [] {
    Rng rng(1);
    Network<float> made({784, 48, 10}, Activation::relu, rng);
    Adam<float> adam(3e-3);
    TrainingOptions options;
    options.epochs = 4;
    options.threads = 1;
    train(made, test::mnist_sample().train, Dataset(), adam, options, rng);
    return made;
  }();
  return network;
}

MnistImage sample_image(std::size_t sample) {
  MnistImage image{};
  std::ranges::copy(test::mnist_sample().train.pixels(sample), image.begin());
  return image;
}

/// The first training image of this label that the network reads rightly.
MnistImage image_of(std::uint8_t label) {
  const Dataset& data = test::mnist_sample().train;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data.label(i) == label && trained().predict(data.slice(i, i + 1))(0) == label) return sample_image(i);
  }
  FAIL("no such image");
  return {};
}

}  // namespace

TEST_CASE("input_gradient: agrees with central differences for every activation", "[explain][gradient]") {
  for (const Activation hidden :
       {Activation::identity, Activation::sigmoid, Activation::tanh, Activation::relu, Activation::leaky_relu,
        Activation::elu, Activation::gelu, Activation::silu, Activation::softplus}) {
    INFO(name_of(hidden));
    Rng rng(7);
    const Network<double> network =
        test::random_network<double>({{9, 8, 6, 4}, {hidden, hidden, Activation::softmax}}, rng);
    Matrix<double> images = normal<double>({3, 9}, rng);
    const Matrix<double> dz = normal<double>({3, 4}, rng);
    const Matrix<double> exact = input_gradient(network, images, dz);
    const Matrix<double> estimate = test::central_difference(images, [&] {
      const Matrix<double> z = network.logits(images);
      return std::inner_product(z.data(), z.data() + z.size(), dz.data(), 0.0);
    });
    CHECK(test::relative_error(exact, estimate) < 1e-7);
  }
}

TEST_CASE("input_gradient: of a single layer it is the weights", "[explain]") {
  Rng rng(1);
  const Network<double> network = test::random_network<double>({{3, 2}, {Activation::softmax}}, rng);
  Matrix<double> dz = zeros<double>({1, 2});
  dz(0, 1) = 1;
  const Matrix<double> gradient = input_gradient(network, zeros<double>({1, 3}), dz);
  for (std::size_t i = 0; i < 3; ++i) CHECK(gradient(0, i) == network.layer(0).weights(i, 1));
}

TEST_CASE("input_gradient: shapes that do not fit are named", "[explain][error]") {
  const Network<double> network({{3, 2}, {Activation::softmax}});
  CHECK_ERROR(input_gradient(network, zeros<double>({1, 4}), zeros<double>({1, 2})), ShapeError,
              "input_gradient: images (1, 4) and gradient (1, 2), expected "
              "(batch, 3) and (batch, 2)");
  CHECK_THROWS_AS(input_gradient(network, zeros<double>({2, 3}), zeros<double>({1, 2})), ShapeError);
  CHECK_THROWS_AS(input_gradient(network, zeros<double>({1, 3}), zeros<double>({1, 3})), ShapeError);
}

TEST_CASE("ink_contributions: without biases those of a ReLU network sum to the margin", "[explain]") {
  Rng rng(3);
  const Network<double> network({12, 10, 8, 4}, Activation::relu, rng);  // biases are 0
  const Matrix<double> image = uniform<double>({1, 12}, 0.0, 1.0, rng);
  const Matrix<double> z = network.logits(image);
  const auto against_one = ink_contributions(network, row(image, 0), 2, 1);
  CHECK(against_one.margin == Approx(z(0, 2) - z(0, 1)).epsilon(1e-12));
  CHECK(std::accumulate(against_one.ink.begin(), against_one.ink.end(), 0.0) ==
        Approx(against_one.margin).epsilon(1e-12));
  CHECK(std::abs(against_one.rest) < 1e-12);

  const auto against_all = ink_contributions(network, row(image, 0), 2);
  CHECK(against_all.margin == Approx(z(0, 2) - (z(0, 0) + z(0, 1) + z(0, 3)) / 3).epsilon(1e-12));
  CHECK(std::abs(against_all.rest) < 1e-12);
}

TEST_CASE("ink_contributions: with biases the rest is their part", "[explain]") {
  Rng rng(4);
  const Network<double> network = test::random_network<double>({{6, 3}, {Activation::softmax}}, rng);
  const Matrix<double> image = uniform<double>({1, 6}, 0.0, 1.0, rng);
  const auto found = ink_contributions(network, row(image, 0), 0, 2);
  CHECK(found.rest == Approx(network.layer(0).bias(0) - network.layer(0).bias(2)).epsilon(1e-10));
}

TEST_CASE("ink_contributions: where there is no ink there is no contribution", "[explain]") {
  const MnistImage image = image_of(4);
  std::vector<float> ink(image.begin(), image.end());
  for (float& value : ink) value /= 255;
  const auto found = ink_contributions(trained(), ink, 4);
  CHECK(found.margin > 0);
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (image[i] == 0) CHECK(found.ink[i] == 0.0f);
  }
}

TEST_CASE("ink_contributions: wrong arguments are named", "[explain][error]") {
  const Network<double> network({{3, 4}, {Activation::softmax}});
  const std::vector<double> image(3);
  CHECK_ERROR(ink_contributions(network, std::vector<double>(5), 0), ShapeError, "image of 5 numbers, expected 3");
  CHECK_ERROR(ink_contributions(network, image, 4), ArgumentError, "digit is 4, expected one below 4");
  CHECK_ERROR(ink_contributions(network, image, 0, 9), ArgumentError, "against is 9, expected one below 4");
  CHECK_ERROR(ink_contributions(network, image, 1, 1), ArgumentError, "digit and against are both 1");
  const Network<double> single({{3, 1}, {Activation::sigmoid}, LossFunction::binary_cross_entropy});
  CHECK_ERROR(ink_contributions(single, image, 0), ArgumentError, "1 output, expected at least 2");
}

TEST_CASE("likeliest_digits: are in order, with margins to the best of the others", "[explain]") {
  Network<double> network({{1, 4}, {Activation::softmax}});
  network.layer(0).bias = {1.0, 3.0, -2.0, 2.5};
  const std::vector<double> image{0.0};
  const auto ranking = likeliest_digits(network, image, 3);
  REQUIRE(ranking.size() == 3);
  CHECK(ranking[0].digit == 1);
  CHECK(ranking[1].digit == 3);
  CHECK(ranking[2].digit == 0);
  CHECK(ranking[0].logit_margin == Approx(0.5));
  CHECK(ranking[1].logit_margin == Approx(-0.5));
  CHECK(ranking[2].logit_margin == Approx(-2.0));
  CHECK(ranking[0].probability_margin == Approx(ranking[0].probability - ranking[1].probability));
  CHECK(ranking[2].probability_margin == Approx(ranking[2].probability - ranking[0].probability));
  CHECK(std::log(ranking[0].probability / ranking[1].probability) == Approx(0.5));
}

TEST_CASE("likeliest_digits: of equals the smaller comes first", "[explain]") {
  const Network<float> network({{2, 5}, {Activation::softmax}});
  const auto ranking = likeliest_digits(network, std::vector<float>(2), 5);
  for (std::size_t k = 0; k < 5; ++k) {
    CHECK(ranking[k].digit == k);
    CHECK(ranking[k].logit_margin == 0);
  }
}

TEST_CASE("likeliest_digits: wrong arguments are named", "[explain][error]") {
  const Network<float> network({{2, 5}, {Activation::softmax}});
  CHECK_ERROR(likeliest_digits(network, std::vector<float>(2), 6), ArgumentError, "count is 6, expected 1 to 5");
  CHECK_THROWS_AS(likeliest_digits(network, std::vector<float>(2), 0), ArgumentError);
  CHECK_THROWS_AS(likeliest_digits(network, std::vector<float>(3)), ShapeError);
  const Network<float> plain({{2, 5}, {Activation::identity}, LossFunction::sum_of_squares});
  CHECK_THROWS_AS(likeliest_digits(plain, std::vector<float>(2)), ArgumentError);
}

TEST_CASE("nearest_samples: are those of a plain search, ties by index, for any number of threads", "[explain]") {
  Rng rng(5);
  const std::size_t count = 1500;
  Images images = Images::from_shape({count, 3, 3});
  for (auto& pixel : images) pixel = static_cast<std::uint8_t>(85 * rng.below(3));  // so that many are equally near
  const Dataset data(images, test::random_labels(count, 10, rng));
  std::vector<std::uint8_t> image(9, 85);
  std::vector<std::pair<int, std::size_t>> all;
  for (std::size_t i = 0; i < count; ++i) {
    int squares = 0;
    for (std::size_t k = 0; k < 9; ++k) squares += (data.pixels(i)[k] - 85) * (data.pixels(i)[k] - 85);
    all.emplace_back(squares, i);
  }
  std::ranges::sort(all);
  for (const std::size_t threads : {1u, 2u, 3u}) {
    const auto found = nearest_samples(image, data, 40, threads);
    REQUIRE(found.size() == 40);
    for (std::size_t i = 0; i < 40; ++i) {
      CHECK(found[i].sample == all[i].second);
      CHECK(found[i].label == data.label(all[i].second));
      CHECK(found[i].distance == Approx(std::sqrt(all[i].first) / 255));
    }
  }
}

TEST_CASE("nearest_samples: numbers, subsets and more than there are", "[explain]") {
  Matrix<float> numbers{{0.f, 0.f}, {3.f, 4.f}, {1.f, 0.f}};
  const Dataset data(numbers, Labels{7, 8, 9});
  const std::vector<float> at{0.f, 0.f};
  const auto found = nearest_samples(at, data, 10);
  REQUIRE(found.size() == 3);
  CHECK(found[0] == Neighbor{0, 7, 0.0});
  CHECK(found[1] == Neighbor{2, 9, 1.0});
  CHECK(found[2] == Neighbor{1, 8, 5.0});
  CHECK(nearest_samples(at, data.subset({1, 2}), 1)[0] == Neighbor{1, 9, 1.0});
  CHECK(nearest_samples(at, data, 0).empty());
  CHECK(nearest_samples(std::vector<std::uint8_t>(5), Dataset(), 3).empty());
}

TEST_CASE("nearest_samples: distances beyond 32 bits", "[explain]") {
  Images images = Images::from_shape({1, 300, 300});
  std::ranges::fill(images, std::uint8_t{255});
  const Dataset data(images, Labels{1});
  CHECK(nearest_samples(std::vector<std::uint8_t>(90000, 0), data, 1)[0].distance == Approx(300.0));
}

TEST_CASE("nearest_samples: wrong arguments are named", "[explain][error]") {
  const Dataset bytes(Images(Images::shape_type{1, 2, 2}, 0), Labels{0});
  const Dataset numbers(zeros<float>({1, 4}), Labels{0});
  CHECK_ERROR(nearest_samples(std::vector<std::uint8_t>(3), bytes, 1), ShapeError, "image of 3 numbers, expected 4");
  CHECK_THROWS_AS(nearest_samples(std::vector<std::uint8_t>(4), numbers, 1), ArgumentError);
  CHECK_THROWS_AS(nearest_samples(std::vector<float>(4), bytes, 1), ArgumentError);
  CHECK_THROWS_AS(nearest_samples(std::vector<float>(4, std::numeric_limits<float>::quiet_NaN()), numbers, 1),
                  ArgumentError);
}

TEST_CASE("hidden_features: are the activations before the last layer", "[explain]") {
  const Dataset data = test::mnist_sample().train.slice(0, 600);
  const Dataset features = hidden_features(trained(), data, 2);
  REQUIRE(features.size() == 600);
  CHECK(test::equal(features.labels(), data.labels()));
  const Matrix<float> expected = trained().activations(data.to_matrix<float>())[0];
  CHECK(test::relative_error(features.to_matrix<float>(), expected) < 1e-5);
  CHECK(test::same_bits(hidden_features(trained(), data, 1).to_matrix<float>(), features.to_matrix<float>()));
  const auto itself = nearest_samples(features.numbers(17), features, 1);
  CHECK(itself[0].sample == 17);
}

TEST_CASE("hidden_features: needs a hidden layer and samples that fit", "[explain][error]") {
  const Dataset data = test::mnist_sample().train.slice(0, 2);
  CHECK_ERROR(hidden_features(Network<float>({{784, 10}, {Activation::softmax}}), data), ArgumentError,
              "a network of 1 layer, expected a hidden layer");
  CHECK_ERROR(hidden_features(Network<float>({{5, 4, 10}, {Activation::relu, Activation::softmax}}), data),
              ShapeError, "samples of 784 numbers, expected 5");
}

TEST_CASE("turned_into: the reading is the wanted digit, and the change is what it says", "[explain]") {
  for (const auto& [from, to] : {std::pair{4, 9}, std::pair{3, 8}, std::pair{7, 1}, std::pair{5, 6}}) {
    const MnistImage image = image_of(static_cast<std::uint8_t>(from));
    const Turned turned = turned_into(trained(), image, static_cast<std::size_t>(to));
    INFO(from << " to " << to);
    REQUIRE(turned.succeeded);
    CHECK(turned.probability >= 0.9);
    CHECK(turned.steps > 0);
    std::vector<float> ink(turned.image.begin(), turned.image.end());
    for (float& value : ink) value /= 255;
    const auto best = likeliest_digits(trained(), ink)[0];
    CHECK(best.digit == static_cast<std::size_t>(to));
    CHECK(best.probability == Approx(turned.probability).epsilon(1e-4));

    double squares = 0;
    double added = 0;
    double erased = 0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      const double change = (static_cast<double>(turned.image[i]) - image[i]) / 255;
      CHECK(turned.change[i] == Approx(change).margin(1e-6));
      squares += change * change;
      added += std::max(change, 0.0);
      erased += std::max(-change, 0.0);
    }
    CHECK(turned.distance == Approx(std::sqrt(squares)).epsilon(1e-9));
    CHECK(turned.added == Approx(added).epsilon(1e-9));
    CHECK(turned.erased == Approx(erased).epsilon(1e-9));
    CHECK(turned.distance < 9);  // the mean distance of two training images is about 10
  }
}

TEST_CASE("turned_into: new ink is near ink", "[explain]") {
  const MnistImage image = image_of(1);
  TurnOptions options;
  options.reach = 2;
  const Turned turned = turned_into(trained(), image, 7, options);
  CHECK(turned.added > 0);
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (turned.change[i] <= 0) continue;
    double nearest = 100;
    for (std::size_t j = 0; j < image.size(); ++j) {
      if (image[j] < 64) continue;
      nearest = std::min(nearest, std::hypot(static_cast<double>(i % 28) - static_cast<double>(j % 28),
                                             static_cast<double>(i / 28) - static_cast<double>(j / 28)));
    }
    CHECK(nearest <= 2.0);
  }
}

TEST_CASE("turned_into: the reading holds when the picture is moved by a pixel", "[explain]") {
  const Turned turned = turned_into(trained(), image_of(3), 8);
  REQUIRE(turned.succeeded);
  for (const auto& [dx, dy] : {std::pair{1, 0}, std::pair{-1, 0}, std::pair{0, 1}, std::pair{0, -1}}) {
    std::vector<float> moved(784, 0.0f);
    for (int y = 1; y < 27; ++y) {
      for (int x = 1; x < 27; ++x) {
        moved[static_cast<std::size_t>((y + dy) * 28 + x + dx)] =
            static_cast<float>(turned.image[static_cast<std::size_t>(y * 28 + x)]) / 255;
      }
    }
    const auto best = likeliest_digits(trained(), moved)[0];
    CHECK(best.digit == 8);
    CHECK(best.probability > 0.89);
  }
}

TEST_CASE("turned_into: what it is already stays as it is", "[explain]") {
  const MnistImage image = image_of(0);
  TurnOptions options;
  options.probability = 0.01;
  const Turned turned = turned_into(trained(), image, 0, options);
  CHECK(turned.succeeded);
  CHECK(turned.steps == 0);
  CHECK(turned.image == image);
  CHECK(turned.distance == 0);
}

TEST_CASE("turned_into: says when it did not succeed", "[explain]") {
  TurnOptions options;
  options.most_steps = 1;
  const Turned too_short = turned_into(trained(), image_of(0), 1, options);
  CHECK_FALSE(too_short.succeeded);
  CHECK(too_short.steps == 1);
  CHECK(too_short.probability < 0.9);

  TurnOptions sure;
  sure.probability = 0.999999;
  const Turned nothing_to_change = turned_into(trained(), MnistImage{}, 8, sure);  // no ink, so no place for ink
  CHECK_FALSE(nothing_to_change.succeeded);
  CHECK(nothing_to_change.distance == 0);
}

TEST_CASE("turned_into: a network of sigmoids can be turned, too", "[explain]") {
  Rng rng(1);
  Network<float> network({784, 32, 10}, Activation::relu, rng, Activation::sigmoid,
                         LossFunction::binary_cross_entropy);
  Adam<float> adam(3e-3);
  TrainingOptions options;
  options.epochs = 3;
  options.threads = 1;
  train(network, test::mnist_sample().train, Dataset(), adam, options, rng);
  CHECK(turned_into(network, image_of(4), 9).succeeded);
}

TEST_CASE("turned_into: wrong arguments are named", "[explain][error]") {
  const auto with = [](auto change) {
    TurnOptions options;
    change(options);
    return options;
  };
  const MnistImage image{};
  CHECK_ERROR(turned_into(Network<float>({{4, 10}, {Activation::softmax}}), image, 1), ShapeError,
              "takes 4 inputs, expected 784");
  CHECK_ERROR(turned_into(trained(), image, 10), ArgumentError, "digit is 10, expected one below 10");
  for (const double wrong : {0.0, 1.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(turned_into(trained(), image, 1, with([&](TurnOptions& o) { o.probability = wrong; })),
                    ArgumentError);
  }
  CHECK_THROWS_AS(turned_into(trained(), image, 1, with([](TurnOptions& o) { o.step = 0; })), ArgumentError);
  CHECK_THROWS_AS(turned_into(trained(), image, 1, with([](TurnOptions& o) { o.reach = -1; })), ArgumentError);
}
