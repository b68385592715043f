#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/metrics.hpp>

#include <algorithm>

namespace digitnet::python {
namespace {

/// Counts (classes, classes) as C++ wants them.
ConfusionMatrix to_confusion(const char* where, const py::object& object) {
  const py::array array = to_array(where, object);
  const char kind = array.dtype().kind();
  if (array.ndim() != 2 || array.shape(0) != array.shape(1) || (kind != 'u' && kind != 'i')) {
    throw ShapeError(
        detail::text(where, ": an array of ", array_text(array), ", expected counts of shape (classes, classes)"));
  }
  const auto counts = to_array_of<std::int64_t>(where, array);
  if (std::any_of(counts.data(), counts.data() + counts.size(), [](std::int64_t count) { return count < 0; })) {
    throw ArgumentError(detail::text(where, ": a count below 0"));
  }
  const auto classes = static_cast<std::size_t>(array.shape(0));
  ConfusionMatrix confusion = ConfusionMatrix::from_shape({classes, classes});
  std::copy_n(counts.data(), confusion.size(), confusion.data());
  return confusion;
}

std::string describe(const Evaluation& evaluation) {
  return detail::text("<digitnet.Evaluation: ", evaluation.samples, " samples, accuracy ", evaluation.accuracy,
                      ", loss ", evaluation.loss, ">");
}

/// Probabilities (batch, classes) as C++ wants them.
Matrix<double> to_probabilities(const char* where, const py::object& object) {
  const auto array = to_array_of<double>(where, object);
  if (array.ndim() != 2) {
    throw ShapeError(
        detail::text(where, ": probabilities of ", array_text(array), ", expected shape (batch, classes)"));
  }
  Matrix<double> matrix = Matrix<double>::from_shape(
      {static_cast<std::size_t>(array.shape(0)), static_cast<std::size_t>(array.shape(1))});
  std::copy_n(array.data(), matrix.size(), matrix.data());
  return matrix;
}

void bind_confidence(py::module_& m) {
  py::class_<ReliabilityBin>(m, "ReliabilityBin", "The samples whose confidence is in (lower, upper].")
      .def_readonly("lower", &ReliabilityBin::lower)
      .def_readonly("upper", &ReliabilityBin::upper)
      .def_readonly("samples", &ReliabilityBin::samples)
      .def_readonly("confidence", &ReliabilityBin::confidence, "Mean over the samples; 0 if there are none.")
      .def_readonly("accuracy", &ReliabilityBin::accuracy, "Share of them that is right; 0 if there are none.");
  py::class_<CoverageCurve>(m, "CoverageCurve", "Accuracy of the most confident k samples, for k = 1 to all.")
      .def_property_readonly(
          "accuracy", [](const CoverageCurve& curve) { return to_numpy_vector(curve.accuracy); },
          "float64 (batch): [k - 1] is that of the k most confident.")
      .def_readonly("area", &CoverageCurve::area, "Mean of these; 1 if all is right.")
      .def("at", &CoverageCurve::at, py::arg("coverage"),
           "Accuracy of the smallest number of samples that is at least this share, in (0, 1].");
  m.def(
      "reliability_diagram",
      [](const ArrayObject& probabilities, const ArrayObject& labels, std::size_t bins) {
        return reliability_diagram(to_probabilities("reliability_diagram", probabilities),
                                   to_labels("reliability_diagram", labels), bins);
      },
      py::arg("probabilities"), py::arg("labels"), py::arg("bins") = 15,
      "Samples by the largest of their probabilities, in bins of equal width: a list of ReliabilityBin.");
  m.def(
      "expected_calibration_error",
      [](const ArrayObject& probabilities, const ArrayObject& labels, std::size_t bins) {
        return expected_calibration_error(to_probabilities("expected_calibration_error", probabilities),
                                          to_labels("expected_calibration_error", labels), bins);
      },
      py::arg("probabilities"), py::arg("labels"), py::arg("bins") = 15,
      "Mean over the samples of |accuracy - confidence| of their bin (Guo et al. 2017).");
  m.def(
      "coverage_curve",
      [](const ArrayObject& confidences, const ArrayObject& predicted, const ArrayObject& labels) {
        return coverage_curve(to_vector("coverage_curve", "confidences", confidences),
                              to_labels("coverage_curve", predicted), to_labels("coverage_curve", labels));
      },
      py::arg("confidences"), py::arg("predicted"), py::arg("labels"),
      "What is gained by not answering where confidence is low, as a CoverageCurve.");
  m.def(
      "auroc",
      [](const ArrayObject& positives, const ArrayObject& negatives) {
        return auroc(to_vector("auroc", "positives", positives), to_vector("auroc", "negatives", negatives));
      },
      py::arg("positives"), py::arg("negatives"),
      "Area under the ROC curve: the probability that a positive scores higher than a negative, ties half.");
  m.def(
      "acceptance_rate",
      [](const ArrayObject& scores, double threshold) {
        return acceptance_rate(to_vector("acceptance_rate", "scores", scores), threshold);
      },
      py::arg("scores"), py::arg("threshold"), "The share of scores that reach a threshold.");
  m.def(
      "threshold_accepting",
      [](double share, const ArrayObject& scores) {
        return threshold_accepting(share, to_vector("threshold_accepting", "scores", scores));
      },
      py::arg("share"), py::arg("scores"), "The largest threshold that at least this share of the scores reaches.");
}

}  // namespace

void bind_metrics(py::module_& m) {
  py::class_<Evaluation>(m, "Evaluation", "How a network does on a data set.")
      .def_readonly("samples", &Evaluation::samples)
      .def_readonly("loss", &Evaluation::loss, "Mean of the network's own loss, without smoothing or weights.")
      .def_readonly("accuracy", &Evaluation::accuracy, "Share of samples read correctly, in [0, 1].")
      .def_readonly("top_2_accuracy", &Evaluation::top_2_accuracy,
                    "Share of samples whose label is among the two likeliest.")
      .def_property_readonly(
          "confusion", [](const Evaluation& evaluation) { return to_numpy(ConfusionMatrix(evaluation.confusion)); },
          "uint64 (classes, classes), row the label, column the prediction.")
      .def_property_readonly(
          "precision", [](const Evaluation& evaluation) { return to_numpy_vector(evaluation.precision); },
          "float64 (classes): of the samples predicted to be of a class, the share that are.")
      .def_property_readonly(
          "recall", [](const Evaluation& evaluation) { return to_numpy_vector(evaluation.recall); },
          "float64 (classes): of the samples of a class, the share predicted to be.")
      .def_property_readonly(
          "f1", [](const Evaluation& evaluation) { return to_numpy_vector(evaluation.f1); },
          "float64 (classes): the harmonic mean of precision and recall.")
      .def_readonly("macro_precision", &Evaluation::macro_precision,
                    "Mean of precision over the classes, each counting alike.")
      .def_readonly("macro_recall", &Evaluation::macro_recall,
                    "Mean of recall over the classes, each counting alike.")
      .def_readonly("macro_f1", &Evaluation::macro_f1, "Mean of F1 over the classes, each counting alike.")
      .def("__repr__", &describe);

  m.def(
      "accuracy",
      [](const ArrayObject& predicted, const ArrayObject& labels) {
        return accuracy(to_labels("accuracy", predicted), to_labels("accuracy", labels));
      },
      py::arg("predicted"), py::arg("labels"), "The share of labels that were predicted, in [0, 1].");
  m.def(
      "top_k_accuracy",
      [](const ArrayObject& object, const ArrayObject& labels, std::size_t k) {
        const auto outputs = to_array_of<float>("top_k_accuracy", object);
        if (outputs.ndim() != 2) {
          throw ShapeError(
              detail::text("top_k_accuracy: outputs of ", array_text(outputs), ", expected shape (batch, classes)"));
        }
        Matrix<float> matrix = Matrix<float>::from_shape(
            {static_cast<std::size_t>(outputs.shape(0)), static_cast<std::size_t>(outputs.shape(1))});
        std::copy_n(outputs.data(), matrix.size(), matrix.data());
        return top_k_accuracy(matrix, to_labels("top_k_accuracy", labels), k);
      },
      py::arg("outputs"), py::arg("labels"), py::arg("k"),
      "The share of samples whose label is among the k largest outputs, in [0, 1].");
  m.def(
      "confusion_matrix",
      [](const ArrayObject& predicted, const ArrayObject& labels, std::size_t classes) {
        return to_numpy(confusion_matrix(to_labels("confusion_matrix", predicted),
                                         to_labels("confusion_matrix", labels), classes));
      },
      py::arg("predicted"), py::arg("labels"), py::arg("classes") = 10,
      "uint64 (classes, classes): counts of samples by label (row) and prediction (column).");
  m.def(
      "precision",
      [](const ArrayObject& confusion) { return to_numpy_vector(precision(to_confusion("precision", confusion))); },
      py::arg("confusion"), "Of the samples predicted to be of a class, the share that are; 0 where none was.");
  m.def(
      "recall",
      [](const ArrayObject& confusion) { return to_numpy_vector(recall(to_confusion("recall", confusion))); },
      py::arg("confusion"), "Of the samples of a class, the share predicted to be; 0 where there are none.");
  m.def(
      "f1", [](const ArrayObject& confusion) { return to_numpy_vector(f1(to_confusion("f1", confusion))); },
      py::arg("confusion"), "The harmonic mean of precision and recall of each class; 0 where both are.");
  bind_confidence(m);
  m.def(
      "macro_average",
      [](const ArrayObject& of_classes, const ArrayObject& confusion) {
        return macro_average(to_vector("macro_average", "numbers", of_classes),
                             to_confusion("macro_average", confusion));
      },
      py::arg("of_classes"), py::arg("confusion"),
      "The mean of what precision, recall or f1 gives, over the classes that are a label or a prediction.");
}

}  // namespace digitnet::python
