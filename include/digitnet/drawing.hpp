// drawing.hpp: what a pen drew, as lines through points, and the files of such drawings.
#pragma once

#include <digitnet/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace digitnet {

/// Where the pen was. x points right, y down, as on a canvas; in any unit.
struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

/// The points of one stroke, from pen down to pen up, joined by straight lines; one point is a dot.
using Stroke = std::vector<Point>;

/// What somebody drew with a pen, a finger or a mouse: its strokes, and what is known of the canvas.
struct Drawing {
  std::vector<Stroke> strokes;        ///< in the order in which they were drawn; empty ones are allowed
  double width = 0;                   ///< of the canvas, in the unit of the points; 0 if unknown
  double height = 0;                  ///< likewise
  double brush = 0;                   ///< diameter of the pen, in the same unit; 0 if unknown
  std::optional<std::uint8_t> label;  ///< what it shows, if that is known
  bool operator==(const Drawing&) const = default;
};

/// Most points and most strokes of one drawing, and the largest coordinate, that digitnet takes.
inline constexpr std::size_t most_drawing_points = 1'000'000;
inline constexpr std::size_t most_drawing_strokes = 100'000;
inline constexpr double largest_coordinate = 1e9;

/// Checks what every function below asks of a drawing.
/// @param where  start of the message, the name of a function or "file: line 3"
/// @throws ArgumentError  if a number is not finite or beyond largest_coordinate, width, height or brush is negative,
///                        or there are more points or strokes than above; names the stroke and the point
void require_valid(const char* where, const Drawing& drawing);

/// Reads drawings from a file, plain or gzip (told by content), one JSON value a line:
///
///     {"label": 7, "strokes": [[[x, y], ...], ...], "width": 400, "height": 400, "brush": 12}
///
/// All keys but strokes may be missing or null; others are ignored. A line may also be a list of strokes alone, and
/// blank lines do not count. If the first value does not end on its line, the file is one JSON document: a drawing,
/// a list of strokes, or a list of drawings.
///
/// @throws IoError      if the file cannot be opened or read
/// @throws FormatError  if it is damaged, cut short or breaks these rules or those of require_valid (with the line),
///                      or if there are more than 2^26 points in all
std::vector<Drawing> read_drawings(const std::filesystem::path& path);

}  // namespace digitnet
