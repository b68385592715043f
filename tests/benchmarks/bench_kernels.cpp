// The sparse first layer and the loss.
#include "support.hpp"

#include "kernels.hpp"
#include "sparse_samples.hpp"

#include <benchmark/benchmark.h>

namespace {

using digitnet::Matrix;

const digitnet::Dataset& sample() {
  static const digitnet::Dataset data = digitnet::load_mnist(DIGITNET_TEST_DATA "/mnist-sample").train;
  return data;
}

/// Packing 6,000 images: done once for a training.
void sparse_pack(benchmark::State& state) {
  digitnet::ThreadTeam team(1);
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(digitnet::detail::SparseSamples::pack(sample(), team));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(sample().size()));
}
BENCHMARK(sparse_pack)->Unit(benchmark::kMillisecond);

/// z = x W + b of one image after the other, zeros left out; `units` outputs.
void sparse_forward(benchmark::State& state) {
  const auto units = static_cast<std::size_t>(state.range(0));
  digitnet::ThreadTeam team(1);
  const auto packed = digitnet::detail::SparseSamples::pack(sample(), team);
  digitnet::Rng rng(1);
  const Matrix<float> weights = digitnet::normal<float>({784, units}, rng);
  const std::vector<float> bias(units);
  std::vector<float> z(units);
  static constexpr auto scale = digitnet::detail::byte_scale<float>();
  std::size_t image = 0;
  std::int64_t ink = 0;
  for ([[maybe_unused]] const auto _ : state) {
    const auto entries = packed->entries(image);
    digitnet::detail::combine_rows(z.data(), bias.data(), weights.data(), units, units, entries.inputs.data(),
                                   entries.values.data(), entries.values.size(), scale.data());
    ink += static_cast<std::int64_t>(entries.values.size());
    image = (image + 1) % sample().size();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["GF/s"] = benchmark::Counter(2e-9 * static_cast<double>(ink) * static_cast<double>(units),
                                              benchmark::Counter::kIsRate);
}
BENCHMARK(sparse_forward)->Arg(128)->Arg(256)->Arg(800)->Arg(1024);

/// z = a W + b of a batch of 128 with few outputs.
void narrow_forward(benchmark::State& state) {
  const auto units = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t batch = 128;
  constexpr std::size_t columns = digitnet::detail::lanes;
  digitnet::Rng rng(1);
  const Matrix<float> a = digitnet::normal<float>({batch, units}, rng);
  const Matrix<float> weights = digitnet::normal<float>({units, columns}, rng);
  Matrix<float> z = digitnet::zeros<float>({batch, columns});
  for ([[maybe_unused]] const auto _ : state) {
    digitnet::detail::narrow_product<float>(z.data(), nullptr, a.data(), units, 1, weights.data(), batch, units);
    benchmark::ClobberMemory();
  }
  state.counters["GF/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(batch * units * columns), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(narrow_forward)->Arg(128)->Arg(1024);

/// Softmax, cross-entropy and its gradient for a batch of 128.
void softmax_cross_entropy(benchmark::State& state) {
  const auto classes = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t batch = 128;
  digitnet::Rng rng(1);
  const Matrix<float> logits = digitnet::normal<float>({batch, classes}, rng);
  Matrix<float> work = logits;
  double loss = 0;
  for ([[maybe_unused]] const auto _ : state) {
    std::copy(logits.begin(), logits.end(), work.begin());  // it works in place
    for (std::size_t i = 0; i < batch; ++i) {
      loss += digitnet::detail::softmax_cross_entropy(digitnet::row(work, i), i % classes, 1.0F / batch);
    }
    benchmark::DoNotOptimize(loss);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}
BENCHMARK(softmax_cross_entropy)->Arg(10)->Arg(100);

}  // namespace
