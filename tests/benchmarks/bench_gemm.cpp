// Matrix products of the shapes that training uses, with one thread. Counter: GF/s.
#include "support.hpp"

#include <benchmark/benchmark.h>

namespace {

using digitnet::Matrix;
using digitnet::Transpose;
using digitnet::view;

void report_flops(benchmark::State& state, double flops) {
  state.counters["GF/s"] = benchmark::Counter(flops / 1e9, benchmark::Counter::kIsIterationInvariantRate);
}

/// C (rows, columns) = op(A) op(B), with `inner` numbers in each sum.
void multiply(benchmark::State& state, Transpose ta, Transpose tb) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto inner = static_cast<std::size_t>(state.range(1));
  const auto columns = static_cast<std::size_t>(state.range(2));
  digitnet::Rng rng(1);
  const digitnet::SingleThreadedBlas guard;
  const Matrix<float> a =
      digitnet::normal<float>(ta == Transpose::no ? std::array{rows, inner} : std::array{inner, rows}, rng);
  const Matrix<float> b =
      digitnet::normal<float>(tb == Transpose::no ? std::array{inner, columns} : std::array{columns, inner}, rng);
  Matrix<float> c = digitnet::zeros<float>({rows, columns});
  for ([[maybe_unused]] const auto _ : state) {
    digitnet::gemm<float>(1, view(a), ta, view(b), tb, 0, view(c));
    benchmark::ClobberMemory();
  }
  report_flops(state, 2.0 * static_cast<double>(rows * inner * columns));
}

void gemm_forward(benchmark::State& state) { multiply(state, Transpose::no, Transpose::no); }
void gemm_backward(benchmark::State& state) { multiply(state, Transpose::no, Transpose::yes); }
void gemm_gradient(benchmark::State& state) { multiply(state, Transpose::yes, Transpose::no); }

// Rows, inner, columns. A batch of 128, and 32 samples of it: what one thread takes at a time.
BENCHMARK(gemm_forward)
    ->Args({128, 784, 128})
    ->Args({32, 784, 128})
    ->Args({32, 128, 10})
    ->Args({32, 1024, 1024})
    ->Args({128, 1024, 1024});
BENCHMARK(gemm_backward)->Args({32, 10, 128})->Args({32, 1024, 1024})->Args({128, 1024, 1024});
BENCHMARK(gemm_gradient)->Args({784, 128, 128})->Args({128, 128, 10})->Args({32, 128, 1024})->Args({1024, 128, 1024});

}  // namespace
