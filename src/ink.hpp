// ink.hpp: from the pixels of a picture to its ink, seen at one size whatever size the picture has. Internal.
#pragma once

#include <digitnet/picture.hpp>

#include "plane.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace digitnet::detail {

/// The drawing is looked at with its longer side this many pixels long, some three for each pixel of MNIST's box, with
/// a margin around it in which strokes can become thicker.
inline constexpr std::size_t sheet_box = 64;
inline constexpr std::size_t sheet_margin = 8;
inline constexpr std::size_t sheet_side = sheet_box + 2 * sheet_margin;

/// @throws ShapeError  if channels are not 1 to 4 or the number of pixels is not what the sizes ask
void require_whole(const char* where, const Picture& picture);

/// A picture of which the ground and the direction to the ink are known.
class InkFinder {
 public:
  /// @param detail  pixels, each way, at which the whole picture is judged; more find smaller things
  explicit InkFinder(const Picture& picture, std::size_t detail = 128);

  /// Whether there is any ink, and where, in pixels of the picture: all of it that is not a speck.
  bool has_ink() const { return !box_.empty(); }
  const Box& box() const { return box_; }

  /// The ink within a box of the picture, scaled so that the box fills sheet_box of a sheet of sheet_side.
  Plane sheet(const Box& box) const;

  /// The ink at every pixel of the picture, 0 to 255.
  Plane all() const;

  /// The parts of the ink, each of what hangs or belongs together: in lines from the top, in each from the left.
  /// Each is the ink of its box alone, without what of other parts is there.
  std::vector<std::pair<Box, Plane>> pieces() const;

 private:
  void look(const Box& region);
  Plane ink_within(const Plane& cells, const Box& where) const;
  void flatten(const Plane& coarse, bool dark_ink);
  Box exact(const Box& box);
  /// How far values are from an even ground towards the ink, 0 to 255. `to` may be `from`.
  void subtract_ground(const std::uint8_t* from, std::uint8_t* to, std::size_t count) const;
  /// How far a value is from any ground at (x, y) of the picture towards the ink, 0 to 255.
  int deviation(int value, double x, double y) const;

  std::unique_ptr<std::uint8_t[]> owned_;
  PlaneView signal_;  ///< one number a pixel: grey, alpha, or the colour along the line from ground to ink
  std::size_t detail_;
  Box region_;            ///< what is looked at: the picture without a frame around it
  std::size_t step_ = 1;  ///< pixels of the picture, each way, in one of the coarse ones
  bool dark_ink_ = true;
  int ground_ = 255;     ///< of a picture with an even ground
  int contrast_ = 0;     ///< of the strongest pixel to an even ground; 0 if it is not even
  Plane uneven_ground_;  ///< coarse, over region_; empty if the ground is even
  Plane coarse_ink_;     ///< how far each coarse pixel is from the ground
  Plane kept_;           ///< coarse: 255 where there is ink that counts
  Box box_;
};

}  // namespace digitnet::detail
