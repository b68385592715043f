// The bytes are the state.json of a checkpoint. What is read of it must be the same after writing and reading it again;
// and with the arrays of a real checkpoint, as far as they are those it asks for, a training must refuse it or go on
// with it.
#include "checkpoint.hpp"
#include "fuzz.hpp"
#include "tiny_training.hpp"

using namespace digitnet;
using namespace digitnet::fuzz;

namespace {

using State = TrainingState<float>;

TrainingOptions options() {
  TrainingOptions options;
  options.epochs = 2;
  options.batch_size = 2;
  options.threads = 1;
  options.statistics = true;
  options.averaging = Averaging::ema;
  options.plateau.emplace(0.5, 1);
  options.plateau_metric = Metric::training_loss;
  options.early_stopping = EarlyStopping{.metric = Metric::training_loss, .patience = 1};
  return options;
}

/// A state within the second epoch, with all that a state may hold for these options.
State real_state() {
  StopFlag stop;
  TrainingOptions stopped = options();
  stopped.stop = &stop;
  stopped.on_batch = [&stop](const BatchReport& report) {
    if (report.epoch == 2) stop.request();
  };
  Rng rng(1);
  Network<float> network = tiny_network();
  Adam<float> optimizer;
  std::optional<State> last;
  Checkpoints<float> checkpoints;
  checkpoints.save = [&last](State state) { last.emplace(std::move(state)); };
  train(network, tiny_data(), {}, optimizer, stopped, rng, std::move(checkpoints));
  require(last && last->epoch == 1 && last->batch == 1, "no state within the second epoch");
  return *last;
}

/// Gives a state the arrays of a real one where it has as many.
void fill(State& state, const State& real) {
  const auto copy = [](auto& lists, const auto& from) {
    if (lists.size() == from.size()) lists = from;
  };
  copy(state.optimizer, real.optimizer);
  copy(state.batch_norm, real.batch_norm);
  copy(state.sums.alive, real.sums.alive);
  if (state.working) state.working = real.working;
  if (state.best) state.best = real.best;
  state.order = real.order;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const State real = real_state();
  const auto read = [](const std::string& text) {
    State state{.network = real.network};
    detail::state_from_text("state: ", text, state);
    return state;
  };
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::optional<State> state = taken("state: ", [&] { return read(text); });
  if (!state) return 0;
  const std::string again = detail::state_to_text(*state);
  require(detail::state_to_text(read(again)) == again, "what is written of a state is not what is read");

  fill(*state, real);
  const std::size_t epochs_done = state->epoch;
  Network<float> network = real.network;
  Adam<float> optimizer;
  Rng rng(1);
  Checkpoints<float> checkpoints;
  checkpoints.from = std::move(state);
  try {
    const History history = train(network, tiny_data(), {}, optimizer, options(), rng, std::move(checkpoints));
    require(history.epochs.size() >= epochs_done, "epochs are lost");
  } catch (const Error& error) {  // of another training
    require(std::string_view(error.what()).find('\n') == std::string_view::npos, error.what());
  }
  return 0;
}
