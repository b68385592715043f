// Compiled without contraction (-ffp-contract=off), so that equal seeds give equal bytes on every processor.
#include <digitnet/augment.hpp>

#include "dispatch.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace digitnet {
namespace {

using detail::text;

constexpr double pi = 3.14159265358979323846;

/// Numbers that are computed together: whole vectors on every processor. Rows are padded to a multiple.
constexpr std::size_t lanes = 16;
constexpr std::size_t padded(std::size_t count) { return (count + lanes - 1) / lanes * lanes; }

/// exp, sine and cosine from basic arithmetic alone: those of the C libraries differ.
double portable_exp(double x) {
  constexpr int halvings = 16;  // exp(x) = exp(x / 2^16)^(2^16)
  double part = x / (1 << halvings);
  double value = 1 + part * (1 + part / 2 * (1 + part / 3 * (1 + part / 4)));
  for (int i = 0; i < halvings; ++i) value *= value;
  return value;
}

/// cos x and sin x for x in [-pi, pi], by their Taylor series.
std::pair<double, double> portable_cos_sin(double x) {
  double cosine = 0;
  double sine = 0;
  double term = 1;
  for (int k = 0; k < 32; k += 2) {  // pi^32 / 32! is below 1e-18
    cosine += k % 4 == 0 ? term : -term;
    term *= x / (k + 1);
    sine += k % 4 == 0 ? term : -term;
    term *= x / (k + 2);
  }
  return {cosine, sine};
}

/// A linear map of the plane: (x, y) to (xx x + xy y, yx x + yy y). y goes down.
struct Linear {
  double xx = 1, xy = 0, yx = 0, yy = 1;

  friend Linear operator*(const Linear& a, const Linear& b) {
    return {a.xx * b.xx + a.xy * b.yx, a.xx * b.xy + a.xy * b.yy, a.yx * b.xx + a.yy * b.yx,
            a.yx * b.xy + a.yy * b.yy};
  }
  Linear inverse() const {
    const double determinant = xx * yy - xy * yx;
    return {yy / determinant, -xy / determinant, -yx / determinant, xx / determinant};
  }
};

Linear rotation(double degrees) {
  const auto [cosine, sine] = portable_cos_sin(degrees * (pi / 180));
  return {cosine, sine, -sine, cosine};  // anticlockwise, since y goes down
}
Linear shear(double slant) { return {1, -slant, 0, 1}; }
Linear scaling(double across, double down) { return {across, 0, 0, down}; }

/// Everything that happens to one image before it is erased or gets noise.
struct Change {
  double thickness = 0;
  Linear linear{};
  double right = 0;
  double down = 0;
  bool elastic = false;
};

/// Between 1 / (1 + range) and 1 + range, each as likely as its reciprocal.
double draw_factor(double range, Rng& rng) {
  const double drawn = rng.uniform(-range, range);
  return drawn >= 0 ? 1 + drawn : 1 / (1 - drawn);
}

double draw_either_way(double range, Rng& rng) { return range > 0 ? rng.uniform(-range, range) : 0; }

void require(std::string_view where, const char* name, double value, double low, double high) {
  if (value >= low && value <= high) return;  // NaN is not
  throw ArgumentError(text(where, ": ", name, " is ", value, ", expected ", low, " to ", high));
}

}  // namespace

bool Augmentation::is_none() const {
  const auto any = {thickness, rotation, scale, aspect, shear, shift, elastic, erase * erase_radius, noise, specks};
  return probability == 0 || std::all_of(any.begin(), any.end(), [](double amount) { return amount == 0; });
}

Augmentation augmentation_from_name(std::string_view name) {
  const auto found = std::find(augmentation_names.begin(), augmentation_names.end(), name);
  Augmentation options;
  switch (found - augmentation_names.begin()) {
    case 0:
      options.thickness = options.rotation = options.scale = options.aspect = options.shear = 0;
      options.shift = options.elastic = options.ground = 0;
      return options;
    case 1:
      for (double* amount : {&options.thickness, &options.rotation, &options.scale, &options.aspect, &options.shear,
                             &options.shift, &options.elastic}) {
        *amount /= 2;
      }
      return options;
    case 2: return options;
    case 3:
      options.thickness = 0.3;
      options.rotation = 10;
      options.scale = 0.12;
      options.aspect = 0.1;
      options.shear = 0.15;
      options.shift = 1;
      options.elastic = 34;
      return options;
    default: break;
  }
  throw ArgumentError(
      text("Augmentation: name \"", detail::shortened(name), "\", expected one of none, light, standard, strong"));
}

void check_augmentation(const Augmentation& options, std::string_view where) {
  require(where, "probability", options.probability, 0, 1);
  require(where, "thickness", options.thickness, 0, 3);
  require(where, "rotation", options.rotation, 0, 180);
  require(where, "scale", options.scale, 0, 1);
  require(where, "aspect", options.aspect, 0, 1);
  require(where, "shear", options.shear, 0, 1);
  require(where, "shift", options.shift, 0, 1000);
  require(where, "elastic", options.elastic, 0, 1000);
  require(where, "elastic_sigma", options.elastic_sigma, 1, 100);
  require(where, "erase", options.erase, 0, 1);
  require(where, "erase_radius", options.erase_radius, 0, 1000);
  require(where, "noise", options.noise, 0, 1);
  require(where, "specks", options.specks, 0, 1000);
  require(where, "ground", options.ground, 0, 255);
}

namespace detail {

/// The image lies in a frame of zeros, one pixel at its left and top, at least two at its right and bottom. The four
/// pixels around each place lie in one word, so that a place is read at once.
///
/// The elastic field is the sum of Gaussians around the points of a grid, sigma apart, each with a random height: what
/// is left of smoothed noise if only every sigma-th of its values is drawn. Smoothed noise has no detail that such a
/// grid would miss: mean, deviation and correlation are those of the plain form within a hundredth.
class ImageChanger {
 public:
  ImageChanger(const Augmentation& chosen, std::size_t image_rows, std::size_t image_columns)
      : options(chosen),
        rows(image_rows),
        columns(image_columns),
        width(padded(columns + 3)),
        stride(padded(columns)),
        ground(static_cast<int>(std::ceil(chosen.ground))),
        frame((rows + 4) * width),
        grown(frame.size()),
        quads((rows + 2) * width),
        places(rows * stride),
        shares(places.size()),
        words(places.size()),
        mixed(places.size()) {
    if (options.elastic == 0) return;
    // Of a sum of Gaussians, sigma apart along both axes, with heights of variance 1/3, the deviation is
    // sqrt(1/3) sqrt(pi); wanted is alpha / (2 sigma sqrt(3 pi)).
    const double height = options.elastic / (2 * pi * options.elastic_sigma);
    grid_rows = first_point(rows - 1) + row_points;
    for (std::size_t y = 0; y < rows; ++y) {
      first_rows.push_back(first_point(y));
      for (std::size_t j = 0; j < row_points; ++j) {
        row_bells.push_back(static_cast<float>(height * bell(y, first_rows[y] + j)));
      }
    }
    block_points = row_points + static_cast<std::size_t>((lanes - 1) / options.elastic_sigma + 1);
    grid_columns = first_point(stride - lanes) + block_points;
    for (std::size_t block = 0; block < stride; block += lanes) {
      first_columns.push_back(first_point(block));
      for (std::size_t i = 0; i < block_points; ++i) {
        for (std::size_t x = block; x < block + lanes; ++x) {
          column_bells.push_back(static_cast<float>(bell(x, first_columns.back() + i)));
        }
      }
    }
    heights.resize(2 * grid_rows * grid_columns);
    half_field.resize(2 * grid_rows * stride);
  }

  /// @param keeps_strength  whether the strongest ink becomes as strong as it was, and what is below `ground` 0
  void apply(const Change& change, std::span<const std::uint8_t> image, std::span<std::uint8_t> result,
             bool keeps_strength) {
    for (std::size_t y = 0; y < rows; ++y) {
      std::memcpy(frame.data() + (y + 1) * width + 1, image.data() + y * columns, columns);
    }
    const int strongest = keeps_strength ? strongest_of(frame) : 0;
    thicken(change.thickness);
    arrange_quads();
    if (change.elastic) smooth_across();
    find_places(change);
    read_places();
    mix();
    if (keeps_strength) restore_strength(strongest);
    for (std::size_t y = 0; y < rows; ++y)
      std::memcpy(result.data() + y * columns, mixed.data() + y * stride, columns);
  }

  void augment(std::span<const std::uint8_t> image, std::span<std::uint8_t> result, Rng& rng) {
    if (options.probability < 1 && rng.uniform() >= options.probability) {
      if (image.data() != result.data()) std::copy(image.begin(), image.end(), result.begin());
      return;
    }
    Change change;
    change.thickness = draw_either_way(options.thickness, rng);
    if (options.rotation > 0) change.linear = rotation(rng.uniform(-options.rotation, options.rotation));
    if (options.scale > 0 || options.aspect > 0) {
      const double size = draw_factor(options.scale, rng);
      const double aspect = std::sqrt(draw_factor(options.aspect, rng));
      change.linear = change.linear * scaling(size * aspect, size / aspect);
    }
    if (options.shear > 0) change.linear = change.linear * shear(rng.uniform(-options.shear, options.shear));
    change.right = draw_either_way(options.shift, rng);
    change.down = draw_either_way(options.shift, rng);
    change.elastic = options.elastic > 0;
    if (change.elastic) draw_heights(rng);
    apply(change, image, result, true);
    if (options.erase > 0 && rng.uniform() < options.erase) erase_disc(result, rng);
    if (options.noise > 0) add_noise(result, rng);
    if (options.specks > 0) add_specks(result, rng);
  }

  const Augmentation options;
  const std::size_t rows;
  const std::size_t columns;

 private:
  // The elastic field. Point k of the grid lies at (k - 3) sigma; a pixel hears of those within 3 sigma.
  static constexpr double reach = 3;
  static constexpr std::size_t row_points = 7;

  std::size_t first_point(std::size_t pixel) const {
    return static_cast<std::size_t>(std::ceil(static_cast<double>(pixel) / options.elastic_sigma));
  }

  double bell(std::size_t pixel, std::size_t point) const {
    const double distance = static_cast<double>(pixel) / options.elastic_sigma - (static_cast<double>(point) - reach);
    return portable_exp(-0.5 * distance * distance);
  }

  static int strongest_of(const std::vector<std::uint8_t>& bytes) {
    int strongest = 0;
    for_processor([=, from = bytes.data(), count = bytes.size(), to = &strongest]<std::size_t>()
                      DIGITNET_INLINE_LAMBDA {
                        std::uint8_t most = 0;
                        for (std::size_t i = 0; i < count; ++i) most = std::max(most, from[i]);
                        *to = most;
                      });
    return strongest;
  }

  /// One step of grey dilation, or of erosion, by a cross of five pixels, and `share` of 256 of it taken.
  void grow(bool larger, int share) {
    const std::uint8_t* const from = frame.data() + width;
    const std::uint8_t* const before = from - 1;
    const std::uint8_t* const above = frame.data();
    std::uint8_t* const to = grown.data() + width;
    for_processor([=, count = rows * width, across = width, own = static_cast<std::uint16_t>(256 - share),
                   others = static_cast<std::uint16_t>(share)]<std::size_t>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t i = 0; i < count; ++i) {  // the frame, too
        const std::uint8_t pixel = from[i];
        const std::uint8_t left = before[i], right = from[i + 1], up = above[i], down = from[i + across];
        const std::uint8_t most = std::max(std::max(std::max(left, right), std::max(up, down)), pixel);
        const std::uint8_t least = std::min(std::min(std::min(left, right), std::min(up, down)), pixel);
        const std::uint8_t other = larger ? most : least;
        to[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(pixel * own + other * others + 128) >> 8);
      }
    });
    for (std::size_t y = 0; y < rows; ++y) {  // it stays zero
      to[y * width] = 0;
      to[y * width + columns + 1] = 0;
    }
    frame.swap(grown);
  }

  void thicken(double pixels) {
    auto left = static_cast<int>(std::lround(std::abs(pixels) * 256));
    for (; left > 0; left -= 256) grow(pixels > 0, std::min(left, 256));
  }

  void arrange_quads() {
    const std::uint8_t* const from = frame.data();
    std::uint32_t* const to = quads.data();
    for_processor([=, count = quads.size(), across = width]<std::size_t>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t i = 0; i < count; ++i) {
        to[i] = static_cast<std::uint32_t>(from[i]) | static_cast<std::uint32_t>(from[i + 1]) << 8 |
                static_cast<std::uint32_t>(from[i + across]) << 16 |
                static_cast<std::uint32_t>(from[i + across + 1]) << 24;
      }
    });
  }

  /// Four heights uniform in [-1, 1) from each number drawn.
  void draw_heights(Rng& rng) {
    for (std::size_t i = 0; i < heights.size(); i += 4) {
      const std::uint64_t bits = rng.next();
      for (std::size_t k = 0; k < 4 && i + k < heights.size(); ++k) {
        const auto sixteen = static_cast<std::int32_t>((bits >> (16 * k)) & 0xffff);
        heights[i + k] = static_cast<float>(sixteen - 32768) * 0x1p-15F;
      }
    }
  }

  /// `lanes` numbers: the sum over k of factors[k] * row k.
  template <std::size_t Bytes>
  DIGITNET_INLINE static void combine(float* to, const float* factors, const float* from, std::size_t across,
                                      std::size_t count) {
    using Vector [[gnu::vector_size(Bytes)]] = float;
    constexpr std::size_t vectors = lanes * sizeof(float) / Bytes;
    Vector sums[vectors] = {};
    for (std::size_t k = 0; k < count; ++k) {
      for (std::size_t v = 0; v < vectors; ++v) {
        Vector part;
        std::memcpy(&part, from + k * across + v * (Bytes / sizeof(float)), Bytes);
        sums[v] += factors[k] * part;
      }
    }
    std::memcpy(to, sums, sizeof sums);
  }

  /// From the heights to what each row of the grid gives to each column of pixels.
  void smooth_across() {
    for_processor([from = heights.data(), bells = column_bells.data(), firsts = first_columns.data(),
                   to = half_field.data(), points = grid_columns, block = block_points, across = stride,
                   count = 2 * grid_rows]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t j = 0; j < count; ++j) {
        for (std::size_t x = 0; x < across; x += lanes) {
          combine<Bytes>(to + j * across + x, from + j * points + firsts[x / lanes], bells + x * block, lanes, block);
        }
      }
    });
  }

  /// Where in the frame each pixel of the result is read: the pixel at the upper left, and how far from it.
  void find_places(const Change& change) {
    // The pixel (x, y) of the result is at inverse (x - middle - shift) + middle + displacement in the image, and one
    // more along both axes in the frame.
    const Linear back = change.linear.inverse();
    const double middle_x = (static_cast<double>(columns) - 1) / 2;
    const double middle_y = (static_cast<double>(rows) - 1) / 2;
    const double from_x = -middle_x - change.right;
    const double from_y = -middle_y - change.down;
    for_processor(
        [first_x = back.xx * from_x + back.xy * from_y + middle_x + 1,
         first_y = back.yx * from_x + back.yy * from_y + middle_y + 1, back, most_x = static_cast<float>(columns + 1),
         most_y = static_cast<float>(rows + 1), elastic = change.elastic, across = half_field.data(),
         down = half_field.data() + grid_rows * stride, bells = row_bells.data(), firsts = first_rows.data(),
         count = rows, row_stride = stride, frame_width = static_cast<std::uint32_t>(width),
         to_places = places.data(), to_shares = shares.data()]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
          constexpr float half = 0.5F;  // rounds
          const auto step_x = static_cast<float>(back.xx);
          const auto step_y = static_cast<float>(back.yx);
          for (std::size_t y = 0; y < count; ++y) {
            const auto row_x = static_cast<float>(first_x + back.xy * static_cast<double>(y));
            const auto row_y = static_cast<float>(first_y + back.yy * static_cast<double>(y));
            for (std::size_t x = 0; x < row_stride; x += lanes) {
              alignas(64) float dx[lanes] = {};
              alignas(64) float dy[lanes] = {};
              if (elastic) {
                const std::size_t first = firsts[y] * row_stride + x;
                combine<Bytes>(dx, bells + y * row_points, across + first, row_stride, row_points);
                combine<Bytes>(dy, bells + y * row_points, down + first, row_stride, row_points);
              }
              for (std::size_t k = 0; k < lanes; ++k) {
                const auto column = static_cast<float>(static_cast<std::int32_t>(x + k));
                float at_x = row_x + step_x * column + dx[k];
                float at_y = row_y + step_y * column + dy[k];
                at_x = at_x > 0 ? at_x : 0.0F;
                at_y = at_y > 0 ? at_y : 0.0F;
                at_x = at_x < most_x ? at_x : most_x;
                at_y = at_y < most_y ? at_y : most_y;
                const auto fine_x = static_cast<std::uint32_t>(static_cast<std::int32_t>(at_x * 256 + half));
                const auto fine_y = static_cast<std::uint32_t>(static_cast<std::int32_t>(at_y * 256 + half));
                to_places[y * row_stride + x + k] = (fine_y >> 8) * frame_width + (fine_x >> 8);
                to_shares[y * row_stride + x + k] = (fine_y & 255) << 8 | (fine_x & 255);
              }
            }
          }
        });
  }

  void read_places() {
    const std::uint32_t* const from = quads.data();
    const std::uint32_t* const at = places.data();
    std::uint32_t* const to = words.data();
    for (std::size_t i = 0; i < places.size(); ++i) to[i] = from[at[i]];
  }

  /// Each place's value from the four pixels around it: linear interpolation.
  void mix() {
    for_processor([from = words.data(), parts = shares.data(), to = mixed.data(),
                   count = words.size()]<std::size_t>() DIGITNET_INLINE_LAMBDA {
      constexpr std::uint32_t halves = 0x00ff00ff;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t left = from[i] & halves;  // upper pixel in the lower half, lower pixel in the upper half
        const std::uint32_t right = (from[i] >> 8) & halves;
        const std::uint32_t both = (left << 8) + (right - left) * (parts[i] & 255);  // no half exceeds 255 * 256
        const std::uint32_t upper = both & 0xffff;
        const std::uint32_t lower = both >> 16;
        to[i] = static_cast<std::uint8_t>(((upper << 8) + (lower - upper) * (parts[i] >> 8) + 32768) >> 16);
      }
    });
  }

  /// Interpolation and thinner strokes have made ink fainter: the strongest gets its strength back, and the others as
  /// much more. What is below `ground` then becomes 0.
  void restore_strength(int strongest) {
    const int left = std::max(strongest_of(mixed), 1);
    const int most_factor = 2 * 256;  // where next to nothing is left, it stays faint
    const auto factor = static_cast<std::uint32_t>(std::clamp(strongest * 256 / left, 256, most_factor));
    for_processor([=, to = mixed.data(), count = mixed.size(),
                   least = static_cast<std::uint32_t>(ground)]<std::size_t>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t value = std::min((to[i] * factor + 128) >> 8, std::uint32_t{255});
        to[i] = static_cast<std::uint8_t>(value < least ? 0 : value);
      }
    });
  }

  void erase_disc(std::span<std::uint8_t> image, Rng& rng) const {
    const double radius = rng.uniform() * options.erase_radius;
    const auto most = static_cast<std::uint64_t>(image.size());
    std::size_t middle = 0;
    for (int tries = 0; tries < 64; ++tries) {  // around ink, if there is enough to be found
      middle = rng.below(most);
      if (image[middle] != 0) break;
    }
    const auto middle_x = static_cast<double>(middle % columns);
    const auto middle_y = static_cast<double>(std::size_t{middle / columns});
    for (std::size_t y = 0; y < rows; ++y) {
      const double from_y = static_cast<double>(y) - middle_y;
      if (from_y > radius || -from_y > radius) continue;
      for (std::size_t x = 0; x < columns; ++x) {
        const double from_x = static_cast<double>(x) - middle_x;
        if (from_x * from_x + from_y * from_y <= radius * radius) image[y * columns + x] = 0;
      }
    }
  }

  void add_noise(std::span<std::uint8_t> image, Rng& rng) const {
    const auto most = static_cast<std::int32_t>(std::lround(options.noise * 255));
    std::uint64_t bits = 0;
    int left = 0;
    for (std::uint8_t& pixel : image) {
      if (pixel == 0) continue;
      if (left == 0) {
        bits = rng.next();
        left = 4;
      }
      const auto drawn = static_cast<std::int32_t>(bits & 0xffff) - 32768;
      bits >>= 16;
      --left;
      const std::int32_t noisy = pixel + ((drawn * most) >> 15);
      pixel = static_cast<std::uint8_t>(std::clamp<std::int32_t>(noisy, std::max(ground, 1), 255));
    }
  }

  void add_specks(std::span<std::uint8_t> image, Rng& rng) const {
    const auto count = static_cast<std::size_t>(rng.uniform() * (options.specks + 1));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t place = rng.below(image.size());
      const auto strength = static_cast<std::uint8_t>(1 + rng.below(255));
      image[place] = std::max(image[place], strength);
    }
  }

  const std::size_t width;   // of a row of the frame
  const std::size_t stride;  // of a row of the result, padded
  const int ground;

  std::vector<std::uint8_t> frame;    // (rows + 3, width), and a row of room behind
  std::vector<std::uint8_t> grown;    // likewise, while strokes change
  std::vector<std::uint32_t> quads;   // (rows + 2, width)
  std::vector<std::uint32_t> places;  // (rows, stride): in quads
  std::vector<std::uint32_t> shares;  // likewise: of 256, across in the lower byte, down in the next
  std::vector<std::uint32_t> words;   // likewise: what is there
  std::vector<std::uint8_t> mixed;    // likewise: the result

  std::size_t grid_rows = 0;
  std::size_t grid_columns = 0;
  std::size_t block_points = 0;            // columns of the grid that a block of `lanes` pixels hears of
  std::vector<std::size_t> first_rows;     // (rows): of the grid, that a row of pixels hears of
  std::vector<float> row_bells;            // (rows, row_points): how much
  std::vector<std::size_t> first_columns;  // (stride / lanes)
  std::vector<float> column_bells;         // (stride / lanes, block_points, lanes)
  std::vector<float> heights;              // (2, grid_rows, grid_columns)
  std::vector<float> half_field;           // (2, grid_rows, stride)
};

}  // namespace detail

using detail::ImageChanger;

Augmenter::Augmenter(const Augmentation& options, std::size_t rows, std::size_t columns) {
  check_augmentation(options);
  if (std::min(rows, columns) < least_side || std::max(rows, columns) > most_side) {
    throw ShapeError(text("Augmenter: images of ", rows, " x ", columns, " pixels, expected sides of ", least_side,
                          " to ", most_side, rows == 1 ? "; are they given as rows of numbers?" : ""));
  }
  changer_ = std::make_unique<ImageChanger>(options, rows, columns);
}

Augmenter::~Augmenter() = default;
Augmenter::Augmenter(Augmenter&& other) noexcept = default;
Augmenter& Augmenter::operator=(Augmenter&& other) noexcept = default;

void Augmenter::augment(std::span<const std::uint8_t> image, std::span<std::uint8_t> result, Rng& rng) {
  const std::size_t size = changer_->rows * changer_->columns;
  if (image.size() != size || result.size() != size) {
    throw ShapeError(text("Augmenter::augment: ", image.size(), " bytes into ", result.size(), ", expected ", size,
                          " (", changer_->rows, " x ", changer_->columns, ")"));
  }
  changer_->augment(image, result, rng);
}

MnistImage augmented(const MnistImage& image, const Augmentation& options, Rng& rng) {
  MnistImage result;
  Augmenter(options, mnist_side, mnist_side).augment(image, result, rng);
  return result;
}

namespace {

MnistImage changed(const MnistImage& image, const Change& change) {
  MnistImage result;
  ImageChanger(augmentation_from_name("none"), mnist_side, mnist_side).apply(change, image, result, false);
  return result;
}

void require_finite(const char* where, double value) {
  if (!std::isfinite(value)) throw ArgumentError(text(where, ": ", value, ", expected a finite number"));
}

}  // namespace

MnistImage shifted(const MnistImage& image, double right, double down) {
  require_finite("shifted", right);
  require_finite("shifted", down);
  return changed(image, {.right = right, .down = down});
}

MnistImage rotated(const MnistImage& image, double degrees) {
  require_finite("rotated", degrees);
  return changed(image, {.linear = rotation(std::remainder(degrees, 360.0))});
}

MnistImage scaled(const MnistImage& image, double across, double down) {
  for (const double factor : {across, down}) {
    if (std::isfinite(factor) && factor > 0) continue;
    throw ArgumentError(text("scaled: a factor is ", factor, ", expected a number above 0"));
  }
  return changed(image, {.linear = scaling(across, down)});
}

MnistImage sheared(const MnistImage& image, double slant) {
  require_finite("sheared", slant);
  return changed(image, {.linear = shear(slant)});
}

MnistImage thickened(const MnistImage& image, double pixels) {
  require("thickened", "pixels", pixels, -3, 3);
  return changed(image, {.thickness = pixels});
}

Dataset augment(const Dataset& data, const Augmentation& options, const Rng& rng, std::size_t copies,
                std::size_t threads) {
  if (!data.has_bytes()) {
    throw ArgumentError("augment: the samples are numbers, expected images of bytes");
  }
  if (copies == 0) throw ArgumentError("augment: copies is 0, expected at least 1");
  check_augmentation(options, "augment");
  if (data.empty()) return data;
  ThreadTeam team(threads);
  std::vector<Augmenter> augmenters;
  for (std::size_t worker = 0; worker < team.size(); ++worker) {
    augmenters.emplace_back(options, data.rows(), data.columns());
  }
  const std::size_t count = data.size() * copies;
  Images images = Images::from_shape({count, data.rows(), data.columns()});
  Labels labels = Labels::from_shape({count});
  Matrix<float> targets = Matrix<float>::from_shape({data.has_targets() ? count : 0, data.classes()});
  constexpr std::size_t piece_samples = 256;
  team.run((count + piece_samples - 1) / piece_samples, [&](std::size_t piece, std::size_t worker) {
    for (std::size_t i = piece * piece_samples; i < std::min(count, (piece + 1) * piece_samples); ++i) {
      const std::size_t sample = i % data.size();
      Rng own = rng.fork(i / data.size()).fork(sample);
      augmenters[worker].augment(data.pixels(sample), {images.data() + i * data.inputs(), data.inputs()}, own);
      labels(i) = data.label(sample);
      if (data.has_targets()) std::ranges::copy(data.target(sample), row(targets, i).begin());
    }
  });
  const Dataset changed(std::move(images), std::move(labels), data.classes());
  return data.has_targets() ? changed.with_targets(std::move(targets)) : changed;
}

}  // namespace digitnet
