// kernels.hpp: the inner loops that are compiled for several processors, chosen when the program runs. Internal.
#pragma once

#include <cstddef>
#include <cstdint>

namespace digitnet::detail {

/// out = start + the sum over k of scale[value_k] * row index_k of a matrix.
///
/// Both sparse products of the first layer are of this form. Forward, for one sample: the rows are those of the
/// weights, picked and scaled by its pixels with ink. Backward, for one input: the rows are those of dz, picked
/// and scaled by the samples that have ink there. The sum is taken in the order given.
///
/// @param start    `columns` numbers, or null for zeros
/// @param matrix   row-major, `columns` numbers a row
/// @param indices  `count` rows of it
/// @param values   `count` bytes, turned into numbers by
/// @param scale    a table of 256 numbers
template <class Real>
void combine_rows(Real* out, const Real* start, const Real* matrix, std::size_t columns, const std::uint16_t* indices,
                  const std::uint8_t* values, std::size_t count, const Real* scale);

}  // namespace digitnet::detail
