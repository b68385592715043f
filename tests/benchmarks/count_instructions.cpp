// Does one part of digitnet's work, for callgrind to count its instructions; see instructions.py.
//   count_instructions PART
// Only what `measured` does is counted, with one thread; what a part needs is made before.
#include "support.hpp"

#include <cstdio>
#include <cstring>
#include <functional>
#include <map>

namespace {

using digitnet::Dataset;
using digitnet::Network;

const std::string sample = DIGITNET_TEST_DATA "/mnist-sample";

/// Callgrind counts between entering and leaving this function: --toggle-collect='measured*'.
[[gnu::noinline]] void measured(const std::function<void()>& work) {
  work();
  asm volatile("" ::: "memory");  // not a tail call: the function must be left after the work
}

Network<float> small_network(digitnet::Activation activation = digitnet::Activation::relu) {
  digitnet::Rng rng(1);
  return {{784, 128, 10}, activation, rng};
}

/// 20 steps with batches of 128.
template <class Rule>
void count_training(Rule optimizer, bool zeros_removed) {
  Dataset data = digitnet::load_mnist(sample).train.slice(0, 2560);
  if (zeros_removed) data = bench::without_zeros(data);
  Network<float> network = small_network();
  measured([&] {
    digitnet::Rng rng(1);
    train(network, data, {}, optimizer, {.epochs = 1, .threads = 1}, rng);
  });
}

void count_prediction(std::size_t images) {
  const Dataset data = digitnet::load_mnist(sample).test.slice(0, images);
  const Network<float> network = small_network();
  network.predict(data);  // what is made once
  measured([&] { network.predict(data); });
}

void count_softmax() {
  digitnet::Rng rng(1);
  const digitnet::Matrix<float> logits = digitnet::normal<float>({128, 10}, rng);
  digitnet::Labels labels = digitnet::Labels::from_shape({128});
  for (std::size_t i = 0; i < labels.size(); ++i) labels(i) = static_cast<std::uint8_t>(i % 10);
  measured([&] { digitnet::softmax_cross_entropy(logits, labels); });
}

void count_loading() {
  measured([] { digitnet::load_mnist(sample); });
}

const std::map<std::string, std::function<void()>> parts{
    {"load_gzip_sample", count_loading},
    {"predict_1", [] { count_prediction(1); }},
    {"predict_1000", [] { count_prediction(1000); }},
    {"softmax_cross_entropy", count_softmax},
    {"train_adam", [] { count_training(digitnet::Adam<float>(1e-3), false); }},
    {"train_momentum", [] { count_training(digitnet::Sgd<float>(0.01, 0.9), false); }},
    {"train_momentum_without_zeros", [] { count_training(digitnet::Sgd<float>(0.01, 0.9), true); }},
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const auto& [name, count] : parts) std::puts(name.c_str());
    return 0;
  }
  const auto found = argc == 2 ? parts.find(argv[1]) : parts.end();
  if (found == parts.end()) {
    std::fputs("usage: count_instructions PART (or --list)\n", stderr);
    return 2;
  }
  found->second();
} catch (const std::exception& error) {
  std::fprintf(stderr, "count_instructions: %s\n", error.what());
  return 1;
}
