// explain.hpp: why a drawing was read as it was, and what would change the reading.
#pragma once

#include <digitnet/dataset.hpp>
#include <digitnet/network.hpp>
#include <digitnet/preprocess.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace digitnet {

/// The gradient of sum_k dz_k z_k with respect to the inputs, for each sample; z are the logits. With dz all 0 but a 1
/// for one class it is the gradient of that class's logit: where more ink would make it more certain.
///
/// @param images  (batch, inputs)
/// @param dz      (batch, outputs)
/// @return  (batch, inputs)
/// @throws ShapeError  if the shapes do not fit the network and each other
/// @see Simonyan, Vedaldi, Zisserman, Deep Inside Convolutional Networks (2013), section 3
template <class Real>
Matrix<Real> input_gradient(const Network<Real>& network, const Matrix<Real>& images, const Matrix<Real>& dz);

/// What each pixel had to say in the question "this digit, or that?".
template <class Real>
struct InkContributions {
  std::vector<Real> ink;  ///< for each input: above 0 spoke for the digit, below 0 against it; 0 where no ink is
  Real margin = 0;        ///< the logit of the digit less that of the other, or less the mean of all others
  Real rest = 0;          ///< what is not in any pixel: margin - the sum of ink
};

/// Gradient times input of a margin m between logits:  c_i = x_i dm/dx_i.
///
/// A margin, since softmax does not change when all logits rise alike, so that one logit alone says nothing. For
/// piecewise linear layers (relu, leaky_relu, identity) `rest` is exactly the part of the biases, so without
/// biases the contributions sum to the margin; for others it is also the error of the straight line.
/// Only ink can speak here: that a place is empty shows in no contribution.
///
/// @param image    network.inputs() numbers
/// @param digit    whose margin it is
/// @param against  the digit it is compared with; none takes the mean of all others
/// @throws ShapeError     if image has another size
/// @throws ArgumentError  if a digit is not below network.outputs(), both are the same, or there is only one output
/// @see Shrikumar et al., Not Just a Black Box: Learning Important Features Through Propagating Activation
///      Differences (2016)
template <class Real>
InkContributions<Real> ink_contributions(const Network<Real>& network,
                                         std::type_identity_t<std::span<const Real>> image, std::size_t digit,
                                         std::optional<std::size_t> against = std::nullopt);

/// A possible reading. The margins are above 0 for the first of a ranking and below 0 for all others, but for ties.
struct RankedDigit {
  std::size_t digit = 0;
  double probability = 0;         ///< in [0, 1]
  double probability_margin = 0;  ///< probability less the largest among the other digits
  double logit_margin = 0;        ///< the same for logits, in nats: for softmax the log of the ratio
};

/// The likeliest readings of an image, the likeliest first; of equals the smaller digit first.
/// @param image  network.inputs() numbers
/// @param count  how many, at most network.outputs()
/// @throws ShapeError     if image has another size
/// @throws ArgumentError  if count is not 1 to network.outputs(), there is only one output, or the last layer gives
///                        no probabilities
template <class Real>
std::vector<RankedDigit> likeliest_digits(const Network<Real>& network,
                                          std::type_identity_t<std::span<const Real>> image, std::size_t count = 3);

/// A sample near another one.
struct Neighbor {
  std::size_t sample = 0;  ///< its index in the data
  std::uint8_t label = 0;
  double distance = 0;  ///< Euclidean: in ink, where full ink is 1, or in the units of the inputs
  bool operator==(const Neighbor&) const = default;
};

/// The samples nearest to an image, the nearest first; of equally near ones the smaller index first. All are looked at:
/// the 60,000 of MNIST take some milliseconds. Distances are computed in whole numbers, so ties are exact.
///
/// @param image    data.inputs() bytes, 255 is full ink
/// @param count    how many; all if there are fewer
/// @param threads  0 for all; the result is the same for any number
/// @throws ShapeError     if image has another size
/// @throws ArgumentError  if the samples of data are not bytes
std::vector<Neighbor> nearest_samples(std::span<const std::uint8_t> image, const Dataset& data, std::size_t count,
                                      std::size_t threads = 0);

/// The same for samples that are numbers, such as those of hidden_features.
/// @throws ArgumentError  if the samples of data are bytes, or a number of image is not finite
std::vector<Neighbor> nearest_samples(std::span<const float> image, const Dataset& data, std::size_t count,
                                      std::size_t threads = 0);

/// The activations of the last hidden layer as a data set with the same labels: nearest_samples among these finds what
/// looks alike to the network. Takes 4 bytes a unit and sample; to be made once and kept.
/// @throws ShapeError     if the samples do not have network.inputs() numbers
/// @throws ArgumentError  if the network has no hidden layer
Dataset hidden_features(const Network<float>& network, const Dataset& data, std::size_t threads = 0);

/// How turned_into looks for a change.
struct TurnOptions {
  double probability = 0.9;  ///< that the wanted digit has at last, in (0, 1)
  std::size_t most_steps = 200;
  double step = 0.15;  ///< length of one, Euclidean, in ink; above 0
  double reach = 3;    ///< how far from ink new ink may be, in pixels; at least 0
};

/// A drawing changed so that it is read as another digit.
struct Turned {
  bool succeeded = false;     ///< whether the wanted probability was reached
  MnistImage image{};         ///< the changed drawing
  std::vector<float> change;  ///< of each pixel, in [-1, 1]: above 0 ink to add, below 0 ink to erase
  double distance = 0;        ///< Euclidean length of change, in ink
  double added = 0;           ///< sum of the ink added, in pixels full of ink
  double erased = 0;          ///< likewise
  double probability = 0;     ///< of the wanted digit for `image`
  std::size_t steps = 0;      ///< how many were taken
};

/// "Make it a 7": a small change of a drawing that makes the network read it as the wanted digit.
///
/// Steps of a fixed length go up the gradient of the log probability of the digit, until it is `probability` or more.
/// The plain gradient finds faint noise all over the picture that nobody would draw; so that the change looks like one
/// of a drawing,
///
///   - the reading must hold when the picture is moved by a pixel up, down, left and right, too;
///   - gradients are smoothed (Gaussian, 1 pixel wide) and squared with their sign, so that ink changes in patches;
///   - ink is added only within `reach` of ink, and erased only where it is;
///   - in the end the faintest changes are taken back, as many as the reading allows.
///
/// It is a small change, found by going uphill; not proved to be the smallest, and about the network: what it shows is
/// what this network takes for the digit, which need not be what people do.
///
/// @param network  of 28 x 28 inputs, with probabilities
/// @param digit    below network.outputs()
/// @return  also if it did not succeed: then as far as it came
/// @throws ShapeError     if the network has other inputs
/// @throws ArgumentError  if the digit or an option is out of range, or the last layer gives no probabilities
/// @see Wachter, Mittelstadt, Russell, Counterfactual Explanations Without Opening the Black Box (2017), section III
Turned turned_into(const Network<float>& network, const MnistImage& image, std::size_t digit,
                   const TurnOptions& options = {});

}  // namespace digitnet
