// arrays.hpp: comparing arrays in one line. Their own == cannot stand in a CHECK, where xtensor's operators
// and Catch's both claim it.
#pragma once

#include <digitnet/tensor.hpp>

#include <cstring>

namespace digitnet::test {

/// Whether two arrays have one shape and equal numbers.
template <class Array>
bool equal(const Array& a, const Array& b) {
  return a == b;
}

/// Whether they are also the same bits: 0 is not -0, and NaN may be NaN.
template <class Array>
bool same_bits(const Array& a, const Array& b) {
  return a.shape() == b.shape() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(*a.data())) == 0);
}

}  // namespace digitnet::test
