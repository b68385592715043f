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

[[noreturn]] void cannot_be_written(const std::string& prefix, int reason) {
  throw IoError(text(prefix, "cannot be written: ", std::strerror(reason)));
}

/// A link is followed, also to where nothing is yet, so that what it points to is replaced and not the link.
std::filesystem::path resolved(const std::string& prefix, std::filesystem::path path) {
  for (int links = 0; links < 40; ++links) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return path;  // not there yet; or its folder is not, which open tells
      cannot_be_written(prefix, errno);
    }
    if (S_ISREG(found.st_mode)) return path;
    if (!S_ISLNK(found.st_mode)) {
      throw IoError(prefix + "is a folder or device, expected the name of a file to write");
    }
    std::error_code failed;
    const std::filesystem::path target = std::filesystem::read_symlink(path, failed);
    if (failed) cannot_be_written(prefix, failed.value());
    path = path.parent_path() / target;
  }
  cannot_be_written(prefix, ELOOP);
}

}  // namespace

void write_new_file(const char* where, const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  const std::string prefix = text(where, ": ", path.string(), ": ");
  OpenFile file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.is_open()) cannot_be_written(prefix, errno);
  file.write(prefix, bytes);
  file.sync(prefix);
  file.close(prefix);
}

void flush_folder(const char* where, const std::filesystem::path& folder) {
  sync_folder(text(where, ": ", folder.string(), ": "), folder);
}

FileWriter::FileWriter(const char* where, const std::filesystem::path& path)
    : prefix_(text(where, ": ", path.string(), ": ")), path_(resolved(prefix_, path)) {
  static std::atomic<unsigned> counter{0};
  // A name may be taken: by somebody with our process id who was killed here, perhaps in another container.
  for (int tries = 0; tries < 1000 && !file_.is_open(); ++tries) {
    const std::string name = text(".", path_.filename().string(), ".", ::getpid(), "-", ++counter, ".tmp");
    temporary_ = folder_of(path_) / name;
    file_ = OpenFile(temporary_, O_WRONLY | O_CREAT | O_EXCL);
    if (!file_.is_open() && errno != EEXIST) break;
  }
  if (!file_.is_open()) cannot_be_written(prefix_, errno);
}

FileWriter::~FileWriter() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void FileWriter::write(std::span<const std::uint8_t> bytes) { file_.write(prefix_, bytes); }

void FileWriter::commit() {
  file_.sync(prefix_);
  file_.close(prefix_);
  const std::filesystem::path folder = folder_of(path_);
  const std::string prefix_of_folder = prefix_ + "is written and in its place, but may not outlast a power cut: ";
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_call(prefix_, "rename");
  temporary_.clear();
  sync_folder(prefix_of_folder, folder);
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
