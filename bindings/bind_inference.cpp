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

}  // namespace

void bind_inference(py::module_& m) {
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
