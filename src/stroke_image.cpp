// From strokes to an MNIST image. Compiled without contraction (-ffp-contract=off), as the rasteriser is.
#include "stroke_image.hpp"

#include "rasterizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace digitnet {
namespace detail {
namespace {

/// A drawing whose longer side is below this share of its canvas or of its brush is not made as large as a digit.
constexpr double least_share_of_canvas = 0.02;
constexpr double least_share_of_brush = 0.5;

/// A spot: strokes that are all within a box of this share of the largest one's, and this far from all others.
constexpr double largest_spot = 0.1;
constexpr double least_spot_distance = 0.15;

/// With more strokes than this nobody looks for spots: the time would grow with their square.
constexpr std::size_t most_strokes_with_spots = 64;

/// A box around points.
struct Box {
  double left = std::numeric_limits<double>::infinity();
  double top = std::numeric_limits<double>::infinity();
  double right = -std::numeric_limits<double>::infinity();
  double bottom = -std::numeric_limits<double>::infinity();

  bool empty() const { return left > right; }
  double longer_side() const { return std::max(right - left, bottom - top); }
  void add(const Box& box) {
    left = std::min(left, box.left);
    top = std::min(top, box.top);
    right = std::max(right, box.right);
    bottom = std::max(bottom, box.bottom);
  }
};

Box box_of(const Stroke& stroke) {
  Box box;
  for (const Point& point : stroke) box.add({point.x, point.y, point.x, point.y});
  return box;
}

/// How far two boxes are apart, the larger of both directions.
double gap(const Box& a, const Box& b) {
  return std::max({a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom, 0.0});
}

/// Which strokes are drawn, and the box around them.
struct Ink {
  std::array<bool, most_strokes_with_spots> is_spot{};
  Box box;
  bool draws(std::size_t stroke) const { return stroke >= is_spot.size() || !is_spot[stroke]; }
};

/// Strokes near each other are one piece, and small pieces are spots.
Ink ink_without_spots(const std::vector<Stroke>& strokes) {
  Ink ink;
  const std::size_t count = strokes.size();
  std::array<Box, most_strokes_with_spots> boxes;
  for (std::size_t i = 0; i < count; ++i) {
    const Box box = box_of(strokes[i]);
    ink.box.add(box);
    if (i < boxes.size()) boxes[i] = box;
  }
  if (count < 2 || count > boxes.size()) return ink;

  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!boxes[i].empty()) largest = std::max(largest, boxes[i].longer_side());
  }
  std::array<std::size_t, most_strokes_with_spots> piece{};
  for (std::size_t i = 0; i < count; ++i) piece[i] = i;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (piece[i] == piece[j] || gap(boxes[i], boxes[j]) > least_spot_distance * largest) continue;
      const std::size_t joined = piece[j];
      std::replace(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count), piece[i], joined);
    }
  }
  std::array<Box, most_strokes_with_spots> pieces;
  for (std::size_t i = 0; i < count; ++i) pieces[piece[i]].add(boxes[i]);
  double largest_piece = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!pieces[i].empty()) largest_piece = std::max(largest_piece, pieces[i].longer_side());
  }
  ink.box = Box();
  for (std::size_t i = 0; i < count; ++i) {
    ink.is_spot[i] = boxes[i].empty() || pieces[piece[i]].longer_side() < largest_spot * largest_piece;
    if (!ink.is_spot[i]) ink.box.add(boxes[i]);
  }
  return ink;
}

/// A point p of the drawing goes to (p - origin) * scale + shift.
struct Placement {
  Point origin;
  double scale = 0;
  Point shift;
  Place operator()(const Point& point) const {
    return {static_cast<float>((point.x - origin.x) * scale + shift.x),
            static_cast<float>((point.y - origin.y) * scale + shift.y)};
  }
};

MnistImage drawn(const std::vector<Stroke>& strokes, const Ink& ink, const Placement& place, const Pen& pen) {
  Rasterizer rasterizer(pen);
  for (std::size_t i = 0; i < strokes.size(); ++i) {
    if (strokes[i].empty() || !ink.draws(i)) continue;
    Place last = place(strokes[i].front());
    bool any = false;
    for (const Point& point : strokes[i]) {
      const Place next = place(point);
      if (next == last) continue;
      rasterizer.draw(last, next);
      last = next;
      any = true;
    }
    if (!any) rasterizer.draw(last, last);
  }
  return rasterizer.image();
}

Point center_of_mass(const MnistImage& image) {
  std::uint64_t mass = 0;
  std::uint64_t x = 0;
  std::uint64_t y = 0;
  for (std::size_t row = 0; row < mnist_side; ++row) {
    for (std::size_t column = 0; column < mnist_side; ++column) {
      const std::uint64_t ink = image[row * mnist_side + column];
      mass += ink;
      x += ink * column;
      y += ink * row;
    }
  }
  const auto all = static_cast<double>(std::max<std::uint64_t>(mass, 1));
  return {static_cast<double>(x) / all + 0.5, static_cast<double>(y) / all + 0.5};
}

}  // namespace

MnistImage stroke_image(const Drawing& drawing, const StrokeStyle& style) {
  const Ink ink = ink_without_spots(drawing.strokes);
  if (ink.box.empty()) return MnistImage{};

  // As large as fits with the pen around it, in the middle of the image: there the centre of mass is found.
  const double side = ink.box.longer_side();
  const double least =
      std::max(least_share_of_canvas * std::max(drawing.width, drawing.height), least_share_of_brush * drawing.brush);
  const double counted = std::max(side, least);
  const double diameter = static_cast<double>(style.pen.diameter);
  constexpr double tiny = 1e-100;  // smaller is a point; its scale would not be finite
  const double scale = counted > tiny ? std::max(style.box - diameter, 1.0) / counted : 0.0;
  const double width = (ink.box.right - ink.box.left) * scale;
  const double height = (ink.box.bottom - ink.box.top) * scale;
  constexpr double middle = static_cast<double>(mnist_side) / 2;
  Placement place{{ink.box.left, ink.box.top}, scale, {middle - width / 2, middle - height / 2}};
  const Point center = center_of_mass(drawn(drawing.strokes, ink, place, style.pen));

  // Then it is moved to the middle of pixel (14, 14), but not beyond the edge.
  const double edge = diameter / 2;
  const auto moved = [&](double start, double found, double size) {
    return std::clamp(start + middle + 0.5 - found, edge, static_cast<double>(mnist_side) - edge - size);
  };
  place.shift = {moved(place.shift.x, center.x, width), moved(place.shift.y, center.y, height)};
  return drawn(drawing.strokes, ink, place, style.pen);
}

}  // namespace detail

void detail::require_pen(const char* where, double pen_diameter) {
  if (!(pen_diameter >= 0.5 && pen_diameter <= 8)) {
    throw ArgumentError(text(where, ": a pen of ", pen_diameter, " pixels, expected 0.5 to 8"));
  }
}

MnistImage to_mnist_image(const Drawing& drawing, double pen_diameter) {
  require_valid("to_mnist_image", drawing);
  detail::require_pen("to_mnist_image", pen_diameter);
  detail::StrokeStyle style;
  style.pen.diameter = static_cast<float>(pen_diameter);
  return detail::stroke_image(drawing, style);
}

}  // namespace digitnet
