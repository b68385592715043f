// bytes.hpp: bytes put together, and packed, for tests of what reads files.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace digitnet::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

/// All parts, one after the other.
inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// One gzip member that holds `repeated` times these bytes; packed piece by piece, so memory stays small.
inline Bytes gzip(std::span<const std::uint8_t> bytes, std::size_t repeated = 1) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("gzip: zlib could not start");
  }
  Bytes packed;
  const auto pack = [&](std::span<const std::uint8_t> part, int flush) {
    stream.next_in = const_cast<Bytef*>(part.data());
    stream.avail_in = static_cast<uInt>(part.size());
    do {
      std::uint8_t room[4096];
      stream.next_out = room;
      stream.avail_out = sizeof(room);
      deflate(&stream, flush);
      packed.insert(packed.end(), room, stream.next_out);
    } while (stream.avail_out == 0);
  };
  for (std::size_t i = 0; i < repeated; ++i) pack(bytes, Z_NO_FLUSH);
  pack({}, Z_FINISH);
  deflateEnd(&stream);
  return packed;
}

}  // namespace digitnet::test
