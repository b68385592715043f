// stb_decoder.hpp: the pixels of PNG and JPEG files, by stb_image. Internal.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace digitnet::detail {

/// What stb_image makes of a file; rows from the top, channels together. All of these throw std::bad_alloc if there is
/// no memory left.
template <class Sample>
struct Decoded {
  std::unique_ptr<Sample, void (*)(void*)> pixels;  ///< none if it refuses
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t channels = 0;

  std::span<const Sample> samples() const { return {pixels.get(), pixels ? width * height * channels : 0}; }
};

/// The sizes in the header of a file, no pixels; channels are 0 if it refuses.
/// @param bytes  at most 2^31 - 1
Decoded<std::uint8_t> stb_header(std::span<const std::uint8_t> bytes);

/// All of it. stb_image believes what it reads in several places: only for files that picture.cpp has checked.
Decoded<std::uint8_t> stb_decode(std::span<const std::uint8_t> bytes);

/// The same with 16 bits a channel.
Decoded<std::uint16_t> stb_decode_16(std::span<const std::uint8_t> bytes);

/// Why the last of these calls in this thread refused.
const char* stb_failure();

}  // namespace digitnet::detail
