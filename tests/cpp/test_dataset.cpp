// What dataset.hpp promises: samples that are shared and never copied, and files that are found.
#include "bytes.hpp"
#include "catch.hpp"
#include "environment.hpp"
#include "temporary_folder.hpp"

#include <digitnet/dataset.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

using namespace digitnet;
using test::EnvironmentVariable;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// `count` images of 2 x 3 pixels; the first pixel is the number of the sample, its label that modulo 10.
Dataset numbered(std::size_t count) {
  Images images = Images::from_shape({count, 2, 3});
  Labels labels = Labels::from_shape({count});
  for (std::size_t sample = 0; sample < count; ++sample) {
    for (std::size_t i = 0; i < 6; ++i) images(sample, i / 3, i % 3) = static_cast<std::uint8_t>(sample + i);
    labels(sample) = static_cast<std::uint8_t>(sample % 10);
  }
  return {std::move(images), std::move(labels)};
}

/// The numbers of the samples of a part of numbered().
std::vector<int> numbers_of(const Dataset& part) {
  std::vector<int> numbers;
  for (std::size_t sample = 0; sample < part.size(); ++sample) numbers.push_back(part.pixels(sample)[0]);
  return numbers;
}

IdxArray images_file(std::size_t count, std::uint8_t ink) {
  return {{count, 2, 2}, Vector<std::uint8_t>(Vector<std::uint8_t>::shape_type{count * 4}, ink)};
}

IdxArray labels_file(std::size_t count) {
  Vector<std::uint8_t> labels = Vector<std::uint8_t>::from_shape({count});
  for (std::size_t i = 0; i < count; ++i) labels(i) = static_cast<std::uint8_t>(i % 10);
  return {{count}, std::move(labels)};
}

/// The four files of a set like MNIST, three training and two test images of one brightness.
/// @param separator  '-' as in train-images-idx3-ubyte, '.' as in train-images.idx3-ubyte
void write_mnist(const fs::path& folder, std::uint8_t ink, char separator = '-', const std::string& ending = "") {
  fs::create_directories(folder);
  const auto name = [&](const std::string& stem, const std::string& kind) {
    return folder / (stem + separator + kind + ending);
  };
  write_idx(name("train-images", "idx3-ubyte"), images_file(3, ink));
  write_idx(name("train-labels", "idx1-ubyte"), labels_file(3));
  write_idx(name("t10k-images", "idx3-ubyte"), images_file(2, ink));
  write_idx(name("t10k-labels", "idx1-ubyte"), labels_file(2));
}

/// The brightness that write_mnist was given for the set that load_mnist finds.
int ink_found(const std::optional<fs::path>& directory = std::nullopt, const std::string& name = "mnist") {
  const Mnist mnist = load_mnist(directory, name);
  CHECK(mnist.train.size() == 3);
  CHECK(mnist.test.size() == 2);
  CHECK(mnist.train.pixels(0)[0] == mnist.test.pixels(0)[0]);
  return mnist.train.pixels(0)[0];
}

/// No data directory but those a test makes.
struct NoDataDirectories {
  EnvironmentVariable data{"DIGITNET_DATA_DIR", std::nullopt};
  EnvironmentVariable cache{"XDG_CACHE_HOME", std::nullopt};
  EnvironmentVariable home{"HOME", std::nullopt};
};

const fs::path sample_folder = fs::path(DIGITNET_TEST_DATA) / "mnist-sample";

}  // namespace

TEST_CASE("Dataset: images stay bytes, and are byte / 255 to a network", "[dataset]") {
  const Dataset data(Images{{{0, 51}, {102, 255}}, {{1, 2}, {3, 4}}}, Labels{7, 2});
  CHECK(data.size() == 2);
  CHECK_FALSE(data.empty());
  CHECK(data.rows() == 2);
  CHECK(data.columns() == 2);
  CHECK(data.inputs() == 4);
  CHECK(data.classes() == 10);
  CHECK(data.has_bytes());
  CHECK(data.label(0) == 7);
  CHECK((data.labels() == Labels{7, 2}));
  CHECK(data.pixels(1)[2] == 3);
  const Matrix<double> matrix = data.to_matrix<double>();
  CHECK(shape_text(matrix) == "(2, 4)");
  CHECK(matrix(0, 0) == 0.0);
  CHECK(matrix(0, 1) == 51 * (1.0 / 255));
  CHECK(matrix(0, 3) == 1.0);
  std::array<float, 4> sample{};
  data.copy_sample(0, std::span<float>(sample));
  CHECK(sample == std::array<float, 4>{0.0F, 51 * (1.0F / 255), 102 * (1.0F / 255), 1.0F});
}

TEST_CASE("Dataset: every byte gives a number from 0 to 1 that grows with it, full ink exactly 1", "[dataset]") {
  Images images = Images::from_shape({1, 1, 256});
  std::iota(images.begin(), images.end(), std::uint8_t{0});
  const Dataset data(std::move(images), Labels{0});
  const Matrix<float> matrix = data.to_matrix<float>();
  CHECK(matrix(0, 0) == 0.0F);
  CHECK(matrix(0, 255) == 1.0F);
  for (std::size_t i = 1; i < 256; ++i) REQUIRE(matrix(0, i) > matrix(0, i - 1));
}

TEST_CASE("Dataset: inputs that are no bytes are used as they are", "[dataset]") {
  const Dataset data(Matrix<float>{{0.5F, -1.25F, 1e30F}, {3, 0, -0.0F}}, Labels{1, 0}, 2);
  CHECK(data.size() == 2);
  CHECK(data.rows() == 1);
  CHECK(data.columns() == 3);
  CHECK(data.inputs() == 3);
  CHECK(data.classes() == 2);
  CHECK_FALSE(data.has_bytes());
  CHECK(data.numbers(0)[1] == -1.25F);
  CHECK((data.to_matrix<double>() == Matrix<double>{{0.5, -1.25, static_cast<double>(1e30F)}, {3, 0, 0}}));
}

TEST_CASE("Dataset: an empty one has no images of no pixels", "[dataset]") {
  const Dataset data;
  CHECK(data.empty());
  CHECK(data.size() == 0);
  CHECK(data.inputs() == 0);
  CHECK(data.labels().size() == 0);
  CHECK(shape_text(data.to_matrix<float>()) == "(0, 0)");
  CHECK(data.class_counts() == std::vector<std::size_t>(10, 0));
  CHECK(data.slice(0, 0).empty());
  CHECK(data.subset({}).empty());
}

TEST_CASE("Dataset: no images of 28 x 28 pixels are still images", "[dataset]") {
  const Dataset data(Images::from_shape({0, 28, 28}), Labels::from_shape({0}));
  CHECK(data.empty());
  CHECK(data.inputs() == 784);
  CHECK(data.has_bytes());
  CHECK(shape_text(data.to_matrix<float>()) == "(0, 784)");
  CHECK_FALSE(Dataset(zeros<float>({0, 3}), Labels::from_shape({0})).has_bytes());
}

TEST_CASE("Dataset: memory of somebody else is not copied and lives as long as it is used", "[dataset]") {
  auto pixels = std::make_shared<std::vector<std::uint8_t>>(std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6});
  auto numbers = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4});
  const std::weak_ptr<std::vector<std::uint8_t>> watched = pixels;
  {
    const Dataset part = [&] {
      const Dataset bytes(std::shared_ptr<const std::uint8_t>(pixels, pixels->data()), 3, 1, 2, Labels{0, 1, 2});
      CHECK(bytes.pixels(0).data() == pixels->data());
      CHECK(bytes.rows() == 1);
      CHECK(bytes.columns() == 2);
      CHECK(bytes.has_bytes());
      return bytes.slice(1, 2);
    }();
    pixels.reset();
    CHECK_FALSE(watched.expired());
    CHECK(part.pixels(0)[1] == 4);
  }
  CHECK(watched.expired());
  const Dataset floats(std::shared_ptr<const float>(numbers, numbers->data()), 2, 2, Labels{0, 1});
  CHECK(floats.numbers(1).data() == numbers->data() + 2);
  CHECK_FALSE(floats.has_bytes());
  CHECK(floats.inputs() == 2);
}

TEST_CASE("Dataset: as many labels as images, or both counts are told", "[dataset][error]") {
  CHECK_ERROR(Dataset(Images::from_shape({3, 1, 1}), Labels{0, 1}), ShapeError,
              "Dataset: 3 images and 2 labels, expected as many labels as images");
  CHECK_ERROR(Dataset(zeros<float>({2, 5}), Labels{0, 1, 2}), ShapeError, "Dataset: 2 images and 3 labels");
  const auto byte = std::make_shared<const std::uint8_t>(std::uint8_t{0});
  CHECK_ERROR(Dataset(byte, 1, 1, 1, Labels{}), ShapeError, "Dataset: 1 images and 0 labels");
  const auto number = std::make_shared<const float>(0.0F);
  CHECK_ERROR(Dataset(number, 1, 1, Labels{1, 1}), ShapeError, "Dataset: 1 images and 2 labels");
}

TEST_CASE("Dataset: a label out of range is told with its sample", "[dataset][error]") {
  const auto images = [] { return Images(Images::shape_type{2, 1, 1}, std::uint8_t{0}); };
  CHECK_ERROR(Dataset(images(), Labels{9, 10}), ArgumentError, "Dataset: label 10 of sample 1, expected 0 to 9");
  CHECK_ERROR(Dataset(images(), Labels{2, 1}, 2), ArgumentError, "Dataset: label 2 of sample 0, expected 0 to 1");
  CHECK_ERROR(Dataset(zeros<float>({1, 2}), Labels{255}), ArgumentError, "label 255 of sample 0, expected 0 to 9");
  const auto byte = std::make_shared<const std::uint8_t>(std::uint8_t{0});
  CHECK_ERROR(Dataset(byte, 1, 1, 1, Labels{10}), ArgumentError, "label 10 of sample 0");
  const auto number = std::make_shared<const float>(0.0F);
  CHECK_ERROR(Dataset(number, 1, 1, Labels{10}), ArgumentError, "label 10 of sample 0");
  CHECK_NOTHROW(Dataset(images(), Labels{255, 0}, 256));
}

TEST_CASE("Dataset: from 2 to 256 classes", "[dataset][error]") {
  for (const std::size_t classes : {0u, 1u, 257u}) {
    CHECK_ERROR(Dataset(Images(Images::shape_type{1, 1, 1}, std::uint8_t{0}), Labels{0}, classes), ArgumentError,
                detail::text("Dataset: ", classes, " classes, expected 2 to 256"));
  }
}

TEST_CASE("Dataset: inputs that are not finite are told with their sample", "[dataset][error]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK_ERROR(Dataset(Matrix<float>{{0, 1}, {2, nan}}, Labels{0, 1}), ArgumentError,
              "Dataset: sample 1 has the value nan, expected finite numbers");
  CHECK_ERROR(Dataset(Matrix<float>{{-infinity, 1}}, Labels{0}), ArgumentError,
              "Dataset: sample 0 has the value -inf, expected finite numbers");
  const auto number = std::make_shared<const float>(infinity);
  CHECK_ERROR(Dataset(number, 1, 1, Labels{0}), ArgumentError, "sample 0 has the value inf");
}

TEST_CASE("Dataset: copies share memory", "[dataset]") {
  const Dataset data = numbered(5);
  Dataset copy;
  copy = data;
  CHECK(copy.pixels(3).data() == data.pixels(3).data());
}

TEST_CASE("Dataset: slices of subsets of slices are where the samples always were", "[dataset]") {
  const Dataset data = numbered(30);
  const Dataset middle = data.slice(10, 25);
  CHECK(middle.size() == 15);
  CHECK(middle.pixels(0).data() == data.pixels(10).data());
  CHECK(middle.label(3) == 3);
  const Dataset inner = middle.slice(2, 12);  // 12 to 21
  CHECK(numbers_of(inner) == std::vector<int>{12, 13, 14, 15, 16, 17, 18, 19, 20, 21});
  const Dataset chosen = inner.subset({9, 0, 5, 5});  // 21, 12, 17, 17
  CHECK(numbers_of(chosen) == std::vector<int>{21, 12, 17, 17});
  CHECK((chosen.labels() == Labels{1, 2, 7, 7}));
  const Dataset last = chosen.slice(1, 4);
  CHECK(numbers_of(last) == std::vector<int>{12, 17, 17});
  CHECK(last.pixels(1).data() == data.pixels(17).data());
  const Dataset again = last.subset({2, 0});
  CHECK(numbers_of(again) == std::vector<int>{17, 12});
  CHECK(again.pixels(0).data() == data.pixels(17).data());
  CHECK(again.inputs() == 6);
  CHECK(shape_text(again.to_matrix<float>()) == "(2, 6)");
  CHECK(again.to_matrix<float>()(1, 0) == 12 * (1.0F / 255));
}

TEST_CASE("Dataset: slices of inputs that are no bytes share memory too", "[dataset]") {
  const Dataset data(Matrix<float>{{0, 1}, {2, 3}, {4, 5}}, Labels{0, 1, 2});
  CHECK(data.slice(1, 3).subset({1}).numbers(0).data() == data.numbers(2).data());
}

TEST_CASE("Dataset: parts outlive the whole", "[dataset]") {
  const Dataset part = numbered(20).subset({19, 3}).slice(0, 1);
  CHECK(numbers_of(part) == std::vector<int>{19});
}

TEST_CASE("Dataset: empty slices and subsets are empty and still images", "[dataset]") {
  const Dataset data = numbered(4);
  for (const Dataset& none : {data.slice(0, 0), data.slice(4, 4), data.subset({}), data.subset({1}).slice(1, 1)}) {
    CHECK(none.empty());
    CHECK(none.inputs() == 6);
    CHECK(none.has_bytes());
    CHECK(none.labels().size() == 0);
  }
}

TEST_CASE("Dataset::slice: a range outside is refused", "[dataset][error]") {
  const Dataset data = numbered(4);
  CHECK_ERROR(data.slice(0, 5), ArgumentError, "Dataset::slice: [0, 5), expected a range within [0, 4)");
  CHECK_ERROR(data.slice(3, 2), ArgumentError, "Dataset::slice: [3, 2)");
  CHECK_ERROR(data.subset({0, 1}).slice(1, 3), ArgumentError, "[1, 3), expected a range within [0, 2)");
}

TEST_CASE("Dataset::subset: a sample outside is refused", "[dataset][error]") {
  const Dataset data = numbered(4);
  CHECK_ERROR(data.subset({0, 4}), ArgumentError, "Dataset::subset: sample 4, expected less than 4");
  CHECK_ERROR(data.slice(1, 3).subset({2}), ArgumentError, "Dataset::subset: sample 2, expected less than 2");
}

TEST_CASE("Dataset::class_counts: how many there are of each class, of parts too", "[dataset]") {
  const Dataset data = numbered(25);
  CHECK(data.class_counts() == std::vector<std::size_t>{3, 3, 3, 3, 3, 2, 2, 2, 2, 2});
  CHECK(data.slice(0, 3).class_counts() == std::vector<std::size_t>{1, 1, 1, 0, 0, 0, 0, 0, 0, 0});
  CHECK(data.subset({4, 14, 24}).class_counts() == std::vector<std::size_t>{0, 0, 0, 0, 3, 0, 0, 0, 0, 0});
  CHECK(Dataset(zeros<float>({1, 1}), Labels{2}, 3).class_counts() == std::vector<std::size_t>{0, 0, 1});
}

TEST_CASE("split: two parts that have every sample once", "[dataset]") {
  const Dataset data = numbered(100);
  for (const std::size_t size : {0u, 1u, 60u, 100u}) {
    Rng rng(1);
    const auto [first, second] = split(data, size, rng);
    CHECK(first.size() == size);
    CHECK(second.size() == 100 - size);
    std::vector<int> all = numbers_of(first);
    const std::vector<int> rest = numbers_of(second);
    all.insert(all.end(), rest.begin(), rest.end());
    std::sort(all.begin(), all.end());
    std::vector<int> expected(100);
    std::iota(expected.begin(), expected.end(), 0);
    CHECK(all == expected);
  }
}

TEST_CASE("split: the parts are drawn by the generator, and share memory", "[dataset]") {
  const Dataset data = numbered(10);
  Rng rng(3);
  const auto [first, second] = split(data, 4, rng);
  CHECK(numbers_of(first) == std::vector<int>{7, 2, 1, 4});  // tests/support/random_reference.py: permutation of 10
  CHECK(numbers_of(second) == std::vector<int>{9, 3, 8, 6, 5, 0});
  CHECK(first.pixels(0).data() == data.pixels(7).data());
  Rng other(4);
  CHECK(numbers_of(split(data, 4, other).first) != numbers_of(first));
}

TEST_CASE("split: of a part stays within the part", "[dataset]") {
  Rng rng(1);
  const auto [first, second] = split(numbered(100).slice(50, 60), 5, rng);
  for (const int number : numbers_of(first)) CHECK((number >= 50 && number < 60));
  CHECK(second.size() == 5);
}

TEST_CASE("split: more samples than there are is refused", "[dataset][error]") {
  Rng rng(1);
  CHECK_ERROR(split(numbered(5), 6, rng), ArgumentError, "split: a first part of 6 samples, expected at most 5");
}

// From Python: hashlib.sha256(bytes(range(12)) + bytes([3, 1])).hexdigest(), and
//   hashlib.sha256(struct.pack('<4f', 0.5, -1.25, 3, 1e-3) + bytes([1, 0])).hexdigest()
TEST_CASE("fingerprint: SHA-256 of the samples in order, then of the labels", "[dataset]") {
  CHECK(fingerprint(Dataset(Images{{{0, 1, 2}, {3, 4, 5}}, {{6, 7, 8}, {9, 10, 11}}}, Labels{3, 1})) ==
        "64c0e9aabf395cbaf4b8a1a14d81f7bfb477b8a5e96422fbfd73112e5981a876");
  if constexpr (std::endian::native == std::endian::little) {
    CHECK(fingerprint(Dataset(Matrix<float>{{0.5F, -1.25F}, {3, 1e-3F}}, Labels{1, 0})) ==
          "6bbf4edf91cbc368680e0aad56ec5a10a0e1347e63e06e0ae9c74cee881c35cb");
  }
  CHECK(fingerprint(Dataset()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("fingerprint: tells order, content and labels, not how the set was made", "[dataset]") {
  const Dataset data = numbered(10);
  CHECK(fingerprint(data.subset({2, 3, 4})) == fingerprint(data.slice(2, 5)));
  CHECK(fingerprint(data.subset({3, 2, 4})) != fingerprint(data.slice(2, 5)));
  CHECK(fingerprint(Dataset(Images{{{1}}}, Labels{2})) != fingerprint(Dataset(Images{{{1}}}, Labels{3})));
}

TEST_CASE("Dataset::with_targets: soft labels go where their samples go", "[dataset]") {
  const Dataset data = numbered(6);
  Matrix<float> targets = zeros<float>({6, 10});
  for (std::size_t i = 0; i < 6; ++i) {
    targets(i, i) = 0.75F;
    targets(i, 9) = 0.25F;
  }
  const Dataset soft = data.with_targets(targets);
  CHECK(!data.has_targets());
  REQUIRE(soft.has_targets());
  CHECK(soft.pixels(0).data() == data.pixels(0).data());
  CHECK(soft.label(4) == 4);
  for (const Dataset& part : {soft.slice(2, 5), soft.subset({2, 3, 4}), soft.slice(1, 6).slice(1, 4)}) {
    REQUIRE(part.has_targets());
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(std::ranges::equal(part.target(i), row(targets, i + 2)));
      CHECK(part.pixels(i)[0] == i + 2);
    }
  }
  // Of parts, too: a slice shares the memory, samples that were picked are copied.
  Matrix<float> two = zeros<float>({2, 10});
  two(0, 3) = two(1, 7) = 1;
  const Dataset slice = data.slice(3, 5).with_targets(two);
  const Dataset picked = data.subset({5, 5}).with_targets(two);
  CHECK(slice.pixels(0).data() == data.pixels(3).data());
  CHECK(numbers_of(picked) == std::vector<int>{5, 5});
  CHECK(picked.label(1) == 5);
  for (const Dataset& part : {slice, picked}) {
    CHECK(part.target(0)[3] == 1);
    CHECK(part.slice(1, 2).target(0)[7] == 1);
  }
  const Dataset numbers(Matrix<float>{{1, 2}, {3, 4}, {5, 6}}, Labels{0, 1, 2}, 10);
  CHECK(numbers.subset({2, 0}).with_targets(two).numbers(0)[1] == 6);
}

TEST_CASE("Dataset::with_targets: rows are distributions, within rounding", "[dataset][error]") {
  const Dataset data(Images{{{1}}, {{2}}}, Labels{0, 1}, 2);
  const auto with = [&](const Matrix<float>& targets) { return data.with_targets(targets); };
  const Dataset rounded = with({{0.5F, 0.4995F}, {0.25F, 0.75F}});
  CHECK(rounded.target(0)[0] + rounded.target(0)[1] == 1);
  CHECK(fingerprint(with({{rounded.target(0)[0], rounded.target(0)[1]}, {0.25F, 0.75F}})) == fingerprint(rounded));
  CHECK(fingerprint(with({{1, 0}, {0, 1}})) != fingerprint(data));
  CHECK(fingerprint(with({{1, 0}, {0, 1}})) != fingerprint(with({{1, 0}, {1, 0}})));
  CHECK_ERROR(with({{1, 0}}), ShapeError, "targets of shape (1, 2) for 2 samples of 2 classes");
  CHECK_ERROR(with({{1, 0, 0}, {1, 0, 0}}), ShapeError, "targets of shape (2, 3)");
  CHECK_ERROR(with({{1, 0}, {0.9F, 0.2F}}), ArgumentError, "the row of sample 1 adds up to 1.1");
  CHECK_ERROR(with({{1.5F, -0.5F}, {1, 0}}), ArgumentError, "-0.5 in the row of sample 0, expected at least 0");
  CHECK_ERROR(with({{1, 0}, {NAN, 1}}), ArgumentError, "nan in the row of sample 1");
  CHECK_ERROR(with({{INFINITY, 0}, {1, 0}}), ArgumentError, "adds up to inf");
  CHECK(Dataset().with_targets(Matrix<float>::from_shape({0, 10})).empty());
}

TEST_CASE("load_dataset: images and labels from two files", "[dataset]") {
  const TemporaryFolder folder;
  write_idx(folder / "images", images_file(12, 9));
  write_idx(folder / "labels.gz", labels_file(12));
  const Dataset data = load_dataset(folder / "images", folder / "labels.gz");
  CHECK(data.size() == 12);
  CHECK(data.rows() == 2);
  CHECK(data.pixels(11)[3] == 9);
  CHECK(data.label(11) == 1);
  CHECK(data.classes() == 10);
}

TEST_CASE("load_dataset: files of zero items are an empty set", "[dataset]") {
  const TemporaryFolder folder;
  write_idx(folder / "images", {{0, 28, 28}, Vector<std::uint8_t>::from_shape({0})});
  write_idx(folder / "labels", labels_file(0));
  const Dataset data = load_dataset(folder / "images", folder / "labels");
  CHECK(data.empty());
  CHECK(data.inputs() == 784);
  CHECK(data.has_bytes());
}

TEST_CASE("load_dataset: swapped files, unequal counts and labels out of range are told by file",
          "[dataset][error]") {
  const TemporaryFolder folder;
  const fs::path images = folder / "images", labels = folder / "labels", few = folder / "few";
  write_idx(images, images_file(12, 9));
  write_idx(labels, labels_file(12));
  write_idx(few, labels_file(11));
  CHECK_ERROR(load_dataset(labels, images), FormatError,
              "load_dataset: " + labels.string() +
                  ": byte 0: magic number 0x00000801 (labels), expected 0x00000803 (images); are the paths swapped?");
  CHECK_ERROR(load_dataset(images, few), FormatError,
              "load_dataset: " + few.string() + ": 11 labels, expected 12, as many as images in " + images.string() +
                  "; do the two belong together?");
  CHECK_ERROR(load_dataset(images, labels, 5), FormatError,
              "load_dataset: " + labels.string() + ": byte 13: label 5 of sample 5, expected 0 to 4");
  CHECK_ERROR(load_dataset(images, folder / "missing"), IoError, "load_dataset: " + (folder / "missing").string());
}

TEST_CASE("load_dataset: an impossible number of classes is no fault of the files", "[dataset][error]") {
  const TemporaryFolder folder;
  write_idx(folder / "images", images_file(2, 9));
  write_idx(folder / "labels", labels_file(2));
  for (const std::size_t classes : {0u, 1u, 257u}) {
    CHECK_ERROR(load_dataset(folder / "images", folder / "labels", classes), ArgumentError,
                detail::text(classes, " classes, expected 2 to 256"));
  }
}

TEST_CASE("data_directories: the one given, else the environment's, then the cache", "[dataset]") {
  const NoDataDirectories none;
  using Paths = std::vector<fs::path>;
  CHECK(data_directories(fs::path("here")) == Paths{"here"});
  CHECK(data_directories().empty());
  const EnvironmentVariable home("HOME", "/home/somebody");
  CHECK(data_directories() == Paths{"/home/somebody/.cache/digitnet"});
  const EnvironmentVariable cache("XDG_CACHE_HOME", "/cache");
  CHECK(data_directories() == Paths{"/cache/digitnet"});
  const EnvironmentVariable data("DIGITNET_DATA_DIR", "/data");
  CHECK(data_directories() == Paths{"/data", "/cache/digitnet"});
  CHECK(data_directories(fs::path("here")) == Paths{"here"});
  const EnvironmentVariable empty("DIGITNET_DATA_DIR", "");  // as good as not set
  CHECK(data_directories() == Paths{"/cache/digitnet"});
}

TEST_CASE("load_mnist: every name that the files have in the wild", "[dataset]") {
  for (const char separator : {'-', '.'}) {
    for (const char* ending : {"", ".gz"}) {
      const TemporaryFolder folder;
      write_mnist(folder.path(), 7, separator, ending);
      CAPTURE(separator, ending);
      CHECK(ink_found(folder.path()) == 7);
    }
  }
}

TEST_CASE("load_mnist: names may be mixed within a folder", "[dataset]") {
  const TemporaryFolder folder;
  write_idx(folder / "train-images.idx3-ubyte", images_file(3, 7));
  write_idx(folder / "train-labels-idx1-ubyte.gz", labels_file(3));
  write_idx(folder / "t10k-images-idx3-ubyte", images_file(2, 7));
  write_idx(folder / "t10k-labels.idx1-ubyte.gz", labels_file(2));
  CHECK(ink_found(folder.path()) == 7);
}

TEST_CASE("load_mnist: in a directory first mnist/, then the directory itself, then MNIST/raw/", "[dataset]") {
  const TemporaryFolder folder;
  write_mnist(folder / "MNIST" / "raw", 3);
  CHECK(ink_found(folder.path()) == 3);
  write_mnist(folder.path(), 2);
  CHECK(ink_found(folder.path()) == 2);
  write_mnist(folder / "mnist", 1);
  CHECK(ink_found(folder.path()) == 1);
}

TEST_CASE("load_mnist: without a directory DIGITNET_DATA_DIR, then the cache", "[dataset]") {
  const NoDataDirectories none;
  const TemporaryFolder data, cache, home;
  write_mnist(home / ".cache" / "digitnet" / "mnist", 3);
  const EnvironmentVariable home_set("HOME", home.path().string());
  CHECK(ink_found() == 3);
  write_mnist(cache / "digitnet" / "mnist", 2);
  const EnvironmentVariable cache_set("XDG_CACHE_HOME", cache.path().string());
  CHECK(ink_found() == 2);
  const EnvironmentVariable data_set("DIGITNET_DATA_DIR", data.path().string());
  CHECK(ink_found() == 2);  // nothing in it yet
  write_mnist(data / "mnist", 1);
  CHECK(ink_found() == 1);
}

TEST_CASE("load_mnist: a directory that is given is the only one searched", "[dataset][error]") {
  const NoDataDirectories none;
  const TemporaryFolder data, given;
  write_mnist(data / "mnist", 1);
  const EnvironmentVariable data_set("DIGITNET_DATA_DIR", data.path().string());
  CHECK_ERROR(load_mnist(given.path()), IoError,
              "load_mnist: no mnist found in " + given.path().string() + ", expected");
}

TEST_CASE("load_mnist: other sets are in folders of their names", "[dataset]") {
  const NoDataDirectories none;
  const TemporaryFolder data;
  write_mnist(data / "mnist", 1);
  write_mnist(data / "fashion-mnist", 2);
  const EnvironmentVariable data_set("DIGITNET_DATA_DIR", data.path().string());
  CHECK(ink_found(std::nullopt, "fashion-mnist") == 2);
  CHECK(ink_found() == 1);
  CHECK(ink_found(data.path(), "fashion-mnist") == 2);
}

TEST_CASE("load_mnist: loose files and MNIST/raw are not taken for another set found by search", "[dataset][error]") {
  const NoDataDirectories none;
  const TemporaryFolder data;
  write_mnist(data.path(), 1);
  write_mnist(data / "MNIST" / "raw", 1);
  const EnvironmentVariable data_set("DIGITNET_DATA_DIR", data.path().string());
  CHECK(ink_found() == 1);
  CHECK_ERROR(load_mnist(std::nullopt, "kmnist"), IoError, "load_mnist: no kmnist found in " + data.path().string());
  CHECK(ink_found(data.path(), "kmnist") == 1);  // named together with its directory
}

TEST_CASE("load_mnist: each of the four files that is missing is named with its folder", "[dataset][error]") {
  for (const std::string name :
       {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    const TemporaryFolder folder;
    write_mnist(folder / "mnist", 1);
    fs::remove(folder / "mnist" / name);
    CHECK_ERROR(load_mnist(folder.path()), IoError,
                "load_mnist: " + (folder / "mnist").string() + ": no file " + name +
                    " (or .gz), expected it beside the others; `digitnet fetch mnist` gets all four");
  }
}

TEST_CASE("load_mnist: the hint for a set that cannot be fetched names those that can", "[dataset][error]") {
  const TemporaryFolder folder;
  CHECK_ERROR(load_mnist(folder.path(), "foo"), IoError,
              "; what `digitnet fetch` can get is called mnist, fashion-mnist, kmnist, emnist-digits, qmnist, "
              "DIGITNET_DATA_DIR tells where they are");
  CHECK_ERROR(load_mnist(folder.path(), "kmnist"), IoError, "; `digitnet fetch kmnist` gets them, ");
  write_mnist(folder / "foo", 1);
  fs::remove(folder / "foo" / "train-images-idx3-ubyte");
  CHECK_ERROR(load_mnist(folder.path(), "foo"), IoError, "; what `digitnet fetch` can get is called mnist, ");
}

TEST_CASE("load_mnist: when there is none, every place searched is named", "[dataset][error]") {
  const NoDataDirectories none;
  const TemporaryFolder data, cache;
  const EnvironmentVariable data_set("DIGITNET_DATA_DIR", data.path().string());
  const EnvironmentVariable cache_set("XDG_CACHE_HOME", cache.path().string());
  CHECK_ERROR(load_mnist(), IoError,
              "load_mnist: no mnist found in " + data.path().string() + ", " + (cache / "digitnet").string() +
                  ", expected train-images-idx3-ubyte and its three companions, plain or .gz; `digitnet fetch mnist` "
                  "gets them, DIGITNET_DATA_DIR tells where they are");
}

TEST_CASE("load_mnist: without any directory to search, the message says so", "[dataset][error]") {
  const NoDataDirectories none;
  CHECK_ERROR(load_mnist(), IoError, "load_mnist: no data directory to search");
}

TEST_CASE("load_mnist: a file that is broken or does not fit is told with its path", "[dataset][error]") {
  const TemporaryFolder folder;
  write_mnist(folder.path(), 1);
  SECTION("swapped") {
    fs::rename(folder / "t10k-labels-idx1-ubyte", folder / "aside");
    fs::rename(folder / "t10k-images-idx3-ubyte", folder / "t10k-labels-idx1-ubyte");
    fs::rename(folder / "aside", folder / "t10k-images-idx3-ubyte");
    CHECK_ERROR(load_mnist(folder.path()), FormatError,
                "load_mnist: " + (folder / "t10k-images-idx3-ubyte").string() + ": byte 0: magic number 0x00000801");
  }
  SECTION("counts") {
    write_idx(folder / "train-labels-idx1-ubyte", labels_file(4));
    CHECK_ERROR(load_mnist(folder.path()), FormatError, "4 labels, expected 3");
  }
  SECTION("a web page") {
    test::write_file(folder / "train-images-idx3-ubyte", "<html>");
    CHECK_ERROR(load_mnist(folder.path()), FormatError, "is it a web page");
  }
}

// The checksums from Python, of the four files unpacked and without their headers:
//   hashlib.sha256(images[16:] + labels[8:]).hexdigest()
TEST_CASE("load_mnist: the sample of MNIST has its images and labels", "[dataset]") {
  const Mnist mnist = load_mnist(sample_folder);
  CHECK(mnist.train.size() == 6000);
  CHECK(mnist.test.size() == 1000);
  CHECK(mnist.train.rows() == 28);
  CHECK(mnist.train.columns() == 28);
  CHECK(mnist.train.class_counts() == std::vector<std::size_t>{593, 674, 596, 613, 584, 542, 592, 626, 586, 594});
  CHECK(mnist.test.class_counts() == std::vector<std::size_t>{98, 114, 103, 101, 98, 90, 95, 103, 98, 100});
  CHECK(fingerprint(mnist.train) == "23df667b1e3ce2504739d95163ae4d2affe22db6eda0fc7728e9e4246dd7729d");
  CHECK(fingerprint(mnist.test) == "5bd1f0c80d23c26941bbec7533e4bc530c04cf8c7203ad62ad1fff01f68da1d0");
  CHECK(fingerprint(mnist.test.subset({3, 1})) == "efbe19740cfe34b0509520bd014c869778eac77d2cc4b9e595c2be47b99d6ea7");
}
