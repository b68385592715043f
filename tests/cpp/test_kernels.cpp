// The inner loops of src/kernels.hpp and the packing of src/sparse_samples.hpp, against the plainest form of each.
#include "../../src/kernels.hpp"

#include "../../src/fast_activation.hpp"
#include "../../src/half_precision.hpp"
#include "../../src/sparse_samples.hpp"
#include "arrays.hpp"
#include "catch.hpp"
#include "gradient.hpp"

#include <digitnet/random.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <vector>

using namespace digitnet;

namespace {

/// n bytes, of which about one in `one_in` is not zero.
std::vector<std::uint8_t> random_ink(std::size_t n, std::uint64_t one_in, Rng& rng) {
  std::vector<std::uint8_t> ink(n);
  for (std::uint8_t& byte : ink) byte = rng.below(one_in) == 0 ? static_cast<std::uint8_t>(1 + rng.below(255)) : 0;
  return ink;
}

/// The pixels that some groups of a sample stand for.
std::vector<std::uint8_t> unpack(detail::Ink ink, std::size_t groups, std::size_t inputs) {
  std::vector<std::uint8_t> pixels(inputs, 0);
  for (std::size_t group = 0; group < groups; ++group) {
    for (std::size_t i = 0; i < detail::ink_group; ++i) {
      if ((ink.bits[group] >> i & 1) != 0) pixels.at(group * detail::ink_group + i) = *ink.values++;
    }
  }
  return pixels;
}

/// How many values a sample has before one of its groups.
std::size_t ink_before(const detail::Ink& ink, std::size_t group) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < group; ++i) count += static_cast<std::size_t>(std::popcount(ink.bits[i]));
  return count;
}

/// The first rows and columns of a matrix.
template <class Real>
Matrix<Real> part_of(const Matrix<Real>& matrix, std::size_t rows, std::size_t columns) {
  Matrix<Real> part = zeros<Real>({rows, columns});
  for (std::size_t i = 0; i < rows; ++i) std::copy_n(row(matrix, i).data(), columns, row(part, i).data());
  return part;
}

/// The plain form of start + factors * matrix, in double.
template <class Real>
Matrix<double> plain_product(const Matrix<Real>& factors, const Matrix<Real>& matrix, const Real* start) {
  Matrix<double> result = zeros<double>({factors.shape(0), matrix.shape(1)});
  for (std::size_t i = 0; i < result.shape(0); ++i) {
    for (std::size_t c = 0; c < result.shape(1); ++c) {
      if (start != nullptr) result(i, c) = static_cast<double>(start[c]);
      for (std::size_t k = 0; k < factors.shape(1); ++k) {
        result(i, c) += static_cast<double>(factors(i, k)) * static_cast<double>(matrix(k, c));
      }
    }
  }
  return result;
}

}  // namespace

TEMPLATE_TEST_CASE("combine_rows: agrees with the plain sum for every width", "[kernels]", float, double) {
  using Real = TestType;
  Rng rng(3);
  const double tolerance = std::is_same_v<Real, float> ? 5e-6 : 1e-14;  // 40 roundings of 6e-8 or 1e-16
  for (const std::size_t columns : {1u, 3u, 10u, 16u, 17u, 31u, 128u, 129u, 250u, 300u}) {
    for (const std::size_t count : {0u, 1u, 2u, 40u}) {
      const Matrix<Real> matrix = normal<Real>({count, columns}, rng);
      const Matrix<Real> start = normal<Real>({1, columns}, rng);
      const Matrix<Real> factors = normal<Real>({1, count}, rng);
      for (const Real* from : {start.data(), static_cast<const Real*>(nullptr)}) {
        Matrix<Real> out = zeros<Real>({1, columns});
        for (Real& value : values(out)) value = -7;
        detail::combine_rows(out.data(), from, matrix.data(), columns, columns, nullptr, factors.data(), count);
        CHECK(test::relative_error(out, plain_product(factors, matrix, from)) < tolerance);
      }
    }
  }
  const Matrix<Real> matrix = normal<Real>({30, 21}, rng);  // some of the rows, a part of the columns
  const Matrix<Real> factors = normal<Real>({1, 3}, rng);
  const std::vector<std::uint16_t> picked{4, 7, 29};
  std::vector<Real> out(19);
  detail::combine_rows<Real>(out.data(), nullptr, matrix.data() + 2, 21, 19, picked.data(), factors.data(), 3);
  for (std::size_t c = 0; c < 19; ++c) {
    const Real plain =
        factors(0, 0) * matrix(4, c + 2) + factors(0, 1) * matrix(7, c + 2) + factors(0, 2) * matrix(29, c + 2);
    CHECK(std::abs(static_cast<double>(out[c] - plain)) < 10 * tolerance);
  }
}

TEST_CASE("half precision: every number comes back, and what is between two of them goes to the nearest",
          "[kernels]") {
  for (std::uint32_t bits = 0; bits < 31u << 10; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float number = detail::half_to_float(half);
    REQUIRE(detail::float_to_half(number) == half);
    REQUIRE(detail::float_to_half(-number) == (half | 0x8000));
    const double next = bits + 1 < 31u << 10 ? detail::half_to_float(static_cast<std::uint16_t>(bits + 1)) : 65536;
    REQUIRE(detail::float_to_half((number + next) / 2) == bits + bits % 2);  // of two as near, the even one
  }
}

TEST_CASE("HalfRows: the same bits as combine_rows with the same weights", "[kernels]") {
  Rng rng(5);
  for (const std::size_t columns : {1u, 10u, 16u, 17u, 100u, 128u, 160u, 400u}) {
    constexpr std::size_t inputs = 50;
    Dense<float> layer{normal<float>({inputs, columns}, rng), zero_vector<float>(columns)};
    for (float& weight : values(layer.weights)) {  // some of them denormal halves
      weight = detail::half_to_float(detail::float_to_half(weight * (rng.below(4) == 0 ? 1e-6F : 0.1F)));
    }
    for (float& bias : layer.bias) bias = static_cast<float>(rng.uniform());
    const std::optional<detail::HalfRows> halves = detail::HalfRows::of(layer);
    if (!halves) {
      SUCCEED("this processor, or DIGITNET_SIMD, has no vectors of half-precision numbers");
      return;
    }
    const std::vector<std::uint16_t> picked{0, 3, 4, 20, 21, 49};
    std::vector<float> factors;
    for (std::size_t k = 0; k < picked.size(); ++k) factors.push_back(static_cast<float>(rng.uniform(-1, 1)));
    for (const std::size_t count : {0u, 1u, 6u}) {
      std::vector<float> expected(columns);
      detail::combine_rows<float>(expected.data(), layer.bias.data(), layer.weights.data(), columns, columns,
                                  picked.data(), factors.data(), count);
      std::vector<float> out(detail::padded(columns));
      halves->combine(out.data(), picked.data(), factors.data(), count);
      out.resize(columns);
      CHECK(out == expected);
    }
    layer.weights(7, 0) = 1.0001F;  // between two of them
    CHECK(!detail::HalfRows::of(layer));
  }
}

TEST_CASE("find_ink: a bit for each input that is not zero, for bytes and for numbers", "[kernels]") {
  Rng rng(17);
  for (const std::size_t inputs : {1u, 7u, 63u, 64u, 65u, 128u, 784u}) {
    const std::vector<std::uint8_t> bytes = random_ink(inputs, 3, rng);
    std::vector<float> floats(bytes.begin(), bytes.end());
    std::vector<double> doubles(bytes.begin(), bytes.end());
    for (std::size_t i = 0; i < inputs; ++i) {
      floats[i] *= i % 2 == 0 ? -1e-40F : 1e30F;  // denormal, and -0 for 0
      doubles[i] *= i % 2 == 0 ? -1e-310 : 1e300;
    }
    floats[inputs / 2] = std::numeric_limits<float>::quiet_NaN();
    std::vector<std::uint64_t> expected(detail::ink_groups(inputs), 0);
    for (std::size_t i = 0; i < inputs; ++i) expected[i / 64] |= std::uint64_t{bytes[i] != 0} << (i % 64);
    std::vector<std::uint64_t> bits(expected.size(), ~std::uint64_t{0});
    detail::find_ink(bytes, bits.data());
    CHECK(bits == expected);
    bits.assign(expected.size(), ~std::uint64_t{0});
    detail::find_ink(doubles, bits.data());
    CHECK(bits == expected);
    expected[inputs / 2 / 64] |= std::uint64_t{1} << (inputs / 2 % 64);  // NaN is no zero: nothing may hide it
    bits.assign(expected.size(), ~std::uint64_t{0});
    detail::find_ink(floats, bits.data());
    CHECK(bits == expected);
  }
}

TEMPLATE_TEST_CASE("bytes_to_numbers: the same bits as a data set gives", "[kernels]", float, double) {
  using Real = TestType;
  Images images = Images::from_shape({1, 1, 256 + 3});
  for (std::size_t i = 0; i < images.size(); ++i) images.data()[i] = static_cast<std::uint8_t>(i);
  const Dataset data(std::move(images), Labels{0});
  std::vector<Real> numbers(259);
  detail::bytes_to_numbers<Real>(numbers.data(), data.pixels(0));
  std::vector<Real> expected(259);
  data.copy_sample<Real>(0, expected);
  CHECK(numbers == expected);
  CHECK(numbers[255] == Real{1});
}

TEMPLATE_TEST_CASE("skipping_product: agrees with the plain sum, for bytes and for numbers, few samples and many",
                   "[kernels]", float, double) {
  using Real = TestType;
  Rng rng(18);
  const double tolerance = std::is_same_v<Real, float> ? 1e-5 : 1e-13;
  const std::array<Real, 256> scale = detail::byte_scale<Real>();
  for (const std::size_t inputs : {1u, 64u, 100u, 200u}) {
    for (const std::size_t columns : {1u, 10u, 16u, 100u, 256u, 300u}) {
      for (const std::size_t count : {1u, 2u, 31u, 32u, 50u}) {  // from 32 on weights are copied
        const std::size_t stride = columns + 5;
        const Matrix<Real> wide = normal<Real>({inputs, stride}, rng);
        const Matrix<Real> weights = part_of(wide, inputs, columns);
        const Matrix<Real> bias = normal<Real>({1, columns}, rng);
        std::vector<std::uint8_t> bytes = random_ink(count * inputs, 4, rng);
        std::fill_n(bytes.begin(), inputs, std::uint8_t{0});  // the first sample is blank
        Matrix<Real> numbers = zeros<Real>({count, inputs});
        for (std::size_t i = 0; i < bytes.size(); ++i) numbers.data()[i] = scale[bytes[i]];
        std::vector<const std::uint8_t*> byte_rows;
        std::vector<const Real*> number_rows;
        std::vector<std::uint64_t> bits(count * detail::ink_groups(inputs));
        for (std::size_t s = 0; s < count; ++s) {
          byte_rows.push_back(bytes.data() + s * inputs);
          number_rows.push_back(row(numbers, s).data());
          detail::find_ink(std::span(bytes).subspan(s * inputs, inputs), &bits[s * detail::ink_groups(inputs)]);
        }
        const Matrix<double> expected = plain_product(numbers, weights, bias.data());
        Matrix<Real> z = zeros<Real>({count, columns + 1});
        detail::skipping_product<Real, std::uint8_t>(z.data(), columns + 1, bias.data(), wide.data(), stride, columns,
                                                     inputs, byte_rows, bits.data(), scale.data());
        CHECK(test::relative_error(part_of(z, count, columns), expected) < tolerance);
        for (std::size_t s = 0; s < count; ++s) CHECK(z(s, columns) == Real{0});  // nothing beyond is written
        Matrix<Real> of_numbers = zeros<Real>({count, columns + 1});
        detail::skipping_product<Real, Real>(of_numbers.data(), columns + 1, bias.data(), wide.data(), stride,
                                             columns, inputs, number_rows, bits.data(), nullptr);
        CHECK(test::same_bits(of_numbers, z));
      }
    }
  }
}

TEST_CASE("SparseSamples: lists just the bytes that are not zero, in order", "[kernels]") {
  Rng rng(5);
  ThreadTeam team(2);
  for (const std::size_t side : {1u, 5u, 8u, 28u}) {  // less than a group, and groups that do not come out even
    constexpr std::size_t count = 20;
    Images images = Images::from_shape({count, side, side});
    const std::vector<std::uint8_t> ink = random_ink(images.size(), 5, rng);
    std::copy(ink.begin(), ink.end(), images.data());
    const Dataset data = Dataset(std::move(images), Labels(Labels::shape_type{count}, std::uint8_t{0}))
                             .subset({19, 3, 3, 0, 7, 8, 9, 10, 11, 12, 13, 14});
    const auto packed = detail::SparseSamples::pack(data, team);
    if (!packed) {  // by chance dense: 25 pixels may be
      REQUIRE(side < 8);
      continue;
    }
    for (std::size_t sample = 0; sample < data.size(); ++sample) {
      const std::span<const std::uint8_t> pixels = data.pixels(sample);
      const std::vector<std::uint8_t> expected(pixels.begin(), pixels.end());
      const std::size_t groups = detail::ink_groups(data.inputs());
      CHECK(unpack(packed->ink(sample), groups, data.inputs()) == expected);

      std::vector<std::uint8_t> regrouped;
      for (std::size_t group = 0; group < groups; ++group) {
        const std::size_t inputs = std::min(detail::ink_group, data.inputs() - group * detail::ink_group);
        const std::vector<std::uint8_t> part = unpack(packed->ink(sample, group), 1, inputs);
        regrouped.insert(regrouped.end(), part.begin(), part.end());
      }
      CHECK(regrouped == expected);
    }
  }
}

TEST_CASE("SparseSamples: data with ink nearly everywhere are left dense", "[kernels]") {
  ThreadTeam team(1);
  const auto labels = [] { return Labels(Labels::shape_type{4}, std::uint8_t{0}); };
  CHECK_FALSE(
      detail::SparseSamples::pack(Dataset(Images(Images::shape_type{4, 6, 6}, std::uint8_t{9}), labels()), team));
  CHECK_FALSE(detail::SparseSamples::pack(Dataset(zeros<float>({4, 36}), labels()), team));  // no bytes
  CHECK_FALSE(detail::SparseSamples::pack(Dataset(), team));
  CHECK(detail::SparseSamples::pack(Dataset(Images(Images::shape_type{4, 6, 6}, std::uint8_t{0}), labels()), team));
}

TEST_CASE("ChangedSamples: keeps the entries that were not left out, in order", "[kernels]") {
  Rng rng(6);
  ThreadTeam team(1);
  Images images = Images::from_shape({3, 10, 10});
  const std::vector<std::uint8_t> ink = random_ink(images.size(), 5, rng);
  std::copy(ink.begin(), ink.end(), images.data());
  const Dataset data(std::move(images), Labels(Labels::shape_type{3}, std::uint8_t{0}));
  const auto packed = detail::SparseSamples::pack(data, team);
  REQUIRE(packed);
  const std::vector<std::uint8_t> all = unpack(packed->ink(2), 2, 100);
  detail::ChangedSamples thinned(2, 100);
  thinned.put(0, data.pixels(2));
  CHECK(unpack(thinned.ink(0), 2, 100) == all);
  for (const double share : {0.0, 0.5, 1.0}) {
    thinned.thin(1, packed->ink(2), share, Rng(8));
    const std::vector<std::uint8_t> kept = unpack(thinned.ink(1), 2, 100);
    thinned.put(0, data.pixels(2));
    thinned.thin(0, thinned.ink(0), share, Rng(8));  // in its place
    CHECK(unpack(thinned.ink(0), 2, 100) == kept);
    std::size_t left_out = 0;
    for (std::size_t i = 0; i < 100; ++i) {
      if (kept[i] == all[i]) continue;
      CHECK(kept[i] == 0);
      ++left_out;
    }
    const std::size_t ink_count = all.size() - static_cast<std::size_t>(std::count(all.begin(), all.end(), 0));
    if (share == 0.0) CHECK(left_out == 0);
    if (share == 0.5) CHECK((left_out > 0 && left_out < ink_count));
    if (share == 1.0) CHECK(left_out == ink_count);
    const std::vector<std::uint8_t> second = unpack(thinned.ink(1, 1), 1, 36);
    CHECK(std::equal(second.begin(), second.end(), kept.begin() + 64));
  }
}

/// Samples of `inputs` bytes, one in five with ink, as both kernels want them.
struct InkBatch {
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint64_t> bits;
  std::vector<std::uint8_t> values;
  std::vector<detail::Ink> samples;

  InkBatch(std::size_t count, std::size_t inputs, Rng& rng) : pixels(random_ink(count * inputs, 5, rng)) {
    const std::size_t groups = detail::ink_groups(inputs);
    std::vector<std::size_t> begins;
    for (std::size_t s = 0; s < count; ++s) {
      begins.push_back(values.size());
      for (std::size_t group = 0; group < groups; ++group) {
        const std::size_t first = group * detail::ink_group;
        const std::span pixels_of_group(pixels.data() + s * inputs + first,
                                        std::min(detail::ink_group, inputs - first));
        bits.push_back(detail::ink_bits(pixels_of_group));
        for (const std::uint8_t pixel : pixels_of_group) {
          if (pixel != 0) values.push_back(pixel);
        }
      }
    }
    for (std::size_t s = 0; s < count; ++s) samples.push_back({bits.data() + s * groups, values.data() + begins[s]});
  }
};

TEMPLATE_TEST_CASE("sparse_product and sparse_gradient: agree with gemm for every width", "[kernels]", float,
                   double) {
  using Real = TestType;
  Rng rng(12);
  const auto tolerance = std::is_same_v<Real, float> ? 1e-5 : 1e-13;
  const std::array<Real, 256> scale = detail::byte_scale<Real>();
  for (const std::size_t inputs : {1u, 64u, 100u, 200u}) {
    for (const std::size_t count : {1u, 63u, 64u, 130u}) {
      const InkBatch batch(count, inputs, rng);
      Matrix<Real> x = zeros<Real>({count, inputs});
      for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = scale[batch.pixels[i]];
      for (const std::size_t columns : {1u, 10u, 16u, 31u, 130u, 259u}) {
        INFO(inputs << " inputs, " << count << " samples, " << columns << " columns");
        const Matrix<Real> weights = normal<Real>({inputs, columns + 1}, rng);
        const MatrixView<const Real> used = view(weights).columns_from(1, columns);  // with a gap behind each row
        const Matrix<Real> bias = normal<Real>({1, columns}, rng);
        Matrix<Real> expected = zeros<Real>({count, columns});
        for (const bool with_bias : {false, true}) {
          gemm<Real>(Real{1}, view(std::as_const(x)), Transpose::no, used, Transpose::no, Real{0}, view(expected));
          for (std::size_t i = 0; with_bias && i < expected.size(); ++i) expected.data()[i] += bias(0, i % columns);
          Matrix<Real> z = normal<Real>({count, columns + 3}, rng);
          std::vector<detail::Ink> scratch(count);
          detail::sparse_product<Real>(z.data(), columns + 3, with_bias ? bias.data() : nullptr, used.data,
                                       used.stride, columns, inputs, batch.samples, scratch, scale.data());
          CHECK(test::relative_error(part_of(z, count, columns), expected) < tolerance);
        }

        const Matrix<Real> dz = normal<Real>({count, columns + 2}, rng);
        Matrix<Real> wanted = zeros<Real>({inputs, columns});
        gemm<Real>(Real{1}, view(std::as_const(x)), Transpose::yes, view(dz).columns_from(0, columns), Transpose::no,
                   Real{0}, view(wanted));
        Matrix<Real> gradient = normal<Real>({inputs, columns + 1}, rng);
        for (std::size_t group = 0; group < detail::ink_groups(inputs); ++group) {
          const std::size_t first = group * detail::ink_group;
          std::vector<detail::BitSquare> squares((count + 63) / 64, detail::BitSquare{});
          std::vector<const std::uint8_t*> values;
          for (std::size_t s = 0; s < count; ++s) {
            const detail::Ink& ink = batch.samples[s];
            squares[s / 64][s % 64] = ink.bits[group];
            values.push_back(ink.values + ink_before(ink, group));
          }
          for (detail::BitSquare& square : squares) detail::transpose_bits(square);
          std::vector<const std::uint8_t*> next(count);
          detail::sparse_gradient<Real>(gradient.data() + first * (columns + 1), columns + 1,
                                        std::min(detail::ink_group, inputs - first), dz.data(), columns + 2, columns,
                                        {squares, values, next}, scale.data());
        }
        CHECK(test::relative_error(part_of(gradient, inputs, columns), wanted) < tolerance);
      }
    }
  }
}

TEMPLATE_TEST_CASE("narrow_product: agrees with gemm, as it is and transposed", "[kernels]", float, double) {
  using Real = TestType;
  Rng rng(10);
  const auto tolerance = std::is_same_v<Real, float> ? 1e-5 : 1e-13;
  for (const std::size_t m : {1u, 4u, 7u, 8u, 33u}) {
    const Matrix<Real> a = normal<Real>({m, 40}, rng);
    const Matrix<Real> b = normal<Real>({40, detail::lanes}, rng);
    const Matrix<Real> expected = matmul(a, b);
    Matrix<Real> c = zeros<Real>({m, detail::lanes});
    detail::narrow_product<Real>(c.data(), nullptr, a.data(), 40, 1, b.data(), m, 40);
    CHECK(test::relative_error(c, expected) < tolerance);

    const Matrix<Real> transposed = normal<Real>({40, m}, rng);
    Matrix<Real> wanted = zeros<Real>({m, detail::lanes});
    gemm<Real>(Real{1}, view(transposed), Transpose::yes, view(b), Transpose::no, Real{0}, view(wanted));
    detail::narrow_product<Real>(c.data(), nullptr, transposed.data(), 1, m, b.data(), m, 40);
    CHECK(test::relative_error(c, wanted) < tolerance);
  }
}

TEST_CASE("transpose_bits: bit s of row i becomes bit i of row s", "[kernels]") {
  Rng rng(11);
  detail::BitSquare square;
  for (std::uint64_t& row : square) row = rng.next();
  detail::BitSquare transposed = square;
  detail::transpose_bits(transposed);
  for (std::size_t i = 0; i < 64; ++i) {
    for (std::size_t s = 0; s < 64; ++s) REQUIRE((square[i] >> s & 1) == (transposed[s] >> i & 1));
  }
}

TEST_CASE("fast_activate: a softmax within rounding of the plain one, whatever its size", "[kernels]") {
  Rng rng(12);
  for (const std::size_t classes : {1u, 2u, 10u, 15u, 16u, 17u, 40u, 256u}) {
    for (const double spread : {0.1, 3.0, 30.0, 1e4, 1e38}) {
      INFO(classes << " classes, spread " << spread);
      const Matrix<float> z = normal<float>({1, classes}, rng, spread);
      std::vector<float> fast(z.begin(), z.end());
      detail::fast_activate<float>(Activation::softmax, fast);
      // The differences to the largest are rounded as in float; from there on the plain form in double.
      const float largest = *std::max_element(z.begin(), z.end());
      double total = 0;
      for (const float value : z) total += std::exp(static_cast<double>(value - largest));
      double sum = 0;
      for (std::size_t k = 0; k < classes; ++k) {
        const double exact = std::exp(static_cast<double>(z(0, k) - largest)) / total;
        REQUIRE(std::abs(static_cast<double>(fast[k]) - exact) <= 8e-7 * exact + 1e-37);
        sum += static_cast<double>(fast[k]);
      }
      CHECK(sum == Approx(1).epsilon(1e-6));
    }
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::size_t place : {0u, 1u, 2u}) {  // a training sees that it diverged
    std::vector<float> diverged(3, 1.0F);
    diverged[place] = nan;
    detail::fast_activate<float>(Activation::softmax, diverged);
    for (const float value : diverged) CHECK(std::isnan(value));
  }
}

TEST_CASE("fast_activate and its gradient: within rounding of the plain forms, extremes included", "[kernels]") {
  std::vector<float> z;
  for (float x = -20; x < 20; x += 0.0137F) z.push_back(x);
  for (const float x : {0.0F, -0.0F, 1e-30F, -1e-7F, 3e-5F, -88.0F, 88.0F, -1e4F, 1e4F, 3e38F, -3e38F})
    z.push_back(x);
  for (std::size_t index = 0; index + 1 < activation_names.size(); ++index) {  // softmax is no function of one number
    const auto activation = static_cast<Activation>(index);
    INFO(name_of(activation));
    std::vector<double> plain(z.begin(), z.end());
    activate<double>(activation, plain);
    std::vector<float> fast = z;
    detail::fast_activate<float>(activation, fast);
    std::vector<float> gradient(z.size(), 1.0F);
    std::vector<double> plain_gradient(z.size(), 1.0);
    // In the tail of gelu erfc makes much of the last bit of its argument.
    const double tolerance = activation == Activation::gelu ? 3e-5 : 1e-6;
    const bool by_z = needs_preactivation(activation);
    detail::fast_activation_gradient<float>(activation, gradient, by_z ? z : fast);
    const std::vector<double> z_double(z.begin(), z.end());
    activation_gradient<double>(activation, plain_gradient, by_z ? z_double : plain);
    for (std::size_t i = 0; i < z.size(); ++i) {
      INFO("z = " << z[i]);
      REQUIRE(std::abs(static_cast<double>(fast[i]) - plain[i]) <= tolerance * std::abs(plain[i]) + 1e-30);
      REQUIRE(std::abs(static_cast<double>(gradient[i]) - plain_gradient[i]) <= 1e-6);
    }
    std::vector<float> nan{std::nanf("")};
    detail::fast_activate<float>(activation, nan);
    CHECK(std::isnan(nan[0]));
  }
}
