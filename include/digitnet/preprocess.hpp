// preprocess.hpp: from a drawing to an image like those of MNIST.
#pragma once

#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace digitnet {

/// Side of an MNIST image, and of the box within it that the ink is scaled to fit, in pixels.
inline constexpr std::size_t mnist_side = 28;
inline constexpr std::size_t mnist_box = 20;

/// A 28 x 28 image, row-major, 0 for no ink, 255 for full ink.
using MnistImage = std::array<std::uint8_t, mnist_side * mnist_side>;

/// A picture as files and canvases give it.
struct Picture {
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t channels = 1;          ///< 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
  std::vector<std::uint8_t> pixels;  ///< height * width * channels, row-major, channels together
};

/// Largest side of a picture that is read, in pixels; there may be 2^26 (8192 x 8192) in all.
inline constexpr std::size_t largest_picture_side = 10000;

/// Reads a PNG, JPEG or binary PGM or PPM file, as 8 bits a channel. The size is looked at before the pixels are.
/// Damage is told by checksums in PNG; in JPEG, which has none, only where it breaks the format.
/// @throws IoError      if the file cannot be opened or read
/// @throws FormatError  if it is none of these, is damaged or cut short, or larger than largest_picture_side allows
Picture read_picture(const std::filesystem::path& path);

/// The ink of a picture, (height, width), in [0, 1]: darkness on a light ground, brightness on a dark one.
///
/// The ground is what most pixels of the border are. If the drawing is in the alpha channel alone, alpha is
/// the ink; otherwise transparent pixels are ground.
/// @throws ShapeError  if channels are not 1 to 4 or the number of pixels is not what the sizes ask
Matrix<float> ink_of(const Picture& picture);

/// What MNIST's makers did with their scans: the ink is cropped, scaled to fit a box of 20 x 20 with its
/// aspect kept, and moved by whole pixels so that its centre of mass is within half a pixel of that of pixel
/// (14, 14), as in all of MNIST; only ink that would then leave the image stays at its edge instead. A pixel
/// of the result is the mean of the ink it covers; ink smaller than the box is made larger by linear
/// interpolation, which softens its edges. An image of MNIST stays as it is.
///
/// @param ink  (height, width), in [0, 1]
/// @return  all 0 if there is no ink
/// @throws ArgumentError  if a number is not in [0, 1]
/// @see LeCun, Cortes, Burges, The MNIST database of handwritten digits (1998)
MnistImage to_mnist_image(const Matrix<float>& ink);

/// ink_of and to_mnist_image in one.
MnistImage to_mnist_image(const Picture& picture);

}  // namespace digitnet
