// preprocess.hpp: from a drawing to an image like those of MNIST.
#pragma once

#include <digitnet/dataset.hpp>
#include <digitnet/drawing.hpp>
#include <digitnet/picture.hpp>
#include <digitnet/tensor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

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

/// A picture of a drawing made an image like those of MNIST, whatever its size, colours and pen.
///
/// The ink is found as by ink_of. Strokes thinner or thicker than nearly all of MNIST's are made as thick as those
/// (about 2 to 4 pixels of the 28 x 28), so that a line of one pixel is no grey haze and a broad brush no blot. Then it
/// is scaled to fit 20 x 20, as above, but placed so that its centre of mass is in the middle of pixel (14, 14) to a
/// fraction of a pixel: the same drawing gives the same image wherever on the picture it is. The bytes are the same on
/// every processor. A picture of 28 x 28 that is laid out as MNIST's stays as it is (black on white: inverted).
/// @throws ShapeError  as ink_of
MnistImage to_mnist_image(const Picture& picture);

/// Diameter of the pen that draws strokes, in pixels of the 28 x 28 image, unless another is asked for.
inline constexpr double mnist_pen_diameter = 2.3;

/// The same for strokes, drawn anew with a round pen of a fixed size, so that a thin line of a mouse and the trace of
/// a finger look alike: scaled so that the ink fits the box with its aspect kept, its centre of mass moved to the
/// middle of pixel (14, 14) by fractions of a pixel. Neither the place nor the unit of the drawing changes the image,
/// nor do the order of its strokes, their direction or the density of their points; where strokes overlap, ink is not
/// darker. Strokes that are no more than a spot far from all others are left out, as accidents.
///
/// A drawing smaller than a fiftieth of its canvas or than half its brush (where these are known), such as a dot, is
/// not made larger than one of that size; a single point always becomes a dot as wide as the pen.
///
/// @param pen_diameter  in pixels of the result, 0.5 to 8
/// @return  all 0 if there are no points
/// @throws ArgumentError  as require_valid; also if pen_diameter is out of range
MnistImage to_mnist_image(const Drawing& drawing, double pen_diameter = mnist_pen_diameter);

/// The drawings of a file, each as its MNIST image; every one needs its label.
/// @throws IoError, FormatError  as read_drawings; also, with the line, if a label is missing or not below classes
/// @throws ArgumentError         if pen_diameter is out of range
Dataset load_drawings(const std::filesystem::path& path, std::size_t classes = 10,
                      double pen_diameter = mnist_pen_diameter);

/// One of several drawings on a picture.
struct PictureSegment {
  std::size_t left = 0, top = 0, width = 0, height = 0;  ///< where it is, in pixels of the picture
  Picture picture;                                       ///< it alone, for to_mnist_image
};

/// The digits of a picture with several: line by line from the top, in each line from the left.
///
/// Ink that hangs together is one digit, with smaller parts near to it, above it or beside it, such as the bar of a 5.
/// Digits that touch are not taken apart. `picture` is grey, white ink on black with a margin around it; if there is one
/// digit only, it is the picture as it was, so that it gives the same image as the whole.
/// @return  nothing if there is no ink
/// @throws ShapeError  as ink_of
std::vector<PictureSegment> segment_digits(const Picture& picture);

}  // namespace digitnet
