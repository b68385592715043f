// gzip and IDX. The bytes as they are, as a fuzzer seldom hits upon a checksum; and, as an IDX file that is packed
// here, in up to four members: it must be read as the plain file is, or refused as it is, however it is cut.
#include "idx_arrays.hpp"

#include <zlib.h>

using namespace digitnet;
using namespace digitnet::fuzz;

namespace {

/// One gzip member that holds these bytes. With the smallest window, as zlib clears all of its memory each time.
Bytes packed_member(std::span<const std::uint8_t> bytes) {
  z_stream stream{};
  require(deflateInit2(&stream, 6, Z_DEFLATED, 9 + 16, 1, Z_DEFAULT_STRATEGY) == Z_OK, "zlib does not start");
  Bytes packed(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib does not pack");
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// A raw deflate stream with the frame of gzip around it, checksum and length right; nothing if it is none.
std::optional<Bytes> framed(std::span<const std::uint8_t> deflated) {
  z_stream stream{};
  if (inflateInit2(&stream, -15) != Z_OK) return std::nullopt;
  Bytes content(1 << 16);
  stream.next_in = const_cast<Bytef*>(deflated.data());
  stream.avail_in = static_cast<uInt>(deflated.size());
  stream.next_out = content.data();
  stream.avail_out = static_cast<uInt>(content.size());
  const int status = inflate(&stream, Z_FINISH);
  content.resize(stream.total_out);
  inflateEnd(&stream);
  if (status != Z_STREAM_END) return std::nullopt;
  Bytes file{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
  file.insert(file.end(), deflated.begin(), deflated.end());
  const auto add = [&](std::uint32_t number) {
    for (const int shift : {0, 8, 16, 24}) file.push_back(static_cast<std::uint8_t>(number >> shift));
  };
  add(static_cast<std::uint32_t>(crc32(0, content.data(), static_cast<uInt>(content.size()))));
  add(static_cast<std::uint32_t>(content.size()));
  return file;
}

/// A header may claim more than the file has without being a bomb; 64 MiB at each turn would be slow.
bool claims_much(std::span<const std::uint8_t> idx) {
  if (idx.size() < 4 || idx[3] > 4) return false;
  std::uint64_t claim = 8;
  for (std::size_t at = 4; at + 4 <= idx.size() && at < 4 + 4 * std::size_t{idx[3]}; at += 4) {
    std::uint64_t extent = 0;
    for (std::size_t i = 0; i < 4; ++i) extent = extent << 8 | idx[at + i];
    claim = std::min<std::uint64_t>(claim * std::max<std::uint64_t>(extent, 1), std::uint64_t{1} << 31);
  }
  return claim > 1 << 20 && claim <= 512u << 20;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFile file("array.gz");
  if (size < 2) return 0;
  if (data[0] == 0x1f && data[1] == 0x8b) {
    read(Bytes(data, data + size));
    return 0;
  }
  const std::uint8_t cuts = data[0];
  const Bytes bytes(data + 1, data + size);
  if (const std::optional<Bytes> stream = cuts == 0xff ? framed(bytes) : std::nullopt) {
    read(*stream);
    return 0;
  }
  if (claims_much(bytes)) return 0;
  const std::optional<IdxArray> plain = read(bytes);
  Bytes packed;
  std::size_t begin = 0;
  for (const int shift : {0, 2, 4, 6}) {  // each two bits of the first byte: how much of the rest goes into a member
    const std::size_t rest = bytes.size() - begin;
    const std::size_t count =
        shift == 6 ? rest : rest * std::size_t{static_cast<std::uint8_t>(cuts >> shift & 3)} / 4;
    const Bytes member = packed_member(std::span(bytes).subspan(begin, count));
    packed.insert(packed.end(), member.begin(), member.end());
    begin += count;
    if (begin == bytes.size()) break;
  }
  const std::optional<IdxArray> unpacked = read(packed);
  if (bytes[0] == 0x1f && bytes.size() > 1 && bytes[1] == 0x8b) return 0;  // packed twice is no IDX file
  require(plain.has_value() == unpacked.has_value(), "plain and packed are not both read");
  if (!plain) return 0;
  require(same(*plain, *unpacked), "packed reads as something else than plain");
  write_idx(file.path(), *plain);
  require(same(*plain, read_idx(file.path())), "an array written is not the one that is read");
  return 0;
}
