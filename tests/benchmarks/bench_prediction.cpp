// One image through a network 784-128-10, one after the other from the sample. predict_speed has the percentiles.
#include "support.hpp"

#include <benchmark/benchmark.h>

namespace {

digitnet::Dataset images() { return digitnet::load_mnist(DIGITNET_TEST_DATA "/mnist-sample").test; }

digitnet::Network<float> network() {
  digitnet::Rng rng(1);
  return {{784, 128, 10}, digitnet::Activation::relu, rng};
}

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

/// A drawing as it comes from a user: found, centred, scaled and read.
void classify_picture(benchmark::State& state) {
  const digitnet::Classifier classifier(network());
  const digitnet::Picture picture = digitnet::read_picture(DIGITNET_TEST_DATA "/images/3-thick-white-on-black.png");
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(classifier.classify(picture));
}
BENCHMARK(classify_picture)->Unit(benchmark::kMicrosecond);

}  // namespace
