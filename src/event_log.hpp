// event_log.hpp: events.jsonl of a run. Internal.
#pragma once

#include "json_value.hpp"
#include "open_file.hpp"

#include <digitnet/trainer.hpp>

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace digitnet::detail {

/// Longest line that is read, its end included.
inline constexpr std::uint64_t longest_line = std::uint64_t{1} << 20;

/// Appends events to a file, a line each, whole or not at all. From any thread.
class EventLog {
 public:
  /// Goes on behind the last whole line that is there; what is behind it is a line that was never finished, and goes.
  /// @throws IoError      if the file cannot be opened, read or written
  /// @throws FormatError  if its last line is no event
  EventLog(const char* where, const std::filesystem::path& path);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// Whether the last event is the end of the run.
  bool has_ended() const { return has_ended_; }

  /// Writes {"seq": ..., "time": ..., "type": type, members of event...}.
  /// @throws IoError  if it cannot be written; the file ends with the line before then
  void write(const char* type, const JsonValue& event);

  /// Flushes what is written to the disk.
  /// @throws IoError  if that fails
  void flush();

  /// All changes of the learning rate that are told, in the order in which they are.
  /// @throws IoError      if the file cannot be read
  /// @throws FormatError  if an event of one breaks a rule
  std::vector<LearningRateChange> learning_rate_changes();

 private:
  [[noreturn]] void fail(const char* what);

  std::string prefix_;
  std::mutex mutex_;
  OpenFile file_;
  std::uint64_t next_ = 1;
  bool has_ended_ = false;
  bool is_torn_ = false;      // the file goes on with a part of a line
  std::uint64_t length_ = 0;  // of the file, in bytes
};

/// A number for an event: null if it is not finite.
inline JsonValue event_number(double value) { return {value}; }

}  // namespace digitnet::detail
