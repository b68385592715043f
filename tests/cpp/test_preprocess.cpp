// What preprocess.hpp promises of pictures: what MNIST's makers did with their scans.
#include "catch.hpp"
#include "pictures.hpp"
#include "temporary_folder.hpp"

#include <digitnet/dataset.hpp>
#include <digitnet/preprocess.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

using namespace digitnet;
using namespace digitnet::test;
namespace fs = std::filesystem;

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
    if (entry.path().extension() == ".md" || entry.path().extension() == ".txt") continue;
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

TEST_CASE("to_mnist_image: the bytes of pictures of many kinds are those they were, on every processor",
          "[preprocess]") {
  // tests/data/images/expected.txt: a line for each file, its name and the CRC-32 of the image.
  std::ifstream file(images_folder / "expected.txt");
  std::string name;
  std::string expected;
  std::size_t count = 0;
  while (file >> name >> expected) {
    const MnistImage image = to_mnist_image(read_picture(images_folder / name));
    std::ostringstream sum;
    sum << std::hex << crc32(0, image.data(), static_cast<uInt>(image.size()));
    CAPTURE(name);
    CHECK(sum.str() == expected);
    ++count;
  }
  CHECK(count == 10);
}

TEST_CASE("to_mnist_image: a picture moved by whole pixels gives the same bytes", "[preprocess]") {
  const MnistImage expected = to_mnist_image(painted(figure(), true));
  for (const auto& [top, left] : {std::pair<std::size_t, std::size_t>{20, 71}, {13, 77}, {33, 90}, {41, 101}}) {
    CHECK(largest_difference(to_mnist_image(painted(figure(150, 200, top, left), true)), expected) <= 1);
  }
}

TEST_CASE("to_mnist_image: thin and thick pens are brought to the width of MNIST's", "[preprocess]") {
  for (const std::size_t pen : {1u, 2u, 6u, 20u, 60u, 90u}) {
    Picture picture{400, 400, 1, Bytes(160000, 255)};
    for (std::size_t y = 50; y < 350; ++y) {
      for (std::size_t x = 50; x < 350; ++x) {
        if (y < 50 + pen || (x >= 200 - pen / 2 && x < 200 - pen / 2 + pen)) picture.pixels[y * 400 + x] = 0;  // a T
      }
    }
    const MnistImage image = to_mnist_image(picture);
    std::size_t middle = 0;  // of the stem, 14 lines down
    for (std::size_t x = 0; x < mnist_side; ++x) middle += image[16 * mnist_side + x];
    CAPTURE(pen);
    CHECK(static_cast<double>(middle) / 255 > 1.5);
    CHECK(static_cast<double>(middle) / 255 < 5.5);
  }
}

TEST_CASE("to_mnist_image: a broad pen made thinner stays in one piece", "[preprocess]") {
  Picture picture{300, 300, 1, Bytes(90000, 0)};
  for (std::size_t y = 40; y < 260; ++y) {  // thick above, thin below, joined
    const std::size_t half = y < 150 ? 50 : 6;
    for (std::size_t x = 150 - half; x < 150 + half; ++x) picture.pixels[y * 300 + x] = 255;
  }
  const MnistImage image = to_mnist_image(picture);
  std::size_t lines = 0;
  for (std::size_t y = 0; y < mnist_side; ++y) {
    lines += *std::max_element(&image[y * mnist_side], &image[y * mnist_side] + mnist_side) > 100 ? 1 : 0;
  }
  CHECK(lines >= 19);
}

TEST_CASE("segment_digits: from the left, line by line; parts that belong together stay so", "[preprocess]") {
  CHECK(segment_digits(Picture{30, 20, 1, Bytes(600, 255)}).empty());
  const Picture one = painted(figure(), true);
  REQUIRE(segment_digits(one).size() == 1);
  CHECK(segment_digits(one)[0].picture.pixels == one.pixels);

  Matrix<float> page = zeros<float>({400, 500});
  const auto put = [&](std::size_t top, std::size_t left) {
    const Matrix<float> drawn = figure(90, 60, 0, 0);
    for (std::size_t y = 0; y < 90; ++y) {
      for (std::size_t x = 0; x < 60; ++x) page(top + y, left + x) = drawn(y, x);
    }
  };
  put(40, 300), put(52, 40), put(30, 160), put(250, 200);
  for (std::size_t x = 165; x < 200; ++x) page(85, x) = page(86, x) = page(87, x) = 1;  // a bar through the second
  const std::vector<PictureSegment> segments = segment_digits(painted(page, true));
  REQUIRE(segments.size() == 4);
  const std::size_t lefts[]{40, 160, 300, 200};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(std::abs(static_cast<double>(segments[i].left) - static_cast<double>(lefts[i])) < 4);
    if (i == 1) continue;
    CHECK(mean_difference(to_mnist_image(segments[i].picture), to_mnist_image(one)) < 2);
  }
  CHECK_ERROR(segment_digits({2, 2, 1, Bytes(3)}), ShapeError, "segment_digits: 3 numbers for 2 x 2 x 1");
}
