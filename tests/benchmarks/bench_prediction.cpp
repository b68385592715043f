// One image through a network 784-128-10, one after the other from the sample. predict_speed has the percentiles.
#include "kernels.hpp"
#include "quantized.hpp"
#include "sparse_samples.hpp"
#include "support.hpp"

#include <benchmark/benchmark.h>

namespace {

digitnet::Dataset images() { return digitnet::load_mnist(DIGITNET_TEST_DATA "/mnist-sample").test; }

digitnet::Network<float> network() {
  digitnet::Rng rng(1);
  return {{784, 128, 10}, digitnet::Activation::relu, rng};
}

void predictor_bytes(benchmark::State& state) {
  digitnet::Predictor<float> predictor(network());
  const digitnet::Dataset all = images();
  std::size_t i = 0;
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(predictor.predict(all.pixels(i)));
    i = (i + 1) % all.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(predictor_bytes);

void predictor_floats(benchmark::State& state) {
  digitnet::Predictor<float> predictor(network());
  const digitnet::Dataset dense = bench::without_zeros(images());
  std::size_t i = 0;
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(predictor.predict(dense.numbers(i)));
    i = (i + 1) % dense.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(predictor_floats);

void quantized_bytes(benchmark::State& state) {
  digitnet::QuantizedPredictor predictor(network());
  const digitnet::Dataset all = images();
  std::size_t i = 0;
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(predictor.predict(all.pixels(i)));
    i = (i + 1) % all.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(quantized_bytes);

/// The first layer's sums of bytes alone, by each product this processor has.
void byte_product(benchmark::State& state) {
  const std::span<const digitnet::detail::ByteProduct> products = digitnet::detail::byte_products();
  const auto which = static_cast<std::size_t>(state.range(0));
  if (which >= products.size()) return state.SkipWithError("not on this processor");
  const digitnet::detail::QuantizedLayer layer(network().layer(0), 0);
  const digitnet::Dataset all = images();
  std::vector<std::uint64_t> bits(digitnet::detail::ink_groups(all.inputs()));
  auto sums = digitnet::zero_vector<std::int32_t>(digitnet::detail::padded(layer.outputs()));
  std::size_t i = 0;
  for ([[maybe_unused]] const auto _ : state) {
    digitnet::detail::find_ink(all.pixels(i), bits.data());
    layer.sum(all.pixels(i), bits.data(), sums.data(), products[which]);
    benchmark::DoNotOptimize(sums.data());
    i = (i + 1) % all.size();
  }
}
BENCHMARK(byte_product)->DenseRange(0, 3);

/// The same asked of the network itself, as many threads may at once.
void predict_bytes(benchmark::State& state) {
  const digitnet::Network<float> net = network();
  const digitnet::Dataset all = images();
  std::vector<digitnet::Dataset> each;
  for (std::size_t i = 0; i < all.size(); ++i) each.push_back(all.slice(i, i + 1));
  std::size_t i = 0;
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(net.predict(each[i]));
    i = (i + 1) % each.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(predict_bytes);

void predict_floats(benchmark::State& state) {
  const digitnet::Network<float> net = network();
  const digitnet::Matrix<float> image = bench::without_zeros(images().slice(0, 1)).to_matrix<float>();
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(net.predict(image));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(predict_floats);

/// Ten blocks of images at once, on one thread.
void predict_batch(benchmark::State& state) {
  const digitnet::Network<float> net = network();
  std::vector<std::uint32_t> picked(2560);
  const digitnet::Dataset all = images();
  for (std::size_t i = 0; i < picked.size(); ++i) picked[i] = static_cast<std::uint32_t>(i % all.size());
  const digitnet::Dataset batch = all.subset(picked);
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(net.predict(batch));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(picked.size()));
}
BENCHMARK(predict_batch)->Unit(benchmark::kMicrosecond);

/// A drawing as it comes from a user: found, centred, scaled and read.
void classify_picture(benchmark::State& state) {
  const digitnet::Classifier classifier(network());
  const digitnet::Picture picture = digitnet::read_picture(DIGITNET_TEST_DATA "/images/3-thick-white-on-black.png");
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(classifier.classify(picture));
}
BENCHMARK(classify_picture)->Unit(benchmark::kMicrosecond);

}  // namespace
