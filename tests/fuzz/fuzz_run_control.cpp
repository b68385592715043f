// The bytes are what is in the control.json of a run. What was asked for must be something that can be done, and the
// same after writing and reading it again.
#include "fuzz.hpp"
#include "json_value.hpp"
#include "run_control.hpp"

#include <cmath>

using namespace digitnet;
using namespace digitnet::fuzz;

namespace {

std::string written(const detail::RunRequest& request) {
  detail::JsonValue value{{"stop", request.stop}};
  if (request.learning_rate) value["learning_rate"] = *request.learning_rate;
  return value.dump();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string words(reinterpret_cast<const char*>(data), size);
  const auto request = taken("control.json: ", [&] { return detail::request_of(words); });
  if (!request) return 0;
  require(!request->learning_rate || (std::isfinite(*request->learning_rate) && *request->learning_rate > 0),
          "a learning rate that is none");
  const detail::RunRequest again = detail::request_of(written(*request));
  require(again.stop == request->stop && again.learning_rate == request->learning_rate,
          "what is written of a request is not what is read");
  return 0;
}
