// What picture.hpp promises: files of all kinds, and the ink on them.
#include "catch.hpp"
#include "pictures.hpp"
#include "temporary_folder.hpp"

#include <digitnet/picture.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>

using namespace digitnet;
using namespace digitnet::test;
namespace fs = std::filesystem;

TEST_CASE("read_picture: PNG, JPEG and PGM, with their sizes and channels", "[picture]") {
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

TEST_CASE("read_picture: the kind of file is told by its content, not by its name", "[picture]") {
  const TemporaryFolder folder;
  const auto bytes = test::read_file(images_folder / "4-black-on-white.jpg");
  CHECK(read_picture(write_file(folder / "picture.png", bytes)).width == 160);
  CHECK(read_picture(write_file(folder / "picture", pgm(2, 1, {1, 2}))).pixels == Bytes{1, 2});
}

TEST_CASE("read_picture: pixels of PNG with 1 to 4 channels are as they were", "[picture]") {
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

TEST_CASE("read_picture: PGM with comments, other largest values and 16 bits; PPM", "[picture]") {
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

TEST_CASE("read_picture: what is no picture is told", "[picture][error]") {
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

TEST_CASE("read_picture: a missing file and a folder are told by the system", "[picture][error]") {
  const TemporaryFolder folder;
  CHECK_ERROR(read_picture(folder / "missing.png"), IoError,
              "read_picture: " + (folder / "missing.png").string() + ": cannot be opened: No such file");
  CHECK_ERROR(read_picture(folder.path()), IoError, "is a folder, expected a file");
}

TEST_CASE("read_picture: a file cut at any byte is never taken for whole", "[picture][error]") {
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

TEST_CASE("read_picture: any one bit of a PNG changed is told", "[picture][error]") {
  const TemporaryFolder folder;
  const Bytes whole = png({4, 3, 1, Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}});
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes bytes = whole;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1u << bit % 8));
    CAPTURE(bit / 8, bit % 8);
    CHECK_THROWS_AS(read_picture(write_file(folder / "damaged.png", bytes)), FormatError);
  }
}

TEST_CASE("read_picture: a changed byte gives an error or a picture, never anything else", "[picture][error]") {
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

TEST_CASE("read_picture: a header that claims a huge picture takes no memory", "[picture][error]") {
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

TEST_CASE("read_picture: PGM headers that make no sense are told", "[picture][error]") {
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

TEST_CASE("ink_of: darkness on a light ground, brightness on a dark one", "[picture]") {
  const Matrix<float> drawn = figure();
  CHECK((ink_of(painted(drawn, true)) == drawn));
  CHECK((ink_of(painted(drawn, false)) == drawn));
}

TEST_CASE("ink_of: the strongest ink is full ink, however faint it was", "[picture]") {
  Picture pencil = painted(figure(), true);
  for (std::uint8_t& value : pencil.pixels) value = value == 255 ? 200 : 120;  // dark grey on light grey
  CHECK((ink_of(pencil) == figure()));
}

TEST_CASE("ink_of: grey, grey with alpha, RGB and RGB with alpha say the same", "[picture]") {
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

TEST_CASE("ink_of: ink and ground may be of any two colours, also of the same brightness", "[picture]") {
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

TEST_CASE("ink_of: when the drawing is in the alpha channel alone, alpha is the ink", "[picture]") {
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

TEST_CASE("ink_of: transparent pixels are ground, on a light ground and on a dark one", "[picture]") {
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

TEST_CASE("ink_of: blank paper of any brightness, and a wholly transparent picture, have no ink", "[picture]") {
  for (const std::size_t channels : {1u, 2u, 3u, 4u}) {
    for (const std::uint8_t grey : Bytes{0, 60, 128, 200, 255}) {
      const Picture paper = with_channels({30, 20, 1, Bytes(600, grey)}, channels);
      CHECK((ink_of(paper) == zeros<float>({20, 30})));
      CHECK(is_blank(to_mnist_image(paper)));
    }
  }
  CHECK(is_blank(to_mnist_image(Picture{30, 20, 4, Bytes(2400, 0)})));
}

TEST_CASE("ink_of: the grain of paper is no ink", "[picture]") {
  Picture paper{40, 40, 1, Bytes(1600)};
  for (std::size_t i = 0; i < 1600; ++i) paper.pixels[i] = static_cast<std::uint8_t>(200 + i * 7 % 20);
  CHECK(is_blank(to_mnist_image(paper)));
}

TEST_CASE("ink_of: pictures of one pixel, one row and none", "[picture]") {
  for (const std::uint8_t grey : Bytes{0, 100, 255}) CHECK((ink_of({1, 1, 1, {grey}}) == zeros<float>({1, 1})));
  const Matrix<float> line = ink_of({5, 1, 1, {255, 255, 0, 255, 255}});
  CHECK((line == Matrix<float>{{0, 0, 1, 0, 0}}));
  CHECK(ink_of({0, 0, 1, {}}).size() == 0);
  CHECK(is_blank(to_mnist_image(Picture{0, 0, 1, {}})));
  CHECK(is_blank(to_mnist_image(Picture{0, 5, 3, {}})));
}

TEST_CASE("ink_of: sizes that do not fit the pixels are refused", "[picture][error]") {
  CHECK_ERROR(ink_of({2, 2, 1, Bytes(3)}), ShapeError,
              "ink_of: 3 numbers for 2 x 2 x 1, expected 1 to 4 channels and as many numbers");
  CHECK_ERROR(ink_of({2, 2, 0, {}}), ShapeError, "2 x 2 x 0");
  CHECK_ERROR(ink_of({1, 1, 5, Bytes(5)}), ShapeError, "1 x 1 x 5");
  CHECK_ERROR(to_mnist_image(Picture{2, 2, 3, Bytes(13)}), ShapeError, "13 numbers for 2 x 2 x 3");
}

namespace {

/// TIFF data with one entry, the orientation, in either order of bytes.
Bytes exif(std::uint8_t orientation, bool little = false) {
  if (little)
    return {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0};
  return {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0};
}

/// A PNG with a piece before its pixels.
Bytes with_piece(const Bytes& whole, const char* type, const Bytes& content) {
  return joined(
      {Bytes(whole.begin(), whole.begin() + 33), png_chunk(type, content), Bytes(whole.begin() + 33, whole.end())});
}

/// A JPEG with a segment APP1.
Bytes with_app1(const Bytes& whole, const Bytes& tiff) {
  const Bytes content = joined({bytes_of("Exif"), {0, 0}, tiff});
  const std::size_t length = content.size() + 2;
  return joined({{0xff, 0xd8, 0xff, 0xe1, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)},
                 content,
                 Bytes(whole.begin() + 2, whole.end())});
}

}  // namespace

TEST_CASE("read_picture: turned and mirrored as EXIF says", "[picture]") {
  const Picture stored{3, 2, 1, {1, 2, 3, 4, 5, 6}};
  const std::array<Bytes, 8> expected{Bytes{1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1},
                                      {4, 5, 6, 1, 2, 3},      {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3},
                                      {6, 3, 5, 2, 4, 1},      {3, 6, 2, 5, 1, 4}};
  const Bytes jpeg = test::read_file(images_folder / "4-black-on-white.jpg");
  for (std::uint8_t orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {false, true}) {
      CAPTURE(int{orientation}, little);
      const Picture read = read_picture(with_piece(png(stored), "eXIf", exif(orientation, little)));
      CHECK(read.width == (orientation >= 5 ? 2 : 3));
      CHECK(read.height == (orientation >= 5 ? 3 : 2));
      CHECK(read.pixels == expected[orientation - 1u]);
      const Picture photograph = read_picture(with_app1(jpeg, exif(orientation, little)));
      CHECK(photograph.pixels == detail::turned(read_picture(jpeg), orientation).pixels);
      CHECK(photograph.width == (orientation >= 5 ? 200 : 160));
    }
  }
}

TEST_CASE("read_picture: EXIF data that make no sense, or are cut short, turn nothing", "[picture]") {
  const Picture stored{3, 2, 1, {1, 2, 3, 4, 5, 6}};
  const Bytes jpeg = test::read_file(images_folder / "4-black-on-white.jpg");
  const Picture upright = read_picture(jpeg);
  const Bytes good = exif(6);
  const auto read = [&](const Bytes& tiff) { return read_picture(with_piece(png(stored), "eXIf", tiff)).pixels; };
  for (std::size_t length = 0; length < 22; ++length) {  // the entry ends there
    const Bytes part(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    CAPTURE(length);
    CHECK(read(part) == stored.pixels);
    CHECK(read_picture(with_app1(jpeg, part)).pixels == upright.pixels);
  }
  for (const std::uint8_t orientation : Bytes{0, 9, 255}) CHECK(read(exif(orientation)) == stored.pixels);
  Bytes far = good;
  far[4] = far[5] = far[6] = far[7] = 255;  // the table would be 4 GB further on
  CHECK(read(far) == stored.pixels);
  Bytes many = good;
  many[8] = many[9] = 255;
  many[11] = 0x13;  // 65535 entries of which there is one, of something else
  CHECK(read(many) == stored.pixels);
}

TEST_CASE("read_picture: bytes in memory are read as a file is", "[picture]") {
  for (const char* name : {"0-alpha-only.png", "4-black-on-white.jpg", "6-black-on-white.pgm"}) {
    const Picture file = read_picture(images_folder / name);
    const Picture memory = read_picture(test::read_file(images_folder / name), name);
    CHECK(memory.width == file.width);
    CHECK(memory.channels == file.channels);
    CHECK(memory.pixels == file.pixels);
  }
  CHECK_ERROR(
      read_picture(bytes_of("GIF89a"), "drawing.png"), FormatError,
      "read_picture: drawing.png: neither PNG, JPEG nor PGM, or damaged at its beginning; it seems to be GIF");
  CHECK_ERROR(read_picture(Bytes{}), FormatError, "read_picture: bytes: neither");
}

TEST_CASE("read_picture: of 16 bits the upper 8, or all that are used if those are few", "[picture]") {
  CHECK(detail::from_16_bits(std::array<std::uint16_t, 3>{0, 0x8000, 0xffff}, 3, 1, 1).pixels == Bytes{0, 128, 255});
  CHECK(detail::from_16_bits(std::array<std::uint16_t, 3>{1000, 1100, 1200}, 3, 1, 1).pixels == Bytes{0, 128, 255});
  CHECK(detail::from_16_bits(std::array<std::uint16_t, 2>{0x8000, 0x8000}, 2, 1, 1).pixels == Bytes{128, 128});
  // Alpha is not spread.
  CHECK(detail::from_16_bits(std::array<std::uint16_t, 4>{0, 0x8000, 255, 0xffff}, 2, 1, 2).pixels ==
        Bytes{0, 128, 255, 255});
}

TEST_CASE("ink_of: specks are left out, parts and gaps are not", "[picture]") {
  Matrix<float> drawn = figure();
  const Matrix<float> clean = drawn;
  for (const auto& [y, x] : {std::pair<std::size_t, std::size_t>{140, 5}, {5, 5}, {145, 195}}) drawn(y, x) = 1;
  CHECK((ink_of(painted(drawn, true)) == clean));
  Matrix<float> bar = clean;  // a crossbar of a twelfth of the ink, not far away
  for (std::size_t x = 85; x < 105; ++x) {
    for (std::size_t y = 60; y < 66; ++y) bar(y, x) = 1;
  }
  CHECK((ink_of(painted(bar, true)) == bar));
  Matrix<float> gaps = clean;
  for (std::size_t y = 40; y < 110; y += 20) {
    for (std::size_t x = 0; x < 200; ++x) gaps(y, x) = gaps(y + 1, x) = gaps(y + 2, x) = 0;
  }
  CHECK((ink_of(painted(gaps, true)) == gaps));
}
