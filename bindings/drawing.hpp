// drawing.hpp: drawings between Python and digitnet.
#pragma once

#include "numpy_bridge.hpp"

#include <digitnet/drawing.hpp>

namespace digitnet::python {

namespace tag {
struct Strokes {
  static constexpr auto name = py::detail::const_name(
      "digitnet._core.Drawing | collections.abc.Sequence[collections.abc.Sequence[collections.abc.Sequence[float]]]");
  /// Lists of any kind, and arrays (strokes, points, 2) of numbers other than uint8, which are pictures.
  static bool check(py::handle object);
};
}  // namespace tag

/// A Drawing, or strokes as lists or arrays: [[[x, y], ...], ...].
using StrokesObject = Named<tag::Strokes>;

/// Copies what is drawn.
/// @throws ArgumentError   if a stroke is no list of points, or a point not two numbers
/// @throws py::type_error  if something is no number
Drawing to_drawing(const char* where, const py::object& strokes);

}  // namespace digitnet::python
