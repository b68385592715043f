// picture.hpp: a picture from a file or a canvas, and the ink on it.
#pragma once

#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace digitnet {

/// A picture as files and canvases give it.
struct Picture {
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t channels = 1;          ///< 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
  std::vector<std::uint8_t> pixels;  ///< height * width * channels, row-major, channels together
};

/// Largest side of a picture that is read, in pixels; there may be 2^26 (8192 x 8192) in all.
inline constexpr std::size_t largest_picture_side = 10000;

/// Reads a PNG, JPEG or binary PGM or PPM file, as 8 bits a channel, turned as its EXIF data says.
///
/// Palettes become RGB, or RGB and alpha. Of 16 bits the upper 8 are kept; if all colours are within an eighth of the
/// range, that is spread over 0 to 255, since the drawing would be lost else. The size is looked at before the pixels
/// are. Damage is told by checksums in PNG; in JPEG, which has none, only where it breaks the format.
/// @throws IoError      if the file cannot be opened or read
/// @throws FormatError  if it is none of these, is damaged or cut short, or larger than largest_picture_side allows
Picture read_picture(const std::filesystem::path& path);

/// The same for the bytes of such a file.
/// @param name  what to call it in messages
Picture read_picture(std::span<const std::uint8_t> bytes, const std::string& name = "bytes");

/// The ink of a picture, (height, width), in [0, 1], from nothing to what most of the ink has.
///
/// Ground and ink may be of any two colours: what counts is how far a pixel is on the line from one to the other. The
/// ground is what surrounds the drawing, and most of the picture; a frame around it is not looked at. Where paper is not
/// even, as on photographs, the ground is what most of the neighbourhood is. If the drawing is in the alpha channel
/// alone, alpha is the ink; otherwise transparent pixels are ground. Specks far from the drawing are no ink, nor is
/// anything on a picture that is plain or has noise only.
/// @throws ShapeError  if channels are not 1 to 4 or the number of pixels is not what the sizes ask
Matrix<float> ink_of(const Picture& picture);

namespace detail {

/// 16 bits a channel as 8, as read_picture does it.
Picture from_16_bits(std::span<const std::uint16_t> values, std::size_t width, std::size_t height,
                     std::size_t channels);

/// A picture turned and mirrored as one of the orientations 1 to 8 of EXIF says; anything else leaves it as it is.
/// @see CIPA DC-008, Exif 2.32 (2019), section 4.6.4, tag 0x0112
Picture turned(Picture picture, unsigned orientation);

}  // namespace detail
}  // namespace digitnet
