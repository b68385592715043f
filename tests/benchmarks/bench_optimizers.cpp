// One step of each optimizer on the 100,352 weights between 784 inputs and 128 units.
#include "support.hpp"

#include <benchmark/benchmark.h>

namespace {

template <class Rule>
void step(benchmark::State& state, Rule rule) {
  constexpr std::size_t size = 784 * 128;
  digitnet::Rng rng(1);
  digitnet::Matrix<float> parameters = digitnet::normal<float>({1, size}, rng);
  const digitnet::Matrix<float> gradients = digitnet::normal<float>({1, size}, rng, 0.01);
  rule.prepare({size});
  for ([[maybe_unused]] const auto _ : state) {
    rule.begin_step();
    rule.update(0, 0, digitnet::values(parameters), digitnet::values(gradients), true);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

// A rate of 0, lest billions of steps in the same direction end in infinity.
BENCHMARK_CAPTURE(step, sgd, digitnet::Sgd<float>(0.0));
BENCHMARK_CAPTURE(step, momentum, digitnet::Sgd<float>(0.0, 0.9));
BENCHMARK_CAPTURE(step, nesterov, digitnet::Sgd<float>(0.0, 0.9, true));
BENCHMARK_CAPTURE(step, adam, digitnet::Adam<float>(0.0));
BENCHMARK_CAPTURE(step, adamw, digitnet::AdamW<float>(0.0));

}  // namespace
