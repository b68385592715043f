// Pictures to images like MNIST's: a canvas of 400 x 400 in the ways it is saved, and a photograph.
#include <digitnet/preprocess.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace {

/// A 7 of two lines, black on white, its pen and box as shares of the height.
digitnet::Picture canvas(std::size_t width, std::size_t height, std::size_t channels, double box, double pen) {
  digitnet::Picture picture{width, height, channels, {}};
  picture.pixels.assign(width * height * channels, 255);
  const double size = box * static_cast<double>(height);
  const double half = pen * static_cast<double>(height) / 2;
  const auto from_line = [](double x, double y, double x0, double y0, double x1, double y1) {
    const double t = std::clamp(
        ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0)), 0.0, 1.0);
    return std::hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
  };
  const double left = (static_cast<double>(width) - size * 0.7) / 2;
  const double top = (static_cast<double>(height) - size) / 2;
  for (std::size_t row = 0; row < height; ++row) {
    for (std::size_t column = 0; column < width; ++column) {
      const double x = static_cast<double>(column) + 0.5 - left;
      const double y = static_cast<double>(row) + 0.5 - top;
      const double distance =
          std::min(from_line(x, y, 0, 0, size * 0.7, 0), from_line(x, y, size * 0.7, 0, size * 0.2, size));
      const double ink = std::clamp(half - distance + 0.5, 0.0, 1.0);
      std::uint8_t* pixel = &picture.pixels[(row * width + column) * channels];
      for (std::size_t c = 0; c < std::min<std::size_t>(channels, 3); ++c) {
        pixel[c] = static_cast<std::uint8_t>(std::lround(255 - 255 * ink));
      }
    }
  }
  return picture;
}

/// Channels, box and pen in percent of the height.
void picture_to_image(benchmark::State& state) {
  const auto share = [&state](int which) { return static_cast<double>(state.range(which)) / 100; };
  const digitnet::Picture picture = canvas(400, 400, static_cast<std::size_t>(state.range(0)), share(1), share(2));
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(digitnet::to_mnist_image(picture));
}
BENCHMARK(picture_to_image)
    ->ArgNames({"channels", "box", "pen"})
    ->ArgsProduct({{1, 4}, {25, 60, 90}, {5}})
    ->Args({1, 60, 1})
    ->Args({4, 60, 1})
    ->Args({1, 60, 20})
    ->Unit(benchmark::kMicrosecond);

/// The drawing is in the alpha channel alone, as on a canvas of a web page.
void clear_picture_to_image(benchmark::State& state) {
  digitnet::Picture picture = canvas(400, 400, 4, 0.6, 0.05);
  for (std::size_t i = 0; i < picture.pixels.size(); i += 4) {
    picture.pixels[i + 3] = static_cast<std::uint8_t>(255 - picture.pixels[i]);
    std::fill_n(&picture.pixels[i], 3, std::uint8_t{0});
  }
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(digitnet::to_mnist_image(picture));
}
BENCHMARK(clear_picture_to_image)->Unit(benchmark::kMicrosecond);

/// 12 million pixels with a light that falls off to one side.
void photograph_to_image(benchmark::State& state) {
  digitnet::Picture picture = canvas(4000, 3000, 3, 0.3, 0.01);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    const std::size_t x = i / 3 % 4000;
    picture.pixels[i] = static_cast<std::uint8_t>((60 + picture.pixels[i] / 2) * (8000 - x) / 8000 + i * 7 % 5);
  }
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(digitnet::to_mnist_image(picture));
}
BENCHMARK(photograph_to_image)->Unit(benchmark::kMillisecond);

}  // namespace
