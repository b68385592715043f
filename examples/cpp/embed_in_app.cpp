// The shortest useful program: a model, a picture, a digit.
//   embed_in_app MODEL PICTURE
#include "command_line.hpp"

#include <digitnet/digitnet.hpp>

int main(int argc, char** argv) {
  std::string model;
  std::string picture;
  CLI::App app("Reads the digit on a picture.");
  app.add_option("model", model, "Model file, as train_mnist writes it")->required();
  app.add_option("picture", picture, "PNG, JPEG or PGM of any size")->required();

  return run_program(app, argc, argv, [&] {
    const digitnet::Classifier classifier(model);
    const digitnet::Prediction prediction = classifier.classify(digitnet::read_picture(picture));
    std::cout << (prediction.digit ? std::to_string(*prediction.digit) : "nothing drawn") << '\n';
    return exit_code::done;
  });
}
