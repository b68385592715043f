// Pictures to images like MNIST's, a canvas of 400 x 400 in the ways it is saved and a photograph; and to digits.
#include <digitnet/recognition.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

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

/// An MNIST image as a picture, dark on white: its 20 pixels of ink are `share` of the side, with soft edges.
digitnet::Picture enlarged(std::span<const std::uint8_t> image, std::size_t side, std::size_t channels,
                           double share) {
  digitnet::Picture picture{side, side, channels, {}};
  picture.pixels.assign(side * side * channels, 255);
  const double pitch = 20 / (share * static_cast<double>(side));
  const auto at = [&](std::size_t pixel) {
    return 13.5 + (static_cast<double>(pixel) - static_cast<double>(side) / 2) * pitch;
  };
  for (std::size_t row = 0; row < side; ++row) {
    for (std::size_t column = 0; column < side; ++column) {
      const double x = at(column);
      const double y = at(row);
      if (!(x >= 0 && x < 27 && y >= 0 && y < 27)) continue;
      const auto u = static_cast<std::size_t>(x);
      const auto v = static_cast<std::size_t>(y);
      const double right = x - static_cast<double>(u);
      const double below = y - static_cast<double>(v);
      const std::uint8_t* const from = &image[v * 28 + u];
      const double grey = (from[0] * (1 - right) + from[1] * right) * (1 - below) +
                          (from[28] * (1 - right) + from[29] * right) * below;
      const double ink = std::clamp((grey - 127.5) / (2 * pitch) + 127.5, 0.0, 255.0);
      for (std::size_t c = 0; c < std::min<std::size_t>(channels, 3); ++c) {
        picture.pixels[(row * side + column) * channels + c] = static_cast<std::uint8_t>(std::lround(255 - ink));
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

/// Reads samples one after the other with the shipped model, and tells the time that half of the readings and that
/// 99 % of them took at most, in microseconds.
template <class Sample>
void read_each(benchmark::State& state, const std::vector<Sample>& samples) {
  const digitnet::Recognizer recognizer;
  std::vector<double> times;
  times.reserve(1 << 20);
  std::size_t i = 0;
  for ([[maybe_unused]] const auto _ : state) {
    const Sample sample = samples[i];  // was written just now, as when it comes from a canvas or a file
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(recognizer.recognize(sample));
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    times.push_back(time.count());
    i = (i + 1) % samples.size();
  }
  std::sort(times.begin(), times.end());
  state.counters["p50"] = times[times.size() / 2];
  state.counters["p99"] = times[times.size() * 99 / 100];
}

/// The digits of the MNIST sample on a canvas of 400 x 400, drawn over 30 to 90 % of it.
void read_picture(benchmark::State& state) {
  const auto channels = static_cast<std::size_t>(state.range(0));
  const digitnet::Dataset digits = digitnet::load_mnist(DIGITNET_TEST_DATA "/mnist-sample").test;
  std::vector<digitnet::Picture> pictures;
  for (std::size_t i = 0; i < std::min<std::size_t>(digits.size(), 100); ++i) {
    pictures.push_back(enlarged(digits.pixels(i), 400, channels, 0.3 + 0.006 * static_cast<double>(i)));
  }
  read_each(state, pictures);
}
BENCHMARK(read_picture)->ArgName("channels")->Arg(1)->Arg(3)->Arg(4)->Unit(benchmark::kMicrosecond);

/// Two strokes of 200 points in all.
void read_drawing(benchmark::State& state) {
  std::vector<digitnet::Drawing> drawings;
  for (int i = 0; i < 100; ++i) {
    std::vector<digitnet::Stroke> strokes(2);
    for (int k = 0; k < 100; ++k) {
      const double t = 0.0628 * k;
      const double size = 1 + 0.005 * i;
      strokes[0].push_back({200 + 40 * size * std::sin(t), 130 - 50 * std::cos(t)});
      strokes[1].push_back({200 - 45 * size * std::sin(t), 240 - 60 * std::cos(t)});
    }
    drawings.push_back({std::move(strokes), 400, 400, 0, {}});
  }
  read_each(state, drawings);
}
BENCHMARK(read_drawing)->Unit(benchmark::kMicrosecond);

}  // namespace
