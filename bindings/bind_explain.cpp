#include "bindings.hpp"
#include "numpy_bridge.hpp"
#include "picture.hpp"

#include <digitnet/explain.hpp>

#include <algorithm>

namespace digitnet::python {
namespace {

constexpr const char* input_gradient_doc = R"doc(
Gradient of sum_k dz_k z_k with respect to the inputs, for each sample; z are the logits.

With dz all 0 but a 1 for one class, it is the gradient of that class's logit (Simonyan et al. 2013).

Args:
    network: any network.
    images: samples as for Network.predict.
    dz: array (batch, outputs).

Returns:
    float32 (batch, inputs).

Raises:
    ShapeError: if the shapes do not fit the network and each other.
)doc";

constexpr const char* ink_contributions_doc = R"doc(
Which ink spoke for a digit and which against it: gradient times input of a margin between logits.

The margin is the logit of the digit less that of another, or less the mean of all others (Shrikumar et al. 2016). For
layers of relu, leaky_relu and identity, what the pixels do not explain is exactly the part of the biases.

Args:
    network: any network of at least 2 outputs.
    image: uint8 or float32 array of as many numbers as the network has inputs, such as (28, 28) or (784,).
    digit: whose margin it is.
    against: the digit it is compared with; None takes the mean of all others.

Raises:
    ShapeError: if image has another size.
    ArgumentError: if a digit is out of range, or both are the same.
)doc";

constexpr const char* likeliest_digits_doc = R"doc(
The likeliest readings of an image, the likeliest first, each with its margin to the best of the others.

Args:
    network: a network with probabilities.
    image: as for ink_contributions.
    count: how many.

Raises:
    ShapeError: if image has another size.
    ArgumentError: if count is not 1 to the number of outputs, or the network gives no probabilities.
)doc";

constexpr const char* nearest_samples_doc = R"doc(
The samples nearest to an image, the nearest first; of equally near ones the smaller index first.

Args:
    image: as many numbers as a sample has; uint8 if the data are bytes (distances are then exact), else float32.
    data: a Dataset, for instance the training set, or hidden_features of it.
    count: how many.
    threads: how many to use; 0 takes default_threads(). The result is the same for any number.

Raises:
    ShapeError: if image has another size.
    ArgumentError: if one of image and data is bytes and the other is not.
)doc";

constexpr const char* hidden_features_doc = R"doc(
Activations of the last hidden layer as a Dataset with the same labels.

nearest_samples among these finds what looks alike to the network.

Args:
    network: a network with a hidden layer.
    data: a Dataset, or samples as for Network.predict (their labels are then 0).
    threads: how many to use; 0 takes default_threads().

Raises:
    ShapeError: if the samples do not fit the network.
    ArgumentError: if it has no hidden layer.
)doc";

constexpr const char* turned_into_doc = R"doc(
"Make it a 7": a small change of a drawing that makes the network read it as the wanted digit.

Steps go up the smoothed gradient of the digit's probability, adding ink only near ink, until the reading holds, also when
the picture is moved by a pixel; then the faintest changes are taken back. It is a small change, not proved to be the
smallest, and shows what this network takes for the digit (after Wachter et al. 2017).

Args:
    network: of 28 x 28 inputs, with probabilities.
    image: uint8 (28, 28) or (784,).
    digit: the wanted one.
    probability: that it has at last, between 0 and 1.
    most_steps: when to give up.
    step: Euclidean length of one step, where full ink of one pixel is 1.
    reach: how far from ink new ink may be, in pixels.

Returns:
    What was found, also if the probability was not reached: `succeeded` says so.

Raises:
    ShapeError: if the network or the image is not 28 x 28.
    ArgumentError: if an argument is out of range, or the network gives no probabilities.
)doc";

/// One image, whatever its shape, as a data set of one sample.
Dataset to_sample(const char* where, const py::object& object, std::size_t inputs) {
  py::array array = to_array(where, object);
  if (static_cast<std::size_t>(array.size()) != inputs) {
    throw ShapeError(
        detail::text(where, ": an image of ", array_text(array), ", expected ", inputs, " numbers in all"));
  }
  return to_samples(where, array.reshape({py::ssize_t{1}, array.size()}));
}

std::vector<float> to_numbers(const char* where, const py::object& object, std::size_t inputs) {
  std::vector<float> numbers(inputs);
  to_sample(where, object, inputs).copy_sample(0, std::span<float>(numbers));
  return numbers;
}

/// (28, 28) if the network takes images, else (inputs,).
py::array_t<float> to_image_array(const std::vector<float>& numbers) {
  py::array_t<float> array(static_cast<py::ssize_t>(numbers.size()), numbers.data());
  const py::ssize_t side = mnist_side;
  if (array.size() == side * side) return array.reshape({side, side});
  return array;
}

py::array_t<float> gradient(const Network<float>& network, const ImagesObject& images, const ArrayObject& object) {
  const Dataset samples = to_samples("input_gradient", images);
  const auto dz = to_array_of<float>("input_gradient", object);
  if (dz.ndim() != 2) {
    throw ShapeError(detail::text("input_gradient: dz of ", array_text(dz), ", expected shape (batch, outputs)"));
  }
  Matrix<float> weights =
      Matrix<float>::from_shape({static_cast<std::size_t>(dz.shape(0)), static_cast<std::size_t>(dz.shape(1))});
  std::copy_n(dz.data(), weights.size(), weights.data());
  return to_numpy(without_gil([&] { return input_gradient(network, samples.to_matrix<float>(), weights); }));
}

std::vector<Neighbor> nearest(const ArrayObject& image, const Dataset& data, std::size_t count, std::size_t threads) {
  if (data.empty()) return {};
  const Dataset sample = to_sample("nearest_samples", image, data.inputs());
  return without_gil([&] {
    return sample.has_bytes() ? nearest_samples(sample.pixels(0), data, count, threads)
                              : nearest_samples(sample.numbers(0), data, count, threads);
  });
}

Turned turn(const Network<float>& network, const ArrayObject& object, std::size_t digit, double probability,
            std::size_t most_steps, double step, double reach) {
  const Dataset sample = to_sample("turned_into", object, mnist_side * mnist_side);
  if (!sample.has_bytes()) {
    throw ShapeError(detail::text("turned_into: an image of ", array_text(to_array("turned_into", object)),
                                  ", expected uint8 (28, 28)"));
  }
  MnistImage image{};
  std::copy_n(sample.pixels(0).data(), image.size(), image.begin());
  return without_gil([&] { return turned_into(network, image, digit, {probability, most_steps, step, reach}); });
}

}  // namespace

void bind_explain(py::module_& m) {
  using Contributions = InkContributions<float>;
  py::class_<Contributions>(m, "InkContributions",
                            "What each pixel had to say in the question \"this digit, or that?\".")
      .def_property_readonly(
          "ink", [](const Contributions& found) { return to_image_array(found.ink); },
          "float32, (28, 28) if the network takes so many: above 0 spoke for the digit, below 0 against it.")
      .def_readonly("margin", &Contributions::margin,
                    "Logit of the digit less that of the other, or less the mean of all others.")
      .def_readonly("rest", &Contributions::rest, "What is not in any pixel: margin less the sum of ink.")
      .def("__repr__", [](const Contributions& found) {
        return detail::text("<digitnet.InkContributions: margin ", found.margin, ", rest ", found.rest, ">");
      });

  py::class_<RankedDigit>(m, "RankedDigit", "A possible reading of an image.")
      .def_readonly("digit", &RankedDigit::digit)
      .def_readonly("probability", &RankedDigit::probability, "In [0, 1].")
      .def_readonly("probability_margin", &RankedDigit::probability_margin,
                    "Probability less the largest among the other digits.")
      .def_readonly("logit_margin", &RankedDigit::logit_margin,
                    "The same for logits, in nats: for softmax the log of the ratio.")
      .def("__repr__", [](const RankedDigit& ranked) {
        return detail::text("<digitnet.RankedDigit: ", ranked.digit, ", probability ", ranked.probability,
                            ", logit margin ", ranked.logit_margin, ">");
      });

  py::class_<Neighbor>(m, "Neighbor", "A sample near another one.")
      .def_readonly("sample", &Neighbor::sample, "Its index in the data.")
      .def_readonly("label", &Neighbor::label)
      .def_readonly("distance", &Neighbor::distance, "Euclidean; full ink of one pixel is 1.")
      .def("__repr__", [](const Neighbor& neighbor) {
        return detail::text("<digitnet.Neighbor: sample ", neighbor.sample, ", label ", neighbor.label, ", distance ",
                            neighbor.distance, ">");
      });

  py::class_<Turned>(m, "Turned", "A drawing changed so that it is read as another digit.")
      .def_readonly("succeeded", &Turned::succeeded, "Whether the wanted probability was reached.")
      .def_property_readonly(
          "image", [](const Turned& turned) { return image_to_numpy(turned.image); },
          "uint8 (28, 28): the changed drawing.")
      .def_property_readonly(
          "change", [](const Turned& turned) { return to_image_array(turned.change); },
          "float32 (28, 28), in [-1, 1]: above 0 ink to add, below 0 ink to erase.")
      .def_readonly("distance", &Turned::distance, "Euclidean length of change.")
      .def_readonly("added", &Turned::added, "Sum of the ink added, in pixels full of ink.")
      .def_readonly("erased", &Turned::erased, "Sum of the ink erased, likewise.")
      .def_readonly("probability", &Turned::probability, "Of the wanted digit for `image`.")
      .def_readonly("steps", &Turned::steps, "How many were taken.")
      .def("__repr__", [](const Turned& turned) {
        return detail::text("<digitnet.Turned: ", turned.succeeded ? "succeeded" : "not succeeded", ", probability ",
                            turned.probability, ", distance ", turned.distance, ">");
      });

  m.def("input_gradient", &gradient, py::arg("network"), py::arg("images"), py::arg("dz"), input_gradient_doc);
  m.def(
      "ink_contributions",
      [](const Network<float>& network, const ImageObject& image, std::size_t digit,
         std::optional<std::size_t> against) {
        const std::vector<float> numbers = to_numbers("ink_contributions", image, network.inputs());
        return without_gil([&] { return ink_contributions(network, numbers, digit, against); });
      },
      py::arg("network"), py::arg("image"), py::arg("digit"), py::arg("against") = py::none(), ink_contributions_doc);
  m.def(
      "likeliest_digits",
      [](const Network<float>& network, const ImageObject& image, std::size_t count) {
        const std::vector<float> numbers = to_numbers("likeliest_digits", image, network.inputs());
        return without_gil([&] { return likeliest_digits(network, numbers, count); });
      },
      py::arg("network"), py::arg("image"), py::arg("count") = 3, likeliest_digits_doc);
  m.def("nearest_samples", &nearest, py::arg("image"), py::arg("data"), py::arg("count") = 5, py::arg("threads") = 0,
        nearest_samples_doc);
  m.def(
      "hidden_features",
      [](const Network<float>& network, const ImagesObject& data, std::size_t threads) {
        const Dataset samples = to_samples("hidden_features", data);
        return without_gil([&] { return hidden_features(network, samples, threads); });
      },
      py::arg("network"), py::arg("data"), py::arg("threads") = 0, hidden_features_doc);
  const TurnOptions defaults;
  m.def("turned_into", &turn, py::arg("network"), py::arg("image"), py::arg("digit"), py::kw_only(),
        py::arg("probability") = defaults.probability, py::arg("most_steps") = defaults.most_steps,
        py::arg("step") = defaults.step, py::arg("reach") = defaults.reach, turned_into_doc);
}

}  // namespace digitnet::python
