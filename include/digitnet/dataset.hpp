// dataset.hpp: images with their labels.
#pragma once

#include <digitnet/idx.hpp>
#include <digitnet/random.hpp>
#include <digitnet/tensor.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace digitnet {

/// Samples and their labels. Pixels stay the bytes they are on disk (47 MB for MNIST, not 188) and become
/// numbers in [0, 1] batch by batch; inputs that are no bytes are kept as float.
///
/// A Dataset is a handle on memory that never changes: copies and subsets share it, none copies a pixel.
class Dataset {
 public:
  /// An empty set of images of 0 x 0 pixels.
  Dataset() = default;

  /// @param images  (count, rows, columns)
  /// @param labels  (count), each below `classes`
  /// @throws ShapeError     if there are not as many labels as images
  /// @throws ArgumentError  if a label is out of range
  Dataset(Images images, Labels labels, std::size_t classes = 10);

  /// Inputs of any meaning, used as they are.
  /// @param inputs  (count, inputs), finite
  /// @throws ShapeError, ArgumentError  as above; also if an input is not finite
  Dataset(Matrix<float> inputs, Labels labels, std::size_t classes = 10);

  /// Pixels in memory that somebody else owns, not copied; `owner` is kept alive as long as they are used.
  /// @param pixels  count * rows * columns bytes, row-major
  Dataset(std::shared_ptr<const std::uint8_t> pixels, std::size_t count, std::size_t rows, std::size_t columns,
          Labels labels, std::size_t classes = 10);

  /// As above, for inputs that are used as they are.
  Dataset(std::shared_ptr<const float> values, std::size_t count, std::size_t inputs, Labels labels,
          std::size_t classes = 10);

  std::size_t size() const { return order_ ? order_->size() : count_; }
  bool empty() const { return size() == 0; }

  /// Height and width of an image, in pixels; for inputs that are no images 1 and their number.
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }

  /// Numbers in one sample: rows * columns.
  std::size_t inputs() const { return rows_ * columns_; }

  std::size_t classes() const { return classes_; }

  /// Whether samples are bytes (0 to 255, scaled to [0, 1] when used) or float (used as they are).
  bool has_bytes() const { return has_bytes_; }

  /// Whether all samples lie one behind the other in memory, in order.
  bool is_contiguous() const { return order_ == nullptr; }

  std::uint8_t label(std::size_t sample) const { return labels_.get()[position(sample)]; }

  /// The same samples with soft labels: what a training makes of the outputs for each, in place of 1 at its label and
  /// 0 elsewhere. So a network learns from the probabilities of another one, or from mixtures of samples. Accuracies,
  /// and losses outside of a training, are by the labels all the same.
  ///
  /// @param targets  (size(), classes()), each row at least 0 and adding up to 1 within 0.001; a row that is off by
  ///                 more than rounding is divided by its sum. Samples that are not contiguous are copied.
  /// @throws ShapeError     if the targets have another shape
  /// @throws ArgumentError  if a row is no distribution
  /// @see Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network (2015)
  Dataset with_targets(Matrix<float> targets) const;

  bool has_targets() const { return targets_ != nullptr; }

  /// The soft labels of one sample, classes() numbers. Only if has_targets().
  std::span<const float> target(std::size_t sample) const {
    return {targets_.get() + (position(sample) - targets_first_) * classes_, classes_};
  }

  /// The bytes of one sample, as they lie in memory. Only if has_bytes().
  std::span<const std::uint8_t> pixels(std::size_t sample) const {
    return {pixels_.get() + position(sample) * inputs(), inputs()};
  }

  /// The numbers of one sample, as they lie in memory. Only if not has_bytes().
  std::span<const float> numbers(std::size_t sample) const {
    return {values_.get() + position(sample) * inputs(), inputs()};
  }

  /// One sample as a network sees it: bytes become byte / 255, numbers stay what they are.
  /// @param target  inputs() numbers to overwrite
  template <class Real>
  void copy_sample(std::size_t sample, std::span<Real> target) const {
    if (has_bytes()) {
      const std::uint8_t* from = pixels(sample).data();
      for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<Real>(from[i]) * (Real{1} / 255);
    } else {
      const float* from = numbers(sample).data();
      for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<Real>(from[i]);
    }
  }

  /// All samples as a matrix (size(), inputs()): four or eight bytes a pixel, so for small sets.
  template <class Real>
  Matrix<Real> to_matrix() const {
    Matrix<Real> matrix = Matrix<Real>::from_shape({size(), inputs()});
    for (std::size_t sample = 0; sample < size(); ++sample) copy_sample(sample, row(matrix, sample));
    return matrix;
  }

  /// All labels, copied.
  Labels labels() const;

  /// Samples [first, last).
  /// @throws ArgumentError  if not first <= last <= size()
  Dataset slice(std::size_t first, std::size_t last) const;

  /// The samples named, in the order given; a sample may come more than once.
  /// @throws ArgumentError  if one is not below size()
  Dataset subset(std::vector<std::uint32_t> samples) const;

  /// How many samples there are of each class.
  std::vector<std::size_t> class_counts() const;

 private:
  void check_labels() const;
  void check_finite() const;
  Dataset compact() const;
  std::size_t position(std::size_t sample) const { return order_ ? (*order_)[sample] : first_ + sample; }

  bool has_bytes_ = true;
  std::shared_ptr<const std::uint8_t> pixels_;  // if has_bytes_
  std::shared_ptr<const float> values_;         // if not
  std::shared_ptr<const std::uint8_t> labels_;
  std::shared_ptr<const float> targets_;                     // null: none
  std::size_t targets_first_ = 0;                            // the position that the first row is of
  std::shared_ptr<const std::vector<std::uint32_t>> order_;  // null: the samples from first_ on
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::size_t classes_ = 10;
};

/// Two parts of a set, drawn at random: the first with `first_size` samples, the second with the rest.
/// @throws ArgumentError  if first_size is more than data.size()
std::pair<Dataset, Dataset> split(const Dataset& data, std::size_t first_size, Rng& rng);

/// Images and labels from two IDX files.
/// @throws IoError, FormatError  as read_idx; also if the two files are swapped, their counts differ or a label
///                               is out of range
Dataset load_dataset(const std::filesystem::path& images, const std::filesystem::path& labels,
                     std::size_t classes = 10);

/// The two halves of MNIST, or of a set published in the same form.
struct Mnist {
  Dataset train;
  Dataset test;
};

/// The data directories, in the order in which they are searched: `given` alone if there is one, else
/// DIGITNET_DATA_DIR if it is set, then $XDG_CACHE_HOME/digitnet (else ~/.cache/digitnet).
std::vector<std::filesystem::path> data_directories(const std::optional<std::filesystem::path>& given = std::nullopt);

/// Loads the four files of MNIST from the first data directory that has them: in its folder mnist/, in it
/// itself or in MNIST/raw/ (as torchvision leaves them), each plain or .gz, also under the dotted names
/// (train-images.idx3-ubyte).
/// @param directory  see data_directories
/// @param name       the folder in the data directory: "mnist", "fashion-mnist", ...
/// @throws IoError      if a file is missing; the message says where it was looked for
/// @throws FormatError  as load_dataset
Mnist load_mnist(const std::optional<std::filesystem::path>& directory = std::nullopt,
                 const std::string& name = "mnist");

/// SHA-256 of the samples as they lie in memory, in order, then of their labels and of their soft labels if they have
/// any: 64 hexadecimal digits.
/// It tells in a model file which data a network was trained on.
std::string fingerprint(const Dataset& data);

}  // namespace digitnet
