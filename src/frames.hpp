// frames.hpp: frames around a drawing, and sheets that lie on another ground. Internal.
#pragma once

#include "plane.hpp"

#include <cstddef>

namespace digitnet::detail {

/// The pixels along the edge of a box, with a function for each.
template <class Function>
void along_border(const Box& box, const Function& function) {
  for (std::size_t x = box.left; x < box.right; ++x) {
    function(x, box.top);
    if (box.height() > 1) function(x, box.bottom - 1);
  }
  for (std::size_t y = box.top + 1; y + 1 < box.bottom; ++y) {
    function(box.left, y);
    if (box.width() > 1) function(box.right - 1, y);
  }
}

/// A frame, or a sheet that lies on another ground, shows as rings of one colour within each other. What is within
/// the innermost is the picture; if nothing is, then what looked like a frame is the drawing.
/// @param tolerance  by which values of one colour may differ
/// @param ground     is set to the colour around the drawing, or -1 if that is not of one colour
Box inside_of_frames(const Plane& plane, int tolerance, int& ground);

}  // namespace digitnet::detail
