// What run.hpp promises when the system refuses: for every N, the Nth call about files of a whole training fails. Each
// time there is a clean error or the right network, every checkpoint that is there loads, the events are whole lines,
// and going on gives the very bits of the unbroken run.
#include "catch.hpp"
#include "faults.hpp"
#include "small_networks.hpp"
#include "temporary_folder.hpp"

#include <digitnet/run.hpp>

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <fstream>
#include <new>
#include <optional>
#include <thread>

using namespace digitnet;
using digitnet::test::FailingFiles;
using digitnet::test::FileCall;
using digitnet::test::FileCalls;
using digitnet::test::FileFault;
using digitnet::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// A folder in memory, where there is one: thousands of files are flushed here.
fs::path quick_folder() { return ::access("/dev/shm", W_OK) == 0 ? fs::path("/dev/shm") : fs::temp_directory_path(); }

const Dataset& samples() {
  static const Dataset data = [] {
    Rng rng(11);
    return test::random_data(48, 6, 10, rng);
  }();
  return data;
}

/// Trains three epochs of two batches in a directory, or as many as `on_batch` lets it; the bytes of the network.
Bytes train_in(const fs::path& run, const StopFlag* stop = nullptr,
               const std::function<void(const BatchReport&)>& on_batch = {}, std::size_t threads = 1) {
  Rng rng(5);
  Network<float> network({6, 5, 10}, Activation::relu, rng);
  Adam<float> optimizer;
  TrainingOptions options;
  options.epochs = 3;
  options.batch_size = 24;
  options.threads = threads;
  options.dropout = 0.2;
  options.stop = stop;
  options.on_batch = on_batch;
  train_run(run, network, samples(), {}, optimizer, options, 7, {.keep_last = 1});
  return network_to_bytes(network);
}

Bytes resume_in(const fs::path& run) {
  return network_to_bytes(resume_run<float>(run, samples(), {}, {.threads = 1}).network);
}

struct Ending {
  Bytes network;  ///< none after an error
  std::string error;
  std::string call;
  bool reached = false;
  bool descriptors_left = false;
};

template <class Operation>
Ending ending_of(const FileFault& wanted, const Operation& operation) {
  Ending ending;
  const std::set<int> open = test::open_descriptors();
  {
    const FailingFiles fault(wanted);
    try {
      ending.network = operation();
    } catch (const IoError& error) {
      ending.error = error.what();
    }
    ending.reached = fault.has_failed();
    ending.call = fault.failed_call();
  }
  ending.descriptors_left = test::open_descriptors() != open;
  return ending;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// Every checkpoint of a run loads, and every whole line of its events is one, numbered from 1.
void require_sound(const fs::path& run, bool may_have_hidden_files) {
  for (const std::string& name : names_in(run / "checkpoints")) {
    CAPTURE(name);
    if (name.front() == '.') {
      REQUIRE(may_have_hidden_files);
      continue;
    }
    REQUIRE_NOTHROW(load_network<float>(run / "checkpoints" / name / "model.safetensors"));
  }
  if (!may_have_hidden_files) {
    for (const std::string& name : names_in(run)) REQUIRE(name.front() != '.');
  }
  if (!fs::exists(run / "events.jsonl")) return;
  const Bytes bytes = test::read_file(run / "events.jsonl");
  std::size_t expected = 1;
  for (auto line = bytes.begin(); line != bytes.end();) {
    const auto end = std::find(line, bytes.end(), std::uint8_t{'\n'});
    if (end == bytes.end()) break;  // a line that is not there yet
    const std::string text(line, end);
    CAPTURE(text);
    REQUIRE(nlohmann::json::parse(text).at("seq") == expected);
    ++expected;
    line = end + 1;
  }
}

/// After any fault: going on, or beginning anew where there was no checkpoint, gives the bits of the unbroken run and
/// leaves the same files.
void require_survived(const fs::path& run, const Bytes& unbroken, const std::vector<std::string>& files,
                      const std::vector<std::string>& checkpoints) {
  const bool has_checkpoint =
      std::ranges::any_of(names_in(run / "checkpoints"), [](const std::string& name) { return name.front() != '.'; });
  REQUIRE((has_checkpoint ? resume_in(run) : train_in(run)) == unbroken);
  REQUIRE(names_in(run) == files);
  const std::vector<std::string> found = names_in(run / "checkpoints");  // and those that could not be removed
  REQUIRE(std::includes(found.begin(), found.end(), checkpoints.begin(), checkpoints.end()));
  REQUIRE(fs::exists(run / "latest" / "model.safetensors"));
  REQUIRE(fs::exists(run / "best" / "model.safetensors"));
  require_sound(run, false);
}

constexpr FileCalls changes = FileCall::create | FileCall::write | FileCall::sync | FileCall::rename |
                              FileCall::make_folder | FileCall::make_link | FileCall::resize;
constexpr FileCalls all =
    changes | FileCall::open | FileCall::read | FileCall::close | FileCall::look | FileCall::remove | FileCall::lock;

/// Of the allocations of a training, each so manieth fails in a test: all of them would take minutes.
constexpr std::size_t allocations_at_once = 7;

struct Kind {
  const char* name;
  int error;
  FileCalls calls;
  bool lasting;
};

}  // namespace

TEST_CASE("faults: a training in a directory", "[run][faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder(quick_folder());
  const Bytes unbroken = train_in(folder / "unbroken");
  const std::vector<std::string> files = names_in(folder / "unbroken");
  const std::vector<std::string> checkpoints = names_in(folder / "unbroken" / "checkpoints");
  REQUIRE(checkpoints.size() >= 2);
  const fs::path run = folder / "run";
  const Kind kind = GENERATE(
      Kind{"EIO", EIO, all, false}, Kind{"full disk", ENOSPC, changes, true},
      Kind{"read-only", EROFS,
           FileCall::create | FileCall::rename | FileCall::make_folder | FileCall::make_link | FileCall::remove,
           true},
      Kind{"EMFILE", EMFILE, FileCall::create | FileCall::open, false});
  for (std::size_t at = 1;; ++at) {
    fs::remove_all(run);
    const Ending ending = ending_of({kind.calls, at, kind.error, kind.lasting}, [&] { return train_in(run); });
    CAPTURE(kind.name, at, ending.call, ending.error);
    REQUIRE((ending.error.empty() ? ending.network == unbroken : ending.network.empty()));
    if (!ending.error.empty()) {
      REQUIRE(ending.error.find('\n') == std::string::npos);
      if (ending.call != "stat") {  // create_directories tells another reason then
        REQUIRE(ending.error.find(std::strerror(kind.error)) != std::string::npos);
      }
    }
    REQUIRE_FALSE(ending.descriptors_left);
    // What could not be removed may be left, until the run is gone on with.
    require_sound(run, (kind.calls & (FileCall::remove | FileCall::open)) != 0);
    require_survived(run, unbroken, files, checkpoints);
    if (!ending.reached) break;
  }
}

TEST_CASE("faults: going on with a training", "[run][faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder(quick_folder());
  const Bytes unbroken = train_in(folder / "unbroken");
  const std::vector<std::string> files = names_in(folder / "unbroken");
  const std::vector<std::string> checkpoints = names_in(folder / "unbroken" / "checkpoints");
  const fs::path stopped = folder / "stopped";
  StopFlag stop;
  train_in(stopped, &stop, [&stop](const BatchReport& report) {
    if (report.epoch == 2 && report.batch == 1) stop.request();
  });
  const fs::path run = folder / "run";
  const Kind kind = GENERATE(Kind{"EIO", EIO, all, false}, Kind{"full disk", ENOSPC, changes, true});
  for (std::size_t at = 1;; ++at) {
    fs::remove_all(run);
    fs::copy(stopped, run, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    const Ending ending = ending_of({kind.calls, at, kind.error, kind.lasting}, [&] { return resume_in(run); });
    CAPTURE(kind.name, at, ending.call, ending.error);
    REQUIRE((ending.error.empty() ? ending.network == unbroken : ending.network.empty()));
    if (!ending.error.empty()) {
      REQUIRE(ending.error.find('\n') == std::string::npos);
      if (ending.call != "stat") {  // create_directories tells another reason then
        REQUIRE(ending.error.find(std::strerror(kind.error)) != std::string::npos);
      }
    }
    REQUIRE_FALSE(ending.descriptors_left);
    require_sound(run, true);
    require_survived(run, unbroken, files, checkpoints);
    if (!ending.reached) break;
  }
}

TEST_CASE("faults: a training that is interrupted in every call, or writes byte by byte, comes out the same",
          "[run][faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder(quick_folder());
  const Bytes unbroken = train_in(folder / "unbroken");
  const fs::path run = folder / "run";
  constexpr FileCalls transfers = FileCall::read | FileCall::write;
  const Kind kind = GENERATE(
      Kind{"EINTR", EINTR,
           transfers | FileCall::open | FileCall::create | FileCall::sync | FileCall::close | FileCall::lock, false},
      Kind{"one byte", 0, transfers, false}, Kind{"always one byte", 0, transfers, true});
  for (std::size_t at = 1;; ++at) {
    fs::remove_all(run);
    const Ending ending = ending_of({kind.calls, at, kind.error, kind.lasting}, [&] { return train_in(run); });
    CAPTURE(kind.name, at, ending.call, ending.error);
    REQUIRE(ending.error == "");
    REQUIRE(ending.network == unbroken);
    REQUIRE_FALSE(ending.descriptors_left);
    require_sound(run, false);
    if (!ending.reached || kind.lasting) break;
  }
}

namespace {

/// Trains as train_in, asking for another learning rate after the first batch.
Bytes train_changed_in(const fs::path& run) {
  Rng rng(5);
  Network<float> network({6, 5, 10}, Activation::relu, rng);
  Adam<float> optimizer;
  TrainingOptions options;
  options.epochs = 3;
  options.batch_size = 24;
  options.threads = 1;
  options.dropout = 0.2;
  LearningRateControl control;
  options.learning_rate_control = &control;
  options.on_batch = [&control](const BatchReport& report) {
    if (report.epoch == 1 && report.batch == 1) control.set(0.05);
  };
  train_run(run, network, samples(), {}, optimizer, options, 7, {.keep_last = 1});
  return network_to_bytes(network);
}

bool tells_of_change(const fs::path& run) {
  const Bytes bytes = fs::exists(run / "events.jsonl") ? test::read_file(run / "events.jsonl") : Bytes();
  const std::string text(bytes.begin(), bytes.end());
  const std::size_t found = text.find(R"("type":"learning_rate")");
  return found != text.npos && text.find('\n', found) != text.npos;
}

}  // namespace

TEST_CASE("faults: a changed learning rate is made again if it was told, and not if it was not",
          "[run][faults][learning_rate]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder(quick_folder());
  const Bytes plain = train_in(folder / "plain");
  const Bytes changed = train_changed_in(folder / "changed");
  REQUIRE(plain != changed);
  const fs::path run = folder / "run";
  const Kind kind = GENERATE(Kind{"EIO", EIO, all, false}, Kind{"full disk", ENOSPC, changes, true});
  for (std::size_t at = 1;; ++at) {
    fs::remove_all(run);
    const Ending ending =
        ending_of({kind.calls, at, kind.error, kind.lasting}, [&] { return train_changed_in(run); });
    CAPTURE(kind.name, at, ending.call, ending.error);
    REQUIRE((ending.error.empty() ? ending.network == changed : ending.network.empty()));
    REQUIRE_FALSE(ending.descriptors_left);
    require_sound(run, true);
    const std::vector<std::string> found = names_in(run / "checkpoints");
    if (std::ranges::any_of(found, [](const std::string& name) { return name.front() != '.'; })) {
      const bool is_told = tells_of_change(run);
      REQUIRE(resume_in(run) == (is_told ? changed : plain));
    }
    if (!ending.reached) break;
  }
}

TEST_CASE("faults: a request that cannot be read never ends a training", "[run][faults][control]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder(quick_folder());
  const Bytes plain = train_in(folder / "plain");
  const fs::path run = folder / "run";
  const auto told = [&run](const char* type) {
    const Bytes bytes = test::read_file(run / "events.jsonl");
    return std::string(bytes.begin(), bytes.end()).find(type) != std::string::npos;
  };
  const auto ask = [&] {
    while (!told(R"("type":"checkpoint")")) std::this_thread::yield();  // no other thread makes calls then
    std::ofstream(run / ".control.json.test.tmp") << R"({"learning_rate": 0.05})";
    fs::rename(run / ".control.json.test.tmp", run / "control.json");
    std::this_thread::sleep_for(std::chrono::milliseconds(120));  // longer than from one look to the next
  };
  constexpr FileCalls reading =
      FileCall::open | FileCall::read | FileCall::rename | FileCall::remove | FileCall::look | FileCall::close;
  for (std::size_t at = 1;; ++at) {
    CAPTURE(at);
    fs::remove_all(run);
    std::optional<FailingFiles> fault;
    bool reached = false;
    // From the first batch, which asks, to the second, which looks: the change holds from the third on.
    const Bytes network = train_in(run, nullptr, [&](const BatchReport& report) {
      if (report.epoch == 1 && report.batch == 1) {
        ask();
        fault.emplace(FileFault{reading, at, EIO, false});
      } else if (fault) {
        reached = fault->has_failed();
        fault.reset();
      }
    });
    const bool is_made = tells_of_change(run);
    REQUIRE((network == plain) == !is_made);
    require_sound(run, true);
    fs::remove_all(run / "checkpoints" / "epoch-0003");
    REQUIRE(resume_in(run) == network);
    require_sound(run, false);
    if (!reached) break;
  }
}

// Which allocation of which thread comes as the Nth differs a little from run to run, so not quite every one is met.
TEST_CASE("faults: a training that has no memory for an allocation, in any thread, can be gone on with",
          "[run][faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder(quick_folder());
  const Bytes unbroken = train_in(folder / "unbroken");
  const std::vector<std::string> files = names_in(folder / "unbroken");
  const std::vector<std::string> checkpoints = names_in(folder / "unbroken" / "checkpoints");
  const auto train = [](const fs::path& run) { return train_in(run, nullptr, {}, 2); };
  std::size_t calls = 0;
  {
    const test::FailingAllocation counter(0, true);
    REQUIRE(train(folder / "counted") == unbroken);
    calls = counter.calls();
  }
  const fs::path run = folder / "run";
  std::size_t refusals = 0;
  for (std::size_t at = 1; at <= calls; at += allocations_at_once) {
    fs::remove_all(run);
    Bytes network;
    std::string error;
    const std::set<int> open = test::open_descriptors();
    const std::size_t live = test::live_allocations();
    {
      const test::FailingAllocation fault(at, true);
      try {
        network = train(run);
      } catch (const std::bad_alloc&) {
        ++refusals;
      } catch (const IoError& problem) {
        error = problem.what();
        ++refusals;
      }
    }
    const std::size_t left = test::live_allocations();
    CAPTURE(at, calls, error);
    REQUIRE((network.empty() || network == unbroken));
    REQUIRE(error.find('\n') == std::string::npos);
    REQUIRE(test::open_descriptors() == open);
    REQUIRE(left == live + (network.empty() ? 0 : 1) + (error.capacity() > 15 ? 1 : 0));  // the results themselves
    require_sound(run, true);
    require_survived(run, unbroken, files, checkpoints);
  }
  CHECK(refusals > calls / allocations_at_once / 2);
}
