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

/// Parts of a pixel that a place in the image is rounded to.
constexpr int subpixels = 256;

/// The elastic field reaches that many sigma beyond the edge.
constexpr double elastic_reach = 3;

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
      options.rotation = 15;
      options.scale = 0.2;
      options.aspect = 0.15;
      options.shear = 0.25;
      options.elastic = 38;
      options.thickness = 0.5;
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

/// The image lies in a frame of zeros, one pixel at its left and top, two at its right and bottom; the four pixels
/// around each place lie in one word, so that a place is read at once.
///
/// The elastic field is the sum of Gaussians around the points of a grid, sigma apart, each with a random height: what
/// is left of smoothed noise if only every sigma-th of its values is drawn. Smoothed noise has no detail that such a
/// grid would miss: mean, deviation and correlation are those of the plain form within a thousandth.
class ImageChanger {
 public:
  Augmentation options;
  std::size_t rows;
  std::size_t columns;
  std::size_t width;   // of a row of the frame
  std::size_t stride;  // of a row of the result, padded
  int ground;

  std::vector<std::uint8_t> frame;   // (rows + 3, width), and a row of room behind
  std::vector<std::uint8_t> grown;   // likewise, while strokes change
  std::vector<std::uint32_t> quads;  // (rows + 2, width)

  std::size_t grid_rows = 0;
  std::size_t grid_columns = 0;
  std::vector<float> row_bells;     // (rows, grid_rows): what each row of the grid gives to each row of pixels
  std::vector<float> column_bells;  // (grid_columns, stride)
  std::vector<float> heights;       // (2, grid_rows, grid_columns)
  std::vector<float> half_field;    // (2, grid_rows, stride)

  ImageChanger(const Augmentation& chosen, std::size_t image_rows, std::size_t image_columns)
      : options(chosen),
        rows(image_rows),
        columns(image_columns),
        width(padded(columns + 3)),
        stride(padded(columns)),
        ground(static_cast<int>(std::ceil(chosen.ground))),
        frame((rows + 4) * width),
        grown(frame.size()),
        quads((rows + 2) * width) {
    if (options.elastic == 0) return;
    // Of a sum of Gaussians, sigma apart along both axes, with heights of variance 1/3, the deviation is
    // sqrt(1/3) sqrt(pi); wanted is alpha / (2 sigma sqrt(3 pi)).
    const double height = options.elastic / (2 * pi * options.elastic_sigma);
    grid_rows = grid_size(rows);
    grid_columns = grid_size(columns);
    row_bells.resize(rows * grid_rows);
    column_bells.resize(grid_columns * stride);
    heights.resize(2 * grid_rows * grid_columns);
    half_field.resize(2 * grid_rows * stride);
    for (std::size_t y = 0; y < rows; ++y) {
      for (std::size_t j = 0; j < grid_rows; ++j)
        row_bells[y * grid_rows + j] = static_cast<float>(height * bell(y, j));
    }
    for (std::size_t i = 0; i < grid_columns; ++i) {
      for (std::size_t x = 0; x < columns; ++x) column_bells[i * stride + x] = static_cast<float>(bell(x, i));
    }
  }

  std::size_t grid_size(std::size_t side) const {
    return static_cast<std::size_t>(static_cast<double>(side - 1) / options.elastic_sigma + 2 * elastic_reach) + 2;
  }

  double bell(std::size_t pixel, std::size_t point) const {
    const double distance =
        static_cast<double>(pixel) / options.elastic_sigma - (static_cast<double>(point) - elastic_reach);
    return portable_exp(-0.5 * distance * distance);
  }

  void load(std::span<const std::uint8_t> image) {
    for (std::size_t y = 0; y < rows; ++y) {
      std::memcpy(frame.data() + (y + 1) * width + 1, image.data() + y * columns, columns);
    }
  }

  /// One step of grey dilation, or of erosion, by a cross of five pixels, and `share` of 256 of it taken.
  void grow(bool larger, int share) {
    const std::uint8_t* const from = frame.data();
    std::uint8_t* const to = grown.data();
    detail::for_processor([=, rows = rows, columns = columns, width = width]<std::size_t>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t y = 1; y <= rows; ++y) {
        const std::uint8_t* const row = from + y * width;
        std::uint8_t* const result = to + y * width;
        for (std::size_t x = 1; x <= columns; ++x) {
          const std::uint8_t a = row[x - 1], b = row[x], c = row[x + 1], d = row[x - width], e = row[x + width];
          const std::uint8_t most = std::max(std::max(std::max(a, c), std::max(d, e)), b);
          const std::uint8_t least = std::min(std::min(std::min(a, c), std::min(d, e)), b);
          const int other = larger ? most : least;
          result[x] = static_cast<std::uint8_t>((b * (256 - share) + other * share + 128) >> 8);
        }
      }
    });
    frame.swap(grown);
  }

  void thicken(double pixels) {
    int left = static_cast<int>(std::abs(pixels) * 256 + 0.5);
    for (; left > 0; left -= 256) grow(pixels > 0, std::min(left, 256));
  }

  void arrange_quads() {
    const std::uint8_t* const from = frame.data();
    std::uint32_t* const to = quads.data();
    detail::for_processor([=, count = quads.size(), width = width]<std::size_t>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t i = 0; i < count; ++i) {
        to[i] = static_cast<std::uint32_t>(from[i]) | static_cast<std::uint32_t>(from[i + 1]) << 8 |
                static_cast<std::uint32_t>(from[i + width]) << 16 |
                static_cast<std::uint32_t>(from[i + width + 1]) << 24;
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

  /// From the heights to what each row of the grid gives to each column of pixels.
  void smooth_across() {
    const float* const from = heights.data();
    const float* const bells = column_bells.data();
    float* const to = half_field.data();
    detail::for_processor([=, grid_columns = grid_columns, stride = stride,
                           count = 2 * grid_rows]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t j = 0; j < count; ++j) {
        for (std::size_t x = 0; x < stride; x += lanes) {
          combine<Bytes>(to + j * stride + x, from + j * grid_columns, bells + x, stride, grid_columns);
        }
      }
    });
  }

  /// `lanes` numbers: the sum over k of factors[k] * row k.
  template <std::size_t Bytes>
  DIGITNET_INLINE static void combine(float* to, const float* factors, const float* rows_from, std::size_t stride,
                                      std::size_t count) {
    using Vector [[gnu::vector_size(Bytes)]] = float;
    constexpr std::size_t vectors = lanes * sizeof(float) / Bytes;
    Vector sums[vectors] = {};
    for (std::size_t k = 0; k < count; ++k) {
      for (std::size_t v = 0; v < vectors; ++v) {
        Vector values;
        std::memcpy(&values, rows_from + k * stride + v * (Bytes / sizeof(float)), Bytes);
        sums[v] += factors[k] * values;
      }
    }
    std::memcpy(to, sums, sizeof sums);
  }

  /// Reads the image at the place of each pixel of the result.
  void warp(const Change& change, std::uint8_t* result) {
    // The pixel (x, y) of the result is at inverse (x - middle - shift) + middle + displacement in the image, and one
    // more along both axes in the frame.
    const Linear back = change.linear.inverse();
    const double middle_x = (static_cast<double>(columns) - 1) / 2;
    const double middle_y = (static_cast<double>(rows) - 1) / 2;
    const double from_x = -middle_x - change.right;
    const double from_y = -middle_y - change.down;
    const double first_x = back.xx * from_x + back.xy * from_y + middle_x + 1;
    const double first_y = back.yx * from_x + back.yy * from_y + middle_y + 1;
    const auto step_x = static_cast<float>(back.xx);
    const auto step_y = static_cast<float>(back.yx);
    const auto most_x = static_cast<float>(columns + 1);
    const auto most_y = static_cast<float>(rows + 1);
    const std::uint32_t* const words = quads.data();
    const float* const across = half_field.data();
    const float* const down = half_field.data() + grid_rows * stride;
    const float* const bells = row_bells.data();
    const auto frame_width = static_cast<std::int32_t>(width);
    detail::for_processor([=, back_xy = back.xy, back_yy = back.yy, rows = rows, columns = columns, stride = stride,
                           grid_rows = grid_rows, ground = ground,
                           elastic = change.elastic]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA {
      for (std::size_t y = 0; y < rows; ++y) {
        const auto row_x = static_cast<float>(first_x + back_xy * static_cast<double>(y));
        const auto row_y = static_cast<float>(first_y + back_yy * static_cast<double>(y));
        for (std::size_t x = 0; x < columns; x += lanes) {
          alignas(64) float dx[lanes] = {};
          alignas(64) float dy[lanes] = {};
          if (elastic) {
            combine<Bytes>(dx, bells + y * grid_rows, across + x, stride, grid_rows);
            combine<Bytes>(dy, bells + y * grid_rows, down + x, stride, grid_rows);
          }
          alignas(64) std::int32_t values[lanes];
          for (std::size_t k = 0; k < lanes; ++k) {
            const auto column = static_cast<float>(static_cast<std::int32_t>(x + k));
            float at_x = row_x + step_x * column + dx[k];
            float at_y = row_y + step_y * column + dy[k];
            at_x = at_x > 0 ? at_x : 0.0F;
            at_y = at_y > 0 ? at_y : 0.0F;
            at_x = at_x < most_x ? at_x : most_x;
            at_y = at_y < most_y ? at_y : most_y;
            const auto fine_x = static_cast<std::int32_t>(at_x * subpixels + 0.5F);
            const auto fine_y = static_cast<std::int32_t>(at_y * subpixels + 0.5F);
            const std::int32_t share_x = fine_x % subpixels;
            const std::int32_t share_y = fine_y % subpixels;
            const auto word = words[(fine_y / subpixels) * frame_width + fine_x / subpixels];
            const auto a = static_cast<std::int32_t>(word & 255);
            const auto b = static_cast<std::int32_t>((word >> 8) & 255);
            const auto c = static_cast<std::int32_t>((word >> 16) & 255);
            const auto d = static_cast<std::int32_t>(word >> 24);
            const std::int32_t above = a * subpixels + (b - a) * share_x;
            const std::int32_t below = c * subpixels + (d - c) * share_x;
            const std::int32_t value = (above * subpixels + (below - above) * share_y + 32768) >> 16;
            values[k] = value < ground ? 0 : value;
          }
          const std::size_t count = columns - x < lanes ? columns - x : lanes;
          std::uint8_t* const to = result + y * columns + x;
          for (std::size_t k = 0; k < count; ++k) to[k] = static_cast<std::uint8_t>(values[k]);
        }
      }
    });
  }

  void apply(const Change& change, std::span<const std::uint8_t> image, std::span<std::uint8_t> result) {
    load(image);
    thicken(change.thickness);
    arrange_quads();
    if (change.elastic) smooth_across();
    warp(change, result.data());
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
    const auto middle_y = static_cast<double>(middle / columns);
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
    const auto most = static_cast<std::int32_t>(options.noise * 255 + 0.5);
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
    apply(change, image, result);
    if (options.erase > 0 && rng.uniform() < options.erase) erase_disc(result, rng);
    if (options.noise > 0) add_noise(result, rng);
    if (options.specks > 0) add_specks(result, rng);
  }
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
  ImageChanger(augmentation_from_name("none"), mnist_side, mnist_side).apply(change, image, result);
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
  ThreadTeam team(threads);
  std::vector<Augmenter> augmenters;
  for (std::size_t worker = 0; worker < team.size(); ++worker) {
    augmenters.emplace_back(options, data.rows(), data.columns());
  }
  const std::size_t count = data.size() * copies;
  Images images = Images::from_shape({count, data.rows(), data.columns()});
  Labels labels = Labels::from_shape({count});
  constexpr std::size_t piece_samples = 256;
  team.run((count + piece_samples - 1) / piece_samples, [&](std::size_t piece, std::size_t worker) {
    for (std::size_t i = piece * piece_samples; i < std::min(count, (piece + 1) * piece_samples); ++i) {
      const std::size_t sample = i % data.size();
      Rng own = rng.fork(i / data.size()).fork(sample);
      augmenters[worker].augment(data.pixels(sample), {images.data() + i * data.inputs(), data.inputs()}, own);
      labels(i) = data.label(sample);
    }
  });
  return {std::move(images), std::move(labels), data.classes()};
}

}  // namespace digitnet
