// random.hpp: seeded randomness, always passed in, the same numbers on every platform.
#pragma once

#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace digitnet {

/// The generator xoshiro256++, its state filled from the seed by splitmix64.
///
/// The standard library's distributions differ between its makers, so those below are our own. They use
/// integers, sums, products, quotients and square roots, which IEEE 754 rounds in one way only, and are
/// compiled once, without contraction to fused operations: equal seeds give equal bits everywhere.
///
/// @see Blackman and Vigna, Scrambled Linear Pseudorandom Number Generators (2021)
class Rng {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit Rng(std::uint64_t seed);

  /// 64 random bits.
  std::uint64_t next();

  /// In [0, 1), a multiple of 2^-53.
  double uniform();

  /// In [low, high).
  double uniform(double low, double high);

  /// From the normal distribution with mean 0 and standard deviation 1.
  /// @see Marsaglia and Bray, A Convenient Method for Generating Normal Variables (1964)
  double normal();

  /// A whole number in [0, limit), each equally likely.
  /// @throws ArgumentError  if limit is 0
  /// @see Lemire, Fast Random Integer Generation in an Interval (2019)
  std::uint64_t below(std::uint64_t limit);

  /// A generator of its own for a numbered part of the work. It depends on this one's state and the
  /// number alone, and leaves this one as it was: parts may be drawn in any order, on any thread.
  Rng fork(std::uint64_t number) const;

  /// All there is to keep, so that a generator can be stored and continued.
  const State& state() const { return state_; }

  /// @throws ArgumentError  if all four words are 0, from which xoshiro never leaves
  static Rng from_state(const State& state);

 private:
  State state_{};
};

namespace detail {

/// A value drawn from [low, high) that rounding may have moved up to `high`: then the largest one below it.
template <class Real>
Real kept_below(Real value, Real low, Real high) {
  return value < high || !(low < high) ? value : std::nextafter(high, low);
}

}  // namespace detail

/// A matrix of numbers uniform in [low, high).
template <class Real>
Matrix<Real> uniform(std::array<std::size_t, 2> shape, double low, double high, Rng& rng) {
  Matrix<Real> matrix = Matrix<Real>::from_shape({shape[0], shape[1]});
  for (Real& value : values(matrix)) {
    value = detail::kept_below(static_cast<Real>(rng.uniform(low, high)), static_cast<Real>(low),
                               static_cast<Real>(high));
  }
  return matrix;
}

/// A matrix of normal numbers with mean 0.
template <class Real>
Matrix<Real> normal(std::array<std::size_t, 2> shape, Rng& rng, double standard_deviation = 1.0) {
  Matrix<Real> matrix = Matrix<Real>::from_shape({shape[0], shape[1]});
  for (Real& value : values(matrix)) value = static_cast<Real>(standard_deviation * rng.normal());
  return matrix;
}

/// Puts the values into random order, each order equally likely.
/// @see Durstenfeld, Algorithm 235: Random permutation (1964)
void shuffle(std::span<std::uint32_t> values, Rng& rng);

/// The numbers 0 to size - 1 in random order.
/// @throws ArgumentError  if size is 2^32 or more
std::vector<std::uint32_t> permutation(std::size_t size, Rng& rng);

}  // namespace digitnet
