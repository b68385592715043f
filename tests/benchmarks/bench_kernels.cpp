// The sparse first layer and the loss.
#include "support.hpp"

#include "kernels.hpp"
#include "sparse_samples.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <span>
#include <vector>

namespace {

using digitnet::Matrix;
using digitnet::detail::Ink;
using digitnet::detail::SparseSamples;

const digitnet::Dataset& sample() {
  static const digitnet::Dataset data = digitnet::load_mnist(DIGITNET_TEST_DATA "/mnist-sample").train;
  return data;
}

constexpr std::size_t batch = 128;
constexpr std::size_t groups = digitnet::detail::ink_groups(784);

/// Operations that the sparse products of all batches do: not those of dense products.
double sparse_operations(std::size_t batches, std::size_t units) {
  std::size_t ink = 0;
  for (std::size_t image = 0; image < batches * batch; ++image) {
    const auto pixels = sample().pixels(image);
    ink += pixels.size() - static_cast<std::size_t>(std::count(pixels.begin(), pixels.end(), 0));
  }
  return 2.0 * static_cast<double>(ink * units);
}

/// Packing 6,000 images: done once for a training.
void sparse_pack(benchmark::State& state) {
  digitnet::ThreadTeam team(1);
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(SparseSamples::pack(sample(), team));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(sample().size()));
}
BENCHMARK(sparse_pack)->Unit(benchmark::kMillisecond);

/// z = x W + b of batches of 128 images, zeros left out; `units` outputs. One batch after the other, since a processor
/// would soon know the ink of one batch by heart.
void sparse_forward(benchmark::State& state) {
  const auto units = static_cast<std::size_t>(state.range(0));
  const std::size_t batches = sample().size() / batch;
  digitnet::ThreadTeam team(1);
  const auto packed = SparseSamples::pack(sample(), team);
  digitnet::Rng rng(1);
  const Matrix<float> weights = digitnet::normal<float>({784, units}, rng);
  const std::vector<float> bias(units);
  Matrix<float> z = digitnet::zeros<float>({batch, units});
  const auto scale = digitnet::detail::byte_scale<float>();
  std::vector<Ink> ink(batch);
  std::vector<Ink> scratch(batch);
  for ([[maybe_unused]] const auto _ : state) {
    for (std::size_t first = 0; first < batches * batch; first += batch) {
      for (std::size_t s = 0; s < batch; ++s) ink[s] = packed->ink(first + s);
      digitnet::detail::sparse_product(z.data(), units, bias.data(), weights.data(), units, units, 784,
                                       std::span<const Ink>(ink), std::span(scratch), scale.data());
      benchmark::ClobberMemory();
    }
  }
  state.counters["GF/s"] =
      benchmark::Counter(1e-9 * sparse_operations(batches, units), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(sparse_forward)->Arg(128)->Arg(256)->Arg(512)->Arg(800)->Arg(1024)->Unit(benchmark::kMillisecond);

/// dW = x^T dz of batches of 128 images, zeros left out; `units` outputs.
void sparse_gradient(benchmark::State& state) {
  const auto units = static_cast<std::size_t>(state.range(0));
  const std::size_t batches = sample().size() / batch;
  digitnet::ThreadTeam team(1);
  const auto packed = SparseSamples::pack(sample(), team);
  digitnet::Rng rng(1);
  const Matrix<float> dz = digitnet::normal<float>({batch, units}, rng);
  Matrix<float> gradient = digitnet::zeros<float>({digitnet::detail::ink_group, units});
  const auto scale = digitnet::detail::byte_scale<float>();
  std::vector<digitnet::detail::BitSquare> bits(batch / 64);
  std::vector<const std::uint8_t*> values(batch);
  std::vector<const std::uint8_t*> next(batch);
  for ([[maybe_unused]] const auto _ : state) {
    for (std::size_t first = 0; first < batches * batch; first += batch) {
      for (std::size_t group = 0; group < groups; ++group) {
        for (std::size_t s = 0; s < batch; ++s) {
          const Ink ink = packed->ink(first + s, group);
          bits[s / 64][s % 64] = *ink.bits;
          values[s] = ink.values;
        }
        for (digitnet::detail::BitSquare& square : bits) digitnet::detail::transpose_bits(square);
        const std::size_t rows = std::min(digitnet::detail::ink_group, 784 - group * digitnet::detail::ink_group);
        digitnet::detail::sparse_gradient<float>(gradient.data(), units, rows, dz.data(), units, units,
                                                 {.bits = bits, .values = values, .next = next}, scale.data());
        benchmark::ClobberMemory();
      }
    }
  }
  state.counters["GF/s"] =
      benchmark::Counter(1e-9 * sparse_operations(batches, units), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(sparse_gradient)->Arg(128)->Arg(256)->Arg(512)->Arg(800)->Arg(1024)->Unit(benchmark::kMillisecond);

/// z = a W + b of a batch of 128 with few outputs.
void narrow_forward(benchmark::State& state) {
  const auto units = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t columns = digitnet::detail::lanes;
  digitnet::Rng rng(1);
  const Matrix<float> a = digitnet::normal<float>({batch, units}, rng);
  const Matrix<float> weights = digitnet::normal<float>({units, columns}, rng);
  Matrix<float> z = digitnet::zeros<float>({batch, columns});
  for ([[maybe_unused]] const auto _ : state) {
    digitnet::detail::narrow_product<float>(z.data(), nullptr, a.data(), units, 1, weights.data(), batch, units);
    benchmark::ClobberMemory();
  }
  state.counters["GF/s"] = benchmark::Counter(2e-9 * static_cast<double>(batch * units * columns),
                                              benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(narrow_forward)->Arg(128)->Arg(1024);

/// Softmax, cross-entropy and its gradient for a batch of 128.
void softmax_cross_entropy(benchmark::State& state) {
  const auto classes = static_cast<std::size_t>(state.range(0));
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
