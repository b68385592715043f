// What load_mnist takes, beside what cannot be left out: reading the bytes of plain files; unpacking gzip files with
// zlib. They take turns; medians in seconds, as one line of JSON.
#include "support.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

namespace {

namespace fs = std::filesystem;

struct Bytes {
  std::unique_ptr<std::uint8_t[]> data;
  std::size_t size = 0;
};

/// The whole file in fresh memory, which is not cleared first.
Bytes read_bytes(const fs::path& path) {
  Bytes bytes{.data = nullptr, .size = fs::file_size(path)};
  bytes.data.reset(new std::uint8_t[bytes.size]);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::size_t got = 0;
  while (file >= 0 && got < bytes.size) {
    const auto count = ::read(file, bytes.data.get() + got, bytes.size - got);
    if (count <= 0) break;
    got += static_cast<std::size_t>(count);
  }
  if (file >= 0) ::close(file);
  if (got != bytes.size) throw digitnet::Error("cannot read " + path.string());
  return bytes;
}

/// A gzip file of one member, in one call; its checksum is checked by zlib.
Bytes unpack(const fs::path& path) {
  const Bytes packed = read_bytes(path);
  const std::uint8_t* tail = packed.data.get() + packed.size - 4;  // the last four bytes are the unpacked size
  Bytes bytes{.data = nullptr,
              .size = tail[0] | std::size_t{tail[1]} << 8 | std::size_t{tail[2]} << 16 | std::size_t{tail[3]} << 24};
  bytes.data.reset(new std::uint8_t[bytes.size]);
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = packed.data.get();
  stream.avail_in = static_cast<uInt>(packed.size);
  stream.next_out = bytes.data.get();
  stream.avail_out = static_cast<uInt>(bytes.size);
  const int result = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (result != Z_STREAM_END) throw digitnet::Error("zlib cannot unpack " + path.string());
  return bytes;
}

template <class Function>
double seconds_of(Function function) {
  const auto start = bench::Clock::now();
  const auto kept = function();  // freed after the clock is read
  return bench::seconds_since(start);
}

}  // namespace

int main(int argc, char** argv) try {
  fs::path folder;
  double seconds = 1.5;
  CLI::App app("Loading MNIST beside reading or unpacking its bytes, as one line of JSON.");
  app.add_option("--data", folder, "Folder with the four MNIST files, all plain or all .gz")->required();
  app.add_option("--seconds", seconds, "To measure");
  CLI11_PARSE(app, argc, argv);

  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().find("-ubyte") != std::string::npos) files.push_back(entry.path());
  }
  if (files.size() != 4) throw digitnet::Error("expected four files in " + folder.string());
  const bool packed = files.front().extension() == ".gz";

  std::vector<double> load;
  std::vector<double> bytes;
  const auto start = bench::Clock::now();
  while (load.size() < 3 || bench::seconds_since(start) < seconds) {
    load.push_back(seconds_of([&] { return digitnet::load_mnist(folder); }));
    bytes.push_back(seconds_of([&] {
      std::vector<Bytes> all;
      for (const fs::path& file : files) all.push_back(packed ? unpack(file) : read_bytes(file));
      return all;
    }));
  }
  std::cout << R"({"load_seconds": )" << bench::percentile(load, 0.5) << R"(, "bytes_seconds": )"
            << bench::percentile(bytes, 0.5) << "}\n";
} catch (const std::exception& error) {
  std::cerr << "load_speed: " << error.what() << '\n';
  return 1;
}
