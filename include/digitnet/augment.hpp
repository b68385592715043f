// augment.hpp: small random changes that keep the label true.
#pragma once

#include <digitnet/dataset.hpp>
#include <digitnet/parallel.hpp>
#include <digitnet/preprocess.hpp>
#include <digitnet/random.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace digitnet {

/// How much images are changed at random; each number is drawn anew for each image, uniformly within its range.
///
/// In the order of the fields: strokes get thicker or thinner; then rotation, size, aspect, shear, shift and elastic
/// deformation are one map from each pixel of the result to a place in the image, which is read once, between its
/// pixels; the strongest ink gets back the strength it had; then come erasures, noise and specks. What is 0 is left
/// out. The defaults are what gave MNIST's digits the best validation accuracy in a training of 20 epochs; longer ones
/// and wider networks bear more.
///
/// @see Simard, Steinkraus, Platt, Best Practices for Convolutional Neural Networks Applied to Visual Document
///      Analysis (2003), section 2; Ciresan, Meier, Gambardella, Schmidhuber, Deep, Big, Simple Neural Nets for
///      Handwritten Digit Recognition (2010), section 3, with larger ranges
struct Augmentation {
  double probability = 1;  ///< that an image is changed at all, in [0, 1]

  double thickness = 0.2;  ///< pixels that each side of a stroke grows or shrinks by at the most, in [0, 3]

  double rotation = 7.5;  ///< degrees, either way, in [0, 180]
  double scale = 0.1;     ///< size: a factor between 1 / (1 + scale) and 1 + scale, in [0, 1]
  double aspect = 0.08;   ///< width over height: likewise, the area stays, in [0, 1]
  double shear = 0.1;     ///< slant: pixels to the side for each pixel up, either way, in [0, 1]
  double shift = 0.75;    ///< pixels, either way, across and down, in [0, 1000]

  /// Strength alpha of the elastic deformation, in [0, 1000]: each pixel is read somewhere else, by displacements that
  /// are uniform in [-alpha, alpha] and smoothed by a Gaussian of `elastic_sigma` pixels. That leaves a standard
  /// deviation of alpha / (2 sigma sqrt(3 pi)) pixels, across and down: 1.4 for the 34 and 4 of the paper, 1.0 for these.
  double elastic = 24;
  double elastic_sigma = 4;  ///< pixels, in [1, 100]

  double erase = 0;         ///< probability that a disc of ink is erased, in [0, 1]
  double erase_radius = 3;  ///< of that disc at the most, in pixels, in [0, 1000]
  double noise = 0;         ///< what each pixel with ink gets more or less at the most; 1 is full ink, in [0, 1]
  double specks = 0;        ///< pixels that get ink of any strength, at the most, in [0, 1000]

  /// Results below this, of 255, become 0, in [0, 255]: the faint rim that interpolation leaves around a stroke. So the
  /// ground stays exactly 0 and a sparse first layer stays fast.
  double ground = 16;

  /// Whether nothing would ever be changed.
  bool is_none() const;

  bool operator==(const Augmentation&) const = default;
};

/// Augmentations by name.
inline constexpr std::array<std::string_view, 4> augmentation_names{"none", "light", "standard", "strong"};

/// none: all 0; light: half of the defaults; standard: the defaults; strong: about one and a half times the defaults,
/// with the elastic deformation of the paper, for long trainings of wide networks.
/// @throws ArgumentError  if there is no augmentation of this name; the message lists them
Augmentation augmentation_from_name(std::string_view name);

/// @throws ArgumentError  if a number is out of its range; `where` begins the message
void check_augmentation(const Augmentation& options, std::string_view where = "Augmentation");

namespace detail {
class ImageChanger;
}

/// Changes images of one size. Nothing is allocated once it is made; each thread has one of its own.
///
/// Equal options, image and generator give equal bytes on every processor: all is done in whole numbers and in
/// operations that IEEE 754 rounds in one way.
class Augmenter {
 public:
  /// Smallest and largest side of an image, in pixels.
  static constexpr std::size_t least_side = 2;
  static constexpr std::size_t most_side = 4096;

  /// @throws ArgumentError  if an option is out of its range
  /// @throws ShapeError     if a side is not least_side to most_side
  Augmenter(const Augmentation& options, std::size_t rows, std::size_t columns);
  ~Augmenter();
  Augmenter(Augmenter&& other) noexcept;
  Augmenter& operator=(Augmenter&& other) noexcept;

  /// @param image   rows * columns bytes, row-major, 0 for no ink
  /// @param result  likewise, to overwrite; may be `image`
  /// @throws ShapeError  if one has another size
  void augment(std::span<const std::uint8_t> image, std::span<std::uint8_t> result, Rng& rng);

 private:
  std::unique_ptr<detail::ImageChanger> changer_;
};

/// One image, changed at random. An Augmenter is quicker for many.
MnistImage augmented(const MnistImage& image, const Augmentation& options, Rng& rng);

/// Each sample of a set changed at random, `copies` times: first all samples in their order, then all again, and so
/// on; labels stay. Sample i of copy k is drawn from rng.fork(k).fork(i), so the result is the same for any number of
/// threads. (A training needs no such set: TrainingOptions::augmentation draws each sample anew in each epoch.)
/// @throws ArgumentError  if the samples are no bytes, copies is 0, or an option is out of its range
/// @throws ShapeError     if the images have a side that an Augmenter does not take
Dataset augment(const Dataset& data, const Augmentation& options, const Rng& rng, std::size_t copies = 1,
                std::size_t threads = 0);

// One change alone. All read the image once, between its pixels by linear interpolation; beyond its edge is no ink.

/// Moved to the right and down, in pixels; by whole pixels exactly.
MnistImage shifted(const MnistImage& image, double right, double down);

/// Turned about the middle of the image, anticlockwise.
MnistImage rotated(const MnistImage& image, double degrees);

/// Made larger about the middle of the image.
/// @throws ArgumentError  if a factor is not above 0
MnistImage scaled(const MnistImage& image, double across, double down);

/// Slanted to the right, as italics are: pixels to the side for each pixel above the middle.
MnistImage sheared(const MnistImage& image, double slant);

/// Strokes grow on each side by so many pixels, or shrink if that is below 0: grey dilation and erosion by a cross of
/// five pixels, for whole pixels; between two of them, the mean of both by their shares.
/// @throws ArgumentError  if it is not in [-3, 3]
MnistImage thickened(const MnistImage& image, double pixels);

}  // namespace digitnet
