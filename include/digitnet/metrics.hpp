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

// How much what a network says of itself is worth.

/// The samples whose confidence is in (lower, upper].
struct ReliabilityBin {
  double lower = 0;
  double upper = 0;
  std::size_t samples = 0;
  double confidence = 0;  ///< mean over the samples; 0 if there are none
  double accuracy = 0;    ///< share of them that is right; 0 if there are none
};

/// A reliability diagram: samples by their confidence, which is the largest of their probabilities, in bins of equal
/// width. A confidence of 0 is in the first bin.
/// @param probabilities  (batch, classes), in [0, 1]
/// @param bins           at least 1
/// @throws ShapeError     if the batch is empty or the two batch sizes differ
/// @throws ArgumentError  if bins is 0, a confidence is not in [0, 1], or a label is out of range
/// @see Guo et al., On Calibration of Modern Neural Networks (2017), section 2
template <class Real>
std::vector<ReliabilityBin> reliability_diagram(const Matrix<Real>& probabilities, const Labels& labels,
                                                std::size_t bins = 15);

/// Expected calibration error in [0, 1]: the mean over the samples of |accuracy - confidence| of their bin.
///     ECE = sum_b (n_b / n) |accuracy_b - confidence_b|
/// @throws ShapeError, ArgumentError  as reliability_diagram
/// @see Guo et al. (2017), equation 3
template <class Real>
double expected_calibration_error(const Matrix<Real>& probabilities, const Labels& labels, std::size_t bins = 15);

/// Accuracy of the most confident k samples, for k = 1 to all.
struct CoverageCurve {
  std::vector<double> accuracy;  ///< [k - 1]: of the k most confident, a coverage of k / accuracy.size()
  double area = 0;               ///< mean of these: 1 if all is right; 1 - area is called AURC

  /// Accuracy of the smallest number of samples that is at least this share.
  /// @throws ArgumentError  if the share is not in (0, 1]
  double at(double coverage) const;
};

/// What is gained by not answering where confidence is low. Samples of equal confidence count as if they came in
/// all orders: each with their mean accuracy.
/// @param confidences  (batch), any numbers that are larger where the prediction is more likely to be right
/// @throws ShapeError     if there are none, or the three differ in number
/// @throws ArgumentError  if a confidence is not a number
/// @see Geifman and El-Yaniv, Selective Classification for Deep Neural Networks (2017)
CoverageCurve coverage_curve(const std::vector<double>& confidences, const Labels& predicted, const Labels& labels);

/// Area under the ROC curve: the probability that a positive scores higher than a negative, where equal scores count
/// half. 1 if a threshold tells all apart, 0.5 for scores that know nothing.
/// @throws ShapeError     if there are none of one kind
/// @throws ArgumentError  if a score is not a number
/// @see Hanley and McNeil, The meaning and use of the area under a ROC curve (1982)
double auroc(const std::vector<double>& positives, const std::vector<double>& negatives);

/// The share of scores that reach a threshold: of digits those accepted, of other things the false-accept rate.
/// @throws ShapeError     if there are none
/// @throws ArgumentError  if a score or the threshold is not a number
double acceptance_rate(const std::vector<double>& scores, double threshold);

/// The largest of the scores, as a threshold, that at least this share of them reaches.
/// @param share  in (0, 1]
/// @throws ShapeError     if there are none
/// @throws ArgumentError  if a score is not a number, or the share is not in (0, 1]
double threshold_accepting(double share, std::vector<double> scores);

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
