// inference.hpp: a drawing in, a digit and its probability out.
#pragma once

#include <digitnet/network.hpp>
#include <digitnet/preprocess.hpp>
#include <digitnet/serialization.hpp>

#include <filesystem>
#include <optional>
#include <vector>

namespace digitnet {

/// What was read from one drawing.
struct Prediction {
  std::optional<std::size_t> digit;  ///< none if there was no ink
  double probability = 0;            ///< of this digit, in [0, 1]
  std::vector<float> probabilities;  ///< of each class; empty if there was no ink
  MnistImage image{};                ///< what the network saw
};

/// A network together with the preprocessing it was trained for. Const and safe from many threads at once.
class Classifier {
 public:
  /// @throws ShapeError     if the network does not take 28 x 28 inputs
  /// @throws ArgumentError  if its last layer gives no probabilities
  explicit Classifier(Network<float> network);

  /// @throws IoError, FormatError  as load_network
  explicit Classifier(const std::filesystem::path& model) : Classifier(load_network<float>(model)) {}

  const Network<float>& network() const { return network_; }

  /// An image that is as MNIST's are.
  Prediction classify(const MnistImage& image) const;

  /// A drawing anywhere on a picture of any size.
  Prediction classify(const Picture& picture) const { return classify(to_mnist_image(picture)); }

 private:
  Network<float> network_;
};

}  // namespace digitnet
