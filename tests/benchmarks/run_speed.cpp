// What it costs a training to live in a directory (run.hpp), as one line of JSON: the events of a run as a share of its
// time, a checkpoint, and a run beside the same training without one. 784-128-10, Adam; a network of MNIST's size.
#include "support.hpp"

#include "checkpoint.hpp"
#include "event_log.hpp"
#include "strict_json.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using digitnet::detail::JsonValue;

/// A folder that goes with its object.
class Folder {
 public:
  explicit Folder(const fs::path& parent) : path_(parent / ("run-speed-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Trained {
  double seconds = 0;
  std::optional<digitnet::TrainingState<float>> last;  ///< not of a run
};

/// Trains; in a directory, if one is given.
Trained train_once(const digitnet::Dataset& data, digitnet::TrainingOptions options, const fs::path& run) {
  digitnet::Rng rng(1);
  digitnet::Network<float> network({784, 128, 10}, digitnet::Activation::relu, rng);
  digitnet::Adam<float> optimizer(1e-3);
  Trained result;
  const auto start = bench::Clock::now();
  if (!run.empty()) {
    digitnet::train_run(run, network, data, {}, optimizer, options, 1);
  } else {
    options.statistics = true;  // as every run has
    digitnet::Checkpoints<float> checkpoints;
    checkpoints.every = options.epochs;
    checkpoints.save = [&result](digitnet::TrainingState<float> state) { result.last.emplace(std::move(state)); };
    digitnet::train(network, data, {}, optimizer, options, rng, std::move(checkpoints));
  }
  result.seconds = bench::seconds_since(start);
  return result;
}

/// Writes the events of a run once more, and measures how long that takes.
struct Events {
  std::size_t count = 0;
  double seconds = 0;
};

Events write_again(const fs::path& events, const fs::path& copy) {
  std::vector<std::pair<std::string, JsonValue>> all;
  std::ifstream file(events);
  for (std::string line; std::getline(file, line);) {
    const digitnet::detail::JsonDocument parsed = digitnet::detail::parse_json("", line);
    JsonValue event = JsonValue::object();
    for (const auto& [key, value] : parsed.items()) {
      if (key != "seq" && key != "time" && key != "type") event[key] = JsonValue::of_text(value.dump());
    }
    all.emplace_back(parsed["type"].get<std::string>(), std::move(event));
  }
  fs::remove(copy);
  digitnet::detail::EventLog log("run_speed", copy);
  const auto start = bench::Clock::now();
  for (const auto& [type, event] : all) log.write(type.c_str(), event);
  return {all.size(), bench::seconds_since(start)};
}

}  // namespace

int main(int argc, char** argv) try {
  fs::path data;
  fs::path parent = ".";
  std::size_t repeats = 7;
  digitnet::TrainingOptions options;
  options.epochs = 10;
  options.batch_size = 128;
  options.threads = 1;

  CLI::App app("What events and checkpoints cost a training of 784-128-10, as one line of JSON.");
  app.add_option("--data", data, "Folder with the four MNIST files")->required();
  app.add_option("--folder", parent, "Where to write: the disk matters");
  app.add_option("--epochs", options.epochs, "Of one training");
  app.add_option("--threads", options.threads);
  app.add_option("--repeats", repeats, "Of each measurement; medians are printed");
  CLI11_PARSE(app, argc, argv);

  const digitnet::Dataset training = digitnet::load_mnist(data).train;
  const Folder folder(parent);
  const fs::path run = folder.path() / "run";
  Trained plain;
  std::vector<double> alone;
  std::vector<double> in_a_run;
  std::vector<double> shares;
  Events events;
  for (std::size_t i = 0; i < repeats; ++i) {
    plain = train_once(training, options, {});
    alone.push_back(plain.seconds);
    fs::remove_all(run);
    in_a_run.push_back(train_once(training, options, run).seconds);
    events = write_again(run / "events.jsonl", folder.path() / "events.jsonl");
    shares.push_back(events.seconds / in_a_run.back());
  }
  std::vector<double> held;
  std::vector<double> written;
  for (std::size_t i = 0; i < 5 * repeats; ++i) {
    const auto start = bench::Clock::now();
    digitnet::TrainingState<float> copy = *plain.last;  // what the training waits for
    held.push_back(bench::seconds_since(start));
    copy.epoch = i;
    digitnet::detail::write_checkpoint(folder.path(), copy);
    written.push_back(bench::seconds_since(start) - held.back());
  }
  const auto median = [](const std::vector<double>& values) { return bench::percentile(values, 0.5); };
  std::cout << R"({"events": )" << events.count << R"(, "microseconds_an_event": )"
            << 1e6 * median(shares) * median(in_a_run) / static_cast<double>(events.count)
            << R"(, "events_percent_of_training": )" << 100 * median(shares) << R"(, "checkpoint_ms": )"
            << 1e3 * median(written) << R"(, "checkpoint_ms_p90": )" << 1e3 * bench::percentile(written, 0.9)
            << R"(, "training_held_ms": )" << 1e3 * median(held) << R"(, "seconds_alone": )" << median(alone)
            << R"(, "seconds_in_a_run": )" << median(in_a_run) << "}\n";
} catch (const std::exception& error) {
  std::cerr << "run_speed: " << error.what() << '\n';
  return 1;
}
