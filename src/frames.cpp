#include "frames.hpp"

#include "dispatch.hpp"
#include "histogram.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace digitnet::detail {
namespace {

/// If each of the four edges of a box is nearly all of one colour: that colour.
/// @return -1 if not
int colour_of_ring(const Plane& plane, const Box& box, int tolerance, double share) {
  Histogram counts{};
  along_border(box, [&](std::size_t x, std::size_t y) { ++counts[plane.row(y)[x]]; });
  const int middle = quantile(counts, 0.5);
  const auto is_near = [&](std::size_t x, std::size_t y) {
    return std::abs(int{plane.row(y)[x]} - middle) <= tolerance;
  };
  const auto enough = [share](std::size_t near, std::size_t all) {
    return static_cast<double>(near) >= share * static_cast<double>(all);
  };
  for (const std::size_t y : {box.top, box.bottom - 1}) {
    std::size_t near = 0;
    for (std::size_t x = box.left; x < box.right; ++x) near += is_near(x, y) ? 1 : 0;
    if (!enough(near, box.width())) return -1;
  }
  for (const std::size_t x : {box.left, box.right - 1}) {
    std::size_t near = 0;
    for (std::size_t y = box.top; y < box.bottom; ++y) near += is_near(x, y) ? 1 : 0;
    if (!enough(near, box.height())) return -1;
  }
  return middle;
}

/// The box within `box` without the lines at its edges that are all of one colour: all but a fiftieth.
Box without_margin(const Plane& plane, Box box, int colour, int tolerance) {
  if (box.empty()) return box;
  const std::size_t width = box.width();
  const auto least = static_cast<std::uint8_t>(std::max(0, colour - tolerance));
  const auto range = static_cast<std::uint8_t>(std::min(255, colour + tolerance) - least);
  const auto line_is_plain = [&](std::size_t y) {
    std::uint32_t others = 0;
    const std::uint8_t* const line = plane.row(y) + box.left;
    std::uint32_t* const result = &others;
    for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      std::uint32_t sum = 0;
      for (std::size_t x = 0; x < width; ++x) sum += static_cast<std::uint8_t>(line[x] - least) > range ? 1 : 0;
      *result = sum;
    });
    return std::size_t{others} * 50 <= width;
  };
  while (box.top < box.bottom && line_is_plain(box.top)) ++box.top;
  while (box.top < box.bottom && line_is_plain(box.bottom - 1)) --box.bottom;

  std::vector<std::uint32_t> others(width);  // in each column
  for (std::size_t y = box.top; y < box.bottom; ++y) {
    const std::uint8_t* const line = plane.row(y) + box.left;
    std::uint32_t* const sums = others.data();
    for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t x = 0; x < width; ++x) sums[x] += static_cast<std::uint8_t>(line[x] - least) > range ? 1 : 0;
    });
  }
  const std::size_t origin = box.left;
  const auto column_is_plain = [&](std::size_t x) { return std::size_t{others[x - origin]} * 50 <= box.height(); };
  while (box.left < box.right && column_is_plain(box.left)) ++box.left;
  while (box.left < box.right && column_is_plain(box.right - 1)) --box.right;
  return box;
}

/// A box without `lines` of its pixels at each edge.
Box inset(const Box& box, std::size_t lines) {
  if (box.width() <= 2 * lines || box.height() <= 2 * lines) return {};
  return {box.left + lines, box.top + lines, box.right - lines, box.bottom - lines};
}

/// Whether each edge of a box is nearly all of other colours than one.
bool all_edges_differ(const Plane& plane, const Box& box, int colour, int tolerance) {
  std::array<std::size_t, 4> others{};
  const auto differs = [&](std::size_t x, std::size_t y) -> std::size_t {
    return std::abs(int{plane.row(y)[x]} - colour) > tolerance ? 1 : 0;
  };
  for (std::size_t x = box.left; x < box.right; ++x) {
    others[0] += differs(x, box.top);
    others[1] += differs(x, box.bottom - 1);
  }
  for (std::size_t y = box.top; y < box.bottom; ++y) {
    others[2] += differs(box.left, y);
    others[3] += differs(box.right - 1, y);
  }
  return std::min(others[0], others[1]) * 100 >= 85 * box.width() &&
         std::min(others[2], others[3]) * 100 >= 85 * box.height();
}

}  // namespace

Box inside_of_frames(const Plane& plane, int tolerance, int& ground) {
  const Box whole{0, 0, plane.width, plane.height};
  // Coarse pixels at an edge are mixed of what meets there, so a ring may begin one or two lines further inside.
  ground = -1;
  Box box = whole;
  for (std::size_t lines = 0; lines <= 2 && ground < 0; ++lines) {
    const Box ring = inset(whole, lines);
    if (ring.empty()) return whole;
    ground = colour_of_ring(plane, ring, tolerance, 0.85);
    if (ground >= 0 && lines > 0 && all_edges_differ(plane, whole, ground, tolerance)) box = ring;
  }
  const Box outermost = box;
  const int first = ground;
  for (int rings = 0; rings < 6 && ground >= 0; ++rings) {
    const Box inner = without_margin(plane, box, ground, tolerance);
    int next = -1;
    Box ring;
    for (std::size_t lines = 0; lines <= 2 && next < 0; ++lines) {
      ring = inset(inner, lines);
      if (ring.width() < 8 || ring.height() < 8) break;
      next = colour_of_ring(plane, ring, tolerance, 0.9);
      if (next >= 0 && std::abs(next - ground) <= tolerance && lines == 0) next = -1;
    }
    if (next < 0) break;
    // A thin line around: what is within is of the same colour as what is outside. Otherwise a sheet.
    if (!all_edges_differ(plane, inner, ground, tolerance)) break;
    if (without_margin(plane, ring, next, tolerance).empty()) {  // nothing within: it is the drawing itself
      ground = first;
      return outermost;
    }
    box = ring;
    ground = next;
  }
  return box;
}

}  // namespace digitnet::detail
