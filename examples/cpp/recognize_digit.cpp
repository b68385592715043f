// Reads digits: from pictures of any size (PNG, JPEG, PGM), from images in an IDX file, or from pen strokes (JSON).
//   recognize_digit FILE... [--model MODEL] [--index N]
#include "command_line.hpp"
#include "text_image.hpp"

#include <digitnet/digitnet.hpp>

#include <fstream>
#include <iomanip>

namespace {

/// Files of pen strokes are told by their names here.
bool is_strokes(const std::string& file) {
  const std::string name = file.ends_with(".gz") ? file.substr(0, file.size() - 3) : file;
  return name.ends_with(".json") || name.ends_with(".jsonl");
}

/// IDX files begin with two bytes of 0, plain, or are gzip; pictures do neither.
bool is_idx(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const int first = stream.get();
  const int second = stream.get();
  return (first == 0 && second == 0) || (first == 0x1f && second == 0x8b);
}

/// Ends the program if there is no image or drawing of this number.
void require_below(std::size_t index, std::size_t count, const std::string& file, const char* what) {
  if (index < count) return;
  throw ProgramError(exit_code::usage, "--index " + std::to_string(index) + ": " + file + " has " +
                                           std::to_string(count) + " " + what + ", expected a number below");
}

/// What the network is to see of a file.
digitnet::MnistImage image_from(const std::string& file, std::size_t index) {
  if (is_strokes(file)) {
    const std::vector<digitnet::Drawing> drawings = digitnet::read_drawings(file);
    require_below(index, drawings.size(), file, "drawings");
    return digitnet::to_mnist_image(drawings[index]);
  }
  if (!is_idx(file)) return digitnet::to_mnist_image(digitnet::read_picture(file));
  const digitnet::Images images = digitnet::read_idx_images(file);
  if (images.shape(1) != digitnet::mnist_side || images.shape(2) != digitnet::mnist_side) {
    throw digitnet::FormatError(file + ": images of shape " + digitnet::shape_text(images) + ", expected 28 x 28");
  }
  require_below(index, images.shape(0), file, "images");
  digitnet::MnistImage image{};
  std::copy_n(images.data() + index * image.size(), image.size(), image.begin());
  return image;
}

/// One that cannot be read does not keep us from the others.
int recognize(const std::vector<std::string>& files, const std::string& model, std::size_t index, bool show) {
  using namespace digitnet;
  const Classifier classifier(model);
  int code = exit_code::done;
  const auto tell = [&code](const Error& error) {
    std::cerr << "recognize_digit: " << error.what() << '\n';
    code = exit_code::bad_input;
  };
  for (const std::string& file : files) {
    try {
      const Prediction prediction = classifier.classify(image_from(file, index));
      if (show) draw(std::cout, prediction.image, mnist_side, mnist_side);
      std::cout << file << ": ";
      if (prediction.digit) {
        std::cout << *prediction.digit << " (" << std::fixed << std::setprecision(1) << 100 * prediction.probability
                  << " %)\n";
      } else {
        std::cout << "empty\n";
      }
    } catch (const FormatError& error) {
      tell(error);
    } catch (const IoError& error) {
      tell(error);
    }
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> files;
  std::string model = "mnist.safetensors";
  std::size_t index = 0;
  bool show = false;
  CLI::App app(
      "Reads digits: from pictures (PNG, JPEG, PGM), images in an IDX file, or pen strokes (.json, .jsonl).");
  app.add_option("file", files, "Pictures, IDX files of 28 x 28 images, or files of pen strokes")->required();
  const CLI::Option* model_option =
      app.add_option("--model", model, "Model file, as train_mnist writes it")->capture_default_str();
  const CLI::Option* index_option =
      app.add_option("--index", index, "Which image of an IDX file or drawing of a stroke file, from 0")
          ->check(whole_number())
          ->capture_default_str();
  app.add_flag("--show", show, "Draw what the network sees");

  return run_program(app, argc, argv, [&] {
    if (model_option->count() == 0 && !std::filesystem::exists(model)) {
      throw ProgramError(exit_code::bad_input,
                         "there is no " + model + " here; make one with train_mnist or name one with --model");
    }
    for (const std::string& file : files) {
      if (index_option->count() == 0 || !std::filesystem::exists(file) || is_strokes(file) || is_idx(file)) continue;
      throw ProgramError(exit_code::usage, "--index " + std::to_string(index) + ": " + file +
                                               " is no IDX file, expected one; leave --index out");
    }
    return recognize(files, model, index, show);
  });
}
