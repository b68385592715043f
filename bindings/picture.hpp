// picture.hpp: pictures and MNIST images between NumPy and digitnet.
#pragma once

#include "numpy_bridge.hpp"

#include <digitnet/preprocess.hpp>

namespace digitnet::python {

/// uint8, uint16, bool or float (height, width) or (height, width, channels), or an image of Pillow.
/// @throws ShapeError     if the array is of another type or shape, or has no pixels
/// @throws ArgumentError  if a float is not in [0, 1]
Picture to_picture(const char* where, const py::object& object);

py::array_t<std::uint8_t> image_to_numpy(const MnistImage& image);

}  // namespace digitnet::python
