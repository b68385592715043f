#include "ink.hpp"

#include "dispatch.hpp"
#include "frames.hpp"
#include "histogram.hpp"
#include "picture_signal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

// Whole numbers wherever it matters, and no fused multiply-add (see CMakeLists.txt): the same bytes everywhere.

namespace digitnet::detail {
namespace {

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
  Histogram counts{};
  count_bytes(coarse.values.data(), coarse.values.size(), counts);
  const int lowest = lowest_value(counts);
  const int highest = highest_value(counts);
  if (highest - lowest < 3) return;  // plain

  // Frames, and rings of one colour around everything, settle what the ground is.
  const int tolerance = std::max(3, (highest - lowest) / 10);
  int ground = -1;
  const Box inner = inside_of_frames(coarse, tolerance, ground);
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
    for (int value = 0; value < 256; ++value) {
      const std::uint32_t count = counts[static_cast<std::size_t>(value)];
      const int away = dark_ink_ ? ground_ - value : value - ground_;
      deviations[static_cast<std::size_t>(std::max(0, away))] += count;
      noise[static_cast<std::size_t>(std::abs(away))] += count;
    }
    subtract_ground(coarse.values.data(), coarse_ink_.values.data(), coarse.values.size());
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
  const Classes ink = two_means(deviations, 0, highest_value(deviations));
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

void InkFinder::subtract_ground(const std::uint8_t* from, std::uint8_t* to, std::size_t count) const {
  // Light ink is dark ink on the ground of the negative.
  const std::uint8_t flip = dark_ink_ ? 0 : 255;
  const auto ground = static_cast<std::uint8_t>(ground_ ^ flip);
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<std::uint8_t>(from[i] ^ flip);
      to[i] = static_cast<std::uint8_t>(ground - std::min(ground, value));
    }
  });
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

  // How far from the ground, as far as a pixel of the sheet is within the picture.
  const bool even = uneven_ground_.values.empty();
  if (even) {
    subtract_ground(sheet.values.data(), sheet.values.data(), sheet.values.size());
  } else {
    for (std::size_t y = 0; y < sheet_side; ++y) {
      for (std::size_t x = 0; x < sheet_side; ++x) {
        std::uint8_t& value = sheet.row(y)[x];
        const int away = deviation(value, left + (static_cast<double>(x) + 0.5) * pitch,
                                   top + (static_cast<double>(y) + 0.5) * pitch);
        value = static_cast<std::uint8_t>(std::clamp(away, 0, 255));
      }
    }
  }
  std::array<std::uint32_t, sheet_side> covered{};
  for (std::size_t x = 0; x < sheet_side; ++x) covered[x] = static_cast<std::uint32_t>(columns.targets[x].covered);
  for (std::size_t y = 0; y < sheet_side; ++y) {
    std::uint8_t* const line = sheet.row(y);
    const std::uint32_t* const shares = covered.data();
    const auto covered_lines = static_cast<std::uint32_t>(rows.targets[y].covered);
    for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t x = 0; x < sheet_side; ++x) {
        line[x] = static_cast<std::uint8_t>(line[x] * (shares[x] * covered_lines) >> 16);
      }
    });
  }
  const auto strength_now = [&] {
    Histogram counts{};
    count_bytes(sheet.values.data(), sheet.values.size(), counts);
    return strength_of(counts, even);
  };
  Strength strength = strength_now();
  if (strength.full * 10 < contrast_ * 7) {
    // Lines thinner than a pixel of the sheet are as strong as one pixel shows of them, or half as strong in each of
    // two. Means of 2 x 2 make them alike.
    for (std::size_t y = sheet_side; y-- > 0;) {
      std::uint8_t* const line = sheet.row(y);
      const std::uint8_t* const above = sheet.row(y > 0 ? y - 1 : 0);
      for (std::size_t x = sheet_side; x-- > 0;) {
        const std::size_t left_of = x > 0 ? x - 1 : 0;
        line[x] = static_cast<std::uint8_t>((line[x] + line[left_of] + above[x] + above[left_of] + 2) / 4);
      }
    }
    strength = strength_now();
  }
  strength.apply(sheet.values.data(), sheet.values.size());
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

}  // namespace digitnet::detail
