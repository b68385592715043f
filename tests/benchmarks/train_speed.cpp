// Trains a network for some seconds and prints the samples a second it got through, as one line of JSON.
// What is done once for a training (packing the samples) is over when the clock starts.
#include "support.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>

namespace {

/// With rates small enough that no network here diverges: only the speed counts.
std::unique_ptr<digitnet::Optimizer<float>> make_optimizer(const std::string& name) {
  if (name == "sgd") return std::make_unique<digitnet::Sgd<float>>(0.01);
  if (name == "momentum") return std::make_unique<digitnet::Sgd<float>>(0.01, 0.9);
  if (name == "adam") return std::make_unique<digitnet::Adam<float>>(1e-3);
  return std::make_unique<digitnet::AdamW<float>>(1e-3);
}

}  // namespace

int main(int argc, char** argv) try {
  std::filesystem::path data;
  std::vector<std::size_t> sizes{784, 128, 10};
  std::string optimizer_name = "momentum";
  double seconds = 1.5;
  double warm_up = 0.3;
  bool zeros_removed = false;
  digitnet::TrainingOptions options;
  options.epochs = 100000;
  options.threads = 1;

  CLI::App app("Trains for some seconds and prints the samples a second, as one line of JSON.");
  app.add_option("--data", data, "Folder with the four MNIST files")->required();
  app.add_option("--sizes", sizes, "Inputs, units of each hidden layer, outputs")->delimiter(',');
  app.add_option("--batch", options.batch_size, "Samples a step");
  app.add_option("--optimizer", optimizer_name)->check(CLI::IsMember({"sgd", "momentum", "adam", "adamw"}));
  app.add_option("--threads", options.threads);
  app.add_option("--seconds", seconds, "To measure");
  app.add_option("--warm-up", warm_up, "Seconds of training before that");
  app.add_flag("--without-zeros", zeros_removed, "Inputs as float, less their mean");
  CLI11_PARSE(app, argc, argv);

  digitnet::Dataset training = digitnet::load_mnist(data).train;
  if (zeros_removed) training = bench::without_zeros(training);
  digitnet::Rng rng(1);
  digitnet::Network<float> network(sizes, digitnet::Activation::relu, rng);
  const auto optimizer = make_optimizer(optimizer_name);

  digitnet::StopFlag stop;
  std::optional<bench::Clock::time_point> begin;
  std::size_t samples = 0;
  double measured = 0;
  double loss = 0;
  options.stop = &stop;
  const auto start = bench::Clock::now();
  options.on_batch = [&](const digitnet::BatchReport& report) {
    if (!begin) {
      if (bench::seconds_since(start) >= warm_up) begin = bench::Clock::now();
      return;
    }
    samples += report.samples;
    loss = report.loss;
    measured = bench::seconds_since(*begin);
    if (measured >= seconds) stop.request();
  };
  const digitnet::History history = train(network, training, {}, *optimizer, options, rng);
  if (history.reason != digitnet::StopReason::stopped) throw digitnet::Error("the training ended by itself");

  std::cout << R"({"samples_per_second": )" << static_cast<double>(samples) / measured << R"(, "seconds": )"
            << measured << R"(, "last_loss": )" << loss << R"(, "peak_memory_mb": )" << bench::peak_memory_mb()
            << "}\n";
} catch (const std::exception& error) {
  std::cerr << "train_speed: " << error.what() << '\n';
  return 1;
}
