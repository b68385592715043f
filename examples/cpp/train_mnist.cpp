// Trains a network on MNIST, saves it and measures it once on the test set.
//   train_mnist [DATA] [OUTPUT]
#include "command_line.hpp"

#include <digitnet/digitnet.hpp>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iomanip>

namespace {

namespace fs = std::filesystem;

constexpr double weight_decay = 0.05;
constexpr double warmup = 0.1;
constexpr double validation_share = 0.1;

/// The recipe of `digitnet train`: the same seed gives the same network there.
struct Recipe {
  std::size_t hidden = 256;
  std::uint64_t seed = 1;
  double learning_rate = 3e-3;
  digitnet::TrainingOptions training;
};

digitnet::StopFlag stop;

/// While it lives, the first Ctrl-C asks the training to stop; a second one ends the program at once.
class StopOnCtrlC {
 public:
  StopOnCtrlC() : before_(std::signal(SIGINT, &ask)) {
    if (before_ == SIG_IGN) std::signal(SIGINT, SIG_IGN);  // as in the background of a shell
  }
  ~StopOnCtrlC() { std::signal(SIGINT, before_); }
  StopOnCtrlC(const StopOnCtrlC&) = delete;
  StopOnCtrlC& operator=(const StopOnCtrlC&) = delete;

 private:
  static void ask(int /*signal*/) {
    stop.request();
    std::signal(SIGINT, SIG_DFL);
  }
  void (*before_)(int);
};

/// Says before a training, not after it, that its result cannot be kept.
void require_writable(const fs::path& output) {
  const fs::path folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  std::error_code ignored;
  std::string problem;
  if (!output.has_filename() || (fs::exists(output, ignored) && !fs::is_regular_file(output, ignored))) {
    problem = "is a folder or device, expected the name of a file to write";
  } else if (!fs::is_directory(folder, ignored)) {
    problem = "there is no folder " + folder.string();
  } else if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    problem = "the folder " + folder.string() + " cannot be written";
  } else {
    return;
  }
  throw ProgramError(exit_code::failed, "output " + output.string() + ": " + problem);
}

void save(const digitnet::Network<float>& network, const fs::path& output) {
  try {
    save_network(network, output);
  } catch (const digitnet::IoError& error) {
    throw ProgramError(exit_code::failed, error.what());  // not a bad input
  }
}

/// What is needed to make the model again, as JSON. `result` is the last member.
template <class Number>
std::string provenance(const digitnet::Dataset& data, const Recipe& recipe, const char* result, Number value) {
  std::ostringstream json;
  json << R"({"trainer":"train_mnist","digitnet":")" << DIGITNET_VERSION << R"(","data_sha256":")"
       << digitnet::fingerprint(data) << R"(","seed":)" << recipe.seed << R"(,"options":{"hidden":[)" << recipe.hidden
       << R"(],"optimizer":"adamw","learning_rate":)" << recipe.learning_rate << R"(,"weight_decay":)" << weight_decay
       << R"(,"schedule":"cosine","warmup":)" << warmup << R"(,"epochs":)" << recipe.training.epochs
       << R"(,"batch_size":)" << recipe.training.batch_size << R"(,"validation":)" << validation_share << R"(},")"
       << result << "\":" << value << '}';
  return json.str();
}

int train_mnist(const std::optional<fs::path>& data, const std::string& output, Recipe recipe) {
  using namespace digitnet;
  require_writable(output);
  const Mnist mnist = load_mnist(data);
  Rng weights(recipe.seed);  // each begins with the seed, as in Python and on the command line
  Rng parts(recipe.seed);
  Rng order(recipe.seed);
  Network<float> network({mnist.train.inputs(), recipe.hidden, mnist.train.classes()}, Activation::relu, weights);
  const auto held_out = std::nearbyint(validation_share * static_cast<double>(mnist.train.size()));
  const auto [validation, training] = split(mnist.train, static_cast<std::size_t>(held_out), parts);
  AdamW<float> optimizer(recipe.learning_rate, weight_decay);
  recipe.training.schedule = cosine_schedule(warmup);
  recipe.training.stop = &stop;
  recipe.training.on_epoch = [](const EpochReport& report) {
    std::cerr << "epoch " << std::setw(2) << report.epoch << " of " << report.epochs << std::fixed
              << std::setprecision(4) << ": loss " << report.training_loss;
    if (report.validation_loss) {  // fewer than five samples leave none to look at
      std::cerr << ", validation loss " << *report.validation_loss << ", validation accuracy "
                << *report.validation_accuracy;
    }
    std::cerr << '\n';
  };

  const auto start = std::chrono::steady_clock::now();
  std::optional<StopOnCtrlC> ctrl_c(std::in_place);
  const History history = train(network, training, validation, optimizer, recipe.training, order);
  ctrl_c.reset();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const std::size_t epochs = history.epochs.size();

  if (history.reason == StopReason::diverged) {
    std::ostringstream message;
    message << "diverged in epoch " << epochs + 1 << ": the loss is not finite; no model is written; "
            << "try --learning-rate below " << recipe.learning_rate;
    throw ProgramError(exit_code::failed, message.str());
  }
  if (history.reason == StopReason::stopped) {
    if (epochs == 0)
      throw ProgramError(exit_code::interrupted, "interrupted in the first epoch; no model is written");
    network.metadata["provenance"] = provenance(mnist.train, recipe, "interrupted_after_epoch", epochs);
    save(network, output);
    throw ProgramError(exit_code::interrupted, "interrupted after epoch " + std::to_string(epochs) + " of " +
                                                   std::to_string(recipe.training.epochs) + "; saved as " + output);
  }

  const double test_accuracy = accuracy(network, mnist.test);  // looked at once, here
  network.metadata["provenance"] = provenance(mnist.train, recipe, "test_accuracy", test_accuracy);
  save(network, output);
  std::cout << "training samples: " << mnist.train.size() << '\n'
            << std::fixed << "training time: " << std::setprecision(2) << seconds.count() << " s\n"
            << "test accuracy: " << std::setprecision(4) << test_accuracy << '\n'
            << "model: " << output << '\n';
  return exit_code::done;
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<fs::path> data;
  std::string output = "mnist.safetensors";
  Recipe recipe;
  recipe.training.epochs = 10;
  recipe.training.batch_size = 128;

  CLI::App app("Trains a network on MNIST, saves it and measures it once on the test set.");
  app.add_option("data", data, "Folder with the four MNIST files (default: the data directories, see docs/data.md)");
  app.add_option("output", output, "Model file to write")->capture_default_str();
  app.add_option("--hidden", recipe.hidden, "Units of the hidden layer")
      ->check(whole_number(1, 1U << 20U))
      ->capture_default_str();
  app.add_option("--epochs", recipe.training.epochs, "Times that every sample is met")
      ->check(whole_number(1))
      ->capture_default_str();
  app.add_option("--batch-size", recipe.training.batch_size, "Samples a step")
      ->check(whole_number(1))
      ->capture_default_str();
  app.add_option("--learning-rate", recipe.learning_rate,
                 "Of AdamW, at its highest: it rises over a tenth of the training, then falls along a cosine")
      ->check(number())
      ->capture_default_str();
  app.add_option("--seed", recipe.seed, "The same seed gives the same model, also with `digitnet train`")
      ->check(whole_number())
      ->capture_default_str();
  app.add_option("--threads", recipe.training.threads, "0 takes all processors; the model is the same for any number")
      ->check(whole_number(0, 256))
      ->capture_default_str();
  return run_program(app, argc, argv, [&] { return train_mnist(data, output, recipe); });
}
