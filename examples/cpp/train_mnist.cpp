// Trains a network on MNIST, saves it and measures it once on the test set.
//   train_mnist [DATA] [OUTPUT]
#include "command_line.hpp"

#include <digitnet/digitnet.hpp>

#include <chrono>
#include <iomanip>
#include <iostream>
#include <sstream>

namespace {

constexpr double weight_decay = 0.05;
constexpr double warmup = 0.1;

/// What is needed to make the model again, as JSON.
std::string provenance(const digitnet::Dataset& data, const digitnet::TrainingOptions& options, double learning_rate,
                       std::uint64_t seed, double test_accuracy) {
  std::ostringstream json;
  json << R"({"trainer":"train_mnist","digitnet":")" << DIGITNET_VERSION << R"(","data_sha256":")"
       << digitnet::fingerprint(data) << R"(","seed":)" << seed
       << R"(,"options":{"optimizer":"adamw","learning_rate":)" << learning_rate << R"(,"weight_decay":)"
       << weight_decay << R"(,"schedule":"cosine","warmup":)" << warmup << R"(,"epochs":)" << options.epochs
       << R"(,"batch_size":)" << options.batch_size << R"(,"validation":0.1},"test_accuracy":)" << test_accuracy
       << '}';
  return json.str();
}

}  // namespace

int main(int argc, char** argv) try {
  std::optional<std::filesystem::path> data;
  std::string output = "mnist.safetensors";
  std::size_t hidden = 256;
  std::uint64_t seed = 1;
  double learning_rate = 3e-3;
  digitnet::TrainingOptions options;
  options.epochs = 10;
  options.batch_size = 128;

  CLI::App app("Trains a network on MNIST, saves it and measures it once on the test set.");
  app.add_option("data", data, "Folder with the four MNIST files (default: the data directories, see docs/data.md)");
  app.add_option("output", output, "Model file to write")->capture_default_str();
  app.add_option("--hidden", hidden, "Units of the hidden layer")->check(whole_number())->capture_default_str();
  app.add_option("--epochs", options.epochs, "Times that every sample is met")
      ->check(whole_number())
      ->capture_default_str();
  app.add_option("--batch-size", options.batch_size, "Samples a step")->check(whole_number())->capture_default_str();
  app.add_option("--learning-rate", learning_rate,
                 "Of AdamW, at its highest: it rises over a tenth of the training, then falls along a cosine")
      ->capture_default_str();
  app.add_option("--seed", seed, "The same seed gives the same model")->check(whole_number())->capture_default_str();
  app.add_option("--threads", options.threads, "0 takes all processors; the model is the same for any number")
      ->check(whole_number())
      ->capture_default_str();
  if (const auto done = parse(app, argc, argv)) return *done;

  using namespace digitnet;
  const Mnist mnist = load_mnist(data);
  Rng rng(seed);
  const auto [validation, training] = split(mnist.train, mnist.train.size() / 10, rng);
  Network<float> network({mnist.train.inputs(), hidden, 10}, Activation::relu, rng);
  AdamW<float> optimizer(learning_rate, weight_decay);
  options.schedule = cosine_schedule(warmup);
  options.on_epoch = [](const EpochReport& report) {
    std::cerr << "epoch " << std::setw(2) << report.epoch << " of " << report.epochs << std::fixed
              << std::setprecision(4) << ": loss " << report.training_loss << ", validation loss "
              << *report.validation_loss << ", validation accuracy " << *report.validation_accuracy << '\n';
  };

  const auto start = std::chrono::steady_clock::now();
  train(network, training, validation, optimizer, options, rng);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  const double test_accuracy = accuracy(network, mnist.test);  // looked at once, here
  network.metadata["provenance"] = provenance(mnist.train, options, learning_rate, seed, test_accuracy);
  save_network(network, output);
  std::cout << "training samples: " << mnist.train.size() << '\n'
            << std::fixed << "training time: " << std::setprecision(2) << seconds.count() << " s\n"
            << "test accuracy: " << std::setprecision(4) << test_accuracy << '\n'
            << "model: " << output << '\n';
} catch (const std::exception& error) {
  std::cerr << "train_mnist: " << error.what() << '\n';
  return 1;
}
