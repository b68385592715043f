// fuzz.hpp: what the fuzz targets share. Each target is one function, LLVMFuzzerTestOneInput: it gives its bytes to a
// reader and checks that what was read comes back from what is written of it. A reader may refuse with a FormatError
// of one line; any other exception, a failed check or a finding of a sanitizer ends the program.
#pragma once

#include <digitnet/error.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace digitnet::fuzz {

using Bytes = std::vector<std::uint8_t>;

inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

/// What a reader makes of its input, or nothing if it refuses. The message must be one line and begin with `where`.
template <class Read>
auto taken(const char* where, const Read& read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const FormatError& error) {
    const std::string_view message = error.what();
    require(message.starts_with(where) && message.find_first_of("\r\n") == message.npos, error.what());
    return std::nullopt;
  }
}

/// Whether two arrays of numbers are the same bits, also where they are not numbers.
template <class Array>
bool same_bits(const Array& a, const Array& b) {
  return a.size() == b.size() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(*a.data())) == 0);
}

/// A file of this process that is written again and again; in memory where the system has such a folder.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& name) {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code ignored;
    const bool in_memory = std::filesystem::is_directory(memory, ignored) && ::access(memory.c_str(), W_OK) == 0;
    const auto root = in_memory ? memory : std::filesystem::temp_directory_path();
    folder_ = root / ("digitnet-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    path_ = folder_ / name;
  }
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(folder_, ignored);  // by the last of them
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  void write(std::span<const std::uint8_t> bytes) const {
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    require(static_cast<bool>(file.flush()), "the scratch file cannot be written");
  }

  Bytes read() const {
    std::ifstream file(path_, std::ios::binary);
    require(static_cast<bool>(file), "the scratch file is not there");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
};

}  // namespace digitnet::fuzz
