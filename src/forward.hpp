// forward.hpp: from inputs to logits, for one sample or a block of them. Internal.
#pragma once

#include "fast_activation.hpp"
#include "half_precision.hpp"
#include "kernels.hpp"

#include <digitnet/dataset.hpp>
#include <digitnet/network.hpp>
#include <digitnet/parallel.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace digitnet::detail {

/// A layer of at most `lanes` outputs in rows of whole vectors, as narrow_product wants them.
template <class Real>
struct NarrowLayer {
  explicit NarrowLayer(const Dense<Real>& layer);

  Matrix<Real> weights;  ///< (inputs, lanes)
  Vector<Real> bias;     ///< (lanes)
};

/// The weights of the layers that are read row by row for one sample, in half precision, to be shared by passes.
class HalfLayers {
 public:
  explicit HalfLayers(const Network<float>& network);

  /// Of layer i, or null if it has none: it is narrow, or its weights are no half-precision numbers.
  const HalfRows* at(std::size_t i) const { return layers_[i] ? &*layers_[i] : nullptr; }

 private:
  std::vector<std::optional<HalfRows>> layers_;
};

/// Passes blocks of samples through a network. It has the scratch space for that, so each thread needs one of its
/// own, and nothing is allocated once it is made.
///
/// Each product takes one of three ways; each is BLAS's within rounding, which is their plain form:
///
///   zeros skipped  of the first layer, where most inputs are zero, as in MNIST, whether bytes or numbers
///   narrow         of a last layer with few units, such as the ten outputs
///   BLAS           all others; for a few samples the rows of the weights whose input is not zero are added up instead
///
/// Which is chosen depends on the samples of the block alone. A single sample can take its rows from weights in half
/// precision, which gives the same bits.
template <class Real>
class ForwardPass {
 public:
  /// @param network  must stay as it is as long as this is used
  /// @param rows     most samples of a block
  /// @param halves   of the same network, to stay likewise; or null
  ForwardPass(const Network<Real>& network, std::size_t rows, const HalfLayers* halves = nullptr);

  /// The logits of samples [first, first + count), (count, outputs), until the next question.
  MatrixView<Real> logits(const Dataset& samples, std::size_t first, std::size_t count);
  MatrixView<Real> logits(const Matrix<Real>& samples, std::size_t first, std::size_t count);

  /// The logits of one sample: bytes that stand for byte / 255, or numbers. network.inputs() of them.
  std::span<Real> logits(std::span<const std::uint8_t> sample);
  std::span<Real> logits(std::span<const Real> sample);

 private:
  template <class Value>
  MatrixView<Real> run(std::span<const Value* const> samples);
  template <class Value>
  bool mostly_zeros(std::span<const Value* const> samples);
  template <class Value>
  MatrixView<const Real> numbers(std::span<const Value* const> samples);
  void product(const Dense<Real>& layer, MatrixView<const Real> x, MatrixView<Real> z);
  void add_rows(const Dense<Real>& layer, std::span<const Real> x, std::span<Real> z);
  const HalfRows* halves_of(const Dense<Real>& layer) const;
  template <class Value>
  std::size_t list(std::span<const Value> x);
  MatrixView<Real> activations(std::size_t layer, std::size_t count);

  const Network<Real>& network_;
  const HalfLayers* halves_;
  std::optional<NarrowLayer<Real>> narrow_;  // the last of several layers, if it has few outputs
  std::vector<const std::uint8_t*> bytes_;   // where each sample begins, one or the other
  std::vector<const Real*> numbers_;
  std::vector<std::uint64_t> bits_;    // which inputs of each are not zero
  Matrix<Real> x_;                     // samples as numbers, where they do not lie as such
  std::vector<Vector<Real>> a_;        // of each layer: z, then a in its place
  std::vector<std::uint16_t> listed_;  // of one sample: which inputs of a layer are not zero, and what they are
  std::vector<Real> factors_;
};

/// The class with the largest output. By the logits where their order is the same, since activations may round two of
/// them to one number: only gelu and silu change the order.
/// @param logits  become activations if need be
template <class Real>
std::size_t likeliest(Activation last, std::span<Real> logits) {
  if (needs_preactivation(last)) activate(last, logits);
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// Logits become probabilities: softmax, or for a last layer of sigmoids each output's share of their sum.
template <class Real>
void to_probabilities(Activation last, std::span<Real> logits) {
  fast_activate(last, logits);
  if (last == Activation::softmax) return;
  Real sum = 0;
  for (const Real value : logits) sum += value;
  // Sigmoids far below zero may all round to nothing; then nothing is known.
  for (Real& value : logits) value = sum > 0 ? value / sum : Real{1} / static_cast<Real>(logits.size());
}

/// @throws ArgumentError  if the last layer is neither softmax nor sigmoid
void require_probabilities(const char* where, Activation last);

/// Takes the logits of samples [first, first + logits.rows) and may change them.
template <class Real>
using TakeLogits = std::function<void(MatrixView<Real> logits, std::size_t first)>;

/// Passes samples through a network, a block at a time, and gives the logits of each block to `take`, on whichever
/// thread it was made. Blocks, and so the bits of the logits, are the same for any number of threads.
template <class Real>
void infer(const Network<Real>& network, const Dataset& samples, ThreadTeam& team, const TakeLogits<Real>& take);
template <class Real>
void infer(const Network<Real>& network, const Matrix<Real>& samples, ThreadTeam& team, const TakeLogits<Real>& take);

}  // namespace digitnet::detail
