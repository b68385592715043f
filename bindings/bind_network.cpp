#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/metrics.hpp>
#include <digitnet/network.hpp>
#include <digitnet/serialization.hpp>

namespace digitnet::python {
namespace {

constexpr const char* network_doc = R"doc(
Dense layers in a row.

All questions may be asked by many threads at once. Images are a Dataset, or an array: uint8 (n, 28, 28) or
(n, 784), or float of either shape with ink in [0, 1]; C-contiguous arrays are not copied.

Args:
    sizes: inputs, units of each hidden layer, outputs: [784, 128, 10].
    activation: of the hidden layers: one name for all, or a list with one for each. Names are in ACTIVATIONS.
    output_activation: of the last layer.
    loss: what training makes small, a name in LOSSES: softmax_cross_entropy goes with a last layer of softmax,
        binary_cross_entropy with sigmoid, hinge with any but these two, sum_of_squares and huber with any.
    seed: of the first weights.
    initializer: how they are drawn, a name in INITIALIZERS; None takes what suits each layer's activation.

Raises:
    ArgumentError: if the sizes or names make no network, or the loss does not go with the last layer.
)doc";

constexpr const char* predict_proba_doc = R"doc(
Probability of each class, for each image.

Args:
    images: see the class.
    threads: how many to use, 0 for all; the numbers are the same bits for any.

Returns:
    float32 array of shape (n, outputs); every row sums to 1.

Raises:
    ShapeError: if the images do not have the network's number of inputs.
    ArgumentError: if the last layer is neither softmax nor sigmoid.
)doc";

constexpr const char* save_doc = R"doc(
Save as a safetensors file, which appears whole or not at all.

Args:
    path: of the file.
    precision: "full" for float32, "half" for float16: half the size, three digits of each weight.

Raises:
    ArgumentError: if a weight is not finite, or too large for half precision.
    IoError: if the file cannot be written; an older file stays as it was.
)doc";

constexpr const char* load_doc = R"doc(
Load a file that save wrote. Nothing in it is trusted, and no code in it is ever run.

Raises:
    IoError: if the file cannot be read.
    FormatError: if it breaks a rule of the format; the message says which and where.
)doc";

std::vector<Activation> hidden_activations(const NamesObject& names, std::size_t layers) {
  if (py::isinstance<py::str>(names)) return {layers, activation_from_name(names.cast<std::string>(), "Network")};
  std::vector<Activation> activations;
  for (const std::string& name : names.cast<std::vector<std::string>>()) {
    activations.push_back(activation_from_name(name, "Network"));
  }
  if (activations.size() != layers) {
    throw ArgumentError(detail::text("Network: ", activations.size(), " activations, expected ", layers,
                                     ", one for each hidden layer"));
  }
  return activations;
}

Network<float> make_network(const std::vector<std::size_t>& sizes, const NamesObject& activation,
                            const std::string& output_activation, const std::string& loss, std::uint64_t seed,
                            const std::optional<std::string>& initializer) {
  Architecture architecture{sizes, {}, loss_from_name(loss, "Network")};
  if (sizes.size() >= 2) {  // else the check says what is wrong
    architecture.activations = hidden_activations(activation, std::min(sizes.size() - 2, most_layers));
    architecture.activations.push_back(activation_from_name(output_activation, "Network"));
  }
  Rng rng(seed);
  std::optional<Initializer> chosen;
  if (initializer) chosen = initializer_from_name(*initializer, "Network");
  return without_gil([&] { return Network<float>(architecture, rng, chosen); });
}

/// A function of Network that takes samples and threads, as a Python method.
template <class Ask>
auto asking(const char* where, Ask ask) {
  return [where, ask](const Network<float>& network, const ImagesObject& images, std::size_t threads) {
    const Dataset samples = to_samples(where, images);
    return to_numpy(without_gil([&] { return ask(network, samples, threads); }));
  };
}

FloatArrayList activations_of(const Network<float>& network, const ImagesObject& images) {
  const Dataset samples = to_samples("activations", images);
  std::vector<Matrix<float>> activations =
      without_gil([&] { return network.activations(samples.to_matrix<float>()); });
  FloatArrayList list;
  for (Matrix<float>& layer : activations) list.append(to_numpy(std::move(layer)));
  return list;
}

Evaluation evaluate_on(const Network<float>& network, const Dataset& data, std::size_t threads) {
  return without_gil([&] { return evaluate(network, data, threads); });
}

/// The parameters of a layer as an array that shares their memory; `self` keeps them alive.
template <class Array>
py::array_t<float> parameters(const py::object& self, Array& array) {
  const std::vector<py::ssize_t> shape(array.shape().begin(), array.shape().end());
  return py::array_t<float>(shape, array.data(), self);
}

/// Replaces parameters by numbers of the same shape.
template <class Array>
void set_parameters(const char* what, Array& array,
                    const py::array_t<float, py::array::c_style | py::array::forcecast>& from) {
  const std::vector<std::size_t> shape(from.shape(), from.shape() + from.ndim());
  if (shape != std::vector<std::size_t>(array.shape().begin(), array.shape().end())) {
    throw ShapeError(
        detail::text("Dense.", what, ": an array of shape ", shape_text_of(shape), ", expected ", shape_text(array)));
  }
  std::copy_n(from.data(), array.size(), array.data());
}

Precision precision_from_name(const char* where, const std::string& name) {
  if (name == "full") return Precision::full;
  if (name == "half") return Precision::half;
  throw ArgumentError(
      detail::text(where, ": precision \"", detail::shortened(name), R"(", expected "full" or "half")"));
}

py::bytes to_bytes(const Network<float>& network, const std::string& precision) {
  const Precision chosen = precision_from_name("Network.to_bytes", precision);
  const std::vector<std::uint8_t> bytes = without_gil([&] { return network_to_bytes(network, chosen); });
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Network<float> from_bytes(const py::bytes& bytes) {
  const std::string_view view = bytes;
  return network_from_bytes<float>({reinterpret_cast<const std::uint8_t*>(view.data()), view.size()});
}

std::string describe(const Network<float>& network) {
  std::string sizes = std::to_string(network.inputs());
  for (const Dense<float>& layer : network.layers()) {
    sizes += detail::text(" -> ", layer.outputs(), " ", name_of(layer.activation));
  }
  return detail::text("<digitnet.Network: ", sizes, "; ", network.parameter_count(), " parameters>");
}

void bind_layer(py::module_& m) {
  py::class_<Dense<float>>(m, "Dense", "One fully connected layer of a network, a = f(x W + b).")
      .def_property(
          "weights", [](const py::object& self) { return parameters(self, self.cast<Dense<float>&>().weights); },
          [](Dense<float>& layer, const py::array_t<float, py::array::c_style | py::array::forcecast>& from) {
            set_parameters("weights", layer.weights, from);
          },
          "float32 (inputs, outputs), shared: writing into it changes the network.")
      .def_property(
          "bias", [](const py::object& self) { return parameters(self, self.cast<Dense<float>&>().bias); },
          [](Dense<float>& layer, const py::array_t<float, py::array::c_style | py::array::forcecast>& from) {
            set_parameters("bias", layer.bias, from);
          },
          "float32 (outputs), shared: writing into it changes the network.")
      .def_property_readonly(
          "activation", [](const Dense<float>& layer) { return std::string(name_of(layer.activation)); },
          "Name of the activation.")
      .def_property_readonly("inputs", &Dense<float>::inputs)
      .def_property_readonly("outputs", &Dense<float>::outputs)
      .def("__repr__", [](const Dense<float>& layer) {
        return detail::text("<digitnet.Dense: ", layer.inputs(), " -> ", layer.outputs(), " ",
                            name_of(layer.activation), ">");
      });
}

}  // namespace

void bind_network(py::module_& m) {
  m.attr("ACTIVATIONS") = names_tuple(activation_names);
  m.attr("LOSSES") = names_tuple(loss_names);
  m.attr("INITIALIZERS") = names_tuple(initializer_names);
  bind_layer(m);

  py::class_<Network<float>>(m, "Network", network_doc)
      .def(py::init(&make_network), py::arg("sizes"), py::arg("activation") = "relu",
           py::arg("output_activation") = "softmax", py::arg("loss") = "softmax_cross_entropy", py::arg("seed") = 0,
           py::arg("initializer") = std::nullopt)
      .def("predict_proba",
           asking("predict_proba", [](const auto& network, const Dataset& images,
                                      std::size_t threads) { return network.predict_proba(images, threads); }),
           py::arg("images"), py::arg("threads") = 1, predict_proba_doc)
      .def("predict",
           asking("predict", [](const auto& network, const Dataset& images,
                                std::size_t threads) { return network.predict(images, threads); }),
           py::arg("images"), py::arg("threads") = 1, "The most likely class of each image, uint8 (n,).")
      .def("logits",
           asking("logits", [](const auto& network, const Dataset& images,
                               std::size_t threads) { return network.logits(images, threads); }),
           py::arg("images"), py::arg("threads") = 1, "Pre-activations of the last layer, float32 (n, outputs).")
      .def("forward",
           asking("forward", [](const auto& network, const Dataset& images,
                                std::size_t threads) { return network.forward(images, threads); }),
           py::arg("images"), py::arg("threads") = 1, "Activations of the last layer, float32 (n, outputs).")
      .def("activations", &activations_of, py::arg("images"),
           "Activations of every layer, a list of float32 (n, units).")
      .def("evaluate", &evaluate_on, py::arg("data"), py::arg("threads") = 0,
           "Loss, accuracy, confusion matrix, precision, recall and F1 on a Dataset, as an Evaluation.")
      .def_property_readonly(
          "layers",
          [](const py::object& self) {
            auto& network = self.cast<Network<float>&>();
            LayerList layers;
            for (std::size_t i = 0; i < network.layers().size(); ++i) {
              layers.append(py::cast(&network.layer(i), py::return_value_policy::reference_internal, self));
            }
            return layers;
          },
          "The layers, from the first behind the inputs to the outputs.")
      .def_property_readonly(
          "sizes", [](const Network<float>& network) { return network.architecture().sizes; },
          "Inputs, units of each hidden layer, outputs.")
      .def_property_readonly(
          "activation_names",
          [](const Network<float>& network) {
            std::vector<std::string> names;
            for (const Dense<float>& layer : network.layers()) names.emplace_back(name_of(layer.activation));
            return names;
          },
          "Name of each layer's activation.")
      .def_property_readonly(
          "loss", [](const Network<float>& network) { return std::string(name_of(network.loss())); },
          "Name of what training makes small.")
      .def_property_readonly("parameter_count", &Network<float>::parameter_count, "Number of weights and biases.")
      .def_readwrite("metadata", &Network<float>::metadata,
                     "Texts that travel with the model, by key; a copy: assign to change.")
      .def(
          "save",
          [](const Network<float>& network, const std::filesystem::path& path, const std::string& precision) {
            save_network(network, path, precision_from_name("Network.save", precision));
          },
          py::arg("path"), py::arg("precision") = "full", py::call_guard<py::gil_scoped_release>(), save_doc)
      .def_static(
          "load", [](const std::filesystem::path& path) { return load_network<float>(path); }, py::arg("path"),
          py::call_guard<py::gil_scoped_release>(), load_doc)
      .def("to_bytes", &to_bytes, py::arg("precision") = "full", "What save writes.")
      .def_static("from_bytes", &from_bytes, py::arg("bytes"), "What load reads, with the same checks.")
      .def(
          "copy", [](const Network<float>& network) { return network; },
          "A network of its own with the same parameters.")
      .def("__copy__", [](const Network<float>& network) { return network; })
      .def(
          "__deepcopy__", [](const Network<float>& network, const py::object&) { return network; }, py::arg("memo"))
      .def("__repr__", &describe)
      .def(py::pickle([](const Network<float>& network) { return to_bytes(network, "full"); }, &from_bytes));
}

}  // namespace digitnet::python
