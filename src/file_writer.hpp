// file_writer.hpp: a file that appears whole or not at all. Internal.
#pragma once

#include "open_file.hpp"

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace digitnet::detail {

/// Writes beside the file wanted, in the same folder; commit() makes it durable and renames it into place.
/// Without commit, or if anything fails, the temporary file is removed and the old file stays as it was.
class FileWriter {
 public:
  /// @param where  the name of the public function, for messages
  /// @throws IoError  if the folder cannot be written to
  FileWriter(const char* where, const std::filesystem::path& path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::span<const std::uint8_t> bytes);

  /// Flushes to the disk, renames, flushes the folder.
  /// @throws IoError  if one of these fails; the old file is there still, unless it was the very last
  void commit();

 private:
  std::string prefix_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  OpenFile file_;
};

/// Writes a file that is not there yet and flushes it to the disk. For folders that are not in their place yet: what
/// was written of it stays if it fails.
/// @throws IoError  if it cannot be written
void write_new_file(const char* where, const std::filesystem::path& path, std::span<const std::uint8_t> bytes);

/// Flushes the names in a folder to the disk.
/// @throws IoError  if it cannot be opened or flushed
void flush_folder(const char* where, const std::filesystem::path& folder);

/// A FileWriter that packs with gzip if the name ends in .gz. The same bytes give the same file.
class PackedWriter {
 public:
  PackedWriter(const char* where, const std::filesystem::path& path);
  ~PackedWriter();
  PackedWriter(const PackedWriter&) = delete;
  PackedWriter& operator=(const PackedWriter&) = delete;

  void write(std::span<const std::uint8_t> bytes);
  void commit();

 private:
  void pack(std::span<const std::uint8_t> bytes, int flush);

  FileWriter writer_;
  bool gzip_;
  z_stream stream_{};
};

}  // namespace digitnet::detail
