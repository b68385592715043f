#include "histogram.hpp"
#include "ink.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace digitnet::detail {

Plane InkFinder::ink_within(const Plane& cells, const Box& where) const {
  Plane ink(where.width(), where.height());
  Histogram counts{};
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
        }
      }
    }
  }
  strength_of(counts, uneven_ground_.values.empty()).apply(ink.values.data(), ink.values.size());
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
