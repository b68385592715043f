// Augmentation: images changed in a second, by one thread and by two.
#include "support.hpp"

#include "sparse_samples.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

using digitnet::Augmentation;
using digitnet::Augmenter;

const digitnet::Dataset& sample() {
  static const digitnet::Dataset data = digitnet::load_mnist(DIGITNET_TEST_DATA "/mnist-sample").train;
  return data;
}

/// As a training does it: each sample with a generator of its own, into the same few bytes.
void augment(benchmark::State& state, const Augmentation& options) {
  const digitnet::Dataset& data = sample();
  digitnet::ThreadTeam team(static_cast<std::size_t>(state.range(0)));
  constexpr std::size_t piece = 100;
  std::vector<Augmenter> augmenters;
  for (std::size_t worker = 0; worker < team.size(); ++worker) {
    augmenters.emplace_back(options, data.rows(), data.columns());
  }
  std::vector<digitnet::MnistImage> results(team.size());
  std::uint64_t epoch = 0;
  for ([[maybe_unused]] const auto _ : state) {
    const digitnet::Rng rng = digitnet::Rng(1).fork(++epoch);
    team.run(data.size() / piece, [&](std::size_t part, std::size_t worker) {
      for (std::size_t i = part * piece; i < (part + 1) * piece; ++i) {
        digitnet::Rng own = rng.fork(i);
        augmenters[worker].augment(data.pixels(i), results[worker], own);
        benchmark::DoNotOptimize(results[worker].data());
      }
    });
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(data.size()));
}

void augment_named(benchmark::State& state, const char* name) {
  augment(state, digitnet::augmentation_from_name(name));
}
BENCHMARK_CAPTURE(augment_named, light, "light")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(augment_named, standard, "standard")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(augment_named, strong, "strong")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

/// One kind of change at a time.
void augment_with(benchmark::State& state, double Augmentation::*amount) {
  Augmentation options = digitnet::augmentation_from_name("none");
  options.*amount = Augmentation{}.*amount;
  augment(state, options);
}
BENCHMARK_CAPTURE(augment_with, rotation, &Augmentation::rotation)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(augment_with, elastic, &Augmentation::elastic)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(augment_with, thickness, &Augmentation::thickness)->Arg(1)->Unit(benchmark::kMillisecond);

/// What a training does with the result: where its ink is, and the ink side by side.
void pack_augmented(benchmark::State& state) {
  const digitnet::Dataset& data = sample();
  digitnet::detail::ChangedSamples batch(128, data.inputs());
  for ([[maybe_unused]] const auto _ : state) {
    for (std::size_t i = 0; i < data.size(); ++i) batch.put(i % 128, data.pixels(i));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(data.size()));
}
BENCHMARK(pack_augmented)->Unit(benchmark::kMillisecond);

}  // namespace
