// The inner loops of src/kernels.hpp and the packing of src/sparse_samples.hpp, against the plainest form of each.
#include "../../src/kernels.hpp"

#include "../../src/sparse_samples.hpp"
#include "catch.hpp"

#include <digitnet/random.hpp>

#include <cmath>
#include <vector>

using namespace digitnet;

namespace {

/// n bytes, of which about one in `one_in` is not zero.
std::vector<std::uint8_t> random_ink(std::size_t n, std::uint64_t one_in, Rng& rng) {
  std::vector<std::uint8_t> ink(n);
  for (std::uint8_t& byte : ink) byte = rng.below(one_in) == 0 ? static_cast<std::uint8_t>(1 + rng.below(255)) : 0;
  return ink;
}

template <class Real>
void compare_with_plain_sum(Real tolerance) {
  Rng rng(3);
  const std::array<Real, 256> scale = detail::byte_scale<Real>();
  constexpr std::size_t rows = 50;
  for (const std::size_t columns : {1u, 3u, 10u, 16u, 17u, 31u, 128u, 129u, 250u, 300u}) {
    const Matrix<Real> matrix = normal<Real>({rows, columns}, rng);
    const Matrix<Real> start = normal<Real>({1, columns}, rng);
    for (const std::size_t count : {0u, 1u, 2u, 40u}) {
      std::vector<std::uint16_t> indices(count);
      std::vector<std::uint8_t> bytes(count);
      for (std::size_t k = 0; k < count; ++k) {
        indices[k] = static_cast<std::uint16_t>(rng.below(rows));
        bytes[k] = static_cast<std::uint8_t>(rng.below(256));
      }
      for (const bool with_start : {true, false}) {
        std::vector<Real> out(columns, Real{-7});
        detail::combine_rows(out.data(), with_start ? start.data() : nullptr, matrix.data(), columns, indices.data(),
                             bytes.data(), count, scale.data());
        for (std::size_t c = 0; c < columns; ++c) {
          double plain = with_start ? static_cast<double>(start(0, c)) : 0.0;
          double size = std::abs(plain);  // of all terms: roundings are relative to it
          for (std::size_t k = 0; k < count; ++k) {
            const double term = bytes[k] / 255.0 * static_cast<double>(matrix(indices[k], c));
            plain += term;
            size += std::abs(term);
          }
          REQUIRE(std::abs(static_cast<double>(out[c]) - plain) <= static_cast<double>(tolerance) * (size + 1));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("combine_rows: agrees with the plain sum for every width", "[kernels]") {
  compare_with_plain_sum<float>(5e-6F);  // 40 roundings of 6e-8
  compare_with_plain_sum<double>(1e-14);
}

TEST_CASE("SparseSamples: lists just the bytes that are not zero, in order", "[kernels]") {
  Rng rng(5);
  for (const std::size_t side : {1u, 5u, 8u, 28u}) {  // less than a group, and groups that do not come out even
    constexpr std::size_t count = 20;
    Images images = Images::from_shape({count, side, side});
    const std::vector<std::uint8_t> ink = random_ink(images.size(), 5, rng);
    std::copy(ink.begin(), ink.end(), images.data());
    const Dataset data = Dataset(std::move(images), Labels(Labels::shape_type{count}, std::uint8_t{0}))
                             .subset({19, 3, 3, 0, 7, 8, 9, 10, 11, 12, 13, 14});
    const auto packed = detail::SparseSamples::pack(data);
    if (!packed) {  // by chance dense: 25 pixels may be
      REQUIRE(side < 8);
      continue;
    }
    for (std::size_t sample = 0; sample < data.size(); ++sample) {
      std::vector<std::uint8_t> unpacked(data.inputs(), 0);
      const auto [inputs, values] = packed->entries(sample);
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        CHECK(values[k] != 0);
        unpacked[inputs[k]] = values[k];
      }
      const std::span<const std::uint8_t> pixels = data.pixels(sample);
      CHECK(unpacked == std::vector<std::uint8_t>(pixels.begin(), pixels.end()));

      std::size_t in_groups = 0;
      for (std::size_t group = 0; group * detail::sparse_group < data.inputs(); ++group) {
        const auto part = packed->entries(sample, group);
        in_groups += part.inputs.size();
        for (const std::uint16_t input : part.inputs) CHECK(input / detail::sparse_group == group);
      }
      CHECK(in_groups == inputs.size());
    }
  }
}

TEST_CASE("SparseSamples: data with ink nearly everywhere are left dense", "[kernels]") {
  const auto labels = [] { return Labels(Labels::shape_type{4}, std::uint8_t{0}); };
  CHECK_FALSE(detail::SparseSamples::pack(Dataset(Images(Images::shape_type{4, 6, 6}, std::uint8_t{9}), labels())));
  CHECK_FALSE(detail::SparseSamples::pack(Dataset(zeros<float>({4, 36}), labels())));  // no bytes
  CHECK_FALSE(detail::SparseSamples::pack(Dataset()));
  CHECK(detail::SparseSamples::pack(Dataset(Images(Images::shape_type{4, 6, 6}, std::uint8_t{0}), labels())));
}
