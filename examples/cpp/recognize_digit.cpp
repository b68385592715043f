// Reads digits: from pictures of any size (PNG, JPEG, PGM) or from images in an IDX file.
//   recognize_digit FILE... [--model MODEL] [--index N]
#include "command_line.hpp"
#include "text_image.hpp"

#include <digitnet/digitnet.hpp>

#include <fstream>
#include <iomanip>
#include <iostream>

namespace {

/// IDX files begin with two bytes of 0, plain, or are gzip; pictures do neither.
bool is_idx(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const int first = stream.get();
  const int second = stream.get();
  return (first == 0 && second == 0) || (first == 0x1f && second == 0x8b);
}

/// What the network is to see of a file.
digitnet::MnistImage image_from(const std::string& file, std::size_t index) {
  if (!is_idx(file)) return digitnet::to_mnist_image(digitnet::read_picture(file));
  const digitnet::Images images = digitnet::read_idx_images(file);
  if (images.shape(1) != digitnet::mnist_side || images.shape(2) != digitnet::mnist_side) {
    throw digitnet::ShapeError(file + ": images of shape " + digitnet::shape_text(images) + ", expected 28 x 28");
  }
  if (index >= images.shape(0)) {
    throw digitnet::ArgumentError("--index " + std::to_string(index) + ", expected less than " +
                                  std::to_string(images.shape(0)));
  }
  digitnet::MnistImage image{};
  std::copy_n(images.data() + index * image.size(), image.size(), image.begin());
  return image;
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::string> files;
  std::string model = "mnist.safetensors";
  std::size_t index = 0;
  bool show = false;
  CLI::App app("Reads digits: from pictures of any size (PNG, JPEG, PGM) or from images in an IDX file.");
  app.add_option("file", files, "Pictures, or IDX files of 28 x 28 images")->required();
  app.add_option("--model", model, "Model file, as train_mnist writes it")->capture_default_str();
  app.add_option("--index", index, "Which image of an IDX file, from 0")
      ->check(whole_number())
      ->capture_default_str();
  app.add_flag("--show", show, "Draw what the network sees");
  if (const auto done = parse(app, argc, argv)) return *done;

  using namespace digitnet;
  const Classifier classifier(model);
  for (const std::string& file : files) {
    const Prediction prediction = classifier.classify(image_from(file, index));
    if (show) draw(std::cout, prediction.image, mnist_side, mnist_side);
    std::cout << file << ": ";
    if (prediction.digit) {
      std::cout << *prediction.digit << " (" << std::fixed << std::setprecision(1) << 100 * prediction.probability
                << " %)\n";
    } else {
      std::cout << "empty\n";
    }
  }
} catch (const std::exception& error) {
  std::cerr << "recognize_digit: " << error.what() << '\n';
  return 1;
}
