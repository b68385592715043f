#include <digitnet/inference.hpp>

#include <algorithm>

namespace digitnet {

Classifier::Classifier(Network<float> network) : network_(std::move(network)) {
  if (network_.inputs() != mnist_side * mnist_side) {
    throw ShapeError(detail::text("Classifier: the network takes ", network_.inputs(), " inputs, expected ",
                                  mnist_side * mnist_side, ", one for each pixel of 28 x 28"));
  }
  network_.predict_proba(zeros<float>({0, network_.inputs()}));  // says now if there are no probabilities
}

Prediction Classifier::classify(const MnistImage& image) const {
  Prediction prediction;
  prediction.image = image;
  if (std::all_of(image.begin(), image.end(), [](std::uint8_t pixel) { return pixel == 0; })) return prediction;
  Matrix<float> input = Matrix<float>::from_shape({1, image.size()});
  std::transform(image.begin(), image.end(), input.begin(),
                 [](std::uint8_t pixel) { return static_cast<float>(pixel) * (1.0F / 255); });
  const Matrix<float> probabilities = network_.predict_proba(input);
  prediction.probabilities.assign(probabilities.begin(), probabilities.end());
  const auto likeliest = std::max_element(probabilities.begin(), probabilities.end());
  prediction.digit = static_cast<std::size_t>(likeliest - probabilities.begin());
  prediction.probability = *likeliest;
  return prediction;
}

}  // namespace digitnet
