// The shortest useful program: a model, a picture, a digit.
//   embed_in_app MODEL PICTURE
#include <digitnet/digitnet.hpp>

#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 3 || argv[1] == std::string("--help")) {
    std::cerr << "usage: embed_in_app MODEL PICTURE\n";
    return argc == 2 && argv[1] == std::string("--help") ? 0 : 2;
  }
  const digitnet::Classifier classifier(argv[1]);
  const digitnet::Prediction prediction = classifier.classify(digitnet::read_picture(argv[2]));
  if (!prediction.digit) {
    std::cout << "nothing drawn\n";
  } else {
    std::cout << *prediction.digit << '\n';
  }
} catch (const digitnet::Error& error) {
  std::cerr << "embed_in_app: " << error.what() << '\n';
  return 1;
}
