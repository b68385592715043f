// Reads digits: from pictures of any size (PNG, JPEG, PGM), from images in an IDX file, or from pen strokes (JSON).
//   recognize_digit FILE... [--model MODEL] [--index N] [--show] [--json]
#include "command_line.hpp"
#include "text_image.hpp"

#include <digitnet/digitnet.hpp>

#include <charconv>
#include <cstdlib>
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

/// What is read from a file: a drawing or an image of this number, or a picture.
digitnet::Recognition read(const digitnet::Recognizer& recognizer, const std::string& file, std::size_t index) {
  if (is_strokes(file)) {
    const std::vector<digitnet::Drawing> drawings = digitnet::read_drawings(file);
    require_below(index, drawings.size(), file, "drawings");
    return recognizer.recognize(drawings[index]);
  }
  if (!is_idx(file)) return recognizer.recognize(digitnet::read_picture(file));
  const digitnet::Images images = digitnet::read_idx_images(file);
  if (images.shape(1) != digitnet::mnist_side || images.shape(2) != digitnet::mnist_side) {
    throw digitnet::FormatError(file + ": images of shape " + digitnet::shape_text(images) + ", expected 28 x 28");
  }
  require_below(index, images.shape(0), file, "images");
  digitnet::MnistImage image{};
  std::copy_n(images.data() + index * image.size(), image.size(), image.begin());
  return recognizer.recognize(image);
}

/// A number with as many digits as it takes to be read back as it was.
std::string exact(double number) {
  std::array<char, 32> characters{};
  const auto end = std::to_chars(characters.data(), characters.data() + characters.size(), number).ptr;
  return {characters.data(), end};
}

template <class Numbers>
std::string json_list(const Numbers& numbers) {
  std::string list;
  for (const auto number : numbers) list += (list.empty() ? "" : ", ") + exact(number);
  return "[" + list + "]";
}

/// In the form of `digitnet recognize --json --image`, one line for each.
void print_json(const digitnet::Recognition& read) {
  const bool is_empty = read.status == digitnet::Status::empty;
  std::cout << R"({"status": ")" << name_of(read.status) << R"(", "digit": )"
            << (read.digit ? std::to_string(*read.digit) : "null") << R"(, "probability": )"
            << (read.digit ? exact(read.probability) : "null") << R"(, "probabilities": )"
            << (is_empty ? "null" : json_list(read.probabilities)) << R"(, "score": )"
            << (is_empty ? "null" : exact(*read.score)) << R"(, "image": )" << json_list(read.image) << "}\n";
}

/// "7 (99.8 %)", "7 (55.1 %), unsure", "not a digit" or "empty".
void print(const std::string& file, const digitnet::Recognition& read) {
  std::cout << file << ": ";
  if (read.status == digitnet::Status::empty) {
    std::cout << "empty\n";
  } else if (!read.digit) {
    std::cout << "not a digit\n";
  } else {
    std::cout << *read.digit << " (" << std::fixed << std::setprecision(1) << 100 * read.probability << " %)"
              << (read.status == digitnet::Status::unsure ? ", unsure\n" : "\n");
  }
}

/// One that cannot be read does not keep us from the others.
int recognize(const std::vector<std::string>& files, const std::filesystem::path& model, std::size_t index, bool show,
              bool json) {
  using namespace digitnet;
  const Recognizer recognizer(model);
  int code = exit_code::done;
  const auto tell = [&code](const Error& error) {
    std::cerr << "recognize_digit: " << error.what() << '\n';
    code = exit_code::bad_input;
  };
  for (const std::string& file : files) {
    try {
      const Recognition result = read(recognizer, file, index);
      if (show) draw(std::cout, result.image, mnist_side, mnist_side);
      if (json) {
        print_json(result);
      } else {
        print(file, result);
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
  std::string model;
  std::size_t index = 0;
  bool show = false;
  bool json = false;
  CLI::App app(
      "Reads digits: from pictures (PNG, JPEG, PGM), images in an IDX file, or pen strokes (.json, .jsonl).");
  app.add_option("file", files, "Pictures, IDX files of 28 x 28 images, or files of pen strokes")->required();
  app.add_option("--model", model,
                 "Model file (default: the one that DIGITNET_MODEL names, else mnist.safetensors here, else the one "
                 "that comes with digitnet)");
  const CLI::Option* index_option =
      app.add_option("--index", index, "Which image of an IDX file or drawing of a stroke file, from 0")
          ->check(whole_number())
          ->capture_default_str();
  app.add_flag("--show", show, "Draw what the network sees");
  app.add_flag("--json", json, "Write each result as one line of JSON, with the image that the network saw");

  return run_program(app, argc, argv, [&] {
    for (const std::string& file : files) {
      if (index_option->count() == 0 || !std::filesystem::exists(file) || is_strokes(file) || is_idx(file)) continue;
      throw ProgramError(exit_code::usage, "--index " + std::to_string(index) + ": " + file +
                                               " is no IDX file, expected one; leave --index out");
    }
    std::filesystem::path chosen = model;
    if (model.empty()) {
      const char* named = std::getenv("DIGITNET_MODEL");
      const bool is_named = named != nullptr && *named != '\0';
      const bool is_here = std::filesystem::exists("mnist.safetensors");
      chosen = is_here && !is_named ? "mnist.safetensors" : digitnet::shipped_model();
    }
    return recognize(files, chosen, index, show, json);
  });
}
