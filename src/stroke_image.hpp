// stroke_image.hpp: how strokes are drawn as MNIST images. Internal.
#pragma once

#include "rasterizer.hpp"

#include <digitnet/drawing.hpp>

namespace digitnet::detail {

/// How a drawing is made an image; the numbers are those that make it look most like MNIST's.
struct StrokeStyle {
  Pen pen{.diameter = static_cast<float>(mnist_pen_diameter), .softness = 1.2F};
  double box = 20;  ///< side of the box that the ink fits, in pixels
};

/// to_mnist_image of a drawing that is valid.
MnistImage stroke_image(const Drawing& drawing, const StrokeStyle& style);

/// @throws ArgumentError  if a diameter is not what to_mnist_image takes
void require_pen(const char* where, double pen_diameter);

}  // namespace digitnet::detail
