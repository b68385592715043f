#include <digitnet/explain.hpp>
#include <digitnet/parallel.hpp>

#include "forward.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace digitnet {
namespace {

using detail::text;

/// What the way back needs of the way forward.
template <class Real>
struct Trace {
  std::vector<Matrix<Real>> kept;  ///< of each layer but the last: z or a, whichever its derivative needs
  Matrix<Real> logits;
};

template <class Real>
void activate_rows(Activation activation, Matrix<Real>& z) {
  for (std::size_t sample = 0; sample < z.shape(0); ++sample) detail::fast_activate(activation, row(z, sample));
}

template <class Real>
Trace<Real> trace_of(const Network<Real>& network, const Matrix<Real>& images) {
  Trace<Real> trace;
  Matrix<Real> a = images;
  for (std::size_t i = 0; i + 1 < network.layers().size(); ++i) {
    const Dense<Real>& layer = network.layers()[i];
    Matrix<Real> z = layer.preactivation(a);
    const bool keep_z = needs_preactivation(layer.activation);
    if (keep_z) trace.kept.push_back(z);
    activate_rows(layer.activation, z);
    if (!keep_z) trace.kept.push_back(z);
    a = std::move(z);
  }
  trace.logits = network.layers().back().preactivation(a);
  return trace;
}

template <class Real>
Matrix<Real> back_to_inputs(const Network<Real>& network, const Trace<Real>& trace, Matrix<Real> dz) {
  for (std::size_t i = network.layers().size(); i-- > 0;) {
    const Dense<Real>& layer = network.layers()[i];
    Matrix<Real> dx = Matrix<Real>::from_shape({dz.shape(0), layer.inputs()});
    gemm<Real>(Real{1}, view(dz), Transpose::no, view(layer.weights), Transpose::yes, Real{0}, view(dx));
    if (i > 0) {
      for (std::size_t sample = 0; sample < dx.shape(0); ++sample) {
        activation_gradient<Real>(network.layers()[i - 1].activation, row(dx, sample),
                                  row(std::as_const(trace.kept[i - 1]), sample));
      }
    }
    dz = std::move(dx);
  }
  return dz;
}

template <class Real>
Matrix<Real> one_row(const char* where, const Network<Real>& network, std::span<const Real> image) {
  if (image.size() != network.inputs()) {
    throw ShapeError(text(where, ": image of ", image.size(), " numbers, expected ", network.inputs()));
  }
  Matrix<Real> matrix = Matrix<Real>::from_shape({1, image.size()});
  std::copy(image.begin(), image.end(), matrix.data());
  return matrix;
}

template <class Real>
void require_digit(const char* where, const char* what, const Network<Real>& network, std::size_t digit) {
  if (digit >= network.outputs()) {
    throw ArgumentError(text(where, ": ", what, " is ", digit, ", expected one below ", network.outputs()));
  }
}

template <class Real>
void require_rivals(const char* where, const Network<Real>& network) {
  if (network.outputs() < 2) {
    throw ArgumentError(text(where, ": a network of 1 output, expected at least 2, to be told apart"));
  }
}

/// Values less the largest of the others.
template <class Real>
double margin_of(std::span<const Real> values, std::size_t k) {
  double rival = -std::numeric_limits<double>::infinity();
  for (std::size_t j = 0; j < values.size(); ++j) {
    if (j != k) rival = std::max(rival, static_cast<double>(values[j]));
  }
  return static_cast<double>(values[k]) - rival;
}

// --- Nearest samples

constexpr std::size_t samples_of_piece = 512;

std::uint64_t squared_distance(std::span<const std::uint8_t> a, const std::uint8_t* b) {
  constexpr std::size_t block = 32768;  // so many squares of bytes fit into 32 bits
  std::uint64_t sum = 0;
  for (std::size_t first = 0; first < a.size(); first += block) {
    const std::size_t last = std::min(a.size(), first + block);
    std::uint32_t part = 0;
    for (std::size_t i = first; i < last; ++i) {
      const int difference = int{a[i]} - int{b[i]};
      part += static_cast<std::uint32_t>(difference * difference);
    }
    sum += part;
  }
  return sum;
}

double squared_distance(std::span<const float> a, const float* b) {
  std::array<double, 8> sums{};  // eight sums at a time, in an order that no compiler may change
  std::size_t i = 0;
  for (; i + sums.size() <= a.size(); i += sums.size()) {
    for (std::size_t k = 0; k < sums.size(); ++k) {
      const double difference = double{a[i + k]} - double{b[i + k]};
      sums[k] += difference * difference;
    }
  }
  for (; i < a.size(); ++i) sums[0] += (double{a[i]} - double{b[i]}) * (double{a[i]} - double{b[i]});
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

/// @param sample_at  where a sample begins
/// @param unit       what a step of the numbers is in the distances
template <class Squared, class Value, class SampleAt>
std::vector<Neighbor> nearest(std::span<const Value> image, const Dataset& data, std::size_t count,
                              std::size_t threads, double unit, const SampleAt& sample_at) {
  std::vector<std::pair<Squared, std::size_t>> found(data.size());
  ThreadTeam team(threads);
  team.run((data.size() + samples_of_piece - 1) / samples_of_piece, [&](std::size_t piece, std::size_t) {
    const std::size_t last = std::min(data.size(), (piece + 1) * samples_of_piece);
    for (std::size_t i = piece * samples_of_piece; i < last; ++i) {
      found[i] = {squared_distance(image, sample_at(i)), i};
    }
  });
  count = std::min(count, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end());
  std::vector<Neighbor> neighbors;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [squared, sample] = found[i];
    neighbors.push_back({sample, data.label(sample), unit * std::sqrt(static_cast<double>(squared))});
  }
  return neighbors;
}

void require_size(std::size_t size, const Dataset& data) {
  if (!data.empty() && size != data.inputs()) {
    throw ShapeError(
        text("nearest_samples: image of ", size, " numbers, expected ", data.inputs(), ", as in the data"));
  }
}

// --- "Make it a 7"

constexpr std::size_t side = mnist_side;
constexpr std::array<std::array<int, 2>, 5> moves{{{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}}};
using Picture28 = std::array<float, side * side>;

/// target[y + dy, x + dx] += source[y, x]; what leaves the picture is lost.
void add_moved(std::span<const float> source, int dx, int dy, std::span<float> target) {
  constexpr int extent = static_cast<int>(side);
  for (int y = std::max(0, -dy); y < std::min(extent, extent - dy); ++y) {
    for (int x = std::max(0, -dx); x < std::min(extent, extent - dx); ++x) {
      target[static_cast<std::size_t>((y + dy) * extent + x + dx)] +=
          source[static_cast<std::size_t>(y * extent + x)];
    }
  }
}

/// A Gaussian of 1 pixel, along x and then along y.
Picture28 smoothed(const Picture28& picture) {
  constexpr std::array<float, 4> weights{0.39905f, 0.24204f, 0.05401f, 0.00443f};  // at 0, 1, 2, 3 pixels; sum 1
  Picture28 result = picture;
  for (const bool down : {false, true}) {
    Picture28 sum{};
    for (int offset = -3; offset <= 3; ++offset) {
      Picture28 scaled = result;
      for (float& value : scaled) value *= weights[static_cast<std::size_t>(std::abs(offset))];
      add_moved(scaled, down ? 0 : offset, down ? offset : 0, sum);
    }
    result = sum;
  }
  return result;
}

/// Which pixels are at most `reach` from one that has ink (at least 64 of 255).
std::array<bool, side * side> near_ink(const MnistImage& image, double reach) {
  std::array<bool, side * side> reachable{};
  for (std::size_t i = 0; i < reachable.size(); ++i) {
    for (std::size_t j = 0; j < reachable.size() && !reachable[i]; ++j) {
      const double dx = static_cast<double>(i % side) - static_cast<double>(j % side);
      const double dy = static_cast<double>(i / side) - static_cast<double>(j / side);
      reachable[i] = image[j] >= 64 && dx * dx + dy * dy <= reach * reach;
    }
  }
  return reachable;
}

MnistImage rounded(const Picture28& picture) {
  MnistImage image{};
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<std::uint8_t>(std::lround(picture[i] * 255));
  return image;
}

/// How a picture is read, where it is and moved by a pixel.
class Reader {
 public:
  Reader(const Network<float>& network, std::size_t digit) : network_(network), digit_(digit) {}

  /// The least probability of the digit over all moves; `first` is that of the picture where it is.
  double read(const MnistImage& image) {
    images_ = zeros<float>({moves.size(), image.size()});
    Picture28 ink{};
    for (std::size_t i = 0; i < ink.size(); ++i) ink[i] = static_cast<float>(image[i]) / 255;
    for (std::size_t m = 0; m < moves.size(); ++m) add_moved(ink, moves[m][0], moves[m][1], row(images_, m));
    trace_ = trace_of(network_, images_);
    double least = 1;
    for (std::size_t m = 0; m < moves.size(); ++m) {
      std::vector<float> probabilities(trace_.logits.shape(1));
      std::copy_n(row(trace_.logits, m).data(), probabilities.size(), probabilities.data());
      detail::to_probabilities(last(), std::span<float>(probabilities));
      least = std::min(least, double{probabilities[digit_]});
      if (m == 0) first = double{probabilities[digit_]};
    }
    return least;
  }

  /// The gradient of the sum of the log probabilities of the digit with respect to the picture that was read last.
  Picture28 gradient() const {
    Matrix<float> dz = trace_.logits;
    for (std::size_t m = 0; m < moves.size(); ++m) to_gradient(row(dz, m));
    const Matrix<float> dx = back_to_inputs(network_, trace_, std::move(dz));
    Picture28 sum{};
    for (std::size_t m = 0; m < moves.size(); ++m) add_moved(row(dx, m), -moves[m][0], -moves[m][1], sum);
    return sum;
  }

  double first = 0;

 private:
  Activation last() const { return network_.layers().back().activation; }

  /// Logits become the derivative of log p by them, p being softmax or the share of a sigmoid in their sum.
  void to_gradient(std::span<float> z) const {
    activate(last(), z);
    const float sum = std::accumulate(z.begin(), z.end(), 0.0f);
    for (std::size_t k = 0; k < z.size(); ++k) {
      const float own = k == digit_ ? 1.0f : 0.0f;
      if (last() == Activation::softmax) {
        z[k] = own - z[k];
      } else {
        z[k] = sum > 0 ? (own - z[k] / sum) * (1 - z[k]) : own;
      }
    }
  }

  const Network<float>& network_;
  std::size_t digit_;
  Matrix<float> images_;
  Trace<float> trace_;
};

/// The direction to change a picture in, or nothing if there is none.
std::optional<Picture28> direction(const Picture28& picture, const std::array<bool, side * side>& reachable,
                                   Picture28 gradient) {
  const auto hold_back = [&](Picture28& d) {
    for (std::size_t i = 0; i < d.size(); ++i) {
      const bool stuck = (picture[i] <= 0 && d[i] < 0) || (picture[i] >= 1 && d[i] > 0);
      if (stuck || (!reachable[i] && d[i] > 0)) d[i] = 0;
    }
  };
  const auto scale_to_1 = [](Picture28& d) {
    double squares = 0;
    for (const float value : d) squares += double{value} * double{value};
    if (!(squares > 0) || !std::isfinite(squares)) return false;
    for (float& value : d) value = static_cast<float>(value / std::sqrt(squares));
    return true;
  };
  if (!scale_to_1(gradient)) return std::nullopt;  // a sure reading has tiny gradients, whose squares would vanish
  hold_back(gradient);
  Picture28 d = smoothed(gradient);
  hold_back(d);
  for (float& value : d) value *= std::abs(value);
  if (!scale_to_1(d)) return std::nullopt;
  return d;
}

void require_options(const Network<float>& network, std::size_t digit, const TurnOptions& options) {
  if (network.inputs() != side * side) {
    throw ShapeError(text("turned_into: the network takes ", network.inputs(), " inputs, expected 784 (28 x 28)"));
  }
  detail::require_probabilities("turned_into", network.layers().back().activation);
  require_digit("turned_into", "digit", network, digit);
  if (!(options.probability > 0 && options.probability < 1)) {
    throw ArgumentError(text("turned_into: probability is ", options.probability, ", expected it between 0 and 1"));
  }
  if (!(options.step > 0) || !std::isfinite(options.step)) {
    throw ArgumentError(text("turned_into: step is ", options.step, ", expected a number above 0"));
  }
  if (!(options.reach >= 0)) {
    throw ArgumentError(text("turned_into: reach is ", options.reach, ", expected at least 0"));
  }
}

/// `changed` with all changes below `faint` bytes taken back.
MnistImage without_faint(const MnistImage& image, MnistImage changed, int faint) {
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (std::abs(int{changed[i]} - int{image[i]}) < faint) changed[i] = image[i];
  }
  return changed;
}

}  // namespace

template <class Real>
Matrix<Real> input_gradient(const Network<Real>& network, const Matrix<Real>& images, const Matrix<Real>& dz) {
  if (images.shape(1) != network.inputs() || dz.shape(1) != network.outputs() || images.shape(0) != dz.shape(0)) {
    throw ShapeError(text("input_gradient: images ", shape_text(images), " and gradient ", shape_text(dz),
                          ", expected (batch, ", network.inputs(), ") and (batch, ", network.outputs(), ")"));
  }
  return back_to_inputs(network, trace_of(network, images), dz);
}

template <class Real>
InkContributions<Real> ink_contributions(const Network<Real>& network,
                                         std::type_identity_t<std::span<const Real>> image, std::size_t digit,
                                         std::optional<std::size_t> against) {
  const Matrix<Real> images = one_row("ink_contributions", network, image);
  require_rivals("ink_contributions", network);
  require_digit("ink_contributions", "digit", network, digit);
  if (against) require_digit("ink_contributions", "against", network, *against);
  if (against == digit) {
    throw ArgumentError(text("ink_contributions: digit and against are both ", digit, ", expected two digits"));
  }
  const Real share = Real{-1} / static_cast<Real>(network.outputs() - 1);
  Matrix<Real> dz = zeros<Real>({1, network.outputs()});
  for (std::size_t k = 0; k < network.outputs(); ++k) dz(0, k) = against ? Real{0} : share;
  if (against) dz(0, *against) = -1;
  dz(0, digit) = 1;

  const Trace<Real> trace = trace_of(network, images);
  InkContributions<Real> contributions;
  contributions.margin = std::inner_product(dz.data(), dz.data() + dz.size(), trace.logits.data(), Real{0});
  const Matrix<Real> gradient = back_to_inputs(network, trace, dz);
  contributions.ink.resize(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) contributions.ink[i] = image[i] * gradient(0, i);
  contributions.rest =
      contributions.margin - std::accumulate(contributions.ink.begin(), contributions.ink.end(), Real{0});
  return contributions;
}

template <class Real>
std::vector<RankedDigit> likeliest_digits(const Network<Real>& network,
                                          std::type_identity_t<std::span<const Real>> image, std::size_t count) {
  const Matrix<Real> images = one_row("likeliest_digits", network, image);
  detail::require_probabilities("likeliest_digits", network.layers().back().activation);
  require_rivals("likeliest_digits", network);
  if (count < 1 || count > network.outputs()) {
    throw ArgumentError(text("likeliest_digits: count is ", count, ", expected 1 to ", network.outputs()));
  }
  const Matrix<Real> logits = network.logits(images);
  const Matrix<Real> probabilities = network.predict_proba(images);
  const std::span<const Real> z = row(logits, 0);
  std::vector<std::size_t> order(network.outputs());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [z](std::size_t a, std::size_t b) { return z[a] > z[b]; });
  std::vector<RankedDigit> ranking;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t digit = order[i];
    ranking.push_back({digit, static_cast<double>(probabilities(0, digit)), margin_of(row(probabilities, 0), digit),
                       margin_of(z, digit)});
  }
  return ranking;
}

std::vector<Neighbor> nearest_samples(std::span<const std::uint8_t> image, const Dataset& data, std::size_t count,
                                      std::size_t threads) {
  if (!data.has_bytes()) {
    throw ArgumentError("nearest_samples: image of bytes and data of numbers, expected both of one kind");
  }
  require_size(image.size(), data);
  return nearest<std::uint64_t>(image, data, count, threads, 1.0 / 255,
                                [&data](std::size_t i) { return data.pixels(i).data(); });
}

std::vector<Neighbor> nearest_samples(std::span<const float> image, const Dataset& data, std::size_t count,
                                      std::size_t threads) {
  if (data.has_bytes()) {
    throw ArgumentError("nearest_samples: image of numbers and data of bytes, expected both of one kind");
  }
  require_size(image.size(), data);
  if (!std::all_of(image.begin(), image.end(), [](float value) { return std::isfinite(value); })) {
    throw ArgumentError("nearest_samples: a number of the image is not finite");
  }
  return nearest<double>(image, data, count, threads, 1.0, [&data](std::size_t i) { return data.numbers(i).data(); });
}

Dataset hidden_features(const Network<float>& network, const Dataset& data, std::size_t threads) {
  const std::size_t hidden = network.layers().size() - 1;
  if (hidden == 0)
    throw ArgumentError("hidden_features: a network of 1 layer, expected a hidden layer before the last");
  if (!data.empty() && data.inputs() != network.inputs()) {
    throw ShapeError(text("hidden_features: samples of ", data.inputs(), " numbers, expected ", network.inputs()));
  }
  Matrix<float> features = Matrix<float>::from_shape({data.size(), network.layer(hidden - 1).outputs()});
  const SingleThreadedBlas single;
  ThreadTeam team(threads);
  team.run((data.size() + samples_of_piece - 1) / samples_of_piece, [&](std::size_t piece, std::size_t) {
    const std::size_t first = piece * samples_of_piece;
    const std::size_t count = std::min(samples_of_piece, data.size() - first);
    Matrix<float> a = Matrix<float>::from_shape({count, network.inputs()});
    for (std::size_t i = 0; i < count; ++i) data.copy_sample(first + i, row(a, i));
    for (std::size_t i = 0; i < hidden; ++i) {
      Matrix<float> z = network.layers()[i].preactivation(a);
      activate_rows(network.layers()[i].activation, z);
      a = std::move(z);
    }
    std::copy_n(a.data(), a.size(), row(features, first).data());
  });
  return Dataset(std::move(features), data.labels(), data.classes());
}

Turned turned_into(const Network<float>& network, const MnistImage& image, std::size_t digit,
                   const TurnOptions& options) {
  require_options(network, digit, options);
  const SingleThreadedBlas single;
  const std::array<bool, side* side> reachable = near_ink(image, options.reach);
  Picture28 picture{};
  for (std::size_t i = 0; i < image.size(); ++i) picture[i] = static_cast<float>(image[i]) / 255;

  Reader reader(network, digit);
  Turned turned;
  turned.image = image;
  while (!(turned.succeeded = reader.read(turned.image) >= options.probability) &&
         turned.steps < options.most_steps) {
    const std::optional<Picture28> d = direction(picture, reachable, reader.gradient());
    if (!d) break;
    for (std::size_t i = 0; i < picture.size(); ++i) {
      picture[i] = std::clamp(picture[i] + static_cast<float>(options.step) * (*d)[i], 0.0f, 1.0f);
    }
    turned.image = rounded(picture);
    ++turned.steps;
  }
  for (const int faint : {160, 128, 96, 64, 48, 32, 16, 8}) {
    if (!turned.succeeded) break;
    const MnistImage less = without_faint(image, turned.image, faint);
    if (reader.read(less) >= options.probability) {
      turned.image = less;
      break;
    }
  }
  reader.read(turned.image);
  turned.probability = reader.first;

  turned.change.resize(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double change = (double{1} * turned.image[i] - image[i]) / 255;
    turned.change[i] = static_cast<float>(change);
    turned.distance += change * change;
    (change > 0 ? turned.added : turned.erased) += std::abs(change);
  }
  turned.distance = std::sqrt(turned.distance);
  return turned;
}

template Matrix<float> input_gradient(const Network<float>&, const Matrix<float>&, const Matrix<float>&);
template Matrix<double> input_gradient(const Network<double>&, const Matrix<double>&, const Matrix<double>&);
template InkContributions<float> ink_contributions(const Network<float>&, std::span<const float>, std::size_t,
                                                   std::optional<std::size_t>);
template InkContributions<double> ink_contributions(const Network<double>&, std::span<const double>, std::size_t,
                                                    std::optional<std::size_t>);
template std::vector<RankedDigit> likeliest_digits(const Network<float>&, std::span<const float>, std::size_t);
template std::vector<RankedDigit> likeliest_digits(const Network<double>&, std::span<const double>, std::size_t);

}  // namespace digitnet
