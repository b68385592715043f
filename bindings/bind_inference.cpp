#include "bindings.hpp"
#include "picture.hpp"

#include <digitnet/inference.hpp>

namespace digitnet::python {
namespace {

MnistImage to_mnist_bytes(const char* where, const py::object& object) {
  const py::array array = to_array(where, object);
  const bool bytes = array.dtype().kind() == 'u' && array.itemsize() == 1;
  if (!bytes || array.ndim() != 2 || array.shape(0) != 28 || array.shape(1) != 28) {
    throw ShapeError(detail::text(where, ": an image of ", array_text(array),
                                  ", expected uint8 (28, 28); classify takes pictures of any size"));
  }
  const auto pixels = to_array_of<std::uint8_t>(where, array);
  MnistImage image{};
  std::copy_n(pixels.data(), image.size(), image.begin());
  return image;
}

constexpr const char* predictor_doc = R"doc(
A network for one image at a time, as fast as that goes: about a microsecond for 784-128-10.

An image is an array of uint8 (255 is full ink) or float32 (ink in [0, 1]), of shape (rows, columns) or (inputs,):
(28, 28) or (784,) for MNIST. It is not copied if it is C-contiguous. Pixels without ink are skipped.

Nothing is converted, allocated or locked on the way, so one Predictor answers one question at a time. Threads that
share one take turns, for it keeps the GIL; to read many images with many threads, ask Network.predict.

Args:
    network: is copied; training it later changes nothing here.
)doc";

constexpr const char* quantized_doc = R"doc(
A Predictor whose weights are bytes: a quarter of the memory, and about half the time for an image on processors
with instructions for such products (VNNI).

The weights of a unit become whole numbers in [-127, 127] and a scale. Pixels are bytes as they are; numbers, and the
activations between layers, become bytes for each image. Biases, and the weights of a last layer of at most 16 outputs,
stay float. On the test images of MNIST the answers are as good; see docs/performance.md. Everything else is as in
Predictor.

Args:
    network: is not needed afterwards.

Raises:
    ArgumentError: if a parameter is not finite, or a layer has more than 65536 inputs.
)doc";

constexpr const char* predictor_errors = R"doc(

Raises:
    TypeError: if the image is no array of uint8 or float32.
    ShapeError: if it does not have the network's number of inputs.)doc";

std::string with_errors(const char* doc) { return std::string(doc) + predictor_errors; }

template <class Element, int Flags>
std::span<const Element> elements_of(const py::array_t<Element, Flags>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

template <class Element>
constexpr bool is_array_of(const py::handle& image) {
  return py::isinstance<py::array_t<Element, 0>>(image);
}

/// What is asked about, as bytes or as float: ask(span). As it lies in memory if it lies in order, else copied.
template <class Ask>
auto ask_about(const char* where, std::size_t inputs, const ImageObject& image, const Ask& ask) {
  using Bytes = py::array_t<std::uint8_t, py::array::c_style>;
  using Floats = py::array_t<float, py::array::c_style>;
  const auto wanted = [&] {
    const std::string shape = inputs == mnist_side * mnist_side
                                  ? std::string("(28, 28) or (784,)")
                                  : detail::text("(", inputs, ",) or (rows, columns) of as many");
    return detail::text(", expected an array of uint8 or float32, shape ", shape);
  };
  if (!is_array_of<std::uint8_t>(image) && !is_array_of<float>(image)) {
    const std::string found = py::isinstance<py::array>(image)
                                  ? array_text(py::reinterpret_borrow<py::array>(image))
                                  : detail::text("an object of type ", Py_TYPE(image.ptr())->tp_name);
    throw py::type_error(detail::text(where, ": ", found, wanted()));
  }
  const auto array = py::reinterpret_borrow<py::array>(image);
  if ((array.ndim() != 1 && array.ndim() != 2) || static_cast<std::size_t>(array.size()) != inputs) {
    throw ShapeError(detail::text(where, ": ", array_text(array), wanted()));
  }
  if (is_array_of<std::uint8_t>(image)) return ask(elements_of(py::cast<Bytes>(image)));
  return ask(elements_of(py::cast<Floats>(image)));
}

/// What both kinds of predictor can be asked.
template <class Asked>
void bind_questions(py::class_<Asked>& type, const std::string& name) {
  const auto where = [&name](const char* method) { return std::make_shared<const std::string>(name + "." + method); };
  const auto to_array = [](std::span<const float> numbers) {
    return py::array_t<float>(static_cast<py::ssize_t>(numbers.size()), numbers.data());
  };
  type.def(
          "predict",
          [where = where("predict")](Asked& asked, const ImageObject& image) {
            return ask_about(where->c_str(), asked.inputs(), image,
                             [&](auto sample) { return asked.predict(sample); });
          },
          py::arg("image"), with_errors("The class with the largest output, as Network.predict has it.").c_str())
      .def(
          "predict_proba",
          [where = where("predict_proba"), to_array](Asked& asked, const ImageObject& image) {
            return ask_about(where->c_str(), asked.inputs(), image,
                             [&](auto sample) { return to_array(asked.predict_proba(sample)); });
          },
          py::arg("image"),
          (with_errors("Probability of each class, float32 (outputs,), as Network.predict_proba has it.") +
           "\n    ArgumentError: if the last layer is neither softmax nor sigmoid.")
              .c_str())
      .def(
          "forward",
          [where = where("forward"), to_array](Asked& asked, const ImageObject& image) {
            return ask_about(where->c_str(), asked.inputs(), image,
                             [&](auto sample) { return to_array(asked.forward(sample)); });
          },
          py::arg("image"), with_errors("Activations of the last layer, float32 (outputs,).").c_str())
      .def_property_readonly("inputs", &Asked::inputs)
      .def_property_readonly("outputs", &Asked::outputs)
      .def("__repr__", [name](const Asked& asked) {
        return detail::text("<digitnet.", name, ": ", asked.inputs(), " inputs, ", asked.outputs(), " outputs>");
      });
}

}  // namespace

void bind_inference(py::module_& m) {
  py::class_<Predictor<float>> predictor(m, "Predictor", predictor_doc);
  predictor.def(py::init<Network<float>>(), py::arg("network"));
  bind_questions(predictor, "Predictor");

  py::class_<QuantizedPredictor> quantized(m, "QuantizedPredictor", quantized_doc);
  quantized.def(py::init<const Network<float>&>(), py::arg("network"));
  bind_questions(quantized, "QuantizedPredictor");
  quantized.def_property_readonly("parameter_bytes", &QuantizedPredictor::parameter_bytes,
                                  "Bytes that the parameters take.");

  py::class_<Prediction>(m, "Prediction", "What was read from one drawing.")
      .def_readonly("digit", &Prediction::digit, "None if there was no ink.")
      .def_readonly("probability", &Prediction::probability, "Of this digit, in [0, 1].")
      .def_property_readonly(
          "probabilities",
          [](const Prediction& prediction) -> std::optional<py::array_t<float>> {
            if (!prediction.digit) return std::nullopt;
            return py::array_t<float>(static_cast<py::ssize_t>(prediction.probabilities.size()),
                                      prediction.probabilities.data());
          },
          "float32 (classes); None if there was no ink.")
      .def_property_readonly(
          "image", [](const Prediction& prediction) { return image_to_numpy(prediction.image); },
          "uint8 (28, 28): what the network saw.")
      .def("__repr__", [](const Prediction& prediction) {
        return prediction.digit ? detail::text("<digitnet.Prediction: ", *prediction.digit, ", probability ",
                                               prediction.probability, ">")
                                : std::string("<digitnet.Prediction: no ink>");
      });

  py::class_<Classifier>(m, "Classifier", R"doc(
A network together with the preprocessing it was trained for. Safe from many threads at once.

Args:
    model: a Network that takes 28 x 28 images, or the path of its file.

Raises:
    ShapeError, ArgumentError: if the network takes other inputs or gives no probabilities.
    IoError, FormatError: if the file cannot be loaded.
)doc")
      .def(py::init<Network<float>>(), py::arg("model"))
      .def(py::init([](const std::filesystem::path& model) { return Classifier(model); }), py::arg("model"))
      .def(
          "classify",
          [](const Classifier& classifier, const ArrayObject& picture) {
            const Picture converted = to_picture("Classifier.classify", picture);
            return without_gil([&] { return classifier.classify(converted); });
          },
          py::arg("picture"),
          "Read a drawing anywhere on a picture: uint8 (height, width) or (height, width, channels).")
      .def(
          "classify_image",
          [](const Classifier& classifier, const ArrayObject& object) {
            const MnistImage image = to_mnist_bytes("Classifier.classify_image", object);
            return without_gil([&] { return classifier.classify(image); });
          },
          py::arg("image"), "Read an image that is as MNIST's are, uint8 (28, 28).");
}

}  // namespace digitnet::python
