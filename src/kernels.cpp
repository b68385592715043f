#include "kernels.hpp"

#include "dispatch.hpp"

#include <cstring>

namespace digitnet::detail {
namespace {

/// A block of columns is summed in registers: `Lanes` vectors of `Bytes` bytes, independent of each other, so that
/// the processor can work on all while each waits for its own last sum.
template <class Real, std::size_t Bytes, std::size_t Lanes>
struct Block {
  using Vector [[gnu::vector_size(Bytes)]] = Real;
  static constexpr std::size_t width = Bytes / sizeof(Real);
  static constexpr std::size_t columns = Lanes * width;

  DIGITNET_INLINE static void combine(Real* out, const Real* start, const Real* matrix, std::size_t stride,
                                      const std::uint16_t* indices, const std::uint8_t* values, std::size_t count,
                                      const Real* scale) {
    Vector sum[Lanes];
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
      sum[lane] = Vector{};
      if (start != nullptr) std::memcpy(&sum[lane], start + lane * width, Bytes);
    }
    for (std::size_t k = 0; k < count; ++k) {
      const Real factor = scale[values[k]];
      const Real* row = matrix + indices[k] * stride;
      for (std::size_t lane = 0; lane < Lanes; ++lane) {
        Vector part;
        std::memcpy(&part, row + lane * width, Bytes);
        sum[lane] += factor * part;
      }
    }
    for (std::size_t lane = 0; lane < Lanes; ++lane) std::memcpy(out + lane * width, &sum[lane], Bytes);
  }
};

/// Large blocks first, then smaller ones, then column by column.
template <class Real, std::size_t Bytes>
DIGITNET_INLINE void combine(Real* out, const Real* start, const Real* matrix, std::size_t columns,
                             const std::uint16_t* indices, const std::uint8_t* values, std::size_t count,
                             const Real* scale) {
  std::size_t column = 0;
  const auto at = [&](std::size_t c) { return start == nullptr ? nullptr : start + c; };
  using Large = Block<Real, Bytes, 8>;
  using Small = Block<Real, Bytes, 1>;
  for (; column + Large::columns <= columns; column += Large::columns) {
    Large::combine(out + column, at(column), matrix + column, columns, indices, values, count, scale);
  }
  for (; column + Small::columns <= columns; column += Small::columns) {
    Small::combine(out + column, at(column), matrix + column, columns, indices, values, count, scale);
  }
  for (; column < columns; ++column) {
    Real sum = start == nullptr ? Real{0} : start[column];
    for (std::size_t k = 0; k < count; ++k) sum += scale[values[k]] * matrix[indices[k] * columns + column];
    out[column] = sum;
  }
}

}  // namespace

template <class Real>
void combine_rows(Real* out, const Real* start, const Real* matrix, std::size_t columns, const std::uint16_t* indices,
                  const std::uint8_t* values, std::size_t count, const Real* scale) {
  for_processor([&]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    combine<Real, Bytes>(out, start, matrix, columns, indices, values, count, scale);
  });
}

template void combine_rows(float*, const float*, const float*, std::size_t, const std::uint16_t*, const std::uint8_t*,
                           std::size_t, const float*);
template void combine_rows(double*, const double*, const double*, std::size_t, const std::uint16_t*,
                           const std::uint8_t*, std::size_t, const double*);

}  // namespace digitnet::detail
