#include "bindings.hpp"
#include "picture.hpp"

namespace digitnet::python {
namespace {

constexpr const char* to_mnist_image_doc = R"doc(
Make a drawing on a picture of any size an image like those of MNIST.

The ink is cropped, scaled to fit a box of 20 x 20 with its aspect kept, and its centre of mass moved to the
middle of the 28 x 28 image. Black on white and white on black are told apart by the border.

Args:
    picture: uint8 (height, width), or (height, width, channels) with 1 to 4 channels: grey, grey and alpha,
        RGB, RGB and alpha.

Returns:
    uint8 (28, 28), 255 for full ink; all 0 if there is no ink.

Raises:
    ShapeError: if the picture has another type or shape, or no pixels.
)doc";

}  // namespace

Picture to_picture(const char* where, const py::object& object) {
  const py::array array = to_array(where, object);
  if (array.size() == 0) {
    throw ShapeError(
        detail::text(where, ": an empty picture, of ", array_text(array), ", expected at least one pixel"));
  }
  const bool bytes = array.dtype().kind() == 'u' && array.itemsize() == 1;
  const std::size_t channels = array.ndim() == 3 ? static_cast<std::size_t>(array.shape(2)) : 1;
  if (!bytes || (array.ndim() != 2 && array.ndim() != 3) || channels < 1 || channels > 4) {
    throw ShapeError(detail::text(where, ": a picture of ", array_text(array),
                                  ", expected uint8 (height, width) or (height, width, 1 to 4 channels)",
                                  array.dtype().kind() == 'f' ? "; ink in [0, 1] becomes that by (255 * ink).round()"
                                                                ".astype(numpy.uint8)"
                                                              : ""));
  }
  const auto pixels = to_array_of<std::uint8_t>(where, array);
  return {static_cast<std::size_t>(array.shape(1)),
          static_cast<std::size_t>(array.shape(0)),
          channels,
          {pixels.data(), pixels.data() + pixels.size()}};
}

py::array_t<std::uint8_t> image_to_numpy(const MnistImage& image) {
  const auto side = static_cast<py::ssize_t>(mnist_side);
  return py::array_t<std::uint8_t>({side, side}, image.data());
}

void bind_preprocess(py::module_& m) {
  m.def(
      "read_picture",
      [](const std::filesystem::path& path) {
        const Picture picture = without_gil([&] { return read_picture(path); });
        std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(picture.height),
                                       static_cast<py::ssize_t>(picture.width)};
        if (picture.channels > 1) shape.push_back(static_cast<py::ssize_t>(picture.channels));
        return py::array_t<std::uint8_t>(shape, picture.pixels.data());
      },
      py::arg("path"),
      "Read a PNG, JPEG or PGM file: uint8 (height, width) or (height, width, channels).\n\n"
      "Raises:\n    IoError, FormatError: if it cannot be read.");
  m.def(
      "to_mnist_image",
      [](const ArrayObject& array) {
        const Picture picture = to_picture("to_mnist_image", array);
        return image_to_numpy(without_gil([&] { return to_mnist_image(picture); }));
      },
      py::arg("picture"), to_mnist_image_doc);
}

}  // namespace digitnet::python
