#include "byte_source.hpp"

#include "open_file.hpp"

#include <digitnet/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <new>
#include <tuple>
#include <utility>
#include <vector>

namespace digitnet::detail {

struct ByteSource::State {
  std::string prefix;
  OpenFile file;
  std::uint64_t stored_length = 0;
  std::span<const std::uint8_t> memory;  // what is left of it, when there is no file
  std::vector<std::uint8_t> buffer;      // from the file: for telling gzip, and for unpacking
  std::span<const std::uint8_t> input;   // what is left in the buffer
  bool gzip = false;
  bool in_member = false;
  z_stream stream{};
  bool stream_open = false;
  std::uint64_t packed = 0;  // bytes of all members so far, and what became of them
  std::uint64_t unpacked = 0;

  ~State() {
    if (stream_open) inflateEnd(&stream);
  }

  /// Bytes as they are stored.
  std::size_t read_stored(std::span<std::uint8_t> target) {
    if (!file.is_open()) {
      const std::size_t count = std::min(target.size(), memory.size());
      std::copy_n(memory.begin(), count, target.begin());
      memory = memory.subspan(count);
      return count;
    }
    return file.read(prefix, target);
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
      if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();  // 16: gzip only
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
      const std::size_t room = std::min<std::size_t>(target.size() - done, 1u << 24);
      stream.avail_out = static_cast<uInt>(room);
      const int status = inflate(&stream, Z_NO_FLUSH);
      done += room - stream.avail_out;
      unpacked += room - stream.avail_out;
      packed += input.size() - stream.avail_in;
      require_no_bomb(prefix, unpacked, stored_length);
      const bool at_end = input.empty();
      input = input.last(stream.avail_in);
      if (status == Z_STREAM_END) {
        in_member = false;
      } else if (status == Z_BUF_ERROR && at_end) {
        throw FormatError(prefix + "gzip data ends in the middle; the file is cut short");
      } else if (status == Z_MEM_ERROR) {
        throw std::bad_alloc();
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        throw FormatError(text(prefix, "gzip data is damaged (", stream.msg != nullptr ? stream.msg : zError(status),
                               "), expected whole members and nothing behind them"));
      }
    }
    return done;
  }
};

void require_no_bomb(const std::string& where, std::uint64_t unpacked, std::uint64_t packed) {
  if (!is_bomb(unpacked, packed)) return;
  throw FormatError(text(where, unpacked, " bytes from ", packed, " packed ones, expected at most ", largest_packing,
                         " times as many; is it a bomb?"));
}

ByteSource::ByteSource(const char* where, const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  state_->prefix = text(where, ": ", path.string(), ": ");
  std::tie(state_->file, state_->stored_length) = open_plain(state_->prefix, path);
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
  if (state_->gzip) return std::nullopt;
  return state_->stored_length;
}

std::uint64_t ByteSource::stored_length() const { return state_->stored_length; }

const std::string& ByteSource::prefix() const { return state_->prefix; }

std::vector<std::uint8_t> read_whole_file(const char* where, const std::filesystem::path& path, std::uint64_t limit,
                                          const LookAtBeginning& look) {
  const std::string prefix = text(where, ": ", path.string(), ": ");
  auto [file, length] = open_plain(prefix, path);
  if (length > limit) {
    throw FormatError(text(prefix, length, " bytes, expected at most ", limit));
  }
  std::vector<std::uint8_t> bytes;
  std::size_t got = 0;
  if (look && length > large_file) {
    bytes.resize(beginning_bytes);
    got = file.read(prefix, bytes);
    look(std::span(bytes).first(got), length);
  }
  // A length of 0 may be that of a file in /proc: read on until there is no more. One byte of room tells the end of any
  // other.
  bytes.resize(length + 1);
  got += file.read(prefix, std::span(bytes).subspan(got));
  while (got == bytes.size()) {
    bytes.resize(got + (1 << 16));
    const std::size_t more = file.read(prefix, std::span(bytes).subspan(got));
    got += more;
    if (more == 0) break;
    if (got > limit) throw FormatError(text(prefix, "more than ", limit, " bytes, expected at most as many"));
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace digitnet::detail
