#include <digitnet/inference.hpp>
#include <digitnet/trainer.hpp>

#include "catch.hpp"
#include "model_file.hpp"
#include "small_networks.hpp"
#include "temporary_folder.hpp"

#include <memory>
#include <numeric>
#include <thread>

using namespace digitnet;

namespace {

/// Trained for a second, to read most of the test images.
const Network<float>& trained_network() {
  static const Network<float> network = [] {
    Rng rng(1);
    Network<float> made({784, 32, 10}, Activation::relu, rng);
    Adam<float> adam(3e-3);
    TrainingOptions options;
    options.epochs = 2;
    options.batch_size = 64;
    train(made, test::mnist_sample().train, {}, adam, options, rng);
    return made;
  }();
  return network;
}

MnistImage image_of(const Dataset& data, std::size_t sample) {
  MnistImage image{};
  std::copy(data.pixels(sample).begin(), data.pixels(sample).end(), image.begin());
  return image;
}

/// An image as white ink on a black ground.
Picture picture_of(const MnistImage& image) { return {28, 28, 1, {image.begin(), image.end()}}; }

}  // namespace

TEST_CASE("Classifier: reads MNIST's test images as the network does", "[inference]") {
  const Dataset data = test::mnist_sample().test.slice(0, 300);
  const Classifier classifier(trained_network());
  const Labels expected = trained_network().predict(data);
  const Matrix<float> probabilities = trained_network().predict_proba(data);
  std::size_t correct = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    INFO("image " << i);
    const Prediction prediction = classifier.classify(image_of(data, i));
    REQUIRE(prediction.digit.has_value());
    CHECK(*prediction.digit == expected(i));
    CHECK(prediction.image == image_of(data, i));
    REQUIRE(prediction.probabilities.size() == 10);
    CHECK(prediction.probability == static_cast<double>(prediction.probabilities[*prediction.digit]));
    CHECK(prediction.probability == Approx(probabilities(i, *prediction.digit)).epsilon(1e-4));
    double sum = 0;
    for (const float p : prediction.probabilities) {
      CHECK(static_cast<double>(p) <= prediction.probability);
      sum += static_cast<double>(p);
    }
    CHECK(sum == Approx(1).epsilon(1e-6));
    correct += *prediction.digit == data.label(i) ? 1 : 0;
  }
  CHECK(correct > 240);  // 270 here
}

TEST_CASE("Classifier: an image without ink has no digit", "[inference]") {
  const Classifier classifier(trained_network());
  for (const Prediction& prediction :
       {classifier.classify(MnistImage{}), classifier.classify(picture_of({})),
        classifier.classify(Picture{40, 30, 3, std::vector<std::uint8_t>(3600, 255)})}) {
    CHECK(!prediction.digit.has_value());
    CHECK(prediction.probability == 0);
    CHECK(prediction.probabilities.empty());
    CHECK(prediction.image == MnistImage{});
  }
  MnistImage dot{};
  dot[400] = 1;
  CHECK(classifier.classify(dot).digit.has_value());
}

TEST_CASE("Classifier: a picture is read as the image that preprocessing makes of it", "[inference]") {
  const Classifier classifier(trained_network());
  for (std::size_t i = 0; i < 20; ++i) {
    const Picture picture = picture_of(image_of(test::mnist_sample().test, i));
    const Prediction prediction = classifier.classify(picture);
    CHECK(prediction.image == to_mnist_image(picture));
    const Prediction expected = classifier.classify(to_mnist_image(picture));
    CHECK(prediction.digit == expected.digit);
    CHECK(prediction.probabilities == expected.probabilities);
  }
}

TEST_CASE("Classifier: black ink on white is the same as white on black", "[inference]") {
  const Classifier classifier(trained_network());
  Picture picture = picture_of(image_of(test::mnist_sample().test, 3));
  const Prediction expected = classifier.classify(picture);
  for (std::uint8_t& pixel : picture.pixels) pixel = static_cast<std::uint8_t>(255 - pixel);
  const Prediction inverted = classifier.classify(picture);
  CHECK(inverted.digit == expected.digit);
  CHECK(inverted.probability == Approx(expected.probability).epsilon(1e-3));  // inks of 1/255 may round otherwise
}

TEST_CASE("Classifier: comes from a model file", "[inference]") {
  const test::TemporaryFolder folder;
  save_network(trained_network(), folder / "model.safetensors");
  const Classifier classifier(folder / "model.safetensors");
  const MnistImage image = image_of(test::mnist_sample().test, 0);
  CHECK(classifier.classify(image).probabilities == Classifier(trained_network()).classify(image).probabilities);
  CHECK(classifier.network().metadata.contains("labels"));
  CHECK(classifier.network().architecture() == trained_network().architecture());
}

TEST_CASE("Classifier: the errors of a model file come through", "[inference][error]") {
  const test::TemporaryFolder folder;
  CHECK_ERROR(Classifier(folder / "missing.safetensors"), IoError, "load_network: ");
  test::write_file(folder / "text", "no model at all");
  CHECK_ERROR(Classifier(folder / "text"), FormatError, "load_network: ");
  test::write_file(folder / "small", test::small_model().bytes());
  CHECK_ERROR(Classifier(folder / "small"), ShapeError, "Classifier: the network takes 2 inputs");
}

TEST_CASE("Classifier: a network that cannot read images is refused at once", "[inference][error]") {
  Rng rng(1);
  CHECK_ERROR(Classifier(Network<float>({783, 10}, Activation::relu, rng)), ShapeError,
              "Classifier: the network takes 783 inputs, expected 784, one for each pixel of 28 x 28");
  CHECK_ERROR(Classifier(Network<float>({784, 10}, Activation::relu, rng, Activation::identity,
                                        LossFunction::sum_of_squares)),
              ArgumentError, "the last layer is identity, expected softmax or sigmoid");
}

TEST_CASE("Classifier: sigmoid outputs and other numbers of classes are fine", "[inference]") {
  Rng rng(1);
  const MnistImage image = image_of(test::mnist_sample().test, 0);
  const Classifier sigmoid(
      Network<float>({784, 10}, Activation::relu, rng, Activation::sigmoid, LossFunction::sum_of_squares));
  const Prediction prediction = sigmoid.classify(image);
  CHECK(std::accumulate(prediction.probabilities.begin(), prediction.probabilities.end(), 0.0) ==
        Approx(1).epsilon(1e-6));
  const Classifier letters(Network<float>({784, 26}, Activation::relu, rng));
  CHECK(letters.classify(image).probabilities.size() == 26);
  CHECK(letters.classify(image).digit.value() < 26);
}

TEST_CASE("Classifier: many threads may ask one at once", "[inference]") {
  const Classifier classifier(trained_network());
  const Dataset& data = test::mnist_sample().test;
  std::vector<std::vector<float>> expected;
  for (std::size_t i = 0; i < 50; ++i) expected.push_back(classifier.classify(image_of(data, i)).probabilities);
  std::array<bool, 8> right{};
  std::vector<std::thread> threads;
  threads.reserve(right.size());
  for (bool& all_right : right) {
    threads.emplace_back([&] {
      bool same = true;
      for (std::size_t i = 0; i < 50; ++i)
        same &= classifier.classify(image_of(data, i)).probabilities == expected[i];
      all_right = same;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool same : right) CHECK(same);
}

TEMPLATE_TEST_CASE("Predictor: answers what the network answers, for bytes and for numbers", "[inference]", float,
                   double) {
  using Real = TestType;
  Rng rng(21);
  const double tolerance = std::is_same_v<Real, float> ? 1e-5 : 1e-12;
  for (const Architecture& architecture : {Architecture{{36, 5}, {Activation::softmax}},
                                           Architecture{{36, 20, 10}, {Activation::relu, Activation::softmax}},
                                           Architecture{{36, 20, 17, 30},
                                                        {Activation::tanh, Activation::gelu, Activation::sigmoid},
                                                        LossFunction::sum_of_squares}}) {
    const Network<Real> network = test::random_network<Real>(architecture, rng);
    Predictor<Real> predictor(network);
    Images images = test::random_images(12, 6, 6, rng);
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (i % 4 != 0 && i < images.size() / 2) images.data()[i] = 0;  // half with little ink
    }
    const Dataset data(std::move(images), Labels(Labels::shape_type{12}, std::uint8_t{0}), architecture.sizes.back());
    const Matrix<Real> expected = network.forward(data);
    const Matrix<Real> numbers = data.to_matrix<Real>();
    const Labels labels = network.predict(data);
    for (std::size_t i = 0; i < data.size(); ++i) {
      const std::span<const Real> by_bytes = predictor.forward(data.pixels(i));
      REQUIRE(by_bytes.size() == network.outputs());
      for (std::size_t k = 0; k < by_bytes.size(); ++k) {
        CHECK(std::abs(static_cast<double>(by_bytes[k] - expected(i, k))) < tolerance);
      }
      const std::span<const Real> by_numbers = predictor.forward(row(numbers, i));
      for (std::size_t k = 0; k < by_numbers.size(); ++k) {
        CHECK(std::abs(static_cast<double>(by_numbers[k] - expected(i, k))) < tolerance);
      }
      CHECK(predictor.predict(data.pixels(i)) == labels(i));
      CHECK(predictor.predict(row(numbers, i)) == labels(i));
    }
    CHECK_ERROR(predictor.predict(data.pixels(0).subspan(1)), ShapeError, "Predictor: 35 inputs, expected 36");

    const Matrix<Real> probabilities = network.predict_proba(data);
    for (std::size_t i = 0; i < data.size(); ++i) {
      const std::span<const Real> by_bytes = predictor.predict_proba(data.pixels(i));
      for (std::size_t k = 0; k < by_bytes.size(); ++k) {
        CHECK(std::abs(static_cast<double>(by_bytes[k] - probabilities(i, k))) < tolerance);
      }
    }
  }
}

TEST_CASE("Predictor: probabilities are asked of a network that gives some", "[inference][error]") {
  Rng rng(6);
  Predictor<float> predictor(
      Network<float>({4, 3}, Activation::relu, rng, Activation::identity, LossFunction::sum_of_squares));
  const std::array<float, 4> x{1, 0, 2, 3};
  CHECK(predictor.forward(x).size() == 3);
  CHECK_ERROR(predictor.predict_proba(x), ArgumentError,
              "predict_proba: the last layer is identity, expected softmax or sigmoid");
}

TEST_CASE("Predictor: a copy answers for itself, and goes on when the first is gone", "[inference]") {
  const Dataset& data = test::mnist_sample().test;
  auto first = std::make_unique<Predictor<float>>(trained_network());
  Predictor<float> copy(*first);
  const std::span<const float> kept = first->forward(data.pixels(0));
  const std::vector<float> expected(kept.begin(), kept.end());
  copy.forward(data.pixels(1));
  CHECK(std::equal(kept.begin(), kept.end(), expected.begin()));  // each has its own room
  Predictor<float> moved(std::move(*first));
  first.reset();
  for (Predictor<float>* predictor : {&copy, &moved}) {
    const std::span<const float> again = predictor->forward(data.pixels(0));
    CHECK(std::equal(again.begin(), again.end(), expected.begin(), expected.end()));
  }
  Rng rng(5);
  Predictor<float> assigned(Network<float>({2, 3}, Activation::relu, rng));
  assigned = copy;
  CHECK(assigned.network().inputs() == 784);
  CHECK(assigned.predict(data.pixels(7)) == copy.predict(data.pixels(7)));
}

TEST_CASE("Predictor: many threads, each with a copy, read what the network reads", "[inference]") {
  const Dataset& data = test::mnist_sample().test;
  const Labels labels = trained_network().predict(data);
  const Predictor<float> original(trained_network());
  std::array<bool, 4> right{};
  std::vector<std::thread> threads;
  threads.reserve(right.size());
  for (bool& all_right : right) {
    threads.emplace_back([&] {
      Predictor<float> mine(original);
      bool same = true;
      for (std::size_t i = 0; i < data.size(); ++i) same &= mine.predict(data.pixels(i)) == labels(i);
      all_right = same;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool same : right) CHECK(same);
}
