#include "byte_source.hpp"

#include <digitnet/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace digitnet::detail {

namespace {

/// Opens a file and tells its length; pipes and devices have none.
std::pair<std::FILE*, std::optional<std::uint64_t>> open_file(const std::string& prefix,
                                                              const std::filesystem::path& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) throw IoError(prefix + "cannot be opened: " + std::strerror(errno));
  struct stat info {};
  if (fstat(fileno(file), &info) == 0 && !S_ISDIR(info.st_mode)) {
    if (!S_ISREG(info.st_mode)) return {file, std::nullopt};
    return {file, static_cast<std::uint64_t>(info.st_size)};
  }
  std::fclose(file);
  throw IoError(prefix + "is a folder, expected a file");
}

}  // namespace

struct ByteSource::State {
  std::string prefix;
  std::FILE* file = nullptr;
  std::optional<std::uint64_t> stored_length;
  std::span<const std::uint8_t> memory;  // what is left of it, when there is no file
  std::vector<std::uint8_t> buffer;      // from the file: for telling gzip, and for unpacking
  std::span<const std::uint8_t> input;   // what is left in the buffer
  bool gzip = false;
  bool in_member = false;
  z_stream stream{};
  bool stream_open = false;

  ~State() {
    if (stream_open) inflateEnd(&stream);
    if (file != nullptr) std::fclose(file);
  }

  /// Bytes as they are stored.
  std::size_t read_stored(std::span<std::uint8_t> target) {
    if (file == nullptr) {
      const std::size_t count = std::min(target.size(), memory.size());
      std::copy_n(memory.begin(), count, target.begin());
      memory = memory.subspan(count);
      return count;
    }
    const std::size_t count = std::fread(target.data(), 1, target.size(), file);
    if (count < target.size() && std::ferror(file) != 0)
      throw IoError(prefix + "read failed: " + std::strerror(errno));
    return count;
  }

  /// Makes sure that there is input, unless the file is at its end.
  void fill() {
    if (input.empty()) input = {buffer.data(), read_stored(buffer)};
  }

  /// Looks at the first two bytes without losing them.
  void begin() {
    buffer.resize(1 << 16);
    fill();
    gzip = input.size() >= 2 && input[0] == 0x1f && input[1] == 0x8b;
  }

  std::size_t read_plain(std::span<std::uint8_t> target) {
    const std::size_t first = std::min(target.size(), input.size());
    std::copy_n(input.begin(), first, target.begin());
    input = input.subspan(first);
    return first + (first < target.size() ? read_stored(target.subspan(first)) : 0);
  }

  void begin_member() {
    if (!stream_open) {
      if (inflateInit2(&stream, 15 + 16) != Z_OK) throw Error(prefix + "zlib could not start");  // 16: gzip only
      stream_open = true;
    } else {
      inflateReset(&stream);
    }
    in_member = true;
  }

  std::size_t read_gzip(std::span<std::uint8_t> target) {
    std::size_t done = 0;
    while (done < target.size()) {
      fill();
      if (!in_member) {
        if (input.empty()) break;  // the end, right behind a whole member
        begin_member();
      }
      stream.next_in = const_cast<Bytef*>(input.data());
      stream.avail_in = static_cast<uInt>(input.size());
      stream.next_out = target.data() + done;
      const std::size_t room = std::min<std::size_t>(target.size() - done, 1u << 30);
      stream.avail_out = static_cast<uInt>(room);
      const int status = inflate(&stream, Z_NO_FLUSH);
      done += room - stream.avail_out;
      const bool at_end = input.empty();
      input = input.last(stream.avail_in);
      if (status == Z_STREAM_END) {
        in_member = false;
      } else if (status == Z_BUF_ERROR && at_end) {
        throw FormatError(prefix + "gzip data ends in the middle; the file is cut short");
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        throw FormatError(text(prefix, "gzip data is damaged (", stream.msg != nullptr ? stream.msg : zError(status),
                               "), expected whole members and nothing behind them"));
      }
    }
    return done;
  }
};

ByteSource::ByteSource(const char* where, const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  state_->prefix = text(where, ": ", path.string(), ": ");
  std::tie(state_->file, state_->stored_length) = open_file(state_->prefix, path);
  std::setvbuf(state_->file, nullptr, _IONBF, 0);  // large reads go straight to where they are wanted
  state_->begin();
}

ByteSource::ByteSource(const char* where, std::span<const std::uint8_t> bytes, const std::string& name)
    : state_(std::make_unique<State>()) {
  state_->prefix = text(where, ": ", name, ": ");
  state_->memory = bytes;
  state_->stored_length = bytes.size();
  state_->begin();
}

ByteSource::~ByteSource() = default;

std::size_t ByteSource::read(std::span<std::uint8_t> target) {
  return state_->gzip ? state_->read_gzip(target) : state_->read_plain(target);
}

bool ByteSource::is_gzip() const { return state_->gzip; }

std::optional<std::uint64_t> ByteSource::length() const {
  return state_->gzip ? std::nullopt : state_->stored_length;
}

std::optional<std::uint64_t> ByteSource::stored_length() const { return state_->stored_length; }

const std::string& ByteSource::prefix() const { return state_->prefix; }

std::vector<std::uint8_t> read_whole_file(const char* where, const std::filesystem::path& path, std::uint64_t limit) {
  const std::string prefix = text(where, ": ", path.string(), ": ");
  const auto [opened, length] = open_file(prefix, path);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(opened, &std::fclose);
  if (length.value_or(0) > limit) {
    throw FormatError(text(prefix, *length, " bytes, expected at most ", limit));
  }
  // A length of 0 may be that of a pipe, or of a file in /proc: read on until there is no more.
  std::vector<std::uint8_t> bytes(length.value_or(0));
  std::size_t got = std::fread(bytes.data(), 1, bytes.size(), file.get());
  while (got == bytes.size()) {
    bytes.resize(got + (1 << 16));
    const std::size_t more = std::fread(bytes.data() + got, 1, bytes.size() - got, file.get());
    got += more;
    if (more == 0) break;
    if (got > limit) throw FormatError(text(prefix, "more than ", limit, " bytes, expected at most as many"));
  }
  if (std::ferror(file.get()) != 0) throw IoError(prefix + "read failed: " + std::strerror(errno));
  bytes.resize(got);
  return bytes;
}

}  // namespace digitnet::detail
