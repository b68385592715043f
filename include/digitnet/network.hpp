// network.hpp: layers in a row.
#pragma once

#include <digitnet/dataset.hpp>
#include <digitnet/initializer.hpp>
#include <digitnet/layer.hpp>
#include <digitnet/loss.hpp>
#include <digitnet/random.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace digitnet {

/// What a network is, apart from its parameters.
struct Architecture {
  std::vector<std::size_t> sizes;       ///< numbers of inputs, of units of each layer; the last are the outputs
  std::vector<Activation> activations;  ///< one for each layer, so one less than sizes
  LossFunction loss = LossFunction::softmax_cross_entropy;

  bool operator==(const Architecture&) const = default;
};

/// Widest layer and most layers that a network may have.
inline constexpr std::size_t most_units = std::size_t{1} << 20;
inline constexpr std::size_t most_layers = 256;

/// Checks that an architecture makes sense.
///
/// | loss                      | last layer                                                                 |
/// |---------------------------|----------------------------------------------------------------------------|
/// | `softmax_cross_entropy`   | softmax                                                                    |
/// | `binary_cross_entropy`    | sigmoid                                                                    |
/// | `sum_of_squares`, `huber` | any                                                                        |
/// | `hinge`                   | 2 outputs or more, which can be more than 1 apart: not softmax nor sigmoid |
///
/// @throws ArgumentError  if there are less than two sizes or more than most_layers + 1, a size is not in
///                        [1, most_units], there are more than 256 outputs, softmax stands before the last layer, or
///                        the loss does not go with the last layer
void check_architecture(const Architecture& architecture);

/// Facts about a network that travel with it in its file: "labels", "preprocessing", "calibration",
/// "provenance" and whatever a user adds.
using Metadata = std::map<std::string, std::string>;

/// Dense layers in a row: the activations of each are the input of the next.
///
/// Copying a network copies its weights. All questions (`predict` and its kin) are const, keep nothing, and
/// may be asked by many threads at once. Inputs are ink in [0, 1], one sample a row, or a Dataset.
template <class Real>
class Network {
 public:
  /// Layers with weights drawn at random and biases of 0.
  /// @param sizes        inputs, units of each hidden layer, outputs: {784, 128, 10}
  /// @param hidden       activation of all layers but the last
  /// @param rng          where the weights come from, layer by layer
  /// @param output       activation of the last layer
  /// @param loss         what training makes small
  /// @param initializer  how weights are drawn; none takes default_initializer of each layer's activation
  /// @throws ArgumentError  as check_architecture
  Network(std::vector<std::size_t> sizes, Activation hidden, Rng& rng, Activation output = Activation::softmax,
          LossFunction loss = LossFunction::softmax_cross_entropy,
          std::optional<Initializer> initializer = std::nullopt);

  /// The same for an architecture with an activation of its own for each layer.
  Network(const Architecture& architecture, Rng& rng, std::optional<Initializer> initializer = std::nullopt);

  /// All weights 0, to be filled.
  explicit Network(const Architecture& architecture);

  // Defined once, in the library, so that a user's file need not compile them.
  Network(const Network& other);
  Network(Network&& other) noexcept;
  Network& operator=(const Network& other);
  Network& operator=(Network&& other) noexcept;
  ~Network();

  Architecture architecture() const;
  LossFunction loss() const { return loss_; }
  std::size_t inputs() const;
  std::size_t outputs() const;
  std::size_t parameter_count() const;

  const std::vector<Dense<Real>>& layers() const { return layers_; }

  /// @throws ArgumentError  if there is no layer of this index
  const Dense<Real>& layer(std::size_t index) const;

  /// For changing parameters in place; their shapes must stay.
  /// @throws ArgumentError  if there is no layer of this index
  Dense<Real>& layer(std::size_t index);

  Metadata metadata;

  /// Pre-activations of the last layer, (batch, outputs).
  /// @param threads  how many to use, 0 for all; the numbers are the same bits for any
  /// @throws ShapeError  if the samples do not have inputs() numbers
  Matrix<Real> logits(const Matrix<Real>& images, std::size_t threads = 1) const;
  Matrix<Real> logits(const Dataset& images, std::size_t threads = 1) const;

  /// Activations of the last layer, (batch, outputs).
  Matrix<Real> forward(const Matrix<Real>& images, std::size_t threads = 1) const;
  Matrix<Real> forward(const Dataset& images, std::size_t threads = 1) const;

  /// Probability of each class, (batch, outputs); each row sums to 1. For a last layer of sigmoids, each
  /// output's share of their sum.
  /// @throws ShapeError     if the samples do not have inputs() numbers
  /// @throws ArgumentError  if the last layer is neither softmax nor sigmoid
  Matrix<Real> predict_proba(const Matrix<Real>& images, std::size_t threads = 1) const;
  Matrix<Real> predict_proba(const Dataset& images, std::size_t threads = 1) const;

  /// The most likely class of each sample: the one with the largest output.
  Labels predict(const Matrix<Real>& images, std::size_t threads = 1) const;
  Labels predict(const Dataset& images, std::size_t threads = 1) const;

  /// Activations of every layer, one matrix (batch, units) for each.
  std::vector<Matrix<Real>> activations(const Matrix<Real>& images) const;

 private:
  std::vector<Dense<Real>> layers_;
  LossFunction loss_;
};

extern template class Network<float>;
extern template class Network<double>;

}  // namespace digitnet
