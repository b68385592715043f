// The bytes are the config.json of a run. What is read of it must be the same after writing and reading it again, and
// must be a training that can be begun.
#include "fuzz.hpp"
#include "run_config.hpp"
#include "tiny_training.hpp"

using namespace digitnet;
using namespace digitnet::fuzz;

namespace {

/// Whether a network of this architecture is quickly made.
bool is_small(const Architecture& architecture) {
  std::size_t parameters = 0;
  for (std::size_t i = 0; i + 1 < architecture.sizes.size(); ++i) {
    parameters += (architecture.sizes[i] + 1) * architecture.sizes[i + 1];
  }
  return parameters <= 4096;  // no overflow: sizes are limited
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = [](const std::string& text) {
    return detail::read_run_config<float>("config: ", text, tiny_data(), {});
  };
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::optional<detail::RunPlan<float>> plan;
  try {
    plan = taken("config: ", [&] { return read(text); });
  } catch (const ArgumentError& error) {  // of other data, or of numbers of another precision
    require(std::string_view(error.what()).starts_with("config: "), error.what());
  }
  if (!plan || !is_small(plan->architecture)) return 0;
  const Network<float> network(plan->architecture);
  const auto written = [&](const detail::RunPlan<float>& from) {
    return detail::run_config(network, tiny_data(), Dataset(), *from.optimizer, from.options, 1, from.run, "now")
        .dump(2);
  };
  const std::string again = written(*plan);
  require(written(read(again)) == again, "what is written of a config is not what is read");
  return 0;
}
