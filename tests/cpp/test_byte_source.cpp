// What byte_source.hpp promises: the bytes of files and memory, plain or gzip, and their lengths.
#include "byte_source.hpp"
#include "bytes.hpp"
#include "catch.hpp"
#include "temporary_folder.hpp"

#include <digitnet/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace digitnet;
using detail::ByteSource;
using detail::read_whole_file;
using test::Bytes;
using test::bytes_of;
using test::gzip;
using test::joined;
using test::TemporaryFolder;
using test::write_file;

namespace {

/// More than the buffer of a ByteSource, with no period that fits it.
Bytes long_bytes(std::size_t size = 200003) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * i >> 3);
  return bytes;
}

/// All that a source gives, read in pieces of a size.
Bytes read_all(ByteSource& source, std::size_t piece) {
  Bytes all;
  for (Bytes part(piece);;) {
    const std::size_t got = source.read(part);
    all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(got));
    if (got < piece) return all;
  }
}

}  // namespace

TEST_CASE("ByteSource: pieces of any size give the same bytes, from files and memory, plain and gzip",
          "[byte_source]") {
  const TemporaryFolder folder;
  const Bytes bytes = long_bytes();
  for (const bool packed : {false, true}) {
    const Bytes stored = packed ? gzip(bytes) : bytes;
    const auto path = write_file(folder / "file", stored);
    for (const std::size_t piece : {7u, 4096u, 65536u, 65537u, 200003u, 300000u}) {
      CAPTURE(packed, piece);
      ByteSource from_file("read", path);
      CHECK(read_all(from_file, piece) == bytes);
      ByteSource from_memory("read", stored, "memory");
      CHECK(read_all(from_memory, piece) == bytes);
    }
  }
}

TEST_CASE("ByteSource: lengths are known of plain files and memory, on disk also of gzip", "[byte_source]") {
  const TemporaryFolder folder;
  const Bytes packed = gzip(bytes_of("hello"));
  const ByteSource plain("read", write_file(folder / "plain", "hello"));
  CHECK_FALSE(plain.is_gzip());
  CHECK(plain.length() == 5u);
  CHECK(plain.stored_length() == 5u);
  CHECK(plain.prefix() == "read: " + (folder / "plain").string() + ": ");
  const ByteSource compressed("read", write_file(folder / "packed", packed));
  CHECK(compressed.is_gzip());
  CHECK_FALSE(compressed.length().has_value());
  CHECK(compressed.stored_length() == packed.size());
  const ByteSource memory("read", packed, "given");
  CHECK_FALSE(memory.length().has_value());
  CHECK(memory.stored_length() == packed.size());
  CHECK(memory.prefix() == "read: given: ");
}

TEST_CASE("ByteSource: after the end there is no more", "[byte_source]") {
  Bytes room(10);
  for (const Bytes& stored : {bytes_of("hello"), gzip(bytes_of("hello"))}) {
    ByteSource source("read", stored, "memory");
    CHECK(source.read(room) == 5);
    CHECK(source.read(room) == 0);
    CHECK(source.read({}) == 0);
  }
  ByteSource nothing("read", std::span<const std::uint8_t>(), "memory");
  CHECK(nothing.length() == 0u);
  CHECK(nothing.read(room) == 0);
  const Bytes empty_member = gzip({});
  ByteSource packed_nothing("read", empty_member, "memory");
  CHECK(packed_nothing.read(room) == 0);
}

TEST_CASE("ByteSource: members of gzip follow one another, and nothing else may", "[byte_source][error]") {
  Bytes many;
  Bytes expected;
  for (std::size_t member = 0; member < 50; ++member) {
    const Bytes part = long_bytes(member * 131);
    many = joined({many, gzip(part)});
    expected = joined({expected, part});
  }
  ByteSource source("read", many, "memory");
  CHECK(read_all(source, 1000) == expected);
  for (const Bytes& tail : {bytes_of("x"), bytes_of("garbage"), Bytes(512, 0), Bytes{0x1f, 0x8b}}) {
    const Bytes spoilt = joined({many, tail});
    ByteSource refused("read", spoilt, "memory");
    CHECK_ERROR(read_all(refused, 1000), FormatError, "read: memory: gzip data ");
  }
}

TEST_CASE("read_whole_file: all bytes of a file, as they are", "[byte_source]") {
  const TemporaryFolder folder;
  const Bytes bytes = long_bytes();
  CHECK(read_whole_file("read", write_file(folder / "file", bytes), 1000000) == bytes);
  CHECK(read_whole_file("read", write_file(folder / "packed", gzip(bytes)), 1000000) == gzip(bytes));
  CHECK(read_whole_file("read", write_file(folder / "empty", ""), 0).empty());
  if (std::filesystem::exists("/proc/self/cmdline")) {  // of a length that its status does not tell
    CHECK(read_whole_file("read", "/proc/self/cmdline", 1000000).size() > 1);
    CHECK_ERROR(read_whole_file("read", "/proc/self/cmdline", 0), FormatError, "more than 0 bytes");
  }
}

TEST_CASE("read_whole_file: as many bytes as the limit are read, one more is refused", "[byte_source][error]") {
  const TemporaryFolder folder;
  const auto path = write_file(folder / "file", "hello");
  CHECK(read_whole_file("read", path, 5) == bytes_of("hello"));
  CHECK_ERROR(read_whole_file("read", path, 4), FormatError,
              "read: " + path.string() + ": 5 bytes, expected at most 4");
}

TEST_CASE("ByteSource, read_whole_file: what is no regular file is refused at once, and not waited for",
          "[byte_source][error]") {
  const TemporaryFolder folder;
  const auto refused = [](const std::filesystem::path& path, const char* kind) {
    const std::string message = "read: " + path.string() + ": is a " + kind + ", expected a file";
    CHECK_ERROR(ByteSource("read", path), IoError, message);
    CHECK_ERROR(read_whole_file("read", path, 10), IoError, message);
  };
  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  refused(pipe, "pipe");  // that nobody writes to
  const int writer = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(writer >= 0);
  refused(pipe, "pipe");  // that somebody may write to
  REQUIRE(::write(writer, "hello", 5) == 5);
  refused(pipe, "pipe");  // that has something in it
  ::close(writer);
  std::filesystem::create_symlink(pipe, folder / "link");
  refused(folder / "link", "pipe");
  refused(folder.path(), "folder");
  for (const char* const device : {"/dev/zero", "/dev/null", "/dev/full"}) {
    if (std::filesystem::exists(device)) refused(device, "device");
  }
}

TEST_CASE("read_whole_file: missing files, folders and failing reads are told by the system",
          "[byte_source][error]") {
  const TemporaryFolder folder;
  CHECK_ERROR(read_whole_file("read", folder / "missing", 10), IoError, "cannot be opened: No such file");
  CHECK_ERROR(read_whole_file("read", folder.path(), 10), IoError, "is a folder, expected a file");
  if (std::filesystem::exists("/proc/self/mem")) {
    CHECK_ERROR(read_whole_file("read", "/proc/self/mem", 10), IoError, "read failed: ");
  }
}
