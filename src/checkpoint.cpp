#include "checkpoint.hpp"

#include "byte_source.hpp"
#include "file_writer.hpp"
#include "json_fields.hpp"
#include "json_value.hpp"
#include "learning_rate_json.hpp"
#include "open_file.hpp"
#include "safetensors.hpp"

#include <digitnet/serialization.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

namespace digitnet::detail {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr int state_version = 1;
constexpr const char* where_written = "checkpoint";
// Numbers that need not be finite: as numbers where they are, else as a name.

JsonValue number_to_json(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

double number_from_json(const Fields& fields, const char* key) {
  if (!fields.is_text(key)) return fields.number(key);
  const std::string name = fields.text(key);
  if (name == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (name != "inf" && name != "-inf") fields.refuse(key, "is neither a number nor nan, inf or -inf");
  return name == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}

template <class Optional>
JsonValue optional_to_json(const Optional& value) {
  return value ? number_to_json(*value) : JsonValue(nullptr);
}

std::optional<double> optional_from_json(const Fields& fields, const char* key) {
  if (fields.is_null(key)) return std::nullopt;
  return number_from_json(fields, key);
}

constexpr std::array<std::pair<const char*, double LayerStatistics::*>, 7> layer_numbers{
    {{"gradient_norm", &LayerStatistics::gradient_norm},
     {"update_ratio", &LayerStatistics::update_ratio},
     {"dead_share", &LayerStatistics::dead_share},
     {"weight_mean", &LayerStatistics::weight_mean},
     {"weight_deviation", &LayerStatistics::weight_deviation},
     {"histogram_low", &LayerStatistics::histogram_low},
     {"histogram_high", &LayerStatistics::histogram_high}}};

constexpr std::array<std::pair<const char*, double EpochReport::*>, 4> report_numbers{
    {{"training_loss", &EpochReport::training_loss},
     {"training_accuracy", &EpochReport::training_accuracy},
     {"learning_rate", &EpochReport::learning_rate},
     {"seconds", &EpochReport::seconds}}};

constexpr std::array<std::pair<const char*, std::optional<double> EpochReport::*>, 3> optional_report_numbers{
    {{"validation_loss", &EpochReport::validation_loss},
     {"validation_accuracy", &EpochReport::validation_accuracy},
     {"gradient_norm", &EpochReport::gradient_norm}}};

JsonValue report_to_json(const EpochReport& report) {
  JsonValue value = JsonValue::object();
  for (const auto& [name, member] : report_numbers) value[name] = number_to_json(report.*member);
  for (const auto& [name, member] : optional_report_numbers) value[name] = optional_to_json(report.*member);
  value["layers"] = JsonValue::array();
  for (const LayerStatistics& statistics : report.layers) {
    JsonValue layer = JsonValue::object();
    for (const auto& [name, member] : layer_numbers) layer[name] = number_to_json(statistics.*member);
    layer["histogram"] = statistics.histogram;
    value["layers"].push_back(std::move(layer));
  }
  return value;
}

EpochReport report_from_json(const std::string& where, const json& value) {
  const Fields fields(where, value);
  EpochReport report;
  for (const auto& [name, member] : report_numbers) report.*member = number_from_json(fields, name);
  for (const auto& [name, member] : optional_report_numbers) report.*member = optional_from_json(fields, name);
  for (const json& layer : fields.array("layers")) {
    const Fields layer_fields(where + "layers: ", layer);
    LayerStatistics& statistics = report.layers.emplace_back();
    for (const auto& [name, member] : layer_numbers) statistics.*member = number_from_json(layer_fields, name);
    const std::vector<std::uint64_t> histogram = layer_fields.wholes("histogram");
    if (histogram.size() != LayerStatistics::bins) layer_fields.refuse("histogram", "has other than 32 numbers");
    std::copy(histogram.begin(), histogram.end(), statistics.histogram.begin());
    layer_fields.require_no_others();
  }
  fields.require_no_others();
  return report;
}

}  // namespace

template <class Real>
std::string state_to_text(const TrainingState<Real>& state) {
  const auto& plateau = state.plateau;
  JsonValue value{{"format", "digitnet-state"},
                  {"version", state_version},
                  {"epoch", state.epoch},
                  {"batch", state.batch},
                  {"ended", state.ended ? JsonValue(name_of(*state.ended)) : JsonValue(nullptr)},
                  {"steps", state.steps},
                  {"averaged", state.averaged},
                  {"rng", state.rng},
                  {"augmentation", state.augmentation},
                  {"plateau",
                   {{"factor", plateau.factor},
                    {"best", optional_to_json(plateau.best)},
                    {"bad_epochs", plateau.bad_epochs},
                    {"cooldown_left", plateau.cooldown_left}}},
                  {"best_epoch", state.history.best_epoch},
                  {"best_value", number_to_json(state.best_value)},
                  {"arrays",
                   {{"optimizer", state.optimizer.size()},
                    {"batch_norm", state.batch_norm.size()},
                    {"alive", state.sums.alive.size()},
                    {"working", state.working.has_value()},
                    {"best", state.best.has_value()}}},
                  {"sums",
                   {{"loss", number_to_json(state.sums.loss)},
                    {"weight", state.sums.weight},
                    {"correct", state.sums.correct},
                    {"seconds", state.sums.seconds},
                    {"gradient_norm", number_to_json(state.sums.gradient_norm)},
                    {"layer_gradient_norms", state.sums.layer_gradient_norms}}},
                  {"history", JsonValue::array()}};
  for (const EpochReport& report : state.history.epochs) value["history"].push_back(report_to_json(report));
  // Only where there are any, as older versions know no such member.
  if (const auto& changes = state.history.learning_rate_changes; !changes.empty()) {
    value["learning_rate_changes"] = changes_to_json(changes);
  }
  return value.dump() + "\n";
}

template <class Real>
void state_from_text(const std::string& where, const std::string& state_text, TrainingState<Real>& state) {
  const JsonDocument value = parse_json(where, state_text);
  const Fields fields(where, value);
  if (!fields.has("format") || fields.text("format") != "digitnet-state") {
    throw FormatError(where + R"(no "format": "digitnet-state"; is it of a checkpoint of digitnet?)");
  }
  if (const std::uint64_t version = fields.whole("version"); version != state_version) {
    throw FormatError(text(where, "format version ", version, ", expected ", state_version));
  }
  state.epoch = fields.whole("epoch");
  state.batch = fields.whole("batch");
  if (!fields.is_null("ended")) {
    try {
      state.ended = from_name<StopReason>("ended", stop_reason_names, fields.text("ended"), "state");
    } catch (const ArgumentError& error) {
      throw FormatError(where + error.what());
    }
    state.history.reason = *state.ended;
  }
  state.steps = fields.whole("steps");
  state.averaged = fields.whole("averaged");
  for (const auto& [name, words] : {std::pair{"rng", &state.rng}, std::pair{"augmentation", &state.augmentation}}) {
    const std::vector<std::uint64_t> numbers = fields.wholes(name);
    if (numbers.size() != words->size()) fields.refuse(name, text("has other than ", words->size(), " numbers"));
    std::copy(numbers.begin(), numbers.end(), words->begin());
    if (*words == Rng::State{}) fields.refuse(name, "holds only zeros, expected another number among them");
  }
  const Fields plateau = fields.fields("plateau");
  state.plateau = {.factor = plateau.number("factor"),
                   .best = optional_from_json(plateau, "best"),
                   .bad_epochs = plateau.whole("bad_epochs"),
                   .cooldown_left = plateau.whole("cooldown_left")};
  plateau.require_no_others();
  state.history.best_epoch = fields.whole("best_epoch");
  state.best_value = number_from_json(fields, "best_value");

  const Fields arrays = fields.fields("arrays");
  const auto count = [&arrays](const char* key) {
    const std::uint64_t number = arrays.whole(key);
    if (number > 16 * most_layers) arrays.refuse(key, text("is ", number, ", expected at most ", 16 * most_layers));
    return static_cast<std::size_t>(number);
  };
  state.optimizer.resize(count("optimizer"));
  state.batch_norm.resize(count("batch_norm"));
  state.sums.alive.resize(count("alive"));
  const Architecture architecture = state.network.architecture();
  if (arrays.truth("working")) state.working.emplace(architecture);
  if (arrays.truth("best")) state.best.emplace(architecture);
  arrays.require_no_others();

  const Fields sums = fields.fields("sums");
  state.sums.loss = number_from_json(sums, "loss");
  state.sums.weight = sums.number("weight");
  state.sums.correct = sums.whole("correct");
  state.sums.seconds = sums.number("seconds");
  state.sums.gradient_norm = number_from_json(sums, "gradient_norm");
  state.sums.layer_gradient_norms = sums.numbers("layer_gradient_norms");
  sums.require_no_others();

  for (const json& report : fields.array("history")) {
    const std::size_t epoch = state.history.epochs.size() + 1;
    state.history.epochs.push_back(report_from_json(text(where, "history: epoch ", epoch, ": "), report));
    state.history.epochs.back().epoch = epoch;
  }
  if (fields.has("learning_rate_changes")) {
    state.history.learning_rate_changes = changes_from_json(fields, "learning_rate_changes");
  }
  fields.require_no_others();
}

namespace {

/// Calls visit(name, numbers) for each array of a state; the same ones in the same order when it is written and read.
template <class State, class Visit>
void visit_arrays(State& state, const Visit& visit) {
  const auto visit_network = [&visit](const std::string& name, auto& network) {
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      visit(text(name, ".layers.", i, ".weights"), values(network.layer(i).weights));
      visit(text(name, ".layers.", i, ".bias"), values(network.layer(i).bias));
    }
  };
  const auto visit_list = [&visit](const std::string& name, auto& list) {
    for (std::size_t i = 0; i < list.size(); ++i) visit(text(name, ".", i), list[i]);
  };
  if (state.working) visit_network("working", *state.working);
  if (state.best) visit_network("best", *state.best);
  visit_list("optimizer", state.optimizer);
  visit_list("batch_norm", state.batch_norm);
  visit_list("alive", state.sums.alive);
  visit("order", state.order);
}

template <class Real>
std::vector<std::uint8_t> arrays_to_bytes(const TrainingState<Real>& state) {
  TensorWriter writer;
  visit_arrays(state, [&writer](const std::string& name, const auto& numbers) {
    writer.add(name, {numbers.size()}, std::span(numbers.data(), numbers.size()));
  });
  return writer.finish("checkpoint: ", {{"format", "digitnet-state"}, {"version", std::to_string(state_version)}});
}

template <class Real>
void arrays_from_bytes(const std::string& where, std::span<const std::uint8_t> bytes, TrainingState<Real>& state) {
  const TensorFile file(where, bytes, {dtype_of<Real>, "U32", "U8"});
  file.require_format("digitnet-state", state_version);
  file.require_gapless();
  std::size_t read = 0;
  visit_arrays(state, [&](const std::string& name, auto&& numbers) {
    using Stored = std::remove_cvref_t<decltype(numbers[0])>;
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end()) file.refuse("no tensor " + name);
    const TensorEntry& tensor = found->second;
    if (tensor.dtype != dtype_of<Stored> || tensor.shape.size() != 1) {
      file.refuse(text("tensor ", name, ": ", tensor.dtype, " ", shape_text_of(tensor.shape), ", expected a row of ",
                       dtype_of<Stored>));
    }
    if constexpr (requires { numbers.resize(std::size_t{}); }) numbers.resize(tensor.shape[0]);
    if (numbers.size() != tensor.shape[0]) {
      file.refuse(text("tensor ", name, ": ", tensor.shape[0], " numbers, expected ", numbers.size()));
    }
    if (!numbers.empty()) std::memcpy(numbers.data(), file.bytes(tensor).data(), numbers.size() * sizeof(Stored));
    ++read;
  });
  if (read != file.tensors().size()) {
    file.refuse(text(file.tensors().size(), " tensors, expected ", read, " by state.json"));
  }
  file.require_checksum();
}

/// A name that no other process or thread uses, and that find_checkpoints does not take for a checkpoint.
fs::path hidden_name(const fs::path& path) {
  return path.parent_path() / text(".", path.filename().string(), ".", ::getpid(), ".tmp");
}

[[noreturn]] void fail(const fs::path& path, const char* what) {
  throw IoError(text(where_written, ": ", path.string(), ": ", what, ": ", std::strerror(errno)));
}

}  // namespace

std::string CheckpointPosition::name() const {
  std::array<char, 64> buffer{};
  if (batch == 0) {
    std::snprintf(buffer.data(), buffer.size(), "epoch-%04zu", epoch);
  } else {
    std::snprintf(buffer.data(), buffer.size(), "epoch-%04zu-batch-%04zu", epoch, batch);
  }
  return buffer.data();
}

std::optional<CheckpointPosition> checkpoint_position(const std::string& name) {
  CheckpointPosition position;
  const char* const end = name.data() + name.size();
  const auto read = [&](const char* begin, std::string_view word, std::size_t& number) -> const char* {
    if (begin == nullptr || !std::string_view(begin, static_cast<std::size_t>(end - begin)).starts_with(word)) {
      return nullptr;
    }
    const auto [behind, error] = std::from_chars(begin + word.size(), end, number);
    return error == std::errc{} ? behind : nullptr;
  };
  const char* behind = read(name.data(), "epoch-", position.epoch);
  if (behind != end) behind = read(behind, "-batch-", position.batch);
  if (behind != end || position.name() != name) return std::nullopt;
  return position;
}

std::vector<CheckpointPosition> find_checkpoints(const fs::path& folder) {
  std::vector<CheckpointPosition> positions;
  std::error_code error;
  for (const std::string& name : names_in(folder, error)) {
    if (const auto position = checkpoint_position(name)) positions.push_back(*position);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw IoError(text(where_written, ": ", folder.string(), ": cannot be read: ", error.message()));
  }
  std::sort(positions.begin(), positions.end());
  return positions;
}

namespace {

/// Removes a file, or a folder with the files in it, as far as that is possible.
void remove_tree(const fs::path& path) {
  if (::unlink(path.c_str()) == 0) return;
  std::error_code ignored;
  for (const std::string& name : names_in(path, ignored)) ::unlink((path / name).c_str());
  ::rmdir(path.c_str());
}

}  // namespace

template <class Real>
void write_checkpoint(const fs::path& folder, const TrainingState<Real>& state) {
  const fs::path place = folder / CheckpointPosition{state.epoch, state.batch}.name();
  const fs::path hidden = hidden_name(place);
  // All bytes before the first file: what cannot be written for another reason than the disk leaves nothing.
  const std::vector<std::uint8_t> model = network_to_bytes(state.network);
  const std::vector<std::uint8_t> arrays = arrays_to_bytes(state);
  const std::string words = state_to_text(state);
  if (words.size() > largest_state) {
    throw ArgumentError(text(where_written, ": state.json would have ", words.size(), " bytes, expected at most ",
                             largest_state, "; are there very many epochs in its history?"));
  }
  remove_tree(hidden);
  if (::mkdir(hidden.c_str(), 0777) != 0) fail(hidden, "cannot be made");
  try {
    write_new_file(where_written, hidden / "model.safetensors", model);
    write_new_file(where_written, hidden / "optimizer.safetensors", arrays);
    write_new_file(where_written, hidden / "state.json",
                   {reinterpret_cast<const std::uint8_t*>(words.data()), words.size()});
    flush_folder(where_written, hidden);
    if (::rename(hidden.c_str(), place.c_str()) != 0) {
      if (errno != ENOTEMPTY && errno != EEXIST) fail(place, "rename failed");
      remove_checkpoint(folder, {state.epoch, state.batch});
      if (::rename(hidden.c_str(), place.c_str()) != 0) fail(place, "rename failed");
    }
  } catch (...) {
    remove_tree(hidden);
    throw;
  }
  flush_folder(where_written, folder);
}

template <class Real>
TrainingState<Real> read_checkpoint(const fs::path& checkpoint) {
  TrainingState<Real> state{.network = load_network<Real>(checkpoint / "model.safetensors")};
  const auto read = [&checkpoint](const char* name, std::uint64_t limit) {
    return read_whole_file("load_checkpoint", checkpoint / name, limit);
  };
  const auto in = [&checkpoint](const char* name) {
    return text("load_checkpoint: ", (checkpoint / name).string(), ": ");
  };
  const std::vector<std::uint8_t> words = read("state.json", largest_state);
  state_from_text(in("state.json"), std::string(words.begin(), words.end()), state);
  arrays_from_bytes(in("optimizer.safetensors"), read("optimizer.safetensors", largest_tensor_file), state);
  const auto expected = checkpoint_position(checkpoint.filename().string());
  if (expected && *expected != CheckpointPosition{state.epoch, state.batch}) {
    throw FormatError(text(in("state.json"), "of epoch ", state.epoch, ", batch ", state.batch,
                           ", expected those in the folder's name"));
  }
  return state;
}

void remove_checkpoint(const fs::path& folder, const CheckpointPosition& position) {
  const fs::path place = folder / position.name();
  const fs::path hidden = folder / text(".removed-", position.name(), ".", ::getpid(), ".tmp");
  if (::rename(place.c_str(), hidden.c_str()) == 0) remove_tree(hidden);
}

void remove_leftovers(const fs::path& folder, std::initializer_list<std::string_view> beginnings) {
  std::error_code ignored;
  for (const std::string& name : names_in(folder, ignored)) {
    const auto begins = [&name](std::string_view beginning) { return name.starts_with(beginning); };
    if (name.ends_with(".tmp") && std::ranges::any_of(beginnings, begins)) remove_tree(folder / name);
  }
}

void replace_link(const fs::path& link, const fs::path& target) {
  const fs::path hidden = hidden_name(link);
  ::unlink(hidden.c_str());
  if (::symlink(target.c_str(), hidden.c_str()) != 0) fail(hidden, "cannot be made");
  if (::rename(hidden.c_str(), link.c_str()) != 0) {
    const int reason = errno;
    ::unlink(hidden.c_str());
    errno = reason;
    fail(link, "rename failed");
  }
}

template std::string state_to_text(const TrainingState<float>&);
template std::string state_to_text(const TrainingState<double>&);
template void state_from_text(const std::string&, const std::string&, TrainingState<float>&);
template void state_from_text(const std::string&, const std::string&, TrainingState<double>&);
template void write_checkpoint(const fs::path&, const TrainingState<float>&);
template void write_checkpoint(const fs::path&, const TrainingState<double>&);
template TrainingState<float> read_checkpoint(const fs::path&);
template TrainingState<double> read_checkpoint(const fs::path&);

}  // namespace digitnet::detail
