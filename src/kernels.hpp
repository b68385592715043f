// kernels.hpp: the inner loops that are compiled for several processors, chosen when the program runs. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace digitnet::detail {

/// Numbers that make one or more whole vectors on every processor. Rows of workspaces are padded to a multiple.
inline constexpr std::size_t lanes = 16;

/// The next multiple of `lanes`.
constexpr std::size_t padded(std::size_t count) { return (count + lanes - 1) / lanes * lanes; }

/// out = start + the sum over k of factors[k] * row indices[k] of a matrix, in the order given.
///
/// @param out      `columns` numbers
/// @param start    likewise, or null for zeros
/// @param matrix   row-major, `stride` numbers from row to row
/// @param indices  `count` rows of it; null stands for 0, 1, 2, ...
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

/// Inputs are looked at in groups of this many, one bit each.
inline constexpr std::size_t ink_group = 64;

/// Groups that `inputs` inputs make; the last may be cut short.
constexpr std::size_t ink_groups(std::size_t inputs) { return (inputs + ink_group - 1) / ink_group; }

/// The inputs of one sample that are not zero, or of one group of it and those behind.
struct Ink {
  const std::uint64_t* bits;   ///< of each group: bit i for its input i
  const std::uint8_t* values;  ///< one for each bit that is set
};

/// Z = bias + X W for samples that are mostly zero: row s of Z is the sum of the rows of W for the inputs with ink,
/// each times its ink. One group of inputs after the other goes through all samples, while its rows of W, as many
/// columns as sums fit into registers, are in the first-level cache.
///
/// @param z        (samples, columns), `z_stride` numbers from row to row
/// @param bias     `columns` numbers, or null for zeros
/// @param weights  (inputs, columns), `stride` numbers from row to row
/// @param inputs   as many rows of weights and bits of each sample there are
/// @param scratch  room for as many as samples
/// @param scale    what each of the 256 bytes counts for
template <class Real>
void sparse_product(Real* z, std::size_t z_stride, const Real* bias, const Real* weights, std::size_t stride,
                    std::size_t columns, std::size_t inputs, std::span<const Ink> samples, std::span<Ink> scratch,
                    const Real* scale);

/// numbers[i] = bytes[i] / 255, the same bits as Dataset::copy_sample.
template <class Real>
void bytes_to_numbers(Real* numbers, std::span<const std::uint8_t> bytes);

/// Z = bias + X W as sparse_product has it, but from samples that lie as in a data set or a matrix.
///
/// @param z        (samples, columns), `z_stride` numbers from row to row
/// @param bias     `columns` numbers
/// @param weights  (inputs, columns), `stride` numbers from row to row
/// @param samples  where each begins: bytes, or numbers
/// @param bits     of the inputs that are not zero, ink_groups(inputs) for each sample; see find_ink in
///                 sparse_samples.hpp
/// @param scale    what each of the 256 bytes counts for; not used for numbers
template <class Real, class Value>
void skipping_product(Real* z, std::size_t z_stride, const Real* bias, const Real* weights, std::size_t stride,
                      std::size_t columns, std::size_t inputs, std::span<const Value* const> samples,
                      const std::uint64_t* bits, const Real* scale);

/// 64 x 64 bits, a number for each row.
using BitSquare = std::array<std::uint64_t, 64>;

/// Bit s of row i becomes bit i of row s.
void transpose_bits(BitSquare& square);

/// Samples whose ink is looked up by input: what sparse_gradient needs of a batch for one group of inputs.
struct InkByInput {
  std::span<const BitSquare> bits;              ///< of each block of 64 samples: row i has bit s for ink at input i
  std::span<const std::uint8_t* const> values;  ///< of each sample, from the group's first
  std::span<const std::uint8_t*> next;          ///< scratch, as many
};

/// Rows of dW = X^T dZ for the inputs of one group: row i is the sum, over the samples with ink at input i, of
/// their row of dZ times their ink. One block of 64 samples after the other goes through all rows, while its part
/// of dZ is in the first-level cache.
///
/// @param gradient  (rows, columns), row-major, `gradient_stride` numbers from row to row
/// @param dz        (samples, columns), `dz_stride` numbers from row to row
template <class Real>
void sparse_gradient(Real* gradient, std::size_t gradient_stride, std::size_t rows, const Real* dz,
                     std::size_t dz_stride, std::size_t columns, const InkByInput& ink, const Real* scale);

}  // namespace digitnet::detail
