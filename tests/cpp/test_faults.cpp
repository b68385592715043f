// What files promise when memory runs out or the system refuses: for every N, the Nth allocation and the Nth call
// about files fail. Each time there is a clean error or the right result, an older file still loads, nothing is left
// in the folder, no descriptor is open and no memory lost.
#include "faults.hpp"

#include "bytes.hpp"
#include "catch.hpp"
#include "file_writer.hpp"
#include "pictures.hpp"
#include "small_networks.hpp"
#include "temporary_folder.hpp"

#include <digitnet/drawing.hpp>
#include <digitnet/idx.hpp>
#include <digitnet/picture.hpp>
#include <digitnet/recognition.hpp>
#include <digitnet/serialization.hpp>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>

using namespace digitnet;
using digitnet::test::Bytes;
using digitnet::test::FailingAllocation;
using digitnet::test::FailingFiles;
using digitnet::test::FileCall;
using digitnet::test::FileCalls;
using digitnet::test::FileFault;
using digitnet::test::read_file;
using digitnet::test::TemporaryFolder;
using digitnet::test::write_file;

namespace {

/// What is tried; its result is bytes, so that it can be compared.
struct Operation {
  std::string name;
  std::function<Bytes()> run;
  std::function<void()> prepare = [] {};  ///< before each try, without faults
};

/// How it ended. Anything else than an Error or a bad_alloc passes through, and so fails the test.
struct Ending {
  enum class Kind { well, refused, no_memory } kind = Kind::well;
  std::string error;
  bool as_expected = false;  ///< it ended well, with the right result
  bool reached = false;      ///< there was a call to fail
  std::string call;          ///< its name
  bool descriptors_left = false;
  std::ptrdiff_t allocations_left = 0;
};

template <class Fault, class... Arguments>
Ending ending_of(const Operation& operation, const Bytes& expected, const Arguments&... arguments) {
  Ending ending;
  operation.prepare();
  std::array<char, 1000> message{};  // where nothing has to be allocated
  const auto keep = [&message](const char* text) { std::strncpy(message.data(), text, message.size() - 1); };
  const std::set<int> open = test::open_descriptors();
  const std::size_t live = test::live_allocations();
  {
    const Fault fault(arguments...);
    try {
      ending.as_expected = operation.run() == expected;
    } catch (const IoError& error) {
      ending.kind = Ending::Kind::refused;
      keep(error.what());
    } catch (const FormatError& error) {  // may say that there is no memory for what a file claims, and nothing else
      ending.kind = std::strstr(error.what(), "more than there is memory for") != nullptr ? Ending::Kind::no_memory
                                                                                          : Ending::Kind::refused;
      keep(error.what());
    } catch (const std::bad_alloc&) {
      ending.kind = Ending::Kind::no_memory;
    }
    ending.reached = fault.has_failed();
    ending.call = fault.failed_call();  // short enough for the room within a string
  }
  ending.allocations_left = static_cast<std::ptrdiff_t>(test::live_allocations() - live);
  ending.descriptors_left = test::open_descriptors() != open;
  ending.error = message.data();
  return ending;
}

/// Fails every allocation of an operation in turn; `check` is called after each.
void fail_allocations(const Operation& operation, const std::function<void(bool failed)>& check) {
  operation.prepare();
  const Bytes expected = operation.run();  // also what is made once and kept
  for (std::size_t at = 1;; ++at) {
    const Ending ending = ending_of<FailingAllocation>(operation, expected, at);
    CAPTURE(operation.name, at, ending.error);
    REQUIRE(ending.kind != Ending::Kind::refused);
    REQUIRE((ending.kind == Ending::Kind::no_memory || ending.as_expected));
    REQUIRE(ending.allocations_left == 0);
    REQUIRE_FALSE(ending.descriptors_left);
    check(ending.kind == Ending::Kind::no_memory);
    if (!ending.reached) {
      REQUIRE(at > 5);  // or nothing was tried at all
      return;
    }
  }
}

/// Fails every call about files of an operation in turn, in all ways that are usual; `check` is called after each.
void fail_files(const Operation& operation, const std::function<void(bool failed)>& check) {
  struct Kind {
    const char* name;
    int error;
    FileCalls calls;
    bool lasting = false;
  };
  constexpr FileCalls changes = FileCall::create | FileCall::write | FileCall::sync | FileCall::rename |
                                FileCall::make_folder | FileCall::make_link | FileCall::resize;
  constexpr FileCalls all = changes | FileCall::open | FileCall::read | FileCall::close | FileCall::look;
  const std::vector<Kind> kinds{{"EIO", EIO, all},
                                {"EINVAL", EINVAL, FileCall::read | FileCall::write | FileCall::close},
                                {"EINVAL, first sync", EINVAL, FileCalls(FileCall::sync)},
                                {"ENOSPC", ENOSPC, changes | FileCall::close},
                                {"full disk", ENOSPC, changes, true},
                                {"EDQUOT", EDQUOT, changes | FileCall::close},
                                {"EROFS", EROFS, FileCall::create | FileCall::rename, true},
                                {"EACCES", EACCES, FileCall::create | FileCall::open | FileCall::rename},
                                {"EMFILE", EMFILE, FileCall::create | FileCall::open, true}};
  operation.prepare();
  const Bytes expected = operation.run();
  for (const Kind& kind : kinds) {
    for (std::size_t at = 1;; ++at) {
      const Ending ending =
          ending_of<FailingFiles>(operation, expected, FileFault{kind.calls, at, kind.error, kind.lasting});
      CAPTURE(operation.name, kind.name, at, ending.call, ending.error);
      REQUIRE(ending.kind != Ending::Kind::no_memory);
      const bool failed = ending.kind == Ending::Kind::refused;
      if (failed) {
        REQUIRE(ending.error.find('\n') == std::string::npos);
        REQUIRE(ending.error.find(std::strerror(kind.error)) != std::string::npos);
      } else {
        REQUIRE(ending.as_expected);
      }
      REQUIRE(ending.allocations_left == 0);
      REQUIRE_FALSE(ending.descriptors_left);
      check(failed);
      if (!ending.reached) break;
    }
  }
}

/// Interrupts every call, and shortens every read and write, first one by one and then all: nothing must change.
void disturb_files(const Operation& operation, const std::function<void()>& check) {
  operation.prepare();
  const Bytes expected = operation.run();
  struct Kind {
    const char* name;
    int error;
    FileCalls calls;
    bool lasting;
  };
  constexpr FileCalls transfers = FileCall::read | FileCall::write;
  constexpr FileCalls interruptible =
      transfers | FileCall::open | FileCall::create | FileCall::sync | FileCall::close;
  for (const Kind& kind : {Kind{"EINTR", EINTR, interruptible, false}, Kind{"one byte", 0, transfers, false},
                           Kind{"always one byte", 0, transfers, true}}) {
    for (std::size_t at = 1;; ++at) {
      const Ending ending =
          ending_of<FailingFiles>(operation, expected, FileFault{kind.calls, at, kind.error, kind.lasting});
      CAPTURE(operation.name, kind.name, at, ending.call, ending.error);
      REQUIRE(ending.as_expected);
      REQUIRE_FALSE(ending.descriptors_left);
      check();
      if (!ending.reached || kind.lasting) break;
    }
  }
}

/// All of it for what writes a file: over an older one, in a folder where nothing else may appear.
void require_safe_writing(const std::string& name, const std::string& file,
                          const std::function<void(const std::filesystem::path&)>& write_old,
                          const std::function<void(const std::filesystem::path&)>& write) {
  const TemporaryFolder folder;
  const auto path = folder / file;
  write_old(path);
  const Bytes old = read_file(path);
  write(path);
  const Bytes written = read_file(path);
  REQUIRE(old != written);
  const std::set<std::string> names = folder.names();
  REQUIRE(names.size() == 1);
  const Operation operation{name,
                            [&] {
                              write(path);
                              return Bytes();
                            },
                            [&] { write_file(path, old); }};
  const auto check = [&](bool failed) {
    REQUIRE(folder.names() == names);
    const Bytes now = read_file(path);
    // After an error the old file is there, or, where the folder alone could not be flushed, the whole new one.
    REQUIRE((now == written || (failed && now == old)));
  };
  fail_allocations(operation, check);
  fail_files(operation, check);
  disturb_files(operation, [&] { check(false); });

  // The same where there was no file before: there is none after an error, either.
  const Operation first{name + ", first time", operation.run, [&] { std::filesystem::remove(path); }};
  const auto check_first = [&](bool failed) {
    if (failed && folder.names().empty()) return;
    check(false);
  };
  fail_allocations(first, check_first);
  fail_files(first, check_first);
}

void require_safe_reading(const std::string& name, const std::function<Bytes()>& read) {
  const Operation operation{name, read};
  fail_allocations(operation, [](bool) {});
  fail_files(operation, [](bool) {});
  disturb_files(operation, [] {});
}

Network<float> network_of(std::uint64_t seed) {
  Rng rng(seed);
  Network<float> network = test::random_network<float>(
      {{6, 5, 10}, {Activation::relu, Activation::softmax}, LossFunction::softmax_cross_entropy}, rng);
  network.metadata["note"] = "a text that is too long for the room within a string";
  return network;
}

IdxArray array_of(std::size_t count) {
  Vector<std::int32_t> values = Vector<std::int32_t>::from_shape({count * 2});
  for (std::size_t i = 0; i < values.size(); ++i) values(i) = static_cast<std::int32_t>(i * i * 977);
  return {{count, 2}, values};
}

std::vector<Drawing> drawings_of(double shift) {
  Drawing one;
  one.strokes = {{{1 + shift, 2}, {3, 4.25}, {5, 6}}, {{7, 8}}};
  one.width = one.height = 28;
  one.label = std::uint8_t{7};
  Drawing other;
  other.strokes = {{{0.1, 0.2}, {0.3 + shift, 0.4}}};
  return {one, other, one};
}

Bytes bytes_of_drawings(const std::vector<Drawing>& drawings) {
  Bytes bytes;
  for (const Drawing& drawing : drawings) {
    bytes.push_back(drawing.label.value_or(255));
    for (const Stroke& stroke : drawing.strokes) {
      for (const Point& point : stroke) {
        for (const double number : {point.x, point.y}) {
          bytes.push_back(static_cast<std::uint8_t>(static_cast<int>(number * 100)));
        }
      }
    }
  }
  return bytes;
}

Bytes bytes_of_array(const IdxArray& array) {
  const auto& values = std::get<Vector<std::int32_t>>(array.values);
  Bytes bytes(values.size() * sizeof(std::int32_t));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("faults: save_network", "[faults]") {
  if (!test::faults_are_possible()) return;
  const Network<float> old = network_of(1);
  const Network<float> network = network_of(2);
  const Precision precision = GENERATE(Precision::full, Precision::half);
  require_safe_writing(
      "save_network", "model.safetensors",
      [&](const auto& path) {
        save_network(old, path, precision);
        CHECK(load_network<float>(path).metadata.at("note") == old.metadata.at("note"));
      },
      [&](const auto& path) { save_network(network, path, precision); });
}

TEST_CASE("faults: write_idx", "[faults]") {
  if (!test::faults_are_possible()) return;
  const IdxArray old = array_of(3);
  const IdxArray array = array_of(50);
  for (const char* name : {"data-idx2-int", "data-idx2-int.gz"}) {
    require_safe_writing(
        "write_idx", name, [&](const auto& path) { write_idx(path, old); },
        [&](const auto& path) { write_idx(path, array); });
  }
}

TEST_CASE("faults: write_drawings", "[faults]") {
  if (!test::faults_are_possible()) return;
  const std::vector<Drawing> old = drawings_of(0);
  const std::vector<Drawing> drawings = drawings_of(0.5);
  for (const char* name : {"digits.jsonl", "digits.jsonl.gz"}) {
    require_safe_writing(
        "write_drawings", name, [&](const auto& path) { write_drawings(path, old); },
        [&](const auto& path) { write_drawings(path, drawings); });
  }
}

TEST_CASE("faults: load_network", "[faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  save_network(network_of(3), path);
  require_safe_reading("load_network", [&] {
    const Network<float> network = load_network<float>(path);
    return network_to_bytes(network);
  });
}

TEST_CASE("faults: a model that is refused is refused for the same reason", "[faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder;
  Bytes spoilt = network_to_bytes(network_of(3));
  spoilt.back() ^= 1;
  const auto path = write_file(folder / "model.safetensors", spoilt);
  const auto deep = write_file(folder / "deep.safetensors", [] {
    std::string header = R"({"a":[1,2,[3,{"b":[4,5],"b":6}]]})";
    header.resize(40, ' ');
    return std::string("\x28\0\0\0\0\0\0\0", 8) + header;
  }());
  for (const auto& refused : {path, deep}) {
    require_safe_reading("load_network", [&]() -> Bytes {
      try {
        load_network<float>(refused);
      } catch (const FormatError& error) {
        return test::bytes_of(error.what());
      }
      return {};
    });
  }
}

TEST_CASE("faults: read_idx", "[faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder;
  for (const char* name : {"data", "data.gz"}) {
    const auto path = folder / name;
    write_idx(path, array_of(50));
    require_safe_reading("read_idx", [&] { return bytes_of_array(read_idx(path)); });
  }
}

TEST_CASE("faults: read_drawings", "[faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder;
  for (const char* name : {"digits.jsonl", "digits.jsonl.gz"}) {
    const auto path = folder / name;
    write_drawings(path, drawings_of(0.25));
    require_safe_reading("read_drawings", [&] { return bytes_of_drawings(read_drawings(path)); });
  }
}

TEST_CASE("faults: read_picture", "[faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder;
  Picture picture = test::painted(test::figure(), true);
  const auto grey = write_file(folder / "grey.png", test::png(picture));
  const auto pgm = write_file(folder / "grey.pgm", test::pgm(picture.width, picture.height, picture.pixels));
  for (const auto& path :
       {grey, pgm, test::images_folder / "0-alpha-only.png", test::images_folder / "1-pencil-on-grey-paper.jpg",
        test::images_folder / "4-black-on-white.jpg", test::images_folder / "5-blue-on-white-low.png"}) {
    require_safe_reading("read_picture " + path.filename().string(), [&] { return read_picture(path).pixels; });
  }
}

TEST_CASE("faults: a recognizer", "[faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder;
  Network<float> network = network_of(4);
  Calibration calibration;
  calibration.fitted_on = "a text that is too long for the room within a string";
  set_calibration(network, calibration);
  const auto path = folder / "model.safetensors";
  save_network(network, path);
  require_safe_reading("calibration_of",
                       [&] { return test::bytes_of(to_json(calibration_of(load_network<float>(path)))); });
}

TEST_CASE("faults: what is linked is replaced even where the link is hard to read", "[faults]") {
  if (!test::faults_are_possible()) return;
  const TemporaryFolder folder;
  const auto target = write_file(folder / "target", "old");
  std::filesystem::create_symlink("target", folder / "link");
  for (std::size_t at = 1;; ++at) {
    CAPTURE(at);
    write_file(target, "old");
    bool failed = false;
    bool reached = false;
    {
      const FailingFiles fault({FileCalls(FileCall::look), at, EIO});
      try {
        detail::FileWriter writer("save", folder / "link");
        writer.write(test::bytes_of("new"));
        writer.commit();
      } catch (const IoError&) {
        failed = true;
      }
      reached = fault.has_failed();
    }
    REQUIRE(std::filesystem::is_symlink(folder / "link"));
    REQUIRE(read_file(target) == test::bytes_of(failed ? "old" : "new"));
    REQUIRE(folder.names() == std::set<std::string>{"link", "target"});
    if (!reached) break;
  }
}

TEST_CASE("faults: of names for the temporary file that are taken, others are tried", "[faults]") {
  const TemporaryFolder folder;
  for (int i = 1; i <= 900; ++i) write_file(folder / detail::text(".model.", ::getpid(), "-", i, ".tmp"), "killed");
  for (int i = 0; i < 3; ++i) {
    detail::FileWriter writer("save", folder / "model");
    writer.write(test::bytes_of("new"));
    writer.commit();
  }
  CHECK(read_file(folder / "model") == test::bytes_of("new"));
  CHECK(folder.names().size() == 901);
}

TEST_CASE("faults: links in a circle are refused", "[faults][error]") {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("b", folder / "a");
  std::filesystem::create_symlink("a", folder / "b");
  CHECK_ERROR(detail::FileWriter("save", folder / "a"), IoError, std::strerror(ELOOP));
  CHECK(folder.names() == std::set<std::string>{"a", "b"});
}
