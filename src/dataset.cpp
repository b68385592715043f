#include <digitnet/dataset.hpp>

#include "idx_reader.hpp"
#include "sha256.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace digitnet {
namespace {

using detail::text;
namespace fs = std::filesystem;

/// A pointer to the memory of an array that keeps the array alive.
template <class Element, class Array>
std::shared_ptr<const Element> shared_data(Array array) {
  const auto owner = std::make_shared<const Array>(std::move(array));
  return {owner, owner->data()};
}

void require_as_many_labels(const char* where, std::size_t samples, std::size_t labels) {
  if (samples != labels) {
    throw ShapeError(
        text(where, ": ", samples, " images and ", labels, " labels, expected as many labels as images"));
  }
}

void require_classes(const char* where, std::size_t classes) {
  if (classes < 2 || classes > 256) throw ArgumentError(text(where, ": ", classes, " classes, expected 2 to 256"));
}

Dataset load_pair(const char* where, const fs::path& images_path, const fs::path& labels_path, std::size_t classes) {
  require_classes(where, classes);
  Images images = detail::read_idx_images(where, images_path);
  Labels labels = detail::read_idx_labels(where, labels_path);
  if (images.shape(0) != labels.size()) {
    throw FormatError(text(where, ": ", labels_path.string(), ": ", labels.size(), " labels, expected ",
                           images.shape(0), ", as many as images in ", images_path.string(),
                           "; do the two belong together?"));
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels(i) >= classes) {
      throw FormatError(text(where, ": ", labels_path.string(), ": byte ", 8 + i, ": label ", labels(i),
                             " of sample ", i, ", expected 0 to ", classes - 1));
    }
  }
  return {std::move(images), std::move(labels), classes};
}

/// The places in a data directory where the files of a set may be. Files that lie in it directly are taken
/// for MNIST, or for the set asked for when it was named together with the directory.
std::vector<fs::path> folders_in(const fs::path& directory, const std::string& name, bool given) {
  std::vector<fs::path> folders{directory / name};
  if (given || name == "mnist") folders.push_back(directory);
  if (name == "mnist") folders.push_back(directory / "MNIST" / "raw");
  return folders;
}

/// A file under one of the names it has in the wild, for example ("train-images", "idx3-ubyte").
std::optional<fs::path> find_file(const fs::path& folder, const std::string& stem, const std::string& kind) {
  for (const char* separator : {"-", "."}) {
    for (const char* packing : {"", ".gz"}) {
      fs::path candidate = folder / text(stem, separator, kind, packing);
      std::error_code ignored;
      if (fs::is_regular_file(candidate, ignored)) return candidate;
    }
  }
  return std::nullopt;
}

struct MnistFiles {
  std::array<std::optional<fs::path>, 4> paths;  // training images and labels, test images and labels

  bool any() const {
    return std::any_of(paths.begin(), paths.end(), [](const auto& path) { return path.has_value(); });
  }
};

constexpr std::array<std::array<const char*, 2>, 4> mnist_names{{{"train-images", "idx3-ubyte"},
                                                                 {"train-labels", "idx1-ubyte"},
                                                                 {"t10k-images", "idx3-ubyte"},
                                                                 {"t10k-labels", "idx1-ubyte"}}};

MnistFiles find_mnist_files(const fs::path& folder) {
  MnistFiles files;
  for (std::size_t i = 0; i < 4; ++i) files.paths[i] = find_file(folder, mnist_names[i][0], mnist_names[i][1]);
  return files;
}

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && value[0] != '\0' ? value : nullptr;
}

/// The sets that `digitnet fetch` knows; a test in Python compares them.
constexpr std::array<std::string_view, 5> fetched{"mnist", "fashion-mnist", "kmnist", "emnist-digits", "qmnist"};

/// What to do about files that are not there.
std::string fetch_hint(const std::string& name, const char* what_it_does) {
  if (std::find(fetched.begin(), fetched.end(), name) != fetched.end()) {
    return text("; `digitnet fetch ", name, "` ", what_it_does);
  }
  std::string names;
  for (const std::string_view each : fetched) names.append(names.empty() ? "" : ", ").append(each);
  return text("; what `digitnet fetch` can get is called ", names);
}

}  // namespace

Dataset::Dataset(Images images, Labels labels, std::size_t classes)
    : count_(images.shape(0)), rows_(images.shape(1)), columns_(images.shape(2)), classes_(classes) {
  require_as_many_labels("Dataset", count_, labels.size());
  pixels_ = shared_data<std::uint8_t>(std::move(images));
  labels_ = shared_data<std::uint8_t>(std::move(labels));
  check_labels();
}

Dataset::Dataset(Matrix<float> inputs, Labels labels, std::size_t classes)
    : has_bytes_(false), count_(inputs.shape(0)), rows_(1), columns_(inputs.shape(1)), classes_(classes) {
  require_as_many_labels("Dataset", count_, labels.size());
  values_ = shared_data<float>(std::move(inputs));
  labels_ = shared_data<std::uint8_t>(std::move(labels));
  check_labels();
  check_finite();
}

Dataset::Dataset(std::shared_ptr<const std::uint8_t> pixels, std::size_t count, std::size_t rows, std::size_t columns,
                 Labels labels, std::size_t classes)
    : pixels_(std::move(pixels)), count_(count), rows_(rows), columns_(columns), classes_(classes) {
  require_as_many_labels("Dataset", count_, labels.size());
  labels_ = shared_data<std::uint8_t>(std::move(labels));
  check_labels();
}

Dataset::Dataset(std::shared_ptr<const float> values, std::size_t count, std::size_t inputs, Labels labels,
                 std::size_t classes)
    : has_bytes_(false), values_(std::move(values)), count_(count), rows_(1), columns_(inputs), classes_(classes) {
  require_as_many_labels("Dataset", count_, labels.size());
  labels_ = shared_data<std::uint8_t>(std::move(labels));
  check_labels();
  check_finite();
}

void Dataset::check_labels() const {
  require_classes("Dataset", classes_);
  for (std::size_t sample = 0; sample < count_; ++sample) {
    if (label(sample) >= classes_) {
      throw ArgumentError(
          text("Dataset: label ", label(sample), " of sample ", sample, ", expected 0 to ", classes_ - 1));
    }
  }
}

void Dataset::check_finite() const {
  for (std::size_t sample = 0; sample < count_; ++sample) {
    for (const float value : numbers(sample)) {
      if (!std::isfinite(value)) {
        throw ArgumentError(text("Dataset: sample ", sample, " has the value ", value, ", expected finite numbers"));
      }
    }
  }
}

Labels Dataset::labels() const {
  Labels copied = Labels::from_shape({size()});
  for (std::size_t sample = 0; sample < size(); ++sample) copied(sample) = label(sample);
  return copied;
}

Dataset Dataset::slice(std::size_t first, std::size_t last) const {
  if (first > last || last > size()) {
    throw ArgumentError(text("Dataset::slice: [", first, ", ", last, "), expected a range within [0, ", size(), ")"));
  }
  Dataset part = *this;
  if (order_) {
    part.order_ = std::make_shared<const std::vector<std::uint32_t>>(
        order_->begin() + static_cast<std::ptrdiff_t>(first), order_->begin() + static_cast<std::ptrdiff_t>(last));
  } else {
    part.first_ = first_ + first;
    part.count_ = last - first;
  }
  return part;
}

Dataset Dataset::subset(std::vector<std::uint32_t> samples) const {
  for (std::uint32_t& sample : samples) {
    if (sample >= size()) {
      throw ArgumentError(text("Dataset::subset: sample ", sample, ", expected less than ", size()));
    }
    sample = static_cast<std::uint32_t>(position(sample));
  }
  Dataset part = *this;
  part.order_ = std::make_shared<const std::vector<std::uint32_t>>(std::move(samples));
  return part;
}

Dataset Dataset::with_targets(Matrix<float> targets) const {
  if (targets.shape(0) != size() || targets.shape(1) != classes_) {
    throw ShapeError(text("Dataset::with_targets: targets of shape ", shape_text(targets), " for ", size(),
                          " samples of ", classes_,
                          " classes, expected one row for each sample, one column for each "
                          "class"));
  }
  for (std::size_t sample = 0; sample < size(); ++sample) {
    double sum = 0;
    for (const float share : row(targets, sample)) {
      if (!(share >= 0)) {
        throw ArgumentError(
            text("Dataset::with_targets: ", share, " in the row of sample ", sample, ", expected at least 0"));
      }
      sum += static_cast<double>(share);
    }
    if (!(std::abs(sum - 1) <= 1e-3)) {
      throw ArgumentError(
          text("Dataset::with_targets: the row of sample ", sample, " adds up to ", sum, ", expected 1"));
    }
    if (std::abs(sum - 1) <= 1e-6) continue;  // so what is in order stays the same bits
    for (float& share : row(targets, sample)) share = static_cast<float>(static_cast<double>(share) / sum);
  }
  Dataset soft = is_contiguous() ? *this : compact();
  soft.targets_ = shared_data<float>(std::move(targets));
  soft.targets_first_ = soft.first_;
  return soft;
}

/// Samples copied into memory of their own, in order.
Dataset Dataset::compact() const {
  if (has_bytes_) {
    Images images = Images::from_shape({size(), rows_, columns_});
    for (std::size_t i = 0; i < size(); ++i) std::ranges::copy(pixels(i), images.data() + i * inputs());
    return {std::move(images), labels(), classes_};
  }
  Matrix<float> copied = Matrix<float>::from_shape({size(), inputs()});
  for (std::size_t i = 0; i < size(); ++i) std::ranges::copy(numbers(i), row(copied, i).begin());
  return {std::move(copied), labels(), classes_};
}

std::vector<std::size_t> Dataset::class_counts() const {
  std::vector<std::size_t> counts(classes_, 0);
  for (std::size_t sample = 0; sample < size(); ++sample) ++counts[label(sample)];
  return counts;
}

std::pair<Dataset, Dataset> split(const Dataset& data, std::size_t first_size, Rng& rng) {
  if (first_size > data.size()) {
    throw ArgumentError(text("split: a first part of ", first_size, " samples, expected at most ", data.size()));
  }
  const std::vector<std::uint32_t> order = permutation(data.size(), rng);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(first_size);
  return {data.subset({order.begin(), middle}), data.subset({middle, order.end()})};
}

Dataset load_dataset(const fs::path& images, const fs::path& labels, std::size_t classes) {
  return load_pair("load_dataset", images, labels, classes);
}

std::vector<fs::path> data_directories(const std::optional<fs::path>& given) {
  if (given) return {*given};
  std::vector<fs::path> directories;
  if (const char* directory = environment("DIGITNET_DATA_DIR")) directories.emplace_back(directory);
  if (const char* cache = environment("XDG_CACHE_HOME")) {
    directories.push_back(fs::path(cache) / "digitnet");
  } else if (const char* home = environment("HOME")) {
    directories.push_back(fs::path(home) / ".cache" / "digitnet");
  }
  return directories;
}

Mnist load_mnist(const std::optional<fs::path>& directory, const std::string& name) {
  const std::vector<fs::path> directories = data_directories(directory);
  if (directories.empty()) {
    throw IoError("load_mnist: no data directory to search, expected one given, DIGITNET_DATA_DIR or HOME to be set");
  }
  std::string searched;
  for (const fs::path& candidate : directories) {
    for (const fs::path& folder : folders_in(candidate, name, directory.has_value())) {
      const MnistFiles files = find_mnist_files(folder);
      if (!files.any()) continue;
      for (std::size_t i = 0; i < 4; ++i) {
        if (!files.paths[i]) {
          throw IoError(text("load_mnist: ", folder.string(), ": no file ", mnist_names[i][0], "-", mnist_names[i][1],
                             " (or .gz), expected it beside the others", fetch_hint(name, "gets all four")));
        }
      }
      return {load_pair("load_mnist", *files.paths[0], *files.paths[1], 10),
              load_pair("load_mnist", *files.paths[2], *files.paths[3], 10)};
    }
    searched += (searched.empty() ? "" : ", ") + candidate.string();
  }
  throw IoError(text("load_mnist: no ", name, " found in ", searched,
                     ", expected train-images-idx3-ubyte and its three ", "companions, plain or .gz",
                     fetch_hint(name, "gets them"), ", DIGITNET_DATA_DIR tells where they are"));
}

std::string fingerprint(const Dataset& data) {
  detail::Sha256 sum;
  for (std::size_t sample = 0; sample < data.size(); ++sample) {
    if (data.has_bytes()) {
      sum.update(data.pixels(sample));
    } else {
      const std::span<const float> numbers = data.numbers(sample);
      sum.update({reinterpret_cast<const std::uint8_t*>(numbers.data()), numbers.size_bytes()});
    }
  }
  const Labels labels = data.labels();
  sum.update({labels.data(), labels.size()});
  for (std::size_t sample = 0; data.has_targets() && sample < data.size(); ++sample) {
    const std::span<const float> target = data.target(sample);
    sum.update({reinterpret_cast<const std::uint8_t*>(target.data()), target.size_bytes()});
  }
  return sum.finish();
}

}  // namespace digitnet
