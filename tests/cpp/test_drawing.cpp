// What drawing.hpp and the strokes of preprocess.hpp promise: files, images, limits, digits side by side.
#include "bytes.hpp"
#include "catch.hpp"
#include "temporary_folder.hpp"

#include <digitnet/drawing.hpp>
#include <digitnet/preprocess.hpp>

#include <sha256.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace digitnet;
using test::TemporaryFolder;
using test::write_file;
namespace fs = std::filesystem;

namespace {

const fs::path digits_file = fs::path(DIGITNET_TEST_DATA) / "strokes" / "digits.jsonl";

Drawing drawing_of(std::vector<Stroke> strokes) {
  Drawing drawing;
  drawing.strokes = std::move(strokes);
  return drawing;
}

/// Every point through a function.
template <class Change>
Drawing changed(Drawing drawing, Change change) {
  for (Stroke& stroke : drawing.strokes) {
    for (Point& point : stroke) point = change(point);
  }
  return drawing;
}

/// Each line of a stroke in `parts` equal ones.
Drawing denser(Drawing drawing, int parts) {
  for (Stroke& stroke : drawing.strokes) {
    Stroke dense;
    for (std::size_t i = 0; i + 1 < stroke.size(); ++i) {
      for (int k = 0; k < parts; ++k) {
        const double t = static_cast<double>(k) / parts;
        dense.push_back(
            {stroke[i].x + t * (stroke[i + 1].x - stroke[i].x), stroke[i].y + t * (stroke[i + 1].y - stroke[i].y)});
      }
    }
    dense.push_back(stroke.back());
    stroke = dense;
  }
  return drawing;
}

int largest_difference(const MnistImage& a, const MnistImage& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(int{a[i]} - int{b[i]}));
  return largest;
}

std::size_t pixels_with_ink(const MnistImage& image) {
  return image.size() - static_cast<std::size_t>(std::count(image.begin(), image.end(), 0));
}

/// Rows and columns between which there is more than half ink.
struct Extent {
  std::size_t left = mnist_side, top = mnist_side, right = 0, bottom = 0;
};
Extent extent(const MnistImage& image) {
  Extent found;
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (image[i] < 128) continue;
    found.left = std::min(found.left, i % mnist_side);
    found.right = std::max(found.right, i % mnist_side + 1);
    found.top = std::min(found.top, i / mnist_side);
    found.bottom = std::max(found.bottom, i / mnist_side + 1);
  }
  return found;
}

Point center_of_mass(const MnistImage& image) {
  double mass = 0, x = 0, y = 0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    mass += image[i];
    x += image[i] * (static_cast<double>(i % mnist_side) + 0.5);
    y += image[i] * (static_cast<double>(i / mnist_side) + 0.5);
  }
  return {x / mass, y / mass};
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("to_mnist_image: the ten digits are the same bytes everywhere", "[drawing][golden]") {
  detail::Sha256 sum;
  for (const Drawing& drawing : read_drawings(digits_file)) {
    const MnistImage image = to_mnist_image(drawing);
    sum.update(image);
  }
  CHECK(sum.finish() == "d63b83b63d2839412df0245f038dea2c217f22ae27409be335b02ceb5ed36e79");
}

TEST_CASE("to_mnist_image: ink fills a box of 20, its centre of mass is in the middle of pixel (14, 14)",
          "[drawing]") {
  for (const Drawing& drawing : read_drawings(digits_file)) {
    const MnistImage image = to_mnist_image(drawing);
    const Extent box = extent(image);
    const std::size_t longer = std::max(box.right - box.left, box.bottom - box.top);
    CHECK(longer >= 19);
    CHECK(longer <= 21);
    CHECK(std::abs(center_of_mass(image).x - 14.5) < 0.15);
    CHECK(std::abs(center_of_mass(image).y - 14.5) < 0.15);
  }
}

TEST_CASE("to_mnist_image: place and unit do not matter", "[drawing][invariance]") {
  for (Drawing drawing : read_drawings(digits_file)) {
    const MnistImage image = to_mnist_image(drawing);
    CHECK(to_mnist_image(changed(drawing, [](Point p) { return Point{p.x + 1024, p.y - 77}; })) == image);
    const auto scaled = [&](double by) {
      Drawing result = changed(drawing, [by](Point p) { return Point{by * p.x, by * p.y}; });
      result.width *= by;
      result.height *= by;
      result.brush *= by;
      return result;
    };
    CHECK(to_mnist_image(scaled(0.25)) == image);
    CHECK(to_mnist_image(scaled(65536)) == image);
    CHECK(largest_difference(to_mnist_image(scaled(0.3)), image) <= 1);
    CHECK(largest_difference(to_mnist_image(scaled(1e-30)), image) <= 1);
    CHECK(largest_difference(to_mnist_image(scaled(1e6)), image) <= 1);
    drawing.brush = 40;  // a thick brush is drawn as a thin one is
    CHECK(to_mnist_image(drawing) == image);
    drawing.brush = drawing.width = drawing.height = 0;
    CHECK(to_mnist_image(drawing) == image);
  }
}

TEST_CASE("to_mnist_image: order, direction, density and repetition of points do not matter",
          "[drawing][invariance]") {
  for (const Drawing& drawing : read_drawings(digits_file)) {
    const MnistImage image = to_mnist_image(drawing);
    Drawing other = drawing;
    std::reverse(other.strokes.begin(), other.strokes.end());
    CHECK(to_mnist_image(other) == image);
    for (Stroke& stroke : other.strokes) std::reverse(stroke.begin(), stroke.end());
    CHECK(to_mnist_image(other) == image);
    for (const int parts : {2, 7, 50}) CHECK(largest_difference(to_mnist_image(denser(drawing, parts)), image) <= 1);
    other = drawing;
    for (Stroke& stroke : other.strokes) stroke.insert(stroke.begin() + 1, 3, stroke.front());
    other.strokes.insert(other.strokes.begin(), Stroke{});
    other.strokes.push_back(drawing.strokes.front());
    CHECK(to_mnist_image(other) == image);
  }
}

TEST_CASE("to_mnist_image: no points, no ink", "[drawing]") {
  CHECK(to_mnist_image(Drawing{}) == MnistImage{});
  CHECK(to_mnist_image(drawing_of({{}, {}})) == MnistImage{});
}

TEST_CASE("to_mnist_image: a dot stays one", "[drawing]") {
  const MnistImage dot = to_mnist_image(drawing_of({{{123, 45}}}));
  CHECK(pixels_with_ink(dot) <= 13);
  CHECK(dot[14 * mnist_side + 14] == 255);
  CHECK(to_mnist_image(drawing_of({{{7, 7}, {7, 7}, {7, 7}}})) == dot);
  Drawing tap = drawing_of({{{200, 200}, {201, 200}, {201, 201}}});  // a trembling hand
  tap.width = tap.height = 400;
  const Extent on_canvas = extent(to_mnist_image(tap));
  CHECK(std::max(on_canvas.right - on_canvas.left, on_canvas.bottom - on_canvas.top) <= 6);
  tap.width = tap.height = 0;
  tap.brush = 20;
  const Extent with_brush = extent(to_mnist_image(tap));
  CHECK(std::max(with_brush.right - with_brush.left, with_brush.bottom - with_brush.top) <= 6);
}

TEST_CASE("to_mnist_image: straight lines keep their direction", "[drawing]") {
  const Extent upright = extent(to_mnist_image(drawing_of({{{5, 10}, {5, 90}}})));
  CHECK(upright.bottom - upright.top >= 19);
  CHECK(upright.right - upright.left <= 3);
  const Extent level = extent(to_mnist_image(drawing_of({{{-3, 7}, {4, 7}, {1, 7}}})));
  CHECK(level.right - level.left >= 19);
  CHECK(level.bottom - level.top <= 3);
}

TEST_CASE("to_mnist_image: a tap far from the digit is left out, the bar of a 5 is not", "[drawing]") {
  std::vector<Drawing> digits = read_drawings(digits_file);
  for (const Drawing& drawing : digits) {
    Drawing tapped = drawing;
    tapped.strokes.push_back({{295, 395}, {296, 396}});
    CHECK(to_mnist_image(tapped) == to_mnist_image(drawing));
  }
  Drawing five = digits[5];
  five.strokes.pop_back();
  CHECK(to_mnist_image(five) != to_mnist_image(digits[5]));
  Drawing dotted;  // a 1 of dots is no digit and accidents around it
  for (int y = 0; y < 10; ++y) dotted.strokes.push_back({{10.0, 10.0 * y}});
  const Extent box = extent(to_mnist_image(dotted));
  CHECK(box.bottom - box.top >= 19);
}

TEST_CASE("to_mnist_image: a thicker pen gives more ink within the same box", "[drawing]") {
  const Drawing three = read_drawings(digits_file)[3];
  CHECK(to_mnist_image(three, 2.3) == to_mnist_image(three));
  CHECK(pixels_with_ink(to_mnist_image(three, 4)) > pixels_with_ink(to_mnist_image(three, 1.5)));
  CHECK_ERROR(to_mnist_image(three, 0.4), ArgumentError, "to_mnist_image: a pen of 0.4 pixels, expected 0.5 to 8");
  CHECK_ERROR(to_mnist_image(three, not_a_number), ArgumentError, "a pen of nan pixels");
}

TEST_CASE("to_mnist_image: wrong numbers are named by stroke and point", "[drawing][error]") {
  CHECK_ERROR(to_mnist_image(drawing_of({{{1, 2}}, {{1, 2}, {not_a_number, 2}}})), ArgumentError,
              "to_mnist_image: stroke 1, point 1: x is nan, expected a number within 1e+09 of 0");
  CHECK_ERROR(to_mnist_image(drawing_of({{{1, infinite}}})), ArgumentError, "stroke 0, point 0: y is inf");
  CHECK_ERROR(to_mnist_image(drawing_of({{{1, -1e300}}})), ArgumentError, "stroke 0, point 0: y is -1e+300");
  Drawing drawing = drawing_of({{{1, 2}}});
  drawing.width = -1;
  CHECK_ERROR(to_mnist_image(drawing), ArgumentError, "to_mnist_image: width is -1, expected 0 to 1e+09");
  drawing.width = 0;
  drawing.brush = not_a_number;
  CHECK_ERROR(to_mnist_image(drawing), ArgumentError, "brush is nan");
}

TEST_CASE("to_mnist_image: a million points are taken, more are not", "[drawing][limits]") {
  Drawing drawing = drawing_of({Stroke(most_drawing_points)});
  Stroke& stroke = drawing.strokes.front();
  for (std::size_t i = 0; i < stroke.size(); ++i) {  // a 7 of very many points
    const double t = static_cast<double>(i) / static_cast<double>(stroke.size() - 1);
    stroke[i] = t < 0.4 ? Point{t * 250, 0} : Point{100 - (t - 0.4) * 100, (t - 0.4) * 300};
  }
  const MnistImage image = to_mnist_image(drawing_of({{{0, 0}, {100, 0}, {40, 180}}}));
  CHECK(largest_difference(to_mnist_image(drawing), image) <= 1);
  stroke.push_back({});
  CHECK_ERROR(to_mnist_image(drawing), ArgumentError, "1000001 points, expected at most 1000000");
  drawing.strokes.assign(most_drawing_strokes, {{1, 1}, {2, 5}});
  CHECK(pixels_with_ink(to_mnist_image(drawing)) > 0);
  drawing.strokes.emplace_back();
  CHECK_ERROR(to_mnist_image(drawing), ArgumentError, "100001 strokes, expected at most 100000");
}

TEST_CASE("read_drawings: lines, lists and one document", "[drawing][file]") {
  const TemporaryFolder folder;
  const auto read = [&](std::string_view content) { return read_drawings(write_file(folder / "file", content)); };
  Drawing expected = drawing_of({{{1, 2}, {3.5, -4e1}}, {}});
  expected.label = 7;
  expected.brush = 3;
  expected.width = 400;
  const std::string line =
      R"({"label": 7, "part": "all", "x": {"label": [1, {}]}, "strokes": [[[1, 2], [3.5, -4e1]], []], "brush": 3, )"
      R"("width": 400, "height": null})";
  CHECK(read(line) == std::vector{expected});
  CHECK(read("\xEF\xBB\xBF" + line + "\r\n\r\n  \n" + line) == std::vector{expected, expected});
  CHECK(read("[[[1, 2]], []]\n[]\n") == std::vector{drawing_of({{{1, 2}}, {}}), Drawing{}});
  CHECK(read("{\n\"strokes\":\n[[[1,\n2]]]}\n") == std::vector{drawing_of({{{1, 2}}})});
  CHECK(read("[\n[[1, 2]]\n]") == std::vector{drawing_of({{{1, 2}}})});
  CHECK(read("[" + line + ",\n" + line + "]") == std::vector{expected, expected});
  CHECK(read("").empty());
  CHECK(read_drawings(digits_file).size() == 10);
  CHECK(read_drawings(digits_file)[5].strokes.size() == 2);
}

TEST_CASE("read_drawings: what breaks a rule is named with its line", "[drawing][file][error]") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& content, const std::string& part) {
    const fs::path file = write_file(folder / "file", content);
    CHECK_ERROR(read_drawings(file), FormatError, part);
  };
  const std::string good = "{\"strokes\": [[[1, 2]]]}\n";
  refused(good + "{\"strokes\": [[[1, 2]]}\n", "file: line 2: byte 21 is not as JSON should be");
  refused(good + good + "{\"strokes\": [[[1, 2", "line 3: byte");
  refused(good + "{}", "line 2: a drawing without \"strokes\"");
  refused(good + "7", "line 2: 7, expected a drawing, {\"strokes\": ...}, or a list of strokes");
  refused("{\"strokes\": 5}", "line 1: \"strokes\" is 5, expected [[[x, y], ...], ...]");
  refused("{\"strokes\": null}", "\"strokes\" is null");
  refused("{\"strokes\": [5]}", "stroke 0 is 5, expected a list of points");
  refused("{\"strokes\": [[[1, 2]], [[3, 4], 5]]}", "stroke 1, point 1: 5, expected two numbers, [x, y]");
  refused("[[[1, 2, 3]]]", "stroke 0, point 0: a point of 3 numbers, expected two numbers");
  refused("[[[1]]]", "a point of 1 numbers");
  refused("[[[1, \"a\"]]]", "stroke 0, point 0: \"a\", expected two numbers");
  refused("[[[1, 1e300]]]", "stroke 0, point 0: y is 1e+300, expected a number within 1e+09 of 0");
  refused("[[[1, 1e999]]]", "line 1: a number out of range");
  refused("[[[NaN, 1]]]", "line 1: byte 3 is not as JSON should be");
  refused("[1, 2]", "line 1: 1 in the list, expected a stroke, [[x, y], ...]");
  refused("[[[1, 2]], {\"strokes\": []}]", "an object in the list, expected a stroke");
  refused("[{\"strokes\": []}, []]", "a list in the list, expected a drawing");
  refused("{\"label\": 256, \"strokes\": []}", "\"label\" is 256, expected a whole number from 0 to 255");
  refused("{\"label\": 1.5, \"strokes\": []}", "\"label\" is 1.5");
  refused("{\"label\": \"x\", \"strokes\": []}", "\"label\" is \"x\"");
  refused("{\"brush\": -1, \"strokes\": []}", "\"brush\" is -1, expected a number of at least 0");
  refused("{\"strokes\": [], \"strokes\": []}", "the key \"strokes\" stands twice");
  refused(std::string("[[[1, 2]]]\0", 11), "line 1: byte 10 is not as JSON should be");
  refused("{\"a\": " + std::string(100000, '['), "nested deeper than 64 levels");
  refused(std::string(100, '[') + std::string(100, ']'), "expected");
  refused("no JSON", "line 1: byte");
  refused(good + "[[[1, 2]]] x", "line 2: byte");
  CHECK_ERROR(read_drawings(folder / "missing"), IoError, "read_drawings: ");
}

TEST_CASE("write_drawings: comes back as it was, plain and packed", "[drawing][file]") {
  const TemporaryFolder folder;
  std::vector<Drawing> drawings = read_drawings(digits_file);
  drawings.push_back(drawing_of({{{0.1, 1.0 / 3}, {-1e9, 5e-324}}, {}}));
  drawings.emplace_back();
  for (const char* name : {"plain.jsonl", "packed.jsonl.gz"}) {
    write_drawings(folder / name, drawings);
    CHECK(read_drawings(folder / name) == drawings);
  }
  test::Bytes packed = test::read_file(folder / "packed.jsonl.gz");
  CHECK(packed[0] == 0x1f);
  packed.resize(packed.size() / 2);
  CHECK_ERROR(read_drawings(write_file(folder / "cut.gz", packed)), FormatError, "the file is cut short");
  drawings[0].strokes[0][0].x = not_a_number;
  CHECK_ERROR(write_drawings(folder / "nan", drawings), ArgumentError, "write_drawings: stroke 0, point 0: x is nan");
  CHECK(folder.names() == std::set<std::string>{"cut.gz", "packed.jsonl.gz", "plain.jsonl"});
}

TEST_CASE("load_drawings: a Dataset of the same images", "[drawing][file]") {
  const Dataset data = load_drawings(digits_file);
  const std::vector<Drawing> drawings = read_drawings(digits_file);
  REQUIRE(data.size() == 10);
  CHECK(data.rows() == mnist_side);
  for (std::size_t i = 0; i < data.size(); ++i) {
    CHECK(data.label(i) == i);
    const MnistImage image = to_mnist_image(drawings[i]);
    CHECK(std::equal(image.begin(), image.end(), data.pixels(i).begin()));
  }
  const TemporaryFolder folder;
  const fs::path unlabelled = write_file(folder / "file", "{\"label\": 1, \"strokes\": []}\n[]\n");
  CHECK_ERROR(load_drawings(unlabelled), FormatError, "load_drawings: " + unlabelled.string() + ": line 2: ");
  CHECK_ERROR(load_drawings(digits_file, 5), FormatError, "line 6: label 5, expected 0 to 4");
  CHECK_ERROR(load_drawings(digits_file, 1), ArgumentError, "1 classes, expected 2 to 256");
  CHECK_ERROR(load_drawings(digits_file, 10, 9), ArgumentError, "load_drawings: a pen of 9 pixels");
}

TEST_CASE("segment_digits: digits side by side come apart, strokes of one do not", "[drawing][segment]") {
  const std::vector<Drawing> digits = read_drawings(digits_file);
  Drawing row;
  row.brush = 14;
  const auto add = [&](std::size_t digit, double x) {
    for (Stroke stroke : digits[digit].strokes) {
      for (Point& point : stroke) point.x += x;
      row.strokes.push_back(stroke);
    }
  };
  const std::vector<std::size_t> number{1, 0, 7, 5, 4};
  for (std::size_t i = 0; i < number.size(); ++i) add(number[i], 170.0 * static_cast<double>(i));
  const auto check = [&](const Drawing& drawing) {
    const std::vector<Drawing> parts = segment_digits(drawing);
    REQUIRE(parts.size() == number.size());
    for (std::size_t i = 0; i < number.size(); ++i) {
      CHECK(to_mnist_image(parts[i]) == to_mnist_image(digits[number[i]]));
      CHECK(parts[i].brush == 14);
    }
  };
  check(row);
  std::reverse(row.strokes.begin(), row.strokes.end());  // written from right to left
  check(row);
  row.strokes.emplace_back();
  check(row);
  CHECK(segment_digits(Drawing{}).empty());
  for (const Drawing& digit : digits) CHECK(segment_digits(digit).size() == 1);
  row.strokes.assign(201, {{1, 1}});
  CHECK_ERROR(segment_digits(row), ArgumentError, "segment_digits: 201 strokes, expected at most 200");
  CHECK_ERROR(segment_digits(drawing_of({{{infinite, 0}}})), ArgumentError, "segment_digits: stroke 0, point 0");
}
