// What tensor.hpp promises: views of plain memory, and products with their shapes checked.
#include "catch.hpp"

#include <digitnet/random.hpp>
#include <digitnet/tensor.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

using namespace digitnet;

// Two pairs of parentheses where arrays are compared: Catch2 would take xtensor's operators for its own.

namespace {

template <class Real>
Real element(MatrixView<const Real> m, Transpose transpose, std::size_t i, std::size_t j) {
  return transpose == Transpose::no ? m.data[i * m.stride + j] : m.data[j * m.stride + i];
}

/// C = alpha * op(A) * op(B) + beta * C by three loops, in long double, as the reference for gemm.
template <class Real>
Matrix<Real> plain_gemm(Real alpha, MatrixView<const Real> a, Transpose ta, MatrixView<const Real> b, Transpose tb,
                        Real beta, MatrixView<const Real> c, std::size_t inner) {
  Matrix<Real> result = zeros<Real>({c.rows, c.columns});
  for (std::size_t i = 0; i < c.rows; ++i) {
    for (std::size_t j = 0; j < c.columns; ++j) {
      long double sum = 0;
      for (std::size_t k = 0; k < inner; ++k) {
        sum += static_cast<long double>(element(a, ta, i, k)) * element(b, tb, k, j);
      }
      result(i, j) = static_cast<Real>(alpha * sum + (beta == 0 ? 0 : beta * c.data[i * c.stride + j]));
    }
  }
  return result;
}

template <class Real>
MatrixView<const Real> constant(MatrixView<Real> matrix) {
  return matrix;
}

/// Factors in the middle of larger matrices, so that strides differ from columns, and what surrounds C.
template <class Real>
void check_gemm(std::size_t m, std::size_t k, std::size_t n, Transpose ta, Transpose tb, Real alpha, Real beta) {
  Rng rng(m * 100 + k * 10 + n);
  const std::size_t a_rows = ta == Transpose::no ? m : k, a_columns = ta == Transpose::no ? k : m;
  const std::size_t b_rows = tb == Transpose::no ? k : n, b_columns = tb == Transpose::no ? n : k;
  Matrix<Real> a_whole = normal<Real>({a_rows + 3, a_columns + 4}, rng);
  Matrix<Real> b_whole = normal<Real>({b_rows + 2, b_columns + 1}, rng);
  Matrix<Real> c_whole = normal<Real>({m + 4, n + 5}, rng);
  const Matrix<Real> c_before = c_whole;
  const auto a = constant(view(a_whole).rows_from(2, a_rows).columns_from(3, a_columns));
  const auto b = constant(view(b_whole).rows_from(1, b_rows).columns_from(1, b_columns));
  const auto c = view(c_whole).rows_from(3, m).columns_from(2, n);
  const Matrix<Real> expected = plain_gemm<Real>(alpha, a, ta, b, tb, beta, c, k);

  gemm<Real>(alpha, a, ta, b, tb, beta, c);

  // A sum of k products of numbers of about 1; each operation errs by at most half an epsilon.
  const Real tolerance = static_cast<Real>(k + 4) * 16 * std::numeric_limits<Real>::epsilon();
  Real largest_error = 0;
  bool untouched = true;
  for (std::size_t i = 0; i < c_whole.shape(0); ++i) {
    for (std::size_t j = 0; j < c_whole.shape(1); ++j) {
      const bool inside = i >= 3 && i < 3 + m && j >= 2 && j < 2 + n;
      if (inside) {
        largest_error = std::max(largest_error, std::abs(c_whole(i, j) - expected(i - 3, j - 2)));
      } else {
        untouched = untouched && c_whole(i, j) == c_before(i, j);
      }
    }
  }
  CAPTURE(m, k, n, ta == Transpose::yes, tb == Transpose::yes, alpha, beta);
  CHECK(largest_error <= tolerance);
  CHECK(untouched);
}

template <class Real>
void check_gemm_everywhere() {
  for (const Transpose ta : {Transpose::no, Transpose::yes}) {
    for (const Transpose tb : {Transpose::no, Transpose::yes}) {
      check_gemm<Real>(1, 1, 1, ta, tb, 1, 0);
      check_gemm<Real>(3, 4, 5, ta, tb, 1, 0);
      check_gemm<Real>(3, 4, 5, ta, tb, Real(-0.5), 1);
      check_gemm<Real>(7, 1, 2, ta, tb, 2, Real(0.25));
      check_gemm<Real>(1, 65, 10, ta, tb, 1, -1);
      check_gemm<Real>(33, 70, 17, ta, tb, Real(0.1), Real(0.9));
      check_gemm<Real>(4, 5, 6, ta, tb, 0, 2);
    }
  }
}

}  // namespace

TEST_CASE("gemm: all transpositions, on parts of larger matrices, agree with three plain loops (float)",
          "[tensor][gemm]") {
  check_gemm_everywhere<float>();
}

TEST_CASE("gemm: all transpositions, on parts of larger matrices, agree with three plain loops (double)",
          "[tensor][gemm]") {
  check_gemm_everywhere<double>();
}

TEST_CASE("gemm: with beta 0 what was in C does not count, not even NaN", "[tensor][gemm]") {
  const Matrix<double> a{{1, 2}, {3, 4}};
  Matrix<double> c = zeros<double>({2, 2});
  c.fill(std::numeric_limits<double>::quiet_NaN());
  gemm<double>(1, view(a), Transpose::no, view(a), Transpose::no, 0, view(c));
  CHECK((c == Matrix<double>{{7, 10}, {15, 22}}));
}

TEST_CASE("gemm: an empty inner dimension scales C by beta, or clears it", "[tensor][gemm]") {
  const Matrix<float> a = zeros<float>({2, 0});
  const Matrix<float> b = zeros<float>({0, 3});
  Matrix<float> c{{1, 2, 3}, {4, 5, 6}};
  SECTION("beta 2") {
    gemm<float>(1, view(a), Transpose::no, view(b), Transpose::no, 2, view(c));
    CHECK((c == Matrix<float>{{2, 4, 6}, {8, 10, 12}}));
  }
  SECTION("beta 0 clears even NaN") {
    c.fill(std::numeric_limits<float>::quiet_NaN());
    gemm<float>(1, view(a), Transpose::no, view(b), Transpose::no, 0, view(c));
    CHECK((c == zeros<float>({2, 3})));
  }
}

TEST_CASE("gemm: an empty C is left alone", "[tensor][gemm]") {
  const Matrix<float> a = zeros<float>({0, 4});
  const Matrix<float> b = zeros<float>({4, 3});
  Matrix<float> c = zeros<float>({0, 3});
  CHECK_NOTHROW(gemm<float>(1, view(a), Transpose::no, view(b), Transpose::no, 0, view(c)));
  Matrix<float> narrow = zeros<float>({3, 0});
  CHECK_NOTHROW(gemm<float>(1, view(b), Transpose::yes, view(a), Transpose::yes, 0, view(narrow)));
}

TEST_CASE("gemm: shapes that do not fit are named as they are multiplied", "[tensor][gemm][error]") {
  const Matrix<float> a = zeros<float>({2, 3});
  const Matrix<float> b = zeros<float>({4, 5});
  Matrix<float> c = zeros<float>({2, 5});
  const auto multiply = [&](Transpose ta, Transpose tb, MatrixView<float> target) {
    gemm<float>(1, view(a), ta, view(b), tb, 0, target);
  };
  CHECK_ERROR(multiply(Transpose::no, Transpose::no, view(c)), ShapeError,
              "gemm: (2, 3) times (4, 5) into (2, 5), expected (m, k) times (k, n) into (m, n)");
  CHECK_ERROR(multiply(Transpose::yes, Transpose::yes, view(c)), ShapeError, "gemm: (3, 2) times (5, 4) into (2, 5)");
  const Matrix<float> fits = zeros<float>({3, 5});
  Matrix<float> too_high = zeros<float>({3, 5}), too_narrow = zeros<float>({2, 4});
  CHECK_ERROR(gemm<float>(1, view(a), Transpose::no, view(fits), Transpose::no, 0, view(too_high)), ShapeError,
              "into (3, 5)");
  CHECK_ERROR(gemm<float>(1, view(a), Transpose::no, view(fits), Transpose::no, 0, view(too_narrow)), ShapeError,
              "into (2, 4)");
}

TEST_CASE("gemm: an extent that BLAS cannot count is refused before anything is read", "[tensor][gemm][error]") {
  constexpr std::size_t many = 2147483648u;
  const MatrixView<const float> a{nullptr, many, 1, 1};
  const MatrixView<const float> b{nullptr, 1, 1, 1};
  const MatrixView<float> c{nullptr, many, 1, 1};
  CHECK_ERROR(gemm<float>(1, a, Transpose::no, b, Transpose::no, 0, c), ShapeError,
              "an extent of 2147483648, expected at most 2147483647");
}

TEST_CASE("matmul: the product of two matrices is a new matrix", "[tensor]") {
  const Matrix<double> a{{1, 2, 3}, {4, 5, 6}};
  const Matrix<double> b{{1, 0}, {0, 1}, {2, -1}};
  CHECK((matmul(a, b) == Matrix<double>{{7, -1}, {16, -1}}));
  CHECK((matmul(Matrix<float>{{2}}, Matrix<float>{{0.5F}}) == Matrix<float>{{1}}));
}

TEST_CASE("matmul: an empty inner dimension gives zeros, empty factors an empty product", "[tensor]") {
  CHECK((matmul(zeros<double>({2, 0}), zeros<double>({0, 3})) == zeros<double>({2, 3})));
  CHECK(shape_text(matmul(zeros<double>({0, 4}), zeros<double>({4, 3}))) == "(0, 3)");
  CHECK(shape_text(matmul(zeros<double>({2, 4}), zeros<double>({4, 0}))) == "(2, 0)");
}

TEST_CASE("matmul: both shapes are in the error", "[tensor][error]") {
  CHECK_ERROR(matmul(zeros<float>({32, 783}), zeros<float>({784, 10})), ShapeError,
              "matmul: (32, 783) times (784, 10), expected as many columns on the left as rows on the right");
}

TEST_CASE("MatrixView: rows and columns of a part lie in the memory of the whole", "[tensor]") {
  Matrix<float> whole{{0, 1, 2, 3}, {10, 11, 12, 13}, {20, 21, 22, 23}};
  const MatrixView<float> part = view(whole).rows_from(1, 2).columns_from(1, 2);
  CHECK(part.rows == 2);
  CHECK(part.columns == 2);
  CHECK(part.stride == 4);
  CHECK(part.row(0).data() == &whole(1, 1));
  CHECK(part.row(1).size() == 2);
  CHECK(part.row(1)[1] == 22);
  part.row(1)[1] = 99;
  CHECK(whole(2, 2) == 99);
  CHECK(shape_text(part) == "(2, 2)");
}

TEST_CASE("MatrixView: what may be written may be read, not the reverse", "[tensor]") {
  STATIC_REQUIRE(std::is_convertible_v<MatrixView<float>, MatrixView<const float>>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<MatrixView<const float>, MatrixView<float>>);
  const Matrix<float> fixed{{1, 2}};
  STATIC_REQUIRE(std::is_same_v<decltype(view(fixed)), MatrixView<const float>>);
  STATIC_REQUIRE(std::is_same_v<decltype(row(fixed, 0)), std::span<const float>>);
  STATIC_REQUIRE(std::is_same_v<decltype(values(fixed)), std::span<const float>>);
}

TEST_CASE("values and row: spans are the memory of the array, row after row", "[tensor]") {
  Matrix<double> matrix{{1, 2, 3}, {4, 5, 6}};
  CHECK(values(matrix).size() == 6);
  CHECK(values(matrix)[3] == 4);
  CHECK(row(matrix, 1).data() == &matrix(1, 0));
  CHECK(row(matrix, 1).size() == 3);
  Vector<double> vector{1, 2};
  values(vector)[1] = 7;
  CHECK(vector(1) == 7);
  CHECK(values(std::as_const(vector)).size() == 2);
}

TEST_CASE("zeros and zero_vector: every number is 0, of the shape asked for", "[tensor]") {
  const Matrix<float> matrix = zeros<float>({3, 2});
  CHECK(shape_text(matrix) == "(3, 2)");
  CHECK(std::all_of(values(matrix).begin(), values(matrix).end(), [](float value) { return value == 0; }));
  const Vector<double> vector = zero_vector<double>(5);
  CHECK(shape_text(vector) == "(5)");
  CHECK(std::all_of(values(vector).begin(), values(vector).end(), [](double value) { return value == 0; }));
  CHECK(zeros<float>({0, 7}).size() == 0);
}

TEST_CASE("shape_text: extents in parentheses, for any number of dimensions", "[tensor]") {
  CHECK(shape_text_of(std::array<std::size_t, 0>{}) == "()");
  CHECK(shape_text_of(std::array<std::size_t, 3>{60000, 28, 28}) == "(60000, 28, 28)");
  CHECK(shape_text(Images::from_shape({2, 3, 4})) == "(2, 3, 4)");
}
