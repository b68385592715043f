// What picture_signal.hpp promises: the same number for the same colour, however a picture is stored.
#include "catch.hpp"

#include <picture_signal.hpp>

#include <digitnet/random.hpp>

#include <vector>

using namespace digitnet;

namespace {

std::vector<std::uint8_t> signal(const Picture& picture) {
  const auto values = detail::signal_of(picture);
  return {values.get(), values.get() + picture.width * picture.height};
}

/// RGB pixels with alpha behind each.
Picture with_alpha(const Picture& rgb) {
  Picture rgba{rgb.width, rgb.height, 4, {}};
  for (std::size_t i = 0; i < rgb.pixels.size(); i += 3) {
    rgba.pixels.insert(rgba.pixels.end(), {rgb.pixels[i], rgb.pixels[i + 1], rgb.pixels[i + 2], 255});
  }
  return rgba;
}

/// Colours on the line between two, so that weights of both signs come up.
Picture two_colours(std::size_t width, std::size_t height, Rng& rng) {
  Picture picture{width, height, 3, {}};
  int ends[2][3];
  for (auto& colour : ends) {
    for (int& channel : colour) channel = static_cast<int>(rng.below(256));
  }
  for (std::size_t i = 0; i < width * height; ++i) {
    const int share = static_cast<int>(rng.below(256));
    for (std::size_t c = 0; c < 3; ++c) {
      picture.pixels.push_back(static_cast<std::uint8_t>((ends[0][c] * share + ends[1][c] * (255 - share)) / 255));
    }
  }
  return picture;
}

}  // namespace

TEST_CASE("signal_of: RGBA that is opaque is as RGB", "[picture_signal]") {
  Rng rng(1);
  for (int round = 0; round < 100; ++round) {
    const Picture rgb = two_colours(1 + rng.below(70), 1 + rng.below(20), rng);
    CHECK(signal(with_alpha(rgb)) == signal(rgb));
  }
}

TEST_CASE("signal_of: grey stays as it is", "[picture_signal]") {
  Rng rng(2);
  for (std::size_t width = 1; width < 70; ++width) {
    Picture grey{width, 3, 1, {}};
    for (std::size_t i = 0; i < 3 * width; ++i) grey.pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
    Picture rgb{width, 3, 3, {}};
    Picture grey_alpha{width, 3, 2, {}};
    for (const std::uint8_t value : grey.pixels) {
      rgb.pixels.insert(rgb.pixels.end(), 3, value);
      grey_alpha.pixels.insert(grey_alpha.pixels.end(), {value, 255});
    }
    CHECK(signal(grey) == grey.pixels);
    CHECK(signal(grey_alpha) == grey.pixels);
    CHECK(signal(rgb) == grey.pixels);
    CHECK(signal(with_alpha(rgb)) == grey.pixels);
  }
}

TEST_CASE("signal_of: one clear pixel anywhere is seen as the ground", "[picture_signal]") {
  Picture rgb{97, 91, 3, std::vector<std::uint8_t>(97 * 91 * 3, 250)};
  std::fill_n(&rgb.pixels[97 * 40 * 3], 97 * 6 * 3, std::uint8_t{20});
  const std::vector<std::uint8_t> opaque = signal(rgb);
  for (const std::size_t place : {0u, 1u, 15u, 98u, 97u * 42 + 5, 97u * 91 - 1}) {
    Picture rgba = with_alpha(rgb);
    rgba.pixels[4 * place + 3] = 0;
    std::vector<std::uint8_t> expected = opaque;
    expected[place] = 250;
    INFO("pixel " << place);
    CHECK(signal(rgba) == expected);
  }
}

TEST_CASE("signal_of: what is drawn in alpha alone is alpha", "[picture_signal]") {
  Rng rng(3);
  Picture rgba{33, 40, 4, {}};
  Picture grey_alpha{33, 40, 2, {}};
  std::vector<std::uint8_t> alpha;
  for (std::size_t i = 0; i < 33 * 40; ++i) {
    alpha.push_back(rng.below(4) == 0 ? static_cast<std::uint8_t>(rng.below(256)) : 0);
    rgba.pixels.insert(rgba.pixels.end(), {10, 20, 200, alpha.back()});
    grey_alpha.pixels.insert(grey_alpha.pixels.end(), {99, alpha.back()});
  }
  CHECK(signal(rgba) == alpha);
  CHECK(signal(grey_alpha) == alpha);
}
