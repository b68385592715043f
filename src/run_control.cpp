#include "run_control.hpp"

#include "json_fields.hpp"
#include "learning_rate_json.hpp"
#include "open_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace digitnet::detail {
namespace {

constexpr const char* in_message = "control.json: ";

/// @throws IoError, FormatError
std::string read_request(const std::filesystem::path& path) {
  OpenFile file = open_plain(in_message, path, O_NOFOLLOW).first;
  std::array<std::uint8_t, largest_control + 1> bytes{};
  const std::size_t size = file.read(in_message, bytes);
  if (size > largest_control) {
    throw FormatError(text(in_message, "more than ", largest_control, " bytes, expected at most as many"));
  }
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace

RunRequest request_of(const std::string& words) {
  const JsonDocument value = parse_json(in_message, words);
  const Fields fields(in_message, value);
  RunRequest request;
  if (fields.has("stop")) request.stop = fields.truth("stop");
  if (fields.has("learning_rate")) request.learning_rate = rate_from_json(fields);
  fields.require_no_others();
  return request;
}

ControlFile::ControlFile(const std::filesystem::path& run, std::function<void(const std::string&)> warn)
    : path_(run / "control.json"),
      taken_(run / text(".control.json.taken.", ::getpid(), ".tmp")),
      warn_(std::move(warn)) {}

std::optional<RunRequest> ControlFile::take() {
  struct stat found {};
  if (::lstat(path_.c_str(), &found) != 0) {
    is_stuck_ = false;
    return std::nullopt;
  }
  if (is_stuck_) return std::nullopt;
  // A folder is not ours to remove: it may have something in it.
  const bool is_folder = S_ISDIR(found.st_mode);
  if (is_folder || ::rename(path_.c_str(), taken_.c_str()) != 0) {
    const int reason = is_folder ? EISDIR : errno;
    if (reason == ENOENT) return std::nullopt;  // taken back
    is_stuck_ = true;
    warn_(text(in_message, "cannot be taken: ", std::strerror(reason), "; nothing is asked for until it is gone"));
    return std::nullopt;
  }
  std::optional<RunRequest> request;
  std::string problem;
  try {
    request = request_of(read_request(taken_));
  } catch (const Error& error) {
    problem = error.what();
  }
  ::unlink(taken_.c_str());
  if (!problem.empty()) warn_(problem);
  return request;
}

}  // namespace digitnet::detail
