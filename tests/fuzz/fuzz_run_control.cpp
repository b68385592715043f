// The bytes are the control.json of a run. It must be gone once it was looked at, and told of in one line if it is none;
// what was asked for must be the same after writing and reading it again.
#include "fuzz.hpp"
#include "json_value.hpp"
#include "run_control.hpp"

#include <bit>
#include <cmath>

using namespace digitnet;
using namespace digitnet::fuzz;

namespace {

std::string written(const detail::RunRequest& request) {
  detail::JsonValue value = detail::JsonValue::object();
  value["stop"] = request.stop;
  if (request.learning_rate) value["learning_rate"] = *request.learning_rate;
  return value.dump();
}

bool same(const detail::RunRequest& a, const detail::RunRequest& b) {
  if (a.stop != b.stop || a.learning_rate.has_value() != b.learning_rate.has_value()) return false;
  return !a.learning_rate ||
         std::bit_cast<std::uint64_t>(*a.learning_rate) == std::bit_cast<std::uint64_t>(*b.learning_rate);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFile file("control.json");
  static std::vector<std::string> told;
  static detail::ControlFile control(file.path().parent_path(), [](const std::string& line) { told.push_back(line); });
  const auto take = [](std::span<const std::uint8_t> bytes) {
    told.clear();
    file.write(bytes);
    std::optional<detail::RunRequest> request = control.take();
    require(std::filesystem::is_empty(file.path().parent_path()), "something is left of the file");
    return request;
  };
  const auto request = take({data, size});
  if (!request) {
    require(told.size() == 1, "a file that is no request is not told of, or twice");
    require(told[0].starts_with("control.json: ") && told[0].find_first_of("\r\n") == std::string::npos,
            told[0].c_str());
    return 0;
  }
  require(told.empty(), "a request is told of as if it were none");
  require(!request->learning_rate || (std::isfinite(*request->learning_rate) && *request->learning_rate > 0),
          "a learning rate that is none");
  const std::string text = written(*request);
  const auto again = take({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  require(again && same(*again, *request), "what is written of a request is not what is read");
  return 0;
}
