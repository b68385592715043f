// half_precision.hpp: numbers of two bytes, and rows of weights kept as such. Internal.
#pragma once

#include <digitnet/layer.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace digitnet::detail {

/// IEEE 754 half precision, section 3.6: 1 bit sign, 5 bits exponent, 10 bits fraction.
float half_to_float(std::uint16_t bits);

/// The nearest half-precision number, of two the even one; infinity from 65520 on.
std::uint16_t float_to_half(double value);

/// The weights of a layer in half precision, for one sample at a time: then the time goes into reading them, and they
/// are half as much to read. Every half is a float, so with the same weights the sums are those of combine_rows, bit
/// for bit.
class HalfRows {
 public:
  /// @return  nothing where a weight is no half-precision number, or this processor (or DIGITNET_SIMD) does not turn
  ///          them into floats in its vectors
  static std::optional<HalfRows> of(const Dense<float>& layer);

  /// out = bias + the sum over k of factors[k] * row indices[k] of the weights, in the order given.
  /// @param out  room for padded(outputs) numbers
  void combine(float* out, const std::uint16_t* indices, const float* factors, std::size_t count) const;

 private:
  HalfRows() = default;

  std::size_t columns_ = 0;        // outputs, in whole vectors
  Vector<std::uint16_t> weights_;  // (inputs, columns)
  Vector<float> bias_;             // (columns)
};

}  // namespace digitnet::detail
