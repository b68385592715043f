// Measures a model on the MNIST test set.
//   evaluate_model MODEL [DATA]
#include "command_line.hpp"

#include <digitnet/digitnet.hpp>

#include <iomanip>

namespace {

int evaluate_model(const std::string& model, const std::optional<std::filesystem::path>& data) {
  using namespace digitnet;
  const Network<float> network = load_network<float>(model);
  const Evaluation result = evaluate(network, load_mnist(data).test);

  std::cout << "test samples: " << result.samples << '\n'
            << std::fixed << std::setprecision(4) << "test loss: " << result.loss << '\n'
            << "test accuracy: " << result.accuracy << '\n'
            << "among the two likeliest: " << result.top_2_accuracy << "\n\n"
            << "label   read as 0 to " << network.outputs() - 1 << "\n";
  for (std::size_t label = 0; label < network.outputs(); ++label) {
    std::cout << std::setw(5) << label << "  ";
    for (std::size_t digit = 0; digit < network.outputs(); ++digit) {
      std::cout << std::setw(5) << result.confusion(label, digit);
    }
    std::cout << "   recall " << result.recall[label] << ", precision " << result.precision[label] << '\n';
  }
  return exit_code::done;
}

}  // namespace

int main(int argc, char** argv) {
  std::string model;
  std::optional<std::filesystem::path> data;
  CLI::App app("Measures a model on the MNIST test set.");
  app.add_option("model", model, "Model file")->required();
  app.add_option("data", data, "Folder with the four MNIST files (default: the data directories, see docs/data.md)");
  return run_program(app, argc, argv, [&] { return evaluate_model(model, data); });
}
