// Weights of a byte each: src/quantized.hpp and QuantizedPredictor, against the plainest form.
#include "../../src/quantized.hpp"

#include "../../src/sparse_samples.hpp"
#include "catch.hpp"
#include "reference_network.hpp"
#include "small_networks.hpp"

#include <digitnet/inference.hpp>
#include <digitnet/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace digitnet;

namespace {

/// The weights of a layer as whole numbers, by the formula of the comment.
struct WholeWeights {
  explicit WholeWeights(const Dense<float>& layer) : q(layer.weights.size()), scales(layer.outputs()) {
    for (std::size_t j = 0; j < layer.outputs(); ++j) {
      for (std::size_t i = 0; i < layer.inputs(); ++i) scales[j] = std::max(scales[j], std::abs(layer.weights(i, j)));
      scales[j] /= 127;
      for (std::size_t i = 0; i < layer.inputs(); ++i) {
        q[i * layer.outputs() + j] = scales[j] > 0 ? std::lround(layer.weights(i, j) / scales[j]) : 0;
      }
    }
  }
  std::vector<long> q;
  std::vector<float> scales;
};

Dense<float> random_layer(std::size_t inputs, std::size_t outputs, Rng& rng) {
  Dense<float> layer{normal<float>({inputs, outputs}, rng), zero_vector<float>(outputs)};
  for (float& value : values(layer.bias)) value = static_cast<float>(rng.normal());
  return layer;
}

std::vector<std::int32_t> sums_of(const detail::QuantizedLayer& layer, std::span<const std::uint8_t> bytes,
                                  detail::ByteProduct how) {
  std::vector<std::uint8_t> quads(bytes.begin(), bytes.end());
  quads.resize((bytes.size() + 3) / 4 * 4, 200);  // what lies behind must not count
  std::vector<std::uint64_t> bits(detail::ink_groups(bytes.size()));
  detail::find_ink(bytes, bits.data());
  Vector<std::int32_t> sums = zero_vector<std::int32_t>(detail::padded(layer.outputs()));
  layer.sum(std::span<const std::uint8_t>(quads).first(bytes.size()), bits.data(), sums.data(), how);
  return {sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(layer.outputs())};
}

/// Trained for a second, to read most of the test images.
const Network<float>& trained_network() {
  static const Network<float> network = [] {
    Rng rng(1);
    Network<float> made({784, 64, 10}, Activation::relu, rng);
    Adam<float> adam(3e-3);
    train(made, test::mnist_sample().train, {}, adam, {.epochs = 3, .batch_size = 64}, rng);
    return made;
  }();
  return network;
}

}  // namespace

TEST_CASE("QuantizedLayer: sums are exact in whole numbers, by every product this processor has", "[quantized]") {
  Rng rng(1);
  REQUIRE(detail::byte_products().front() == detail::ByteProduct::plain);
  for (const std::size_t inputs : {1u, 3u, 4u, 63u, 64u, 66u, 300u}) {
    for (const std::size_t outputs : {1u, 10u, 16u, 17u, 100u, 128u, 250u}) {
      const Dense<float> dense = random_layer(inputs, outputs, rng);
      const WholeWeights whole(dense);
      const detail::QuantizedLayer layer(dense, 0);
      for (const std::uint64_t one_in : {1u, 5u, 100u}) {
        std::vector<std::uint8_t> bytes(inputs);
        for (std::uint8_t& byte : bytes)
          byte = rng.below(one_in) == 0 ? static_cast<std::uint8_t>(rng.below(256)) : 0;
        std::vector<std::int32_t> expected(outputs, 0);
        for (std::size_t i = 0; i < inputs; ++i) {
          for (std::size_t j = 0; j < outputs; ++j) {
            expected[j] += static_cast<std::int32_t>(bytes[i] * whole.q[i * outputs + j]);
          }
        }
        for (const detail::ByteProduct how : detail::byte_products()) {
          INFO("inputs " << inputs << ", outputs " << outputs << ", product " << static_cast<int>(how));
          REQUIRE(sums_of(layer, bytes, how) == expected);
        }
      }
    }
  }
}

TEST_CASE("QuantizedLayer: the largest sums fit, and none of them is cut short", "[quantized]") {
  for (const float sign : {1.0F, -1.0F}) {
    constexpr std::size_t inputs = detail::QuantizedLayer::most_inputs;
    Dense<float> dense{zeros<float>({inputs, 2}), zero_vector<float>(2)};
    for (std::size_t i = 0; i < inputs; ++i) {
      dense.weights(i, 0) = sign * 3;
      dense.weights(i, 1) = i % 2 == 0 ? 5.0F : -5.0F;  // pairs that a sum in 16 bits gets wrong
    }
    const detail::QuantizedLayer layer(dense, 0);
    const std::vector<std::uint8_t> bytes(inputs, 255);
    for (const detail::ByteProduct how : detail::byte_products()) {
      const auto whole = static_cast<std::int32_t>(sign) * 255 * 127 * 65536;
      CHECK(sums_of(layer, bytes, how) == std::vector<std::int32_t>{whole, 0});
    }
  }
}

TEST_CASE("to_bytes: every number within half a step, nothing for 0", "[quantized]") {
  Rng rng(2);
  for (const std::size_t count : {1u, 5u, 16u, 100u}) {
    for (const double shift : {0.0, 5.0, -5.0}) {
      const Matrix<float> numbers = normal<float>({1, count}, rng, 2.0);
      std::vector<float> given(numbers.begin(), numbers.end());
      for (float& value : given) value += static_cast<float>(shift);
      if (shift > 0) given[0] = 0;
      std::vector<std::uint8_t> bytes(count + 4);
      const detail::ByteInputs x = detail::to_bytes(given, bytes);
      REQUIRE(x.bytes.size() == count);
      CHECK(x.low == std::min(0.0F, *std::min_element(given.begin(), given.end())));
      for (std::size_t i = 0; i < count; ++i) {
        CHECK(std::abs(x.low + x.step * static_cast<float>(x.bytes[i]) - given[i]) <= 0.501F * x.step);
      }
      if (x.low == 0.0F && given[0] == 0.0F) CHECK(x.bytes[0] == 0);
    }
  }
  std::vector<std::uint8_t> bytes(8, 7);
  const detail::ByteInputs nothing = detail::to_bytes(std::vector<float>(5, 0.0F), bytes);
  for (const std::uint8_t byte : nothing.bytes) CHECK(byte == 0);
  CHECK(nothing.low == 0.0F);
}

TEST_CASE("to_bytes: pixels come back as the bytes they were", "[quantized]") {
  std::vector<float> numbers(256);
  for (std::size_t byte = 0; byte < 256; ++byte) numbers[byte] = static_cast<float>(byte) * (1.0F / 255);
  std::vector<std::uint8_t> bytes(256);
  const detail::ByteInputs x = detail::to_bytes(numbers, bytes);
  for (std::size_t byte = 0; byte < 256; ++byte) CHECK(x.bytes[byte] == byte);
}

TEST_CASE("QuantizedPredictor: one layer is bias + scale * sum, as close as float gets", "[quantized]") {
  Rng rng(3);
  for (const std::size_t inputs : {30u, 64u, 101u}) {
    Network<float> network(Architecture{{inputs, 20}, {Activation::identity}, LossFunction::sum_of_squares});
    network.layer(0).weights = random_layer(inputs, 20, rng).weights;
    for (float& value : values(network.layer(0).bias)) value = static_cast<float>(rng.normal());
    for (std::size_t i = 0; i < inputs; ++i) network.layer(0).weights(i, 7) = 0;  // a unit that sees nothing
    const WholeWeights whole(network.layer(0));
    QuantizedPredictor predictor(network);
    std::vector<std::uint8_t> pixels(inputs);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(rng.below(256));
    const std::span<const float> outputs = predictor.forward(pixels);
    REQUIRE(outputs.size() == 20);
    for (std::size_t j = 0; j < 20; ++j) {
      auto expected = static_cast<double>(network.layer(0).bias(j));
      for (std::size_t i = 0; i < inputs; ++i) {
        expected +=
            static_cast<double>(whole.scales[j]) * pixels[i] / 255.0 * static_cast<double>(whole.q[i * 20 + j]);
      }
      CHECK(static_cast<double>(outputs[j]) == Approx(expected).epsilon(1e-5).margin(1e-5));
    }
    CHECK(outputs[7] == network.layer(0).bias(7));
  }
}

TEST_CASE("QuantizedPredictor: close to the network for every activation, by bytes and by numbers", "[quantized]") {
  Rng rng(4);
  for (std::size_t index = 0; index + 1 < activation_names.size(); ++index) {
    const auto hidden = static_cast<Activation>(index);
    for (const std::size_t outputs : {6u, 30u}) {  // a last layer of float, and one of bytes
      INFO(name_of(hidden) << ", outputs " << outputs);
      const Architecture architecture{
          {100, 60, 40, outputs}, {hidden, hidden, Activation::identity}, LossFunction::sum_of_squares};
      const auto network = test::random_network<float>(architecture, rng);
      QuantizedPredictor predictor(network);
      CHECK(predictor.inputs() == 100);
      CHECK(predictor.outputs() == outputs);
      const Images images = test::random_images(20, 10, 10, rng);
      const Dataset data(images, Labels(Labels::shape_type{20}, std::uint8_t{0}), outputs);
      const Matrix<float> x = data.to_matrix<float>();
      const Matrix<float> expected = network.forward(data);
      double size = 0;
      double error = 0;
      const auto compare = [&](std::span<const float> answer, std::size_t sample) {
        for (std::size_t k = 0; k < outputs; ++k) {
          error += std::pow(static_cast<double>(answer[k] - expected(sample, k)), 2);
          size += std::pow(static_cast<double>(expected(sample, k)), 2);
        }
      };
      for (std::size_t i = 0; i < data.size(); ++i) {
        compare(predictor.forward(data.pixels(i)), i);
        compare(predictor.forward(row(x, i)), i);
      }
      CHECK(std::sqrt(error / size) < 0.02);  // 0.01 at most here
    }
  }
}

TEST_CASE("QuantizedPredictor: reads the sample as well as float does, within 0.3 of 100", "[quantized]") {
  const Network<float>& network = trained_network();
  QuantizedPredictor predictor(network);
  const Dataset& data = test::mnist_sample().test;
  const Labels expected = network.predict(data);
  const Matrix<float> probabilities = network.predict_proba(data);
  int correct = 0;
  int correct_as_float = 0;
  std::size_t other = 0;
  float greatest = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::size_t digit = predictor.predict(data.pixels(i));
    correct += digit == data.label(i) ? 1 : 0;
    correct_as_float += expected(i) == data.label(i) ? 1 : 0;
    other += digit != expected(i) ? 1 : 0;
    const std::span<const float> answer = predictor.predict_proba(data.pixels(i));
    for (std::size_t k = 0; k < 10; ++k) greatest = std::max(greatest, std::abs(answer[k] - probabilities(i, k)));
  }
  CHECK(correct_as_float > 900);
  CHECK(std::abs(correct - correct_as_float) <= 3);
  CHECK(other <= 5);
  CHECK(greatest < 0.1F);
}

TEST_CASE("QuantizedPredictor: takes about a quarter of the memory", "[quantized]") {
  Rng rng(5);
  const Network<float> network({784, 128, 10}, Activation::relu, rng);
  const QuantizedPredictor predictor(network);
  CHECK(predictor.parameter_bytes() == 784 * 128 + 3 * 128 * 4 + 128 * 16 * 4 + 16 * 4);
  CHECK(predictor.parameter_bytes() < network.parameter_count() * sizeof(float) * 3 / 10);
}

TEST_CASE("QuantizedPredictor: a copy answers for itself", "[quantized]") {
  const Dataset& data = test::mnist_sample().test;
  QuantizedPredictor first(trained_network());
  QuantizedPredictor copy(first);
  const std::span<const float> kept = first.forward(data.pixels(0));
  const std::vector<float> expected(kept.begin(), kept.end());
  copy.forward(data.pixels(1));
  CHECK(std::equal(kept.begin(), kept.end(), expected.begin()));
  QuantizedPredictor moved(std::move(first));
  copy = moved;
  const std::span<const float> again = copy.forward(data.pixels(0));
  CHECK(std::equal(again.begin(), again.end(), expected.begin(), expected.end()));
}

TEST_CASE("QuantizedPredictor: what it cannot do is named", "[quantized][error]") {
  Rng rng(6);
  QuantizedPredictor small(
      Network<float>({4, 3}, Activation::relu, rng, Activation::identity, LossFunction::sum_of_squares));
  const std::vector<std::uint8_t> three(3);
  const std::vector<float> four(4);
  CHECK_ERROR(small.predict(three), ShapeError, "QuantizedPredictor: 3 inputs, expected 4");
  CHECK_ERROR(small.predict_proba(four), ArgumentError, "the last layer is identity, expected softmax or sigmoid");
  Network<float> diverged({4, 3, 2}, Activation::relu, rng);
  diverged.layer(0).weights(2, 1) = std::numeric_limits<float>::infinity();
  CHECK_ERROR(QuantizedPredictor(diverged), ArgumentError,
              "QuantizedPredictor: layer 0 has a parameter that is not finite");
  const Network<float> wide(Architecture{{65537, 2}, {Activation::softmax}});
  CHECK_ERROR(QuantizedPredictor(wide), ArgumentError,
              "QuantizedPredictor: layer 0 has 65537 inputs, expected at most 65536");
}
