// inference.hpp: a drawing in, a digit and its probability out.
#pragma once

#include <digitnet/network.hpp>
#include <digitnet/preprocess.hpp>
#include <digitnet/serialization.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace digitnet {

/// What was read from one drawing.
struct Prediction {
  std::optional<std::size_t> digit;  ///< none if there was no ink
  double probability = 0;            ///< of this digit, in [0, 1]
  std::vector<float> probabilities;  ///< of each class; empty if there was no ink
  MnistImage image{};                ///< what the network saw
};

/// A network for one image at a time, as fast as that goes: nothing is allocated and nothing locked, and pixels without
/// ink are skipped. It has scratch space of its own, so each thread needs one of its own (a copy will do);
/// Network::predict is the question that many threads may ask at once.
template <class Real>
class Predictor {
 public:
  /// @param network  is copied; training it later changes nothing here
  explicit Predictor(Network<Real> network);

  Predictor(const Predictor& other);
  Predictor(Predictor&& other) noexcept;
  Predictor& operator=(const Predictor& other);
  Predictor& operator=(Predictor&& other) noexcept;
  ~Predictor();

  const Network<Real>& network() const;

  /// Activations of the last layer: for softmax the probabilities of the classes.
  /// @param pixels  network().inputs() bytes, 255 is full ink
  /// @return  network().outputs() numbers, until the next question
  /// @throws ShapeError  if there are not as many pixels as inputs
  std::span<const Real> forward(std::span<const std::uint8_t> pixels);

  /// The same for inputs that are numbers.
  std::span<const Real> forward(std::span<const Real> inputs);

  /// Probability of each class, as Network::predict_proba has it.
  /// @throws ShapeError     as forward
  /// @throws ArgumentError  if the last layer is neither softmax nor sigmoid
  std::span<const Real> predict_proba(std::span<const std::uint8_t> pixels);
  std::span<const Real> predict_proba(std::span<const Real> inputs);

  /// The class with the largest output, as Network::predict has it.
  std::size_t predict(std::span<const std::uint8_t> pixels);
  std::size_t predict(std::span<const Real> inputs);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

extern template class Predictor<float>;
extern template class Predictor<double>;

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
