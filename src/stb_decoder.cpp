#include "stb_decoder.hpp"

#include <cstdlib>
#include <new>

namespace {

/// Whether stb_image was refused memory; it takes that for damage in the file, or for a file of another kind.
thread_local bool stb_lacks_memory = false;

void* stb_block(void* memory) {
  if (memory == nullptr) stb_lacks_memory = true;
  return memory;
}

}  // namespace

// stb_image is a header with its code inside; it is compiled here, once, with what is wanted of it alone. Its memory
// begins as zeros: tables that a damaged JPEG uses without having given them are then empty, and pixels that it leaves
// out black, not what was in memory before.
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_MALLOC(size) stb_block(std::calloc(1, size))
#define STBI_REALLOC(memory, size) stb_block(std::realloc(memory, size))
#define STBI_FREE(memory) std::free(memory)
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#endif
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace digitnet::detail {
namespace {

template <class Sample, class Load>
Decoded<Sample> decoded(std::span<const std::uint8_t> bytes, const Load& load) {
  int width = 0;
  int height = 0;
  int channels = 0;
  stb_lacks_memory = false;
  Decoded<Sample> result{
      {load(bytes.data(), static_cast<int>(bytes.size()), &width, &height, &channels), &stbi_image_free}};
  result.width = static_cast<std::size_t>(width);
  result.height = static_cast<std::size_t>(height);
  result.channels = static_cast<std::size_t>(channels);
  if (stb_lacks_memory) throw std::bad_alloc();
  return result;
}

}  // namespace

Decoded<std::uint8_t> stb_header(std::span<const std::uint8_t> bytes) {
  return decoded<std::uint8_t>(bytes, [](const stbi_uc* data, int size, int* width, int* height, int* channels) {
    if (stbi_info_from_memory(data, size, width, height, channels) == 0) *channels = 0;
    return static_cast<stbi_uc*>(nullptr);
  });
}

Decoded<std::uint8_t> stb_decode(std::span<const std::uint8_t> bytes) {
  return decoded<std::uint8_t>(bytes, [](const stbi_uc* data, int size, int* width, int* height, int* channels) {
    return stbi_load_from_memory(data, size, width, height, channels, 0);
  });
}

Decoded<std::uint16_t> stb_decode_16(std::span<const std::uint8_t> bytes) {
  return decoded<std::uint16_t>(bytes, [](const stbi_uc* data, int size, int* width, int* height, int* channels) {
    return stbi_load_16_from_memory(data, size, width, height, channels, 0);
  });
}

const char* stb_failure() {
  const char* const reason = stbi_failure_reason();
  return reason != nullptr ? reason : "no reason given";
}

}  // namespace digitnet::detail
