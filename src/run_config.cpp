#include "run_config.hpp"

#include "architecture_json.hpp"
#include "json_fields.hpp"
#include "learning_rate_json.hpp"
#include "training_checks.hpp"

#include <digitnet/version.hpp>

namespace digitnet::detail {
namespace {

constexpr int config_version = 1;

// Settings that are one number each. What writes them and what reads them are in this order.
constexpr std::array<std::pair<const char*, double TrainingOptions::*>, 11> number_options{
    {{"stop_below_loss", &TrainingOptions::stop_below_loss},
     {"label_smoothing", &TrainingOptions::label_smoothing},
     {"l1", &TrainingOptions::l1},
     {"l2", &TrainingOptions::l2},
     {"max_norm", &TrainingOptions::max_norm},
     {"input_dropout", &TrainingOptions::input_dropout},
     {"dropout", &TrainingOptions::dropout},
     {"clip_norm", &TrainingOptions::clip_norm},
     {"clip_value", &TrainingOptions::clip_value},
     {"ema_decay", &TrainingOptions::ema_decay},
     {"swa_start", &TrainingOptions::swa_start}}};

constexpr std::array<std::pair<const char*, double Augmentation::*>, 14> augmentation_options{
    {{"probability", &Augmentation::probability},
     {"thickness", &Augmentation::thickness},
     {"rotation", &Augmentation::rotation},
     {"scale", &Augmentation::scale},
     {"aspect", &Augmentation::aspect},
     {"shear", &Augmentation::shear},
     {"shift", &Augmentation::shift},
     {"elastic", &Augmentation::elastic},
     {"elastic_sigma", &Augmentation::elastic_sigma},
     {"erase", &Augmentation::erase},
     {"erase_radius", &Augmentation::erase_radius},
     {"noise", &Augmentation::noise},
     {"specks", &Augmentation::specks},
     {"ground", &Augmentation::ground}}};

[[noreturn]] void refuse_setting(const std::string& what) {
  throw ArgumentError(text("train_run: ", what, " cannot be written to config.json, expected one of digitnet's own"));
}

JsonValue data_to_json(const Dataset& data) { return {{"samples", data.size()}, {"fingerprint", fingerprint(data)}}; }

JsonValue options_to_json(const TrainingOptions& options) {
  JsonValue value{{"epochs", options.epochs}, {"batch_size", options.batch_size}, {"shuffle", options.shuffle}};
  value["schedule"] = nullptr;
  if (options.schedule) {
    if (options.schedule.description().empty()) refuse_setting("a schedule of one's own");
    value["schedule"] = JsonValue::of_text(options.schedule.description());
  }
  for (const auto& [name, member] : number_options) value[name] = options.*member;
  value["batch_norm"] = options.batch_norm;
  value["averaging"] = name_of(options.averaging);
  value["class_weights"] = options.class_weights;
  value["sample_weights"] = options.sample_weights;
  value["augmentation"] = nullptr;
  if (options.augmentation) {
    value["augmentation"] = JsonValue::object();
    for (const auto& [name, member] : augmentation_options) {
      value["augmentation"][name] = (*options.augmentation).*member;
    }
  }
  value["plateau"] = nullptr;
  if (const auto& plateau = options.plateau) {
    value["plateau"] = {{"metric", name_of(options.plateau_metric)}, {"factor", plateau->factor()},
                        {"patience", plateau->patience()},           {"min_delta", plateau->min_delta()},
                        {"cooldown", plateau->cooldown()},           {"min_factor", plateau->min_factor()}};
  }
  value["early_stopping"] = nullptr;
  if (const auto& early = options.early_stopping) {
    value["early_stopping"] = {{"metric", name_of(early->metric)},
                               {"patience", early->patience},
                               {"min_delta", early->min_delta},
                               {"restore_best", early->restore_best}};
  }
  if (!options.learning_rate_changes.empty()) {  // older versions know no such member
    value["learning_rate_changes"] = changes_to_json(options.learning_rate_changes);
  }
  return value;
}

/// Whether a member is an object; null is no.
bool is_given(const Fields& fields, const char* key) { return !fields.is_null(key); }

TrainingOptions options_from_json(const Fields& fields) {
  TrainingOptions options;
  options.epochs = fields.whole("epochs");
  options.batch_size = fields.whole("batch_size");
  options.shuffle = fields.truth("shuffle");
  if (is_given(fields, "schedule")) options.schedule = schedule_from_description(fields.object("schedule").dump());
  for (const auto& [name, member] : number_options) options.*member = fields.number(name);
  options.batch_norm = fields.truth("batch_norm");
  options.averaging = averaging_from_name(fields.text("averaging"));
  options.class_weights = fields.numbers("class_weights");
  options.sample_weights = fields.numbers("sample_weights");
  if (is_given(fields, "augmentation")) {
    const Fields given = fields.fields("augmentation");
    options.augmentation.emplace();
    for (const auto& [name, member] : augmentation_options) (*options.augmentation).*member = given.number(name);
    given.require_no_others();
  }
  if (is_given(fields, "plateau")) {
    const Fields plateau = fields.fields("plateau");
    options.plateau_metric = metric_from_name(plateau.text("metric"));
    options.plateau.emplace(plateau.number("factor"), plateau.whole("patience"), plateau.number("min_delta"),
                            plateau.whole("cooldown"), plateau.number("min_factor"));
    plateau.require_no_others();
  }
  if (is_given(fields, "early_stopping")) {
    const Fields early = fields.fields("early_stopping");
    options.early_stopping = EarlyStopping{.metric = metric_from_name(early.text("metric")),
                                           .patience = early.whole("patience"),
                                           .min_delta = early.number("min_delta"),
                                           .restore_best = early.truth("restore_best")};
    early.require_no_others();
  }
  if (fields.has("learning_rate_changes")) {
    options.learning_rate_changes = changes_from_json(fields, "learning_rate_changes");
  }
  fields.require_no_others();
  options.statistics = true;
  return options;
}

void require_same_data(const std::string& where, const char* which, const Fields& fields, const Dataset& data) {
  const std::uint64_t samples = fields.whole("samples");
  if (samples != data.size()) {
    throw ArgumentError(text(where, which, " data has ", data.size(), " samples, expected the ", samples,
                             " that the run began with"));
  }
  if (fields.text("fingerprint") != fingerprint(data)) {
    throw ArgumentError(text(where, which, " data is other than what the run began with: its fingerprint differs"));
  }
  fields.require_no_others();
}

}  // namespace

Metric best_metric_of(const RunOptions& run, const TrainingOptions& options, bool has_validation) {
  if (run.best_metric) return *run.best_metric;
  if (options.early_stopping) return options.early_stopping->metric;
  return has_validation ? Metric::validation_loss : Metric::training_loss;
}

template <class Real>
JsonValue run_config(const Network<Real>& network, const Dataset& training, const Dataset& validation,
                     const Optimizer<Real>& optimizer, const TrainingOptions& options, std::uint64_t seed,
                     const RunOptions& run, const std::string& created) {
  JsonValue settings{{"name", optimizer.name()}};
  if (optimizer.settings().empty()) refuse_setting(text("an optimizer of one's own, ", optimizer.name(), ","));
  for (const auto& [name, value] : optimizer.settings()) settings[name] = value;
  JsonValue source = nullptr;
  if (!run.source.empty()) {
    parse_json("train_run: source: ", run.source);
    source = JsonValue::of_text(run.source);
  }
  return {{"format", "digitnet-run"},
          {"version", config_version},
          {"digitnet", DIGITNET_VERSION},
          {"created", created},
          {"precision", precision_name<Real>},
          {"seed", seed},
          {"architecture", JsonValue::of_text(architecture_to_json(network.architecture()).dump())},
          {"optimizer", settings},
          {"training", options_to_json(options)},
          {"data",
           {{"training", data_to_json(training)},
            {"validation", validation.empty() ? JsonValue(nullptr) : data_to_json(validation)},
            {"source", source}}},
          {"run",
           {{"checkpoint_every", run.checkpoint_every},
            {"keep_last", run.keep_last},
            {"best_metric", name_of(best_metric_of(run, options, !validation.empty()))}}}};
}

template <class Real>
RunPlan<Real> read_run_config(const std::string& where, const std::string& text_of_it, const Dataset& training,
                              const Dataset& validation) {
  const JsonDocument value = parse_json(where, text_of_it);
  const Fields fields(where, value);
  if (!fields.has("format") || fields.text("format") != "digitnet-run") {
    throw FormatError(where + R"(no "format": "digitnet-run"; is it a run of digitnet?)");
  }
  if (const std::uint64_t version = fields.whole("version"); version != config_version) {
    throw FormatError(text(where, "format version ", version, ", expected ", config_version));
  }
  if (const std::string precision = fields.text("precision"); precision != precision_name<Real>) {
    throw ArgumentError(text(where, "a run of ", shortened(precision), ", expected ", precision_name<Real>));
  }
  for (const char* key : {"digitnet", "created"}) fields.text(key);
  fields.whole("seed");
  RunPlan<Real> plan;
  try {
    plan.architecture = architecture_from_json(where + "architecture: ", fields.object("architecture"));
    OptimizerSettings settings;
    for (const auto& [name, setting] : fields.object("optimizer").items()) {
      if (name == "name") continue;
      if (!setting.is_number()) fields.refuse("optimizer", text("\"", shortened(name), "\" is no number"));
      settings[name] = setting.template get<double>();
    }
    plan.optimizer = make_optimizer<Real>(fields.fields("optimizer").text("name"), settings);
    plan.options = options_from_json(fields.fields("training"));
    const Fields run = fields.fields("run");
    plan.run.checkpoint_every = run.whole("checkpoint_every");
    plan.run.keep_last = run.whole("keep_last");
    plan.run.best_metric = metric_from_name(run.text("best_metric"));
    run.require_no_others();
  } catch (const ArgumentError& error) {  // of a name or a number out of range
    throw FormatError(where + error.what());
  }
  const Fields data = fields.fields("data");
  require_same_data(where, "training", data.fields("training"), training);
  if (data.is_null("validation") != validation.empty()) {
    throw ArgumentError(text(where, validation.empty() ? "no validation data, expected what the run began with"
                                                       : "validation data, expected none, as the run began"));
  }
  if (!validation.empty()) require_same_data(where, "validation", data.fields("validation"), validation);
  fields.require_no_others();
  try {
    check_training(plan.architecture, training, validation, plan.options);
    if (plan.run.checkpoint_every == 0) throw ArgumentError("checkpoint_every is 0, expected at least 1");
  } catch (const Error& error) {
    throw FormatError(where + error.what());
  }
  return plan;
}

template JsonValue run_config(const Network<float>&, const Dataset&, const Dataset&, const Optimizer<float>&,
                              const TrainingOptions&, std::uint64_t, const RunOptions&, const std::string&);
template JsonValue run_config(const Network<double>&, const Dataset&, const Dataset&, const Optimizer<double>&,
                              const TrainingOptions&, std::uint64_t, const RunOptions&, const std::string&);
template RunPlan<float> read_run_config(const std::string&, const std::string&, const Dataset&, const Dataset&);
template RunPlan<double> read_run_config(const std::string&, const std::string&, const Dataset&, const Dataset&);

}  // namespace digitnet::detail
