// The smallest useful program: a network 784-128-10 and its answer for one blank image, and the model that came along.
#include <digitnet/digitnet.hpp>
#include <iostream>

int main() {
  using namespace digitnet;
  Rng rng(1);
  const Network<float> network({784, 128, 10}, Activation::relu, rng);
  const Labels answer = network.predict(zeros<float>({1, 784}));
  if (Recognizer().recognize(Drawing{}).status != Status::empty) return 1;
  std::cout << "model: " << shipped_model().string() << '\n';
  std::cout << "a blank image looks like " << int{answer(0)} << '\n';
}
