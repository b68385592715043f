// The rate of the matrix products that a dense layer's training consists of, in GF/s: the bound for that training.
// Each thread computes products of its own with a single-threaded BLAS. One line of JSON.
#include "support.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <iostream>
#include <thread>

namespace {

using digitnet::Matrix;
using digitnet::Transpose;
using digitnet::view;

/// One layer, `inputs` to `outputs`, and one batch: everything its three products read and write.
struct Layer {
  Matrix<float> a, weights, z, da, gradient;

  Layer(std::size_t batch, std::size_t inputs, std::size_t outputs, digitnet::Rng& rng)
      : a(digitnet::normal<float>({batch, inputs}, rng)),
        weights(digitnet::normal<float>({inputs, outputs}, rng)),
        z(digitnet::normal<float>({batch, outputs}, rng)),
        da(digitnet::zeros<float>({batch, inputs})),
        gradient(digitnet::zeros<float>({inputs, outputs})) {}

  void multiply(std::size_t form) {
    switch (form) {
      case 0:  // nn, forward: z = a W
        digitnet::gemm<float>(1, view(a), Transpose::no, view(weights), Transpose::no, 0, view(z));
        break;
      case 1:  // nt, backward: da = z W^T
        digitnet::gemm<float>(1, view(z), Transpose::no, view(weights), Transpose::yes, 0, view(da));
        break;
      default:  // tn, gradient: a^T z
        digitnet::gemm<float>(1, view(a), Transpose::yes, view(z), Transpose::no, 0, view(gradient));
    }
  }
};

}  // namespace

int main(int argc, char** argv) try {
  std::size_t batch = 128;
  std::size_t inputs = 1024;
  std::size_t outputs = 1024;
  std::size_t threads = 1;
  double seconds = 1.5;
  CLI::App app("GF/s of the three products of a dense layer's training, as one line of JSON.");
  app.add_option("--batch", batch);
  app.add_option("--inputs", inputs);
  app.add_option("--outputs", outputs);
  app.add_option("--threads", threads);
  app.add_option("--seconds", seconds, "To measure, in all");
  CLI11_PARSE(app, argc, argv);

  constexpr std::array names{"nn", "nt", "tn"};
  constexpr std::size_t rounds = 10;  // the forms take turns, so that a disturbance hits all alike
  const double slice = seconds / (rounds * names.size());
  const double flops = 2.0 * static_cast<double>(batch * inputs * outputs);
  const digitnet::SingleThreadedBlas guard;

  std::array<std::vector<double>, 3> rates;
  digitnet::Rng rng(1);
  std::vector<Layer> layers;
  for (std::size_t thread = 0; thread < threads; ++thread) layers.emplace_back(batch, inputs, outputs, rng);
  for (std::size_t round = 0; round <= rounds; ++round) {  // the first one warms up
    for (std::size_t form = 0; form < names.size(); ++form) {
      std::vector<double> rate(threads);
      std::vector<std::thread> team;
      for (std::size_t thread = 0; thread < threads; ++thread) {
        team.emplace_back([&, thread] {
          const auto start = bench::Clock::now();
          std::size_t products = 0;
          do {
            layers[thread].multiply(form);
            ++products;
          } while (bench::seconds_since(start) < slice);
          rate[thread] = flops * static_cast<double>(products) / bench::seconds_since(start) / 1e9;
        });
      }
      for (std::thread& thread : team) thread.join();
      if (round == 0) continue;
      double sum = 0;
      for (const double each : rate) sum += each;
      rates[form].push_back(sum);
    }
  }
  std::cout << '{';
  for (std::size_t form = 0; form < names.size(); ++form) {
    std::cout << (form > 0 ? ", " : "") << '"' << names[form] << R"(": )" << bench::percentile(rates[form], 0.5);
  }
  std::cout << "}\n";
} catch (const std::exception& error) {
  std::cerr << "gemm_speed: " << error.what() << '\n';
  return 1;
}
