#include <digitnet/drawing.hpp>

#include "byte_source.hpp"
#include "file_writer.hpp"
#include "strict_json.hpp"
#include "stroke_image.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace digitnet {
namespace {

using detail::text;
namespace fs = std::filesystem;

/// The longest text of one JSON value, and the most drawings and points in a file. An empty stroke takes memory, too,
/// so each stroke counts as some points.
constexpr std::size_t longest_value = 64u << 20;
constexpr std::size_t most_drawings_in_file = 1'000'000;
constexpr std::size_t most_points_in_file = 64u << 20;
constexpr std::size_t points_of_a_stroke = 16;

/// Whether a coordinate is one; also false if it is not a number.
bool is_coordinate(double value) { return std::abs(value) <= largest_coordinate; }

/// How much of a file has been read.
struct Totals {
  std::size_t drawings = 0;
  std::size_t points = 0;
};

/// JSON of drawings, taken in as it is parsed: nothing is kept but what belongs to them, within the limits.
class DrawingParser : public nlohmann::json_sax<nlohmann::json> {
 public:
  DrawingParser(const std::string& prefix, std::vector<Drawing>& drawings, Totals& totals)
      : prefix_(prefix), drawings_(drawings), totals_(totals) {}

  bool null() override {
    if (!ignoring() && (level_ != Level::drawing || key_ == Key::strokes)) fail("null");
    return true;
  }
  bool boolean(bool value) override { return ignoring() || fail(value ? "true" : "false"); }
  bool string(std::string& value) override { return ignoring() || fail('"' + detail::shortened(value) + '"'); }
  bool binary(binary_t&) override { return fail("binary data"); }
  bool number_integer(std::int64_t value) override { return number(static_cast<double>(value)); }
  bool number_unsigned(std::uint64_t value) override { return number(static_cast<double>(value)); }
  bool number_float(double value, const std::string&) override { return number(value); }

  bool start_object(std::size_t) override {
    enter();
    if (ignoring()) {
      ++ignored_;
    } else if (level_ == Level::document || level_ == Level::list) {
      if (level_ == Level::list) in_list_ = true;  // of drawings, then
      if (level_ == Level::list && !drawings_in_list_) require_no_strokes();
      begin_drawing();
      level_ = Level::drawing;
      key_ = Key::none;
      seen_ = {};
    } else {
      fail("an object");
    }
    return true;
  }

  bool key(std::string& name) override {
    if (ignored_ > 0) return true;
    constexpr std::array<std::string_view, 5> names{"label", "strokes", "width", "height", "brush"};
    const auto found = std::find(names.begin(), names.end(), name);
    key_ = found == names.end() ? Key::other : static_cast<Key>(found - names.begin());
    if (key_ != Key::other && std::exchange(seen_[static_cast<std::size_t>(key_)], true)) {
      throw FormatError(text(prefix_, "the key \"", name, "\" stands twice in one object"));
    }
    return true;
  }

  bool end_object() override {
    --depth_;
    if (ignored_ > 0) {
      --ignored_;
      return true;
    }
    if (!seen_[static_cast<std::size_t>(Key::strokes)]) {
      throw FormatError(prefix_ + "a drawing without \"strokes\", expected [[[x, y], ...], ...]");
    }
    level_ = in_list_ ? Level::list : Level::document;
    return true;
  }

  bool start_array(std::size_t) override {
    enter();
    if (ignoring()) {
      ++ignored_;
    } else if (level_ == Level::document) {
      level_ = Level::list;  // of strokes or of drawings: what comes next tells
    } else if (level_ == Level::drawing && key_ == Key::strokes) {
      level_ = Level::strokes;
    } else if (level_ == Level::strokes || (level_ == Level::list && !drawings_in_list_)) {
      if (level_ == Level::list) {
        if (!bare_) begin_drawing();
        bare_ = true;
      }
      begin_stroke();
      level_ = Level::stroke;
    } else if (level_ == Level::stroke) {
      level_ = Level::point;
      numbers_ = 0;
    } else {
      fail("a list");
    }
    return true;
  }

  bool end_array() override {
    --depth_;
    if (ignored_ > 0) {
      --ignored_;
      return true;
    }
    if (level_ == Level::point) {
      if (numbers_ != 2) fail(text("a point of ", numbers_, " numbers"));
      drawings_.back().strokes.back().push_back(point_);
      if (++points_ > most_drawing_points) too_many("points", most_drawing_points);
      count_points(1);
      level_ = Level::stroke;
    } else if (level_ == Level::stroke) {
      level_ = bare_ ? Level::list : Level::strokes;
    } else if (level_ == Level::strokes) {
      level_ = Level::drawing;
    } else {  // a list: empty, it is a drawing without strokes
      if (!bare_ && !drawings_in_list_) begin_drawing();
      level_ = Level::document;
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    if (error.id == 406) throw FormatError(prefix_ + "a number out of range");
    throw FormatError(text(prefix_, "byte ", position == 0 ? 0 : position - 1, " is not as JSON should be"));
  }

 private:
  enum class Level { document, list, drawing, strokes, stroke, point };
  enum class Key { label, strokes, width, height, brush, other, none };

  /// Whether what comes now belongs to a key that nobody asked for.
  bool ignoring() const { return ignored_ > 0 || (level_ == Level::drawing && key_ == Key::other); }

  void enter() {
    if (++depth_ > detail::deepest_json) {
      throw FormatError(text(prefix_, "nested deeper than ", detail::deepest_json, " levels"));
    }
  }

  void require_no_strokes() {
    if (bare_) fail("an object");
    drawings_in_list_ = true;
  }

  void count_points(std::size_t points) {
    if ((totals_.points += points) <= most_points_in_file) return;
    throw FormatError(text(prefix_, "more than ", most_points_in_file, " points so far, expected at most as many"));
  }

  void begin_drawing() {
    if (++totals_.drawings > most_drawings_in_file) {
      throw FormatError(
          text(prefix_, "more than ", most_drawings_in_file, " drawings so far, expected at most as many"));
    }
    drawings_.emplace_back();
    points_ = 0;
  }

  void begin_stroke() {
    drawings_.back().strokes.emplace_back();
    if (drawings_.back().strokes.size() > most_drawing_strokes) too_many("strokes", most_drawing_strokes);
    count_points(points_of_a_stroke);
  }

  bool number(double value) {
    if (ignoring()) return true;
    if (level_ == Level::point) {
      if (!is_coordinate(value)) {
        throw FormatError(text(prefix_, place(), numbers_ == 0 ? ": x is " : ": y is ", value,
                               ", expected a number within ", largest_coordinate, " of 0"));
      }
      if (numbers_ < 2) (numbers_ == 0 ? point_.x : point_.y) = value;
      ++numbers_;
    } else if (level_ == Level::drawing && key_ == Key::label) {
      if (!(value >= 0 && value <= 255 && value == std::floor(value))) fail(text(value));
      drawings_.back().label = static_cast<std::uint8_t>(value);
    } else if (level_ == Level::drawing && key_ < Key::other && key_ != Key::strokes) {
      if (!(value >= 0 && is_coordinate(value))) fail(text(value));
      Drawing& drawing = drawings_.back();
      (key_ == Key::width ? drawing.width : key_ == Key::height ? drawing.height : drawing.brush) = value;
    } else {
      fail(text(value));
    }
    return true;
  }

  /// "stroke 2, point 17", of what is read now.
  std::string place() const {
    const std::vector<Stroke>& strokes = drawings_.back().strokes;
    return text("stroke ", strokes.size() - 1, ", point ", strokes.back().size());
  }

  [[noreturn]] void too_many(const char* what, std::size_t limit) const {
    throw FormatError(text(prefix_, "a drawing of more than ", limit, ' ', what, ", expected at most as many"));
  }

  /// Says what was found in place of what. Returns as the events do, for their convenience only.
  bool fail(const std::string& found) const {
    switch (level_) {
      case Level::document:
        throw FormatError(text(prefix_, found, ", expected a drawing, {\"strokes\": ...}, or a list of strokes"));
      case Level::list:
        throw FormatError(text(prefix_, found, " in the list, expected ",
                               drawings_in_list_ ? "a drawing" : "a stroke, [[x, y], ...]"));
      case Level::drawing: break;
      case Level::strokes:
        throw FormatError(text(prefix_, "stroke ", drawings_.back().strokes.size(), " is ", found,
                               ", expected a list of points, [[x, y], ...]"));
      case Level::stroke:
      case Level::point: throw FormatError(text(prefix_, place(), ": ", found, ", expected two numbers, [x, y]"));
    }
    constexpr std::array<std::string_view, 5> expected{
        "\"label\" is ; a whole number from 0 to 255", "\"strokes\" is ; [[[x, y], ...], ...]",
        "\"width\" is ; a number of at least 0", "\"height\" is ; a number of at least 0",
        "\"brush\" is ; a number of at least 0"};
    const std::string_view line = expected[std::min<std::size_t>(static_cast<std::size_t>(key_), 4)];
    const std::size_t cut = line.find(';');
    throw FormatError(text(prefix_, line.substr(0, cut), found, ", expected", line.substr(cut + 1)));
  }

  const std::string& prefix_;
  std::vector<Drawing>& drawings_;
  Totals& totals_;
  Level level_ = Level::document;
  Key key_ = Key::none;
  std::array<bool, 5> seen_{};  // keys of the drawing that is open
  int depth_ = 0;
  int ignored_ = 0;       // open brackets in a value that nobody asked for
  bool in_list_ = false;  // drawings stand in a list
  bool drawings_in_list_ = false;
  bool bare_ = false;        // the list is one of strokes, without a drawing around it
  std::size_t points_ = 0;   // of the drawing that is open
  std::size_t numbers_ = 0;  // of the point that is open
  Point point_;
};

/// Whether the first value of a text ends within it: as many brackets closed as opened.
bool is_whole_value(std::string_view line) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if ((c == ']' || c == '}') && depth > 0 && --depth == 0) {
      return true;
    }
  }
  return depth == 0 && !quoted;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == line.npos; }

/// The lines of a file, none longer than longest_value.
class Lines {
 public:
  Lines(const char* where, const fs::path& path) : source_(where, path), buffer_(1 << 16) {}

  const std::string& prefix() const { return source_.prefix(); }

  /// Adds the next line to `line`, with what ends it; false at the end of the file.
  bool append(std::string& line) {
    const std::size_t before = line.size();
    while (true) {
      if (rest_.empty()) {
        const std::size_t count = source_.read(buffer_);
        rest_ = {reinterpret_cast<const char*>(buffer_.data()), count};
        if (count == 0) return line.size() > before;
      }
      const std::size_t end = rest_.find('\n');
      const std::size_t count = end == rest_.npos ? rest_.size() : end + 1;
      if (line.size() + count > longest_value) {
        throw FormatError(text(prefix(), "a line or drawing of more than ", longest_value,
                               " bytes, expected at most as many; is this a file of strokes?"));
      }
      line.append(rest_.substr(0, count));
      rest_.remove_prefix(count);
      if (end != rest_.npos) return true;
    }
  }

 private:
  detail::ByteSource source_;
  std::vector<std::uint8_t> buffer_;
  std::string_view rest_;
};

using Take = std::function<void(const std::string& prefix, Drawing drawing)>;

void parse_drawings(const std::string& prefix, std::string_view json, Totals& totals, const Take& take) {
  if (const std::size_t zero = json.find('\0'); zero != json.npos) {  // the parser would take it for the end
    throw FormatError(text(prefix, "byte ", zero, " is not as JSON should be"));
  }
  std::vector<Drawing> drawings;
  DrawingParser parser(prefix, drawings, totals);
  nlohmann::json::sax_parse(json.begin(), json.end(), &parser);
  for (Drawing& drawing : drawings) take(prefix, std::move(drawing));
}

/// Calls `take` for each drawing of a file, as soon as it is read.
void for_each_drawing(const char* where, const fs::path& path, const Take& take) {
  Lines lines(where, path);
  Totals totals;
  std::string line;
  bool first = true;
  for (std::size_t number = 1; lines.append(line); ++number, line.clear()) {
    std::string_view json = line;
    if (number == 1 && json.starts_with("\xEF\xBB\xBF")) json.remove_prefix(3);  // a byte order mark
    if (is_blank(json)) continue;
    if (std::exchange(first, false) && !is_whole_value(json)) {  // one document over several lines
      const std::size_t skipped = line.size() - json.size();
      while (lines.append(line)) {
      }
      return parse_drawings(lines.prefix(), std::string_view(line).substr(skipped), totals, take);
    }
    parse_drawings(text(lines.prefix(), "line ", number, ": "), json, totals, take);
  }
}

}  // namespace

void require_valid(const char* where, const Drawing& drawing) {
  const auto require_size = [&](const char* what, double value) {
    if (!(value >= 0 && value <= largest_coordinate)) {
      throw ArgumentError(
          text(where, ": ", what, " is ", value, ", expected 0 to ", largest_coordinate, " (0 if unknown)"));
    }
  };
  require_size("width", drawing.width);
  require_size("height", drawing.height);
  require_size("brush", drawing.brush);
  if (drawing.strokes.size() > most_drawing_strokes) {
    throw ArgumentError(
        text(where, ": ", drawing.strokes.size(), " strokes, expected at most ", most_drawing_strokes));
  }
  std::size_t points = 0;
  for (const Stroke& stroke : drawing.strokes) points += stroke.size();
  if (points > most_drawing_points) {
    throw ArgumentError(text(where, ": ", points, " points, expected at most ", most_drawing_points));
  }
  for (const Stroke& stroke : drawing.strokes) {
    for (const Point& point : stroke) {
      if (is_coordinate(point.x) && is_coordinate(point.y)) continue;
      const bool x_is_wrong = !is_coordinate(point.x);
      throw ArgumentError(text(where, ": stroke ", &stroke - drawing.strokes.data(), ", point ",
                               &point - stroke.data(), ": ", x_is_wrong ? "x" : "y", " is ",
                               x_is_wrong ? point.x : point.y, ", expected a number within ", largest_coordinate,
                               " of 0"));
    }
  }
}

std::vector<Drawing> read_drawings(const fs::path& path) {
  std::vector<Drawing> drawings;
  for_each_drawing("read_drawings", path,
                   [&](const std::string&, Drawing drawing) { drawings.push_back(std::move(drawing)); });
  return drawings;
}

void write_drawings(const fs::path& path, std::span<const Drawing> drawings) {
  for (const Drawing& drawing : drawings) require_valid("write_drawings", drawing);
  detail::PackedWriter file("write_drawings", path);
  for (const Drawing& drawing : drawings) {
    std::string line = drawing.label ? text("{\"label\":", *drawing.label, ",") : std::string("{");
    const auto add_number = [&line](double value) {  // the fewest digits that give the same number again
      if (value == 0 && std::signbit(value)) {       // "-0" is the whole number 0
        line += "-0.0";
        return;
      }
      std::array<char, 32> digits{};
      line.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
    };
    const auto add_size = [&](const char* name, double value) {
      if (value == 0) return;
      add_number((line += text('"', name, "\":"), value));
      line += ',';
    };
    add_size("width", drawing.width);
    add_size("height", drawing.height);
    add_size("brush", drawing.brush);
    line += "\"strokes\":[";
    for (const Stroke& stroke : drawing.strokes) {
      line += &stroke == drawing.strokes.data() ? "[" : ",[";
      for (const Point& point : stroke) {
        line += &point == stroke.data() ? "[" : ",[";
        add_number(point.x);
        line += ',';
        add_number(point.y);
        line += ']';
      }
      line += ']';
    }
    line += "]}\n";
    file.write({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
  }
  file.commit();
}

std::vector<Drawing> segment_digits(const Drawing& drawing) {
  require_valid("segment_digits", drawing);
  struct Piece {
    std::vector<std::size_t> strokes;
    double left, right;
  };
  std::vector<Piece> pieces;
  double top = largest_coordinate;
  double bottom = -largest_coordinate;
  for (std::size_t i = 0; i < drawing.strokes.size(); ++i) {
    if (drawing.strokes[i].empty()) continue;
    Piece piece{{i}, largest_coordinate, -largest_coordinate};
    for (const Point& point : drawing.strokes[i]) {
      piece.left = std::min(piece.left, point.x);
      piece.right = std::max(piece.right, point.x);
      top = std::min(top, point.y);
      bottom = std::max(bottom, point.y);
    }
    pieces.push_back(std::move(piece));
  }
  if (pieces.size() > most_segment_strokes) {
    throw ArgumentError(text("segment_digits: ", pieces.size(), " strokes, expected at most ", most_segment_strokes));
  }
  // A vertical line has no width to share a part of; within another piece it shares all.
  const auto overlap = [&](const Piece& a, const Piece& b) {
    const double shared = std::min(a.right, b.right) - std::max(a.left, b.left);
    const double narrower = std::min(a.right - a.left, b.right - b.left);
    if (shared < 0) return -1.0;
    return shared >= narrower ? 1.0 : shared / std::max(narrower, 0.1 * (bottom - top));
  };
  while (true) {  // the two that share most become one
    double best = segment_overlap;
    std::size_t first = pieces.size();
    std::size_t second = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      for (std::size_t j = i + 1; j < pieces.size(); ++j) {
        const double shared = overlap(pieces[i], pieces[j]);
        if (shared < best || (shared == best && first < pieces.size())) continue;
        best = shared;
        first = i;
        second = j;
      }
    }
    if (first == pieces.size()) break;
    Piece& kept = pieces[first];
    const Piece& joined = pieces[second];
    kept.strokes.insert(kept.strokes.end(), joined.strokes.begin(), joined.strokes.end());
    kept.left = std::min(kept.left, joined.left);
    kept.right = std::max(kept.right, joined.right);
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(second));
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.left + a.right < b.left + b.right; });
  std::vector<Drawing> digits;
  for (Piece& piece : pieces) {
    std::sort(piece.strokes.begin(), piece.strokes.end());
    Drawing& digit = digits.emplace_back();
    digit.width = drawing.width;
    digit.height = drawing.height;
    digit.brush = drawing.brush;
    for (const std::size_t stroke : piece.strokes) digit.strokes.push_back(drawing.strokes[stroke]);
  }
  return digits;
}

Dataset load_drawings(const fs::path& path, std::size_t classes, double pen_diameter) {
  detail::require_pen("load_drawings", pen_diameter);
  if (classes < 2 || classes > 256) {
    throw ArgumentError(text("load_drawings: ", classes, " classes, expected 2 to 256"));
  }
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
  for_each_drawing("load_drawings", path, [&](const std::string& prefix, const Drawing& drawing) {
    if (!drawing.label) throw FormatError(prefix + "a drawing without \"label\", expected one to learn from");
    if (*drawing.label >= classes) {
      throw FormatError(text(prefix, "label ", *drawing.label, ", expected 0 to ", classes - 1));
    }
    const MnistImage image = to_mnist_image(drawing, pen_diameter);
    pixels.insert(pixels.end(), image.begin(), image.end());
    labels.push_back(*drawing.label);
  });
  Images images = Images::from_shape({labels.size(), mnist_side, mnist_side});
  std::copy(pixels.begin(), pixels.end(), images.begin());
  Labels numbers = Labels::from_shape({labels.size()});
  std::copy(labels.begin(), labels.end(), numbers.begin());
  return {std::move(images), std::move(numbers), classes};
}

}  // namespace digitnet
