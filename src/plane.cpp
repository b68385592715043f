#include "plane.hpp"

#include "dispatch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

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

}  // namespace

Plane shrunk(const PlaneView& from, std::size_t step) {
  Plane to((from.width + step - 1) / step, (from.height + step - 1) / step);
  std::vector<std::uint16_t> columns(to.width * step);
  std::vector<std::uint32_t> sums(to.width);
  for (std::size_t y = 0; y < to.height; ++y) {
    const std::size_t last = std::min(from.height, (y + 1) * step);
    std::fill(columns.begin(), columns.end(), std::uint16_t{0});
    for (std::size_t source = y * step; source < last; ++source) {
      const std::uint8_t* const line = from.row(source);
      std::uint16_t* const sum = columns.data();
      const std::size_t width = from.width;
      for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
        for (std::size_t x = 0; x < width; ++x) sum[x] = static_cast<std::uint16_t>(sum[x] + line[x]);
      });
    }
    switch (step) {  // zeros behind the end of the line
      case 1: add_groups<1>(columns.data(), sums.data(), to.width, step); break;
      case 2: add_groups<2>(columns.data(), sums.data(), to.width, step); break;
      case 3: add_groups<3>(columns.data(), sums.data(), to.width, step); break;
      case 4: add_groups<4>(columns.data(), sums.data(), to.width, step); break;
      case 8: add_groups<8>(columns.data(), sums.data(), to.width, step); break;
      default: add_groups<0>(columns.data(), sums.data(), to.width, step);
    }
    const auto mean = [](std::uint32_t sum, std::size_t area) {
      return static_cast<std::uint8_t>((sum + area / 2) / area);
    };
    // Dividing by multiplying: the sums are below 2^22, so the quotients are exact.
    const std::size_t area = (last - y * step) * step;
    const std::uint64_t inverse = ((std::uint64_t{1} << 40) + area - 1) / area;
    std::uint8_t* const result = to.row(y);
    for (std::size_t x = 0; x < to.width; ++x) {
      result[x] = static_cast<std::uint8_t>(((sums[x] + area / 2) * inverse) >> 40);
    }
    const std::size_t rest = from.width - (to.width - 1) * step;
    if (rest < step) result[to.width - 1] = mean(sums[to.width - 1], (last - y * step) * rest);
  }
  return to;
}

Resampling resampling(std::size_t source, std::size_t targets, double origin, double pitch) {
  Resampling result;
  std::vector<double> parts;
  for (std::size_t t = 0; t < targets; ++t) {
    const double begin = origin + static_cast<double>(t) * pitch;
    const double end = begin + pitch;
    const double within = std::min(end, static_cast<double>(source)) - std::max(begin, 0.0);
    Taps taps;
    if (within > 0) {
      taps.covered = static_cast<int>(std::lround(256 * within / pitch));
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
        const int upto = static_cast<int>(std::lround(256 * sum / total));
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

/// One line of targets from one of sources. As many taps for all as the most have, so that the loop has no end to look
/// for: weights are 0 for those there are not.
template <std::size_t Most>
void weigh(const std::uint16_t* values, const std::uint32_t* firsts, const std::uint16_t* weights, std::uint8_t* to,
           std::size_t count) {
  for (std::size_t x = 0; x < count; ++x) {
    const std::uint16_t* const value = values + firsts[x];
    std::uint32_t total = 128;
    for (std::size_t i = 0; i < Most; ++i) total += std::uint32_t{weights[x * Most + i]} * (value[i] >> 8);
    to[x] = static_cast<std::uint8_t>(total >> 8);
  }
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
  constexpr std::array<std::size_t, 5> sizes{2, 4, 6, 8, 12};
  const auto size = std::find_if(sizes.begin(), sizes.end() - 1, [&](std::size_t n) { return n >= columns.most; });
  std::vector<std::uint16_t> weights(to.width * *size);
  std::vector<std::uint32_t> firsts(to.width);
  for (std::size_t x = 0; x < to.width; ++x) {
    const Taps& taps = columns.targets[x];
    if (taps.count == 0) continue;
    firsts[x] = static_cast<std::uint32_t>(taps.first - begin);
    std::copy_n(&columns.weights[taps.weights], taps.count, &weights[x * *size]);
  }
  std::vector<std::uint16_t> sums(width + *size);
  for (std::size_t y = 0; y < to.height; ++y) {
    const Taps& vertical = rows.targets[y];
    if (vertical.count == 0) continue;
    std::uint16_t* const sum = sums.data();
    for (std::size_t i = 0; i < vertical.count; ++i) {
      const std::uint8_t* const line = from.row(vertical.first + i) + begin;
      const std::uint16_t weight = rows.weights[vertical.weights + i];
      const bool first = i == 0;
      for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
        if (first) {
          for (std::size_t x = 0; x < width; ++x) sum[x] = static_cast<std::uint16_t>(128 + line[x] * weight);
        } else {
          for (std::size_t x = 0; x < width; ++x) sum[x] = static_cast<std::uint16_t>(sum[x] + line[x] * weight);
        }
      });
    }
    const auto line = [&]<std::size_t Most>() {
      weigh<Most>(sums.data(), firsts.data(), weights.data(), to.row(y), to.width);
    };
    switch (*size) {
      case 2: line.template operator()<2>(); break;
      case 4: line.template operator()<4>(); break;
      case 6: line.template operator()<6>(); break;
      case 8: line.template operator()<8>(); break;
      default: line.template operator()<12>();
    }
  }
  return to;
}

/// Line by line, runs are joined with those they touch in the line above (Rosenfeld, Pfaltz 1966, with runs for pixels).
Components components_of(const Plane& plane, int threshold) {
  Components parts;
  std::vector<Run>& runs = parts.runs;
  std::vector<std::uint32_t> parents;  // of runs; the first of each part is its own
  const auto root = [&parents](std::uint32_t run) {
    while (parents[run] != run) run = parents[run] = parents[parents[run]];
    return run;
  };
  std::size_t above = 0;  // the runs of the line above: [above, begin)
  for (std::size_t y = 0; y < plane.height; ++y) {
    const std::size_t begin = runs.size();
    const std::uint8_t* line = plane.row(y);
    for (std::size_t x = 0; x < plane.width;) {
      if (line[x] < threshold) {
        ++x;
        continue;
      }
      const std::size_t first = x;
      while (x < plane.width && line[x] >= threshold) ++x;
      const auto run = static_cast<std::uint32_t>(runs.size());
      runs.push_back(
          {static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(x), 0});
      parents.push_back(run);
      for (std::size_t other = above; other < begin; ++other) {
        if (runs[other].first > x) break;
        if (runs[other].last < first) continue;
        const std::uint32_t a = root(static_cast<std::uint32_t>(other));
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
