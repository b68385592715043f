// rasterizer.hpp: lines drawn with a round pen on an image of 28 x 28 pixels. Internal.
#pragma once

#include <digitnet/preprocess.hpp>

#include <array>

namespace digitnet::detail {

/// A place on the image, in pixels; pixel (row, column) covers the square from (column, row) on, its middle is half a
/// pixel further.
struct Place {
  float x = 0;
  float y = 0;
  bool operator==(const Place&) const = default;
};

/// How dark a pen leaves a pixel, by the distance of the pixel's middle from the line: full ink up to
/// (diameter - softness) / 2, none from (diameter + softness) / 2 on, and a straight ramp between.
struct Pen {
  float diameter = 0;  ///< of the line, where the ink is half, in pixels
  float softness = 1;  ///< width of the ramp, in pixels, above 0
  float reach() const { return (diameter + softness) / 2; }
};

/// Draws by distance: what is kept for each pixel is the squared distance to the nearest line so far. So crossing
/// lines are as dark as the darker of them, and neither the order of the lines nor their direction changes a bit.
/// Only operations that IEEE 754 rounds in one way, compiled without contraction: the same bytes on every processor.
class Rasterizer {
 public:
  explicit Rasterizer(const Pen& pen);

  /// The line from a to b; a dot if they are the same place. Finite; what lies outside of the image is not drawn.
  void draw(Place a, Place b);

  /// What was drawn, 255 for full ink.
  MnistImage image() const;

 private:
  static constexpr std::size_t stride = 32;  // a row of 28 pixels in whole registers
  Pen pen_;
  alignas(64) std::array<float, mnist_side * stride> squared_;
};

}  // namespace digitnet::detail
