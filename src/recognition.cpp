#include <digitnet/recognition.hpp>

#include "evaluation.hpp"
#include "forward.hpp"
#include "picture_image.hpp"
#include "strict_json.hpp"

#include <digitnet/metrics.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <numeric>

namespace digitnet {
namespace {

using detail::text;
using nlohmann::json;

constexpr std::string_view metadata_key = "calibration";
constexpr const char* shipped_name = "mnist.safetensors";

/// No digit is smaller, no stroke thicker; see Recognizer.
constexpr std::size_t least_ink_side = 8;
constexpr std::size_t least_picture_ink_side = 6;
constexpr double least_picture_ink_share = 0.01;
/// Fainter than this is the edge of ink, not ink, in sizes.
constexpr std::uint8_t faint = 25;

// What follows from logits.

/// log sum_k exp(z_k)
template <class Real>
double log_sum_exp(std::span<const Real> z, double factor = 1) {
  const auto largest = static_cast<double>(*std::max_element(z.begin(), z.end())) * factor;
  double sum = 0;
  for (const Real value : z) sum += std::exp(static_cast<double>(value) * factor - largest);
  return std::log(sum) + largest;
}

/// softmax(z / temperature)
template <class Real>
void calibrated_softmax(std::span<const Real> z, double temperature, std::span<double> p) {
  const double log_sum = log_sum_exp(z, 1 / temperature);
  for (std::size_t k = 0; k < z.size(); ++k) p[k] = std::exp(static_cast<double>(z[k]) / temperature - log_sum);
}

double margin_of(std::span<const double> p) {
  double first = 0;
  double second = 0;
  for (const double value : p) {
    second = std::max(second, std::min(first, value));
    first = std::max(first, value);
  }
  return first - second;
}

// Fitting.

/// Logits of a whole set, (size, outputs).
template <class Real>
Matrix<double> logits_of(const Network<Real>& network, const Dataset& data, ThreadTeam& team) {
  Matrix<double> all = Matrix<double>::from_shape({data.size(), network.outputs()});
  detail::infer<Real>(network, data, team, [&](MatrixView<Real> logits, std::size_t first) {
    for (std::size_t i = 0; i < logits.rows; ++i) {
      const std::span<Real> z = logits.row(i);
      std::copy(z.begin(), z.end(), row(all, first + i).begin());
    }
  });
  return all;
}

/// First and second derivative of the mean negative log-likelihood with respect to b = 1 / temperature:
///     L = log sum_k exp(b z_k) - b z_y    dL/db = E[z] - z_y    d2L/db2 = E[z^2] - E[z]^2    (E under softmax(b z))
struct Slope {
  double first = 0;
  double second = 0;
};

Slope slope_at(double b, const Matrix<double>& logits, const Labels& labels) {
  Slope slope;
  std::vector<double> p(logits.shape(1));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span<const double> z = row(logits, i);
    calibrated_softmax(z, 1 / b, p);
    const double mean = std::inner_product(z.begin(), z.end(), p.begin(), 0.0);
    double variance = 0;
    for (std::size_t k = 0; k < z.size(); ++k) variance += p[k] * (z[k] - mean) * (z[k] - mean);
    slope.first += mean - z[labels(i)];
    slope.second += variance;
  }
  return slope;
}

/// Newton's method, and bisection where it would leave what is known to hold the minimum.
double best_temperature(const Matrix<double>& logits, const Labels& labels) {
  double low = 1 / most_temperature;
  double high = 1 / least_temperature;
  if (slope_at(low, logits, labels).first >= 0) return most_temperature;
  if (slope_at(high, logits, labels).first <= 0) return least_temperature;
  double b = 1;
  for (int step = 0; step < 200 && high - low > 1e-14 * high; ++step) {
    const Slope slope = slope_at(b, logits, labels);
    (slope.first > 0 ? high : low) = b;
    const double next = b - slope.first / slope.second;
    const double before = b;
    b = next > low && next < high ? next : (low + high) / 2;
    if (std::abs(b - before) <= 1e-13 * b) break;
  }
  return 1 / b;
}

/// The margins of samples, and whether each is read correctly.
struct Margins {
  std::vector<double> margins;
  std::vector<bool> right;

  double accuracy_from(double threshold) const {
    std::size_t covered = 0;
    std::size_t correct = 0;
    for (std::size_t i = 0; i < margins.size(); ++i) {
      if (margins[i] < threshold) continue;
      ++covered;
      correct += right[i] ? 1 : 0;
    }
    return covered > 0 ? static_cast<double>(correct) / static_cast<double>(covered) : 0.0;
  }
};

/// The least margin from which on the accuracy is reached.
double threshold_reaching(double accuracy, const Margins& of) {
  std::vector<std::size_t> order(of.margins.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return of.margins[a] > of.margins[b]; });
  std::optional<double> threshold;
  std::size_t correct = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    correct += of.right[order[i]] ? 1 : 0;
    const bool last_of_equals = i + 1 == order.size() || of.margins[order[i + 1]] < of.margins[order[i]];
    if (last_of_equals && static_cast<double>(correct) >= accuracy * static_cast<double>(i + 1) * (1 - 1e-12)) {
      threshold = of.margins[order[i]];
    }
  }
  if (!threshold) {
    throw ArgumentError(text("fit_calibration: accuracy is ", accuracy, ", but no threshold reaches it; the most is ",
                             of.accuracy_from(of.margins[order.front()])));
  }
  return *threshold;
}

void require_share(const char* name, double share) {
  if (share > 0 && share <= 1) return;
  throw ArgumentError(text("fit_calibration: ", name, " is ", share, ", expected more than 0 and at most 1"));
}

// The form in files. One table says what is checked and how each member is written.

struct Member {
  const char* name;
  double Calibration::*number;
  double least;
  double most;
  double if_null;  ///< NaN if null is not allowed
};

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double no_null = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<Member, 7> members{{
    {"temperature", &Calibration::temperature, least_temperature, most_temperature, no_null},
    {"rejection_threshold", &Calibration::rejection_threshold, -1e30, 1e30, -infinity},
    {"unsure_threshold", &Calibration::unsure_threshold, 0, 1, no_null},
    {"accepted", &Calibration::accepted, 0, 1, no_null},
    {"coverage", &Calibration::coverage, 0, 1, no_null},
    {"accuracy", &Calibration::accuracy, 0, 1, no_null},
    {"rejected", &Calibration::rejected, 0, 1, no_null},
}};

struct Count {
  const char* name;
  std::size_t Calibration::*number;
};

constexpr std::array<Count, 2> counts{{{"digits", &Calibration::digits}, {"not_digits", &Calibration::not_digits}}};

bool is_within(const Member& member, double number) {
  return (number >= member.least && number <= member.most) || number == member.if_null;
}

std::string range_text(const Member& member) {
  return text("expected ", member.least, " to ", member.most, std::isnan(member.if_null) ? "" : ", or none");
}

/// @throws ArgumentError  if a number is out of range
void require_valid(const char* where, const Calibration& calibration) {
  for (const Member& member : members) {
    const double number = calibration.*member.number;
    if (!is_within(member, number)) {
      throw ArgumentError(text(where, ": ", member.name, " is ", number, ", ", range_text(member)));
    }
  }
}

// What cannot be a digit.

/// Height or width of what is not faint, whichever is larger; 0 if there is nothing.
std::size_t ink_side(const MnistImage& image) {
  std::size_t top = mnist_side, bottom = 0, left = mnist_side, right = 0;
  for (std::size_t y = 0; y < mnist_side; ++y) {
    for (std::size_t x = 0; x < mnist_side; ++x) {
      if (image[y * mnist_side + x] < faint) continue;
      top = std::min(top, y);
      bottom = y + 1;
      left = std::min(left, x);
      right = std::max(right, x + 1);
    }
  }
  return bottom == 0 ? 0 : std::max(bottom - top, right - left);
}

bool is_painted_over(const MnistImage& image) {
  return detail::has_full_square({image.data(), mnist_side, mnist_side, mnist_side},
                                 detail::full_square_of(mnist_box));
}

}  // namespace

template <class Real>
Calibration fit_calibration(const Network<Real>& network, const Dataset& digits, const Dataset& not_digits,
                            const CalibrationOptions& options) {
  constexpr const char* where = "fit_calibration";
  detail::require_probabilities(where, network.layers().back().activation);
  if (network.outputs() < 2) throw ArgumentError(text(where, ": a network with 1 output, expected at least 2"));
  require_share("accepted", options.accepted);
  require_share("coverage", options.coverage);
  if (options.accuracy) require_share("accuracy", *options.accuracy);
  detail::require_fitting_data(where, network.architecture(), digits);

  ThreadTeam team(options.threads);
  const Matrix<double> logits = logits_of(network, digits, team);
  const Labels labels = digits.labels();
  Calibration calibration;
  calibration.fitted_on = options.fitted_on;
  calibration.digits = digits.size();
  calibration.not_digits = not_digits.size();
  calibration.temperature = best_temperature(logits, labels);

  std::vector<double> scores(labels.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = log_sum_exp(std::span<const double>(row(logits, i)));
  }
  calibration.rejection_threshold = threshold_accepting(options.accepted, scores);
  calibration.accepted = acceptance_rate(scores, calibration.rejection_threshold);

  Margins accepted;
  std::vector<double> p(network.outputs());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] < calibration.rejection_threshold) continue;
    const std::span<const double> z = row(logits, i);
    calibrated_softmax(z, calibration.temperature, p);
    accepted.margins.push_back(margin_of(p));
    accepted.right.push_back(std::max_element(z.begin(), z.end()) - z.begin() == labels(i));
  }
  calibration.unsure_threshold = options.accuracy ? threshold_reaching(*options.accuracy, accepted)
                                                  : threshold_accepting(options.coverage, accepted.margins);
  calibration.coverage = acceptance_rate(accepted.margins, calibration.unsure_threshold);
  calibration.accuracy = accepted.accuracy_from(calibration.unsure_threshold);

  if (!not_digits.empty()) {
    if (not_digits.inputs() != network.inputs()) {
      throw ShapeError(text(where, ": not_digits has samples of ", not_digits.inputs(), " numbers, expected ",
                            network.inputs(), ", the inputs of the network"));
    }
    const Matrix<double> others = logits_of(network, not_digits, team);
    std::vector<double> other_scores(not_digits.size());
    for (std::size_t i = 0; i < other_scores.size(); ++i) {
      other_scores[i] = log_sum_exp(std::span<const double>(row(others, i)));
    }
    calibration.rejected = 1 - acceptance_rate(other_scores, calibration.rejection_threshold);
  }
  return calibration;
}

std::string to_json(const Calibration& calibration) {
  require_valid("to_json", calibration);
  detail::JsonDocument value(json::value_t::object);
  value["fitted_on"] = calibration.fitted_on;
  for (const Member& member : members) {
    const double number = calibration.*member.number;
    value[member.name] = std::isfinite(number) ? json(number) : json();
  }
  for (const Count& count : counts) value[count.name] = calibration.*count.number;
  return detail::to_json_text("to_json: fitted_on: ", value);
}

Calibration calibration_from_json(std::string_view json_text, const std::string& where) {
  const detail::JsonDocument value = detail::parse_json(where + ": ", json_text);
  if (!value.is_object()) throw FormatError(where + ": not a JSON object");
  Calibration calibration;
  for (const Member& member : members) {
    const auto found = value.find(member.name);
    if (found == value.end()) continue;
    if (found->is_null() && !std::isnan(member.if_null)) {
      calibration.*member.number = member.if_null;
      continue;
    }
    if (!found->is_number()) throw FormatError(text(where, ": ", member.name, " is no number, ", range_text(member)));
    const auto number = found->get<double>();
    if (!is_within(member, number)) {
      throw FormatError(text(where, ": ", member.name, " is ", number, ", ", range_text(member)));
    }
    calibration.*member.number = number;
  }
  for (const Count& count : counts) {
    const auto found = value.find(count.name);
    if (found == value.end()) continue;
    if (!found->is_number_unsigned()) {
      throw FormatError(text(where, ": ", count.name, " is something else, expected a whole number of at least 0"));
    }
    calibration.*count.number = found->get<std::size_t>();
  }
  if (const auto found = value.find("fitted_on"); found != value.end()) {
    if (!found->is_string()) throw FormatError(where + ": fitted_on is no text, expected one");
    calibration.fitted_on = found->get<std::string>();
  }
  return calibration;
}

template <class Real>
Calibration calibration_of(const Network<Real>& network) {
  const auto found = network.metadata.find(std::string(metadata_key));
  if (found == network.metadata.end()) return {};
  return calibration_from_json(found->second, "calibration_of: the metadata \"calibration\"");
}

template <class Real>
void set_calibration(Network<Real>& network, const Calibration& calibration) {
  network.metadata[std::string(metadata_key)] = to_json(calibration);
}

template Calibration fit_calibration(const Network<float>&, const Dataset&, const Dataset&,
                                     const CalibrationOptions&);
template Calibration fit_calibration(const Network<double>&, const Dataset&, const Dataset&,
                                     const CalibrationOptions&);
template Calibration calibration_of(const Network<float>&);
template Calibration calibration_of(const Network<double>&);
template void set_calibration(Network<float>&, const Calibration&);
template void set_calibration(Network<double>&, const Calibration&);

std::vector<Guess> Recognition::top(std::size_t count) const {
  if (status == Status::empty) return {};
  std::vector<Guess> guesses(probabilities.size());
  for (std::size_t k = 0; k < guesses.size(); ++k) guesses[k] = {k, probabilities[k]};
  std::stable_sort(guesses.begin(), guesses.end(),
                   [](const Guess& a, const Guess& b) { return a.probability > b.probability; });
  guesses.resize(std::min(count, guesses.size()));
  return guesses;
}

std::filesystem::path shipped_model(const std::filesystem::path& header) {
  namespace fs = std::filesystem;
  const auto is_there = [](const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
  };
  if (const char* named = std::getenv("DIGITNET_MODEL"); named != nullptr && *named != '\0') {
    if (is_there(named)) return named;
    throw IoError(text("shipped_model: DIGITNET_MODEL is ", named, ", and there is no such file"));
  }
  std::vector<fs::path> folders;
  Dl_info holder{};  // what this function lies in: a program or a library
  if (dladdr(reinterpret_cast<void*>(&shipped_model), &holder) != 0 && holder.dli_fname != nullptr) {
    std::error_code ignored;
    const fs::path folder = fs::weakly_canonical(holder.dli_fname, ignored).parent_path();
    folders.push_back(folder / "models");
    folders.push_back(folder.parent_path() / "share" / "digitnet" / "models");
  }
  if (header.is_absolute()) {  // a compiler that was given a relative path tells no more
    const fs::path root = header.parent_path().parent_path().parent_path();  // of include/digitnet/recognition.hpp
    folders.push_back(root / "share" / "digitnet" / "models");
    folders.push_back(root / "python" / "digitnet" / "models");
  }
  folders.emplace_back(DIGITNET_INSTALLED_MODELS);
  folders.emplace_back(DIGITNET_SOURCE_MODELS);
  std::string places;
  for (const fs::path& folder : folders) {
    if (is_there(folder / shipped_name)) return folder / shipped_name;
    places += text(places.empty() ? "" : ", ", folder.string());
  }
  throw IoError(text("shipped_model: there is no ", shipped_name, " in ", places,
                     "; set DIGITNET_MODEL to a model file, or give the path of one"));
}

/// A network and passes through it, one for each thread that asks at the same time.
struct Recognizer::State {
  State(Network<float> asked, Calibration chosen)
      : network(std::move(asked)), halves(network), calibration(std::move(chosen)) {}

  using Pass = detail::ForwardPass<float>;

  std::unique_ptr<Pass> take_pass() {
    {
      const std::lock_guard lock(mutex);
      if (!passes.empty()) {
        std::unique_ptr<Pass> pass = std::move(passes.back());
        passes.pop_back();
        return pass;
      }
    }
    return std::make_unique<Pass>(network, 1, &halves);
  }

  void put_back(std::unique_ptr<Pass> pass) {
    const std::lock_guard lock(mutex);
    passes.push_back(std::move(pass));
  }

  /// What an image is, `pass` being the caller's own.
  Recognition read(Pass& pass, std::span<const std::uint8_t> pixels, bool is_no_digit) const {
    Recognition result;
    std::copy(pixels.begin(), pixels.end(), result.image.begin());
    if (std::all_of(pixels.begin(), pixels.end(), [](std::uint8_t pixel) { return pixel == 0; })) return result;
    const std::span<const float> z = pass.logits(pixels);
    std::array<double, 10> p{};
    calibrated_softmax(z, calibration.temperature, p);
    std::transform(p.begin(), p.end(), result.probabilities.begin(),
                   [](double value) { return static_cast<float>(value); });
    const auto likeliest = static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin());
    result.probability = p[likeliest];
    result.margin = margin_of(p);
    result.score = log_sum_exp(z);
    const bool cannot_be = is_no_digit || ink_side(result.image) < least_ink_side || is_painted_over(result.image);
    if (cannot_be || *result.score < calibration.rejection_threshold) {
      result.status = Status::not_a_digit;
      return result;
    }
    result.digit = likeliest;
    result.status = result.margin < calibration.unsure_threshold ? Status::unsure : Status::digit;
    return result;
  }

  Recognition read(const MnistImage& image, bool is_no_digit) {
    std::unique_ptr<Pass> pass = take_pass();
    const Recognition result = read(*pass, image, is_no_digit);
    put_back(std::move(pass));
    return result;
  }

  Network<float> network;  // stays where it is, since passes refer to it
  detail::HalfLayers halves;
  Calibration calibration;
  std::mutex mutex;
  std::vector<std::unique_ptr<Pass>> passes;
};

Recognizer::Recognizer(Network<float> network, std::optional<Calibration> calibration) {
  constexpr std::size_t pixels = mnist_side * mnist_side;
  if (network.inputs() != pixels || network.outputs() != 10) {
    throw ShapeError(text("Recognizer: a network of ", network.inputs(), " inputs and ", network.outputs(),
                          " outputs, expected ", pixels, ", the pixels of 28 x 28, and 10, the digits"));
  }
  detail::require_probabilities("Recognizer", network.layers().back().activation);
  if (!calibration) calibration = calibration_of(network);
  require_valid("Recognizer: calibration", *calibration);
  state_ = std::make_unique<State>(std::move(network), std::move(*calibration));
}

Recognizer::Recognizer(const std::filesystem::path& model) : Recognizer(load_network<float>(model)) {}

Recognizer::Recognizer(const Recognizer& other) : Recognizer(other.network(), other.calibration()) {}
Recognizer& Recognizer::operator=(const Recognizer& other) { return *this = Recognizer(other); }
Recognizer::Recognizer(Recognizer&& other) noexcept = default;
Recognizer& Recognizer::operator=(Recognizer&& other) noexcept = default;
Recognizer::~Recognizer() = default;

const Network<float>& Recognizer::network() const { return state_->network; }
const Calibration& Recognizer::calibration() const { return state_->calibration; }

Recognition Recognizer::recognize(const MnistImage& image) const { return state_->read(image, false); }

Recognition Recognizer::recognize(const Picture& picture) const {
  const detail::PictureImage seen = detail::picture_image("Recognizer::recognize", picture);
  const auto least = std::max(static_cast<double>(least_picture_ink_side),
                              least_picture_ink_share * static_cast<double>(std::max(picture.width, picture.height)));
  return state_->read(seen.image, seen.is_painted_over || static_cast<double>(seen.ink_side) < least);
}

Recognition Recognizer::recognize(const Drawing& drawing) const {
  return state_->read(to_mnist_image(drawing), false);
}

namespace {

template <class Parts, class Read>
NumberRecognition read_parts(const Parts& parts, const Read& read) {
  NumberRecognition number;
  for (const auto& part : parts) {
    number.digits.push_back(read(part));
    const Recognition& digit = number.digits.back();
    number.text += digit.status == Status::digit ? static_cast<char>('0' + *digit.digit) : '?';
  }
  return number;
}

}  // namespace

NumberRecognition Recognizer::recognize_number(const Picture& picture) const {
  return read_parts(segment_digits(picture), [&](const PictureSegment& part) { return recognize(part.picture); });
}

NumberRecognition Recognizer::recognize_number(const Drawing& drawing) const {
  return read_parts(segment_digits(drawing), [&](const Drawing& part) { return recognize(part); });
}

std::vector<Recognition> Recognizer::recognize(const Dataset& images, std::size_t threads) const {
  if (!images.has_bytes() || images.rows() != mnist_side || images.columns() != mnist_side) {
    throw ShapeError(text("Recognizer::recognize: ", images.has_bytes() ? "bytes" : "numbers", " of ", images.rows(),
                          " x ", images.columns(), ", expected bytes of 28 x 28"));
  }
  std::vector<Recognition> results(images.size());
  ThreadTeam team(threads);
  constexpr std::size_t piece_size = 64;
  team.run((images.size() + piece_size - 1) / piece_size, [&](std::size_t piece, std::size_t) {
    std::unique_ptr<State::Pass> pass = state_->take_pass();
    const std::size_t last = std::min(images.size(), (piece + 1) * piece_size);
    for (std::size_t i = piece * piece_size; i < last; ++i) results[i] = state_->read(*pass, images.pixels(i), false);
    state_->put_back(std::move(pass));
  });
  return results;
}

}  // namespace digitnet
