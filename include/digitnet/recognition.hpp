// recognition.hpp: what a drawing is: a digit, perhaps a digit, no digit, or nothing at all.
#pragma once

#include <digitnet/dataset.hpp>
#include <digitnet/drawing.hpp>
#include <digitnet/inference.hpp>
#include <digitnet/network.hpp>
#include <digitnet/preprocess.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace digitnet {

/// What became of a drawing.
enum class Status {
  digit,        ///< it was read
  unsure,       ///< it looks like a digit, but two are nearly as likely
  not_a_digit,  ///< it does not look like any
  empty         ///< there is no ink
};

inline constexpr std::array<std::string_view, 4> status_names{"digit", "unsure", "not_a_digit", "empty"};
inline constexpr std::string_view name_of(Status status) { return status_names[static_cast<std::size_t>(status)]; }

/// How the logits z of a network become probabilities and a status. Fitted once for a network, by fit_calibration, and
/// kept in its file.
///
///     probabilities  p = softmax(z / temperature), of each digit, given that it is one
///     margin         the largest p less the second largest, in [0, 1]
///     score          log sum_k exp(z_k): how much like a digit it is
///
/// Guo et al. (2017) divide the logits by a temperature, which changes no answer but makes probabilities mean what
/// they say. The score is the negative free energy of Liu et al. (2020), of the logits as they are. For a network
/// trained with an eleventh class, "not a digit", whose logit was then subtracted from the other ten, it is exactly the
/// log-odds that this is a digit, and p is the probability of each given that; for one trained on digits alone it still
/// tends to be larger for them. Likewise for a last layer of sigmoids: p and the score are what follows from their
/// odds if at most one digit is there.
///
/// @see Guo et al., On Calibration of Modern Neural Networks (2017), section 4.2
/// @see Liu et al., Energy-based Out-of-distribution Detection (2020), section 3
struct Calibration {
  double temperature = 1;  ///< in [0.05, 20]
  /// Below this score it is not a digit. Without a fitted one no score is too low.
  double rejection_threshold = -std::numeric_limits<double>::infinity();
  /// Below this margin it is unsure. The default asks for 0.75 against 0.25, if two share it all.
  double unsure_threshold = 0.5;

  // What it was fitted on, and how it did there.
  std::string fitted_on;       ///< a text for people; empty if it was not fitted
  std::size_t digits = 0;      ///< samples
  std::size_t not_digits = 0;  ///< samples
  double accepted = 1;         ///< share of the digits that are not rejected
  double coverage = 1;         ///< share of those that are not unsure
  double accuracy = 0;         ///< share of those that are read correctly
  double rejected = 0;         ///< share of the samples that are no digits

  bool operator==(const Calibration&) const = default;
};

/// Smallest and largest temperature.
inline constexpr double least_temperature = 0.05;
inline constexpr double most_temperature = 20;

/// What fit_calibration is to reach.
struct CalibrationOptions {
  double accepted = 0.985;  ///< share of the digits that are not to be rejected, in (0, 1]
  double coverage = 0.99;   ///< share of those that are not to be unsure, in (0, 1]
  std::optional<double>
      accuracy;             ///< if given, of those not unsure, and instead of coverage: as many are unsure as need be
  std::string fitted_on;    ///< a text for Calibration::fitted_on, such as "MNIST, 6000 training images"
  std::size_t threads = 0;  ///< how many to use, 0 for all; the result is the same bits for any
};

/// Fits a calibration to a network.
///
/// The temperature is the one of the least negative log-likelihood, in [0.05, 20], found exactly: in 1 / temperature it
/// is convex. (Of a network that reads all digits with certainty to spare it is the lower bound.) The thresholds are
/// the largest that accept the shares asked for, counted on the digits.
///
/// @param digits      labelled, and not trained on; thousands, since 1 % of them make the threshold
/// @param not_digits  anything else, its labels do not matter; it changes no threshold, only `rejected` tells of it
/// @throws ShapeError     if samples do not have network.inputs() numbers
/// @throws ArgumentError  if there are no digits, a label is not below network.outputs(), there is only one output, the
///                        last layer is neither softmax nor sigmoid, a share is not in (0, 1], or no threshold reaches
///                        the accuracy
template <class Real>
Calibration fit_calibration(const Network<Real>& network, const Dataset& digits, const Dataset& not_digits = {},
                            const CalibrationOptions& options = {});

/// As JSON, in one line. An infinite threshold is null.
/// @throws ArgumentError  if a number is out of range, or fitted_on is not UTF-8
std::string to_json(const Calibration& calibration);

/// The other way round. Members that are missing have their defaults, others that are not known do not count.
/// @param where  start of the message
/// @throws FormatError  if it is not JSON, no object, or a member is of another type or out of range
Calibration calibration_from_json(std::string_view text, const std::string& where = "calibration_from_json");

/// What network.metadata has under "calibration", else the default.
/// @throws FormatError  as calibration_from_json
template <class Real>
Calibration calibration_of(const Network<Real>& network);

/// Keeps a calibration in network.metadata, from where it goes into the file.
/// @throws ArgumentError  as to_json
template <class Real>
void set_calibration(Network<Real>& network, const Calibration& calibration);

/// One of the digits that a drawing may be.
struct Guess {
  std::size_t digit = 0;
  double probability = 0;
  bool operator==(const Guess&) const = default;
};

/// What was read from one drawing.
struct Recognition {
  Status status = Status::empty;
  std::optional<std::size_t> digit;       ///< the likeliest; none if empty or not_a_digit
  double probability = 0;                 ///< of the likeliest digit, if it is one; 0 if empty
  double margin = 0;                      ///< that less the probability of the next; 0 if empty
  std::optional<double> score;            ///< how much like a digit it is, see Calibration; none if empty
  std::array<float, 10> probabilities{};  ///< of each digit, if it is one; all 0 if empty
  MnistImage image{};                     ///< what the network saw

  /// The likeliest digits, from the likeliest on; of equal ones the smaller comes first. None if empty.
  std::vector<Guess> top(std::size_t count = 3) const;
};

/// What was read where there may be several digits.
struct NumberRecognition {
  std::vector<Recognition> digits;  ///< as segment_digits has them: line by line, from the left
  std::string text;  ///< a character for each: the digit, or ? if it is unsure or no digit; "" if empty
};

/// Where the model that comes with digitnet is: mnist.safetensors, in the first of these places that has it.
///
///     the file that DIGITNET_MODEL names, and no other, if it is set
///     beside the program or library that holds digitnet: models/ and ../share/digitnet/models/
///     where this header is: share/digitnet/models/ of what was installed, python/digitnet/models/ of the sources
///     where the library was to be installed when it was built, and the sources it was built from
///
/// @param header  leave it as it is: it knows where the header is
/// @throws IoError  if it is in none; the message names them
std::filesystem::path shipped_model(const std::filesystem::path& header = __FILE__);

/// Reads digits, and knows when there is none. Const and safe from many threads at once: threads that ask at the same
/// time have scratch space of their own.
///
/// What cannot be a digit is told before the network is asked for its opinion, by these rules:
///   - no ink: empty
///   - hardly any: the ink in the 28 x 28 image is less than 8 pixels high and wide (strokes too small for their canvas
///     or pen are not made larger, see to_mnist_image), or on a picture less than 6 pixels or 1 % of its larger side
///   - too much: a square of 11 x 11 pixels of the 28 x 28 is full of ink, as in a dot or an area painted over; on a
///     picture before strokes are made thinner
/// (MNIST's 60,000 training images are all at least 18 pixels high or wide; none has a full square of 10.)
/// For the rest the score, then the margin decide; see Calibration.
class Recognizer {
 public:
  /// The model that comes with digitnet.
  /// @throws IoError, FormatError  if there is none, see shipped_model, or it cannot be loaded
  Recognizer() : Recognizer(shipped_model()) {}

  /// A model file, with the calibration in it.
  /// @throws IoError, FormatError  as load_network, and as calibration_of
  /// @throws ShapeError, ArgumentError  as below
  explicit Recognizer(const std::filesystem::path& model);

  /// A network, with its calibration or another.
  /// @throws ShapeError     if the network does not take 28 x 28 inputs or does not have 10 outputs
  /// @throws ArgumentError  if its last layer is neither softmax nor sigmoid, or the calibration is out of range
  /// @throws FormatError    as calibration_of
  explicit Recognizer(Network<float> network, std::optional<Calibration> calibration = std::nullopt);

  Recognizer(const Recognizer& other);
  Recognizer(Recognizer&& other) noexcept;
  Recognizer& operator=(const Recognizer& other);
  Recognizer& operator=(Recognizer&& other) noexcept;
  ~Recognizer();

  const Network<float>& network() const;
  const Calibration& calibration() const;

  /// An image that is as MNIST's are.
  Recognition recognize(const MnistImage& image) const;

  /// A drawing anywhere on a picture of any size.
  /// @throws ShapeError  as ink_of
  Recognition recognize(const Picture& picture) const;

  /// Strokes on a canvas.
  /// @throws ArgumentError  as require_valid
  Recognition recognize(const Drawing& drawing) const;

  /// Several digits side by side, such as a number: each that segment_digits finds is read alone.
  /// @throws ShapeError, ArgumentError  as segment_digits
  NumberRecognition recognize_number(const Picture& picture) const;
  NumberRecognition recognize_number(const Drawing& drawing) const;

  /// Many images that are as MNIST's are, uint8 of 28 x 28: the same as one by one.
  /// @param threads  how many to use, 0 for all; the numbers are the same bits for any
  /// @throws ShapeError  if they are no bytes of 28 x 28
  std::vector<Recognition> recognize(const Dataset& images, std::size_t threads = 0) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace digitnet
