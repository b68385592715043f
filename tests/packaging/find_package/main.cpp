// The smallest useful program: a network 784-128-10 and its answer for one blank image.
#include <digitnet/digitnet.hpp>
#include <iostream>

int main() {
  using namespace digitnet;
  Rng rng(1);
  const Network<float> network({784, 128, 10}, Activation::relu, rng);
  const Labels answer = network.predict(zeros<float>({1, 784}));
  std::cout << "a blank image looks like " << int{answer(0)} << '\n';
}
