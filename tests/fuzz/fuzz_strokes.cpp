// The bytes are a file of drawings, plain or gzip.
#include "fuzz.hpp"

#include <digitnet/drawing.hpp>

#include <bit>

using namespace digitnet;
using namespace digitnet::fuzz;

namespace {

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

/// Equal, and -0 is not 0 but for sizes, where 0 is not written.
bool same(const Drawing& a, const Drawing& b) {
  return a == b &&
         std::equal(a.strokes.begin(), a.strokes.end(), b.strokes.begin(), [](const Stroke& s, const Stroke& t) {
           return std::equal(s.begin(), s.end(), t.begin(),
                             [](Point p, Point q) { return same_bits(p.x, q.x) && same_bits(p.y, q.y); });
         });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFile file("drawings.jsonl");
  static const ScratchFile packed("drawings.jsonl.gz");
  file.write({data, size});
  const auto drawings = taken("read_drawings: ", [&] { return read_drawings(file.path()); });
  if (!drawings) return 0;
  for (const ScratchFile* written : {&file, &packed}) {
    if (written == &packed && size % 8 != 0) continue;  // to pack is slow, and gzip has targets of its own
    write_drawings(written->path(), *drawings);
    const std::vector<Drawing> again = read_drawings(written->path());
    require(again.size() == drawings->size() && std::equal(again.begin(), again.end(), drawings->begin(), &same),
            "drawings written are not those that are read");
  }
  return 0;
}
