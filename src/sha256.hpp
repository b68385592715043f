// sha256.hpp: the checksum SHA-256. Internal.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace digitnet::detail {

/// FIPS 180-4, section 6.2. Our own sixty lines, since a library that others link should not make them
/// link a cryptography package for a checksum.
class Sha256 {
 public:
  void update(std::span<const std::uint8_t> bytes);

  /// 64 hexadecimal digits of all that was given. Called once, at the end.
  std::string finish();

 private:
  void block(const std::uint8_t* bytes);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> pending_{};
  std::uint64_t length_ = 0;
};

}  // namespace digitnet::detail
