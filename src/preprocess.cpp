#include <digitnet/preprocess.hpp>

#include "dispatch.hpp"
#include "ink.hpp"
#include "picture_image.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

namespace digitnet {
namespace {

using detail::text;

/// How much each pixel of a row of `count` pixels counts in each of mnist_side target pixels.
///
/// Target pixel t covers the source from (t - offset) / scale on, for 1 / scale pixels. Made smaller,
/// it is their mean; made larger, the line between the two nearest.
std::vector<std::vector<std::pair<std::size_t, float>>> resampling(std::size_t count, double scale, double offset) {
  std::vector<std::vector<std::pair<std::size_t, float>>> weights(mnist_side);
  for (std::size_t t = 0; t < mnist_side; ++t) {
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
      if (weight > 0) weights[t].emplace_back(static_cast<std::size_t>(s), static_cast<float>(weight));
    }
  }
  return weights;
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

/// The box of the ink of a sheet: of what is at least half full.
Box box_of(const Plane& sheet) {
  std::array<std::uint8_t, detail::sheet_side> columns{};
  std::array<std::uint8_t, detail::sheet_side> rows{};
  std::uint8_t* const most = columns.data();
  for (std::size_t y = 0; y < sheet.height; ++y) {
    const std::uint8_t* const line = sheet.row(y);
    std::uint8_t* const in_row = &rows[y];
    detail::for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      std::uint8_t largest = 0;
      for (std::size_t x = 0; x < detail::sheet_side; ++x) {
        most[x] = std::max(most[x], line[x]);
        largest = std::max(largest, line[x]);
      }
      *in_row = largest;
    });
  }
  Box box{0, 0, sheet.width, sheet.height};
  while (box.left < box.right && columns[box.left] < 128) ++box.left;
  while (box.right > box.left && columns[box.right - 1] < 128) --box.right;
  while (box.top < box.bottom && rows[box.top] < 128) ++box.top;
  while (box.bottom > box.top && rows[box.bottom - 1] < 128) --box.bottom;
  return box;
}

/// Mean width of the strokes on a sheet, in its pixels: twice the area of the ink over the length of its outline.
///
/// A stroke of length L and width w has an area of L w and an outline of 2 (L + w), so this is w / (1 + w / L). The
/// outline is the total variation of the ink, which soft edges do not change; of the two differences at each pixel
/// the sum is taken, which is 4 / pi too long over all directions.
double stroke_width(const Plane& sheet) {
  std::int32_t area = 0;  // at most 80 * 80 * 255 * 2
  std::int32_t variation = 0;
  for (std::size_t y = 0; y + 1 < sheet.height; ++y) {
    const std::uint8_t* const line = sheet.row(y);
    const std::uint8_t* const below = sheet.row(y + 1);
    std::int32_t* const sums[2]{&area, &variation};
    detail::for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      std::int32_t sum = 0;
      std::int32_t differences = 0;
      for (std::size_t x = 0; x + 1 < detail::sheet_side; ++x) {
        sum += line[x];
        differences += std::abs(line[x] - line[x + 1]) + std::abs(line[x] - below[x]);
      }
      *sums[0] += sum;
      *sums[1] += differences;
    });
  }
  if (variation == 0) return 0;
  return 2 * static_cast<double>(area) / (static_cast<double>(variation) * 0.78539816339744831);
}

/// The largest value within a disc around each pixel; a disc of any radius, since pixels at its edge count in part.
/// With `least`, the smallest value instead.
Plane spread_over_disc(const Plane& from, double radius, bool least) {
  Plane to(from.width, from.height);
  const auto reach = static_cast<std::ptrdiff_t>(std::ceil(radius));
  const auto width = static_cast<std::ptrdiff_t>(from.width);
  const auto height = static_cast<std::ptrdiff_t>(from.height);
  const std::uint8_t flip = least ? 255 : 0;
  const std::uint8_t outside = least ? 255 : 0;
  // With a margin of what is outside, so that the loops below need not ask.
  Plane source(from.width + 2 * static_cast<std::size_t>(reach), from.height + 2 * static_cast<std::size_t>(reach),
               outside);
  for (std::ptrdiff_t y = 0; y < height; ++y) {
    const std::uint8_t* line = from.row(static_cast<std::size_t>(y));
    std::uint8_t* target = source.row(static_cast<std::size_t>(y + reach)) + reach;
    for (std::ptrdiff_t x = 0; x < width; ++x) target[x] = static_cast<std::uint8_t>(line[x] ^ flip);
  }
  for (std::ptrdiff_t v = -reach; v <= reach; ++v) {
    for (std::ptrdiff_t u = -reach; u <= reach; ++u) {
      const double distance = std::sqrt(static_cast<double>(u * u + v * v));
      const auto weight = static_cast<std::uint16_t>(std::lround(256 * std::clamp(radius + 1 - distance, 0.0, 1.0)));
      if (weight == 0) continue;
      for (std::ptrdiff_t y = 0; y < height; ++y) {
        const std::uint8_t* const line = source.row(static_cast<std::size_t>(y + v + reach)) + u + reach;
        std::uint8_t* const target = to.row(static_cast<std::size_t>(y));
        detail::for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
          for (std::ptrdiff_t x = 0; x < width; ++x) {
            const auto value = static_cast<std::uint8_t>(line[x] * weight >> 8);
            target[x] = std::max(target[x], value);
          }
        });
      }
    }
  }
  if (least) {
    for (std::uint8_t& value : to.values) value = static_cast<std::uint8_t>(255 - value);
  }
  return to;
}

/// Strokes made thinner by `radius` on each side, but not broken: what is so thin that it would go stays, and so does
/// a bridge from there to what is left.
Plane thinner(const Plane& sheet, double radius) {
  Plane core = spread_over_disc(sheet, radius, true);
  const Plane opened = spread_over_disc(core, radius, false);
  Plane lost(sheet.width, sheet.height);
  for (std::size_t i = 0; i < lost.values.size(); ++i) {
    lost.values[i] = static_cast<std::uint8_t>(std::max(0, sheet.values[i] - opened.values[i]));
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
    std::uint64_t sum = 0, sum_x = 0;
    for (std::size_t x = 0; x < sheet.width; ++x) {
      sum += sheet.row(y)[x];
      sum_x += sheet.row(y)[x] * (2 * x + 1);
    }
    mass += sum;
    mass_x += sum_x;
    mass_y += sum * (2 * y + 1);
  }
  const double scale = static_cast<double>(mnist_box) / static_cast<double>(box.longer_side());
  const auto offset = [scale](std::size_t first, std::size_t last, std::uint64_t moment, std::uint64_t total) {
    const double center = static_cast<double>(moment) / static_cast<double>(2 * total);
    const double start = static_cast<double>(mnist_side) / 2 + 0.5 - (center - static_cast<double>(first)) * scale;
    const double latest = static_cast<double>(mnist_side) - static_cast<double>(last - first) * scale;
    return std::clamp(start, 0.0, latest) - static_cast<double>(first) * scale;
  };
  const auto columns = resampling(sheet.width, scale, offset(box.left, box.right, mass_x, mass));
  const auto rows = resampling(sheet.height, scale, offset(box.top, box.bottom, mass_y, mass));
  std::vector<float> line(sheet.width);
  for (std::size_t y = 0; y < mnist_side; ++y) {
    std::fill(line.begin(), line.end(), 0.0F);
    for (const auto& [source, weight] : rows[y]) {
      const std::uint8_t* values = sheet.row(source);
      for (std::size_t x = 0; x < line.size(); ++x) line[x] += weight * static_cast<float>(values[x]);
    }
    for (std::size_t x = 0; x < mnist_side; ++x) {
      float sum = 0;
      for (const auto& [source, weight] : columns[x]) sum += weight * line[source];
      image[y * mnist_side + x] = static_cast<std::uint8_t>(std::lround(std::clamp(sum, 0.0F, 255.0F)));
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
  const auto columns = resampling(width, scale, offset_for(left, right, scale, mass_x / mass));
  const auto rows = resampling(height, scale, offset_for(top, bottom, scale, mass_y / mass));
  for (std::size_t y = 0; y < mnist_side; ++y) {
    for (std::size_t x = 0; x < mnist_side; ++x) {
      float sum = 0;
      for (const auto& [source_y, weight_y] : rows[y]) {
        for (const auto& [source_x, weight_x] : columns[x]) sum += weight_y * weight_x * ink(source_y, source_x);
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
