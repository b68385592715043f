#include <digitnet/metrics.hpp>
#include <digitnet/recognition.hpp>
#include <digitnet/trainer.hpp>

#include "../../src/forward.hpp"
#include "catch.hpp"
#include "environment.hpp"
#include "small_networks.hpp"
#include "temporary_folder.hpp"

#include <bit>
#include <cmath>
#include <thread>

using namespace digitnet;

namespace {

/// A network whose logits are its inputs.
template <class Real>
Network<Real> passing_on(std::size_t classes, Activation last = Activation::softmax,
                         LossFunction loss = LossFunction::softmax_cross_entropy) {
  Network<Real> network(Architecture{{classes, classes}, {last}, loss});
  for (std::size_t k = 0; k < classes; ++k) network.layer(0).weights(k, k) = 1;
  return network;
}

/// Logits with labels that are drawn from softmax(logits / temperature), so that this is the right temperature.
Dataset logits_of_temperature(double temperature, std::size_t count = 5000, std::size_t classes = 4) {
  Rng rng(11);
  Matrix<float> logits = normal<float>({count, classes}, rng);
  logits *= 6.0F;
  Labels labels = Labels::from_shape({count});
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<double> odds(classes);
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += odds[k] = std::exp(logits(i, k) / temperature);
    double left = rng.uniform() * sum;
    std::size_t label = 0;
    while (label + 1 < classes && (left -= odds[label]) > 0) ++label;
    labels(i) = static_cast<std::uint8_t>(label);
  }
  return {std::move(logits), std::move(labels), classes};
}

double score_of(const std::vector<double>& z) {
  double sum = 0;
  for (const double value : z) sum += std::exp(value);
  return std::log(sum);
}

/// -log softmax(z / temperature)_y, averaged.
double negative_log_likelihood(double temperature, const Dataset& data) {
  double sum = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    std::vector<double> z(data.inputs());
    for (std::size_t k = 0; k < z.size(); ++k) z[k] = data.numbers(i)[k] / temperature;
    sum += score_of(z) - z[data.label(i)];
  }
  return sum / static_cast<double>(data.size());
}

/// A network 784-10 that has these logits for every image.
Network<float> always(const std::array<float, 10>& logits) {
  Network<float> network(Architecture{{784, 10}, {Activation::softmax}, LossFunction::softmax_cross_entropy});
  std::copy(logits.begin(), logits.end(), network.layer(0).bias.data());
  return network;
}

/// For every image: 0.8 that it is a 3, 0.2 that it is a 7; the score is 5.
Network<float> always_three() {
  std::array<float, 10> logits;
  logits.fill(-100);
  logits[3] = static_cast<float>(5 + std::log(0.8));
  logits[7] = static_cast<float>(5 + std::log(0.2));
  return always(logits);
}

Calibration with_thresholds(double rejection, double unsure) {
  Calibration calibration;
  calibration.rejection_threshold = rejection;
  calibration.unsure_threshold = unsure;
  return calibration;
}

MnistImage image_of(const Dataset& data, std::size_t sample) {
  MnistImage image{};
  std::copy(data.pixels(sample).begin(), data.pixels(sample).end(), image.begin());
  return image;
}

/// White ink on a black ground, where `inked(x, y)` says.
template <class Inked>
Picture picture_where(std::size_t width, std::size_t height, Inked inked) {
  Picture picture{width, height, 1, std::vector<std::uint8_t>(width * height)};
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) picture.pixels[y * width + x] = inked(x, y) ? 255 : 0;
  }
  return picture;
}

bool within(std::size_t value, std::size_t first, std::size_t last) { return value >= first && value < last; }

/// Trained for a second.
const Network<float>& trained_network() {
  static const Network<float> network = [] {
    Rng rng(1);
    Network<float> made({784, 32, 10}, Activation::relu, rng);
    Adam<float> adam(3e-3);
    TrainingOptions options;
    options.epochs = 2;
    options.batch_size = 64;
    train(made, test::mnist_sample().train, {}, adam, options, rng);
    return made;
  }();
  return network;
}

bool same(const Recognition& a, const Recognition& b) {
  return a.status == b.status && a.digit == b.digit && a.probability == b.probability && a.margin == b.margin &&
         a.score == b.score && a.probabilities == b.probabilities && a.image == b.image;
}

}  // namespace

// Calibration

TEST_CASE("fit_calibration: the temperature is the one a search finds", "[recognition][calibration]") {
  for (const double truth : {0.5, 1.0, 3.0}) {
    const Dataset data = logits_of_temperature(truth);
    const double temperature = fit_calibration(passing_on<double>(4), data).temperature;
    CHECK(temperature == Approx(truth).epsilon(0.05));
    // Golden-section search on the negative log-likelihood itself.
    double low = 0.05;
    double high = 20;
    const double ratio = (std::sqrt(5.0) - 1) / 2;
    while (high - low > 1e-7) {
      const double a = high - ratio * (high - low);
      const double b = low + ratio * (high - low);
      (negative_log_likelihood(a, data) < negative_log_likelihood(b, data) ? high : low) =
          negative_log_likelihood(a, data) < negative_log_likelihood(b, data) ? b : a;
    }
    CHECK(temperature == Approx((low + high) / 2).epsilon(1e-6));  // a flat minimum: half of the 16 digits
    CHECK(negative_log_likelihood(temperature, data) <= negative_log_likelihood((low + high) / 2, data) + 1e-13);
  }
}

TEST_CASE("fit_calibration: the temperature stays within its bounds", "[recognition][calibration]") {
  // Read with certainty to spare: the less, the better.
  const Dataset easy(Matrix<float>{{2, 0}, {0, 2}}, Labels{0, 1}, 2);
  CHECK(fit_calibration(passing_on<float>(2), easy).temperature == least_temperature);
  // Labels that have nothing to do with the logits, or against them: the more, the better.
  const Dataset wrong(Matrix<float>{{2, 0}, {0, 2}}, Labels{1, 0}, 2);
  CHECK(fit_calibration(passing_on<float>(2), wrong).temperature == most_temperature);
  const Dataset nothing(Matrix<float>{{2, 2}, {2, 2}}, Labels{1, 0}, 2);
  CHECK(fit_calibration(passing_on<float>(2), nothing).temperature == most_temperature);
}

TEST_CASE("fit_calibration: the thresholds accept the shares asked for", "[recognition][calibration]") {
  const Dataset data = logits_of_temperature(2);
  for (const double accepted : {0.9, 0.985, 1.0}) {
    for (const double coverage : {0.5, 0.99, 1.0}) {
      CalibrationOptions options;
      options.accepted = accepted;
      options.coverage = coverage;
      options.fitted_on = "numbers";
      const Calibration calibration = fit_calibration(passing_on<double>(4), data, {}, options);
      std::size_t scored = 0;
      std::size_t sure = 0;
      std::size_t right = 0;
      for (std::size_t i = 0; i < data.size(); ++i) {
        const std::span<const float> numbers = data.numbers(i);
        const std::vector<double> z(numbers.begin(), numbers.end());
        if (score_of(z) < calibration.rejection_threshold - 1e-12) continue;
        ++scored;
        std::vector<double> p;
        for (const double value : z) p.push_back(std::exp(value / calibration.temperature));
        double sum = 0;
        for (const double value : p) sum += value;
        const auto likeliest = std::max_element(p.begin(), p.end()) - p.begin();
        std::sort(p.rbegin(), p.rend());
        if ((p[0] - p[1]) / sum < calibration.unsure_threshold - 1e-12) continue;
        ++sure;
        right += likeliest == data.label(i) ? 1 : 0;
      }
      const auto n = static_cast<double>(data.size());
      const auto least = [](double share, double count) {
        return static_cast<std::size_t>(std::ceil(share * count - 1e-6));
      };
      CHECK(scored == least(accepted, n));
      CHECK(sure == least(coverage, static_cast<double>(scored)));
      CHECK(calibration.accepted == static_cast<double>(scored) / n);
      CHECK(calibration.coverage == static_cast<double>(sure) / static_cast<double>(scored));
      CHECK(calibration.accuracy == static_cast<double>(right) / static_cast<double>(sure));
      CHECK(calibration.digits == data.size());
      CHECK(calibration.fitted_on == "numbers");
    }
  }
}

TEST_CASE("fit_calibration: an accuracy asked for makes as many unsure as need be", "[recognition][calibration]") {
  const Dataset data = logits_of_temperature(3);
  CalibrationOptions options;
  options.accuracy = 0.97;
  const Calibration calibration = fit_calibration(passing_on<float>(4), data, {}, options);
  CHECK(calibration.accuracy >= 0.97);
  CHECK(calibration.accuracy < 0.975);
  CHECK(calibration.coverage < 0.97);
  options.accuracy = 0.01;
  CHECK(fit_calibration(passing_on<float>(4), data, {}, options).coverage == 1);
  const Dataset wrong(Matrix<float>{{2, 0}, {0, 3}}, Labels{1, 0}, 2);
  CHECK_ERROR(fit_calibration(passing_on<float>(2), wrong, {}, options), ArgumentError,
              "fit_calibration: accuracy is 0.01, but no threshold reaches it; the most is 0");
}

TEST_CASE("fit_calibration: what is no digit only tells how much of it is rejected", "[recognition][calibration]") {
  const Dataset data = logits_of_temperature(1);
  Matrix<float> low = zeros<float>({4, 4});
  for (float& logit : values(low)) logit = -50;
  low(3, 0) = 100;  // one of four scores high
  const Dataset others(std::move(low), Labels{0, 0, 0, 0}, 4);
  Calibration with = fit_calibration(passing_on<float>(4), data, others);
  const Calibration without = fit_calibration(passing_on<float>(4), data);
  CHECK(with.rejected == 0.75);
  CHECK(with.not_digits == 4);
  CHECK(without.rejected == 0);
  CHECK(without.not_digits == 0);
  with.rejected = 0;
  with.not_digits = 0;
  CHECK(with == without);
}

TEST_CASE("fit_calibration: the same bits for any number of threads", "[recognition][calibration]") {
  const Dataset data = test::mnist_sample().test;
  CalibrationOptions one;
  one.threads = 1;
  CalibrationOptions three;
  three.threads = 3;
  CHECK(fit_calibration(trained_network(), data, data, one) == fit_calibration(trained_network(), data, data, three));
}

TEST_CASE("fit_calibration: lowers the expected calibration error on other samples", "[recognition][calibration]") {
  const Dataset data = logits_of_temperature(3, 10000);
  const Dataset measured = data.slice(5000, 10000);
  const double temperature = fit_calibration(passing_on<float>(4), data.slice(0, 5000)).temperature;
  const auto error_at = [&](double with) {
    Matrix<double> p = measured.to_matrix<double>();
    for (std::size_t i = 0; i < measured.size(); ++i) {
      const std::span<double> of_sample = row(p, i);
      for (double& value : of_sample) value /= with;
      const double score = score_of({of_sample.begin(), of_sample.end()});
      for (double& value : of_sample) value = std::exp(value - score);
    }
    return expected_calibration_error(p, measured.labels());
  };
  CHECK(error_at(temperature) < 0.02);
  CHECK(error_at(1) > 0.1);
}

TEST_CASE("fit_calibration: wrong arguments are named", "[recognition][error]") {
  const Dataset data = logits_of_temperature(1, 10);
  const auto network = passing_on<float>(4);
  const auto with = [](double accepted, double coverage, std::optional<double> accuracy = std::nullopt) {
    CalibrationOptions options;
    options.accepted = accepted;
    options.coverage = coverage;
    options.accuracy = accuracy;
    return options;
  };
  CHECK_ERROR(fit_calibration(network, {}), ArgumentError, "fit_calibration: the data set is empty");
  CHECK_ERROR(fit_calibration(network, data, {}, with(0, 1)), ArgumentError,
              "fit_calibration: accepted is 0, expected more than 0 and at most 1");
  CHECK_ERROR(fit_calibration(network, data, {}, with(1, 1.5)), ArgumentError, "coverage is 1.5");
  CHECK_ERROR(fit_calibration(network, data, {}, with(1, 1, NAN)), ArgumentError, "accuracy is nan");
  CHECK_ERROR(fit_calibration(passing_on<float>(3), data), ShapeError, "samples of 4 numbers");
  CHECK_ERROR(fit_calibration(network, data, logits_of_temperature(1, 10, 3)), ShapeError,
              "fit_calibration: not_digits has samples of 3 numbers, expected 4");
  CHECK_ERROR(fit_calibration(passing_on<float>(4, Activation::tanh, LossFunction::sum_of_squares), data),
              ArgumentError, "the last layer is tanh, expected softmax or sigmoid");
  const Dataset other_labels(Matrix<float>{{0, 0, 0, 0}}, Labels{4}, 5);
  CHECK_ERROR(fit_calibration(network, other_labels), ArgumentError, "the data has the label 4");
  CHECK_ERROR(fit_calibration(passing_on<float>(1, Activation::sigmoid, LossFunction::binary_cross_entropy),
                              Dataset(Matrix<float>{{0}}, Labels{0}, 2)),
              ArgumentError, "a network with 1 output, expected at least 2");
}

// Its form in files

TEST_CASE("Calibration: travels with a network, bit for bit", "[recognition][calibration]") {
  const test::TemporaryFolder folder;
  CalibrationOptions options;
  options.fitted_on = "MNIST's \"sample\" \xc3\xa9";
  const Dataset data = test::mnist_sample().test;
  const Calibration calibration = fit_calibration(trained_network(), data, data.slice(0, 10), options);
  Network<float> network = trained_network();
  CHECK(calibration_of(network) == Calibration{});
  set_calibration(network, calibration);
  save_network(network, folder / "model");
  CHECK(calibration_of(load_network<float>(folder / "model")) == calibration);
  CHECK(calibration_of(load_network<double>(folder / "model")) == calibration);
  CHECK(Recognizer(folder / "model").calibration() == calibration);
  CHECK(calibration_from_json(to_json(Calibration{})) == Calibration{});  // with its infinite threshold
  CHECK(to_json(calibration).find('\n') == std::string::npos);
}

TEST_CASE("calibration_from_json: what is missing has its default, what is not known does not count",
          "[recognition][calibration]") {
  CHECK(calibration_from_json("{}") == Calibration{});
  Calibration expected;
  expected.temperature = 2;
  CHECK(calibration_from_json(R"({"temperature": 2, "rejection_threshold": null, "later": [1, {"a": null}]})") ==
        expected);
}

TEST_CASE("calibration_from_json: hostile texts are refused in one line", "[recognition][error]") {
  const auto refused = [](const std::string& json, const std::string& part) {
    return test::thrown_instead<FormatError>([&] { calibration_from_json(json); }, "calibration_from_json: " + part);
  };
  CHECK(refused("", "byte 0 is not as JSON should be") == "");
  CHECK(refused("temperature", "byte") == "");
  CHECK(refused("[]", "not a JSON object") == "");
  CHECK(refused("7", "not a JSON object") == "");
  CHECK(refused(R"({"temperature": 0})", "temperature is 0, expected 0.05 to 20") == "");
  CHECK(refused(R"({"temperature": -1})", "temperature is -1") == "");
  CHECK(refused(R"({"temperature": 1e-300})", "temperature is 1e-300") == "");
  CHECK(refused(R"({"temperature": 1e400})", "a number out of range") == "");
  CHECK(refused(R"({"temperature": NaN})", "byte") == "");
  CHECK(refused(R"({"temperature": null})", "temperature is no number") == "");
  CHECK(refused(R"({"temperature": "1"})", "temperature is no number") == "");
  CHECK(refused(R"({"temperature": [1]})", "temperature is no number") == "");
  CHECK(refused(R"({"temperature": true})", "temperature is no number") == "");
  CHECK(refused(R"({"temperature": 1, "temperature": 2})", "the key \"temperature\" stands twice") == "");
  CHECK(refused(R"({"rejection_threshold": 1e31})", "rejection_threshold is 1e+31") == "");
  CHECK(refused(R"({"rejection_threshold": "none"})", "rejection_threshold is no number") == "");
  CHECK(refused(R"({"unsure_threshold": 1.01})", "unsure_threshold is 1.01, expected 0 to 1") == "");
  CHECK(refused(R"({"unsure_threshold": null})", "unsure_threshold is no number") == "");
  CHECK(refused(R"({"accepted": -0.1})", "accepted is -0.1") == "");
  CHECK(refused(R"({"digits": -1})", "digits is something else") == "");
  CHECK(refused(R"({"digits": 1.5})", "digits is something else") == "");
  CHECK(refused(R"({"fitted_on": 3})", "fitted_on is no text") == "");
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += '[';
  CHECK(refused(deep, "nested deeper than") == "");
}

TEST_CASE("Calibration: one that is out of range is neither written nor used", "[recognition][error]") {
  Calibration calibration;
  calibration.temperature = NAN;
  Network<float> network = always_three();
  CHECK_ERROR(to_json(calibration), ArgumentError, "to_json: temperature is nan, expected 0.05 to 20");
  CHECK_ERROR(set_calibration(network, calibration), ArgumentError, "temperature is nan");
  CHECK_ERROR(Recognizer(network, calibration), ArgumentError, "Recognizer: calibration: temperature is nan");
  CHECK_ERROR(Recognizer(network, with_thresholds(std::numeric_limits<double>::infinity(), 0)), ArgumentError,
              "rejection_threshold is inf");
  CHECK_ERROR(Recognizer(network, with_thresholds(NAN, 0)), ArgumentError, "rejection_threshold is nan");
  calibration = {};
  calibration.fitted_on = "\xff";
  CHECK_ERROR(to_json(calibration), ArgumentError, "fitted_on: a text that is not UTF-8");

  network.metadata["calibration"] = "nonsense";
  CHECK_ERROR(Recognizer(network), FormatError, "calibration_of: the metadata \"calibration\": byte");
  CHECK(Recognizer(network, Calibration{}).calibration() == Calibration{});  // another one helps
}

// Statuses

TEST_CASE("Recognizer: probabilities, margin and score are those of the logits", "[recognition]") {
  const MnistImage seven = image_of(test::mnist_sample().test, 0);
  const Recognition plain = Recognizer(always_three()).recognize(seven);
  CHECK(plain.status == Status::digit);
  CHECK(plain.digit == std::size_t{3});
  CHECK(plain.probability == Approx(0.8).epsilon(1e-6));
  CHECK(plain.margin == Approx(0.6).epsilon(1e-6));
  CHECK(plain.score.value() == Approx(5).epsilon(1e-6));
  CHECK(plain.probabilities[3] == static_cast<float>(plain.probability));
  CHECK(plain.probabilities[7] == Approx(0.2).epsilon(1e-6));
  CHECK(plain.image == seven);

  Calibration warm;
  warm.temperature = 2;  // odds of 4 become odds of 2; the score stays
  const Recognition calibrated = Recognizer(always_three(), warm).recognize(seven);
  CHECK(calibrated.probability == Approx(2.0 / 3).epsilon(1e-6));
  CHECK(calibrated.score == plain.score);
  CHECK(calibrated.status == Status::unsure);  // 1/3 is below 0.5
}

TEST_CASE("Recognizer: the thresholds decide about the status", "[recognition]") {
  const MnistImage image = image_of(test::mnist_sample().test, 0);
  const auto read = [&](double rejection, double unsure) {
    return Recognizer(always_three(), with_thresholds(rejection, unsure)).recognize(image);
  };
  CHECK(read(4.999, 0.599).status == Status::digit);
  const Recognition unsure = read(4.999, 0.601);
  CHECK(unsure.status == Status::unsure);
  CHECK(unsure.digit == std::size_t{3});
  for (const double threshold : {0.0, 0.601}) {  // rejection comes first
    const Recognition rejected = read(5.001, threshold);
    CHECK(rejected.status == Status::not_a_digit);
    CHECK(!rejected.digit.has_value());
    CHECK(rejected.probability == Approx(0.8).epsilon(1e-6));
    CHECK(rejected.probabilities[3] > 0.7F);
    CHECK(rejected.image == image);
  }
}

TEST_CASE("Recognizer: sigmoids give the probabilities of one digit among ten", "[recognition]") {
  Network<float> network(Architecture{{784, 10}, {Activation::sigmoid}, LossFunction::binary_cross_entropy});
  network.layer(0).bias = always_three().layer(0).bias;
  const Recognition read = Recognizer(network).recognize(image_of(test::mnist_sample().test, 0));
  CHECK(read.probability == Approx(0.8).epsilon(1e-6));
  CHECK(read.score.value() == Approx(5).epsilon(1e-6));
}

TEST_CASE("Recognizer: no ink is empty, whatever the network says", "[recognition]") {
  const Recognizer recognizer(always_three());
  for (const Recognition& read : {recognizer.recognize(MnistImage{}),
                                  recognizer.recognize(Picture{400, 300, 1, std::vector<std::uint8_t>(120000, 255)}),
                                  recognizer.recognize(Picture{1, 1, 4, {0, 0, 0, 0}})}) {
    CHECK(read.status == Status::empty);
    CHECK(!read.digit.has_value());
    CHECK(read.probability == 0);
    CHECK(!read.score.has_value());
    CHECK(read.probabilities == std::array<float, 10>{});
    CHECK(read.image == MnistImage{});
    CHECK(read.top().empty());
  }
}

TEST_CASE("Recognizer: a dot, hardly any ink and an area painted over are never digits", "[recognition]") {
  const Recognizer recognizer(always_three());
  const auto status_of = [&](const Picture& picture) { return recognizer.recognize(picture).status; };
  const auto disc = [](std::size_t radius) {
    return picture_where(400, 400, [radius](std::size_t x, std::size_t y) {
      const double dx = static_cast<double>(x) - 130;
      const double dy = static_cast<double>(y) - 270;
      return dx * dx + dy * dy <= static_cast<double>(radius * radius);
    });
  };
  for (const std::size_t radius : {0u, 1u, 2u, 3u, 4u, 5u, 10u, 40u, 100u}) {
    INFO("a disc of radius " << radius);
    CHECK(status_of(disc(radius)) == Status::not_a_digit);
  }
  // A quarter of the sheet; and all but its border, which is as good as a black sheet.
  const auto painted = [](std::size_t first, std::size_t last) {
    return picture_where(400, 400, [=](auto x, auto y) { return within(x, first, last) && within(y, first, last); });
  };
  for (const Status status : {status_of(painted(150, 350)), status_of(painted(4, 396))}) {
    CHECK((status == Status::not_a_digit || status == Status::empty));
  }
  MnistImage full{};
  full.fill(255);
  CHECK(recognizer.recognize(full).status == Status::not_a_digit);
  // A stroke of 5 pixels, and one of 9 on a sheet of 1000; on a small picture the same is a digit.
  const auto stroke = [](std::size_t side, std::size_t length) {
    return picture_where(side, side, [length](auto x, auto y) { return x == 10 && within(y, 5, 5 + length); });
  };
  CHECK(status_of(stroke(30, 5)) == Status::not_a_digit);
  CHECK(status_of(stroke(30, 6)) == Status::digit);
  CHECK(status_of(stroke(1000, 9)) == Status::not_a_digit);
  CHECK(status_of(stroke(1000, 10)) == Status::digit);
  // 7 and 8 pixels of the 28 x 28.
  const auto bar = [](std::size_t length) {
    MnistImage image{};
    for (std::size_t y = 0; y < length; ++y) image[(10 + y) * mnist_side + 14] = 200;
    return image;
  };
  CHECK(recognizer.recognize(bar(7)).status == Status::not_a_digit);
  CHECK(recognizer.recognize(bar(8)).status == Status::digit);
  // A full square of 10 and of 11.
  const auto square = [](std::size_t side) {
    MnistImage image{};
    for (std::size_t y = 0; y < side; ++y) {
      for (std::size_t x = 0; x < side; ++x) image[(17 - y) * mnist_side + 27 - x] = 128;
    }
    return image;
  };
  CHECK(recognizer.recognize(square(10)).status == Status::digit);
  CHECK(recognizer.recognize(square(11)).status == Status::not_a_digit);
}

TEST_CASE("Recognizer: strokes that cannot be a digit, by the canvas and the pen they were drawn with",
          "[recognition]") {
  const Recognizer recognizer(always_three());
  const auto status_of = [&](std::vector<Stroke> strokes, double canvas = 0, double brush = 0) {
    return recognizer.recognize(Drawing{std::move(strokes), canvas, canvas, brush, std::nullopt}).status;
  };
  CHECK(status_of({}) == Status::empty);
  CHECK(status_of({{}, {}}, 400, 10) == Status::empty);
  CHECK(status_of({{{200, 200}}}) == Status::not_a_digit);
  CHECK(status_of({{{200, 200}, {200, 200}, {200, 200}}}) == Status::not_a_digit);
  CHECK(status_of({{{1e-3, 1e-3}}}, 400, 10) == Status::not_a_digit);
  // A tap that slipped by two pixels; the same strokes on a canvas of 10 are a line.
  const Stroke slip{{200, 200}, {201, 202}};
  CHECK(status_of({slip}, 400) == Status::not_a_digit);
  CHECK(status_of({slip}, 0, 24) == Status::not_a_digit);
  CHECK(status_of({slip}, 10) == Status::digit);
  CHECK(status_of({slip}) == Status::digit);  // for all that is known
  // A canvas painted over in lines, close together.
  Stroke painted;
  for (int y = 0; y <= 400; y += 20) {
    painted.push_back({y % 40 == 0 ? 0.0 : 400.0, static_cast<double>(y)});
    painted.push_back({y % 40 == 0 ? 400.0 : 0.0, static_cast<double>(y)});
  }
  CHECK(status_of({painted}, 400, 30) == Status::not_a_digit);
  CHECK(status_of({painted}) == Status::not_a_digit);

  const Drawing seven{{{{10, 10}, {60, 12}, {25, 90}}}, 100, 100, 3, std::nullopt};
  const Recognition read = recognizer.recognize(seven);
  CHECK(read.status == Status::digit);
  CHECK(read.image == to_mnist_image(seven));
  CHECK(same(read, recognizer.recognize(read.image)));
  CHECK_ERROR(status_of({{{NAN, 1}}}), ArgumentError, "stroke 0, point 0");
}

TEST_CASE("Recognizer: these rules take no digit of MNIST for something else", "[recognition]") {
  const Recognizer recognizer(always_three());
  for (const Dataset& half : {test::mnist_sample().train, test::mnist_sample().test}) {
    for (const Recognition& read : recognizer.recognize(half)) CHECK(read.status == Status::digit);
  }
}

TEST_CASE("Recognizer: a picture is seen as to_mnist_image makes it", "[recognition]") {
  const Recognizer recognizer(trained_network());
  std::size_t right = 0;
  std::size_t pictures = 0;
  for (const auto& entry : std::filesystem::directory_iterator(DIGITNET_TEST_DATA "/images")) {
    const std::string name = entry.path().filename().string();
    if (name[1] != '-' || !within(static_cast<std::size_t>(name[0]), '0', '9' + 1)) continue;
    const Picture picture = read_picture(entry.path());
    const Recognition read = recognizer.recognize(picture);
    CHECK(read.image == to_mnist_image(picture));
    CHECK(same(read, recognizer.recognize(read.image)));
    CHECK(read.score.has_value());
    ++pictures;
    right += read.digit == static_cast<std::size_t>(name[0] - '0') ? 1 : 0;
  }
  CHECK(pictures == 10);
  CHECK(right >= 7);
}

TEST_CASE("Recognizer::recognize_number: every digit is read, ? stands for what is unsure or none", "[recognition]") {
  const std::vector<Stroke> seven{{{10, 10}, {60, 12}, {25, 90}}};
  Drawing number{{}, 400, 100, 3, std::nullopt};
  for (const double shift : {0.0, 100.0, 200.0}) {
    Stroke moved = seven.front();
    for (Point& point : moved) point.x += shift;
    number.strokes.push_back(moved);
  }
  const NumberRecognition read = Recognizer(always_three()).recognize_number(number);
  CHECK(read.text == "333");
  REQUIRE(read.digits.size() == 3);
  const Recognition alone = Recognizer(always_three()).recognize(Drawing{seven, 400, 100, 3, std::nullopt});
  for (const Recognition& digit : read.digits) {
    CHECK(digit.status == Status::digit);
    CHECK(digit.image == alone.image);
  }
  CHECK(Recognizer(always_three(), with_thresholds(0, 0.9)).recognize_number(number).text == "???");
  CHECK(Recognizer(always_three(), with_thresholds(100, 0)).recognize_number(number).text == "???");
  CHECK(Recognizer(always_three()).recognize_number(Drawing{}).text.empty());

  // On a picture: two lines of 8 x 60.
  const Picture picture = picture_where(
      200, 100, [](auto x, auto y) { return (within(x, 50, 58) || within(x, 140, 148)) && within(y, 20, 80); });
  CHECK(Recognizer(always_three()).recognize_number(picture).text == "33");
  CHECK(Recognizer(always_three()).recognize_number(Picture{9, 9, 1, std::vector<std::uint8_t>(81)}).digits.empty());
}

TEST_CASE("Recognizer: many images at once are read as one by one, with any number of threads", "[recognition]") {
  const Dataset data = test::mnist_sample().test.slice(0, 300);
  Network<float> network = trained_network();
  set_calibration(network, fit_calibration(network, test::mnist_sample().test));
  const Recognizer recognizer(network);
  const std::vector<Recognition> one = recognizer.recognize(data, 1);
  const std::vector<Recognition> three = recognizer.recognize(data, 3);
  REQUIRE(one.size() == data.size());
  std::array<std::size_t, 4> statuses{};
  for (std::size_t i = 0; i < data.size(); ++i) {
    CHECK(same(one[i], three[i]));
    CHECK(same(one[i], recognizer.recognize(image_of(data, i))));
    ++statuses[static_cast<std::size_t>(one[i].status)];
  }
  CHECK(statuses[0] > 250);
  CHECK(recognizer.recognize(data.slice(0, 0)).empty());
  CHECK_ERROR(recognizer.recognize(Dataset(zeros<float>({1, 784}), Labels{0})), ShapeError,
              "Recognizer::recognize: numbers of 1 x 784, expected bytes of 28 x 28");
}

TEST_CASE("Recognizer: may be asked by many threads, copied and moved", "[recognition]") {
  const Dataset data = test::mnist_sample().test.slice(0, 100);
  auto recognizer = std::make_unique<Recognizer>(trained_network());
  const Recognizer copy = *recognizer;
  std::vector<Recognition> expected;
  for (std::size_t i = 0; i < data.size(); ++i) expected.push_back(recognizer->recognize(image_of(data, i)));
  std::vector<std::size_t> wrong(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < data.size(); ++i) {
          wrong[t] += same(copy.recognize(image_of(data, i)), expected[i]) ? 0 : 1;
        }
      });
    }
  }
  CHECK(wrong == std::vector<std::size_t>(4));
  const Recognizer moved = std::move(*recognizer);
  recognizer.reset();
  CHECK(same(moved.recognize(image_of(data, 5)), expected[5]));
  CHECK(same(copy.recognize(image_of(data, 5)), expected[5]));
}

TEST_CASE("Recognition::top: the likeliest digits in order", "[recognition]") {
  const Recognition read = Recognizer(always_three()).recognize(image_of(test::mnist_sample().test, 0));
  const std::vector<Guess> top = read.top();
  REQUIRE(top.size() == 3);
  CHECK(top[0].digit == 3);
  CHECK(top[0].probability == static_cast<double>(read.probabilities[3]));
  CHECK(top[1].digit == 7);
  CHECK(top[2].digit == 0);  // of those that are equal, the smallest
  CHECK(read.top(1).size() == 1);
  CHECK(read.top(0).empty());
  CHECK(read.top(99).size() == 10);
}

TEST_CASE("Recognizer: a network that is not for digits is named", "[recognition][error]") {
  Rng rng(1);
  CHECK_ERROR(Recognizer(Network<float>({784, 9}, Activation::relu, rng)), ShapeError,
              "Recognizer: a network of 784 inputs and 9 outputs, expected 784");
  CHECK_ERROR(Recognizer(Network<float>({64, 10}, Activation::relu, rng)), ShapeError, "a network of 64 inputs");
  CHECK_ERROR(Recognizer(Network<float>({784, 10}, Activation::relu, rng, Activation::identity,
                                        LossFunction::sum_of_squares)),
              ArgumentError, "Recognizer: the last layer is identity, expected softmax or sigmoid");
  CHECK_ERROR(Recognizer("/nowhere/model"), IoError, "load_network: /nowhere/model");
}

// The model that comes with digitnet

TEST_CASE("shipped_model: DIGITNET_MODEL names it", "[recognition][shipped]") {
  const test::TemporaryFolder folder;
  const std::filesystem::path model = folder / "mine.safetensors";
  {
    const test::EnvironmentVariable variable("DIGITNET_MODEL", model.string());
    CHECK_ERROR(shipped_model(), IoError,
                "shipped_model: DIGITNET_MODEL is " + model.string() + ", and there is no such file");
    save_network(always_three(), model);
    CHECK(shipped_model() == model);
    CHECK(Recognizer().recognize(image_of(test::mnist_sample().test, 0)).digit == std::size_t{3});
  }
}

TEST_CASE("ForwardPass: weights kept in half precision give the same bits", "[recognition]") {
  const Network<float> network = load_network<float>(shipped_model());
  const Dataset digits = load_mnist(DIGITNET_TEST_DATA "/mnist-sample").test;
  const detail::HalfLayers halves(network);
  detail::ForwardPass<float> plain(network, 1);
  detail::ForwardPass<float> pass(network, 1, &halves);
  const auto bits_of = [](std::span<const float> z) {
    std::vector<std::uint32_t> bits;
    for (const float value : z) bits.push_back(std::bit_cast<std::uint32_t>(value));
    return bits;
  };
  for (std::size_t i = 0; i < 200; ++i) {
    const std::vector<std::uint32_t> expected = bits_of(plain.logits(digits.pixels(i)));
    REQUIRE(bits_of(pass.logits(digits.pixels(i))) == expected);
    std::vector<float> numbers(digits.inputs());
    detail::bytes_to_numbers<float>(numbers.data(), digits.pixels(i));
    REQUIRE(bits_of(pass.logits(std::span<const float>(numbers))) ==
            bits_of(plain.logits(std::span<const float>(numbers))));
  }
}

TEST_CASE("shipped_model: is found from the header, in what was installed and in the sources",
          "[recognition][shipped]") {
  const test::EnvironmentVariable variable("DIGITNET_MODEL", std::nullopt);
  for (const char* place : {"share/digitnet/models", "python/digitnet/models"}) {
    const test::TemporaryFolder prefix;
    const std::filesystem::path header = prefix / "include/digitnet/recognition.hpp";
    const std::filesystem::path model = test::write_file(prefix / place / "mnist.safetensors", "x");
    CHECK(shipped_model(header) == model);
  }
}

TEST_CASE("shipped_model: says where it has looked", "[recognition][error]") {
  const test::EnvironmentVariable variable("DIGITNET_MODEL", std::nullopt);
  const test::TemporaryFolder prefix;
  std::string message;
  try {
    const std::filesystem::path found = shipped_model(prefix / "include/digitnet/recognition.hpp");
    CHECK(found.filename() == "mnist.safetensors");  // digitnet is installed on this machine
    return;
  } catch (const IoError& error) {
    message = error.what();
  }
  CHECK(message.starts_with("shipped_model: there is no mnist.safetensors in "));
  CHECK(message.find((prefix / "share/digitnet/models").string() + ", ") != std::string::npos);
  CHECK(message.find("; set DIGITNET_MODEL to a model file, or give the path of one") != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
}
