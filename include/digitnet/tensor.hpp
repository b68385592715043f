// tensor.hpp: the arrays of digitnet. This header alone includes xtensor and BLAS, so their changes stop here.
#pragma once

#include <digitnet/error.hpp>

// xtensor 0.26 moved its headers into folders.
#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xtensor.hpp>
#endif

// xtensor-blas since 0.21 declares BLAS only where its configuration was read before, which its own xlinalg.hpp
// does not see to; cblas.h declares it in any case.
#include <xtensor-blas/xblas_config.hpp>

#include <xflens/cxxblas/drivers/cblas.h>
#include <xtensor-blas/xblas.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <vector>

namespace digitnet {

namespace detail {

/// Memory that begins with a cache line, since vectors of 64 bytes that straddle two lines are loaded at half the
/// speed; a megabyte or more in huge pages where the system has them, since the processor has to look up the place
/// of each page.
/// @throws std::bad_alloc
void* allocate_aligned(std::size_t bytes);
void free_aligned(void* memory, std::size_t bytes) noexcept;

template <class Value>
struct AlignedAllocator {
  using value_type = Value;

  AlignedAllocator() = default;
  template <class Other>
  AlignedAllocator(const AlignedAllocator<Other>&) {}

  Value* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(Value)) throw std::bad_array_new_length();
    return static_cast<Value*>(allocate_aligned(count * sizeof(Value)));
  }
  void deallocate(Value* memory, std::size_t count) { free_aligned(memory, count * sizeof(Value)); }

  bool operator==(const AlignedAllocator&) const { return true; }
};

}  // namespace detail

/// Rows of numbers, row-major. Samples are rows: inputs (batch, inputs), weights (inputs, outputs).
template <class Real>
using Matrix = xt::xtensor<Real, 2, xt::layout_type::row_major, detail::AlignedAllocator<Real>>;

template <class Real>
using Vector = xt::xtensor<Real, 1, xt::layout_type::row_major, detail::AlignedAllocator<Real>>;

/// Grey images, (count, rows, columns), 0 for no ink, 255 for full ink.
using Images = xt::xtensor<std::uint8_t, 3>;

/// One class number a sample, each in [0, classes).
using Labels = xt::xtensor<std::uint8_t, 1>;

/// A matrix in plain memory that somebody else owns: `rows` rows of `columns` numbers, `stride` apart.
/// What hot loops and BLAS work on; a piece of a batch is a view of some of its rows.
template <class Real>
struct MatrixView {
  Real* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  std::span<Real> row(std::size_t index) const { return {data + index * stride, columns}; }

  /// Rows [first, first + count).
  MatrixView rows_from(std::size_t first, std::size_t count) const {
    return {data + first * stride, count, columns, stride};
  }

  /// Columns [first, first + count), every row.
  MatrixView columns_from(std::size_t first, std::size_t count) const { return {data + first, rows, count, stride}; }

  operator MatrixView<const Real>() const { return {data, rows, columns, stride}; }
};

template <class Real>
MatrixView<Real> view(Matrix<Real>& matrix) {
  return {matrix.data(), matrix.shape(0), matrix.shape(1), matrix.shape(1)};
}

template <class Real>
MatrixView<const Real> view(const Matrix<Real>& matrix) {
  return {matrix.data(), matrix.shape(0), matrix.shape(1), matrix.shape(1)};
}

template <class Real>
std::span<Real> values(Vector<Real>& vector) {
  return {vector.data(), vector.size()};
}

template <class Real>
std::span<const Real> values(const Vector<Real>& vector) {
  return {vector.data(), vector.size()};
}

template <class Real>
std::span<Real> values(Matrix<Real>& matrix) {
  return {matrix.data(), matrix.size()};
}

template <class Real>
std::span<const Real> values(const Matrix<Real>& matrix) {
  return {matrix.data(), matrix.size()};
}

/// One row as plain memory: xtensor views in a hot loop cost 6 to 10 times as much.
template <class Real>
std::span<Real> row(Matrix<Real>& matrix, std::size_t index) {
  return {matrix.data() + index * matrix.shape(1), matrix.shape(1)};
}

template <class Real>
std::span<const Real> row(const Matrix<Real>& matrix, std::size_t index) {
  return {matrix.data() + index * matrix.shape(1), matrix.shape(1)};
}

template <class Real>
Matrix<Real> zeros(std::array<std::size_t, 2> shape) {
  return Matrix<Real>(typename Matrix<Real>::shape_type{shape[0], shape[1]}, Real{0});
}

template <class Real>
Vector<Real> zero_vector(std::size_t size) {
  return Vector<Real>(typename Vector<Real>::shape_type{size}, Real{0});
}

/// "(32, 784)", for messages.
template <class Shape>
std::string shape_text_of(const Shape& shape) {
  std::string text = "(";
  const char* separator = "";
  for (const auto extent : shape) {
    text += separator + std::to_string(extent);
    separator = ", ";
  }
  return text + ")";
}

template <class Array>
std::string shape_text(const Array& array) {
  return shape_text_of(array.shape());
}

template <class Real>
std::string shape_text(const MatrixView<Real>& matrix) {
  return detail::text("(", matrix.rows, ", ", matrix.columns, ")");
}

/// Whether a factor of a product is taken as it is or transposed, without a copy.
enum class Transpose { no, yes };

namespace detail {

inline void cblas_gemm(Transpose ta, Transpose tb, int m, int n, int k, float alpha, const float* a, int lda,
                       const float* b, int ldb, float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, ta == Transpose::yes ? CblasTrans : CblasNoTrans,
              tb == Transpose::yes ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

inline void cblas_gemm(Transpose ta, Transpose tb, int m, int n, int k, double alpha, const double* a, int lda,
                       const double* b, int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, ta == Transpose::yes ? CblasTrans : CblasNoTrans,
              tb == Transpose::yes ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

/// BLAS counts in int; anything larger would wrap silently.
inline int blas_extent(std::size_t extent) {
  if (extent > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw ShapeError(text("gemm: an extent of ", extent, ", expected at most 2147483647"));
  }
  return static_cast<int>(extent);
}

}  // namespace detail

/// C = alpha * op(A) * op(B) + beta * C, in place, with op(M) either M or its transpose.
///
/// BLAS trusts its caller; the shapes are checked here, in every build. C must not overlap A or B.
/// An empty inner dimension is a product of zero: C is scaled by beta, or cleared if beta is 0.
///
/// @throws ShapeError  if op(A) is not (C.rows, inner) or op(B) not (inner, C.columns)
template <class Real>
void gemm(Real alpha, MatrixView<const Real> a, Transpose ta, MatrixView<const Real> b, Transpose tb, Real beta,
          MatrixView<Real> c) {
  const std::size_t a_rows = ta == Transpose::no ? a.rows : a.columns;
  const std::size_t a_columns = ta == Transpose::no ? a.columns : a.rows;
  const std::size_t b_rows = tb == Transpose::no ? b.rows : b.columns;
  const std::size_t b_columns = tb == Transpose::no ? b.columns : b.rows;
  if (a_columns != b_rows || a_rows != c.rows || b_columns != c.columns) {
    throw ShapeError(detail::text("gemm: (", a_rows, ", ", a_columns, ") times (", b_rows, ", ", b_columns, ") into ",
                                  shape_text(c), ", expected (m, k) times (k, n) into (m, n)"));
  }
  if (c.rows == 0 || c.columns == 0) return;
  if (a_columns == 0) {
    for (std::size_t i = 0; i < c.rows; ++i) {
      for (Real& value : c.row(i)) value = beta == Real{0} ? Real{0} : beta * value;
    }
    return;
  }
  detail::cblas_gemm(ta, tb, detail::blas_extent(c.rows), detail::blas_extent(c.columns),
                     detail::blas_extent(a_columns), alpha, a.data, detail::blas_extent(a.stride), b.data,
                     detail::blas_extent(b.stride), beta, c.data, detail::blas_extent(c.stride));
}

/// The product of two matrices, as a new matrix. Loops that run often use gemm, which allocates nothing.
/// @throws ShapeError  if a has other than b.shape(0) columns
template <class Real>
Matrix<Real> matmul(const Matrix<Real>& a, const Matrix<Real>& b) {
  if (a.shape(1) != b.shape(0)) {
    throw ShapeError(detail::text("matmul: ", shape_text(a), " times ", shape_text(b),
                                  ", expected as many columns on the left as rows on the right"));
  }
  Matrix<Real> product = Matrix<Real>::from_shape({a.shape(0), b.shape(1)});
  gemm<Real>(Real{1}, view(a), Transpose::no, view(b), Transpose::no, Real{0}, view(product));
  return product;
}

}  // namespace digitnet
