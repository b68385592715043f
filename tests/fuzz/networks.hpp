// networks.hpp: what the two targets of model files share.
#pragma once

#include "fuzz.hpp"

#include <digitnet/serialization.hpp>

namespace digitnet::fuzz {

template <class Real>
bool same(const Network<Real>& a, const Network<Real>& b) {
  if (a.architecture() != b.architecture()) return false;
  for (std::size_t i = 0; i < a.layers().size(); ++i) {
    if (!same_bits(a.layer(i).weights, b.layer(i).weights) || !same_bits(a.layer(i).bias, b.layer(i).bias))
      return false;
  }
  return true;
}

/// Loads, saves and loads again: the network, its metadata and the bytes must be the same. Whether it could be loaded.
template <class Real>
bool load_save_load(std::span<const std::uint8_t> bytes) {
  const auto network = taken("network_from_bytes: memory: ", [&] { return network_from_bytes<Real>(bytes); });
  if (!network) return false;
  Bytes saved;
  try {
    saved = network_to_bytes(*network);
  } catch (const ArgumentError& error) {  // what is added when it is saved may be too much for a header
    require(std::string_view(error.what()).find("metadata makes a header of") != std::string_view::npos,
            error.what());
    return true;
  }
  const Network<Real> again = network_from_bytes<Real>(saved);
  require(same(*network, again), "a network saved is not the one that is loaded");
  for (const auto& [key, value] : network->metadata) {
    const auto found = again.metadata.find(key);
    require(found != again.metadata.end() && found->second == value, "metadata are lost");
  }
  require(network_to_bytes(again) == saved, "the same network gives other bytes");
  return true;
}

}  // namespace digitnet::fuzz
