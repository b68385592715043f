// picture_signal.hpp: from the colours of a picture to one number a pixel. Internal.
#pragma once

#include <digitnet/picture.hpp>

#include <cstdint>
#include <memory>

namespace digitnet::detail {

/// One number a pixel, by which ink and ground differ most.
std::unique_ptr<std::uint8_t[]> signal_of(const Picture& picture);

}  // namespace digitnet::detail
