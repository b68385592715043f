// The bytes are an events.jsonl, as C++ reads it to go on behind its last whole line. What is written then must be a
// whole line with the next number behind the lines that were there, all as they were.
#include "event_log.hpp"
#include "fuzz.hpp"
#include "json_fields.hpp"

using namespace digitnet;
using namespace digitnet::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFile file("events.jsonl");
  file.write({data, size});
  const std::string where = "resume_run: ";
  const auto opened = [&] { return std::make_unique<detail::EventLog>(where.c_str(), file.path()); };
  const auto events = taken("resume_run: ", opened);
  if (!events) return 0;
  const Bytes kept = file.read();
  require(kept.size() <= size && std::equal(kept.begin(), kept.end(), data), "lines that were there are changed");
  require(kept.empty() || kept.back() == '\n', "half a line is left");
  require(std::find(data + kept.size(), data + size, std::uint8_t{'\n'}) == data + size, "a whole line is gone");
  (*events)->write("message", {{"text", "on"}});
  (*events)->write("end", {{"reason", "done"}});
  const Bytes written = file.read();
  require(std::equal(kept.begin(), kept.end(), written.begin()), "lines that were there are changed");
  const std::string rest(written.begin() + static_cast<std::ptrdiff_t>(kept.size()), written.end());
  require(std::count(rest.begin(), rest.end(), '\n') == 2 && rest.back() == '\n', "two events are not two lines");
  const std::size_t end = rest.find('\n');
  const detail::JsonDocument first = detail::parse_json("first: ", rest.substr(0, end));
  const detail::JsonDocument second = detail::parse_json("second: ", rest.substr(end + 1));
  const std::uint64_t number = detail::Fields("first: ", first).whole("seq");
  require(detail::Fields("second: ", second).whole("seq") == number + 1, "numbers do not rise by one");
  if (number + 1 >= std::uint64_t{1} << 53) return 0;  // where numbers end
  require(opened()->has_ended(), "the end is not found again");
  return 0;
}
