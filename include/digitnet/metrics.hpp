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
std::vector<double> precision(const ConfusionMatrix& confusion);

/// Of the samples of a class, the share predicted to be; 0 where there are none.
std::vector<double> recall(const ConfusionMatrix& confusion);

/// How a network does on a data set.
struct Evaluation {
  std::size_t samples = 0;
  double loss = 0;            ///< mean of the network's loss; in nats for the cross-entropy
  double accuracy = 0;        ///< share of samples read correctly, in [0, 1]
  double top_2_accuracy = 0;  ///< share of samples whose label is among the two likeliest
  ConfusionMatrix confusion;  ///< (classes, classes), row the label, column the prediction
  std::vector<double> precision;
  std::vector<double> recall;
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
