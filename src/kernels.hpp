// kernels.hpp: the inner loops that are compiled for several processors, chosen when the program runs. Internal.
#pragma once

#include <digitnet/activation.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace digitnet::detail {

/// Numbers that make one or more whole vectors on every processor. Rows of workspaces are padded to a multiple.
inline constexpr std::size_t lanes = 16;

/// The next multiple of `lanes`.
constexpr std::size_t padded(std::size_t count) { return (count + lanes - 1) / lanes * lanes; }

/// out = start + the sum over k of scale[values[k]] * row indices[k] of a matrix.
///
/// The sparse product of the first layer: the rows are those of the weights, picked and scaled by a sample's
/// pixels with ink. The sum is taken in the order given.
///
/// @param out      `columns` numbers
/// @param start    likewise, or null for zeros
/// @param matrix   row-major, `stride` numbers from row to row
/// @param indices  `count` rows of it
/// @param values   `count` bytes, turned into numbers by
/// @param scale    a table of 256 numbers
template <class Real>
void combine_rows(Real* out, const Real* start, const Real* matrix, std::size_t stride, std::size_t columns,
                  const std::uint16_t* indices, const std::uint8_t* values, std::size_t count, const Real* scale);

/// out = start + the sum over k of factors[k] * row indices[k] of a matrix; null indices stand for 0, 1, 2, ...
template <class Real>
void combine_rows(Real* out, const Real* start, const Real* matrix, std::size_t stride, std::size_t columns,
                  const std::uint16_t* indices, const Real* factors, std::size_t count);

/// C = start + A B for a B of `lanes` columns: what a layer of few outputs needs, forward and for its weights'
/// gradient, where BLAS spends more time on arranging than on computing.
///
///     C(i, j) = start(j) + sum over k of A(i, k) B(k, j)        j in [0, lanes)
///
/// @param c      (m, lanes), row-major without gaps
/// @param start  `lanes` numbers, or null for zeros
/// @param a      A(i, k) is a[i * row_stride + k * column_stride]
/// @param b      (count, lanes), row-major without gaps
template <class Real>
void narrow_product(Real* c, const Real* start, const Real* a, std::size_t row_stride, std::size_t column_stride,
                    const Real* b, std::size_t m, std::size_t count);

/// The sum of `count` rows of `columns` numbers, `stride` apart.
template <class Real>
void sum_rows(Real* sum, const Real* matrix, std::size_t stride, std::size_t columns, std::size_t count);

/// 64 x 64 bits, a number for each row.
using BitSquare = std::array<std::uint64_t, 64>;

/// Bit s of row i becomes bit i of row s.
void transpose_bits(BitSquare& square);

/// Samples whose ink is looked up by input: what sparse_gradient needs of a batch for one group of 64 inputs.
struct InkByInput {
  /// Of each block of 64 samples, for each of the 64 inputs: the samples with ink there, as bits.
  std::span<const BitSquare> bits;

  /// Of each sample: its next value that has not been used. Inputs are visited in rising order.
  std::span<const std::uint8_t*> values;
};

/// Rows of dW = x^T dz for the inputs of one group: row i is the sum, over the samples with ink at input i, of
/// their ink times their row of dz.
///
/// @param gradient  (rows, columns), row-major, `gradient_stride` numbers from row to row
/// @param dz        (samples, columns), `dz_stride` numbers from row to row
/// @param ink       its values are moved on
template <class Real>
void sparse_gradient(Real* gradient, std::size_t gradient_stride, std::size_t rows, const Real* dz,
                     std::size_t dz_stride, std::size_t columns, const InkByInput& ink, const Real* scale);

/// activate, with e^x computed for several numbers at a time in float; see activation.hpp for the formulas.
/// Relative error below 4e-7 against them.
template <class Real>
void fast_activate(Activation activation, std::span<Real> z);

/// activation_gradient, likewise.
template <class Real>
void fast_activation_gradient(Activation activation, std::span<Real> gradient, std::span<const Real> kept);

}  // namespace digitnet::detail
