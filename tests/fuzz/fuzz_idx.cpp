// The bytes are an IDX file. One array has one form in a file, so what is written of it must be the very bytes read.
#include "idx_arrays.hpp"

using namespace digitnet;
using namespace digitnet::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFile file("array");
  const Bytes bytes(data, data + size);  // of the very size, so that a read behind it is found
  const std::optional<IdxArray> array = read(bytes);
  if (!array) return 0;
  write_idx(file.path(), *array);
  const bool packed = size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
  const Bytes written = file.read();
  require(packed || written == bytes, "write_idx writes other bytes than were read");
  require(same(*array, read_idx(file.path())), "an array written is not the one that is read");
  return 0;
}
