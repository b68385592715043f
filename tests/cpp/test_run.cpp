#include <digitnet/run.hpp>

#include "catch.hpp"
#include "small_networks.hpp"
#include "temporary_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <sstream>
#include <thread>

using namespace digitnet;
using test::TemporaryFolder;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::uint64_t seed = 5;

const Dataset& training_data() {
  static const Dataset data = [] {
    Rng rng(3);
    return split(test::mnist_sample().train, 300, rng).first;
  }();
  return data;
}

const Dataset& validation_data() {
  static const Dataset data = [] {
    Rng rng(4);
    return split(test::mnist_sample().test, 80, rng).first;
  }();
  return data;
}

template <class Real = float>
Network<Real> start_network() {
  Rng rng(1);
  return Network<Real>({784, 12, 9, 10}, Activation::relu, rng);
}

TrainingOptions short_training() {
  TrainingOptions options;
  options.epochs = 4;
  options.batch_size = 64;  // 5 batches an epoch
  options.threads = 2;
  return options;
}

std::vector<json> events_of(const fs::path& run) {
  std::vector<json> events;
  const std::vector<std::uint8_t> bytes = test::read_file(run / "events.jsonl");
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
  return events;
}

std::vector<json> events_of(const fs::path& run, const std::string& type) {
  std::vector<json> chosen;
  for (const json& event : events_of(run)) {
    if (event["type"] == type) chosen.push_back(event);
  }
  return chosen;
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

/// All that a run came to but the time it took: the model's bytes, and the numbers of each epoch.
template <class Real>
std::string outcome(const Network<Real>& network, const History& history) {
  const std::vector<std::uint8_t> bytes = network_to_bytes(network);
  std::ostringstream out;
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out << std::hexfloat << "\n" << name_of(history.reason) << " " << history.best_epoch;
  for (const EpochReport& report : history.epochs) {
    out << "\n"
        << report.epoch << " " << report.epochs << " " << report.training_loss << " " << report.training_accuracy;
    out << " " << report.validation_loss.value_or(-1) << " " << report.validation_accuracy.value_or(-1) << " ";
    out << report.learning_rate << " " << report.gradient_norm.value_or(-1);
    for (const LayerStatistics& layer : report.layers) {
      out << " " << layer.gradient_norm << " " << layer.update_ratio << " " << layer.dead_share << " "
          << layer.weight_mean << " " << layer.weight_deviation;
      for (const std::size_t count : layer.histogram) out << " " << count;
    }
  }
  return out.str();
}

struct Setting {
  const char* name;
  std::function<void(TrainingOptions&)> change;
  const char* optimizer = "adam";
};

/// Trains once without a break, and once with a stop after so many batches and a resume; both must end alike.
void check_resume(const Setting& setting, std::size_t stop_after) {
  INFO(setting.name << ", " << setting.optimizer << ", stopped after " << stop_after << " batches");
  const TemporaryFolder folder;
  TrainingOptions options = short_training();
  setting.change(options);
  const auto optimizer = [&] { return make_optimizer<float>(setting.optimizer); };

  Network<float> whole = start_network();
  const History history =
      train_run(folder / "whole", whole, training_data(), validation_data(), *optimizer(), options, seed);

  StopFlag stop;
  std::size_t batches = 0;
  TrainingOptions stopped = options;
  stopped.stop = &stop;
  stopped.on_batch = [&](const BatchReport&) {
    if (++batches == stop_after) stop.request();
  };
  Network<float> broken = start_network();
  const History part =
      train_run(folder / "broken", broken, training_data(), validation_data(), *optimizer(), stopped, seed);
  if (part.reason != StopReason::stopped) return;  // it had ended before
  const auto result = resume_run<float>(folder / "broken", training_data(), validation_data(), {.threads = 1});
  CHECK(outcome(result.network, result.history) == outcome(whole, history));
  CHECK(events_of(folder / "broken", "epoch").size() == history.epochs.size());
}

}  // namespace

TEST_CASE("train_run: leaves configuration, events and checkpoints", "[run]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "a" / "run";
  Network<float> network = start_network();
  const auto optimizer = make_optimizer<float>("adamw");
  const History history = train_run(run, network, training_data(), validation_data(), *optimizer, short_training(),
                                    seed, {.keep_last = 2, .source = R"({"name": "mnist"})"});
  CHECK(history.epochs.size() == 4);
  CHECK(names_in(run) ==
        std::set<std::string>{"config.json", "events.jsonl", "checkpoints", "lock", "best", "latest"});
  CHECK(fs::read_symlink(run / "latest") == "checkpoints/epoch-0004");
  const Network<float> latest = load_network<float>(run / "latest" / "model.safetensors");
  CHECK(network_to_bytes(latest) == network_to_bytes(network));

  const std::vector<std::uint8_t> bytes = test::read_file(run / "config.json");
  const json config = json::parse(bytes);
  CHECK(config["format"] == "digitnet-run");
  CHECK(config["seed"] == seed);
  CHECK(config["architecture"]["sizes"] == json({784, 12, 9, 10}));
  CHECK(config["optimizer"]["name"] == "adamw");
  CHECK(config["training"]["batch_size"] == 64);
  CHECK(config["data"]["training"]["fingerprint"] == fingerprint(training_data()));
  CHECK(config["data"]["source"]["name"] == "mnist");

  const std::vector<json> events = events_of(run);
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK(events[i]["seq"] == i + 1);
    CHECK(events[i]["time"] > 1.7e9);
  }
  CHECK(events.front()["type"] == "start");
  CHECK(events.front()["batches"] == 5);
  CHECK(events.back()["type"] == "end");
  CHECK(events.back()["reason"] == "done");
  CHECK(events.back()["epoch"] == 4);
  const std::vector<json> epochs = events_of(run, "epoch");
  REQUIRE(epochs.size() == 4);
  CHECK(epochs[3]["validation_accuracy"] == *history.epochs[3].validation_accuracy);
  CHECK(epochs[3]["layers"].size() == 3);
  CHECK(epochs[3]["images_per_second"] > 0);
  CHECK(events_of(run, "batch").size() >= 1);

  // The first, the two newest, and the best one.
  std::size_t best = 1;
  for (std::size_t epoch = 2; epoch <= 4; ++epoch) {
    if (*history.epochs[epoch - 1].validation_loss < *history.epochs[best - 1].validation_loss) best = epoch;
  }
  CHECK(fs::read_symlink(run / "best") == "checkpoints/epoch-000" + std::to_string(best));
  CHECK(names_in(run / "checkpoints") ==
        std::set<std::string>{"epoch-0000", "epoch-0003", "epoch-0004", "epoch-000" + std::to_string(best)});
  CHECK(events_of(run, "checkpoint").size() == 5);
}

TEST_CASE("train_run: learns the same as train", "[run]") {
  const TemporaryFolder folder;
  Network<float> kept = start_network();
  train_run(folder / "run", kept, training_data(), validation_data(), *make_optimizer<float>("adam"),
            short_training(), seed);
  Network<float> plain = start_network();
  Rng rng(seed);
  train(plain, training_data(), validation_data(), *make_optimizer<float>("adam"), short_training(), rng);
  CHECK(network_to_bytes(kept) == network_to_bytes(plain));
}

TEST_CASE("resume_run: ends in the same bits as without a break", "[run]") {
  const std::vector<Setting> settings{
      {"plain", [](TrainingOptions&) {}},
      {"cosine", [](TrainingOptions& options) { options.schedule = cosine_schedule(0.1); }},
      {"one cycle with warm-up",
       [](TrainingOptions& options) { options.schedule = with_warmup(one_cycle_schedule(), 0.1); }},
      {"dropout",
       [](TrainingOptions& options) {
         options.dropout = 0.3;
         options.input_dropout = 0.1;
       }},
      {"augmentation",
       [](TrainingOptions& options) {
         options.augmentation.emplace();
         options.dropout = 0.1;
       }},
      {"batch normalisation", [](TrainingOptions& options) { options.batch_norm = true; }},
      {"moving average", [](TrainingOptions& options) { options.averaging = Averaging::ema; }},
      {"mean of epochs with batch normalisation",
       [](TrainingOptions& options) {
         options.averaging = Averaging::swa;
         options.swa_start = 0.25;
         options.batch_norm = true;
       }},
      {"plateau, label smoothing, clipping, penalties",
       [](TrainingOptions& options) {
         options.plateau.emplace(0.5, 0, 0.2);
         options.label_smoothing = 0.1;
         options.clip_norm = 0.5;
         options.l1 = 1e-4;
         options.l2 = 1e-3;
         options.max_norm = 2;
       }},
      {"early stopping",
       [](TrainingOptions& options) { options.early_stopping = {.patience = 1, .min_delta = 0.3}; }},
      {"weights of classes and samples, no shuffle",
       [](TrainingOptions& options) {
         options.class_weights = std::vector<double>(10, 0.5);
         options.sample_weights = std::vector<double>(300, 1.0 / 3);
         options.shuffle = false;
       }},
  };
  for (const Setting& setting : settings) {
    for (const std::size_t stop_after : {1u, 7u, 10u, 19u}) check_resume(setting, stop_after);
  }
}

TEST_CASE("resume_run: every optimizer goes on as if nothing had happened", "[run]") {
  for (const std::string_view optimizer : optimizer_names) {
    check_resume({"with dropout", [](TrainingOptions& options) { options.dropout = 0.2; }, optimizer.data()}, 8);
  }
}

TEST_CASE("resume_run: can be broken again and again", "[run]") {
  const TemporaryFolder folder;
  TrainingOptions options = short_training();
  options.augmentation.emplace();
  options.averaging = Averaging::ema;
  Network<double> whole = start_network<double>();
  const History history = train_run(folder / "whole", whole, training_data(), validation_data(),
                                    *make_optimizer<double>("nadam"), options, seed);
  StopFlag stop;
  options.stop = &stop;
  options.on_batch = [&](const BatchReport&) { stop.request(); };
  Network<double> network = start_network<double>();
  train_run(folder / "broken", network, training_data(), validation_data(), *make_optimizer<double>("nadam"), options,
            seed);
  for (std::size_t batch = 2; batch <= 20; ++batch) {  // one batch each time
    stop.clear();
    resume_run<double>(folder / "broken", training_data(), validation_data(),
                       {.on_batch = options.on_batch, .stop = &stop});
  }
  stop.clear();
  const auto result = resume_run<double>(folder / "broken", training_data(), validation_data());
  CHECK(outcome(result.network, result.history) == outcome(whole, history));
}

TEST_CASE("resume_run: a run that has ended is left as it is", "[run]") {
  const TemporaryFolder folder;
  TrainingOptions options = short_training();
  options.early_stopping = {.patience = 1, .min_delta = 10};  // the first epoch stays the best
  Network<float> network = start_network();
  const History history = train_run(folder / "run", network, training_data(), validation_data(),
                                    *make_optimizer<float>("adam"), options, seed);
  CHECK(history.reason == StopReason::early_stop);
  const std::size_t lines = events_of(folder / "run").size();
  const auto result = resume_run<float>(folder / "run", training_data(), validation_data());
  CHECK(outcome(result.network, result.history) == outcome(network, history));
  CHECK(events_of(folder / "run").size() == lines);
}

TEST_CASE("resume_run: epochs done but not saved come again with the same numbers", "[run]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  Network<float> network = start_network();
  const History history = train_run(run, network, training_data(), validation_data(), *make_optimizer<float>("adam"),
                                    short_training(), seed, {.keep_last = 0});
  // As if the process had died while it wrote its last checkpoints, and in the middle of a line.
  for (const char* name : {"epoch-0004", "epoch-0003"}) fs::remove_all(run / "checkpoints" / name);
  fs::create_directory(run / "checkpoints" / ".epoch-0003.1234.tmp");
  const std::size_t lines = events_of(run).size();
  std::ofstream(run / "events.jsonl", std::ios::app) << R"({"seq": 99, "ti)";

  const auto result = resume_run<float>(run, training_data(), validation_data());
  CHECK(outcome(result.network, result.history) == outcome(network, history));
  CHECK_FALSE(names_in(run / "checkpoints").contains(".epoch-0003.1234.tmp"));
  const std::vector<json> events = events_of(run);
  CHECK(events[lines]["seq"] == lines + 1);
  CHECK(events[lines]["type"] == "start");
  CHECK(events[lines]["epoch"] == 2);
  std::map<int, std::vector<json>> losses;
  for (const json& event : events_of(run, "epoch")) losses[event["epoch"]].push_back(event["training_loss"]);
  CHECK(losses[2].size() == 1);
  CHECK(losses[3].size() == 2);
  CHECK(losses[3][0] == losses[3][1]);
}

namespace {

/// A place in a training, and the rate from there on.
using Change = LearningRateChange;

/// Asks for learning rates after some batches, counted from the beginning of the training.
class Asker {
 public:
  explicit Asker(std::map<std::size_t, double> rates) : rates_(std::move(rates)) {}

  void operator()(const BatchReport& report) {
    const auto found = rates_.find((report.epoch - 1) * report.batches + report.batch);
    if (found != rates_.end()) control.set(found->second);
  }

  LearningRateControl control;

 private:
  std::map<std::size_t, double> rates_;
};

void write_text(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

/// As others ask: whole or not at all.
void ask(const fs::path& run, const std::string& request) {
  write_text(run / ".control.json.test.tmp", request);
  fs::rename(run / ".control.json.test.tmp", run / "control.json");
}

/// Longer than from one look at the control file to the next, so that the next batch looks.
void wait_for_a_look() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }

std::string train_with(const fs::path& run, TrainingOptions options) {
  Network<float> network = start_network();
  const History history = train_run(run, network, training_data(), validation_data(), *make_optimizer<float>("adam"),
                                    options, seed, {.keep_last = 0});
  return outcome(network, history);
}

std::string resume_with(const fs::path& run, const ResumeOptions& options = {}) {
  const auto result = resume_run<float>(run, training_data(), validation_data(), options);
  return outcome(result.network, result.history);
}

std::vector<Change> changes_told(const fs::path& run) {
  std::vector<Change> changes;
  for (const json& event : events_of(run, "learning_rate")) {
    changes.push_back({event["epoch"], event["batch"], event["learning_rate"]});
  }
  return changes;
}

/// Removes the checkpoints of this epoch and later ones, as if the process had died before they were written.
void lose_checkpoints(const fs::path& run, std::size_t from_epoch) {
  for (const std::string& name : names_in(run / "checkpoints")) {
    if (std::stoul(name.substr(6, 4)) >= from_epoch) fs::remove_all(run / "checkpoints" / name);
  }
}

}  // namespace

TEST_CASE("train_run: a changed learning rate holds from the next batch on, and is told", "[run][learning_rate]") {
  const TemporaryFolder folder;
  TrainingOptions options = short_training();
  std::vector<std::pair<double, double>> plain;
  options.on_batch = [&](const BatchReport& report) { plain.emplace_back(report.loss, report.learning_rate); };
  options.schedule = step_schedule(std::vector<double>{0.5}, 0.5);
  Network<float> network = start_network();
  Adam<float> optimizer;
  train_run(folder / "plain", network, training_data(), validation_data(), optimizer, options, seed);

  std::vector<std::pair<double, double>> changed;
  Asker asker({{7, 0.02}, {15, 0.004}});  // of 20 batches
  options.on_batch = [&](const BatchReport& report) {
    changed.emplace_back(report.loss, report.learning_rate);
    asker(report);
  };
  options.learning_rate_control = &asker.control;
  std::vector<Change> called;
  options.on_learning_rate = [&](const Change& change) {
    CHECK(changes_told(folder / "changed").back() == change);  // it is on the disk before it is made
    called.push_back(change);
  };
  network = start_network();
  const History history =
      train_run(folder / "changed", network, training_data(), validation_data(), optimizer, options, seed);

  const std::vector<Change> expected{{1, 2, 0.02}, {3, 0, 0.004}};
  CHECK(history.learning_rate_changes == expected);
  CHECK(called == expected);
  CHECK(changes_told(folder / "changed") == expected);
  CHECK(optimizer.learning_rate() == 0.004);
  REQUIRE(plain.size() == 20);
  REQUIRE(changed.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) {
    CAPTURE(i);
    const double base = i < 7 ? 1e-3 : i < 15 ? 0.02 : 0.004;
    CHECK(changed[i].second == base * (i < 10 ? 1.0 : 0.5));  // the schedule goes on multiplying
    if (i < 8) CHECK(changed[i].first == plain[i].first);     // a loss is that before the step
    if (i >= 8) CHECK(changed[i].first != plain[i].first);
  }
}

TEST_CASE("resume_run: a changed learning rate is kept, from whichever checkpoint", "[run][learning_rate]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  TrainingOptions options = short_training();
  options.plateau.emplace(0.5, 0, 0.2);
  options.dropout = 0.2;
  Asker asker({{7, 0.02}, {13, 0.0004}});
  options.on_batch = std::ref(asker);
  options.learning_rate_control = &asker.control;
  const std::string whole = train_with(run, options);
  const std::vector<Change> changes{{1, 2, 0.02}, {2, 3, 0.0004}};
  CHECK(changes_told(run) == changes);

  SECTION("behind both, between them, before both") {
    for (std::size_t epoch = 4; epoch >= 1; --epoch) {
      CAPTURE(epoch);
      lose_checkpoints(run, epoch);
      CHECK(resume_with(run) == whole);
    }
  }
  SECTION("again and again, with other ends of the process") {
    lose_checkpoints(run, 1);
    for (std::size_t batches = 1; batches < 20; ++batches) {  // from the beginning each time: nothing is saved
      std::size_t left = batches;
      const auto die = [&left](const BatchReport&) {
        if (--left == 0) throw std::runtime_error("gone");
      };
      CHECK_THROWS_WITH((resume_run<float>(run, training_data(), validation_data(), {.on_batch = die})), "gone");
      lose_checkpoints(run, 1);
      for (const std::string& name : names_in(run / "checkpoints")) {
        if (name != "epoch-0000") fs::remove_all(run / "checkpoints" / name);
      }
    }
    CHECK(resume_with(run) == whole);
  }
  SECTION("without the events, what is behind the checkpoint is not known, and what is before is in it") {
    lose_checkpoints(run, 3);
    fs::remove(run / "events.jsonl");
    resume_with(run);
    const auto result = resume_run<float>(run, training_data(), validation_data());
    CHECK(result.history.learning_rate_changes == std::vector<Change>{{1, 2, 0.02}});
    CHECK(changes_told(run).empty());
  }
}

TEST_CASE("resume_run: a changed learning rate survives a stop at any batch", "[run][learning_rate]") {
  const TemporaryFolder folder;
  const std::map<std::size_t, double> rates{{3, 0.01}, {10, 0.002}};
  const auto ask_for = [](TrainingOptions& options, Asker& asker) { options.learning_rate_control = &asker.control; };
  TrainingOptions options = short_training();
  Asker asker(rates);
  options.on_batch = std::ref(asker);
  ask_for(options, asker);
  const std::string whole = train_with(folder / "whole", options);
  for (const std::size_t stop_after : {2u, 3u, 4u, 5u, 9u, 10u, 11u, 19u}) {
    CAPTURE(stop_after);
    const fs::path run = folder / std::to_string(stop_after);
    StopFlag stop;
    std::size_t batches = 0;
    Asker broken_asker(rates);
    const auto on_batch = [&](const BatchReport& report) {
      broken_asker(report);
      if (++batches == stop_after) stop.request();
    };
    TrainingOptions broken = short_training();
    broken.on_batch = on_batch;
    broken.stop = &stop;
    ask_for(broken, broken_asker);
    train_with(run, broken);
    stop.clear();
    // Asked for together with the stop, it is made before it, and not once more behind it.
    const std::size_t made = (stop_after >= 3) + (stop_after >= 10);
    CHECK(changes_told(run).size() == made);
    CHECK(resume_with(run, {.on_batch = on_batch, .learning_rate_control = &broken_asker.control}) == whole);
    CHECK(changes_told(run).size() == 2);
  }
}

TEST_CASE("resume_run: a new change makes those void that were made behind it before", "[run][learning_rate]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  TrainingOptions options = short_training();
  Asker asker({{6, 0.02}, {13, 0.0004}});
  options.on_batch = std::ref(asker);
  options.learning_rate_control = &asker.control;
  train_with(run, options);
  lose_checkpoints(run, 1);

  Asker other({{9, 0.003}});
  const auto result = resume_run<float>(run, training_data(), validation_data(),
                                        {.on_batch = std::ref(other), .learning_rate_control = &other.control});
  const std::vector<Change> expected{{1, 1, 0.02}, {1, 4, 0.003}};
  CHECK(result.history.learning_rate_changes == expected);
  lose_checkpoints(run, 2);
  CHECK(resume_with(run) == outcome(result.network, result.history));

  // The same, planned.
  TrainingOptions planned = short_training();
  planned.learning_rate_changes = expected;
  CHECK(train_with(folder / "planned", planned) == outcome(result.network, result.history));
  CHECK(changes_told(folder / "planned") == expected);
  // At the place of a checkpoint and not told yet: told and made when it is gone on with.
  TrainingOptions at_checkpoint = short_training();
  at_checkpoint.learning_rate_changes = {{2, 0, 0.02}};
  const std::string whole = train_with(folder / "at", at_checkpoint);
  lose_checkpoints(folder / "at", 3);
  fs::remove(folder / "at" / "events.jsonl");
  CHECK(resume_with(folder / "at") == whole);
  CHECK(changes_told(folder / "at") == at_checkpoint.learning_rate_changes);
  lose_checkpoints(folder / "planned", 1);
  CHECK(resume_with(folder / "planned") == outcome(result.network, result.history));
}

TEST_CASE("resume_run: a change told at the very place of the checkpoint is made, the last of several",
          "[run][learning_rate]") {
  const TemporaryFolder folder;
  TrainingOptions planned = short_training();
  planned.learning_rate_changes = {{2, 0, 0.005}};
  const std::string whole = train_with(folder / "whole", planned);
  const fs::path run = folder / "run";
  train_with(run, short_training());
  lose_checkpoints(run, 3);
  std::ofstream events(run / "events.jsonl", std::ios::app);
  std::size_t seq = events_of(run).size();
  for (const double rate : {0.3, 0.005}) {  // as if the process had died before the next batch
    events << json{{"seq", ++seq}, {"time", 1.8e9}, {"type", "learning_rate"},
                   {"epoch", 2},   {"batch", 0},    {"learning_rate", rate}}
           << std::endl;
  }
  CHECK(resume_with(run) == whole);
}

TEST_CASE("resume_run: a change that is void is not made, also at the very place of the checkpoint",
          "[run][learning_rate]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  TrainingOptions options = short_training();
  Asker asker({{6, 0.02}});
  options.on_batch = std::ref(asker);
  options.learning_rate_control = &asker.control;
  const std::string whole = train_with(run, options);
  lose_checkpoints(run, 3);
  const std::vector<std::uint8_t> events = test::read_file(run / "events.jsonl");
  write_text(run / "events.jsonl",  // as if told by a process that died, and after which another rate was asked for
             R"({"seq":1,"time":1,"type":"learning_rate","epoch":2,"batch":0,"learning_rate":0.3})"
             "\n" +
                 std::string(events.begin(), events.end()));
  CHECK(resume_with(run) == whole);
}

TEST_CASE("resume_run: damaged changes of the learning rate are refused with their line", "[run][learning_rate]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  train_with(run, short_training());
  lose_checkpoints(run, 3);
  const std::vector<std::uint8_t> events = test::read_file(run / "events.jsonl");
  const std::size_t line = events_of(run).size() + 1;
  const auto refusal = [&](const std::string& members) {
    write_text(run / "events.jsonl", std::string(events.begin(), events.end()) + R"({"seq":)" + std::to_string(line) +
                                         R"(,"time":1,"type":"learning_rate")" + members + "}\n");
    try {
      resume_with(run);
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string where =
      "resume_run: " + (run / "events.jsonl").string() + ": line " + std::to_string(line) + ": ";
  CHECK(refusal("") == where + "no \"epoch\", expected a whole number of at least 0");
  CHECK(refusal(R"(,"epoch":2,"batch":1,"learning_rate":0)") ==
        where + "\"learning_rate\" is 0, expected a number above 0");
  CHECK(refusal(R"(,"epoch":2,"batch":1,"learning_rate":null)") ==
        where + "\"learning_rate\" is of another type, expected a number");
  CHECK(refusal(R"(,"epoch":2,"batch":-1,"learning_rate":1)") ==
        where + "\"batch\" is of another type, expected a whole number of at least 0");
}

TEST_CASE("train_run: control.json stops it, changes its learning rate, or both", "[run][control]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  TrainingOptions options = short_training();
  options.on_batch = [&](const BatchReport& report) {
    if (report.epoch == 1 && report.batch == 3) ask(run, R"({"learning_rate": 5e-4})");
    if (report.epoch == 3 && report.batch == 2) ask(run, R"({"stop": true, "learning_rate": 0.02})");
    if (fs::exists(run / "control.json")) wait_for_a_look();
  };
  Network<float> network = start_network();
  const History history =
      train_run(run, network, training_data(), validation_data(), *make_optimizer<float>("adam"), options, seed);
  CHECK(history.reason == StopReason::stopped);
  const std::vector<Change> expected{{0, 4, 5e-4}, {2, 3, 0.02}};
  CHECK(history.learning_rate_changes == expected);
  CHECK(changes_told(run) == expected);
  CHECK(events_of(run).back()["reason"] == "stopped");
  CHECK(fs::read_symlink(run / "latest") == "checkpoints/epoch-0002-batch-0003");
  CHECK(names_in(run) ==
        std::set<std::string>{"config.json", "events.jsonl", "checkpoints", "lock", "best", "latest"});

  TrainingOptions planned = short_training();
  planned.learning_rate_changes = expected;
  CHECK(resume_with(run) == train_with(folder / "planned", planned));
}

TEST_CASE("resume_run: what was asked of a training that is over is not done", "[run][control]") {
  const TemporaryFolder folder;
  const std::string whole = train_with(folder / "whole", short_training());
  const fs::path run = folder / "run";
  fs::create_directory(run);
  ask(run, R"({"stop": true})");
  CHECK(train_with(run, short_training()) == whole);
  CHECK_FALSE(fs::exists(run / "control.json"));
  lose_checkpoints(run, 2);
  ask(run, R"({"stop": true, "learning_rate": 0.1})");
  write_text(run / ".control.json.1234.tmp", "{");
  CHECK(resume_with(run) == whole);
  CHECK_FALSE(fs::exists(run / "control.json"));
  CHECK_FALSE(fs::exists(run / ".control.json.1234.tmp"));
  CHECK(events_of(run, "message").empty());
}

TEST_CASE("train_run: a control.json that is none is told, taken away and not believed", "[run][control][hostile]") {
  const TemporaryFolder folder;
  const std::string whole = train_with(folder / "whole", short_training());
  const fs::path run = folder / "run";
  const fs::path file = run / "control.json";
  write_text(folder / "outside", R"({"stop": true})");
  const std::string outside = (folder / "outside").string();
  struct Hostile {
    std::function<void()> make;
    const char* told;
  };
  const auto with = [&](const std::string& words) { return [&run, words] { ask(run, words); }; };
  const std::string zero(1, '\0');
  const std::vector<Hostile> all{
      {with(""), "control.json: byte 0 is not as JSON should be"},
      {with("stop"), "control.json: byte 0 is not as JSON should be"},
      {with("{\"stop\": true}" + zero), "control.json: byte 14 is not as JSON should be"},
      {with("true"), "control.json: not a JSON object"},
      {with(R"({"stop": 1})"), "control.json: \"stop\" is of another type, expected true or false"},
      {with(R"({"stop": true, "stop": false})"), "control.json: the key \"stop\" stands twice in one object"},
      {with(R"({"stop": true, "pause": true})"), "control.json: an unknown member \"pause\""},
      {with(R"({"learning_rate": 0})"), "control.json: \"learning_rate\" is 0, expected a number above 0"},
      {with(R"({"learning_rate": -0.1, "stop": true})"),
       "control.json: \"learning_rate\" is -0.1, expected a number above 0"},
      {with(R"({"learning_rate": 1e999})"), "control.json: a number out of range"},
      {with(R"({"learning_rate": NaN})"), "control.json: byte 18 is not as JSON should be"},
      {with(R"({"learning_rate": "0.1"})"), "control.json: \"learning_rate\" is of another type, expected a number"},
      {with(std::string(100, '[')), "control.json: nested deeper than 64 levels"},
      {with("{\"stop\": true" + std::string(4096, ' ') + "}"),
       "control.json: more than 4096 bytes, expected at most as many"},
      {[&] { fs::create_symlink(outside, file); },
       "control.json: cannot be opened: Too many levels of symbolic links"},
      {[&] { REQUIRE(::mkfifo(file.c_str(), 0666) == 0); }, "control.json: is a pipe, expected a file"},
  };
  TrainingOptions options = short_training();
  options.epochs = 1;
  const std::string short_whole = train_with(folder / "short", options);
  for (const Hostile& hostile : all) {
    INFO(hostile.told);
    fs::remove_all(run);
    options.on_batch = [&](const BatchReport& report) {
      if (report.batch > 1) return;
      hostile.make();
      wait_for_a_look();
    };
    CHECK(train_with(run, options) == short_whole);
    const std::vector<json> messages = events_of(run, "message");
    REQUIRE(messages.size() == 1);
    CHECK(messages[0]["level"] == "warning");
    CHECK(messages[0]["text"] == hostile.told);
    CHECK(names_in(run) ==
          std::set<std::string>{"config.json", "events.jsonl", "checkpoints", "lock", "best", "latest"});
  }
  CHECK(fs::exists(folder / "outside"));
}

TEST_CASE("resume_run: a pipe or a device in place of a file is refused, and not waited for", "[run][hostile]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  train_with(run, short_training());
  lose_checkpoints(run, 2);
  const fs::path state = fs::path("checkpoints") / "epoch-0001" / "state.json";
  for (const fs::path& name : {fs::path("config.json"), fs::path("events.jsonl"), state}) {
    for (const bool is_pipe : {true, false}) {
      CAPTURE(name, is_pipe);
      fs::rename(run / name, folder / "kept");
      if (is_pipe) {
        REQUIRE(::mkfifo((run / name).c_str(), 0666) == 0);
      } else {
        fs::create_symlink("/dev/null", run / name);
      }
      CHECK_ERROR(resume_with(run), IoError, is_pipe ? "is a pipe, expected a file" : "is a device, expected a file");
      fs::remove(run / name);
      fs::rename(folder / "kept", run / name);
    }
  }
  CHECK_NOTHROW(resume_with(run));
}

TEST_CASE("train_run: a folder named control.json stays, and is told once", "[run][control][hostile]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  TrainingOptions options = short_training();
  const std::string whole = train_with(folder / "whole", options);
  fs::create_directories(run / "control.json");
  write_text(run / "control.json" / "mine", "keep");
  std::size_t looks = 0;
  options.on_batch = [&](const BatchReport&) {
    if (++looks == 1 || looks == 2) wait_for_a_look();
    if (looks == 10) {  // gone: what comes then counts again
      fs::remove_all(run / "control.json");
      wait_for_a_look();
    }
    if (looks == 11) {
      ask(run, R"({"stop": true})");
      wait_for_a_look();
    }
  };
  train_with(run, options);
  REQUIRE(events_of(run, "message").size() == 1);
  CHECK(events_of(run, "message")[0]["text"] ==
        "control.json: cannot be taken: Is a directory; nothing is asked for until it is gone");
  CHECK(events_of(run).back()["reason"] == "stopped");
  fs::create_directories(run / "control.json");
  write_text(run / "control.json" / "mine", "keep");
  CHECK(resume_with(run) == whole);
  CHECK(fs::exists(run / "control.json" / "mine"));
}

TEST_CASE("train_run: what a callback throws ends it with a checkpoint of the last batch", "[run]") {
  const TemporaryFolder folder;
  TrainingOptions options = short_training();
  std::size_t batches = 0;
  options.on_batch = [&](const BatchReport&) {
    if (++batches == 8) throw std::runtime_error("enough");
  };
  Network<float> network = start_network();
  CHECK_THROWS_WITH(
      train_run(folder / "run", network, training_data(), {}, *make_optimizer<float>("adam"), options, seed),
      "enough");
  CHECK(fs::read_symlink(folder / "run" / "latest") == "checkpoints/epoch-0001-batch-0003");
  const json end = events_of(folder / "run").back();
  CHECK(end["reason"] == "failed");
  CHECK(end["error"] == "enough");
  Network<float> whole = start_network();
  const History history =
      train_run(folder / "whole", whole, training_data(), {}, *make_optimizer<float>("adam"), short_training(), seed);
  const auto result = resume_run<float>(folder / "run", training_data(), {});
  CHECK(outcome(result.network, result.history) == outcome(whole, history));
  CHECK_FALSE(names_in(folder / "run" / "checkpoints").contains("epoch-0001-batch-0003"));
}

TEST_CASE("train_run: a training that diverges keeps the checkpoint before", "[run]") {
  const TemporaryFolder folder;
  TrainingOptions options = short_training();
  options.schedule = Schedule();
  Network<float> network = start_network();
  const auto optimizer = make_optimizer<float>("sgd", 1e30);
  const History history = train_run(folder / "run", network, training_data(), {}, *optimizer, options, seed);
  CHECK(history.reason == StopReason::diverged);
  CHECK(events_of(folder / "run").back()["reason"] == "diverged");
  CHECK(fs::read_symlink(folder / "run" / "latest") == "checkpoints/epoch-0000");
  CHECK_NOTHROW(load_network<float>(folder / "run" / "latest" / "model.safetensors"));
}

TEST_CASE("train_run: what cannot be is said before anything is written", "[run][error]") {
  const TemporaryFolder folder;
  Network<float> network = start_network();
  const auto adam = make_optimizer<float>("adam");
  const auto start = [&](const TrainingOptions& options, Optimizer<float>& optimizer, const RunOptions& run = {}) {
    train_run(folder / "run", network, training_data(), {}, optimizer, options, seed, run);
  };
  TrainingOptions options = short_training();
  options.epochs = 0;
  CHECK_ERROR(start(options, *adam), ArgumentError, "epochs is 0, expected at least 1");
  options = short_training();
  options.schedule = [](double progress) { return 1 - progress; };
  CHECK_ERROR(start(options, *adam), ArgumentError, "a schedule of one's own cannot be written");
  CHECK_ERROR(start(short_training(), *adam, {.checkpoint_every = 0}), ArgumentError, "checkpoint_every is 0");
  struct OwnRule : Sgd<float> {
    OptimizerSettings settings() const override { return {}; }
  } own;
  CHECK_ERROR(start(short_training(), own), ArgumentError, "an optimizer of one's own");
  CHECK_FALSE(fs::exists(folder / "run"));

  test::write_file(folder / "run" / "letter.txt", "Dear");
  CHECK_ERROR(start(short_training(), *adam), ArgumentError, "holds letter.txt, expected an empty folder");
  fs::remove_all(folder / "run");
  test::write_file(folder / "run", "Dear");
  CHECK_ERROR(start(short_training(), *adam), ArgumentError, "is a file, expected the name of a folder");
  fs::remove(folder / "run");
  train_run(folder / "run", network, training_data(), {}, *adam, short_training(), seed);
  CHECK_ERROR(start(short_training(), *adam), ArgumentError, "there is a run in it already");
}

TEST_CASE("resume_run: another run, other data, other numbers are named", "[run][error]") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  CHECK_THROWS_AS(resume_run<float>(run, training_data(), {}), IoError);
  TrainingOptions options = short_training();
  StopFlag stop;
  options.stop = &stop;
  options.on_epoch = [&](const EpochReport&) { stop.request(); };
  Network<float> network = start_network();
  train_run(run, network, training_data(), {}, *make_optimizer<float>("adam"), options, seed);
  const auto resume = [&](const Dataset& training, const Dataset& validation) {
    resume_run<float>(run, training, validation);
  };
  CHECK_ERROR(resume(validation_data(), {}), ArgumentError, "training data has 80 samples, expected the 300");
  Rng rng(9);
  CHECK_ERROR(resume(split(test::mnist_sample().train, 300, rng).first, {}), ArgumentError,
              "its fingerprint differs");
  const Matrix<float> targets(Matrix<float>::shape_type{300, 10}, 0.1F);
  CHECK_ERROR(resume(training_data().with_targets(targets), {}), ArgumentError, "its fingerprint differs");
  CHECK_ERROR(resume(training_data(), validation_data()), ArgumentError, "validation data, expected none");
  CHECK_THROWS_AS(resume_run<double>(run, training_data(), {}), ArgumentError);

  const int lock = ::open((run / "lock").c_str(), O_RDWR);
  REQUIRE(::flock(lock, LOCK_EX | LOCK_NB) == 0);
  CHECK_ERROR(resume(training_data(), {}), ArgumentError, "another process");
  ::close(lock);
  CHECK_NOTHROW(resume(training_data(), {}));
}

TEST_CASE("resume_run: damaged files of a run are refused", "[run][error]") {
  const TemporaryFolder folder;
  TrainingOptions options = short_training();
  StopFlag stop;
  options.stop = &stop;
  options.on_epoch = [&](const EpochReport&) { stop.request(); };
  options.averaging = Averaging::ema;
  Network<float> network = start_network();
  train_run(folder / "run", network, training_data(), {}, *make_optimizer<float>("adam"), options, seed);
  const std::size_t lines = events_of(folder / "run").size();
  const auto refused = [&](const fs::path& file, const std::string& content) {
    const fs::path copy = folder / "copy";
    fs::remove_all(copy);
    fs::copy(folder / "run", copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    test::write_file(copy / file, content);
    try {
      resume_run<float>(copy, training_data(), {});
    } catch (const Error& problem) {
      const std::string words = problem.what();
      CHECK(words.find('\n') == std::string::npos);
      CHECK(events_of(folder / "run").size() == lines);
      return true;
    }
    return false;
  };
  const fs::path checkpoint = "checkpoints/epoch-0001";
  for (const fs::path& file : {fs::path("config.json"), checkpoint / "state.json",
                               checkpoint / "optimizer.safetensors", checkpoint / "model.safetensors"}) {
    const std::vector<std::uint8_t> bytes = test::read_file(folder / "run" / file);
    const std::string whole(bytes.begin(), bytes.end());
    INFO(file);
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, whole.size() / 3, whole.size() - 3}) {
      CHECK(refused(file, whole.substr(0, length)));
    }
    CHECK(refused(file, "{}"));
    CHECK(refused(file, std::string(100000, '[')));
  }
  const std::vector<std::uint8_t> bytes = test::read_file(folder / "run" / checkpoint / "state.json");
  const json state = json::parse(bytes);
  for (const auto& [key, value] : state.items()) {
    INFO(key);
    json other = state;
    other.erase(key);
    CHECK(refused(checkpoint / "state.json", other.dump()));
    other[key] = json::object({{"no", "such"}});
    CHECK(refused(checkpoint / "state.json", other.dump()));
  }
  json more = state;
  more["unknown"] = 1;
  CHECK(refused(checkpoint / "state.json", more.dump()));
}
