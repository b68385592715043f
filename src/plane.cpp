#include "plane.hpp"

#include "dispatch.hpp"
#include "sparse_samples.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <span>

// Whole numbers wherever it matters, and no fused multiply-add (see CMakeLists.txt): the same bytes everywhere.

namespace digitnet::detail {

namespace {

/// Sums of each Step numbers next to each other; 0 for a number that is known only when the program runs.
template <std::size_t Step>
void add_groups(const std::uint16_t* from, std::uint32_t* to, std::size_t groups, std::size_t any_step) {
  const std::size_t step = Step == 0 ? any_step : Step;
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for (std::size_t x = 0; x < groups; ++x) {
      std::uint32_t sum = 0;
      for (std::size_t i = 0; i < step; ++i) sum += from[x * step + i];
      to[x] = sum;
    }
  });
}

/// The sum of the bytes of several lines, column by column.
void add_lines(const PlaneView& from, std::size_t first, std::size_t last, std::uint16_t* to) {
  const std::size_t width = from.width;
  std::fill_n(to, width, std::uint16_t{0});
  for (std::size_t y = first; y < last;) {
    const std::uint8_t* const line = from.row(y);
    const std::size_t stride = from.stride;
    const std::size_t lines = last - y >= 4 ? 4 : 1;
    for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      if (lines == 4) {
        for (std::size_t x = 0; x < width; ++x) {
          to[x] = static_cast<std::uint16_t>(to[x] + line[x] + line[x + stride] + line[x + 2 * stride] +
                                             line[x + 3 * stride]);
        }
      } else {
        for (std::size_t x = 0; x < width; ++x) to[x] = static_cast<std::uint16_t>(to[x] + line[x]);
      }
    });
    y += lines;
  }
}

/// The quotients of sums by the number of their bytes, rounded, by multiplication:
///     floor(n / area) = floor(n * inverse / 2^shift)    inverse = ceil(2^shift / area)
/// The inverse is too large by less than 1, so the quotient by less than n / 2^shift: with n < 256 area and
/// 2^shift >= 256 area^2 that is at most 1 / area, too little to reach the next number. For areas below 2^22 the
/// product fits into 64 bits.
void divide(const std::uint32_t* sums, std::uint8_t* to, std::size_t count, std::size_t area) {
  const auto shift = static_cast<unsigned>(8 + 2 * std::bit_width(area - 1));
  const auto inverse = static_cast<std::uint32_t>(((std::uint64_t{1} << shift) + area - 1) / area);
  const auto half = static_cast<std::uint32_t>(area / 2);
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for (std::size_t x = 0; x < count; ++x) {
      to[x] = static_cast<std::uint8_t>((std::uint64_t{sums[x] + half} * inverse) >> shift);
    }
  });
}

}  // namespace

Plane shrunk(const PlaneView& from, std::size_t step) {
  Plane to((from.width + step - 1) / step, (from.height + step - 1) / step);
  std::vector<std::uint16_t> columns(to.width * step);  // zeros behind the end of the line
  std::vector<std::uint32_t> sums(to.width);
  const std::size_t rest = from.width - (to.width - 1) * step;  // of the last group
  for (std::size_t y = 0; y < to.height; ++y) {
    const std::size_t last = std::min(from.height, (y + 1) * step);
    add_lines(from, y * step, last, columns.data());
    switch (step) {
      case 1: add_groups<1>(columns.data(), sums.data(), to.width, step); break;
      case 2: add_groups<2>(columns.data(), sums.data(), to.width, step); break;
      case 3: add_groups<3>(columns.data(), sums.data(), to.width, step); break;
      case 4: add_groups<4>(columns.data(), sums.data(), to.width, step); break;
      case 8: add_groups<8>(columns.data(), sums.data(), to.width, step); break;
      default: add_groups<0>(columns.data(), sums.data(), to.width, step);
    }
    const std::size_t lines = last - y * step;
    divide(sums.data(), to.row(y), to.width, lines * step);
    if (rest < step) divide(&sums[to.width - 1], &to.row(y)[to.width - 1], 1, lines * rest);
  }
  return to;
}

Resampling resampling(std::size_t source, std::size_t targets, double origin, double pitch) {
  Resampling result;
  result.targets.reserve(targets);
  result.weights.reserve(targets * (static_cast<std::size_t>(std::max(1.0, pitch)) + 2));
  std::vector<double> parts;
  for (std::size_t t = 0; t < targets; ++t) {
    const double begin = origin + static_cast<double>(t) * pitch;
    const double end = begin + pitch;
    const double within = std::min(end, static_cast<double>(source)) - std::max(begin, 0.0);
    Taps taps;
    if (within > 0) {
      taps.covered = rounded(256 * within / pitch);
      const double middle = std::clamp((begin + end) / 2, 0.5, static_cast<double>(source) - 0.5);
      const double low = pitch >= 1 ? std::max(begin, 0.0) : middle - 1;
      const double high = pitch >= 1 ? std::min(end, static_cast<double>(source)) : middle + 1;
      parts.clear();
      double total = 0;
      taps.first = static_cast<std::size_t>(std::max(0.0, std::floor(low)));
      for (std::size_t s = taps.first; s < source && static_cast<double>(s) < high; ++s) {
        const auto left = static_cast<double>(s);
        const double part = pitch >= 1 ? std::min(left + 1, high) - std::max(left, low)
                                       : std::max(0.0, 1 - std::abs(left + 0.5 - middle));
        parts.push_back(part);
        total += part;
      }
      taps.count = parts.size();
      taps.weights = result.weights.size();
      double sum = 0;
      int given = 0;
      for (const double part : parts) {
        sum += part;
        const int upto = rounded(256 * sum / total);
        result.weights.push_back(static_cast<std::uint16_t>(upto - given));
        given = upto;
      }
    }
    result.most = std::max(result.most, taps.count);
    result.targets.push_back(taps);
  }
  return result;
}

namespace {

/// One line of targets from one of sources. As many taps for all, so that the loop has no end to look for: weights are 0
/// for those there are not.
template <std::size_t Count>
void weigh(const std::uint16_t* values, const std::uint32_t* firsts, const std::uint16_t* weights, std::uint8_t* to,
           std::size_t count) {
  using Eight [[gnu::vector_size(16)]] = std::uint16_t;
  using Two [[gnu::vector_size(16)]] = std::uint64_t;
  for (std::size_t x = 0; x < count; ++x) {
    Eight sums{};
    for (std::size_t i = 0; i < Count; i += 8) {
      Eight part;
      Eight weight;
      std::memcpy(&part, values + firsts[x] + i, sizeof part);
      std::memcpy(&weight, weights + x * Count + i, sizeof weight);
      sums += part * weight;
    }
    // All eight together are below 2^16, so they may be added as parts of larger numbers: the product has the sum of its
    // four parts in the uppermost.
    const auto two = reinterpret_cast<Two>(sums);
    to[x] = static_cast<std::uint8_t>(((two[0] + two[1]) * 0x0001000100010001 + (std::uint64_t{128} << 48)) >> 56);
  }
}

template <std::size_t Bytes>
struct WordVector {
  using Words [[gnu::vector_size(Bytes)]] = std::uint16_t;
  using Pixels [[gnu::vector_size(Bytes / 2)]] = std::uint8_t;  ///< as many
};

/// The weighted mean of some lines, column by column.
void weigh_lines(const std::uint8_t* line, std::size_t stride, const std::uint16_t* weights, std::size_t lines,
                 std::uint16_t* to, std::size_t width) {
  for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    using Words = typename WordVector<Bytes>::Words;
    using Pixels = typename WordVector<Bytes>::Pixels;
    std::size_t x = 0;
    for (; x + sizeof(Pixels) <= width; x += sizeof(Pixels)) {
      Words sum = Words{} + std::uint16_t{128};
      for (std::size_t k = 0; k < lines; ++k) {
        Pixels pixels;
        std::memcpy(&pixels, line + k * stride + x, sizeof pixels);
        sum += __builtin_convertvector(pixels, Words) * weights[k];
      }
      sum >>= 8;
      std::memcpy(to + x, &sum, sizeof sum);
    }
    for (; x < width; ++x) {
      unsigned sum = 128;
      for (std::size_t k = 0; k < lines; ++k) sum += unsigned{line[k * stride + x]} * weights[k];
      to[x] = static_cast<std::uint16_t>(sum >> 8);
    }
  });
}

}  // namespace

Plane resampled(const PlaneView& from, const Resampling& columns, const Resampling& rows) {
  Plane to(columns.targets.size(), rows.targets.size());
  std::size_t begin = from.width;
  std::size_t end = 0;
  for (const Taps& taps : columns.targets) {
    if (taps.count == 0) continue;
    begin = std::min(begin, taps.first);
    end = std::max(end, taps.first + taps.count);
  }
  if (end <= begin) return to;
  const std::size_t width = end - begin;
  const std::size_t size = columns.most <= 8 ? 8 : 16;
  std::vector<std::uint16_t> weights(to.width * size);
  std::vector<std::uint32_t> firsts(to.width);
  for (std::size_t x = 0; x < to.width; ++x) {
    const Taps& taps = columns.targets[x];
    if (taps.count == 0) continue;
    firsts[x] = static_cast<std::uint32_t>(taps.first - begin);
    std::copy_n(&columns.weights[taps.weights], taps.count, &weights[x * size]);
  }
  std::vector<std::uint16_t> line(width + size);
  for (std::size_t y = 0; y < to.height; ++y) {
    const Taps& taps = rows.targets[y];
    if (taps.count == 0) continue;
    weigh_lines(from.row(taps.first) + begin, from.stride, &rows.weights[taps.weights], taps.count, line.data(),
                width);
    if (size == 8) weigh<8>(line.data(), firsts.data(), weights.data(), to.row(y), to.width);
    if (size == 16) weigh<16>(line.data(), firsts.data(), weights.data(), to.row(y), to.width);
  }
  return to;
}

namespace {

/// The first bit from `from` on that is set, or that is not; 64 * bits.size() if there is none.
std::size_t next_bit(std::span<const std::uint64_t> bits, std::size_t from, bool set) {
  for (std::size_t group = from / 64; group < bits.size(); ++group, from = 0) {
    const std::uint64_t word = (set ? bits[group] : ~bits[group]) >> from % 64;
    if (word != 0) return group * 64 + from % 64 + static_cast<std::size_t>(std::countr_zero(word));
  }
  return bits.size() * 64;
}

}  // namespace

/// Line by line, runs are joined with those they touch in the line above (Rosenfeld, Pfaltz 1966, with runs for pixels).
Components components_of(const Plane& plane, int threshold) {
  Components parts;
  std::vector<Run>& runs = parts.runs;
  std::vector<std::uint32_t> parents;  // of runs; the first of each part is its own
  const auto root = [&parents](std::uint32_t run) {
    while (parents[run] != run) run = parents[run] = parents[parents[run]];
    return run;
  };
  const std::size_t groups = ink_groups(plane.width);
  std::vector<std::uint8_t> is_part(groups * ink_group);  // of each pixel of a line
  std::vector<std::uint64_t> bits(groups);                // the same
  const auto least = static_cast<std::uint8_t>(threshold);
  std::size_t above = 0;  // the runs of the line above: [above, begin)
  for (std::size_t y = 0; y < plane.height; ++y) {
    const std::size_t begin = runs.size();
    const std::uint8_t* const line = plane.row(y);
    std::uint8_t* const marks = is_part.data();
    const std::size_t width = plane.width;
    for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t x = 0; x < width; ++x) marks[x] = line[x] >= least ? 1 : 0;
    });
    find_ink(is_part, bits.data());
    std::size_t first = 0;
    std::size_t last = 0;
    std::size_t other = above;
    while ((first = next_bit(bits, last, true)) < width) {
      last = next_bit(bits, first, false);
      const auto run = static_cast<std::uint32_t>(runs.size());
      runs.push_back(
          {static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last), 0});
      parents.push_back(run);
      while (other < begin && runs[other].last < first) ++other;
      for (std::size_t touched = other; touched < begin && runs[touched].first <= last; ++touched) {
        const std::uint32_t a = root(static_cast<std::uint32_t>(touched));
        const std::uint32_t b = root(run);
        parents[std::max(a, b)] = std::min(a, b);
      }
    }
    above = begin;
  }
  std::vector<std::uint32_t> places(runs.size());
  for (std::uint32_t i = 0; i < runs.size(); ++i) {
    const std::uint32_t first = root(i);
    if (first == i) {
      places[i] = static_cast<std::uint32_t>(parts.list.size());
      parts.list.push_back({{plane.width, plane.height, 0, 0}, 0, 0});
    }
    Run& run = runs[i];
    run.part = places[first];
    Component& part = parts.list[run.part];
    part.box = {std::min<std::size_t>(part.box.left, run.first), std::min<std::size_t>(part.box.top, run.y),
                std::max<std::size_t>(part.box.right, run.last), std::max<std::size_t>(part.box.bottom, run.y + 1)};
    part.pixels += run.last - run.first;
    const std::uint8_t* line = plane.row(run.y);
    part.mass += std::accumulate(line + run.first, line + run.last, 0u);
  }
  return parts;
}

std::size_t gap_between(const Box& a, const Box& b) {
  const auto between = [](std::size_t a0, std::size_t a1, std::size_t b0, std::size_t b1) {
    return a1 < b0 ? b0 - a1 : b1 < a0 ? a0 - b1 : 0;
  };
  return std::max(between(a.left, a.right, b.left, b.right), between(a.top, a.bottom, b.top, b.bottom));
}

Box around(const Box& a, const Box& b) {
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right), std::max(a.bottom, b.bottom)};
}

}  // namespace digitnet::detail
