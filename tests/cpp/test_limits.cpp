// Every limit of docs/limits.md that a file can reach: what is on it is read, one more is refused.
#include "byte_source.hpp"
#include "bytes.hpp"
#include "catch.hpp"
#include "checkpoint.hpp"
#include "event_log.hpp"
#include "model_file.hpp"
#include "pictures.hpp"
#include "run_config.hpp"
#include "safetensors.hpp"
#include "small_networks.hpp"
#include "strict_json.hpp"
#include "temporary_folder.hpp"

#include <digitnet/dataset.hpp>
#include <digitnet/drawing.hpp>
#include <digitnet/idx.hpp>
#include <digitnet/picture.hpp>
#include <digitnet/preprocess.hpp>
#include <digitnet/run.hpp>
#include <digitnet/serialization.hpp>

#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>

using namespace digitnet;
using test::Bytes;
using test::bytes_of;
using test::gzip;
using test::joined;
using test::ModelFile;
using test::TemporaryFolder;
using test::write_file;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

std::string repeated(std::string_view part, std::size_t times) {
  std::string all;
  all.reserve(part.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += part;
  return all;
}

/// A network of one layer and one output, as wide or with as many layers as wanted.
Architecture chain(std::size_t layers, std::size_t inputs = 1) {
  Architecture architecture{{inputs}, {}, LossFunction::sum_of_squares};
  architecture.sizes.resize(layers + 1, 1);
  architecture.activations.assign(layers, Activation::identity);
  return architecture;
}

/// small_model with spaces in its header until that has so many bytes.
Bytes with_header_of(std::size_t size) {
  const ModelFile file = test::small_model();
  std::string header = file.header();
  header.append(size - header.size(), ' ');
  return file.with_header(header);
}

/// Appends spaces to a file until it has so many bytes.
void pad(const std::filesystem::path& path, std::size_t size) {
  const auto length = static_cast<std::size_t>(std::filesystem::file_size(path));
  REQUIRE(length <= size);
  std::ofstream(path, std::ios::binary | std::ios::app) << std::string(size - length, ' ');
}

/// A run of one epoch, ended.
class SmallRun {
 public:
  explicit SmallRun(const std::filesystem::path& folder, const std::string& source = "") : folder_(folder) {
    Network<float> network({2, 2}, Activation::relu, rng_);
    Sgd<float> optimizer(0.1);
    TrainingOptions options;
    options.epochs = 1;
    options.threads = 1;
    train_run(folder, network, data_, {}, optimizer, options, 1, {.source = source});
  }
  void resume() const { resume_run<float>(folder_, data_, {}, {.threads = 1}); }

 private:
  std::filesystem::path folder_;
  Rng rng_{1};
  Dataset data_ = test::random_data(4, 2, 2, rng_);
};

}  // namespace

TEST_CASE("limits: dimensions of an IDX file, 1 to 4", "[limits]") {
  CHECK(read_idx_bytes(Bytes{0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7}).shape.size() == 4);
  CHECK_ERROR(read_idx_bytes(Bytes{0, 0, 8, 5, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7}),
              FormatError, "01 to 04 dimensions");
  CHECK_ERROR(read_idx_bytes(Bytes{0, 0, 8, 0, 7, 7, 7, 7, 7}), FormatError, "01 to 04 dimensions");
}

TEST_CASE("limits: bytes that an IDX file may claim, 2^62", "[limits]") {
  const auto claim = [](std::uint8_t type, std::uint8_t last) {  // 2^31 x 2^31 x last
    return Bytes{0, 0, type, 3, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, last};
  };
  CHECK_ERROR(read_idx_bytes(claim(0x08, 1)), FormatError, "0 bytes of data, expected 4611686018427387904");
  CHECK_ERROR(read_idx_bytes(claim(0x08, 2)), FormatError, "are more than any file can hold");
  CHECK_ERROR(read_idx_bytes(claim(0x0B, 1)), FormatError, "are more than any file can hold");
}

TEST_CASE("limits: how much gzip may unpack, 64 MiB, and 200 times beyond", "[limits]") {
  CHECK_FALSE(detail::is_bomb(detail::always_unpacked, 1));
  CHECK(detail::is_bomb(detail::always_unpacked + 200, 1));
  CHECK_FALSE(detail::is_bomb(200 * mebibyte, mebibyte));
  CHECK(detail::is_bomb(200 * mebibyte + 200, mebibyte));
  const Bytes zeros(mebibyte, 0);
  const auto packed = [&](std::size_t numbers) {  // and eight bytes of a header
    Bytes header{0, 0, 8, 1};
    for (const int shift : {24, 16, 8, 0}) header.push_back(static_cast<std::uint8_t>(numbers >> shift));
    return joined({gzip(header), gzip(zeros, numbers / mebibyte), gzip(Bytes(numbers % mebibyte, 0))});
  };
  CHECK(read_idx_bytes(packed(64 * mebibyte - 8)).shape == std::vector<std::size_t>{64 * mebibyte - 8});
  CHECK_ERROR(read_idx_bytes(packed(64 * mebibyte - 7)), FormatError, "is it a gzip bomb?");
  // Enough that does not pack, in a member behind, makes the same claim one that can be kept; here it is not.
  Bytes noise(mebibyte);
  Rng rng(1);
  for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(rng.below(256));
  CHECK_ERROR(read_idx_bytes(joined({packed(65 * mebibyte), gzip(noise)})), FormatError,
              "something else follows the data");
}

TEST_CASE("limits: classes of a data set, 2 to 256", "[limits]") {
  const TemporaryFolder folder;
  const auto images = write_file(folder / "images", Bytes{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9});
  const auto labels = write_file(folder / "labels", Bytes{0, 0, 8, 1, 0, 0, 0, 1, 255});
  CHECK(load_dataset(images, labels, 256).size() == 1);
  CHECK_ERROR(load_dataset(images, labels, 255), FormatError, "label 255");
  CHECK_ERROR(load_dataset(images, labels, 257), ArgumentError, "257 classes, expected 2 to 256");
  CHECK_ERROR(load_dataset(images, labels, 1), ArgumentError, "1 classes, expected 2 to 256");
}

TEST_CASE("limits: header of a model file, 1 MiB", "[limits]") {
  CHECK(network_from_bytes<float>(with_header_of(detail::largest_header)).inputs() == 2);
  CHECK_ERROR(network_from_bytes<float>(with_header_of(detail::largest_header + 1)), FormatError,
              "byte 0: a header of 1048577 bytes, expected at most 1048576");
}

TEST_CASE("limits: header of a model that is saved, 1 MiB", "[limits]") {
  Network<float> network(chain(1));
  const std::size_t bare = network_to_bytes(network).size();
  const auto header_is = [&](std::size_t note) {
    network.metadata["note"] = std::string(note, 'x');
    std::uint64_t header = 0;
    const Bytes bytes = network_to_bytes(network);
    std::memcpy(&header, bytes.data(), sizeof(header));
    return header;
  };
  const auto fits = [&](std::size_t note) {
    try {
      return header_is(note) <= detail::largest_header;
    } catch (const ArgumentError&) {
      return false;
    }
  };
  std::size_t note = detail::largest_header - bare - 64;
  REQUIRE(fits(note));
  while (fits(note + 1)) ++note;
  CHECK(header_is(note) == detail::largest_header);
  CHECK_ERROR(header_is(note + 1), ArgumentError,
              "metadata makes a header of 1048584 bytes, expected at most 1048576");
}

TEST_CASE("limits: size of a model file, 2^36, and a large one is looked at before it is read", "[limits]") {
  const TemporaryFolder folder;
  const auto sparse = [&](const Bytes& beginning, std::uint64_t size) {
    auto path = write_file(folder / "model", beginning);
    std::filesystem::resize_file(path, size);  // a hole, which takes no place on the disk
    return path;
  };
  const Bytes model = test::small_model().bytes();
  CHECK_ERROR(load_network<float>(sparse(model, detail::largest_tensor_file + 1)), FormatError,
              "68719476737 bytes, expected at most 68719476736");
  CHECK_ERROR(load_network<float>(sparse(model, detail::largest_tensor_file)), FormatError,
              "bytes, expected 68, where the last tensor ends");
  CHECK_ERROR(load_network<float>(sparse(Bytes(8, 0), std::uint64_t{1} << 35)), FormatError,
              "header: does not begin with {");
  CHECK_ERROR(load_network<float>(sparse(bytes_of("PK\x03\x04 and more"), std::uint64_t{1} << 35)), FormatError,
              "the file has 34359738368; it looks like a zip archive");
  // One that is large and whole.
  const Architecture wide{{detail::large_file / 4 / 16, 16}, {Activation::identity}, LossFunction::sum_of_squares};
  save_network(Network<float>(wide), folder / "large");
  REQUIRE(std::filesystem::file_size(folder / "large") > detail::large_file);
  CHECK(load_network<float>(folder / "large").inputs() == wide.sizes[0]);
}

TEST_CASE("limits: layers of a network, 256", "[limits]") {
  const Bytes most = network_to_bytes(Network<float>(chain(most_layers)));
  CHECK(network_from_bytes<float>(most).layers().size() == most_layers);
  CHECK_ERROR(Network<float>(chain(most_layers + 1)), ArgumentError, "258 sizes, expected 2 to 257");
  ModelFile file = test::small_model();
  file.metadata["architecture"] = R"({"loss":"huber","activations":[)" + repeated("\"relu\",", most_layers) +
                                  R"("relu"],"sizes":[)" + repeated("1,", most_layers + 1) + "1]}";
  CHECK_ERROR(network_from_bytes<float>(file.bytes()), FormatError, "258 sizes, expected 2 to 257");
}

TEST_CASE("limits: units of a layer, 2^20", "[limits]") {
  const Bytes most = network_to_bytes(Network<float>(chain(1, most_units)));
  CHECK(network_from_bytes<float>(most).inputs() == most_units);
  CHECK_ERROR(Network<float>(chain(1, most_units + 1)), ArgumentError, "of size 1048577, expected 1 to 1048576");
  ModelFile file = test::small_model();
  file.metadata["architecture"] = R"({"loss":"huber","activations":["relu"],"sizes":[1048577,1]})";
  CHECK_ERROR(network_from_bytes<float>(file.bytes()), FormatError, "of size 1048577, expected 1 to 1048576");
}

TEST_CASE("limits: outputs of a network, 256", "[limits]") {
  Architecture architecture = chain(1);
  architecture.sizes[1] = 256;
  CHECK(network_from_bytes<float>(network_to_bytes(Network<float>(architecture))).outputs() == 256);
  architecture.sizes[1] = 257;
  CHECK_ERROR(Network<float>(architecture), ArgumentError, "257 outputs, expected at most 256");
}

TEST_CASE("limits: depth of JSON, 64", "[limits]") {
  const auto nested = [](std::size_t depth) { return repeated("[", depth) + repeated("]", depth); };
  CHECK_NOTHROW(detail::parse_json("f: ", nested(detail::deepest_json)));
  CHECK_ERROR(detail::parse_json("f: ", nested(detail::deepest_json + 1)), FormatError,
              "nested deeper than 64 levels");
  const TemporaryFolder folder;
  const auto drawing = [&](std::size_t depth) {  // the object is the first level
    return write_file(folder / "drawing", R"({"strokes": [], "x": )" + nested(depth - 1) + "}");
  };
  CHECK(read_drawings(drawing(detail::deepest_json)).size() == 1);
  CHECK_ERROR(read_drawings(drawing(detail::deepest_json + 1)), FormatError, "nested deeper than 64 levels");
}

TEST_CASE("limits: points of a drawing in a file, a million", "[limits]") {
  const TemporaryFolder folder;
  const auto file = [&](std::size_t points) {
    return write_file(folder / "drawing", "[[" + repeated("[1,2],", points - 1) + "[3,4]]]");
  };
  CHECK(read_drawings(file(most_drawing_points)).front().strokes.front().size() == most_drawing_points);
  CHECK_ERROR(read_drawings(file(most_drawing_points + 1)), FormatError, "a drawing of more than 1000000 points");
}

TEST_CASE("limits: strokes of a drawing in a file, 100,000", "[limits]") {
  const TemporaryFolder folder;
  const auto file = [&](std::size_t strokes) {
    return write_file(folder / "drawing", R"({"strokes":[)" + repeated("[],", strokes - 1) + "[]]}");
  };
  CHECK(read_drawings(file(most_drawing_strokes)).front().strokes.size() == most_drawing_strokes);
  CHECK_ERROR(read_drawings(file(most_drawing_strokes + 1)), FormatError, "a drawing of more than 100000 strokes");
}

TEST_CASE("limits: coordinates, 1e9, and labels, 255", "[limits]") {
  const TemporaryFolder folder;
  const auto read = [&](const char* text) { return read_drawings(write_file(folder / "drawing", text)); };
  CHECK(read("[[[1e9,-1e9]]]").front().strokes.front().front() == Point{1e9, -1e9});
  CHECK_ERROR(read("[[[1000000000.0000002,0]]]"), FormatError, "expected a number within 1e+09 of 0");
  CHECK(read(R"({"strokes":[],"width":1e9,"label":255})").front().label == 255);
  CHECK_ERROR(read(R"({"strokes":[],"width":1000000000.0000002})"), FormatError, "\"width\" is 1e+09");
  CHECK_ERROR(read(R"({"strokes":[],"label":256})"), FormatError, "\"label\" is 256");
}

TEST_CASE("limits: drawings of a file, a million, as lines and as one list", "[limits]") {
  const TemporaryFolder folder;
  constexpr std::size_t most = 1'000'000;
  CHECK(read_drawings(write_file(folder / "lines", repeated("[]\n", most))).size() == most);
  CHECK_ERROR(read_drawings(write_file(folder / "lines", repeated("[]\n", most + 1))), FormatError,
              "line 1000001: more than 1000000 drawings so far");
  const auto list = [&](std::size_t drawings) {
    return write_file(folder / "list", "[" + repeated(R"({"strokes":[]},)", drawings - 1) + R"({"strokes":[]}])");
  };
  CHECK(read_drawings(list(most)).size() == most);
  CHECK_ERROR(read_drawings(list(most + 1)), FormatError, "more than 1000000 drawings so far");
}

TEST_CASE("limits: points of a file, 2^26, of which a stroke counts as 16", "[limits]") {
  const TemporaryFolder folder;
  constexpr std::size_t strokes = (std::size_t{1} << 26) / 16;
  constexpr std::size_t lines = strokes / 65536;
  const std::string line = "[" + repeated("[],", 65535) + "[]]\n";
  std::string content = repeated(line, lines);
  CHECK(read_drawings(write_file(folder / "file", content)).size() == lines);
  content += "[[]]\n";
  CHECK_ERROR(read_drawings(write_file(folder / "file", content)), FormatError,
              detail::text("line ", lines + 1, ": more than 67108864 points so far"));
}

TEST_CASE("limits: text of a drawing, 64 MiB", "[limits]") {
  const TemporaryFolder folder;
  const auto file = [&](std::size_t size) {
    return write_file(folder / "file", "[[[1,2]]" + std::string(size - 9, ' ') + "]");
  };
  CHECK(read_drawings(file(64 * mebibyte)).size() == 1);
  CHECK_ERROR(read_drawings(file(64 * mebibyte + 1)), FormatError, "a line or drawing of more than 67108864 bytes");
}

TEST_CASE("limits: pen of a drawing, 0.5 to 8 pixels", "[limits]") {
  Drawing drawing;
  drawing.strokes = {{{0, 0}, {1, 1}}};
  CHECK_NOTHROW(to_mnist_image(drawing, 0.5));
  CHECK_NOTHROW(to_mnist_image(drawing, 8));
  CHECK_ERROR(to_mnist_image(drawing, 0.49), ArgumentError, "expected 0.5 to 8");
  CHECK_ERROR(to_mnist_image(drawing, 8.01), ArgumentError, "expected 0.5 to 8");
}

TEST_CASE("limits: strokes that are cut into digits, 200", "[limits]") {
  Drawing drawing;
  for (std::size_t i = 0; i < most_segment_strokes; ++i) {
    drawing.strokes.push_back({{10.0 * static_cast<double>(i), 0}, {10.0 * static_cast<double>(i), 10}});
  }
  CHECK(segment_digits(drawing).size() == most_segment_strokes);
  drawing.strokes.push_back({{-10, 0}});
  CHECK_ERROR(segment_digits(drawing), ArgumentError, "201 strokes, expected at most 200");
}

TEST_CASE("limits: size of a picture file, 64 MiB", "[limits]") {
  Bytes bytes = test::pgm(1, 1, {7});
  bytes.resize(64 * mebibyte);
  CHECK(read_picture(bytes).pixels == Bytes{7});
  bytes.push_back(0);
  CHECK_ERROR(read_picture(bytes), FormatError, "67108865 bytes, expected at most 67108864");
  const TemporaryFolder folder;
  const auto path = write_file(folder / "picture", test::pgm(1, 1, {7}));
  std::filesystem::resize_file(path, 64 * mebibyte + 1);
  CHECK_ERROR(read_picture(path), FormatError, "67108865 bytes, expected at most 67108864");
}

TEST_CASE("limits: sides of a picture, 10,000", "[limits]") {
  CHECK(read_picture(test::pgm(largest_picture_side, 1, Bytes(largest_picture_side))).width == largest_picture_side);
  CHECK(read_picture(test::pgm(1, largest_picture_side, Bytes(largest_picture_side))).height == largest_picture_side);
  CHECK_ERROR(read_picture(test::pgm(largest_picture_side + 1, 1, Bytes(largest_picture_side + 1))), FormatError,
              "a picture of 10001 x 1 pixels, expected sides of 1 to 10000");
  CHECK_ERROR(read_picture(test::pgm(1, largest_picture_side + 1, Bytes(largest_picture_side + 1))), FormatError,
              "a picture of 1 x 10001 pixels, expected sides of 1 to 10000");
}

TEST_CASE("limits: pixels of a picture, 2^26", "[limits]") {
  CHECK(read_picture(test::png({8192, 8192, 1, Bytes(64 * mebibyte)})).pixels.size() == 64 * mebibyte);
  CHECK_ERROR(read_picture(joined({test::png_header(8192, 8193, 1), test::png_chunk("IEND", {})})), FormatError,
              "a picture of 8192 x 8193 pixels, expected sides of 1 to 10000 and at most 67108864 in all");
}

TEST_CASE("limits: largest value of a PGM, 65535", "[limits]") {
  CHECK(read_picture(joined({bytes_of("P5\n1 1\n65535\n"), {255, 255}})).pixels == Bytes{255});
  CHECK_ERROR(read_picture(joined({bytes_of("P5\n1 1\n65536\n"), {255, 255}})), FormatError,
              "a largest value of 65536, expected 1 to 65535");
}

TEST_CASE("limits: bytes behind the pixels of a PNG, 64 KiB where there could be many", "[limits]") {
  // Stored blocks of deflate without a byte: 200 kB that could be 200 MB, so that what they are is counted.
  const auto picture = [](std::size_t bytes) {  // of which two are the only pixel
    Bytes packed{0x78, 0x01};
    for (int i = 0; i < 40000; ++i) packed.insert(packed.end(), {0, 0, 0, 0xff, 0xff});
    const Bytes zeros(bytes, 0);
    for (std::size_t begin = 0; begin < bytes; begin += 65535) {
      const std::size_t count = std::min<std::size_t>(bytes - begin, 65535);
      const auto low = static_cast<std::uint8_t>(count);
      const auto high = static_cast<std::uint8_t>(count >> 8);
      packed.insert(packed.end(), {static_cast<std::uint8_t>(begin + count == bytes), low, high,
                                   static_cast<std::uint8_t>(~low), static_cast<std::uint8_t>(~high)});
      packed.insert(packed.end(), count, 0);
    }
    const Bytes sum = test::big_endian(adler32(1, zeros.data(), static_cast<uInt>(zeros.size())));
    packed.insert(packed.end(), sum.begin(), sum.end());
    return joined({test::png_header(1, 1, 1), test::png_chunk("IDAT", packed), test::png_chunk("IEND", {})});
  };
  CHECK(read_picture(picture(2 + 65536)).pixels == Bytes{0});
  CHECK_ERROR(read_picture(picture(2 + 65537)), FormatError, "more than the 2 bytes of 1 x 1 pixels are packed");
}

TEST_CASE("limits: pixels that the bytes of a JPEG or a PNG can be", "[limits]") {
  // 1032 bytes for a packed one: 1 x 10000 pixels of 8 bits in grey are 20000 bytes with their filters.
  const auto claim = [](std::size_t packed) {
    return joined(
        {test::png_header(1, 10000, 1), test::png_chunk("IDAT", Bytes(packed)), test::png_chunk("IEND", {})});
  };
  CHECK_ERROR(read_picture(claim(18)), FormatError, "claims 1 x 10000 pixels in 18 packed bytes, which cannot be");
  CHECK_ERROR(read_picture(claim(19)), FormatError, "damaged (");
}

TEST_CASE("limits: config.json of a run, 16 MiB", "[limits]") {
  const TemporaryFolder folder;
  const SmallRun run(folder / "run");
  const auto path = folder / "run" / "config.json";
  const std::size_t size = std::filesystem::file_size(path);
  pad(path, 16 * mebibyte);
  CHECK_NOTHROW(run.resume());
  pad(path, 16 * mebibyte + 1);
  CHECK_ERROR(run.resume(), FormatError, "config.json: 16777217 bytes, expected at most 16777216");
  // Nothing larger is written: with a source in place of null.
  const auto source = [&](std::size_t total) {
    return "[\"" + std::string(total - size + std::strlen("null") - std::strlen("[\"\"]"), 'x') + "\"]";
  };
  CHECK_NOTHROW(SmallRun(folder / "large", source(16 * mebibyte)).resume());
  CHECK(std::filesystem::file_size(folder / "large" / "config.json") == 16 * mebibyte);
  CHECK_ERROR(SmallRun(folder / "larger", source(16 * mebibyte + 1)), ArgumentError,
              "config.json would have 16777217 bytes, expected at most 16777216");
  CHECK_FALSE(std::filesystem::exists(folder / "larger"));
}

TEST_CASE("limits: state.json of a checkpoint, 64 MiB", "[limits]") {
  const TemporaryFolder folder;
  const SmallRun run(folder / "run");
  const auto path = folder / "run" / "checkpoints" / "epoch-0001" / "state.json";
  pad(path, 64 * mebibyte);
  CHECK_NOTHROW(run.resume());
  pad(path, 64 * mebibyte + 1);
  CHECK_ERROR(run.resume(), FormatError, "state.json: 67108865 bytes, expected at most 67108864");
  TrainingState<float> state{.network = Network<float>(chain(1))};
  const std::size_t others = detail::state_to_text(state).size();
  const auto with = [&](std::size_t total) -> const TrainingState<float>& {  // numbers of 24 bytes with their commas
    const std::size_t rest = total - others + 1;
    state.sums.layer_gradient_norms.assign(rest / 24, 1.7976931348623157e308);
    for (std::size_t i = 0; i < rest % 24; ++i) state.sums.layer_gradient_norms[i] *= -1;
    return state;
  };
  CHECK_NOTHROW(detail::write_checkpoint(folder.path(), with(64 * mebibyte)));
  CHECK(std::filesystem::file_size(folder / "epoch-0000" / "state.json") == 64 * mebibyte);
  CHECK_ERROR(detail::write_checkpoint(folder.path(), with(64 * mebibyte + 1)), ArgumentError,
              "state.json would have 67108865 bytes, expected at most 67108864");
}

TEST_CASE("limits: arrays that a state.json may ask for, 4096", "[limits]") {
  TrainingState<float> state{.network = Network<float>(chain(1))};
  state.rng = state.augmentation = {1, 2, 3, 4};
  state.optimizer.resize(4096);
  CHECK_NOTHROW(detail::state_from_text("f: ", detail::state_to_text(state), state));
  CHECK(state.optimizer.size() == 4096);
  state.optimizer.resize(4097);
  CHECK_ERROR(detail::state_from_text("f: ", detail::state_to_text(state), state), FormatError,
              "f: \"arrays\": \"optimizer\" is 4097, expected at most 4096");
}

TEST_CASE("limits: a line of events.jsonl, 1 MiB, and its number, below 2^53", "[limits]") {
  const TemporaryFolder folder;
  const auto path = folder / "events.jsonl";
  const auto open = [&](const std::string& line) {
    write_file(path, line);
    detail::EventLog("f", path).write("message", {{"text", "next"}});
  };
  const std::string begin = R"({"seq":1,"a":")";
  const auto line_of = [&](std::size_t size) { return begin + std::string(size - begin.size() - 3, 'x') + "\"}\n"; };
  CHECK_NOTHROW(open(line_of(mebibyte)));
  CHECK_ERROR(open(line_of(mebibyte + 1)), FormatError,
              "last line: longer than 1048576 bytes, expected a JSON object");
  CHECK_ERROR(open("{\"seq\":1}\n" + line_of(5 * mebibyte)), FormatError, "longer than 1048576 bytes");
  CHECK_NOTHROW(open("{\"seq\":9007199254740991}\n"));
  CHECK_ERROR(open("{\"seq\":9007199254740992}\n"), FormatError,
              "\"seq\" is 9007199254740992, expected less than 2^53");
}

TEST_CASE("limits: the error that ends a run is told in 10,000 bytes", "[limits]") {
  const TemporaryFolder folder;
  Rng rng(1);
  Network<float> network({2, 2}, Activation::relu, rng);
  Sgd<float> optimizer(0.1);
  TrainingOptions options;
  options.threads = 1;
  options.on_batch = [](const BatchReport&) { throw std::runtime_error(std::string(2 * mebibyte, 'x')); };
  CHECK_THROWS_AS(train_run(folder / "run", network, test::random_data(4, 2, 2, rng), {}, optimizer, options, 1),
                  std::runtime_error);
  const std::vector<std::uint8_t> events = test::read_file(folder / "run" / "events.jsonl");
  CHECK(std::string(events.begin(), events.end()).find("\"error\":\"" + std::string(10000, 'x') + "\"}\n") !=
        std::string::npos);
}

TEST_CASE("limits: a config.json with settings that no training takes", "[limits]") {
  const TemporaryFolder folder;
  const SmallRun run(folder / "run");
  const auto path = folder / "run" / "config.json";
  const std::vector<std::uint8_t> bytes = test::read_file(path);
  const nlohmann::json whole = nlohmann::json::parse(bytes);
  const auto with = [&](const char* part, const char* key, std::uint64_t value) {
    nlohmann::json changed = whole;
    changed[part][key] = value;
    write_file(path, changed.dump());
  };
  const std::pair<const char*, const char*> settings[]{
      {"training", "epochs"}, {"training", "batch_size"}, {"run", "checkpoint_every"}};
  for (const auto& [part, key] : settings) {
    with(part, key, 0);
    CHECK_ERROR(run.resume(), FormatError, std::string(key) + " is 0, expected at least 1");
    with(part, key, 1);
    CHECK_NOTHROW(run.resume());
    with(part, key, std::numeric_limits<std::uint64_t>::max());
    CHECK_NOTHROW(run.resume());
  }
}
