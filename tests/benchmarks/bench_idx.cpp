// Reading IDX files: the 6,000 training images of the sample, from memory, plain and gzip.
#include "support.hpp"

#include <benchmark/benchmark.h>

#include <iterator>

namespace {

const std::string images_file = DIGITNET_TEST_DATA "/mnist-sample/train-images-idx3-ubyte.gz";

std::vector<std::uint8_t> packed_bytes() {
  std::ifstream file(images_file, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::uint8_t> plain_bytes() {
  const digitnet::Images images = digitnet::read_idx_images(images_file);
  std::vector<std::uint8_t> bytes{0, 0, 8, 3};
  for (const std::size_t extent : images.shape()) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(extent >> shift));
  }
  bytes.insert(bytes.end(), images.begin(), images.end());
  return bytes;
}

void read_idx(benchmark::State& state, const std::vector<std::uint8_t>& bytes) {
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(digitnet::read_idx_bytes(bytes));
  state.SetBytesProcessed(state.iterations() * std::int64_t{6000 * 784 + 16});
}
BENCHMARK_CAPTURE(read_idx, plain, plain_bytes())->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read_idx, gzip, packed_bytes())->Unit(benchmark::kMicrosecond);

}  // namespace
