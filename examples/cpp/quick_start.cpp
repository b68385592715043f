#include <digitnet/digitnet.hpp>
#include <iostream>
#include <string>

int main(int argc, char** argv) try {
  using namespace digitnet;
  if (argc > 1) {
    const bool help = argv[1] == std::string("--help");
    (help ? std::cout : std::cerr) << "usage: quick_start   (no arguments; trains on MNIST)\n";
    return help ? 0 : 2;
  }
  const Mnist mnist = load_mnist();
  Rng weights(1), parts(1), order(1);  // all randomness; in Python each seed=1 is one of these
  Network<float> network({784, 128, 10}, Activation::relu, weights);
  const auto [validation, training] = split(mnist.train, mnist.train.size() / 10, parts);
  Adam<float> optimizer(/*learning_rate=*/1e-3);
  train(network, training, validation, optimizer, {.epochs = 5}, order);
  save_network(network, "mnist.safetensors");
  std::cout << "test accuracy: " << accuracy(network, mnist.test) << '\n';
} catch (const digitnet::Error& error) {  // one line: where, what was found, what was expected
  std::cerr << "quick_start: " << error.what() << '\n';
  return 3;
}
