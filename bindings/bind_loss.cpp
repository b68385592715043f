#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/loss.hpp>

#include <algorithm>
#include <optional>

namespace digitnet::python {
namespace {

constexpr const char* loss_doc = R"doc(
The mean loss of a batch and its gradient, in float64.

With weights w the mean is sum(w * losses) / sum(w): only their ratios count.

Args:
    name: which loss, a name in LOSSES.
    outputs: array (n, classes): logits for softmax_cross_entropy and binary_cross_entropy, else activations.
    labels: whole numbers (n,), each below classes.
    label_smoothing: share of each target that is spread over all classes, at least 0 and below 1; 0 for the hinge.
    sample_weight: array (n,), finite, at least 0, not all 0; None for a weight of 1 each.

Returns:
    The value, and its gradient with respect to the outputs, an array of their shape.

Raises:
    ShapeError: if the shapes do not fit.
    ArgumentError: if the name is unknown, or a label, the smoothing or a weight is out of range.
)doc";

constexpr const char* balanced_class_weights_doc = R"doc(
Class weights under which all classes count alike, however many samples each has.

Args:
    data: what they are for.

Returns:
    float64 (classes): n / (k n_c) for a class with n_c of n samples, where k classes have any; 0 for one without.

Raises:
    ArgumentError: if the data set is empty.
)doc";

constexpr const char* sample_weights_of_doc = R"doc(
The weight of each sample: that of its class.

Args:
    labels: whole numbers (n,), each below classes.
    class_weights: array (classes,), finite, at least 0, not all 0.

Returns:
    float64 (n,), a sample_weight for loss.

Raises:
    ArgumentError: if a label has no weight, or a weight is out of range.
)doc";

std::pair<double, py::array_t<double>> loss_of(const std::string& name, const ArrayObject& outputs,
                                               const ArrayObject& labels, double label_smoothing,
                                               const std::optional<ArrayObject>& sample_weight) {
  const LossFunction loss = loss_from_name(name, "loss");
  const Matrix<double> matrix = to_class_matrix<double>("loss", "outputs", outputs);
  const Labels classes = to_labels("loss", labels);
  std::vector<double> weights;
  if (sample_weight) {
    weights = to_vector("loss", "weights", *sample_weight);
    if (weights.empty()) throw ShapeError("loss: no sample weights, expected as many as samples, or None");
  }
  Loss<double> mean = without_gil([&] { return mean_loss(loss, matrix, classes, label_smoothing, weights); });
  return {mean.value, to_numpy(std::move(mean.gradient))};
}

}  // namespace

void bind_loss(py::module_& m) {
  m.def("loss", &loss_of, py::arg("name"), py::arg("outputs"), py::arg("labels"), py::arg("label_smoothing") = 0.0,
        py::arg("sample_weight") = std::nullopt, loss_doc);
  m.def(
      "balanced_class_weights", [](const Dataset& data) { return to_numpy_vector(balanced_class_weights(data)); },
      py::arg("data"), balanced_class_weights_doc);
  m.def(
      "sample_weights_of",
      [](const ArrayObject& labels, const ArrayObject& class_weights) {
        return to_numpy_vector(sample_weights_of(to_labels("sample_weights_of", labels),
                                                 to_vector("sample_weights_of", "weights", class_weights)));
      },
      py::arg("labels"), py::arg("class_weights"), sample_weights_of_doc);
}

}  // namespace digitnet::python
