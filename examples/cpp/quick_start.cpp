#include <digitnet/digitnet.hpp>
#include <iostream>

int main() {
  using namespace digitnet;
  const Mnist mnist = load_mnist();
  Rng rng(1);
  Network<float> network({784, 128, 10}, Activation::relu, rng);
  const auto [validation, training] = split(mnist.train, mnist.train.size() / 10, rng);
  Adam<float> optimizer(/*learning_rate=*/1e-3);
  train(network, training, validation, optimizer, {.epochs = 5}, rng);
  save_network(network, "mnist.safetensors");
  std::cout << "test accuracy: " << accuracy(network, mnist.test) << '\n';
}
