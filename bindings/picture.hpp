// picture.hpp: pictures and MNIST images between NumPy and digitnet.
#pragma once

#include "numpy_bridge.hpp"

#include <digitnet/preprocess.hpp>

namespace digitnet::python {

/// uint8 (height, width) or (height, width, channels).
/// @throws ShapeError  if the array is of another type or shape, or has no pixels
Picture to_picture(const char* where, const py::object& object);

py::array_t<std::uint8_t> image_to_numpy(const MnistImage& image);

}  // namespace digitnet::python
