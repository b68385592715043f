#include "bindings.hpp"
#include "picture.hpp"

namespace digitnet::python {
namespace {

constexpr const char* to_mnist_image_doc = R"doc(
Make a drawing on a picture of any size an image like those of MNIST.

Ground and ink may be of any two colours; frames, specks and uneven paper are seen to. Strokes thinner or thicker
than nearly all of MNIST's are made as wide as those. Then the ink is scaled to fit a box of 20 x 20 with its aspect
kept, and its centre of mass moved to the middle of the 28 x 28 image. An image of MNIST stays as it is.

Args:
    picture: (height, width), or (height, width, channels) with 1 to 4 channels: grey, grey and alpha, RGB, RGB
        and alpha. uint8; or bool; or uint16, of which the upper 8 bits are taken; or float in [0, 1]. An image of
        Pillow of any mode is fine, too, and is turned as its EXIF data says.

Returns:
    uint8 (28, 28), 255 for full ink; all 0 if there is no ink.

Raises:
    ShapeError: if the picture has another type or shape, or no pixels.
    ArgumentError: if a float is not in [0, 1].
)doc";

constexpr const char* read_picture_doc = R"doc(
Read a PNG, JPEG or binary PGM or PPM file, turned as its EXIF data says.

Args:
    path: the file; or bytes, the content of one.

Returns:
    uint8 (height, width) or (height, width, channels).

Raises:
    IoError: if the file cannot be opened or read.
    FormatError: if it is none of these, damaged, or larger than 10000 pixels a side or 2**26 in all.
)doc";

constexpr const char* segment_digits_doc = R"doc(
Find the digits of a picture with several: line by line from the top, in each line from the left.

Ink that hangs together is one digit, with smaller parts near to it. Digits that touch are not taken apart.

Args:
    picture: as for to_mnist_image.

Returns:
    list of PictureSegment, empty if there is no ink; the picture of each is for to_mnist_image.

Raises:
    ShapeError, ArgumentError: as to_mnist_image.
)doc";

py::array_t<std::uint8_t> picture_to_numpy(const Picture& picture) {
  std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(picture.height), static_cast<py::ssize_t>(picture.width)};
  if (picture.channels > 1) shape.push_back(static_cast<py::ssize_t>(picture.channels));
  return py::array_t<std::uint8_t>(shape, picture.pixels.data());
}

/// An image of Pillow, known by what it can do, in a mode that NumPy shows as one of ours; else the object itself.
/// @param orientation  as its EXIF data says
py::object converted_image(const py::object& object, unsigned& orientation) {
  if (!py::hasattr(object, "mode") || !py::hasattr(object, "convert") || !py::hasattr(object, "getexif"))
    return object;
  const auto mode = py::str(object.attr("mode")).cast<std::string>();
  const py::object tag = object.attr("getexif")().attr("get")(0x0112, 1);
  if (py::isinstance<py::int_>(tag)) orientation = static_cast<unsigned>(tag.cast<std::int64_t>() & 15);
  if (mode == "P" || mode == "PA" || mode == "RGBa") return object.attr("convert")("RGBA");  // palettes may be clear
  if (mode == "1") return object.attr("convert")("L");
  if (mode == "La") return object.attr("convert")("LA");
  if (mode == "L" || mode == "LA" || mode == "RGB" || mode == "RGBA" || mode == "F") return object;
  if (mode.starts_with("I")) return py::module_::import("numpy").attr("asarray")(object).attr("astype")("uint16");
  return object.attr("convert")("RGB");  // CMYK, YCbCr, LAB, HSV, RGBX
}

}  // namespace

Picture to_picture(const char* where, const py::object& object) {
  unsigned orientation = 1;
  const py::array array = to_array(where, object.is_none() ? object : converted_image(object, orientation));
  if (array.size() == 0) {
    throw ShapeError(
        detail::text(where, ": an empty picture, of ", array_text(array), ", expected at least one pixel"));
  }
  const char kind = array.dtype().kind();
  const bool bytes = kind == 'u' && array.itemsize() == 1;
  const bool pairs = kind == 'u' && array.itemsize() == 2;
  const std::size_t channels = array.ndim() == 3 ? static_cast<std::size_t>(array.shape(2)) : 1;
  if ((!bytes && !pairs && kind != 'b' && kind != 'f') || (array.ndim() != 2 && array.ndim() != 3) || channels < 1 ||
      channels > 4) {
    throw ShapeError(detail::text(where, ": a picture of ", array_text(array),
                                  ", expected uint8, uint16, bool or float (height, width) or (height, width, 1 to 4 "
                                  "channels)",
                                  kind == 'i' ? "; .astype(numpy.uint8) makes that of 0 to 255" : ""));
  }
  const auto height = static_cast<std::size_t>(array.shape(0));
  const auto width = static_cast<std::size_t>(array.shape(1));
  if (pairs) {
    const auto values = to_array_of<std::uint16_t>(where, array);
    return detail::turned(
        detail::from_16_bits({values.data(), static_cast<std::size_t>(values.size())}, width, height, channels),
        orientation);
  }
  Picture picture{width, height, channels, {}};
  if (bytes) {
    const auto pixels = to_array_of<std::uint8_t>(where, array);
    picture.pixels.assign(pixels.data(), pixels.data() + pixels.size());
  } else {
    const auto values = to_array_of<double>(where, array);  // of bool, 0 and 1
    picture.pixels.reserve(static_cast<std::size_t>(values.size()));
    for (py::ssize_t i = 0; i < values.size(); ++i) {
      const double value = values.data()[i];
      if (!(value >= 0 && value <= 1)) {
        throw ArgumentError(detail::text(where, ": ", value, " in a picture of ", array_text(array),
                                         ", expected 0 to 1; 0 to 255 is for uint8"));
      }
      picture.pixels.push_back(static_cast<std::uint8_t>(value * 255 + 0.5));
    }
  }
  return detail::turned(std::move(picture), orientation);
}

py::array_t<std::uint8_t> image_to_numpy(const MnistImage& image) {
  const auto side = static_cast<py::ssize_t>(mnist_side);
  return py::array_t<std::uint8_t>({side, side}, image.data());
}

void bind_preprocess(py::module_& m) {
  py::class_<PictureSegment>(m, "PictureSegment", "One of several digits on a picture, as segment_digits finds them.")
      .def_readonly("left", &PictureSegment::left, "Where it is, in pixels of the picture.")
      .def_readonly("top", &PictureSegment::top)
      .def_readonly("width", &PictureSegment::width)
      .def_readonly("height", &PictureSegment::height)
      .def_property_readonly(
          "picture", [](const PictureSegment& segment) { return picture_to_numpy(segment.picture); },
          "It alone, uint8 (height, width): white ink on black with a margin; the whole picture if there is only "
          "one.")
      .def("__repr__", [](const PictureSegment& segment) {
        return detail::text("<digitnet.PictureSegment of ", segment.width, " x ", segment.height, " pixels at (",
                            segment.left, ", ", segment.top, ")>");
      });
  m.def(
      "read_picture",
      [](const py::bytes& content) {
        const auto all = static_cast<std::string_view>(content);  // alive as long as the argument is
        return picture_to_numpy(without_gil([&] {
          return read_picture({reinterpret_cast<const std::uint8_t*>(all.data()), all.size()});
        }));
      },
      py::arg("path"), read_picture_doc);
  m.def(
      "read_picture",
      [](const std::filesystem::path& path) {
        return picture_to_numpy(without_gil([&] { return read_picture(path); }));
      },
      py::arg("path"), "The same for a file.");
  m.def(
      "to_mnist_image",
      [](const ArrayObject& array) {
        const Picture picture = to_picture("to_mnist_image", array);
        return image_to_numpy(without_gil([&] { return to_mnist_image(picture); }));
      },
      py::arg("picture"), to_mnist_image_doc);
  m.def(
      "segment_digits",
      [](const ArrayObject& array) {
        const Picture picture = to_picture("segment_digits", array);
        return without_gil([&] { return segment_digits(picture); });
      },
      py::arg("picture"), segment_digits_doc);
}

}  // namespace digitnet::python
