// byte_source.hpp: the bytes of a file or of memory, plain or gzip, read from front to back. Internal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace digitnet::detail {

/// What is larger than this when unpacked, and packed more than this many times smaller, is a bomb; MNIST shrinks to a
/// fifth, strokes to a fourth, an image without any ink to a thousandth.
inline constexpr std::uint64_t always_unpacked = 64u << 20;
inline constexpr std::uint64_t largest_packing = 200;

constexpr bool is_bomb(std::uint64_t unpacked, std::uint64_t packed) {
  return unpacked > always_unpacked && unpacked / largest_packing > packed;
}

/// @throws FormatError  if it is a bomb
void require_no_bomb(const std::string& where, std::uint64_t unpacked, std::uint64_t packed);

/// Unpacks gzip while reading, with our own strict view of it: every member whole and its checksum right,
/// nothing behind the last. zlib's gzread would pass over trailing garbage. Once it has unpacked so much of so little
/// that it is a bomb, it goes no further.
class ByteSource {
 public:
  /// @param where  the name of the public function, for messages
  /// @throws IoError  if it cannot be opened, or is no regular file
  ByteSource(const char* where, const std::filesystem::path& path);
  ByteSource(const char* where, std::span<const std::uint8_t> bytes, const std::string& name);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills as much of `target` as there is; less than all only at the end.
  std::size_t read(std::span<std::uint8_t> target);

  bool is_gzip() const;

  /// Bytes in all when known: not for gzip.
  std::optional<std::uint64_t> length() const;

  /// Bytes of the file on disk, packed or not.
  std::uint64_t stored_length() const;

  /// "read_idx: data/file: ", the start of each message.
  const std::string& prefix() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Looks at the beginning of a large file before the rest is read; throws if that is not worth it.
using LookAtBeginning = std::function<void(std::span<const std::uint8_t> beginning, std::uint64_t file_bytes)>;

/// A file is large from here on, and this much of it is its beginning.
inline constexpr std::uint64_t large_file = 32u << 20;
inline constexpr std::size_t beginning_bytes = 2u << 20;

/// All bytes of a file, as they are.
/// @param look  called for large files
/// @throws IoError      if it cannot be opened or read, or is no regular file
/// @throws FormatError  if there are more than `limit`
std::vector<std::uint8_t> read_whole_file(const char* where, const std::filesystem::path& path, std::uint64_t limit,
                                          const LookAtBeginning& look = {});

}  // namespace digitnet::detail
