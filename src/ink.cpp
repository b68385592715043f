#include "ink.hpp"

#include "dispatch.hpp"
#include "picture_signal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

// Whole numbers wherever it matters, and no fused multiply-add (see CMakeLists.txt): the same bytes everywhere.

namespace digitnet::detail {
namespace {

using Histogram = std::array<std::uint32_t, 256>;

Histogram histogram_of(const PlaneView& plane) {
  Histogram counts{};
  for (std::size_t y = 0; y < plane.height; ++y) {
    for (std::size_t x = 0; x < plane.width; ++x) ++counts[plane.row(y)[x]];
  }
  return counts;
}

/// The value below which a share of those from `first` to `last` lies.
int quantile(const Histogram& counts, double share, int first = 0, int last = 255) {
  std::uint64_t total = 0;
  for (int value = first; value <= last; ++value) total += counts[static_cast<std::size_t>(value)];
  const double wanted = share * static_cast<double>(total);
  std::uint64_t below = 0;
  for (int value = first; value <= last; ++value) {
    below += counts[static_cast<std::size_t>(value)];
    if (static_cast<double>(below) > wanted) return value;
  }
  return last;
}

/// Two means: the threshold that lies in the middle between the means of what is above and below it.
/// Begun at the middle of the range, so that little ink on much paper is found too.
struct Classes {
  int threshold = 0;  ///< the first value of the upper class
  double low = 0, high = 0;
};

Classes two_means(const Histogram& counts, int lowest, int highest) {
  Classes classes;
  classes.threshold = (lowest + highest + 1) / 2;
  for (int step = 0; step < 16; ++step) {
    std::array<double, 2> sums{};
    std::array<double, 2> totals{};
    for (int value = 0; value < 256; ++value) {
      const std::size_t upper = value >= classes.threshold ? 1 : 0;
      const auto count = static_cast<double>(counts[static_cast<std::size_t>(value)]);
      sums[upper] += count * value;
      totals[upper] += count;
    }
    classes.low = totals[0] > 0 ? sums[0] / totals[0] : lowest;
    classes.high = totals[1] > 0 ? sums[1] / totals[1] : highest;
    const int next = static_cast<int>(std::ceil((classes.low + classes.high) / 2));
    if (next == classes.threshold) break;
    classes.threshold = next;
  }
  return classes;
}

/// Which deviations from the ground are no ink and which are full ink.
struct Strength {
  int none = 0;
  int full = 255;

  std::uint8_t ink(int deviation) const {
    return static_cast<std::uint8_t>(std::clamp((deviation - none) * 255 / (full - none), 0, 255));
  }
};

/// From what paper's noise can be to what most ink has.
/// @param even  whether the ground is of one value; where it had to be guessed, more is taken for noise
Strength strength_of(const Histogram& counts, int strongest, bool even) {
  const Classes classes = two_means(counts, 0, strongest);
  const int full = std::max(2, quantile(counts, 0.5, classes.threshold, 255));
  const int noise = quantile(counts, 0.75, 0, std::max(1, full / 2) - 1);
  return {std::min(full * 2 / 5, std::max(3 * noise, even ? full / 16 : full / 4)), full};
}

/// The pixels along the edge of a box, with a function for each.
template <class Function>
void along_border(const Box& box, const Function& function) {
  for (std::size_t x = box.left; x < box.right; ++x) {
    function(x, box.top);
    if (box.height() > 1) function(x, box.bottom - 1);
  }
  for (std::size_t y = box.top + 1; y + 1 < box.bottom; ++y) {
    function(box.left, y);
    if (box.width() > 1) function(box.right - 1, y);
  }
}

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

/// The box within `box` without the lines at its edges that are all of one colour.
Box without_margin(const Plane& plane, Box box, int colour, int tolerance) {
  const auto far = [&](std::size_t x, std::size_t y) { return std::abs(int{plane.row(y)[x]} - colour) > tolerance; };
  const auto line_is_plain = [&](std::size_t y) {
    std::size_t others = 0;
    for (std::size_t x = box.left; x < box.right; ++x) others += far(x, y) ? 1 : 0;
    return others * 50 <= box.width();
  };
  const auto column_is_plain = [&](std::size_t x) {
    std::size_t others = 0;
    for (std::size_t y = box.top; y < box.bottom; ++y) others += far(x, y) ? 1 : 0;
    return others * 50 <= box.height();
  };
  while (box.top < box.bottom && line_is_plain(box.top)) ++box.top;
  while (box.top < box.bottom && line_is_plain(box.bottom - 1)) --box.bottom;
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

/// A frame, or a sheet that lies on another ground, shows as rings of one colour within each other. What is within
/// the innermost is the picture; if nothing is, then what looked like a frame is the drawing.
/// @param ground  is set to the colour around the drawing, or -1 if that is not of one colour
Box inside_of_frames(const Plane& plane, const Box& whole, int tolerance, int& ground) {
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

/// Which parts are ink, not specks: a tenth of the heaviest or more; or, if smaller, near to those.
std::vector<bool> ink_parts(const Components& parts, const Plane& plane) {
  std::vector<bool> kept(parts.list.size());
  std::uint64_t heaviest = 0;
  std::size_t heaviest_part = 0;
  for (std::size_t i = 0; i < parts.list.size(); ++i) {
    if (parts.list[i].mass > heaviest) heaviest = parts.list[i].mass, heaviest_part = i;
  }
  Box box{plane.width, plane.height, 0, 0};
  for (std::size_t i = 0; i < parts.list.size(); ++i) {
    const Component& part = parts.list[i];
    const bool in_corner = (part.box.left == 0 || part.box.right == plane.width) &&
                           (part.box.top == 0 || part.box.bottom == plane.height);
    kept[i] = i == heaviest_part || (part.mass * 10 >= heaviest && !(in_corner && part.mass * 2 < heaviest));
    if (kept[i]) box = around(box, part.box);
  }
  const std::size_t near = box.empty() ? 0 : std::max<std::size_t>(2, box.longer_side() / 6);
  std::vector<bool> all = kept;
  for (std::size_t i = 0; i < parts.list.size(); ++i) {
    if (kept[i] || parts.list[i].mass * 200 < heaviest) continue;
    for (std::size_t j = 0; j < parts.list.size() && !all[i]; ++j) {
      all[i] = kept[j] && gap_between(parts.list[i].box, parts.list[j].box) <= near;
    }
  }
  return all;
}

}  // namespace

void require_whole(const char* where, const Picture& picture) {
  const std::size_t channels = picture.channels;
  if (channels < 1 || channels > 4 || picture.pixels.size() != picture.width * picture.height * channels) {
    throw ShapeError(text(where, ": ", picture.pixels.size(), " numbers for ", picture.width, " x ", picture.height,
                          " x ", channels, ", expected 1 to 4 channels and as many numbers"));
  }
}

InkFinder::InkFinder(const Picture& picture, std::size_t detail) : detail_(detail) {
  if (picture.width == 0 || picture.height == 0) return;
  if (picture.channels > 1) owned_ = signal_of(picture);
  signal_ = {picture.channels > 1 ? owned_.get() : picture.pixels.data(), picture.width, picture.height,
             picture.width};
  look({0, 0, picture.width, picture.height});
}

void InkFinder::look(const Box& region) {
  region_ = region;
  step_ = (region.longer_side() + detail_ - 1) / detail_;
  Plane coarse = shrunk(signal_.part(region), step_);
  Histogram counts = histogram_of(view(coarse));
  int lowest = quantile(counts, 0);
  int highest = quantile(counts, 1);
  while (counts[static_cast<std::size_t>(lowest)] == 0 && lowest < 255) ++lowest;
  while (counts[static_cast<std::size_t>(highest)] == 0 && highest > 0) --highest;
  if (highest - lowest < 3) return;  // plain

  // Frames, and rings of one colour around everything, settle what the ground is.
  const int tolerance = std::max(3, (highest - lowest) / 10);
  int ground = -1;
  const Box inner = inside_of_frames(coarse, {0, 0, coarse.width, coarse.height}, tolerance, ground);
  if (inner.width() < coarse.width || inner.height() < coarse.height) {
    // Once more, without the frame and what is mixed with it.
    const Box smaller{region.left + (inner.left > 0 ? (inner.left + 1) * step_ : 0),
                      region.top + (inner.top > 0 ? (inner.top + 1) * step_ : 0),
                      inner.right < coarse.width ? region.left + (inner.right - 1) * step_ : region.right,
                      inner.bottom < coarse.height ? region.top + (inner.bottom - 1) * step_ : region.bottom};
    if (!smaller.empty() && smaller.width() > 4 && smaller.height() > 4) return look(smaller);
  }

  // Otherwise the class that has most of the border and of the picture.
  const Classes classes = two_means(counts, lowest, highest);
  std::size_t light_border = 0;
  std::size_t border = 0;
  along_border({0, 0, coarse.width, coarse.height}, [&](std::size_t x, std::size_t y) {
    light_border += coarse.row(y)[x] >= classes.threshold ? 1 : 0;
    ++border;
  });
  std::size_t light = 0;
  for (int value = classes.threshold; value < 256; ++value) light += counts[static_cast<std::size_t>(value)];
  const double votes = 2.0 * static_cast<double>(light_border) / static_cast<double>(border) +
                       static_cast<double>(light) / static_cast<double>(coarse.values.size());
  dark_ink_ = ground >= 0 ? ground >= classes.threshold : votes >= 1.5;

  // Even if most of its class is of nearly one value.
  const int first = dark_ink_ ? classes.threshold : 0;
  const int last = dark_ink_ ? 255 : classes.threshold - 1;
  ground_ = quantile(counts, 0.5, first, last);
  const int close = std::max(2, static_cast<int>((classes.high - classes.low) * 0.08));
  std::uint64_t near = 0;
  std::uint64_t all = 0;
  for (int value = first; value <= last; ++value) {
    const std::uint32_t count = counts[static_cast<std::size_t>(value)];
    all += count;
    if (std::abs(value - ground_) <= close) near += count;
  }
  if (near * 10 < all * 8) flatten(coarse, dark_ink_);

  // How far from the ground, and how far paper is by itself.
  coarse_ink_ = Plane(coarse.width, coarse.height);
  Histogram deviations{};
  Histogram noise{};
  const bool even = uneven_ground_.values.empty();
  if (even) {
    std::array<std::uint8_t, 256> table{};
    for (int value = 0; value < 256; ++value) {
      const auto at = static_cast<std::size_t>(value);
      const int away = dark_ink_ ? ground_ - value : value - ground_;
      table[at] = static_cast<std::uint8_t>(std::clamp(away, 0, 255));
      deviations[table[at]] += counts[at];
      noise[static_cast<std::size_t>(std::abs(away))] += counts[at];
    }
    for (std::size_t i = 0; i < coarse.values.size(); ++i) coarse_ink_.values[i] = table[coarse.values[i]];
  } else {
    for (std::size_t i = 0; i < coarse.values.size(); ++i) {
      const int paper = uneven_ground_.values[i];
      const int away = dark_ink_ ? paper - coarse.values[i] : coarse.values[i] - paper;
      ++noise[static_cast<std::size_t>(std::abs(away))];
      coarse_ink_.values[i] =
          static_cast<std::uint8_t>(std::clamp(away * 255 / std::max(32, dark_ink_ ? paper : 255 - paper), 0, 255));
      ++deviations[coarse_ink_.values[i]];
    }
  }
  int strongest = 255;
  while (strongest > 0 && deviations[static_cast<std::size_t>(strongest)] == 0) --strongest;
  const Classes ink = two_means(deviations, 0, strongest);
  const double spread = 1.4826 * quantile(noise, 0.5);  // of the paper, if most of the picture is paper
  if (ink.high < 3 || ink.high < 4.5 * spread) return;
  const double share = even ? 0.25 : 0.4;
  const int threshold = static_cast<int>(std::ceil(std::max({share * ink.high, 3.5 * spread, 2.0})));

  const Components parts = components_of(coarse_ink_, threshold);
  const std::vector<bool> is_ink = ink_parts(parts, coarse_ink_);
  kept_ = Plane(coarse.width, coarse.height);
  Box found{coarse.width, coarse.height, 0, 0};
  for (const Run& run : parts.runs) {
    if (is_ink[run.part]) std::fill(kept_.row(run.y) + run.first, kept_.row(run.y) + run.last, std::uint8_t{255});
  }
  for (std::size_t i = 0; i < parts.list.size(); ++i) {
    if (is_ink[i]) found = around(found, parts.list[i].box);
  }
  if (found.empty()) return;
  box_ = exact(found);
}

void InkFinder::flatten(const Plane& coarse, bool dark_ink) {
  // The mean of what is paper, in a window; what is far from it towards the ink is not paper, and again.
  const std::size_t width = coarse.width;
  const std::size_t height = coarse.height;
  std::vector<std::uint8_t> paper(coarse.values.size(), 1);
  Plane ground(width, height);
  std::vector<std::uint32_t> sums((width + 1) * (height + 1));
  std::vector<std::uint32_t> totals((width + 1) * (height + 1));
  for (int round = 0; round < 5; ++round) {
    const std::size_t reach = std::max<std::size_t>(2, std::max(width, height) / (round < 2 ? 4 : 10));
    for (std::size_t y = 0; y < height; ++y) {
      std::uint32_t sum = 0;
      std::uint32_t total = 0;
      for (std::size_t x = 0; x < width; ++x) {
        const std::size_t at = y * width + x;
        sum += paper[at] != 0 ? coarse.values[at] : 0u;
        total += paper[at];
        sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + sum;
        totals[(y + 1) * (width + 1) + x + 1] = totals[y * (width + 1) + x + 1] + total;
      }
    }
    Histogram away{};
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        for (std::size_t wide = reach;; wide *= 2) {
          const std::size_t top = y > wide ? y - wide : 0;
          const std::size_t bottom = std::min(height, y + wide + 1);
          const std::size_t left = x > wide ? x - wide : 0;
          const std::size_t right = std::min(width, x + wide + 1);
          const auto over = [&](const std::vector<std::uint32_t>& table) {
            return table[bottom * (width + 1) + right] - table[top * (width + 1) + right] -
                   table[bottom * (width + 1) + left] + table[top * (width + 1) + left];
          };
          const std::uint32_t total = over(totals);
          if (total < 8 && (bottom - top < height || right - left < width)) continue;
          ground.row(y)[x] = total == 0 ? static_cast<std::uint8_t>(ground_)
                                        : static_cast<std::uint8_t>((over(sums) + total / 2) / total);
          break;
        }
        const int difference = dark_ink ? ground.row(y)[x] - coarse.row(y)[x] : coarse.row(y)[x] - ground.row(y)[x];
        ++away[static_cast<std::size_t>(std::abs(difference))];
      }
    }
    const int limit = std::max(2, static_cast<int>(2.5 * quantile(away, 0.5)));
    for (std::size_t i = 0; i < paper.size(); ++i) {
      const int difference = dark_ink ? ground.values[i] - coarse.values[i] : coarse.values[i] - ground.values[i];
      paper[i] = difference <= limit ? 1 : 0;
    }
  }
  uneven_ground_ = std::move(ground);
}

Box InkFinder::exact(const Box& box) {
  // One coarse pixel more on each side, then only what has ink at full size.
  const Box wide{region_.left + (box.left > 0 ? box.left - 1 : 0) * step_,
                 region_.top + (box.top > 0 ? box.top - 1 : 0) * step_,
                 std::min(region_.right, region_.left + (box.right + 1) * step_),
                 std::min(region_.bottom, region_.top + (box.bottom + 1) * step_)};
  if (!uneven_ground_.values.empty()) return wide;
  std::vector<std::uint8_t> columns(wide.width(), 0);
  std::vector<std::uint8_t> rows(wide.height(), 0);
  const std::uint8_t flip = dark_ink_ ? 255 : 0;
  const int ground = dark_ink_ ? 255 - ground_ : ground_;
  for (std::size_t y = 0; y < wide.height(); ++y) {
    const std::uint8_t* const line = signal_.row(wide.top + y) + wide.left;
    std::uint8_t* const most = columns.data();
    std::uint8_t* const in_row = &rows[y];
    const std::size_t width = wide.width();
    for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      std::uint8_t largest = 0;
      for (std::size_t x = 0; x < width; ++x) {
        const auto value = static_cast<std::uint8_t>(line[x] ^ flip);
        most[x] = std::max(most[x], value);
        largest = std::max(largest, value);
      }
      *in_row = largest;
    });
  }
  const int strongest = *std::max_element(rows.begin(), rows.end()) - ground;
  contrast_ = strongest;
  const auto has_ink = [&](std::uint8_t value) { return (value - ground) * 4 > strongest; };
  Box found = wide;
  while (found.top < found.bottom && !has_ink(rows[found.top - wide.top])) ++found.top;
  while (found.bottom > found.top && !has_ink(rows[found.bottom - 1 - wide.top])) --found.bottom;
  while (found.left < found.right && !has_ink(columns[found.left - wide.left])) ++found.left;
  while (found.right > found.left && !has_ink(columns[found.right - 1 - wide.left])) --found.right;
  return found;
}

int InkFinder::deviation(int value, double x, double y) const {
  if (uneven_ground_.values.empty()) return dark_ink_ ? ground_ - value : value - ground_;
  // The ground between the middles of the four nearest coarse pixels.
  const auto place = [this](double at, std::size_t origin, std::size_t count, std::size_t& first) {
    const double coarse = std::clamp((at - static_cast<double>(origin)) / static_cast<double>(step_) - 0.5, 0.0,
                                     static_cast<double>(count - 1));
    first = std::min(static_cast<std::size_t>(coarse), count > 1 ? count - 2 : 0);
    return coarse - static_cast<double>(first);
  };
  std::size_t column = 0;
  std::size_t line = 0;
  const double right = place(x, region_.left, uneven_ground_.width, column);
  const double below = place(y, region_.top, uneven_ground_.height, line);
  const std::size_t next_column = std::min(column + 1, uneven_ground_.width - 1);
  const std::uint8_t* upper = uneven_ground_.row(line);
  const std::uint8_t* lower = uneven_ground_.row(std::min(line + 1, uneven_ground_.height - 1));
  const double paper = (upper[column] * (1 - right) + upper[next_column] * right) * (1 - below) +
                       (lower[column] * (1 - right) + lower[next_column] * right) * below;
  const double away = dark_ink_ ? paper - value : value - paper;
  return static_cast<int>(std::lround(away * 255 / std::max(32.0, dark_ink_ ? paper : 255 - paper)));
}

Plane InkFinder::sheet(const Box& box) const {
  // The picture at the size of the sheet.
  const double pitch = static_cast<double>(box.longer_side()) / static_cast<double>(sheet_box);
  const double left = static_cast<double>(box.left) - static_cast<double>(sheet_margin) * pitch;
  const double top = static_cast<double>(box.top) - static_cast<double>(sheet_margin) * pitch;
  // Far more pixels than the sheet has are first made fewer by a whole number.
  const auto fewer = static_cast<std::size_t>(std::max(1.0, pitch / 5));
  const auto lowest = [](double at, std::size_t limit) {
    return std::max(limit, static_cast<std::size_t>(std::max(0.0, std::floor(at))));
  };
  const auto highest = [](double at, std::size_t limit) {
    return std::min(limit, static_cast<std::size_t>(std::max(0.0, std::ceil(at))));
  };
  const double reach = pitch * static_cast<double>(sheet_side) + 1;
  const Box part{lowest(left - 1, region_.left), lowest(top - 1, region_.top), highest(left + reach, region_.right),
                 highest(top + reach, region_.bottom)};
  Plane small;
  PlaneView source = signal_.part(part);
  if (fewer > 1) {
    small = shrunk(source, fewer);
    source = view(small);
  }
  const auto scale = static_cast<double>(fewer);
  const Resampling columns =
      resampling(source.width, sheet_side, (left - static_cast<double>(part.left)) / scale, pitch / scale);
  const Resampling rows =
      resampling(source.height, sheet_side, (top - static_cast<double>(part.top)) / scale, pitch / scale);
  Plane sheet = resampled(source, columns, rows);

  // How far from the ground; where the ground is even, by a table.
  Histogram counts{};
  const bool even = uneven_ground_.values.empty();
  std::array<std::uint8_t, 256> table{};
  for (int value = 0; value < 256; ++value) {
    table[static_cast<std::size_t>(value)] =
        static_cast<std::uint8_t>(std::clamp(dark_ink_ ? ground_ - value : value - ground_, 0, 255));
  }
  for (std::size_t y = 0; y < sheet_side; ++y) {
    std::uint8_t* const line = sheet.row(y);
    const int covered_lines = rows.targets[y].covered;
    for (std::size_t x = 0; x < sheet_side; ++x) {
      const int covered = columns.targets[x].covered * covered_lines;
      int away = table[line[x]];
      if (!even && covered > 0) {
        away = std::clamp(deviation(line[x], left + (static_cast<double>(x) + 0.5) * pitch,
                                    top + (static_cast<double>(y) + 0.5) * pitch),
                          0, 255);
      }
      if (covered < 65536) away = away * covered >> 16;
      line[x] = static_cast<std::uint8_t>(away);
      ++counts[static_cast<std::size_t>(away)];
    }
  }
  const auto strength_now = [&] {
    int strongest = 255;
    while (strongest > 1 && counts[static_cast<std::size_t>(strongest)] == 0) --strongest;
    return strength_of(counts, strongest, even);
  };
  Strength strength = strength_now();
  if (strength.full * 10 < contrast_ * 7) {
    // Lines thinner than a pixel of the sheet are as strong as one pixel shows of them, or half as strong in each of
    // two. Means of 2 x 2 make them alike.
    counts = {};
    for (std::size_t y = sheet_side; y-- > 0;) {
      std::uint8_t* const line = sheet.row(y);
      const std::uint8_t* const above = sheet.row(y > 0 ? y - 1 : 0);
      for (std::size_t x = sheet_side; x-- > 0;) {
        const std::size_t left_of = x > 0 ? x - 1 : 0;
        line[x] = static_cast<std::uint8_t>((line[x] + line[left_of] + above[x] + above[left_of] + 2) / 4);
        ++counts[line[x]];
      }
    }
    strength = strength_now();
  }
  for (int value = 0; value < 256; ++value) table[static_cast<std::size_t>(value)] = strength.ink(value);
  for (std::uint8_t& value : sheet.values) value = table[value];
  // Specks, with the soft edge around them: what is within two pixels of ink stays.
  const Components parts = components_of(sheet, 64);
  const std::vector<bool> is_ink = ink_parts(parts, sheet);
  if (std::find(is_ink.begin(), is_ink.end(), false) != is_ink.end()) {
    Plane near_ink(sheet_side, sheet_side);
    for (const Run& run : parts.runs) {
      if (!is_ink[run.part]) continue;
      for (std::size_t y = run.y - std::min(run.y, 2u); y <= std::min<std::size_t>(run.y + 2, sheet_side - 1); ++y) {
        std::fill(near_ink.row(y) + (run.first - std::min(run.first, 2u)),
                  near_ink.row(y) + std::min<std::size_t>(run.last + 2, sheet_side), std::uint8_t{255});
      }
    }
    for (std::size_t i = 0; i < sheet.values.size(); ++i) sheet.values[i] &= near_ink.values[i];
  }
  return sheet;
}

Plane InkFinder::ink_within(const Plane& cells, const Box& where) const {
  Plane ink(where.width(), where.height());
  Histogram counts{};
  int strongest = 0;
  for (std::size_t v = 0; v < cells.height; ++v) {
    const std::size_t top = std::max(where.top, region_.top + v * step_);
    const std::size_t bottom = std::min({where.bottom, region_.bottom, region_.top + (v + 1) * step_});
    if (top >= bottom) continue;
    for (std::size_t u = 0; u < cells.width; ++u) {
      // A coarse pixel around counts too, for the soft edges of strokes, but not one that is ink of another part.
      bool near_ink = cells.row(v)[u] != 0;
      if (!near_ink && kept_.row(v)[u] == 0) {
        for (std::size_t y = v - std::min<std::size_t>(v, 1); y <= std::min(v + 1, cells.height - 1); ++y) {
          for (std::size_t x = u - std::min<std::size_t>(u, 1); x <= std::min(u + 1, cells.width - 1); ++x) {
            near_ink = near_ink || cells.row(y)[x] != 0;
          }
        }
      }
      if (!near_ink) continue;
      const std::size_t left = std::max(where.left, region_.left + u * step_);
      const std::size_t right = std::min({where.right, region_.right, region_.left + (u + 1) * step_});
      for (std::size_t y = top; y < bottom; ++y) {
        for (std::size_t x = left; x < right; ++x) {
          const int away = deviation(signal_.row(y)[x], static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5);
          std::uint8_t& value = ink.row(y - where.top)[x - where.left];
          value = static_cast<std::uint8_t>(std::clamp(away, 0, 255));
          ++counts[value];
          strongest = std::max(strongest, int{value});
        }
      }
    }
  }
  const Strength strength = strength_of(counts, strongest, uneven_ground_.values.empty());
  for (std::uint8_t& value : ink.values) value = strength.ink(value);
  return ink;
}

Plane InkFinder::all() const {
  if (!has_ink()) return Plane(signal_.width, signal_.height);
  return ink_within(kept_, {0, 0, signal_.width, signal_.height});
}

std::vector<std::pair<Box, Plane>> InkFinder::pieces() const {
  std::vector<std::pair<Box, Plane>> result;
  if (!has_ink()) return result;
  const Components parts = components_of(kept_, 1);
  std::vector<std::size_t> group(parts.list.size());  // of each part
  std::iota(group.begin(), group.end(), std::size_t{0});
  std::vector<Box> boxes;
  std::size_t tallest = 0;
  for (const Component& part : parts.list) {
    boxes.push_back(part.box);
    tallest = std::max(tallest, part.box.height());
  }
  // Two parts are of one digit if one is above the other, or beside it as the bar of a 5 is: near, and at least one
  // of them not as high as a digit. The nearest are joined first, and what was joined is one part from then on.
  const auto belong = [&](const Box& a, const Box& b) {
    const std::size_t left = std::max(a.left, b.left);
    const std::size_t right = std::min(a.right, b.right);
    const std::size_t overlap = right > left ? right - left : 0;
    const bool above = overlap * 2 >= std::min(a.width(), b.width());
    const bool both_high = std::min(a.height(), b.height()) * 10 > tallest * 6;
    const std::size_t gap = gap_between(a, b);
    if (both_high) return above && gap == 0;
    return gap * (above ? 4 : 8) <= tallest;
  };
  for (bool joined = true; joined;) {
    joined = false;
    std::size_t best = 0;
    std::pair<std::size_t, std::size_t> pair{};
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      for (std::size_t j = i + 1; j < boxes.size(); ++j) {
        if (!belong(boxes[i], boxes[j])) continue;
        const std::size_t gap = gap_between(boxes[i], boxes[j]);
        if (joined && gap >= best) continue;
        joined = true;
        best = gap;
        pair = {i, j};
      }
    }
    if (!joined) break;
    boxes[pair.first] = around(boxes[pair.first], boxes[pair.second]);
    boxes.erase(boxes.begin() + static_cast<std::ptrdiff_t>(pair.second));
    for (std::size_t& of : group) {
      if (of == pair.second) of = pair.first;
      if (of > pair.second) --of;
    }
  }
  // Lines: what has its middle between the top and the bottom of the highest that is left.
  std::vector<std::size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(boxes[a].top, boxes[a].left) < std::pair(boxes[b].top, boxes[b].left);
  });
  for (auto line = order.begin(); line != order.end();) {
    const Box& first = boxes[*line];
    const auto end = std::stable_partition(
        line, order.end(), [&](std::size_t i) { return boxes[i].top + boxes[i].bottom < 2 * first.bottom; });
    std::sort(line, end, [&](std::size_t a, std::size_t b) { return boxes[a].left < boxes[b].left; });
    line = end;
  }
  for (const std::size_t which : order) {
    Plane cells(kept_.width, kept_.height);
    for (const Run& run : parts.runs) {
      if (group[run.part] == which) {
        std::fill(cells.row(run.y) + run.first, cells.row(run.y) + run.last, std::uint8_t{255});
      }
    }
    const Box& box = boxes[which];
    const Box where{region_.left + (box.left > 0 ? box.left - 1 : 0) * step_,
                    region_.top + (box.top > 0 ? box.top - 1 : 0) * step_,
                    std::min(region_.right, region_.left + (box.right + 1) * step_),
                    std::min(region_.bottom, region_.top + (box.bottom + 1) * step_)};
    result.emplace_back(where, ink_within(cells, where));
  }
  return result;
}

}  // namespace digitnet::detail
