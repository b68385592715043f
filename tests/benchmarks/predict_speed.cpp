// How long one image takes (784-128-10), and how many images a second go through in a batch, conversion from bytes
// included. One line of JSON.
#include "support.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

namespace {

using digitnet::Dataset;
using digitnet::Network;

/// A network that has seen every image once: one whose hidden units are as active as in real use.
Network<float> trained_network(const std::vector<std::size_t>& sizes, const Dataset& data) {
  digitnet::Rng rng(1);
  Network<float> network(sizes, digitnet::Activation::relu, rng);
  digitnet::Adam<float> optimizer;
  train(network, data, {}, optimizer, {.epochs = 1}, rng);
  return network;
}

/// Asks about one image after the other and notes how long each took, in microseconds.
template <class AskOne>
std::vector<double> times_of(double seconds, std::size_t images, AskOne ask_one) {
  std::vector<double> times;
  times.reserve(1 << 20);
  std::size_t checksum = 0;
  const auto start = bench::Clock::now();
  for (std::size_t image = 0; times.size() < times.capacity() && bench::seconds_since(start) < seconds;
       image = (image + 1) % images) {
    const auto before = bench::Clock::now();
    checksum += ask_one(image);
    times.push_back(1e6 * bench::seconds_since(before));
  }
  if (checksum == 0) std::cerr << "every image a 0?\n";  // the answers are used, so they must be computed
  return times;
}

void print_times(const std::vector<double>& times) {
  std::cout << R"({"p50_us": )" << bench::percentile(times, 0.5) << R"(, "p99_us": )"
            << bench::percentile(times, 0.99) << R"(, "images": )" << times.size() << "}\n";
}

}  // namespace

int main(int argc, char** argv) try {
  std::filesystem::path folder;
  std::vector<std::size_t> sizes{784, 128, 10};
  std::size_t batch = 0;
  std::size_t threads = 1;
  double seconds = 1.0;
  bool zeros_removed = false;
  bool ask_network = false;
  bool quantized = false;
  CLI::App app("Speed of predictions: of single images, or of a batch of bytes with --batch. One line of JSON.");
  app.add_option("--data", folder, "Folder with the four MNIST files")->required();
  app.add_option("--sizes", sizes)->delimiter(',');
  app.add_option("--batch", batch, "Images at a time; 0: one by one, each timed");
  app.add_option("--threads", threads);
  app.add_option("--seconds", seconds, "To measure");
  app.add_flag("--without-zeros", zeros_removed, "Single images as float, less their mean");
  app.add_flag("--network", ask_network, "Single images by Network::predict instead of a Predictor");
  app.add_flag("--quantized", quantized, "Single images by a QuantizedPredictor");
  CLI11_PARSE(app, argc, argv);

  const digitnet::Mnist mnist = digitnet::load_mnist(folder);
  const Network<float> network = trained_network(sizes, mnist.train);
  if (batch > 0) {
    std::vector<std::uint32_t> picked(batch);
    for (std::size_t i = 0; i < batch; ++i) picked[i] = static_cast<std::uint32_t>(i % mnist.test.size());
    const Dataset images = batch <= mnist.test.size() ? mnist.test.slice(0, batch) : mnist.test.subset(picked);
    std::size_t count = 0;
    network.predict(images, threads);  // warm-up
    const auto start = bench::Clock::now();
    double measured = 0;
    do {
      count += network.predict(images, threads).size();
      measured = bench::seconds_since(start);
    } while (measured < seconds);
    std::cout << R"({"images_per_second": )" << static_cast<double>(count) / measured << "}\n";
    return 0;
  }

  const Dataset some = mnist.test.slice(0, std::min<std::size_t>(1000, mnist.test.size()));
  const Dataset dense = bench::without_zeros(some);
  digitnet::Predictor<float> predictor(network);
  digitnet::QuantizedPredictor bytes(network);
  std::vector<Dataset> singles;
  for (std::size_t i = 0; i < some.size(); ++i) singles.push_back((zeros_removed ? dense : some).slice(i, i + 1));
  const auto ask = [&](std::size_t i) -> std::size_t {
    if (ask_network) return network.predict(singles[i])(0);
    if (quantized) return zeros_removed ? bytes.predict(dense.numbers(i)) : bytes.predict(some.pixels(i));
    return zeros_removed ? predictor.predict(dense.numbers(i)) : predictor.predict(some.pixels(i));
  };
  times_of(seconds / 5, some.size(), ask);
  print_times(times_of(seconds, some.size(), ask));
} catch (const std::exception& error) {
  std::cerr << "predict_speed: " << error.what() << '\n';
  return 1;
}
