// faults.hpp: makes the Nth allocation or the Nth call about files fail, in the program this is linked into.
//
// faults.cpp replaces operator new and delete and, where the linker knows --wrap, malloc and its kin in what is
// linked statically (stb_image) and in zlib. Of calls about files it defines open, read, write, rename and so on
// itself, which then stand before those of the C library for the whole program, std::filesystem among it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

namespace digitnet::test {

/// Where the calls about files can be caught at all: Linux, and not with a C library that is linked statically.
bool faults_are_possible();

/// While it lives, one allocation of this thread fails, or of any: the `at`th from here, counted from 1; 0 fails none
/// and counts.
class FailingAllocation {
 public:
  explicit FailingAllocation(std::size_t at, bool of_any_thread = false);
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

  std::size_t calls() const;  ///< how many there were
  bool has_failed() const;    ///< whether the `at`th came
  const char* failed_call() const { return "new"; }
};

/// Calls about files, in sets.
enum class FileCall : std::uint32_t {
  open = 1,           ///< of what is there, to read
  create = 2,         ///< open for writing
  read = 4,           ///< read, pread, and the next name of a folder
  write = 8,          ///< write, pwrite, writev
  sync = 16,          ///< fsync, fdatasync
  close = 32,         ///< what was open is closed all the same, as on Linux
  rename = 64,        ///< also link
  remove = 128,       ///< unlink, rmdir
  make_folder = 256,  ///< mkdir
  make_link = 512,    ///< symlink
  look = 1024,        ///< stat and its kin, readlink
  resize = 2048,      ///< ftruncate
  lock = 4096,        ///< flock
};
using FileCalls = std::uint32_t;
constexpr FileCalls operator|(FileCall a, FileCall b) { return FileCalls(a) | FileCalls(b); }
constexpr FileCalls operator|(FileCalls a, FileCall b) { return a | FileCalls(b); }

/// What a call does in place of what it should.
struct FileFault {
  FileCalls calls = 0;   ///< which are counted
  std::size_t at = 0;    ///< fails this one, counted from 1; 0 fails none
  int error = 0;         ///< errno that it fails with; 0 for a read or write of one byte alone
  bool lasting = false;  ///< also all that come behind it, as on a full disk
};

/// While it lives, calls of every thread behave as a FileFault says. One at a time.
class FailingFiles {
 public:
  explicit FailingFiles(const FileFault& wanted);
  ~FailingFiles();
  FailingFiles(const FailingFiles&) = delete;
  FailingFiles& operator=(const FailingFiles&) = delete;

  std::size_t calls() const;
  bool has_failed() const;
  const char* failed_call() const;  ///< the name of the first that failed: "fsync"; "" if none has
};

/// Allocations that nobody has given back yet.
std::size_t live_allocations();

/// Descriptors that are open.
std::set<int> open_descriptors();

}  // namespace digitnet::test
