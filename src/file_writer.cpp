#include "file_writer.hpp"

#include <digitnet/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>

namespace digitnet::detail {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// A link is followed, also to where nothing is yet, so that what it points to is replaced and not the link.
std::filesystem::path resolved(std::filesystem::path path) {
  std::error_code ignored;
  for (int links = 0; links < 40 && std::filesystem::is_symlink(path, ignored); ++links) {
    path = path.parent_path() / std::filesystem::read_symlink(path, ignored);
  }
  return path;
}

/// Whether all could be written; else errno tells why not.
bool write_all(int descriptor, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

/// Whether a file or folder is on the disk. Some file systems cannot do that, and need not.
bool flush(int descriptor) {
  while (::fsync(descriptor) != 0) {
    if (errno == EINTR) continue;
    return errno == EINVAL || errno == ENOTSUP;
  }
  return true;
}

}  // namespace

void write_new_file(const char* where, const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  const bool is_written = descriptor >= 0 && write_all(descriptor, bytes) && flush(descriptor);
  const int reason = errno;
  const bool is_closed = descriptor >= 0 && ::close(descriptor) == 0;
  if (is_written && is_closed) return;
  throw IoError(
      text(where, ": ", path.string(), ": cannot be written: ", std::strerror(is_written ? errno : reason)));
}

void flush_folder(const char* where, const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_flushed = descriptor >= 0 && flush(descriptor);
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!is_flushed) throw IoError(text(where, ": ", folder.string(), ": fsync failed: ", std::strerror(reason)));
}

FileWriter::FileWriter(const char* where, const std::filesystem::path& path)
    : path_(resolved(path)), prefix_(text(where, ": ", path.string(), ": ")) {
  if (std::error_code ignored;
      std::filesystem::exists(path_, ignored) && !std::filesystem::is_regular_file(path_, ignored)) {
    throw IoError(prefix_ + "is a folder or device, expected the name of a file to write");
  }
  static std::atomic<unsigned> counter{0};
  temporary_ = folder_of(path_) / text(".", path_.filename().string(), ".", ::getpid(), "-", ++counter, ".tmp");
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    const int reason = errno;
    temporary_.clear();
    throw IoError(text(prefix_, "cannot be written: ", std::strerror(reason)));
  }
}

FileWriter::~FileWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void FileWriter::fail(const char* what) { throw IoError(text(prefix_, what, " failed: ", std::strerror(errno))); }

void FileWriter::write(std::span<const std::uint8_t> bytes) {
  if (!write_all(descriptor_, bytes)) fail("write");
}

void FileWriter::commit() {
  if (!flush(descriptor_)) fail("fsync");
  const int closing = descriptor_;
  descriptor_ = -1;
  if (::close(closing) != 0) fail("close");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename");
  temporary_.clear();
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {  // the file is in place; that its name is on disk too is as much as can be asked for
    ::fsync(folder);
    ::close(folder);
  }
}

PackedWriter::PackedWriter(const char* where, const std::filesystem::path& path)
    : writer_(where, path), gzip_(path.extension() == ".gz") {
  // Level 6, no name and no time in the header: the same bytes give the same file.
  if (gzip_ && deflateInit2(&stream_, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
}

PackedWriter::~PackedWriter() {
  if (gzip_) deflateEnd(&stream_);
}

void PackedWriter::write(std::span<const std::uint8_t> bytes) {
  gzip_ ? pack(bytes, Z_NO_FLUSH) : writer_.write(bytes);
}

void PackedWriter::commit() {
  if (gzip_) pack({}, Z_FINISH);
  writer_.commit();
}

void PackedWriter::pack(std::span<const std::uint8_t> bytes, int flush) {
  std::array<std::uint8_t, 1 << 15> packed;
  do {
    const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 1u << 30));
    bytes = bytes.subspan(part.size());
    stream_.next_in = const_cast<Bytef*>(part.data());
    stream_.avail_in = static_cast<uInt>(part.size());
    do {
      stream_.next_out = packed.data();
      stream_.avail_out = packed.size();
      deflate(&stream_, flush);
      writer_.write(std::span(packed).first(packed.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  } while (!bytes.empty());
}

}  // namespace digitnet::detail
