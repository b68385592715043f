#include "event_log.hpp"

#include "json_fields.hpp"
#include "learning_rate_json.hpp"

#include <digitnet/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

namespace digitnet::detail {
namespace {

/// Numbers of events are those that every reader of JSON holds exactly.
constexpr std::uint64_t largest_number = std::uint64_t{1} << 53;

/// The last whole line of a file and where it ends.
struct LastLine {
  std::string text;
  std::uint64_t end = 0;
};

/// Reads from the end, by growing steps. Nothing if the file has no whole line, or fails with errno.
std::optional<LastLine> last_line(int descriptor, std::uint64_t length) {
  for (std::uint64_t step = 4096;; step *= 4) {
    const std::uint64_t size = std::min(step, length);
    std::string tail(size, '\0');
    for (std::size_t done = 0; done < size;) {
      const ssize_t count =
          ::pread(descriptor, tail.data() + done, size - done, static_cast<off_t>(length - size + done));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return std::nullopt;
      done += static_cast<std::size_t>(count);
    }
    const std::size_t end = tail.rfind('\n');
    const std::size_t before = end == std::string::npos || end == 0 ? std::string::npos : tail.rfind('\n', end - 1);
    if (before != std::string::npos)
      return LastLine{tail.substr(before + 1, end - before - 1), length - size + end + 1};
    if (size == length) {
      return end == std::string::npos ? LastLine{} : LastLine{tail.substr(0, end), end + 1};
    }
    if (size > longest_line) return LastLine{std::move(tail), length};  // no event is that long
  }
}

/// Whether a line may be an event of this type: it holds the name, and not as a key. Most lines need no parsing then.
bool may_be_of_type(std::string_view line, std::string_view type) {
  const std::string quoted = text("\"", type, "\"");
  for (std::size_t found = line.find(quoted); found != line.npos; found = line.find(quoted, found + 1)) {
    const std::size_t behind = line.find_first_not_of(" \t", found + quoted.size());
    if (behind == line.npos || line[behind] != ':') return true;
  }
  return false;
}

/// The change that a line tells of, if it tells of one.
std::optional<LearningRateChange> change_in(const std::string& where, const std::string& line) {
  const JsonDocument value = parse_json(where, line);
  const Fields event(where, value);
  if (!event.has("type") || !event.is_text("type") || event.text("type") != "learning_rate") return std::nullopt;
  return change_from_json(event);
}

}  // namespace

EventLog::EventLog(const char* where, const std::filesystem::path& path)
    : prefix_(text(where, ": ", path.string(), ": ")), file_(path, O_RDWR | O_CREAT | O_APPEND) {
  if (!file_.is_open()) fail("cannot be written");
  const struct stat found = file_.status(prefix_);
  require_plain(prefix_, found);
  const auto length = static_cast<std::uint64_t>(found.st_size);
  const std::optional<LastLine> last = last_line(file_.descriptor(), length);
  if (!last) fail("cannot be read");
  if (last->end > 0) {
    const std::string in_line = prefix_ + "last line: ";
    if (last->text.size() >= longest_line) {  // it has an end, too
      throw FormatError(text(in_line, "longer than ", longest_line, " bytes, expected a JSON object"));
    }
    const JsonDocument event = parse_json(in_line, last->text);
    const Fields fields(in_line, event);
    next_ = fields.whole("seq") + 1;
    if (next_ > largest_number) fields.refuse("seq", text("is ", next_ - 1, ", expected less than 2^53"));
    has_ended_ = fields.has("type") && fields.is_text("type") && fields.text("type") == "end";
  }
  length_ = last->end;
  if (length_ != length && ::ftruncate(file_.descriptor(), static_cast<off_t>(length_)) != 0) {
    fail("cannot be written");
  }
}

void EventLog::fail(const char* what) {
  const int reason = errno;
  throw IoError(text(prefix_, what, ": ", std::strerror(reason)));
}

void EventLog::write(const char* type, const JsonValue& event) {
  const std::scoped_lock lock(mutex_);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  JsonValue line{
      {"seq", next_},
      {"time", static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) / 1000},
      {"type", type}};
  line.update(event);
  std::string bytes = line.dump();
  bytes += '\n';
  if (is_torn_ && ::ftruncate(file_.descriptor(), static_cast<off_t>(length_)) != 0)
    fail("an event cannot be written");
  is_torn_ = false;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(file_.descriptor(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) errno = EIO;  // no file system does that, but it would go on for ever
    if (count <= 0) {
      const int reason = errno;
      // A line without an end is none to those who read, as long as nothing is written behind it.
      is_torn_ = ::ftruncate(file_.descriptor(), static_cast<off_t>(length_)) != 0;
      errno = reason;
      fail("an event cannot be written");
    }
    done += static_cast<std::size_t>(count);
  }
  length_ += bytes.size();
  ++next_;
  has_ended_ = std::strcmp(type, "end") == 0;
}

void EventLog::flush() {
  const std::scoped_lock lock(mutex_);
  file_.sync(prefix_);
}

std::vector<LearningRateChange> EventLog::learning_rate_changes() {
  const std::scoped_lock lock(mutex_);
  std::vector<LearningRateChange> changes;
  std::string block(std::size_t{1} << 16, '\0');
  std::string line;
  std::size_t number = 1;
  for (std::uint64_t done = 0; done < length_;) {
    const ssize_t count = ::pread(file_.descriptor(), block.data(), block.size(), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) errno = EIO;  // shorter than when it was opened
    if (count <= 0) fail("cannot be read");
    done += static_cast<std::uint64_t>(count);
    for (std::string_view rest(block.data(), static_cast<std::size_t>(count)); !rest.empty();) {
      const std::size_t end = rest.find('\n');
      line += rest.substr(0, end);
      if (line.size() > longest_line) throw FormatError(text(prefix_, "line ", number, ": too long for an event"));
      if (end == rest.npos) break;
      if (may_be_of_type(line, "learning_rate")) {
        if (const auto change = change_in(text(prefix_, "line ", number, ": "), line)) changes.push_back(*change);
      }
      line.clear();
      ++number;
      rest.remove_prefix(end + 1);
    }
  }
  return changes;
}

}  // namespace digitnet::detail
