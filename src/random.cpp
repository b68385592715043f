// Compiled without contraction (-ffp-contract=off), so that equal seeds give equal bits on every processor.
#include <digitnet/random.hpp>

#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

namespace digitnet {
namespace {

/// One step of splitmix64 (Steele, Lea, Flood 2014): moves the state on and returns 64 well mixed bits.
std::uint64_t splitmix64(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Natural logarithm of x in (0, 1], with basic arithmetic alone: std::log differs between C libraries.
///
/// x = m 2^e with m in [sqrt(1/2), sqrt(2)); ln x = e ln 2 + 2 artanh(t), t = (m - 1) / (m + 1), and
/// artanh(t) = t + t^3/3 + t^5/5 + ... With |t| < 0.172 the term in t^21 is below 1e-17.
double portable_log(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // in [1/2, 1); exact
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    --exponent;
  }
  const double t = (mantissa - 1) / (mantissa + 1);
  const double square = t * t;
  double sum = 0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return exponent * 0.69314718055994531 + 2 * t * sum;
}

/// High and low half of a product of two 64-bit numbers.
std::pair<std::uint64_t, std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t a_low = a & 0xffffffffu, a_high = a >> 32, b_low = b & 0xffffffffu, b_high = b >> 32;
  const std::uint64_t middle = a_high * b_low + ((a_low * b_low) >> 32);
  const std::uint64_t carry = (middle & 0xffffffffu) + a_low * b_high;
  return {a_high * b_high + (middle >> 32) + (carry >> 32), a * b};
}

}  // namespace

Rng::Rng(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = splitmix64(seed);
}

Rng Rng::from_state(const State& state) {
  if (state == State{}) {
    throw ArgumentError("Rng::from_state: all four words are 0, expected at least one other; is the state damaged?");
  }
  Rng rng(0);
  rng.state_ = state;
  return rng;
}

std::uint64_t Rng::next() {
  State& s = state_;
  const std::uint64_t result = std::rotl(s[0] + s[3], 23) + s[0];
  const std::uint64_t shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = std::rotl(s[3], 45);
  return result;
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double Rng::uniform(double low, double high) { return detail::kept_below(low + (high - low) * uniform(), low, high); }

double Rng::normal() {
  for (;;) {  // a point in the unit disc; four of five tries are inside
    const double x = 2 * uniform() - 1;
    const double y = 2 * uniform() - 1;
    const double square = x * x + y * y;
    if (square < 1 && square > 0) return x * std::sqrt(-2 * portable_log(square) / square);
  }
}

std::uint64_t Rng::below(std::uint64_t limit) {
  if (limit == 0) throw ArgumentError("Rng::below: limit is 0, expected at least 1");
  auto product = multiply(next(), limit);  // high and low half
  if (product.second < limit) {
    const std::uint64_t rejected = (0 - limit) % limit;  // 2^64 mod limit
    while (product.second < rejected) product = multiply(next(), limit);
  }
  return product.first;
}

Rng Rng::fork(std::uint64_t number) const {
  std::uint64_t seed = number;
  for (const std::uint64_t word : state_) {
    seed ^= word;
    seed = splitmix64(seed);
  }
  return Rng(seed);
}

void shuffle(std::span<std::uint32_t> values, Rng& rng) {
  for (std::size_t left = values.size(); left > 1; --left) {
    std::swap(values[left - 1], values[rng.below(left)]);
  }
}

std::vector<std::uint32_t> permutation(std::size_t size, Rng& rng) {
  if (size > 0xffffffffu) {
    throw ArgumentError(detail::text("permutation: size is ", size, ", expected less than 4294967296"));
  }
  std::vector<std::uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0u);
  shuffle(order, rng);
  return order;
}

}  // namespace digitnet
