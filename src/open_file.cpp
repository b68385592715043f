#include "open_file.hpp"

#include <digitnet/error.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace digitnet::detail {
namespace {

/// What a call returns that is not interrupted.
template <class Call>
auto uninterrupted(const Call& call) noexcept {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

void fail_call(const std::string& prefix, const char* what) {
  const int reason = errno;
  throw IoError(text(prefix, what, " failed: ", std::strerror(reason)));
}

OpenFile::OpenFile(const std::filesystem::path& path, int flags) noexcept
    : descriptor_(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); })) {}

OpenFile::OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

OpenFile::~OpenFile() {
  if (is_open()) ::close(descriptor_);
}

struct stat OpenFile::status(const std::string& prefix) const {
  struct stat found {};
  if (::fstat(descriptor_, &found) != 0) fail_call(prefix, "fstat");
  return found;
}

std::size_t OpenFile::read(const std::string& prefix, std::span<std::uint8_t> target) {
  std::size_t done = 0;
  while (done < target.size()) {
    const ssize_t count =
        uninterrupted([&] { return ::read(descriptor_, target.data() + done, target.size() - done); });
    if (count < 0) fail_call(prefix, "read");
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void OpenFile::write(const std::string& prefix, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = uninterrupted([&] { return ::write(descriptor_, bytes.data(), bytes.size()); });
    if (count == 0) errno = EIO;  // no file system does that, but it would go on for ever
    if (count <= 0) fail_call(prefix, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void OpenFile::sync(const std::string& prefix) {
  if (uninterrupted([&] { return ::fsync(descriptor_); }) != 0) fail_call(prefix, "fsync");
}

void OpenFile::close(const std::string& prefix) {
  // Not again when interrupted: it is closed, and somebody else may have the number by now.
  if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) fail_call(prefix, "close");
}

std::pair<OpenFile, std::uint64_t> open_plain(const std::string& prefix, const std::filesystem::path& path,
                                              int flags) {
  OpenFile file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags);
  if (!file.is_open()) {
    const int reason = errno;
    throw IoError(text(prefix, "cannot be opened: ", std::strerror(reason)));
  }
  const struct stat found = file.status(prefix);
  require_plain(prefix, found);
  return {std::move(file), static_cast<std::uint64_t>(found.st_size)};
}

void require_plain(const std::string& prefix, const struct stat& found) {
  if (S_ISREG(found.st_mode)) return;
  const char* const kind = S_ISDIR(found.st_mode) ? "folder" : S_ISFIFO(found.st_mode) ? "pipe" : "device";
  throw IoError(text(prefix, "is a ", kind, ", expected a file"));
}

std::vector<std::string> names_in(const std::filesystem::path& folder, std::error_code& error) {
  std::vector<std::string> names;
  const auto failed = [&error] { error.assign(errno, std::generic_category()); };
  error.clear();
  const int descriptor = uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) {
    failed();
    return names;
  }
  const auto close = [](DIR* opened) { ::closedir(opened); };
  const std::unique_ptr<DIR, decltype(close)> opened(::fdopendir(descriptor), close);
  if (!opened) {
    failed();
    ::close(descriptor);
    return names;
  }
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(opened.get());
    if (entry == nullptr && errno == EINTR) {  // from the beginning, as there is no knowing what was passed over
      names.clear();
      ::rewinddir(opened.get());
      continue;
    }
    if (entry == nullptr) {
      if (errno != 0) failed();
      return names;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

void sync_folder(const std::string& prefix, const std::filesystem::path& folder) {
  const OpenFile opened(folder, O_RDONLY | O_DIRECTORY);
  if (!opened.is_open()) {
    if (errno == EACCES) return;
    fail_call(prefix, "opening the folder");
  }
  if (uninterrupted([&] { return ::fsync(opened.descriptor()); }) != 0 && errno != EINVAL && errno != ENOTSUP) {
    fail_call(prefix, "fsync of the folder");
  }
}

}  // namespace digitnet::detail
