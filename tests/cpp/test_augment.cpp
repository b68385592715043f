// What augment.hpp promises: each change against a plain reference, what is drawn, and that equal seeds give equal bytes.
#include "catch.hpp"
#include "small_networks.hpp"

#include <digitnet/augment.hpp>
#include <digitnet/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

using namespace digitnet;

namespace {

using Bytes = std::vector<std::uint8_t>;

const Dataset& digits() {
  static const Dataset data = test::mnist_sample().train;
  return data;
}

MnistImage digit(std::size_t sample) {
  MnistImage image;
  std::copy_n(digits().pixels(sample).begin(), image.size(), image.begin());
  return image;
}

/// The number of a pixel in an image of so many columns.
std::size_t at(int columns, int row, int column) {
  return static_cast<std::size_t>(columns) * static_cast<std::size_t>(row) + static_cast<std::size_t>(column);
}

Augmentation none() { return augmentation_from_name("none"); }

Augmentation with(double Augmentation::*option, double value) {
  Augmentation options = none();
  options.*option = value;
  return options;
}

/// The ink at a place between the pixels of an image, by linear interpolation; none beyond its edge.
double ink_at(const MnistImage& image, double x, double y) {
  const auto pixel = [&](double column, double row) {
    if (column < 0 || column > 27 || row < 0 || row > 27) return 0.0;
    return static_cast<double>(image[static_cast<std::size_t>(row) * 28 + static_cast<std::size_t>(column)]);
  };
  const double left = std::floor(x);
  const double top = std::floor(y);
  const double across = x - left;
  const double down = y - top;
  return (1 - down) * ((1 - across) * pixel(left, top) + across * pixel(left + 1, top)) +
         down * ((1 - across) * pixel(left, top + 1) + across * pixel(left + 1, top + 1));
}

/// The largest difference between an image and what is read from another at source(x, y).
template <class Source>
double largest_error(const MnistImage& result, const MnistImage& image, const Source& source) {
  double largest = 0;
  for (int y = 0; y < 28; ++y) {
    for (int x = 0; x < 28; ++x) {
      const auto [from_x, from_y] = source(static_cast<double>(x), static_cast<double>(y));
      largest = std::max(largest, std::abs(result[at(28, y, x)] - ink_at(image, from_x, from_y)));
    }
  }
  return largest;
}

// Places are rounded to 1/256 of a pixel, which are up to 255 / 512 of a byte across and down; then the byte is rounded.
constexpr double rounding = 2;

constexpr double middle = 13.5;
const double pi = std::acos(-1.0);

/// Sums over an image as a distribution of ink.
struct Moments {
  double mass = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;

  explicit Moments(std::span<const std::uint8_t> image, std::size_t columns = 28) {
    for (std::size_t i = 0; i < image.size(); ++i) {
      mass += image[i];
      x += image[i] * static_cast<double>(i % columns);
      y += image[i] * static_cast<double>(std::size_t{i / columns});
    }
    x /= mass;
    y /= mass;
    for (std::size_t i = 0; i < image.size(); ++i) {
      const double dx = static_cast<double>(i % columns) - x;
      const double dy = static_cast<double>(std::size_t{i / columns}) - y;
      xx += image[i] * dx * dx / mass;
      xy += image[i] * dx * dy / mass;
      yy += image[i] * dy * dy / mass;
    }
  }
};

/// A rectangle of full ink about the middle.
MnistImage rectangle(std::size_t width, std::size_t height) {
  MnistImage image{};
  for (std::size_t y = 14 - height / 2; y < 14 + height / 2; ++y) {
    for (std::size_t x = 14 - width / 2; x < 14 + width / 2; ++x) image[28 * y + x] = 255;
  }
  return image;
}

/// What `measure` says about each of many images drawn.
template <class Measure>
std::vector<double> measured(const MnistImage& image, const Augmentation& options, const Measure& measure) {
  std::vector<double> values;
  values.reserve(400);
  Rng rng(11);
  for (int i = 0; i < 400; ++i) values.push_back(measure(augmented(image, options, rng)));
  return values;
}

double smallest(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }
double largest(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

}  // namespace

TEST_CASE("augmentation: nothing is changed when everything is 0", "[augment]") {
  Rng rng(1);
  CHECK(none().is_none());
  CHECK_FALSE(Augmentation{}.is_none());
  CHECK(with(&Augmentation::probability, 0).is_none());
  for (std::size_t sample = 0; sample < 20; ++sample) {
    const MnistImage image = digit(sample);
    CHECK(augmented(image, none(), rng) == image);
    CHECK(shifted(image, 0, 0) == image);
    CHECK(rotated(image, 0) == image);
    CHECK(rotated(image, 360) == image);
    CHECK(scaled(image, 1, 1) == image);
    CHECK(sheared(image, 0) == image);
    CHECK(thickened(image, 0) == image);
  }
}

TEST_CASE("shifted: whole pixels exactly, beyond the edge is no ink", "[augment]") {
  MnistImage image{};
  image[28 * 3 + 5] = 200;
  image[28 * 27 + 27] = 9;
  const MnistImage moved = shifted(image, 4, -2);
  CHECK(moved[28 * 1 + 9] == 200);
  CHECK(std::accumulate(moved.begin(), moved.end(), 0) == 200);
  CHECK(shifted(image, 1000, 0) == MnistImage{});
  CHECK(shifted(image, 0, -1e9) == MnistImage{});
}

TEST_CASE("shifted, rotated, scaled, sheared: as a plain interpolation does it", "[augment]") {
  for (std::size_t sample = 0; sample < 10; ++sample) {
    const MnistImage image = digit(sample);
    CHECK(largest_error(shifted(image, 1.3, -2.6), image,
                        [](double x, double y) { return std::pair(x - 1.3, y + 2.6); }) < rounding);
    for (const double degrees : {-170.0, -33.0, 12.5, 90.0, 180.0, 400.0}) {
      const double c = std::cos(degrees * pi / 180);
      const double s = std::sin(degrees * pi / 180);
      // Anticlockwise as one looks at it: what was on the right goes up, where y is smaller.
      const auto source = [&](double x, double y) {
        const double dx = x - middle;
        const double dy = y - middle;
        return std::pair(middle + c * dx - s * dy, middle + s * dx + c * dy);
      };
      CHECK(largest_error(rotated(image, degrees), image, source) < rounding);
    }
    CHECK(largest_error(scaled(image, 1.3, 0.6), image, [](double x, double y) {
            return std::pair(middle + (x - middle) / 1.3, middle + (y - middle) / 0.6);
          }) < rounding);
    CHECK(largest_error(sheared(image, 0.4), image,
                        [](double x, double y) { return std::pair(x + 0.4 * (y - middle), y); }) < rounding);
  }
}

TEST_CASE("rotated: anticlockwise, for people who look at it", "[augment]") {
  MnistImage image{};
  image[28 * 13 + 20] = image[28 * 14 + 20] = 255;  // to the right of the middle
  const Moments turned(rotated(image, 90));
  CHECK(turned.x == Approx(middle));
  CHECK(turned.y == Approx(middle - 6.5));  // above it
}

TEST_CASE("thickened: dilation and erosion by a cross, and shares of them", "[augment]") {
  const auto by_hand = [](const MnistImage& image, bool larger) {
    MnistImage result{};
    for (int y = 0; y < 28; ++y) {
      for (int x = 0; x < 28; ++x) {
        int best = image[at(28, y, x)];
        for (const auto& [dx, dy] : {std::pair(1, 0), std::pair(-1, 0), std::pair(0, 1), std::pair(0, -1)}) {
          const bool inside = x + dx >= 0 && x + dx < 28 && y + dy >= 0 && y + dy < 28;
          const int other = inside ? image[at(28, y + dy, x + dx)] : 0;
          best = larger ? std::max(best, other) : std::min(best, other);
        }
        result[at(28, y, x)] = static_cast<std::uint8_t>(best);
      }
    }
    return result;
  };
  Rng rng(3);
  MnistImage noise;
  for (auto& pixel : noise) pixel = static_cast<std::uint8_t>(rng.below(256));
  for (const MnistImage& image : {digit(0), digit(1), noise}) {
    CHECK(thickened(image, 1) == by_hand(image, true));
    CHECK(thickened(image, -1) == by_hand(image, false));
    CHECK(thickened(image, 2) == by_hand(by_hand(image, true), true));
    CHECK(thickened(image, -3) == by_hand(by_hand(by_hand(image, false), false), false));
    const MnistImage once = by_hand(image, true);
    const MnistImage quarter = thickened(image, 0.25);
    for (std::size_t i = 0; i < image.size(); ++i) {
      CHECK(std::abs(quarter[i] - (0.75 * image[i] + 0.25 * once[i])) <= 0.5);
    }
  }
}

TEST_CASE("small changes: what cannot be done is an error", "[augment][error]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const MnistImage image{};
  CHECK_ERROR(shifted(image, nan, 0), ArgumentError, "shifted: nan");
  CHECK_THROWS_AS(shifted(image, 0, nan), ArgumentError);
  CHECK_THROWS_AS(rotated(image, std::numeric_limits<double>::infinity()), ArgumentError);
  CHECK_ERROR(scaled(image, 0, 1), ArgumentError, "scaled: a factor is 0, expected a number above 0");
  CHECK_THROWS_AS(scaled(image, 1, nan), ArgumentError);
  CHECK_THROWS_AS(sheared(image, nan), ArgumentError);
  CHECK_ERROR(thickened(image, 3.1), ArgumentError, "thickened: pixels is 3.1, expected -3 to 3");
}

TEST_CASE("Augmentation: each number has its range, and the message names it", "[augment][error]") {
  struct Range {
    const char* name;
    double Augmentation::*option;
    double low, high;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Range& range : {
           Range{"probability", &Augmentation::probability, 0, 1},
           Range{"thickness", &Augmentation::thickness, 0, 3},
           Range{"rotation", &Augmentation::rotation, 0, 180},
           Range{"scale", &Augmentation::scale, 0, 1},
           Range{"aspect", &Augmentation::aspect, 0, 1},
           Range{"shear", &Augmentation::shear, 0, 1},
           Range{"shift", &Augmentation::shift, 0, 1000},
           Range{"elastic", &Augmentation::elastic, 0, 1000},
           Range{"elastic_sigma", &Augmentation::elastic_sigma, 1, 100},
           Range{"erase", &Augmentation::erase, 0, 1},
           Range{"erase_radius", &Augmentation::erase_radius, 0, 1000},
           Range{"noise", &Augmentation::noise, 0, 1},
           Range{"specks", &Augmentation::specks, 0, 1000},
           Range{"ground", &Augmentation::ground, 0, 255},
       }) {
    INFO(range.name);
    Augmentation options;
    Rng rng(1);
    for (const double value : {range.low, range.high}) {  // both can be used
      options.*range.option = value;
      CHECK_NOTHROW(augmented(digit(0), options, rng));
    }
    for (const double value : {range.low - 0.1, range.high + 0.1, nan}) {
      options.*range.option = value;
      CHECK_ERROR(check_augmentation(options), ArgumentError, std::string("Augmentation: ") + range.name + " is ");
      CHECK_THROWS_AS(Augmenter(options, 28, 28), ArgumentError);
    }
  }
}

TEST_CASE("Augmentation: by name", "[augment]") {
  CHECK(augmentation_from_name("standard") == Augmentation{});
  CHECK(augmentation_from_name("none").is_none());
  for (const std::string_view name : augmentation_names)
    CHECK_NOTHROW(check_augmentation(augmentation_from_name(name)));
  CHECK_ERROR(augmentation_from_name("heavy"), ArgumentError,
              "\"heavy\", expected one of none, light, standard, strong");
}

TEST_CASE("Augmenter: images of another size are errors", "[augment][error]") {
  CHECK_ERROR(Augmenter({}, 1, 784), ShapeError, "images of 1 x 784 pixels, expected sides of 2 to 4096");
  CHECK_THROWS_AS(Augmenter({}, 28, 4097), ShapeError);
  Augmenter augmenter({}, 3, 4);
  Rng rng(1);
  Bytes image(12);
  Bytes small(11);
  CHECK_NOTHROW(augmenter.augment(image, image, rng));
  CHECK_ERROR(augmenter.augment(small, image, rng), ShapeError, "11 bytes into 12, expected 12 (3 x 4)");
  CHECK_THROWS_AS(augmenter.augment(image, small, rng), ShapeError);
}

TEST_CASE("augmented: shift, rotation, size, aspect and slant stay within their ranges and use them", "[augment]") {
  const MnistImage square = rectangle(8, 8);
  const MnistImage bar = rectangle(16, 4);
  const Moments before(square);

  const auto right =
      measured(square, with(&Augmentation::shift, 3), [](const auto& i) { return Moments(i).x - 13.5; });
  CHECK((smallest(right) >= -3.01 && smallest(right) < -2.8));
  CHECK((largest(right) <= 3.01 && largest(right) > 2.8));
  const auto down =
      measured(square, with(&Augmentation::shift, 3), [](const auto& i) { return Moments(i).y - 13.5; });
  CHECK((smallest(down) >= -3.01 && smallest(down) < -2.8));
  CHECK((largest(down) <= 3.01 && largest(down) > 2.8));
  CHECK(std::abs(std::accumulate(right.begin(), right.end(), 0.0) / 400) <
        0.3);  // 3 of its deviations, 3/sqrt(3*400)

  const auto degrees = measured(bar, with(&Augmentation::rotation, 20), [&](const auto& i) {
    const Moments m(i);
    return 0.5 * std::atan2(2 * m.xy, m.xx - m.yy) * 180 / pi;
  });
  CHECK((smallest(degrees) >= -20.5 && smallest(degrees) < -19));
  CHECK((largest(degrees) <= 20.5 && largest(degrees) > 19));

  const auto size = measured(square, with(&Augmentation::scale, 0.5),
                             [&](const auto& i) { return std::sqrt(Moments(i).mass / before.mass); });
  CHECK((smallest(size) >= 1 / 1.5 - 0.02 && smallest(size) < 1 / 1.5 + 0.03));
  CHECK((largest(size) <= 1.52 && largest(size) > 1.45));

  const auto aspect = measured(square, with(&Augmentation::aspect, 0.5),
                               [&](const auto& i) { return std::sqrt(Moments(i).xx / Moments(i).yy); });
  CHECK((smallest(aspect) >= 1 / 1.5 - 0.02 && smallest(aspect) < 1 / 1.5 + 0.03));
  CHECK((largest(aspect) <= 1.52 && largest(aspect) > 1.45));

  const auto slant = measured(square, with(&Augmentation::shear, 0.3),
                              [&](const auto& i) { return -Moments(i).xy / Moments(i).yy; });
  CHECK((smallest(slant) >= -0.31 && smallest(slant) < -0.28));
  CHECK((largest(slant) <= 0.31 && largest(slant) > 0.28));
}

TEST_CASE("augmented: strokes get thicker and thinner, the strongest ink keeps its strength", "[augment]") {
  const MnistImage bar = rectangle(16, 4);
  const auto thickness =
      measured(bar, with(&Augmentation::thickness, 1), [](const auto& i) { return Moments(i).mass / 255 / 16; });
  CHECK(smallest(thickness) < 2.3);  // of 4; and both ends shrink, too
  CHECK(largest(thickness) > 6);
  for (std::size_t sample = 0; sample < 50; ++sample) {
    Rng rng(sample);
    const MnistImage image = digit(sample);
    const MnistImage thin = augmented(image, with(&Augmentation::thickness, 0.4), rng);
    CHECK(*std::max_element(thin.begin(), thin.end()) >= 0.95 * *std::max_element(image.begin(), image.end()));
  }
}

TEST_CASE("augmented: the ground stays 0, and what is fainter than it becomes 0", "[augment]") {
  Rng rng(5);
  Augmentation options;
  options.ground = 40;
  std::size_t ink = 0;
  for (std::size_t sample = 0; sample < 200; ++sample) {
    for (const std::uint8_t pixel : augmented(digit(sample), options, rng)) {
      CHECK((pixel == 0 || pixel >= 40));
      ink += pixel != 0 ? 1 : 0;
    }
    CHECK(augmented(MnistImage{}, Augmentation{}, rng) == MnistImage{});
  }
  CHECK(static_cast<double>(ink) / (200 * 784) < 0.3);
}

TEST_CASE("augmented: some images stay as they are", "[augment]") {
  Augmentation options;
  options.probability = 0.25;
  const MnistImage image = digit(0);
  Rng rng(6);
  int changed = 0;
  for (int i = 0; i < 2000; ++i) changed += augmented(image, options, rng) != image ? 1 : 0;
  CHECK(std::abs(changed - 500) < 60);  // three deviations: sqrt(2000 * 0.25 * 0.75) = 19
}

TEST_CASE("augmented: a disc is erased, noise stays on the ink, specks are few", "[augment]") {
  const MnistImage full = [] {
    MnistImage image;
    image.fill(200);
    return image;
  }();
  Augmentation erasing = with(&Augmentation::erase, 0.5);
  erasing.erase_radius = 4;
  const auto erased = measured(full, erasing, [](const auto& i) {
    return static_cast<double>(std::count(i.begin(), i.end(), std::uint8_t{0}));
  });
  const auto intact = std::count(erased.begin(), erased.end(), 0.0);
  CHECK(std::abs(intact - 200) < 40);
  CHECK(largest(erased) <= 49);  // pixels in a disc of radius 4
  CHECK(largest(erased) > 30);

  Rng rng(7);
  for (std::size_t sample = 0; sample < 20; ++sample) {
    const MnistImage image = digit(sample);
    const MnistImage noisy = augmented(image, with(&Augmentation::noise, 0.2), rng);
    for (std::size_t i = 0; i < image.size(); ++i) {
      CHECK((noisy[i] == 0) == (image[i] == 0));
      CHECK(std::abs(noisy[i] - image[i]) <= 51);
    }
    const MnistImage specked = augmented(image, with(&Augmentation::specks, 3), rng);
    int more = 0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      CHECK(specked[i] >= image[i]);
      more += specked[i] != image[i] ? 1 : 0;
    }
    CHECK(more <= 3);
  }
  const auto specks = measured(MnistImage{}, with(&Augmentation::specks, 3), [](const auto& i) {
    return static_cast<double>(784 - std::count(i.begin(), i.end(), std::uint8_t{0}));
  });
  CHECK(smallest(specks) == 0);
  CHECK(largest(specks) == 3);
}

namespace {

/// What a field of displacements is like: mean, mean of the squares, and of the products of places `lag` apart.
struct Field {
  double sum = 0, squares = 0, near = 0, far = 0;
  double count = 0, near_count = 0, far_count = 0;

  template <class At>
  void add(const At& at, int first, int last, int lag) {
    for (int y = first; y < last; y += 3) {
      for (int x = first; x < last; x += 3) {
        const double value = at(x, y);
        sum += value;
        squares += value * value;
        ++count;
        if (x + 2 * lag >= last) continue;
        near += value * at(x + lag, y);
        far += value * at(x + 2 * lag, y);
        ++near_count;
        ++far_count;
      }
    }
  }
  double mean() const { return sum / count; }
  double deviation() const { return std::sqrt(squares / count); }
  double correlation_near() const { return near / near_count / (squares / count); }
  double correlation_far() const { return far / far_count / (squares / count); }
};

}  // namespace

TEST_CASE("elastic deformation: displacements are those of smoothed noise", "[augment]") {
  // An image that says where it was read: the byte is the column (or the row), up to 200; the rest is full ink, so that
  // the strongest ink stays what it is.
  constexpr int side = 240;
  const int sigma = GENERATE(4, 7);
  const double wanted_deviation = 5;
  Augmentation options = none();
  options.elastic_sigma = sigma;
  options.elastic = wanted_deviation * 2 * sigma * std::sqrt(3 * pi);
  Augmenter augmenter(options, side, side);
  Bytes ramp(at(side, side, 0));
  Bytes result(ramp.size());
  const bool across = GENERATE(true, false);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const int place = across ? x : y;
      ramp[at(side, y, x)] = static_cast<std::uint8_t>(place < 200 ? place : 255);
    }
  }
  Field field;
  Rng rng(8);
  for (int i = 0; i < 30; ++i) {
    augmenter.augment(ramp, result, rng);
    field.add([&](int x, int y) { return result[at(side, y, x)] - (across ? x : y); }, 30, 170, sigma);
  }
  // In all there are some thousand places that know nothing of each other, so 5 in 100 are more than three deviations.
  CHECK(std::abs(field.mean()) < 0.05 * wanted_deviation);
  CHECK(field.deviation() == Approx(wanted_deviation).epsilon(0.05));
  CHECK(field.correlation_near() == Approx(std::exp(-0.25)).margin(0.05));  // exp(-lag^2 / (4 sigma^2))
  CHECK(field.correlation_far() == Approx(std::exp(-1.0)).margin(0.05));

  // The plain form: uniform noise on all pixels, smoothed across and down.
  Field plain;
  const int reach = 4 * sigma;
  std::vector<double> bell;
  for (int d = -reach; d <= reach; ++d) bell.push_back(std::exp(-0.5 * d * d / (sigma * sigma)));
  const double total = std::accumulate(bell.begin(), bell.end(), 0.0);
  for (double& value : bell) value /= total;
  const int wide = 80 + 2 * reach;
  for (int i = 0; i < 40; ++i) {
    std::vector<double> noise(at(wide, wide, 0));
    for (double& value : noise) value = rng.uniform(-options.elastic, options.elastic);
    std::vector<double> half(noise.size());
    std::vector<double> smooth(noise.size());
    for (int y = 0; y < wide; ++y) {
      for (int x = reach; x < wide - reach; ++x) {
        for (int d = -reach; d <= reach; ++d) {
          half[at(wide, y, x)] += bell[at(1, d + reach, 0)] * noise[at(wide, y, x + d)];
        }
      }
    }
    for (int y = reach; y < wide - reach; ++y) {
      for (int x = reach; x < wide - reach; ++x) {
        for (int d = -reach; d <= reach; ++d) {
          smooth[at(wide, y, x)] += bell[at(1, d + reach, 0)] * half[at(wide, y + d, x)];
        }
      }
    }
    plain.add([&](int x, int y) { return smooth[at(wide, y, x)]; }, reach, wide - reach, sigma);
  }
  CHECK(field.deviation() == Approx(plain.deviation()).epsilon(0.1));
  CHECK(field.correlation_near() == Approx(plain.correlation_near()).margin(0.07));
  CHECK(field.correlation_far() == Approx(plain.correlation_far()).margin(0.1));
}

TEST_CASE("augment: the same seed gives the same bytes for any number of threads", "[augment]") {
  Augmentation options;
  options.probability = 0.9;
  options.erase = 0.3;
  options.noise = 0.1;
  options.specks = 2;
  const Dataset few = digits().slice(0, 700);
  const Rng rng(9);
  const Dataset once = augment(few, options, rng, 2, 1);
  REQUIRE(once.size() == 1400);
  for (const std::size_t threads : {2u, 3u, 8u}) {
    CHECK(fingerprint(augment(few, options, rng, 2, threads)) == fingerprint(once));
  }
  CHECK(fingerprint(augment(few, options, Rng(10), 2, 1)) != fingerprint(once));
  Augmenter augmenter(options, 28, 28);
  for (const std::size_t i : {0u, 5u, 700u, 1399u}) {
    CHECK(once.label(i) == few.label(i % 700));
    Rng own = rng.fork(i / 700).fork(i % 700);
    Bytes image(784);
    augmenter.augment(few.pixels(i % 700), image, own);
    CHECK(std::equal(image.begin(), image.end(), once.pixels(i).begin()));
  }
}

TEST_CASE("augment: soft labels stay with their samples", "[augment]") {
  const Dataset few = digits().slice(10, 13);
  Matrix<float> targets = zeros<float>({3, 10});
  for (std::size_t i = 0; i < 3; ++i) {
    targets(i, i) = 0.9F;
    targets(i, 5) = 0.1F;
  }
  const Dataset changed = augment(few.with_targets(targets), {}, Rng(2), 2);
  REQUIRE(changed.has_targets());
  for (std::size_t i = 0; i < 6; ++i) CHECK(std::ranges::equal(changed.target(i), row(targets, i % 3)));
  CHECK(!augment(few, {}, Rng(2), 2).has_targets());
}

TEST_CASE("augment: golden bytes, the same on every processor", "[augment]") {
  // Run with DIGITNET_SIMD=plain and avx2, too.
  CHECK(fingerprint(augment(digits().slice(0, 500), {}, Rng(1), 1, 1)) ==
        "a22d9a54d4fab7338d3ac44a233ff417e7365fea21e0605f71774f785a6c2d05");
}

TEST_CASE("augment: other sizes, and images that lie anywhere", "[augment]") {
  Rng rng(12);
  for (const auto& [rows, columns] :
       {std::pair(2u, 2u), std::pair(5u, 40u), std::pair(64u, 17u), std::pair(31u, 32u)}) {
    const Dataset data(test::random_images(20, rows, columns, rng), test::random_labels(20, 10, rng));
    const Dataset changed = augment(data, {}, rng);
    CHECK(changed.rows() == rows);
    CHECK(changed.columns() == columns);
    CHECK(fingerprint(changed) != fingerprint(data));
    CHECK(fingerprint(augment(data, augmentation_from_name("none"), rng)) == fingerprint(data));
    const Dataset picked = data.subset({7, 7, 3});
    CHECK(augment(picked, {}, rng).label(1) == data.label(7));
  }
  CHECK(augment(Dataset(), {}, rng).empty());
}

TEST_CASE("augment: what is no image is an error", "[augment][error]") {
  Rng rng(13);
  const Dataset numbers(normal<float>({3, 784}, rng), Labels{1, 2, 3});
  CHECK_ERROR(augment(numbers, {}, rng), ArgumentError, "expected images of bytes");
  CHECK_ERROR(augment(digits(), {}, rng, 0), ArgumentError, "augment: copies is 0, expected at least 1");
  CHECK_THROWS_AS(augment(digits(), with(&Augmentation::scale, 2), rng), ArgumentError);
  const Dataset rows(test::random_images(3, 1, 784, rng), Labels{1, 2, 3});
  CHECK_ERROR(augment(rows, {}, rng), ShapeError, "1 x 784");
}

namespace {

/// A small training; `prepare` changes its options.
template <class Prepare>
Network<float> trained(const Dataset& data, Rng rng, const Prepare& prepare) {
  Rng weights(1);
  Network<float> network({data.inputs(), 20, 10}, Activation::relu, weights);
  Adam<float> optimizer;
  TrainingOptions options;
  options.epochs = 1;
  options.batch_size = 50;
  options.threads = 1;
  prepare(options);
  train(network, data, {}, optimizer, options, rng);
  return network;
}

bool same_weights(const Network<float>& a, const Network<float>& b) {
  for (std::size_t i = 0; i < a.layers().size(); ++i) {
    if (a.layers()[i].weights != b.layers()[i].weights || a.layers()[i].bias != b.layers()[i].bias) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("train: augmented samples are those of the forks of one number", "[augment][trainer]") {
  const bool dense = GENERATE(false, true);
  const double input_dropout = GENERATE(0.0, 0.2);
  Rng rng(14);
  Images images = test::random_images(230, 12, 12, rng);
  for (std::size_t i = 0; !dense && i < images.size(); ++i) {
    if (i % 144 / 12 % 4 != 0) images.data()[i] = 0;
  }
  const Dataset data(std::move(images), test::random_labels(230, 10, rng));
  Augmentation small = with(&Augmentation::shift, 0.2);
  small.ground = 60;
  const auto prepare = [&](TrainingOptions& options) { options.input_dropout = input_dropout; };
  const Network<float> on_the_fly = trained(data, Rng(15), [&](TrainingOptions& options) {
    prepare(options);
    options.augmentation = small;
  });

  Rng before(15);
  const Rng of_epoch = Rng(before.next()).fork(1);
  Images changed = Images::from_shape({230, 12, 12});
  Augmenter augmenter(small, 12, 12);
  for (std::size_t i = 0; i < 230; ++i) {
    Rng own = of_epoch.fork(i);
    augmenter.augment(data.pixels(i), {changed.data() + i * 144, 144}, own);
  }
  const Dataset ready(std::move(changed), data.labels());
  CHECK(fingerprint(ready) != fingerprint(data));
  CHECK(same_weights(on_the_fly, trained(ready, before, prepare)));
  CHECK_FALSE(same_weights(on_the_fly, trained(data, before, prepare)));
}

TEST_CASE("train: augmentation gives the same bits for any number of threads", "[augment][trainer]") {
  const auto with_threads = [](std::size_t threads) {
    return trained(digits().slice(0, 430), Rng(16), [&](TrainingOptions& options) {
      options.augmentation = Augmentation{};
      options.threads = threads;
      options.epochs = 2;
    });
  };
  const Network<float> one = with_threads(1);
  for (const std::size_t threads : {2u, 3u, 8u}) CHECK(same_weights(one, with_threads(threads)));
}

TEST_CASE("train: an augmentation that changes nothing is none", "[augment][trainer]") {
  const Dataset few = digits().slice(0, 200);
  const auto plain = trained(few, Rng(17), [](TrainingOptions&) {});
  CHECK(same_weights(plain, trained(few, Rng(17), [](TrainingOptions& o) { o.augmentation = none(); })));
  CHECK_FALSE(same_weights(plain, trained(few, Rng(17), [](TrainingOptions& o) { o.augmentation.emplace(); })));
}

TEST_CASE("train: validation is never augmented, each epoch is drawn anew", "[augment][trainer]") {
  const Dataset few = digits().slice(0, 300);
  const Dataset other = digits().slice(300, 500);
  Rng weights(1);
  Network<float> network({784, 20, 10}, Activation::relu, weights);
  Adam<float> optimizer(1e-30);  // the network stays what it is
  TrainingOptions options;
  options.epochs = 3;
  options.augmentation.emplace();
  Rng rng(18);
  const double loss = evaluate(network, other).loss;
  const History history = train(network, few, other, optimizer, options, rng);
  for (const EpochReport& report : history.epochs) CHECK(*report.validation_loss == Approx(loss).epsilon(1e-6));
  CHECK(std::abs(history.epochs[0].training_loss - history.epochs[1].training_loss) > 1e-5);
  CHECK(std::abs(history.epochs[1].training_loss - history.epochs[2].training_loss) > 1e-5);
}

TEST_CASE("train: augmentation of what is no image is an error", "[augment][trainer][error]") {
  Rng rng(19);
  const auto augmenting = [](TrainingOptions& options) { options.augmentation.emplace(); };
  const Dataset numbers(normal<float>({30, 144}, rng), test::random_labels(30, 10, rng));
  CHECK_ERROR(trained(numbers, rng, augmenting), ArgumentError,
              "train: augmentation of samples of 1 x 144 numbers, expected images");
  const Dataset rows(test::random_images(30, 1, 144, rng), test::random_labels(30, 10, rng));
  CHECK_ERROR(trained(rows, rng, augmenting), ArgumentError,
              "1 x 144 bytes, expected images of bytes, with sides of 2 to 4096");
  CHECK_NOTHROW(trained(rows, rng, [](TrainingOptions& options) { options.augmentation = none(); }));
  CHECK_ERROR(trained(rows, rng, [](TrainingOptions& o) { o.augmentation = with(&Augmentation::rotation, 181); }),
              ArgumentError, "train: augmentation: rotation is 181, expected 0 to 180");
}
