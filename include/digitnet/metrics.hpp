// metrics.hpp: the numbers people quote.
#pragma once

#include <digitnet/dataset.hpp>
#include <digitnet/network.hpp>
#include <digitnet/tensor.hpp>

#include <vector>

namespace digitnet {

/// Counts of samples by true class (row) and predicted class (column).
using ConfusionMatrix = Matrix<std::uint64_t>;

/// The share of labels that were predicted, in [0, 1].
/// @throws ShapeError  if there are none, or the two differ in number
double accuracy(const Labels& predicted, const Labels& labels);

/// The share of samples whose label is among the k largest outputs, in [0, 1]; of equal outputs the one of
/// the lower class counts as larger.
/// @param outputs  (batch, classes): logits or probabilities
/// @throws ShapeError     if the batch is empty or the two batch sizes differ
/// @throws ArgumentError  if k is 0 or more than there are classes, or a label is out of range
template <class Real>
double top_k_accuracy(const Matrix<Real>& outputs, const Labels& labels, std::size_t k);

/// @return (classes, classes), row the label, column the prediction
/// @throws ShapeError     if the two differ in number
/// @throws ArgumentError  if a label or a prediction is not below `classes`
ConfusionMatrix confusion_matrix(const Labels& predicted, const Labels& labels, std::size_t classes = 10);

/// Of the samples predicted to be of a class, the share that are; 0 where none was predicted.
/// @param confusion  (classes, classes), row the label, column the prediction
/// @throws ShapeError  if it is not square
std::vector<double> precision(const ConfusionMatrix& confusion);

/// Of the samples of a class, the share predicted to be; 0 where there are none.
/// @throws ShapeError  as precision
std::vector<double> recall(const ConfusionMatrix& confusion);

/// The harmonic mean of precision p and recall r of each class, 2 p r / (p + r), in [0, 1]; 0 where both are.
/// @throws ShapeError  as precision
/// @see van Rijsbergen, Information Retrieval (1979), chapter 7; his E is 1 - F1
std::vector<double> f1(const ConfusionMatrix& confusion);

/// The mean over the classes, each counting alike however many samples it has, of what precision, recall or f1
/// gives. Classes that are neither a label nor a prediction are left out, as scikit-learn does; 0 if all are.
/// @param of_classes  (classes)
/// @throws ShapeError  if there are not as many numbers as classes, or as precision
/// @see Sokolova and Lapalme, A systematic analysis of performance measures for classification tasks (2009)
double macro_average(const std::vector<double>& of_classes, const ConfusionMatrix& confusion);

/// How a network does on a data set.
struct Evaluation {
  std::size_t samples = 0;
  double loss = 0;            ///< mean of the network's own loss, without smoothing or weights
  double accuracy = 0;        ///< share of samples read correctly, in [0, 1]
  double top_2_accuracy = 0;  ///< share of samples whose label is among the two likeliest
  ConfusionMatrix confusion;  ///< (classes, classes), row the label, column the prediction
  std::vector<double> precision;
  std::vector<double> recall;
  std::vector<double> f1;
  double macro_precision = 0;  ///< mean over the classes, see macro_average
  double macro_recall = 0;
  double macro_f1 = 0;
};

/// Passes a data set through a network once. The same bits for any number of threads.
/// @param threads  how many to use, 0 for all
/// @throws ShapeError     if the samples do not have network.inputs() numbers
/// @throws ArgumentError  if the data set is empty, or a label is not below network.outputs()
template <class Real>
Evaluation evaluate(const Network<Real>& network, const Dataset& data, std::size_t threads = 0);

/// The share of a data set that a network reads correctly, in [0, 1].
/// @throws ShapeError, ArgumentError  as evaluate
template <class Real>
double accuracy(const Network<Real>& network, const Dataset& data, std::size_t threads = 0) {
  return evaluate(network, data, threads).accuracy;
}

}  // namespace digitnet
