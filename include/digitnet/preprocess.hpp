// preprocess.hpp: from a drawing to an image like those of MNIST.
#pragma once

#include <digitnet/picture.hpp>
#include <digitnet/tensor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace digitnet {

/// Side of an MNIST image, and of the box within it that the ink is scaled to fit, in pixels.
inline constexpr std::size_t mnist_side = 28;
inline constexpr std::size_t mnist_box = 20;

/// A 28 x 28 image, row-major, 0 for no ink, 255 for full ink.
using MnistImage = std::array<std::uint8_t, mnist_side * mnist_side>;

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
