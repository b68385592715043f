// Strokes made an image, and files of strokes.
#include "support.hpp"

#include <benchmark/benchmark.h>

namespace {

const std::string strokes_file = DIGITNET_TEST_DATA "/strokes/digits.jsonl";

/// An 8 of so many points, drawn in one stroke.
digitnet::Drawing eight(std::size_t points) {
  digitnet::Drawing drawing;
  drawing.strokes.emplace_back();
  for (std::size_t i = 0; i < points; ++i) {
    const double angle = 6.283185307 * static_cast<double>(i) / static_cast<double>(points - 1);
    drawing.strokes[0].push_back({60 * std::sin(2 * angle), 100 * std::cos(angle)});
  }
  return drawing;
}

void strokes_to_image(benchmark::State& state) {
  const digitnet::Drawing drawing = eight(static_cast<std::size_t>(state.range(0)));
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(digitnet::to_mnist_image(drawing));
}
BENCHMARK(strokes_to_image)->Arg(50)->Arg(200)->Arg(1000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

void read_drawings(benchmark::State& state) {
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(digitnet::read_drawings(strokes_file));
}
BENCHMARK(read_drawings)->Unit(benchmark::kMicrosecond);

}  // namespace
