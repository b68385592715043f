#include "bindings.hpp"
#include "drawing.hpp"
#include "picture.hpp"

#include <digitnet/preprocess.hpp>

namespace digitnet::python {
namespace {

constexpr const char* drawing_doc = R"doc(
What somebody drew with a pen, a finger or a mouse.

Args:
    strokes: for each stroke its points: [[[x, y], ...], ...], or arrays (n, 2). x points right, y down; any unit.
    width: of the canvas, in the same unit; 0 if unknown.
    height: likewise.
    brush: diameter of the pen, likewise.
    label: what it shows, 0 to 255, if that is known.

Raises:
    ArgumentError: if a number is not finite or beyond 1e9, or there are more than 1,000,000 points or 100,000
        strokes; the message names stroke and point.
)doc";

constexpr const char* read_drawings_doc = R"doc(
Read drawings from a file of JSON lines, plain or gzip, or from one JSON document.

A line is {"label": 7, "strokes": [[[x, y], ...], ...]}, also with "width", "height" and "brush", or a list of
strokes alone. Other keys are ignored.

Raises:
    IoError: if the file cannot be read.
    FormatError: if it is damaged or breaks a rule; the message says in which line.
)doc";

constexpr const char* load_drawings_doc = R"doc(
Load the drawings of a file as a Dataset, each as to_mnist_image makes it.

Args:
    path: a file as read_drawings takes; every drawing needs its label.
    classes: number of classes, 2 to 256.
    pen_diameter: of the pen that draws the strokes, in pixels of the 28 x 28 image.

Raises:
    IoError, FormatError: as read_drawings, and if a label is missing or out of range.
)doc";

constexpr const char* to_mnist_image_doc = R"doc(
Make strokes an image like those of MNIST.

They are drawn anew with a round pen of a fixed size, scaled so that the ink fits a box of 20 x 20 with its aspect
kept, and the centre of mass is moved to the middle of the 28 x 28 image. Place, unit, order, direction and density
of points do not matter.

Args:
    drawing: a Drawing, or strokes [[[x, y], ...], ...], y down.
    pen_diameter: in pixels of the image, 0.5 to 8.

Returns:
    uint8 (28, 28), 255 for full ink; all 0 if there are no points.

Raises:
    ArgumentError: if a number is not finite or out of range.
)doc";

/// A short text of what was given, for messages.
std::string shown(py::handle object) { return detail::shortened(py::repr(object).cast<std::string>()); }

/// Counts from 0: "to_mnist_image: stroke 2, point 17".
std::string place(const char* where, std::size_t stroke, std::size_t point) {
  return detail::text(where, ": stroke ", stroke, ", point ", point);
}

double coordinate(const char* where, std::size_t stroke, std::size_t point, char name, PyObject* value) {
  const double number = PyFloat_AsDouble(value);
  if (number == -1 && PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    throw py::type_error(
        detail::text(place(where, stroke, point), ": ", name, " is ", shown(value), ", expected a number"));
  }
  return number;
}

Stroke stroke_of_array(const char* where, std::size_t number, const py::array& array) {
  if (array.ndim() != 2 || array.shape(1) != 2) {
    if (array.size() == 0) return {};
    throw ArgumentError(
        detail::text(where, ": stroke ", number, " is an array of ", array_text(array), ", expected (points, 2)"));
  }
  const auto numbers = to_array_of<double>(where, array);
  Stroke stroke(static_cast<std::size_t>(numbers.shape(0)));
  const double* values = numbers.data();
  for (std::size_t i = 0; i < stroke.size(); ++i) stroke[i] = {values[2 * i], values[2 * i + 1]};
  return stroke;
}

/// The elements of a list, tuple or other sequence, or none if it is no sequence.
py::object elements_of(py::handle object) {
  const bool is_sequence =
      PySequence_Check(object.ptr()) != 0 && !py::isinstance<py::str>(object) && !py::isinstance<py::bytes>(object);
  py::object elements;
  if (is_sequence) elements = py::reinterpret_steal<py::object>(PySequence_Fast(object.ptr(), ""));
  if (!elements) PyErr_Clear();
  return elements;
}

Stroke stroke_of(const char* where, std::size_t number, py::handle object) {
  if (py::isinstance<py::array>(object)) {
    return stroke_of_array(where, number, py::reinterpret_borrow<py::array>(object));
  }
  const py::object points = elements_of(object);
  if (!points) {
    throw ArgumentError(detail::text(where, ": stroke ", number, " is ", shown(object),
                                     ", expected a list of points, [[x, y], ...]"));
  }
  const auto count = static_cast<std::size_t>(PySequence_Fast_GET_SIZE(points.ptr()));
  Stroke stroke;
  stroke.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    PyObject* point = PySequence_Fast_GET_ITEM(points.ptr(), static_cast<Py_ssize_t>(i));
    const py::object numbers = elements_of(point);
    if (!numbers || PySequence_Fast_GET_SIZE(numbers.ptr()) != 2) {
      const bool is_number = PyNumber_Check(point) != 0 && !numbers;
      throw ArgumentError(detail::text(place(where, number, i), " is ", shown(point),
                                       ", expected two numbers, [x, y]",
                                       is_number ? "; a single stroke is [[[x, y], ...]]" : ""));
    }
    stroke.push_back({coordinate(where, number, i, 'x', PySequence_Fast_GET_ITEM(numbers.ptr(), 0)),
                      coordinate(where, number, i, 'y', PySequence_Fast_GET_ITEM(numbers.ptr(), 1))});
  }
  return stroke;
}

py::list strokes_to_python(const Drawing& drawing) {
  py::list strokes;
  for (const Stroke& stroke : drawing.strokes) {
    py::array_t<double> array({static_cast<py::ssize_t>(stroke.size()), py::ssize_t{2}});
    double* values = array.mutable_data();
    for (std::size_t i = 0; i < stroke.size(); ++i) {
      values[2 * i] = stroke[i].x;
      values[2 * i + 1] = stroke[i].y;
    }
    strokes.append(array);
  }
  return strokes;
}

std::string describe(const Drawing& drawing) {
  std::size_t points = 0;
  for (const Stroke& stroke : drawing.strokes) points += stroke.size();
  const std::string label = drawing.label ? detail::text(", label ", *drawing.label) : "";
  return detail::text("<digitnet.Drawing: ", drawing.strokes.size(), " strokes of ", points, " points", label, ">");
}

}  // namespace

bool tag::Strokes::check(py::handle object) {
  if (py::isinstance<Drawing>(object) || py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
    return true;
  }
  if (!py::isinstance<py::array>(object)) return false;
  const auto array = py::reinterpret_borrow<py::array>(object);
  const bool bytes = array.dtype().kind() == 'u' && array.itemsize() == 1;
  return !bytes && array.ndim() == 3 && array.shape(2) == 2;
}

Drawing to_drawing(const char* where, const py::object& strokes) {
  if (py::isinstance<Drawing>(strokes)) return strokes.cast<const Drawing&>();
  const py::object elements = elements_of(strokes);
  if (!elements) {
    throw ArgumentError(
        detail::text(where, ": strokes is ", shown(strokes), ", expected a list of strokes, [[[x, y], ...], ...]"));
  }
  Drawing drawing;
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(elements.ptr());
  for (Py_ssize_t i = 0; i < count; ++i) {
    drawing.strokes.push_back(
        stroke_of(where, static_cast<std::size_t>(i), PySequence_Fast_GET_ITEM(elements.ptr(), i)));
  }
  return drawing;
}

void bind_drawing(py::module_& m) {
  py::class_<Drawing>(m, "Drawing", drawing_doc)
      .def(py::init([](const StrokesObject& strokes, double width, double height, double brush,
                       std::optional<std::uint8_t> label) {
             Drawing drawing = to_drawing("Drawing", strokes);
             drawing.width = width;
             drawing.height = height;
             drawing.brush = brush;
             drawing.label = label;
             require_valid("Drawing", drawing);
             return drawing;
           }),
           py::arg("strokes"), py::arg("width") = 0.0, py::arg("height") = 0.0, py::arg("brush") = 0.0,
           py::arg("label") = std::nullopt)
      .def("__repr__", &describe)
      .def(
          "__eq__", [](const Drawing& one, const Drawing& other) { return one == other; }, py::is_operator())
      .def_property_readonly("strokes", &strokes_to_python, "A copy: for each stroke float64 (points, 2).")
      .def_readonly("width", &Drawing::width, "Width of the canvas, 0 if unknown.")
      .def_readonly("height", &Drawing::height, "Height of the canvas, 0 if unknown.")
      .def_readonly("brush", &Drawing::brush, "Diameter of the pen, 0 if unknown.")
      .def_readonly("label", &Drawing::label, "What it shows, None if unknown.")
      .attr("__hash__") = py::none();

  m.def("read_drawings", &read_drawings, py::arg("path"), py::call_guard<py::gil_scoped_release>(),
        read_drawings_doc);
  m.def(
      "write_drawings",
      [](const std::filesystem::path& path, const std::vector<Drawing>& drawings) { write_drawings(path, drawings); },
      py::arg("path"), py::arg("drawings"), py::call_guard<py::gil_scoped_release>(),
      "Write drawings as read_drawings reads them, one a line; packed if the name ends in .gz.\n\n"
      "Raises:\n    IoError: if the file cannot be written.");
  m.def(
      "segment_digits",
      [](const StrokesObject& strokes) {
        const Drawing drawing = to_drawing("segment_digits", strokes);
        return without_gil([&] { return segment_digits(drawing); });
      },
      py::arg("drawing"),
      "The digits of a number written on one canvas, from left to right: strokes above one another belong together.");
  m.def("load_drawings", &load_drawings, py::arg("path"), py::arg("classes") = 10,
        py::arg("pen_diameter") = mnist_pen_diameter, py::call_guard<py::gil_scoped_release>(), load_drawings_doc);
  m.def(
      "to_mnist_image",
      [](const StrokesObject& strokes, double pen_diameter) {
        const Drawing drawing = to_drawing("to_mnist_image", strokes);
        return image_to_numpy(without_gil([&] { return to_mnist_image(drawing, pen_diameter); }));
      },
      py::arg("drawing"), py::arg("pen_diameter") = mnist_pen_diameter, to_mnist_image_doc);
}

}  // namespace digitnet::python
