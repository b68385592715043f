// What file_writer.hpp promises: a file appears whole or not at all.
#include "bytes.hpp"
#include "catch.hpp"
#include "file_writer.hpp"
#include "temporary_folder.hpp"

#include <digitnet/error.hpp>

#include <thread>

using digitnet::IoError;
using digitnet::detail::FileWriter;
using digitnet::test::bytes_of;
using digitnet::test::read_file;
using digitnet::test::TemporaryFolder;
using digitnet::test::write_file;
using Names = std::set<std::string>;

TEST_CASE("FileWriter: before commit the old file is there, after it the new one", "[file_writer]") {
  const TemporaryFolder folder;
  const auto path = write_file(folder / "file", "old");
  FileWriter writer("save", path);
  writer.write(bytes_of("ne"));
  writer.write({});
  writer.write(bytes_of("w"));
  CHECK(read_file(path) == bytes_of("old"));
  writer.commit();
  CHECK(read_file(path) == bytes_of("new"));
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("FileWriter: without commit the old file stays and the temporary one goes", "[file_writer]") {
  const TemporaryFolder folder;
  const auto path = write_file(folder / "file", "old");
  {
    FileWriter writer("save", path);
    writer.write(bytes_of("new"));
    CHECK(folder.names().size() == 2);  // beside it, in the same folder
  }
  CHECK(read_file(path) == bytes_of("old"));
  CHECK(folder.names() == Names{"file"});
  { const FileWriter unused("save", folder / "other"); }
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("FileWriter: two at once on one name do not mix", "[file_writer]") {
  const TemporaryFolder folder;
  FileWriter first("save", folder / "file");
  FileWriter second("save", folder / "file");
  first.write(bytes_of("first"));
  second.write(bytes_of("second"));
  second.commit();
  CHECK(read_file(folder / "file") == bytes_of("second"));
  first.commit();
  CHECK(read_file(folder / "file") == bytes_of("first"));
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("FileWriter: a rename that fails is told, and nothing is left behind", "[file_writer][error]") {
  const TemporaryFolder folder;
  FileWriter writer("save", folder / "file");
  writer.write(bytes_of("new"));
  std::filesystem::create_directory(folder / "file");  // somebody was faster
  CHECK_ERROR(writer.commit(), IoError, "save: " + (folder / "file").string() + ": rename failed: ");
  { const FileWriter gone = FileWriter("save", folder / "other"); }
  CHECK(std::filesystem::is_directory(folder / "file"));
}

TEST_CASE("FileWriter: after a rename that failed the temporary file goes with the writer", "[file_writer][error]") {
  const TemporaryFolder folder;
  {
    FileWriter writer("save", folder / "file");
    std::filesystem::create_directory(folder / "file");
    CHECK_THROWS_AS(writer.commit(), IoError);
  }
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("FileWriter: a link that points nowhere yet is followed too", "[file_writer]") {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("target", folder / "link");
  FileWriter writer("save", folder / "link");
  writer.write(bytes_of("new"));
  writer.commit();
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(read_file(folder / "target") == bytes_of("new"));
  CHECK(folder.names() == Names{"link", "target"});
}

TEST_CASE("FileWriter: a name without a folder is in the current one", "[file_writer]") {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  {
    FileWriter writer("save", "file");
    writer.write(bytes_of("here"));
    writer.commit();
  }
  std::filesystem::current_path(before);
  CHECK(read_file(folder / "file") == bytes_of("here"));
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("FileWriter: a folder that is missing, and a target that is no file", "[file_writer][error]") {
  const TemporaryFolder folder;
  CHECK_ERROR(FileWriter("save", folder / "missing" / "file"), IoError, "cannot be written: No such file");
  CHECK_ERROR(FileWriter("save", folder.path()), IoError, "is a folder or device, expected the name of a file");
  if (std::filesystem::exists("/dev/full")) {
    CHECK_ERROR(FileWriter("save", "/dev/full"), IoError, "save: /dev/full: is a folder or device");
  }
  CHECK(folder.names().empty());
}
