// faults.cpp: the calls that faults.hpp counts and fails.
#undef _FORTIFY_SOURCE  // its inline versions of open and read would stand in the way

#include "faults.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>

#ifdef __linux__
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>
#endif

// ---------------------------------------------------------------- allocations

namespace {

thread_local bool counting = false;
std::atomic<bool> counting_all{false};
std::atomic<std::size_t> allocation_calls{0};
std::atomic<std::size_t> failing_allocation{0};
std::atomic<std::size_t> live{0};

/// Counts one allocation, and says whether it is to fail.
bool allocation_fails() { return (counting || counting_all) && ++allocation_calls == failing_allocation; }

}  // namespace

#ifdef DIGITNET_TEST_WRAPS_MALLOC
// NOLINTBEGIN(bugprone-reserved-identifier): names that the linker's --wrap asks for
extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* memory, std::size_t size);
void __real_free(void* memory);
int __real_deflateInit2_(z_streamp stream, int level, int method, int window, int memory, int strategy,
                         const char* version, int size);
int __real_inflateInit2_(z_streamp stream, int window, const char* version, int size);

void* __wrap_malloc(std::size_t size) {
  if (allocation_fails()) return nullptr;
  void* const memory = __real_malloc(size);
  if (memory != nullptr) ++live;
  return memory;
}

void* __wrap_calloc(std::size_t count, std::size_t size) {
  if (allocation_fails()) return nullptr;
  void* const memory = __real_calloc(count, size);
  if (memory != nullptr) ++live;
  return memory;
}

void* __wrap_realloc(void* memory, std::size_t size) {
  if (allocation_fails()) return nullptr;
  void* const moved = __real_realloc(memory, size);
  if (memory == nullptr && moved != nullptr) ++live;
  return moved;
}

void __wrap_free(void* memory) {
  if (memory != nullptr) --live;
  __real_free(memory);
}

void* zlib_allocate(void*, unsigned count, unsigned size) { return __wrap_malloc(std::size_t{count} * size); }
void zlib_free(void*, void* memory) { __wrap_free(memory); }

int __wrap_deflateInit2_(z_streamp stream, int level, int method, int window, int memory, int strategy,
                         const char* version, int size) {
  stream->zalloc = &zlib_allocate;
  stream->zfree = &zlib_free;
  return __real_deflateInit2_(stream, level, method, window, memory, strategy, version, size);
}

int __wrap_inflateInit2_(z_streamp stream, int window, const char* version, int size) {
  stream->zalloc = &zlib_allocate;
  stream->zfree = &zlib_free;
  return __real_inflateInit2_(stream, window, version, size);
}
}
// NOLINTEND(bugprone-reserved-identifier)
#else
// NOLINTNEXTLINE(bugprone-reserved-identifier)
static void __real_free(void* memory) { std::free(memory); }
#endif

namespace {

void* allocated(std::size_t size, std::size_t alignment) noexcept {
  if (allocation_fails()) return nullptr;
  const std::size_t rounded = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* const memory = rounded < size ? nullptr : std::aligned_alloc(alignment, rounded);
  if (memory != nullptr) ++live;
  return memory;
}

void* allocated_or_thrown(std::size_t size, std::size_t alignment) {
  if (void* const memory = allocated(size, alignment)) return memory;
  throw std::bad_alloc();
}

[[gnu::noinline]] void release(void* memory) noexcept {
  if (memory != nullptr) --live;
  __real_free(memory);
}

constexpr std::size_t usual = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t size) { return allocated_or_thrown(size, usual); }
void* operator new[](std::size_t size) { return allocated_or_thrown(size, usual); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocated_or_thrown(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocated_or_thrown(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocated(size, usual); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocated(size, usual); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

// ---------------------------------------------------------------- calls about files

namespace {

using digitnet::test::FileCall;

std::atomic<const digitnet::test::FileFault*> fault{nullptr};
std::atomic<std::size_t> file_calls{0};
std::atomic<const char*> first_failed{nullptr};

enum class Outcome { real, failed, one_byte };

/// Counts a call, if a fault is about its kind, and says what is to become of it. Sets errno if it fails.
[[maybe_unused]] Outcome outcome(FileCall kind, const char* name) {
  const digitnet::test::FileFault* const now = fault;
  if (now == nullptr || (now->calls & digitnet::test::FileCalls(kind)) == 0) return Outcome::real;
  const std::size_t call = ++file_calls;
  if (now->at == 0 || call < now->at || (call > now->at && !now->lasting)) return Outcome::real;
  const char* none = nullptr;
  first_failed.compare_exchange_strong(none, name);
  if (now->error == 0) return Outcome::one_byte;
  errno = now->error;
  return Outcome::failed;
}

[[maybe_unused]] bool fails(FileCall kind, const char* name) { return outcome(kind, name) == Outcome::failed; }

/// How many bytes to ask for, of those wanted.
[[maybe_unused]] std::size_t cut(Outcome how, std::size_t wanted) {
  return how == Outcome::one_byte ? std::min<std::size_t>(wanted, 1) : wanted;
}

}  // namespace

#ifdef __linux__
namespace {

/// The function of the C library that stands behind ours.
template <class Function>
Function* behind(Function*, const char* name) {
  void* const found = dlsym(RTLD_NEXT, name);
  Function* function = nullptr;
  std::memcpy(&function, &found, sizeof(function));
  return function;
}

FileCall kind_of_open(int flags) {
  return (flags & O_ACCMODE) == O_RDONLY && (flags & O_CREAT) == 0 ? FileCall::open : FileCall::create;
}

mode_t mode_in(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): those of the system have reserved names
#define REAL(name)                                    \
  (*[] {                                              \
    static auto* const real = behind(&::name, #name); \
    return real;                                      \
  }())

extern "C" {

#define DEFINE_OPEN(name)                              \
  int name(const char* path, int flags, ...) {         \
    va_list arguments;                                 \
    va_start(arguments, flags);                        \
    const mode_t mode = mode_in(flags, arguments);     \
    va_end(arguments);                                 \
    if (fails(kind_of_open(flags), "open")) return -1; \
    return REAL(name)(path, flags, mode);              \
  }
#define DEFINE_OPENAT(name)                                \
  int name(int folder, const char* path, int flags, ...) { \
    va_list arguments;                                     \
    va_start(arguments, flags);                            \
    const mode_t mode = mode_in(flags, arguments);         \
    va_end(arguments);                                     \
    if (fails(kind_of_open(flags), "openat")) return -1;   \
    return REAL(name)(folder, path, flags, mode);          \
  }
DEFINE_OPEN(open)
DEFINE_OPENAT(openat)
#ifdef __USE_LARGEFILE64
DEFINE_OPEN(open64)
DEFINE_OPENAT(openat64)
#endif

ssize_t read(int file, void* bytes, std::size_t size) {
  const Outcome how = outcome(FileCall::read, "read");
  return how == Outcome::failed ? -1 : REAL(read)(file, bytes, cut(how, size));
}
ssize_t pread(int file, void* bytes, std::size_t size, off_t at) {
  const Outcome how = outcome(FileCall::read, "pread");
  return how == Outcome::failed ? -1 : REAL(pread)(file, bytes, cut(how, size), at);
}
ssize_t write(int file, const void* bytes, std::size_t size) {
  const Outcome how = outcome(FileCall::write, "write");
  return how == Outcome::failed ? -1 : REAL(write)(file, bytes, cut(how, size));
}
ssize_t pwrite(int file, const void* bytes, std::size_t size, off_t at) {
  const Outcome how = outcome(FileCall::write, "pwrite");
  return how == Outcome::failed ? -1 : REAL(pwrite)(file, bytes, cut(how, size), at);
}
ssize_t writev(int file, const iovec* parts, int count) {
  const Outcome how = outcome(FileCall::write, "writev");
  if (how == Outcome::failed) return -1;
  return how == Outcome::one_byte ? REAL(write)(file, parts[0].iov_base, cut(how, parts[0].iov_len))
                                  : REAL(writev)(file, parts, count);
}
int fsync(int file) { return fails(FileCall::sync, "fsync") ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails(FileCall::sync, "fdatasync") ? -1 : REAL(fdatasync)(file); }
int close(int file) {
  const bool failed = fails(FileCall::close, "close");
  const int error = errno;
  const int result = REAL(close)(file);
  if (failed) errno = error;
  return failed ? -1 : result;
}
int rename(const char* from, const char* to) noexcept {
  return fails(FileCall::rename, "rename") ? -1 : REAL(rename)(from, to);
}
int renameat(int a, const char* from, int b, const char* to) noexcept {
  return fails(FileCall::rename, "renameat") ? -1 : REAL(renameat)(a, from, b, to);
}
int link(const char* from, const char* to) noexcept {
  return fails(FileCall::rename, "link") ? -1 : REAL(link)(from, to);
}
int unlink(const char* path) noexcept { return fails(FileCall::remove, "unlink") ? -1 : REAL(unlink)(path); }
int unlinkat(int folder, const char* path, int flags) noexcept {
  return fails(FileCall::remove, "unlinkat") ? -1 : REAL(unlinkat)(folder, path, flags);
}
int rmdir(const char* path) noexcept { return fails(FileCall::remove, "rmdir") ? -1 : REAL(rmdir)(path); }
int remove(const char* path) noexcept { return fails(FileCall::remove, "remove") ? -1 : REAL(remove)(path); }
int mkdir(const char* path, mode_t mode) noexcept {
  return fails(FileCall::make_folder, "mkdir") ? -1 : REAL(mkdir)(path, mode);
}
int symlink(const char* target, const char* path) noexcept {
  return fails(FileCall::make_link, "symlink") ? -1 : REAL(symlink)(target, path);
}
ssize_t readlink(const char* path, char* target, std::size_t size) noexcept {
  return fails(FileCall::look, "readlink") ? -1 : REAL(readlink)(path, target, size);
}
int stat(const char* path, struct stat* found) noexcept {
  return fails(FileCall::look, "stat") ? -1 : REAL(stat)(path, found);
}
int lstat(const char* path, struct stat* found) noexcept {
  return fails(FileCall::look, "lstat") ? -1 : REAL(lstat)(path, found);
}
int fstat(int file, struct stat* found) noexcept {
  return fails(FileCall::look, "fstat") ? -1 : REAL(fstat)(file, found);
}
int ftruncate(int file, off_t size) noexcept {
  return fails(FileCall::resize, "ftruncate") ? -1 : REAL(ftruncate)(file, size);
}
int flock(int file, int how) noexcept { return fails(FileCall::lock, "flock") ? -1 : REAL(flock)(file, how); }
dirent* readdir(DIR* folder) { return fails(FileCall::read, "readdir") ? nullptr : REAL(readdir)(folder); }
#ifdef __USE_LARGEFILE64
dirent64* readdir64(DIR* folder) { return fails(FileCall::read, "readdir") ? nullptr : REAL(readdir64)(folder); }
#endif
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
#endif  // __linux__

namespace digitnet::test {

bool faults_are_possible() {
#ifdef __linux__
  return true;
#else
  return false;
#endif
}

FailingAllocation::FailingAllocation(std::size_t at, bool of_any_thread) {
  allocation_calls = 0;
  failing_allocation = at;
  if (of_any_thread) {
    counting_all = true;
  } else {
    counting = true;
  }
}

FailingAllocation::~FailingAllocation() { counting = counting_all = false; }

std::size_t FailingAllocation::calls() const { return allocation_calls; }

bool FailingAllocation::has_failed() const {
  return failing_allocation != 0 && allocation_calls >= failing_allocation;
}

FailingFiles::FailingFiles(const FileFault& wanted) {
  static FileFault kept;
  kept = wanted;
  file_calls = 0;
  first_failed = nullptr;
  fault = &kept;
}

FailingFiles::~FailingFiles() { fault = nullptr; }

std::size_t FailingFiles::calls() const { return file_calls; }
bool FailingFiles::has_failed() const { return first_failed != nullptr; }

const char* FailingFiles::failed_call() const {
  const char* const name = first_failed;
  return name == nullptr ? "" : name;
}

std::size_t live_allocations() { return live; }

std::set<int> open_descriptors() {
  std::set<int> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    found.insert(std::stoi(entry.path().filename().string()));
  }
  return found;
}

}  // namespace digitnet::test
