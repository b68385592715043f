// What preprocess.hpp promises: pictures of all kinds, and what MNIST's makers did with their scans.
#include "bytes.hpp"
#include "catch.hpp"
#include "temporary_folder.hpp"

#include <digitnet/dataset.hpp>
#include <digitnet/preprocess.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace digitnet;
using test::Bytes;
using test::bytes_of;
using test::joined;
using test::TemporaryFolder;
using test::write_file;
namespace fs = std::filesystem;

namespace {

const fs::path images_folder = fs::path(DIGITNET_TEST_DATA) / "images";

Bytes big_endian(std::size_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

Bytes png_chunk(const char* type, const Bytes& content) {
  const Bytes checked = joined({bytes_of(type), content});
  const uLong checksum = crc32(0, checked.data(), static_cast<uInt>(checked.size()));
  return joined({big_endian(content.size()), checked, big_endian(checksum)});
}

/// The beginning of a PNG file: signature and sizes, eight bits a channel.
Bytes png_header(std::size_t width, std::size_t height, std::size_t channels) {
  constexpr std::uint8_t colour_types[]{0, 0, 4, 2, 6};
  return joined(
      {bytes_of("\x89PNG\r\n\x1a\n"),
       png_chunk("IHDR", joined({big_endian(width), big_endian(height), {8, colour_types[channels], 0, 0, 0}}))});
}

Bytes png(const Picture& picture) {
  Bytes lines;
  const std::size_t length = picture.width * picture.channels;
  for (std::size_t y = 0; y < picture.height; ++y) {
    lines.push_back(0);  // no filter
    const auto first = picture.pixels.begin() + static_cast<std::ptrdiff_t>(y * length);
    lines.insert(lines.end(), first, first + static_cast<std::ptrdiff_t>(length));
  }
  uLongf size = compressBound(lines.size());
  Bytes packed(size);
  compress(packed.data(), &size, lines.data(), lines.size());
  packed.resize(size);
  return joined({png_header(picture.width, picture.height, picture.channels), png_chunk("IDAT", packed),
                 png_chunk("IEND", {})});
}

Bytes pgm(std::size_t width, std::size_t height, const Bytes& pixels) {
  return joined({bytes_of(detail::text("P5\n", width, " ", height, "\n255\n")), pixels});
}

/// Ink of a figure like a 7 of bars 60 wide and 90 high, somewhere on a larger sheet.
Matrix<float> figure(std::size_t height = 150, std::size_t width = 200, std::size_t top = 20, std::size_t left = 70) {
  Matrix<float> ink = zeros<float>({height, width});
  for (std::size_t y = 0; y < 90; ++y) {
    for (std::size_t x = 0; x < 60; ++x) {
      if (y < 12 || x >= 45) ink(top + y, left + x) = 1;
    }
  }
  return ink;
}

/// A grey picture: ink black on white, or white on black.
Picture painted(const Matrix<float>& ink, bool black_on_white) {
  Picture picture{ink.shape(1), ink.shape(0), 1, {}};
  for (const float value : values(ink)) {
    picture.pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * (black_on_white ? 1 - value : value))));
  }
  return picture;
}

/// The same grey in more channels; `alpha` fills the last of 2 or 4.
Picture with_channels(const Picture& grey, std::size_t channels, std::uint8_t alpha = 255) {
  Picture picture{grey.width, grey.height, channels, {}};
  for (const std::uint8_t value : grey.pixels) {
    for (std::size_t c = 0; c < channels; ++c) {
      picture.pixels.push_back(c + 1 == channels && channels % 2 == 0 ? alpha : value);
    }
  }
  return picture;
}

/// Each pixel as `factor` times `factor` equal ones.
Matrix<float> enlarged(const Matrix<float>& ink, std::size_t factor) {
  Matrix<float> large = zeros<float>({ink.shape(0) * factor, ink.shape(1) * factor});
  for (std::size_t y = 0; y < large.shape(0); ++y) {
    for (std::size_t x = 0; x < large.shape(1); ++x) large(y, x) = ink(y / factor, x / factor);
  }
  return large;
}

struct Measured {
  double mass = 0;                    ///< in pixels of full ink
  double x = 0, y = 0;                ///< centre of mass; 14 is the middle
  std::size_t width = 0, height = 0;  ///< of the box of all that is not 0
};

Measured measure(const MnistImage& image) {
  Measured result;
  std::size_t left = mnist_side, right = 0, top = mnist_side, bottom = 0;
  for (std::size_t y = 0; y < mnist_side; ++y) {
    for (std::size_t x = 0; x < mnist_side; ++x) {
      const double value = image[y * mnist_side + x] / 255.0;
      if (value <= 0) continue;
      result.mass += value;
      result.x += value * (static_cast<double>(x) + 0.5);
      result.y += value * (static_cast<double>(y) + 0.5);
      left = std::min(left, x), right = std::max(right, x + 1);
      top = std::min(top, y), bottom = std::max(bottom, y + 1);
    }
  }
  if (result.mass > 0) {
    result.x /= result.mass;
    result.y /= result.mass;
    result.width = right - left;
    result.height = bottom - top;
  }
  return result;
}

int largest_difference(const MnistImage& a, const MnistImage& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(int{a[i]} - int{b[i]}));
  return largest;
}

/// Mean over the pixels of the difference, 255 for the most there can be.
double mean_difference(const MnistImage& a, const MnistImage& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum / static_cast<double>(a.size());
}

bool is_blank(const MnistImage& image) { return image == MnistImage{}; }

}  // namespace

TEST_CASE("read_picture: PNG, JPEG and PGM, with their sizes and channels", "[preprocess]") {
  struct Known {
    const char* name;
    std::size_t width, height, channels;
  };
  for (const auto& [name, width, height, channels] : {Known{"0-alpha-only.png", 200, 200, 4},
                                                      {"1-pencil-on-grey-paper.jpg", 180, 240, 3},
                                                      {"2-thin-black-on-white.png", 280, 280, 1},
                                                      {"3-thick-white-on-black.png", 280, 280, 1},
                                                      {"4-black-on-white.jpg", 160, 200, 1},
                                                      {"5-blue-on-white-low.png", 280, 280, 3},
                                                      {"6-black-on-white.pgm", 96, 96, 1},
                                                      {"7-black-on-white-corner.png", 280, 280, 1},
                                                      {"8-like-mnist.png", 28, 28, 1},
                                                      {"9-wide-canvas-right.png", 400, 120, 1}}) {
    const Picture picture = read_picture(images_folder / name);
    CAPTURE(name);
    CHECK(picture.width == width);
    CHECK(picture.height == height);
    CHECK(picture.channels == channels);
    CHECK(picture.pixels.size() == width * height * channels);
  }
}

TEST_CASE("read_picture: the kind of file is told by its content, not by its name", "[preprocess]") {
  const TemporaryFolder folder;
  const auto bytes = test::read_file(images_folder / "4-black-on-white.jpg");
  CHECK(read_picture(write_file(folder / "picture.png", bytes)).width == 160);
  CHECK(read_picture(write_file(folder / "picture", pgm(2, 1, {1, 2}))).pixels == Bytes{1, 2});
}

TEST_CASE("read_picture: pixels of PNG with 1 to 4 channels are as they were", "[preprocess]") {
  const TemporaryFolder folder;
  for (std::size_t channels = 1; channels <= 4; ++channels) {
    Picture picture{3, 2, channels, Bytes(6 * channels)};
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(40 + 7 * i);
    const Picture read = read_picture(write_file(folder / "a.png", png(picture)));
    CAPTURE(channels);
    CHECK(read.width == 3);
    CHECK(read.height == 2);
    CHECK(read.channels == channels);
    CHECK(read.pixels == picture.pixels);
  }
}

TEST_CASE("read_picture: PGM with comments, other largest values and 16 bits; PPM", "[preprocess]") {
  const TemporaryFolder folder;
  const auto read = [&](const Bytes& bytes) { return read_picture(write_file(folder / "a.pgm", bytes)); };
  const Picture commented =
      read(joined({bytes_of("P5 # made by hand\n#\n 3\t2 # width, height\n255\n"), {0, 1, 2, 253, 254, 255}}));
  CHECK(commented.width == 3);
  CHECK(commented.height == 2);
  CHECK(commented.pixels == Bytes{0, 1, 2, 253, 254, 255});
  CHECK(read(joined({bytes_of("P5\n4 1\n15\n"), {0, 1, 15, 16}})).pixels == Bytes{0, 17, 255, 255});
  CHECK(read(joined({bytes_of("P5\n3 1\n65535\n"), {0, 0, 0x80, 0x00, 0xff, 0xff}})).pixels == Bytes{0, 128, 255});
  CHECK(read(joined({bytes_of("P5\n2 1\n255\n"), bytes_of("\n ")})).pixels == Bytes{10, 32});  // pixels, not space
  CHECK(read(joined({pgm(1, 1, {7}), bytes_of("and more")})).pixels == Bytes{7});
  const Picture colour = read(joined({bytes_of("P6\n2 1\n255\n"), {1, 2, 3, 4, 5, 6}}));
  CHECK(colour.channels == 3);
  CHECK(colour.pixels == Bytes{1, 2, 3, 4, 5, 6});
}

TEST_CASE("read_picture: what is no picture is told", "[preprocess][error]") {
  const TemporaryFolder folder;
  for (const std::string content : {"", "P", "P5", "just text", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
                                    "\x89PNG\r\n\x1a\n", "GIF89a", "P2\n1 1\n255\n0\n", "BM"}) {
    const auto path = write_file(folder / "drawing.png", content);
    CAPTURE(content);
    CHECK_ERROR(read_picture(path), FormatError, "read_picture: " + path.string() + ": ");
  }
  CHECK_ERROR(read_picture(write_file(folder / "drawing.png", "<svg/>")), FormatError,
              "neither PNG, JPEG nor PGM, or damaged at its beginning");
}

TEST_CASE("read_picture: a missing file and a folder are told by the system", "[preprocess][error]") {
  const TemporaryFolder folder;
  CHECK_ERROR(read_picture(folder / "missing.png"), IoError,
              "read_picture: " + (folder / "missing.png").string() + ": cannot be opened: No such file");
  CHECK_ERROR(read_picture(folder.path()), IoError, "is a folder, expected a file");
}

TEST_CASE("read_picture: a file cut at any byte is never taken for whole", "[preprocess][error]") {
  const TemporaryFolder folder;
  Picture picture{5, 4, 3, Bytes(60)};
  for (std::size_t i = 0; i < 60; ++i) picture.pixels[i] = static_cast<std::uint8_t>(i * 37);
  const Bytes jpeg = test::read_file(images_folder / "4-black-on-white.jpg");
  for (const auto& [whole, step] : {std::pair<Bytes, std::size_t>{png(picture), 1},
                                    {pgm(5, 12, picture.pixels), 1},
                                    {test::read_file(images_folder / "8-like-mnist.png"), 1},
                                    {jpeg, 7}}) {
    REQUIRE_NOTHROW(read_picture(write_file(folder / "whole", whole)));
    for (std::size_t length = 0; length < whole.size(); length += step) {
      const auto path = write_file(folder / "part", std::span(whole).first(length));
      CAPTURE(whole.size(), length);
      CHECK_THROWS_AS(read_picture(path), FormatError);
    }
  }
  CHECK_ERROR(read_picture(write_file(folder / "part", pgm(3, 2, {1, 2, 3, 4, 5}))), FormatError,
              "5 bytes of pixels, expected 6; the file is cut short");
}

TEST_CASE("read_picture: any one bit of a PNG changed is told", "[preprocess][error]") {
  const TemporaryFolder folder;
  const Bytes whole = png({4, 3, 1, Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}});
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes bytes = whole;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1u << bit % 8));
    CAPTURE(bit / 8, bit % 8);
    CHECK_THROWS_AS(read_picture(write_file(folder / "damaged.png", bytes)), FormatError);
  }
}

TEST_CASE("read_picture: a changed byte gives an error or a picture, never anything else", "[preprocess][error]") {
  const TemporaryFolder folder;
  for (const char* name : {"4-black-on-white.jpg", "6-black-on-white.pgm"}) {
    const Bytes whole = test::read_file(images_folder / name);
    for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), 700); ++at) {
      Bytes bytes = whole;
      bytes[at] ^= 0xa5;
      bool fine = false;
      try {
        const Picture picture = read_picture(write_file(folder / "damaged", bytes));
        fine = picture.pixels.size() == picture.width * picture.height * picture.channels;
      } catch (const FormatError&) {
        fine = true;
      }
      CAPTURE(name, at);
      CHECK(fine);
    }
  }
}

TEST_CASE("read_picture: a header that claims a huge picture takes no memory", "[preprocess][error]") {
  const TemporaryFolder folder;
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  CHECK_ERROR(
      read_picture(write_file(folder / "a.png", joined({png_header(50000, 50000, 4), png_chunk("IEND", {})}))),
      FormatError, "a picture of 50000 x 50000 pixels, expected sides of 1 to 10000");
  CHECK_ERROR(read_picture(write_file(folder / "a.png", joined({png_header(10001, 1, 1), png_chunk("IEND", {})}))),
              FormatError, "a picture of 10001 x 1 pixels");
  CHECK_ERROR(read_picture(write_file(folder / "a.pgm", pgm(9000, 9000, {}))), FormatError,
              "a picture of 9000 x 9000 pixels, expected sides of 1 to 10000 and at most 67108864 in all");
  CHECK_ERROR(read_picture(write_file(folder / "a.pgm", pgm(4294967295u, 4294967295u, {}))), FormatError,
              "a picture of 4294967295 x 4294967295 pixels");
  CHECK_ERROR(read_picture(write_file(folder / "a.pgm", pgm(8000, 8000, {1, 2}))), FormatError,
              "2 bytes of pixels, expected 64000000; the file is cut short");
  getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_maxrss - before.ru_maxrss < 20000);  // kilobytes
}

TEST_CASE("read_picture: PGM headers that make no sense are told", "[preprocess][error]") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& text) { return read_picture(write_file(folder / "a.pgm", text)); };
  CHECK_ERROR(read("P5\n0 5\n255\n"), FormatError, "a picture of 0 x 5 pixels");
  CHECK_ERROR(read("P5\n5 0\n255\n"), FormatError, "a picture of 5 x 0 pixels");
  CHECK_ERROR(read("P5\n1 1\n0\n0"), FormatError, "a largest value of 0, expected 1 to 65535");
  CHECK_ERROR(read("P5\n1 1\n65536\n00"), FormatError, "a largest value of 65536, expected 1 to 65535");
  CHECK_ERROR(read("P5\n-1 1\n255\n0"), FormatError, "byte 3: expected a number");
  CHECK_ERROR(read("P5\n1 99999999999999999999\n255\n0"), FormatError, "byte 5: expected a number");
  CHECK_ERROR(read("P5\n# nothing but a comment"), FormatError, "expected a number");
  CHECK_ERROR(read("P5\n1 1\n255"), FormatError, "0 bytes of pixels, expected 1");
}

TEST_CASE("ink_of: darkness on a light ground, brightness on a dark one", "[preprocess]") {
  const Matrix<float> drawn = figure();
  CHECK((ink_of(painted(drawn, true)) == drawn));
  CHECK((ink_of(painted(drawn, false)) == drawn));
}

TEST_CASE("ink_of: the strongest ink is full ink, however faint it was", "[preprocess]") {
  Picture pencil = painted(figure(), true);
  for (std::uint8_t& value : pencil.pixels) value = value == 255 ? 200 : 120;  // dark grey on light grey
  CHECK((ink_of(pencil) == figure()));
}

TEST_CASE("ink_of: grey, grey with alpha, RGB and RGB with alpha say the same", "[preprocess]") {
  const Matrix<float> drawn = figure();
  const Picture grey = painted(drawn, true);
  for (const std::size_t channels : {2u, 3u, 4u}) {
    const Matrix<float> ink = ink_of(with_channels(grey, channels));
    float largest = 0;
    for (std::size_t i = 0; i < ink.size(); ++i) {
      largest = std::max(largest, std::abs(values(ink)[i] - values(drawn)[i]));
    }
    CAPTURE(channels);
    CHECK(largest < 1e-6F);
  }
}

TEST_CASE("ink_of: ink and ground may be of any two colours, also of the same brightness", "[preprocess]") {
  const Matrix<float> drawn = figure();
  using Rgb = std::array<std::uint8_t, 3>;
  for (const auto& [ground, ink] : {std::pair<Rgb, Rgb>{{255, 255, 255}, {20, 40, 160}},
                                    {{0, 128, 0}, {219, 0, 55}},
                                    {{30, 30, 60}, {255, 240, 0}},
                                    {{200, 200, 200}, {160, 160, 160}},
                                    {{128, 128, 128}, {255, 255, 255}}}) {
    Picture picture{drawn.shape(1), drawn.shape(0), 3, {}};
    for (const float value : values(drawn)) {
      const Rgb& colour = value > 0 ? ink : ground;
      picture.pixels.insert(picture.pixels.end(), colour.begin(), colour.end());
    }
    CAPTURE(int{ground[0]}, int{ink[0]});
    CHECK((ink_of(picture) == drawn));
  }
}

TEST_CASE("ink_of: when the drawing is in the alpha channel alone, alpha is the ink", "[preprocess]") {
  const Matrix<float> drawn = figure();
  for (const std::uint8_t colour : Bytes{0, 90, 255}) {
    for (const std::size_t channels : {2u, 4u}) {
      Picture picture{drawn.shape(1), drawn.shape(0), channels, Bytes(drawn.size() * channels, colour)};
      for (std::size_t i = 0; i < drawn.size(); ++i) {
        picture.pixels[i * channels + channels - 1] = values(drawn)[i] > 0 ? 255 : 0;
      }
      CAPTURE(int{colour}, channels);
      CHECK((ink_of(picture) == drawn));
    }
  }
}

TEST_CASE("ink_of: transparent pixels are ground, on a light ground and on a dark one", "[preprocess]") {
  const Matrix<float> drawn = figure();
  for (const bool black_on_white : {true, false}) {
    for (const std::uint8_t hidden : Bytes{0, 255}) {
      Picture picture = with_channels(painted(drawn, black_on_white), 4);
      for (std::size_t y = 120; y < 140; ++y) {  // a hole below the figure, with any colour behind it
        for (std::size_t x = 80; x < 120; ++x) {
          std::uint8_t* pixel = &picture.pixels[(y * picture.width + x) * 4];
          std::fill_n(pixel, 3, hidden);
          pixel[3] = 0;
        }
      }
      const Matrix<float> ink = ink_of(picture);
      CAPTURE(black_on_white, int{hidden});
      CHECK(ink(130, 100) == 0);
      CHECK(is_blank(to_mnist_image(ink)) == false);
      CHECK(largest_difference(to_mnist_image(ink), to_mnist_image(drawn)) <= 1);
    }
  }
}

TEST_CASE("ink_of: blank paper of any brightness, and a wholly transparent picture, have no ink", "[preprocess]") {
  for (const std::size_t channels : {1u, 2u, 3u, 4u}) {
    for (const std::uint8_t grey : Bytes{0, 60, 128, 200, 255}) {
      const Picture paper = with_channels({30, 20, 1, Bytes(600, grey)}, channels);
      CHECK((ink_of(paper) == zeros<float>({20, 30})));
      CHECK(is_blank(to_mnist_image(paper)));
    }
  }
  CHECK(is_blank(to_mnist_image(Picture{30, 20, 4, Bytes(2400, 0)})));
}

TEST_CASE("ink_of: the grain of paper is no ink", "[preprocess]") {
  Picture paper{40, 40, 1, Bytes(1600)};
  for (std::size_t i = 0; i < 1600; ++i) paper.pixels[i] = static_cast<std::uint8_t>(200 + i * 7 % 20);
  CHECK(is_blank(to_mnist_image(paper)));
}

TEST_CASE("ink_of: pictures of one pixel, one row and none", "[preprocess]") {
  for (const std::uint8_t grey : Bytes{0, 100, 255}) CHECK((ink_of({1, 1, 1, {grey}}) == zeros<float>({1, 1})));
  const Matrix<float> line = ink_of({5, 1, 1, {255, 255, 0, 255, 255}});
  CHECK((line == Matrix<float>{{0, 0, 1, 0, 0}}));
  CHECK(ink_of({0, 0, 1, {}}).size() == 0);
  CHECK(is_blank(to_mnist_image(Picture{0, 0, 1, {}})));
  CHECK(is_blank(to_mnist_image(Picture{0, 5, 3, {}})));
}

TEST_CASE("ink_of: sizes that do not fit the pixels are refused", "[preprocess][error]") {
  CHECK_ERROR(ink_of({2, 2, 1, Bytes(3)}), ShapeError,
              "ink_of: 3 numbers for 2 x 2 x 1, expected 1 to 4 channels and as many numbers");
  CHECK_ERROR(ink_of({2, 2, 0, {}}), ShapeError, "2 x 2 x 0");
  CHECK_ERROR(ink_of({1, 1, 5, Bytes(5)}), ShapeError, "1 x 1 x 5");
  CHECK_ERROR(to_mnist_image(Picture{2, 2, 3, Bytes(13)}), ShapeError, "13 numbers for 2 x 2 x 3");
}

TEST_CASE("to_mnist_image: every image of MNIST stays as it is", "[preprocess]") {
  // So what is done to drawings is what was done to the images that networks are trained on.
  const Dataset test = load_mnist(fs::path(DIGITNET_TEST_DATA) / "mnist-sample").test;
  for (std::size_t sample = 0; sample < test.size(); ++sample) {
    Matrix<float> ink = zeros<float>({mnist_side, mnist_side});
    test.copy_sample(sample, values(ink));
    MnistImage original{};
    std::copy_n(test.pixels(sample).begin(), original.size(), original.begin());
    const Measured measured = measure(original);
    const bool tie =
        std::abs(std::abs(measured.x - 14.5) - 0.5) < 1e-4 || std::abs(std::abs(measured.y - 14.5) - 0.5) < 1e-4;
    if (tie) continue;  // exactly between two pixels: either is right
    CAPTURE(sample);
    REQUIRE(to_mnist_image(ink) == original);
  }
}

TEST_CASE("to_mnist_image: the centre of mass is within half a pixel of that of pixel (14, 14)", "[preprocess]") {
  for (const auto& entry : fs::directory_iterator(images_folder)) {
    if (entry.path().extension() == ".md") continue;
    const Measured measured = measure(to_mnist_image(read_picture(entry.path())));
    CAPTURE(entry.path().filename().string(), measured.x, measured.y);
    CHECK(std::abs(measured.x - 14.5) < 0.55);  // rounding to bytes moves it by some hundredths
    CHECK(std::abs(measured.y - 14.5) < 0.55);
    CHECK(std::max(measured.width, measured.height) >= mnist_box);
    CHECK(std::max(measured.width, measured.height) <= mnist_box + 3);  // 20 to half ink, and a soft edge
    CHECK(measured.mass > 10);
  }
}

TEST_CASE("to_mnist_image: where on the sheet the figure is does not matter", "[preprocess]") {
  const MnistImage middle = to_mnist_image(figure());
  for (const auto& [top, left] :
       {std::pair<std::size_t, std::size_t>{0, 0}, {60, 140}, {0, 140}, {60, 0}, {13, 77}}) {
    CHECK(largest_difference(to_mnist_image(figure(150, 200, top, left)), middle) <= 1);
  }
  CHECK(largest_difference(to_mnist_image(figure(90, 60, 0, 0)), middle) <= 1);  // no margin at all
}

TEST_CASE("to_mnist_image: fits a box of 20 x 20 with its aspect kept", "[preprocess]") {
  const auto box_of = [](std::size_t height, std::size_t width) {
    Matrix<float> ink = zeros<float>({200, 200});
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) ink(50 + y, 50 + x) = 1;
    }
    return measure(to_mnist_image(ink));
  };
  const Measured square = box_of(60, 60);
  CHECK(square.width == 20);
  CHECK(square.height == 20);
  CHECK(std::abs(square.mass - 400) < 0.5);
  const Measured high = box_of(100, 50);
  CHECK(high.width == 10);
  CHECK(high.height == 20);
  const Measured wide = box_of(25, 100);
  CHECK(wide.width == 20);
  CHECK(wide.height == 5);
  const Measured thin = box_of(140, 1);  // a seventh of a pixel wide
  CHECK(thin.width == 1);
  CHECK(thin.height == 20);
  CHECK(std::abs(thin.mass - 20 / 7.0) < 0.1);
}

TEST_CASE("to_mnist_image: a pixel is the mean of the ink it covers", "[preprocess]") {
  Matrix<float> ink = zeros<float>({40, 40});  // twice the box: each pixel of the image covers 2 x 2
  for (float& value : values(ink)) value = 0.25F;
  ink(0, 0) = 1;
  ink(39, 39) = 1;  // still symmetric, so the box stays in the middle
  const MnistImage image = to_mnist_image(ink);
  std::size_t first = 0;
  while (image[first] == 0) ++first;
  CHECK(image[first] == 112);     // (1 + 3 / 4) / 4 of 255
  CHECK(image[first + 1] == 64);  // a quarter of 255
}

TEST_CASE("to_mnist_image: ink on both sides of an edge is not lost when its centre is off the middle",
          "[preprocess]") {
  // Nearly all of the mass in a corner, and a long thin tail: centred, the tail would be outside.
  Matrix<float> ink = zeros<float>({200, 200});
  for (std::size_t y = 0; y < 60; ++y) {
    for (std::size_t x = 0; x < 60; ++x) ink(y, x) = 1;
  }
  for (std::size_t i = 60; i < 200; ++i) {
    for (std::size_t width = 0; width < 10; ++width) ink(30 + width, i) = ink(i, 30 + width) = 1;
  }
  const Measured measured = measure(to_mnist_image(ink));
  CHECK(measured.width == 20);
  CHECK(measured.height == 20);
  CHECK(std::abs(measured.mass - 64.0) < 0.5);  // 6400 pixels, each a hundredth
}

TEST_CASE("to_mnist_image: black on white is white on black", "[preprocess]") {
  CHECK(to_mnist_image(painted(figure(), true)) == to_mnist_image(painted(figure(), false)));
  for (const char* name : {"2-thin-black-on-white.png", "7-black-on-white-corner.png"}) {
    Picture picture = read_picture(images_folder / name);
    const MnistImage image = to_mnist_image(picture);
    for (std::uint8_t& value : picture.pixels) value = static_cast<std::uint8_t>(255 - value);
    CHECK(largest_difference(to_mnist_image(picture), image) <= 1);
  }
}

TEST_CASE("to_mnist_image: a drawing twice, three and seven times as large gives the same image", "[preprocess]") {
  const MnistImage image = to_mnist_image(figure());
  for (const std::size_t factor : {2u, 3u, 7u}) {
    CHECK(largest_difference(to_mnist_image(enlarged(figure(), factor)), image) <= 1);
  }
}

TEST_CASE("to_mnist_image: a drawing smaller than the box gives nearly the image of a large one", "[preprocess]") {
  Matrix<float> small = zeros<float>({30, 30});  // the figure at a ninth: 10 high, so twice too small
  for (std::size_t y = 0; y < 10; ++y) {
    for (std::size_t x = 0; x < 7; ++x) {
      if (y < 2 || x >= 5) small(5 + y, 11 + x) = 1;
    }
  }
  const MnistImage image = to_mnist_image(small);
  const Measured measured = measure(image);
  CHECK(measured.height <= 22);  // linear interpolation softens the edges by a pixel
  CHECK(measured.height >= 20);
  CHECK(std::abs(measured.x - 14.5) < 0.55);
  CHECK(std::abs(measured.y - 14.5) < 0.55);
  CHECK(mean_difference(image, to_mnist_image(enlarged(small, 9))) < 15);
}

TEST_CASE("to_mnist_image: no ink gives an image of zeros, a single pixel of ink one in the middle", "[preprocess]") {
  CHECK(is_blank(to_mnist_image(zeros<float>({50, 50}))));
  CHECK(is_blank(to_mnist_image(zeros<float>({0, 0}))));
  CHECK(is_blank(to_mnist_image(zeros<float>({1, 1}))));
  const MnistImage dot = to_mnist_image(Matrix<float>{{1}});
  CHECK_FALSE(is_blank(dot));
  const Measured measured = measure(dot);
  CHECK(std::abs(measured.x - 14.5) < 0.55);
  CHECK(std::abs(measured.y - 14.5) < 0.55);
}

TEST_CASE("to_mnist_image: ink that is not in [0, 1] is named", "[preprocess][error]") {
  for (const float wrong : {-0.1F, 1.5F, std::numeric_limits<float>::quiet_NaN()}) {
    Matrix<float> ink = zeros<float>({4, 5});
    ink(2, 3) = wrong;
    CHECK_ERROR(to_mnist_image(ink), ArgumentError, "at row 2, column 3, expected 0 to 1");
  }
}
