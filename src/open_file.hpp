// open_file.hpp: a file of the operating system, opened, used and closed. Internal.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace digitnet::detail {

/// Owns a descriptor. A call that a signal interrupts is made again, and what is read or written in part goes on; all
/// other errors are an IoError, "PREFIXread failed: Input/output error".
class OpenFile {
 public:
  OpenFile() = default;

  /// Opens a file; is_open() is false, and errno says why, where that is not possible.
  /// @param flags  those of open(2); O_CLOEXEC comes by itself
  OpenFile(const std::filesystem::path& path, int flags) noexcept;
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  /// What fstat says.
  struct stat status(const std::string& prefix) const;

  /// Fills as much of `target` as there is; less than all only at the end of the file.
  std::size_t read(const std::string& prefix, std::span<std::uint8_t> target);

  void write(const std::string& prefix, std::span<const std::uint8_t> bytes);

  /// Flushes to the disk.
  void sync(const std::string& prefix);

  /// Closes, and tells what the destructor would keep to itself.
  void close(const std::string& prefix);

 private:
  int descriptor_ = -1;
};

/// Opens a file to read it, and tells its bytes. Never waits, as it would for a pipe that nobody writes to.
/// @param flags  more of those of open(2)
/// @throws IoError  "PREFIXcannot be opened: No such file or directory", or as require_plain
std::pair<OpenFile, std::uint64_t> open_plain(const std::string& prefix, const std::filesystem::path& path,
                                              int flags = 0);

/// Pipes and devices have no end that one could rely on, and no length to compare with what a header claims.
/// @throws IoError  "PREFIXis a pipe, expected a file", unless it is a regular file
void require_plain(const std::string& prefix, const struct stat& found);

/// Throws the IoError of a call that has failed, with the text of errno.
[[noreturn]] void fail_call(const std::string& prefix, const char* what);

/// The names in a folder, in no order. (The iterators of std::filesystem end the program where there is no memory.)
/// @param error  why they cannot be read, if they cannot; what is returned is not all then
std::vector<std::string> names_in(const std::filesystem::path& folder, std::error_code& error);

/// Flushes a folder, so that names made, replaced or removed in it are on the disk. Some network file systems cannot;
/// neither can those who may not read the folder. Both count as done.
void sync_folder(const std::string& prefix, const std::filesystem::path& folder);

}  // namespace digitnet::detail
