// plane.hpp: pictures of one byte a pixel, at another size, and the parts that hang together in them. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace digitnet::detail {

/// A rectangle of pixels; right and bottom are the first outside of it.
struct Box {
  std::size_t left = 0, top = 0, right = 0, bottom = 0;

  std::size_t width() const { return right - left; }
  std::size_t height() const { return bottom - top; }
  std::size_t longer_side() const { return width() > height() ? width() : height(); }
  bool empty() const { return right <= left || bottom <= top; }
};

/// One byte a pixel, row-major.
struct Plane {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<std::uint8_t> values;

  Plane() = default;
  Plane(std::size_t columns, std::size_t rows, std::uint8_t value = 0)
      : width(columns), height(rows), values(columns * rows, value) {}
  std::uint8_t* row(std::size_t y) { return values.data() + y * width; }
  const std::uint8_t* row(std::size_t y) const { return values.data() + y * width; }
};

/// Part of a plane that somebody else owns.
struct PlaneView {
  const std::uint8_t* values = nullptr;
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t stride = 0;

  const std::uint8_t* row(std::size_t y) const { return values + y * stride; }
  PlaneView part(const Box& box) const {
    return {values + box.top * stride + box.left, box.width(), box.height(), stride};
  }
};

inline PlaneView view(const Plane& plane) { return {plane.values.data(), plane.width, plane.height, plane.width}; }

/// The nearest whole number to one that is not negative, as std::lround gives it, but not by a call.
inline int rounded(double value) {
  const int whole = static_cast<int>(value);
  return whole + (value - whole >= 0.5 ? 1 : 0);
}

/// How much each source pixel counts in each target pixel: from `first` on, weights that sum to 256, or none.
struct Taps {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t weights = 0;  ///< where they begin in the table
  int covered = 0;          ///< how much of the target pixel is within the source, of 256
};

struct Resampling {
  std::size_t most = 0;  ///< taps of a target
  std::vector<Taps> targets;
  std::vector<std::uint16_t> weights;
};

/// The mean of each step x step pixels; the last of a line or column may be of fewer.
Plane shrunk(const PlaneView& from, std::size_t step);

/// Target pixel t shows the source from origin + t * pitch to origin + (t + 1) * pitch: its mean where that is more
/// than a pixel, else what lies between the two nearest.
Resampling resampling(std::size_t source, std::size_t targets, double origin, double pitch);

/// Columns and rows weighed together; where nothing of the source is, 0.
Plane resampled(const PlaneView& from, const Resampling& columns, const Resampling& rows);

/// Where pixels hang together, also across corners.
struct Component {
  Box box;
  std::uint64_t mass = 0;
  std::size_t pixels = 0;
};

/// Pixels of one line next to each other.
struct Run {
  std::uint32_t y = 0, first = 0, last = 0;  ///< last is the first behind it
  std::uint32_t part = 0;                    ///< its place in the list
};

struct Components {
  std::vector<Component> list;
  std::vector<Run> runs;
};

/// The parts of what is at least `threshold`.
Components components_of(const Plane& plane, int threshold);

/// Pixels between two boxes, 0 if they touch or overlap.
std::size_t gap_between(const Box& a, const Box& b);

/// The smallest box that has both in it.
Box around(const Box& a, const Box& b);

}  // namespace digitnet::detail
