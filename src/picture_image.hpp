// picture_image.hpp: a picture as an MNIST image, and what of it the image does not show. Internal.
#pragma once

#include "ink.hpp"

#include <digitnet/preprocess.hpp>

namespace digitnet::detail {

struct PictureImage {
  MnistImage image{};
  std::size_t ink_side = 0;      ///< height or width of all ink, whichever is larger, in pixels of the picture
  bool is_painted_over = false;  ///< a square of full_square_of(ink_side) is full, before strokes are made thinner
};

/// No stroke is so thick that such a square of ink fits into it: 11 pixels for MNIST's box of 20, where 9 are the most.
constexpr std::size_t full_square_of(std::size_t side) { return (side * 11 + 19) / 20; }

inline constexpr std::uint8_t half_full = 128;

/// Whether there is a square of this side in which all pixels are at least half full.
bool has_full_square(const PlaneView& ink, std::size_t side);

/// to_mnist_image of a picture.
/// @throws ShapeError  as ink_of, with `where` in front
PictureImage picture_image(const char* where, const Picture& picture);

}  // namespace digitnet::detail
