// idx_arrays.hpp: what the two targets of IDX share.
#pragma once

#include "fuzz.hpp"

#include <digitnet/idx.hpp>

#include <type_traits>

namespace digitnet::fuzz {

inline bool same(const IdxArray& a, const IdxArray& b) {
  return a.shape == b.shape && a.values.index() == b.values.index() &&
         std::visit(
             [&](const auto& values) {
               return same_bits(values, std::get<std::decay_t<decltype(values)>>(b.values));
             },
             a.values);
}

inline std::optional<IdxArray> read(std::span<const std::uint8_t> bytes) {
  return taken("read_idx_bytes: memory: ", [&] { return read_idx_bytes(bytes); });
}

}  // namespace digitnet::fuzz
