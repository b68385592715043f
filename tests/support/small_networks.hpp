// small_networks.hpp: networks and data of a few dozen numbers, and the sample of MNIST.
#pragma once

#include <digitnet/dataset.hpp>
#include <digitnet/network.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

namespace digitnet::test {

/// A network whose biases are not 0 either.
template <class Real>
Network<Real> random_network(const Architecture& architecture, Rng& rng) {
  Network<Real> network(architecture, rng);
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    for (Real& value : values(network.layer(i).bias)) value = static_cast<Real>(0.3 * rng.normal());
  }
  return network;
}

inline Labels random_labels(std::size_t count, std::size_t classes, Rng& rng) {
  Labels labels = Labels::from_shape({count});
  for (auto& label : labels) label = static_cast<std::uint8_t>(rng.below(classes));
  return labels;
}

/// Random bytes, (count, rows, columns).
inline Images random_images(std::size_t count, std::size_t rows, std::size_t columns, Rng& rng) {
  Images images = Images::from_shape({count, rows, columns});
  for (auto& pixel : images) pixel = static_cast<std::uint8_t>(rng.below(256));
  return images;
}

/// A data set of normal numbers with labels that mean nothing.
inline Dataset random_data(std::size_t count, std::size_t inputs, std::size_t classes, Rng& rng) {
  Matrix<float> numbers = normal<float>({count, inputs}, rng);
  return {std::move(numbers), random_labels(count, classes, rng), classes};
}

/// The sample of MNIST in tests/data, loaded once.
inline const Mnist& mnist_sample() {
  static const Mnist mnist = [] {
    const std::string folder = DIGITNET_TEST_DATA "/mnist-sample/";
    return Mnist{load_dataset(folder + "train-images-idx3-ubyte.gz", folder + "train-labels-idx1-ubyte.gz"),
                 load_dataset(folder + "t10k-images-idx3-ubyte.gz", folder + "t10k-labels-idx1-ubyte.gz")};
  }();
  return mnist;
}

}  // namespace digitnet::test
