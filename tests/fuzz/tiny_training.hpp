// tiny_training.hpp: what the targets of the files of a run train with.
#pragma once

#include <digitnet/trainer.hpp>

namespace digitnet::fuzz {

/// Four images of 2 x 2 bytes, of two classes; make_corpus.py has the same.
inline const Dataset& tiny_data() {
  static const Dataset data(
      Images{{{0, 64}, {128, 255}}, {{255, 0}, {0, 128}}, {{192, 32}, {255, 0}}, {{0, 0}, {255, 255}}},
      Labels{0, 1, 0, 1}, 2);
  return data;
}

inline Network<float> tiny_network() {
  Rng rng(1);
  return {{4, 3, 2}, Activation::relu, rng};
}

}  // namespace digitnet::fuzz
