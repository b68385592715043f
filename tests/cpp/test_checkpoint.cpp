// What src/checkpoint.hpp and src/run_config.hpp promise of files that do not belong together, or are of another kind.
#include "bytes.hpp"
#include "catch.hpp"
#include "checkpoint.hpp"
#include "small_networks.hpp"
#include "temporary_folder.hpp"

#include <digitnet/run.hpp>

#include <nlohmann/json.hpp>

using namespace digitnet;
using digitnet::test::TemporaryFolder;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// A state as after an epoch, of a network of one layer.
TrainingState<float> state_of(std::size_t inputs) {
  Rng rng(1);
  TrainingState<float> state{.network = Network<float>({inputs, 2}, Activation::relu, rng)};
  state.epoch = 1;
  state.history.epochs.resize(1);
  state.rng = state.augmentation = {1, 2, 3, 4};
  state.order = {2, 0, 1};
  state.optimizer.emplace_back(2 * inputs);
  return state;
}

json read_json(const fs::path& path) { return json::parse(test::read_file(path)); }

void change(const fs::path& path, const char* key, const json& value) {
  json whole = read_json(path);
  whole[key] = value;
  test::write_file(path, whole.dump());
}

}  // namespace

TEST_CASE("checkpoint: what is written is what is read, also in place of another", "[checkpoint]") {
  const TemporaryFolder folder;
  TrainingState<float> state = state_of(3);
  for (const std::size_t steps : {1u, 2u}) {
    state.steps = steps;
    detail::write_checkpoint(folder.path(), state);
    const auto read = detail::read_checkpoint<float>(folder / "epoch-0001");
    CHECK(read.steps == steps);
    CHECK(read.order == state.order);
    CHECK(detail::state_to_text(read) == detail::state_to_text(state));
  }
  CHECK(detail::find_checkpoints(folder.path()).size() == 1);
}

TEST_CASE("checkpoint: a state.json of another kind or version is refused", "[checkpoint][error]") {
  const TemporaryFolder folder;
  detail::write_checkpoint(folder.path(), state_of(3));
  const fs::path place = folder / "epoch-0001";
  const auto read = [&] { detail::read_checkpoint<float>(place); };
  change(place / "state.json", "version", 2);
  CHECK_ERROR(read(), FormatError, "state.json: format version 2, expected 1");
  change(place / "state.json", "format", "digitnet-run");
  CHECK_ERROR(read(), FormatError, R"(no "format": "digitnet-state")");
}

TEST_CASE("checkpoint: files that do not belong together are refused", "[checkpoint][error]") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "a");
  fs::create_directory(folder / "b");
  TrainingState<float> averaged = state_of(3);
  averaged.working = averaged.network;
  detail::write_checkpoint(folder / "a", averaged);
  detail::write_checkpoint(folder / "b", state_of(3));
  const auto read = [&](const char* name) { detail::read_checkpoint<float>(folder / "a" / name); };
  const auto take = [&](const fs::path& file) {
    fs::copy_file(folder / "b" / "epoch-0001" / file, folder / "a" / "epoch-0001" / file,
                  fs::copy_options::overwrite_existing);
  };
  CHECK_NOTHROW(read("epoch-0001"));
  take("state.json");
  CHECK_ERROR(read("epoch-0001"), FormatError, "tensors, expected 2 by state.json");
  take("optimizer.safetensors");
  CHECK_NOTHROW(read("epoch-0001"));
  fs::rename(folder / "a" / "epoch-0001", folder / "a" / "epoch-0007");
  CHECK_ERROR(read("epoch-0007"), FormatError, "of epoch 1, batch 0, expected those in the folder's name");

  fs::rename(folder / "a" / "epoch-0007", folder / "a" / "epoch-0001");
  detail::write_checkpoint(folder / "b", [] {
    TrainingState<float> larger = state_of(3);
    larger.working.emplace(state_of(4).network);
    return larger;
  }());
  take("state.json");
  take("optimizer.safetensors");
  CHECK_ERROR(read("epoch-0001"), FormatError, "8 numbers, expected 6");
}

TEST_CASE("run_config: a config.json of another kind or version, and other validation data", "[checkpoint][error]") {
  const TemporaryFolder folder;
  Rng rng(1);
  const Dataset data = test::random_data(4, 2, 2, rng);
  Network<float> network({2, 2}, Activation::relu, rng);
  Sgd<float> optimizer(0.1);
  TrainingOptions options;
  options.epochs = 1;
  options.threads = 1;
  const fs::path run = folder / "run";
  const fs::path config = run / "config.json";
  train_run(run, network, data, data, optimizer, options, 1, {.source = R"({"from": ["somewhere", 1]})"});
  CHECK(read_json(config)["data"]["source"] == json{{"from", {"somewhere", 1}}});
  const auto resume = [&](const Dataset& validation) { resume_run<float>(run, data, validation, {.threads = 1}); };
  CHECK_NOTHROW(resume(data));
  CHECK_ERROR(resume({}), ArgumentError, "no validation data, expected what the run began with");
  change(config, "version", 2);
  CHECK_ERROR(resume(data), FormatError, "config.json: format version 2, expected 1");
  change(config, "format", "digitnet-state");
  CHECK_ERROR(resume(data), FormatError, R"(no "format": "digitnet-run"; is it a run of digitnet?)");
}
