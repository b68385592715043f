#include "bindings.hpp"
#include "drawing.hpp"
#include "picture.hpp"

#include <digitnet/recognition.hpp>

#include <cmath>

namespace digitnet::python {
namespace {

namespace tag {
struct Sketch {
  static constexpr auto name = py::detail::const_name(
      "digitnet._core.Drawing | collections.abc.Sequence[collections.abc.Sequence[collections.abc.Sequence[float]]]"
      " | numpy.typing.ArrayLike");
};
}  // namespace tag

/// Whatever Recognizer.recognize takes.
using SketchObject = Named<tag::Sketch>;

constexpr const char* calibration_doc = R"doc(
How the logits of a network become probabilities and a status; fit_calibration makes one.

The probabilities are softmax(logits / temperature). What scores below rejection_threshold is not a digit, where the
score is the logarithm of the sum of the exponentials of the logits; what has a margin below unsure_threshold, the
largest probability less the second largest, is unsure.

Args:
    temperature: 0.05 to 20.
    rejection_threshold: None rejects nothing by its score.
    unsure_threshold: 0 to 1.

Raises:
    ArgumentError: if a number is out of range.
)doc";

constexpr const char* fit_doc = R"doc(
Fit a calibration to a network: temperature and thresholds.

The temperature is the one of the least negative log-likelihood (Guo et al. 2017); the thresholds are the largest that
accept the shares asked for.

Args:
    network: as it is trained.
    digits: labelled, and not trained on; thousands.
    not_digits: anything else; changes no threshold, `rejected` tells what becomes of it.
    accepted: share of the digits that are not to be rejected.
    coverage: share of those that are not to be unsure.
    accuracy: of those that are not unsure; if given, as many are unsure as need be, and coverage does not count.
    fitted_on: a text for people, kept with the result.
    threads: how many to use, 0 for all.

Raises:
    ShapeError: if the samples do not have the network's number of inputs.
    ArgumentError: if there are no digits, a share is not in (0, 1], or no threshold reaches the accuracy.
)doc";

constexpr const char* recognizer_doc = R"doc(
Reads digits, and knows when there is none. Safe from many threads at once.

Args:
    model: a Network of 28 x 28 inputs and 10 outputs, or the path of its file; None takes the model that comes with
        digitnet, or the one that the environment names in DIGITNET_MODEL.
    calibration: another than the one in the model.

Raises:
    IoError, FormatError: if there is no model, or it cannot be loaded.
    ShapeError, ArgumentError: if the network is not one for digits.
)doc";

constexpr const char* recognize_doc = R"doc(
Read a drawing anywhere on a canvas of any size.

Args:
    drawing: strokes [[[x, y], ...], ...], y down; a Drawing; a picture, uint8 (height, width) or (height, width,
        channels); or an image of Pillow.

Returns:
    A Recognition. Its status is "digit", "unsure", "not_a_digit" or "empty".

Raises:
    ShapeError, ArgumentError: if it is none of these, or a coordinate is not finite.
)doc";

constexpr const char* recognize_number_doc = R"doc(
Read several digits side by side, such as a number: each that segment_digits finds is read alone.

Args:
    drawing: as recognize takes.

Returns:
    A NumberRecognition: .digits, a list of Recognition, and .text, "107", with ? for what is unsure or no digit.

Raises:
    ShapeError, ArgumentError: as recognize.
)doc";

double threshold_of(const std::optional<double>& threshold) {
  return threshold.value_or(-std::numeric_limits<double>::infinity());
}

template <class Number>
std::optional<double> if_finite(Number number) {
  return std::isfinite(number) ? std::optional<double>(number) : std::nullopt;
}

std::string describe(const Recognition& read) {
  std::string digit;
  if (read.digit) digit = detail::text(" ", *read.digit, ", probability ", read.probability);
  return detail::text("<digitnet.Recognition: ", name_of(read.status), digit, ">");
}

/// Calls `read` with what was given, as a Drawing or as a Picture.
template <class Read>
auto read_sketch(const char* where, const SketchObject& object, const Read& read) {
  if (python::tag::Strokes::check(object)) {
    const Drawing drawing = to_drawing(where, object);
    return without_gil([&] { return read(drawing); });
  }
  const Picture picture = to_picture(where, object);
  return without_gil([&] { return read(picture); });
}

/// None takes the model beside the Python package, where an editable install has it, else the one C++ finds.
std::filesystem::path default_model() {
  if (std::getenv("DIGITNET_MODEL") == nullptr) {
    for (const py::handle folder : py::module_::import("digitnet").attr("__path__")) {
      const std::filesystem::path model =
          std::filesystem::path(folder.cast<std::string>()) / "models" / "mnist.safetensors";
      std::error_code ignored;
      if (std::filesystem::is_regular_file(model, ignored)) return model;
    }
  }
  return shipped_model();
}

Recognizer recognizer_from_path(const std::optional<std::filesystem::path>& model,
                                const std::optional<Calibration>& calibration) {
  const std::filesystem::path path = model ? *model : default_model();
  return without_gil([&] { return Recognizer(load_network<float>(path), calibration); });
}

void bind_calibration(py::module_& m) {
  py::class_<Calibration>(m, "Calibration", calibration_doc)
      .def(
          py::init([](double temperature, const std::optional<double>& rejection_threshold, double unsure_threshold) {
            Calibration calibration;
            calibration.temperature = temperature;
            calibration.rejection_threshold = threshold_of(rejection_threshold);
            calibration.unsure_threshold = unsure_threshold;
            static_cast<void>(to_json(calibration));  // says what is out of range
            return calibration;
          }),
          py::arg("temperature") = 1.0, py::arg("rejection_threshold") = std::nullopt,
          py::arg("unsure_threshold") = 0.5)
      .def_readonly("temperature", &Calibration::temperature, "The logits are divided by it.")
      .def_property_readonly(
          "rejection_threshold", [](const Calibration& c) { return if_finite(c.rejection_threshold); },
          "Below this score it is not a digit; None if no score is too low.")
      .def_readonly("unsure_threshold", &Calibration::unsure_threshold, "Below this margin it is unsure.")
      .def_readonly("fitted_on", &Calibration::fitted_on, "A text for people; empty if it was not fitted.")
      .def_readonly("digits", &Calibration::digits, "How many digits it was fitted on.")
      .def_readonly("not_digits", &Calibration::not_digits, "How many samples of something else.")
      .def_readonly("accepted", &Calibration::accepted, "Share of the digits that are not rejected.")
      .def_readonly("coverage", &Calibration::coverage, "Share of those that are not unsure.")
      .def_readonly("accuracy", &Calibration::accuracy, "Share of those that are read correctly.")
      .def_readonly("rejected", &Calibration::rejected, "Share of the samples that are no digits.")
      .def("to_json", &to_json, "As JSON, in one line.")
      .def_static(
          "from_json", [](const std::string& text) { return calibration_from_json(text, "Calibration.from_json"); },
          py::arg("text"), "The other way round; FormatError if it breaks a rule.")
      .def(
          "__eq__", [](const Calibration& one, const Calibration& other) { return one == other; }, py::is_operator())
      .def("__repr__",
           [](const Calibration& c) {
             return detail::text("<digitnet.Calibration: temperature ", c.temperature, ", rejection below ",
                                 c.rejection_threshold, ", unsure below ", c.unsure_threshold, ">");
           })
      .attr("__hash__") = py::none();

  m.def(
      "fit_calibration",
      [](const Network<float>& network, const Dataset& digits, const std::optional<ImagesObject>& not_digits,
         double accepted, double coverage, const std::optional<double>& accuracy, const std::string& fitted_on,
         std::size_t threads) {
        const Dataset others = not_digits ? to_samples("fit_calibration", *not_digits) : Dataset();
        const CalibrationOptions options{accepted, coverage, accuracy, fitted_on, threads};
        return without_gil([&] { return fit_calibration(network, digits, others, options); });
      },
      py::arg("network"), py::arg("digits"), py::arg("not_digits") = std::nullopt, py::arg("accepted") = 0.985,
      py::arg("coverage") = 0.99, py::arg("accuracy") = std::nullopt, py::arg("fitted_on") = "",
      py::arg("threads") = 0, fit_doc);
  m.def(
      "calibration_of", [](const Network<float>& network) { return calibration_of(network); }, py::arg("network"),
      "The calibration in network.metadata, else the default; FormatError if it is damaged.");
  m.def(
      "set_calibration",
      [](Network<float>& network, const Calibration& calibration) { set_calibration(network, calibration); },
      py::arg("network"), py::arg("calibration"),
      "Keep a calibration in network.metadata, from where it goes into the file.");
}

}  // namespace

void bind_recognition(py::module_& m) {
  bind_calibration(m);

  py::class_<Recognition>(m, "Recognition", "What was read from one drawing.")
      .def_property_readonly(
          "status", [](const Recognition& read) { return std::string(name_of(read.status)); },
          "\"digit\", \"unsure\" (two digits are nearly as likely), \"not_a_digit\" or \"empty\".")
      .def_readonly("digit", &Recognition::digit, "The likeliest; None if empty or not_a_digit.")
      .def_readonly("probability", &Recognition::probability, "Of the likeliest digit, if it is one; 0 if empty.")
      .def_readonly("margin", &Recognition::margin, "That less the probability of the next; 0 if empty.")
      .def_readonly("score", &Recognition::score,
                    "How much like a digit it is, the negative energy of the logits; None if empty.")
      .def_property_readonly(
          "probabilities",
          [](const Recognition& read) -> std::optional<py::array_t<float>> {
            if (read.status == Status::empty) return std::nullopt;
            return py::array_t<float>(static_cast<py::ssize_t>(read.probabilities.size()), read.probabilities.data());
          },
          "float32 (10): of each digit, if it is one; None if empty.")
      .def_property_readonly(
          "image", [](const Recognition& read) { return image_to_numpy(read.image); },
          "uint8 (28, 28): what the network saw.")
      .def(
          "top",
          [](const Recognition& read, std::size_t count) {
            std::vector<std::pair<std::size_t, double>> top;
            for (const Guess& guess : read.top(count)) top.emplace_back(guess.digit, guess.probability);
            return top;
          },
          py::arg("count") = 3, "The likeliest digits with their probabilities, from the likeliest on.")
      .def("__repr__", &describe);

  py::class_<NumberRecognition>(m, "NumberRecognition", "What was read where there may be several digits.")
      .def_readonly("digits", &NumberRecognition::digits, "A list of Recognition: line by line, from the left.")
      .def_readonly("text", &NumberRecognition::text,
                    "A character for each: the digit, or ? if it is unsure or no digit; empty if there is no ink.")
      .def("__repr__", [](const NumberRecognition& number) {
        return detail::text("<digitnet.NumberRecognition: '", number.text, "'>");
      });

  m.def("shipped_model", &default_model,
        "Path of the model that comes with digitnet; DIGITNET_MODEL in the environment names another.\n\n"
        "Raises:\n    IoError: if there is none; the message says where it was looked for.");

  py::class_<Recognizer>(m, "Recognizer", recognizer_doc)
      .def(py::init<Network<float>, std::optional<Calibration>>(), py::arg("model"),
           py::arg("calibration") = std::nullopt)
      .def(py::init(&recognizer_from_path), py::arg("model") = std::nullopt, py::arg("calibration") = std::nullopt)
      .def_property_readonly("network", &Recognizer::network, py::return_value_policy::copy,
                             "A copy of the network that is asked.")
      .def_property_readonly("calibration", &Recognizer::calibration, py::return_value_policy::copy,
                             "What decides about statuses.")
      .def(
          "recognize",
          [](const Recognizer& recognizer, const SketchObject& drawing) {
            return read_sketch("Recognizer.recognize", drawing,
                               [&](const auto& sketch) { return recognizer.recognize(sketch); });
          },
          py::arg("drawing"), recognize_doc)
      .def(
          "recognize_number",
          [](const Recognizer& recognizer, const SketchObject& drawing) {
            return read_sketch("Recognizer.recognize_number", drawing,
                               [&](const auto& sketch) { return recognizer.recognize_number(sketch); });
          },
          py::arg("drawing"), recognize_number_doc)
      .def(
          "recognize_images",
          [](const Recognizer& recognizer, const ImagesObject& images, std::size_t threads) {
            const Dataset samples = to_samples("Recognizer.recognize_images", images);
            return without_gil([&] { return recognizer.recognize(samples, threads); });
          },
          py::arg("images"), py::arg("threads") = 0,
          "Read many images that are as MNIST's are, uint8 (n, 28, 28) or a Dataset: a list of Recognition.\n\n"
          "Raises:\n    ShapeError: if they are no bytes of 28 x 28.")
      .def("__repr__", [](const Recognizer& recognizer) {
        return detail::text("<digitnet.Recognizer: temperature ", recognizer.calibration().temperature, ">");
      });
}

}  // namespace digitnet::python
