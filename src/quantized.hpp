// quantized.hpp: a dense layer whose weights are bytes, and its product with bytes. Internal.
#pragma once

#include <digitnet/layer.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace digitnet::detail {

/// Which loop multiplies bytes: they give the same whole numbers.
enum class ByteProduct {
  plain,       // anywhere
  avx2,        // bytes widened to 16 bits, vpmaddwd
  avx_vnni,    // vpdpbusd, vectors of 32 bytes
  avx512_vnni  // vpdpbusd, vectors of 64 bytes
};

/// Those this processor has, the quickest last.
std::span<const ByteProduct> byte_products();

/// Inputs of a layer as bytes: input i stands for low + step * bytes[i].
struct ByteInputs {
  std::span<const std::uint8_t> bytes;  ///< as many as inputs; readable up to the next multiple of 4
  float step = 1;
  float low = 0;
};

/// The least range that holds all values and 0, in 255 steps; a value is off by half a step at most, and 0 is exact
/// if there is nothing below it.
/// @param values  finite
/// @param bytes   room for as many, and up to the next multiple of 4
ByteInputs to_bytes(std::span<const float> values, std::span<std::uint8_t> bytes);

/// A layer with weights w_ij close to s_j q_ij: q a byte in [-127, 127], s_j = max_i |w_ij| / 127. The greatest
/// error of a weight is s_j / 2.
class QuantizedLayer {
 public:
  /// Inputs a layer may have, so that no sum leaves 32 bits: 255 * 127 * 2^16 < 2^31.
  static constexpr std::size_t most_inputs = 1 << 16;

  /// @throws ArgumentError  if the layer has more than most_inputs inputs or a parameter is not finite
  QuantizedLayer(const Dense<float>& layer, std::size_t index);

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return scales_.size(); }

  /// Bytes that weights, scales and biases take.
  std::size_t size() const;

  /// sums[j] = the sum over i of bytes[i] * q_ij. Quads of inputs that are all zero are skipped.
  /// @param bits  of the bytes that are not zero; see find_ink
  /// @param sums  room for outputs() rounded up to a multiple of lanes
  void sum(std::span<const std::uint8_t> bytes, const std::uint64_t* bits, std::int32_t* sums,
           ByteProduct how = byte_products().back()) const;

  /// z = b + x W
  /// @param bits, sums  scratch, as for sum
  /// @param z           outputs() numbers
  void preactivation(const ByteInputs& x, std::uint64_t* bits, std::int32_t* sums, std::span<float> z) const;

 private:
  std::size_t inputs_;
  std::size_t padded_outputs_;
  Vector<std::int8_t> weights_;  // (quads of inputs, padded outputs, 4): what one instruction wants lies side by side
  Vector<float> scales_;
  Vector<float> bias_;
  Vector<float> weight_sums_;  // of each output: the sum over i of q_ij
};

}  // namespace digitnet::detail
