// run_control.hpp: control.json of a run, by which those outside ask something of its training. Internal.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace digitnet::detail {

/// Most bytes of a control.json.
inline constexpr std::size_t largest_control = 4096;

/// What is asked for.
struct RunRequest {
  bool stop = false;
  std::optional<double> learning_rate{};  ///< finite and above 0
};

/// What a control.json asks for.
/// @throws FormatError  "control.json: ..." if it is no request
RunRequest request_of(const std::string& words);

/// Looks for control.json in a run's directory, and takes it away: it is written aside and renamed by those who ask, so
/// it is whole when it is there. Nothing in it is believed, and nothing about it ends a training.
class ControlFile {
 public:
  /// @param warn  is told, in one line, of a file that is none of a request
  ControlFile(const std::filesystem::path& run, std::function<void(const std::string&)> warn);

  /// What is asked for now, each request once; usually nothing.
  /// @throws  nothing but what warn throws, and std::bad_alloc
  std::optional<RunRequest> take();

 private:
  std::filesystem::path path_;
  std::filesystem::path taken_;  // where a file gets before it is read, so that a newer one can come meanwhile
  std::function<void(const std::string&)> warn_;
  bool is_stuck_ = false;  // what is there cannot be removed, and that has been told
};

}  // namespace digitnet::detail
