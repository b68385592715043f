#include <digitnet/preprocess.hpp>

#include "dispatch.hpp"
#include "ink.hpp"
#include "picture_image.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

namespace digitnet {
namespace {

using detail::text;

/// How much each pixel of a row counts in each of mnist_side target pixels.
struct Scaling {
  std::array<detail::Taps, mnist_side> targets;
  std::vector<float> weights;
};

/// Target pixel t covers the source from (t - offset) / scale on, for 1 / scale pixels. Made smaller,
/// it is their mean; made larger, the line between the two nearest.
Scaling scaling(std::size_t count, double scale, double offset) {
  Scaling result;
  result.weights.reserve(count + 3 * mnist_side);
  for (std::size_t t = 0; t < mnist_side; ++t) {
    detail::Taps& taps = result.targets[t];
    taps.weights = result.weights.size();
    const double first = (static_cast<double>(t) - offset) / scale;
    const double last = first + 1 / scale;
    const double at = (first + last) / 2;
    const double reach = scale < 1 ? (last - first) / 2 + 1 : 1.5;
    const auto begin = static_cast<std::ptrdiff_t>(std::floor(at - reach));
    const auto end = static_cast<std::ptrdiff_t>(std::ceil(at + reach));
    for (std::ptrdiff_t s = std::max<std::ptrdiff_t>(begin, 0);
         s < std::min<std::ptrdiff_t>(end, static_cast<std::ptrdiff_t>(count)); ++s) {
      const auto left = static_cast<double>(s);
      const double weight = scale < 1 ? std::max(0.0, std::min(left + 1, last) - std::max(left, first)) * scale
                                      : std::max(0.0, 1 - std::abs(left + 0.5 - at));
      if (!(weight > 0)) continue;  // before the first or behind the last
      if (taps.count == 0) taps.first = static_cast<std::size_t>(s);
      ++taps.count;
      result.weights.push_back(static_cast<float>(weight));
    }
  }
  return result;
}

/// Where the ink [first, last) goes, as what to add to its place when scaled: to whole pixels, so that its center
/// of mass is nearest to the middle of pixel 14, but not beyond the edge of the image.
double offset_for(std::size_t first, std::size_t last, double scale, double center) {
  const double middle = static_cast<double>(mnist_side) / 2 + 0.5;
  const double start = std::round(middle - (center - static_cast<double>(first)) * scale);
  const double latest = std::floor(static_cast<double>(mnist_side) - static_cast<double>(last - first) * scale);
  return std::clamp(start, 0.0, latest) - static_cast<double>(first) * scale;
}

using detail::Box;
using detail::Plane;

/// The strokes of MNIST are this wide, in pixels of the 28 x 28 image: measured by stroke_width on the sheets of every
/// third training image, 2 % are thinner than 1.93, half than 2.68 and 98 % than 4.23; all digits are much alike.
constexpr double thinnest_stroke = 1.95;
constexpr double thickest_stroke = 4.2;

/// Whether any of some values is at least half_full.
bool has_ink(std::span<const std::uint8_t> values) {
  std::uint8_t all = 0;
  std::uint8_t* const result = &all;
  detail::for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    std::uint8_t bits = 0;
    for (const std::uint8_t value : values) bits |= value;
    *result = bits;
  });
  static_assert(detail::half_full == 128, "the highest bit tells");
  return all >= detail::half_full;
}

/// The box of the ink of a sheet: of what is at least half full.
Box box_of(const Plane& sheet) {
  std::array<std::uint8_t, detail::sheet_side> columns{};
  std::uint8_t* const all = columns.data();
  const std::uint8_t* const values = sheet.values.data();
  detail::for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    for (std::size_t y = 0; y < detail::sheet_side; ++y) {
      const std::uint8_t* const line = values + y * detail::sheet_side;
      for (std::size_t x = 0; x < detail::sheet_side; ++x) all[x] |= line[x];
    }
  });
  const auto row_has_ink = [&](std::size_t y) { return has_ink({sheet.row(y), sheet.width}); };
  Box box{0, 0, sheet.width, sheet.height};
  while (box.left < box.right && columns[box.left] < detail::half_full) ++box.left;
  while (box.right > box.left && columns[box.right - 1] < detail::half_full) --box.right;
  while (box.top < box.bottom && !row_has_ink(box.top)) ++box.top;
  while (box.bottom > box.top && !row_has_ink(box.bottom - 1)) --box.bottom;
  return box;
}

/// Mean width of the strokes on a sheet, in its pixels: twice the area of the ink over the length of its outline.
///
/// A stroke of length L and width w has an area of L w and an outline of 2 (L + w), so this is w / (1 + w / L). The
/// outline is the total variation of the ink, which soft edges do not change; of the two differences at each pixel
/// the sum is taken, which is 4 / pi too long over all directions.
double stroke_width(const Plane& sheet) {
  constexpr std::size_t side = detail::sheet_side;
  std::int32_t area = 0;  // at most 80 * 80 * 255 * 2
  std::int32_t variation = 0;
  const std::uint8_t* const values = sheet.values.data();
  std::int32_t* const sums[2]{&area, &variation};
  // All but the last row as one line, and then without the last column, where the next pixel is one of the next row.
  // Three loops, for which processors have an instruction each; of one, compilers make single steps.
  detail::for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
    constexpr std::size_t count = side * (side - 1);
    std::int32_t sum = 0;
    std::int32_t differences = 0;
    for (std::size_t i = 0; i < count; ++i) sum += values[i];
    for (std::size_t i = 0; i < count; ++i) differences += std::abs(values[i] - values[i + 1]);
    for (std::size_t i = 0; i < count; ++i) differences += std::abs(values[i] - values[i + side]);
    *sums[0] = sum;
    *sums[1] = differences;
  });
  for (std::size_t i = side - 1; i < side * (side - 1); i += side) {
    area -= values[i];
    variation -= std::abs(values[i] - values[i + 1]) + std::abs(values[i] - values[i + side]);
  }
  if (variation == 0) return 0;
  return 2 * static_cast<double>(area) / (static_cast<double>(variation) * 0.78539816339744831);
}

/// The largest value within a disc around each pixel; a disc of any radius, since pixels at its edge count in part.
/// With `least`, the smallest value instead.
Plane spread_over_disc(const Plane& from, double radius, bool least) {
  const auto reach = static_cast<std::size_t>(std::ceil(radius));
  const std::uint8_t flip = least ? 255 : 0;
  // With a margin of what is outside; then what is so far right and so far down of a pixel is always so far behind it,
  // and the loop below need not know of rows.
  Plane source(from.width + 2 * reach, from.height + 2 * reach, flip);
  for (std::size_t y = 0; y < from.height; ++y) {
    const std::uint8_t* const line = from.row(y);
    std::uint8_t* const padded = source.row(y + reach) + reach;
    for (std::size_t x = 0; x < from.width; ++x) padded[x] = static_cast<std::uint8_t>(line[x] ^ flip);
  }
  std::vector<std::uint8_t> spread(from.height * source.width);
  const std::size_t count = spread.size() - 2 * reach;
  for (std::size_t v = 0; v <= reach; ++v) {
    for (std::size_t u = 0; u <= v; ++u) {
      const double distance = std::sqrt(static_cast<double>(u * u + v * v));
      const auto weight = static_cast<std::uint16_t>(std::lround(256 * std::clamp(radius + 1 - distance, 0.0, 1.0)));
      if (weight == 0) continue;
      // The eight places at this distance: right or left, down or up, and the two ways exchanged.
      const std::uint8_t* const middle = source.row(reach) + reach;
      const std::uint8_t* const a = middle - v * source.width - u;
      const std::uint8_t* const b = middle - v * source.width + u;
      const std::uint8_t* const c = middle - u * source.width - v;
      const std::uint8_t* const d = middle - u * source.width + v;
      const std::size_t v_rows = 2 * v * source.width;
      const std::size_t u_rows = 2 * u * source.width;
      std::uint8_t* const to = spread.data();
      detail::for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
        for (std::size_t i = 0; i < count; ++i) {
          const std::uint8_t upper = std::max(std::max(a[i], b[i]), std::max(c[i], d[i]));
          const std::uint8_t lower =
              std::max(std::max(a[i + v_rows], b[i + v_rows]), std::max(c[i + u_rows], d[i + u_rows]));
          to[i] = std::max(to[i], static_cast<std::uint8_t>(std::max(upper, lower) * weight >> 8));
        }
      });
    }
  }
  Plane result(from.width, from.height);
  for (std::size_t y = 0; y < from.height; ++y) {
    const std::uint8_t* const line = &spread[y * source.width];
    std::uint8_t* const to = result.row(y);
    for (std::size_t x = 0; x < from.width; ++x) to[x] = static_cast<std::uint8_t>(line[x] ^ flip);
  }
  return result;
}

/// Strokes made thinner by `radius` on each side, but not broken: what is so thin that it would go stays, and so does
/// a bridge from there to what is left.
Plane thinner(const Plane& sheet, double radius) {
  Plane core = spread_over_disc(sheet, radius, true);
  const Plane opened = spread_over_disc(core, radius, false);
  Plane lost(sheet.width, sheet.height);
  for (std::size_t i = 0; i < lost.values.size(); ++i) {
    lost.values[i] = static_cast<std::uint8_t>(sheet.values[i] - std::min(sheet.values[i], opened.values[i]));
  }
  lost = spread_over_disc(spread_over_disc(lost, 1.5, true), 1.5, false);  // without the slivers at ends and corners
  if (std::any_of(lost.values.begin(), lost.values.end(), [](std::uint8_t value) { return value > 64; })) {
    const Plane bridged = spread_over_disc(lost, radius * 1.2, false);
    for (std::size_t i = 0; i < lost.values.size(); ++i) {
      core.values[i] = std::max(core.values[i], std::min(sheet.values[i], bridged.values[i]));
    }
  }
  return core;
}

/// Brings the strokes on a sheet to a width within that of MNIST's. Inside of it nothing changes.
void normalise_strokes(Plane& sheet) {
  for (int round = 0; round < 2; ++round) {
    const Box box = box_of(sheet);
    if (box.empty()) return;
    const auto side = static_cast<double>(box.longer_side());
    const double width = stroke_width(sheet);
    const double at_box = width * static_cast<double>(mnist_box) / side;
    const double wanted = std::clamp(at_box, thinnest_stroke, thickest_stroke) / static_cast<double>(mnist_box);
    if (std::abs(wanted * side - width) < 0.1) return;
    if (round > 0 && at_box < thinnest_stroke) return;  // was thinned enough
    // Stroke and box grow alike: (width + 2 r) / (side + 2 r) is what is wanted.
    const double radius = (wanted * side - width) / (2 * (1 - wanted));
    const auto most = static_cast<double>(detail::sheet_margin) - 1;
    if (radius > 0) {
      sheet = spread_over_disc(sheet, std::min(radius, most), false);
    } else {
      sheet = thinner(sheet, std::min(-radius, most));
    }
  }
}

/// The ink of a sheet, scaled to fit MNIST's box, its centre of mass in the middle of pixel (14, 14).
MnistImage placed(const Plane& sheet) {
  MnistImage image{};
  const Box box = box_of(sheet);
  if (box.empty()) return image;
  std::uint64_t mass = 0, mass_x = 0, mass_y = 0;
  for (std::size_t y = 0; y < sheet.height; ++y) {
    const std::uint8_t* const line = sheet.row(y);
    std::uint32_t row_mass[2]{};  // of the pixels, and of twice where their middles are
    std::uint32_t* const sums = row_mass;
    detail::for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      std::uint32_t sum = 0, sum_x = 0;
      for (std::uint32_t x = 0; x < detail::sheet_side; ++x) {
        sum += line[x];
        sum_x += line[x] * (2 * x + 1);
      }
      sums[0] = sum;
      sums[1] = sum_x;
    });
    mass += row_mass[0];
    mass_x += row_mass[1];
    mass_y += row_mass[0] * (2 * y + 1);
  }
  const double scale = static_cast<double>(mnist_box) / static_cast<double>(box.longer_side());
  const auto offset = [scale](std::size_t first, std::size_t last, std::uint64_t moment, std::uint64_t total) {
    const double center = static_cast<double>(moment) / static_cast<double>(2 * total);
    const double start = static_cast<double>(mnist_side) / 2 + 0.5 - (center - static_cast<double>(first)) * scale;
    const double latest = static_cast<double>(mnist_side) - static_cast<double>(last - first) * scale;
    return std::clamp(start, 0.0, latest) - static_cast<double>(first) * scale;
  };
  const Scaling columns = scaling(sheet.width, scale, offset(box.left, box.right, mass_x, mass));
  const Scaling rows = scaling(sheet.height, scale, offset(box.top, box.bottom, mass_y, mass));
  std::array<float, detail::sheet_side> line{};
  for (std::size_t y = 0; y < mnist_side; ++y) {
    const std::uint8_t* const values = sheet.row(rows.targets[y].first);
    const float* const weights = rows.weights.data() + rows.targets[y].weights;
    const std::size_t count = rows.targets[y].count;
    float* const sums = line.data();
    detail::for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t x = 0; x < detail::sheet_side; ++x) sums[x] = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint8_t* const source = values + i * detail::sheet_side;
        for (std::size_t x = 0; x < detail::sheet_side; ++x) sums[x] += weights[i] * static_cast<float>(source[x]);
      }
    });
    for (std::size_t x = 0; x < mnist_side; ++x) {
      const detail::Taps& taps = columns.targets[x];
      float sum = 0;
      for (std::size_t i = 0; i < taps.count; ++i) sum += columns.weights[taps.weights + i] * line[taps.first + i];
      image[y * mnist_side + x] = static_cast<std::uint8_t>(detail::rounded(std::clamp(sum, 0.0F, 255.0F)));
    }
  }
  return image;
}

/// Whether a square of more than half of the drawing is full of ink.
bool is_painted_over(const Plane& sheet) {
  constexpr std::size_t side = detail::full_square_of(detail::sheet_box);
  // Wherever such a square is, it covers the middle of the box, and is crossed there by full lines; mostly this tells.
  constexpr std::size_t middle = detail::sheet_margin + detail::sheet_box / 2;
  const auto full_line = [&](std::size_t step) {
    const std::uint8_t* const at = &sheet.values[middle * sheet.width + middle];
    std::size_t before = 0;
    std::size_t behind = 0;
    while (before < middle && at[-static_cast<std::ptrdiff_t>(before * step)] >= detail::half_full) ++before;
    while (behind < middle && at[behind * step] >= detail::half_full) ++behind;
    return before + behind > side;  // the middle is in both
  };
  return full_line(1) && full_line(sheet.width) && detail::has_full_square(view(sheet), side);
}

/// Whether an image is laid out as all of MNIST is: ink of 20 pixels in the middle.
bool is_laid_out(const MnistImage& image) {
  std::size_t left = mnist_side, right = 0, top = mnist_side, bottom = 0;
  double mass = 0, mass_x = 0, mass_y = 0;
  for (std::size_t y = 0; y < mnist_side; ++y) {
    for (std::size_t x = 0; x < mnist_side; ++x) {
      const double value = image[y * mnist_side + x];
      if (value <= 0) continue;
      left = std::min(left, x), right = std::max(right, x + 1);
      top = std::min(top, y), bottom = std::max(bottom, y + 1);
      mass += value;
      mass_x += value * (static_cast<double>(x) + 0.5);
      mass_y += value * (static_cast<double>(y) + 0.5);
    }
  }
  const auto centred = [mass](double moment) { return std::abs(moment - 14.5 * mass) <= 0.5 * mass; };
  return mass > 0 && std::max(right - left, bottom - top) == mnist_box && centred(mass_x) && centred(mass_y);
}

/// A grey picture that is an image as MNIST's are, or one with black for white.
bool is_mnist_image(const Picture& picture, MnistImage& image) {
  if (picture.width != mnist_side || picture.height != mnist_side) return false;
  const std::size_t channels = picture.channels;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const std::uint8_t* pixel = &picture.pixels[i * channels];
    if (channels > 2 && (pixel[1] != pixel[0] || pixel[2] != pixel[0])) return false;
    if (channels % 2 == 0 && pixel[channels - 1] != 255) return false;
    image[i] = pixel[0];
  }
  if (image[0] == 255) {
    for (std::uint8_t& value : image) value = static_cast<std::uint8_t>(255 - value);
  }
  return is_laid_out(image);
}

}  // namespace

bool detail::has_full_square(const PlaneView& ink, std::size_t side) {
  std::vector<std::size_t> above(ink.width);  // largest full squares that end at the row above, by column
  for (std::size_t y = 0; y < ink.height; ++y) {
    std::size_t left = 0;
    std::size_t diagonal = 0;
    for (std::size_t x = 0; x < ink.width; ++x) {
      const std::size_t largest = ink.row(y)[x] < half_full ? 0 : 1 + std::min({above[x], left, diagonal});
      if (largest >= side) return true;
      diagonal = above[x];
      above[x] = left = largest;
    }
  }
  return false;
}

MnistImage to_mnist_image(const Matrix<float>& ink) {
  const std::size_t height = ink.shape(0);
  const std::size_t width = ink.shape(1);
  std::size_t top = height, bottom = 0, left = width, right = 0;  // of the ink, the ends exclusive
  double mass = 0, mass_x = 0, mass_y = 0;
  for (std::size_t y = 0; y < height; ++y) {
    const std::span<const float> line = row(ink, y);
    for (std::size_t x = 0; x < width; ++x) {
      if (!(line[x] >= 0 && line[x] <= 1)) {
        throw ArgumentError(
            text("to_mnist_image: ink ", line[x], " at row ", y, ", column ", x, ", expected 0 to 1"));
      }
      if (line[x] == 0) continue;
      top = std::min(top, y);
      bottom = std::max(bottom, y + 1);
      left = std::min(left, x);
      right = std::max(right, x + 1);
      mass += line[x];
      mass_x += line[x] * (static_cast<double>(x) + 0.5);
      mass_y += line[x] * (static_cast<double>(y) + 0.5);
    }
  }
  MnistImage image{};
  if (mass <= 0) return image;
  const double scale = static_cast<double>(mnist_box) / static_cast<double>(std::max(bottom - top, right - left));
  const Scaling columns = scaling(width, scale, offset_for(left, right, scale, mass_x / mass));
  const Scaling rows = scaling(height, scale, offset_for(top, bottom, scale, mass_y / mass));
  for (std::size_t y = 0; y < mnist_side; ++y) {
    for (std::size_t x = 0; x < mnist_side; ++x) {
      const detail::Taps& down = rows.targets[y];
      const detail::Taps& across = columns.targets[x];
      float sum = 0;
      for (std::size_t i = 0; i < down.count; ++i) {
        const float* const line = row(ink, down.first + i).data() + across.first;
        const float weight = rows.weights[down.weights + i];
        for (std::size_t k = 0; k < across.count; ++k) sum += weight * columns.weights[across.weights + k] * line[k];
      }
      image[y * mnist_side + x] = static_cast<std::uint8_t>(std::lround(std::clamp(sum, 0.0F, 1.0F) * 255));
    }
  }
  return image;
}

detail::PictureImage detail::picture_image(const char* where, const Picture& picture) {
  detail::require_whole(where, picture);
  PictureImage result;
  if (is_mnist_image(picture, result.image)) {
    result.ink_side = mnist_box;
    return result;
  }
  result.image = {};
  const detail::InkFinder finder(picture);
  if (!finder.has_ink()) return result;
  Plane sheet = finder.sheet(finder.box());
  result.ink_side = finder.box().longer_side();
  result.is_painted_over = is_painted_over(sheet);
  normalise_strokes(sheet);
  result.image = placed(sheet);
  return result;
}

MnistImage to_mnist_image(const Picture& picture) { return detail::picture_image("to_mnist_image", picture).image; }

std::vector<PictureSegment> segment_digits(const Picture& picture) {
  detail::require_whole("segment_digits", picture);
  // Judged more closely than one digit is: each of them is only a part of the picture.
  const std::vector<std::pair<Box, Plane>> pieces = detail::InkFinder(picture, 512).pieces();
  std::vector<PictureSegment> segments;
  for (const auto& [box, ink] : pieces) {
    PictureSegment segment{box.left, box.top, box.width(), box.height(), {}};
    if (pieces.size() == 1) {
      segment.picture = picture;
    } else {
      const std::size_t margin = box.longer_side() / 4 + 2;
      segment.picture = {box.width() + 2 * margin, box.height() + 2 * margin, 1, {}};
      segment.picture.pixels.assign(segment.picture.width * segment.picture.height, 0);
      for (std::size_t y = 0; y < ink.height; ++y) {
        std::copy_n(ink.row(y), ink.width, &segment.picture.pixels[(y + margin) * segment.picture.width + margin]);
      }
    }
    segments.push_back(std::move(segment));
  }
  return segments;
}

}  // namespace digitnet
