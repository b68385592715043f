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
  std::size_t inputs() const { return network().inputs(); }
  std::size_t outputs() const { return network().outputs(); }

  /// Activations of the last layer: for softmax the probabilities of the classes.
  /// @param pixels  inputs() bytes, 255 is full ink
  /// @return  outputs() numbers, until the next question
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

/// A Predictor whose weights are bytes: a quarter of the memory, and about half the time on processors
/// with instructions for such products (VNNI).
///
/// The weights of a unit become whole numbers q in [-127, 127] and a scale: w = s q with s = max |w| / 127, so each is
/// off by s / 2 at most. Pixels are bytes as they are; numbers, and the activations between layers, become bytes for
/// each image, 255 steps from the least (or 0) to the largest. Sums of products are whole numbers, the same on every
/// processor. Biases, and the weights of a last layer of at most 16 outputs, stay float. As with a Predictor, each
/// thread needs one of its own.
///
/// @see Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference
///      (2018), section 2; here weights are symmetric and activations quantised when they are known
class QuantizedPredictor {
 public:
  /// @param network  is not needed afterwards
  /// @throws ArgumentError  if a parameter is not finite, or a layer has more than 65536 inputs
  explicit QuantizedPredictor(const Network<float>& network);

  QuantizedPredictor(const QuantizedPredictor& other);
  QuantizedPredictor(QuantizedPredictor&& other) noexcept;
  QuantizedPredictor& operator=(const QuantizedPredictor& other);
  QuantizedPredictor& operator=(QuantizedPredictor&& other) noexcept;
  ~QuantizedPredictor();

  std::size_t inputs() const;
  std::size_t outputs() const;

  /// Bytes that the parameters take.
  std::size_t parameter_bytes() const;

  /// As those of Predictor. Numbers must be finite.
  std::span<const float> forward(std::span<const std::uint8_t> pixels);
  std::span<const float> forward(std::span<const float> inputs);
  std::span<const float> predict_proba(std::span<const std::uint8_t> pixels);
  std::span<const float> predict_proba(std::span<const float> inputs);
  std::size_t predict(std::span<const std::uint8_t> pixels);
  std::size_t predict(std::span<const float> inputs);

 private:
  struct State;
  std::unique_ptr<State> state_;
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
