// serialization.hpp: a network to bytes and back.
#pragma once

#include <digitnet/network.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace digitnet {

/// Version of the model format that this library writes, and the newest that it reads. docs/file-format.md
inline constexpr int model_format_version = 1;

/// How numbers are kept in a file.
enum class Precision {
  full,  ///< as they are in memory: F32 for Network<float>, F64 for Network<double>
  half,  ///< F16, rounded to the nearest, ties to even: half the size of F32, three digits, up to 65504
};

/// Saves a network as a safetensors file: tensors layers.0.weights, layers.0.bias, ...; network.metadata and
/// the architecture in the header; a checksum over all of it. The file appears whole or not at all.
/// The same network gives the same bytes.
///
/// @throws ArgumentError  if a weight is not finite, or too large for the precision, or the metadata has a key of
///                        the format itself
/// @throws IoError        if the file cannot be written; nothing is left behind, an older file stays as it was
/// @see https://huggingface.co/docs/safetensors, "Format"; IEEE 754-2008, section 3.6, for half precision
template <class Real>
void save_network(const Network<Real>& network, const std::filesystem::path& path,
                  Precision precision = Precision::full);

/// Loads a network that save_network wrote. Numbers kept as F16, BF16, F32 or F64 become Real.
///
/// Nothing in the file is trusted: every rule of the format, every length and shape, the checksum and that
/// all weights are finite is checked, and no code in it is ever run.
///
/// @throws IoError      if the file cannot be opened or read
/// @throws FormatError  if it breaks a rule; the message says which and where
template <class Real>
Network<Real> load_network(const std::filesystem::path& path);

/// The same without a file.
template <class Real>
std::vector<std::uint8_t> network_to_bytes(const Network<Real>& network, Precision precision = Precision::full);

template <class Real>
Network<Real> network_from_bytes(std::span<const std::uint8_t> bytes, const std::string& name = "memory");

}  // namespace digitnet
