#include <digitnet/serialization.hpp>

#include "arrays.hpp"
#include "bytes.hpp"
#include "catch.hpp"
#include "model_file.hpp"
#include "small_networks.hpp"
#include "temporary_folder.hpp"

#include <cstring>
#include <limits>

using namespace digitnet;
using test::Bytes;
using test::ModelFile;
using test::small_model;

namespace {

template <class Real>
Network<Real> random_model(std::uint64_t seed = 1) {
  Rng rng(seed);
  return test::random_network<Real>({{6, 5, 4, 3}, {Activation::gelu, Activation::relu, Activation::softmax}}, rng);
}

template <class Real>
bool same_parameters(const Network<Real>& a, const Network<Real>& b) {
  if (a.architecture() != b.architecture()) return false;
  for (std::size_t i = 0; i < a.layers().size(); ++i) {
    if (!test::same_bits(a.layer(i).weights, b.layer(i).weights)) return false;
    if (!test::same_bits(a.layer(i).bias, b.layer(i).bias)) return false;
  }
  return true;
}

template <class Real = float>
Network<Real> loaded(const ModelFile& file) {
  return network_from_bytes<Real>(file.bytes());
}

/// "" if these bytes are refused with one line that names the file and has this part, else what happened.
std::string not_refused(const Bytes& bytes, const std::string& part) {
  std::string wrong = test::thrown_instead<FormatError>([&] { network_from_bytes<float>(bytes, "tiny"); }, part);
  if (!wrong.empty()) return wrong;
  return test::thrown_instead<FormatError>([&] { network_from_bytes<float>(bytes, "tiny"); },
                                           "network_from_bytes: tiny: ");
}

std::string not_refused(const ModelFile& file, const std::string& part) { return not_refused(file.bytes(), part); }

/// small_model with a change.
template <class Change>
ModelFile changed(Change change) {
  ModelFile file = small_model();
  change(file);
  return file;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t place = text.find(from);
  if (place == std::string::npos) throw std::out_of_range("replaced: no " + from);
  return text.replace(place, from.size(), to);
}

/// small_model with a piece of its header changed; the checksum is as it was.
Bytes with_header_changed(const std::string& from, const std::string& to) {
  const ModelFile file = small_model();
  return file.with_header(replaced(file.header(), from, to));
}

ModelFile with_architecture(const std::string& text) {
  return changed([&](ModelFile& file) { file.metadata["architecture"] = text; });
}

}  // namespace

// What is kept

TEMPLATE_TEST_CASE("serialization: a network saved and loaded predicts the same bits", "[serialization]", float,
                   double) {
  const test::TemporaryFolder folder;
  Rng rng(2);
  const Matrix<TestType> x = normal<TestType>({50, 6}, rng);
  for (const auto& [output, loss] :
       {std::pair{Activation::softmax, LossFunction::softmax_cross_entropy},
        std::pair{Activation::sigmoid, LossFunction::sum_of_squares},
        std::pair{Activation::sigmoid, LossFunction::binary_cross_entropy},
        std::pair{Activation::softmax, LossFunction::huber}, std::pair{Activation::identity, LossFunction::hinge}}) {
    for (std::size_t h = 0; h < activation_names.size(); ++h) {
      const auto hidden = static_cast<Activation>(h);
      if (hidden == Activation::softmax) continue;
      const auto network = test::random_network<TestType>({{6, 5, 4, 3}, {hidden, hidden, output}, loss}, rng);
      save_network(network, folder / "model.safetensors");
      const auto again = load_network<TestType>(folder / "model.safetensors");
      CHECK(same_parameters(network, again));
      CHECK(test::same_bits(network.forward(x), again.forward(x)));
      if (output != Activation::identity) {
        CHECK(test::same_bits(network.predict_proba(x), again.predict_proba(x)));
      }
      CHECK(again.loss() == loss);
    }
  }
}

TEMPLATE_TEST_CASE("serialization: the same network gives the same bytes, in a file and in memory", "[serialization]",
                   float, double) {
  const test::TemporaryFolder folder;
  const auto network = random_model<TestType>();
  const Bytes bytes = network_to_bytes(network);
  CHECK(network_to_bytes(random_model<TestType>()) == bytes);
  save_network(network, folder / "a");
  save_network(network, folder / "b");
  CHECK(test::read_file(folder / "a") == bytes);
  CHECK(test::read_file(folder / "b") == bytes);
  CHECK(same_parameters(network_from_bytes<TestType>(bytes), network));
  CHECK(network_to_bytes(network_from_bytes<TestType>(bytes)) == bytes);
  CHECK(network_to_bytes(random_model<TestType>(2)) != bytes);
}

TEST_CASE("serialization: extreme numbers come back as they were", "[serialization]") {
  Network<double> network(Architecture{{1, 6}, {Activation::softmax}});
  network.layer(0).bias = Vector<double>{std::numeric_limits<double>::max(),
                                         std::numeric_limits<double>::lowest(),
                                         std::numeric_limits<double>::denorm_min(),
                                         -0.0,
                                         0.1,
                                         0};
  CHECK(same_parameters(network_from_bytes<double>(network_to_bytes(network)), network));
}

TEST_CASE("serialization: numbers of one width load as the other", "[serialization]") {
  const auto narrow = random_model<float>();
  const auto wide = network_from_bytes<double>(network_to_bytes(narrow));
  CHECK(same_parameters(network_from_bytes<float>(network_to_bytes(wide)), narrow));  // through F64 and back
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(test::equal(wide.layer(i).weights, Matrix<double>(xt::cast<double>(narrow.layer(i).weights))));
  }
  const auto fine = random_model<double>();
  const auto rounded = network_from_bytes<float>(network_to_bytes(fine));
  CHECK(test::equal(rounded.layer(0).weights, Matrix<float>(xt::cast<float>(fine.layer(0).weights))));
}

TEST_CASE("serialization: a file of format version 1 loads, and is written just so", "[serialization]") {
  const std::string path = DIGITNET_TEST_DATA "/models/v1-tiny.safetensors";
  const auto network = load_network<float>(path);
  CHECK(network.architecture() == Architecture{{4, 3, 2}, {Activation::relu, Activation::softmax}});
  const auto eighths = [](int first, std::size_t i) { return static_cast<float>(first + static_cast<int>(i)) / 8; };
  for (const auto& layer : network.layers()) {
    for (std::size_t i = 0; i < layer.weights.size(); ++i) CHECK(layer.weights.data()[i] == eighths(-5, i));
    for (std::size_t i = 0; i < layer.bias.size(); ++i) CHECK(layer.bias(i) == eighths(8, i));
  }
  CHECK(network.metadata ==
        Metadata{{"labels", "[\"ja\",\"n\u00f6\"]"}, {"preprocessing", R"({"input":"ink","range":[0,1]})"}});
  CHECK(load_network<double>(path).layer(0).weights(0, 0) == -0.625);
  if (model_format_version == 1) CHECK(network_to_bytes(network) == test::read_file(path));
}

TEST_CASE("serialization: the data begins at a multiple of eight bytes", "[serialization]") {
  for (std::size_t extra = 0; extra < 9; ++extra) {
    auto network = random_model<float>();
    network.metadata["note"] = std::string(extra, 'x');
    const Bytes bytes = network_to_bytes(network);
    CHECK((bytes[0] & 7) == 0);
    CHECK(same_parameters(network_from_bytes<float>(bytes), network));
  }
}

TEST_CASE("serialization: metadata comes back as it was", "[serialization]") {
  auto network = random_model<float>();
  network.metadata = {{"note", "Schönschrift, 手書き, \U0001F58B"},
                      {"schlüssel", "with a key of UTF-8"},
                      {"quotes", "\"a\" \\ /\b\t\r\n\x01\x7f"},
                      {"zero", std::string("a\0b", 3)},
                      {"empty", ""},
                      {"", "without a key"},
                      {"labels", R"(["a","b","c"])"},
                      {"preprocessing", "{}"}};
  CHECK(network_from_bytes<float>(network_to_bytes(network)).metadata == network.metadata);
}

TEST_CASE("serialization: a file says what the inputs are, and the digits' names, unless told otherwise",
          "[serialization]") {
  Rng rng(1);
  const Network<float> digits({4, 10}, Activation::relu, rng);
  const auto metadata = network_from_bytes<float>(network_to_bytes(digits)).metadata;
  CHECK(metadata == Metadata{{"labels", R"(["0","1","2","3","4","5","6","7","8","9"])"},
                             {"preprocessing", R"({"input":"ink","range":[0,1]})"}});
  CHECK(digits.metadata.empty());
  const auto others = network_from_bytes<float>(network_to_bytes(random_model<float>())).metadata;
  CHECK(others == Metadata{{"preprocessing", R"({"input":"ink","range":[0,1]})"}});
}

TEST_CASE("serialization: a key that the format keeps for itself is named", "[serialization][error]") {
  const test::TemporaryFolder folder;
  for (const char* key : {"format", "version", "architecture", "checksum"}) {
    auto network = random_model<float>();
    network.metadata[key] = "mine";
    CHECK_ERROR(
        network_to_bytes(network), ArgumentError,
        detail::text("network_to_bytes: metadata has the key \"", key, "\", which the format keeps for itself"));
    CHECK_ERROR(save_network(network, folder / "model"), ArgumentError, key);
  }
  CHECK(folder.names().empty());
}

TEST_CASE("serialization: metadata that is not UTF-8 or too long is refused when saving", "[serialization][error]") {
  auto network = random_model<float>();
  network.metadata["note"] = "caf\xe9";
  CHECK_ERROR(network_to_bytes(network), ArgumentError, "network_to_bytes: metadata: a text that is not UTF-8");
  network.metadata["note"] = std::string(1 << 20, 'x');
  CHECK_ERROR(network_to_bytes(network), ArgumentError, "bytes, expected at most 1048576");
  network.metadata["note"] = std::string(1000000, 'x');
  CHECK(network_from_bytes<float>(network_to_bytes(network)).metadata.at("note").size() == 1000000);
}

// Files from elsewhere

TEST_CASE("serialization: a file put together by hand loads", "[serialization]") {
  const auto network = loaded(small_model());
  CHECK(network.architecture() == Architecture{{2, 3, 2}, {Activation::relu, Activation::softmax}});
  CHECK(test::equal(network.layer(0).weights, Matrix<float>{{1, 2, 3}, {4, 5, 6}}));
  CHECK(test::equal(network.layer(0).bias, Vector<float>{0.5F, 1.5F, 2.5F}));
  CHECK(test::equal(network.layer(1).weights, Matrix<float>{{1, 2}, {3, 4}, {5, 6}}));
  CHECK(test::equal(network.layer(1).bias, Vector<float>{0.5F, 1.5F}));
  CHECK(network.metadata.empty());
}

TEST_CASE("serialization: the order of keys and the spaces of a header do not matter", "[serialization]") {
  const ModelFile file = small_model();
  std::string header = "{\n";
  for (const auto& tensor : file.tensors) header += ModelFile::tensor_text(tensor) + "\t,\r\n";
  header += R"("__metadata__" : {)" + file.metadata_text() + "}}   \n";
  CHECK(same_parameters(network_from_bytes<float>(file.with_header(header)), loaded(file)));
}

TEST_CASE("serialization: tensors may lie in any order", "[serialization]") {
  ModelFile file;
  file.add<float>("layers.1.bias", "F32", {2}, {0.5F, 1.5F});
  file.add<float>("layers.0.bias", "F32", {3}, {0.5F, 1.5F, 2.5F});
  file.add<float>("layers.1.weights", "F32", {3, 2}, {1, 2, 3, 4, 5, 6});
  file.add<float>("layers.0.weights", "F32", {2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(same_parameters(loaded(file), loaded(small_model())));
}

TEST_CASE("serialization: more than ten layers find their tensors", "[serialization]") {
  Rng rng(3);
  const auto network = test::random_network<float>(
      {std::vector<std::size_t>(13, 2), std::vector<Activation>(12, Activation::tanh), LossFunction::sum_of_squares},
      rng);
  CHECK(same_parameters(network_from_bytes<float>(network_to_bytes(network)), network));
}

TEMPLATE_TEST_CASE("serialization: F16, BF16, F32 and F64 are read", "[serialization]", float, double) {
  ModelFile file;
  file.metadata["architecture"] =
      R"({"activations":["relu","softmax"],"loss":"softmax_cross_entropy","sizes":[4,2,2]})";
  // 1, -2, the number next to 1/3, the least, -0, the largest, the least that is normal, 1 + 2^-10
  file.add<std::uint16_t>("layers.0.weights", "F16", {4, 2},
                          {0x3c00, 0xc000, 0x3555, 0x0001, 0x8000, 0x7bff, 0x0400, 0x3c01});
  file.add<std::uint16_t>("layers.0.bias", "BF16", {2}, {0xc000, 0x0001});
  file.add<double>("layers.1.weights", "F64", {2, 2}, {0.5, -0.25, 0.1, 1e30});
  file.add<float>("layers.1.bias", "F32", {2}, {-0.0F, 0.1F});
  const auto network = loaded<TestType>(file);
  const auto real = [](double number) { return static_cast<TestType>(number); };
  CHECK(test::same_bits(network.layer(0).weights, Matrix<TestType>{{real(1), real(-2)},
                                                                   {real(0.333251953125), real(0x1p-24)},
                                                                   {real(-0.0), real(65504)},
                                                                   {real(0x1p-14), real(1 + 0x1p-10)}}));
  CHECK(test::same_bits(network.layer(0).bias, Vector<TestType>{real(-2), real(0x1p-133)}));
  CHECK(
      test::same_bits(network.layer(1).weights, Matrix<TestType>{{real(0.5), real(-0.25)}, {real(0.1), real(1e30)}}));
  CHECK(test::same_bits(network.layer(1).bias, Vector<TestType>{real(-0.0), static_cast<TestType>(0.1F)}));
}

namespace {

/// One layer of one unit whose weights are these numbers.
template <class Real>
Network<Real> network_of(const std::vector<Real>& numbers) {
  Network<Real> network(Architecture{{numbers.size(), 1}, {Activation::identity}, LossFunction::huber});
  std::copy(numbers.begin(), numbers.end(), network.layer(0).weights.data());
  return network;
}

/// Where the data of a model file begin.
std::size_t data_of(const Bytes& file) {
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof(header));
  return sizeof(header) + header;
}

/// The weights of network_of as a file of half precision has them, as bit patterns.
template <class Real>
std::vector<std::uint16_t> halves_in_file(const std::vector<Real>& numbers) {
  const Bytes file = network_to_bytes(network_of(numbers), Precision::half);
  std::vector<std::uint16_t> halves(numbers.size());
  std::memcpy(halves.data(), &file[data_of(file)], 2 * halves.size());  // the bias lies behind them
  return halves;
}

/// IEEE 754-2008, section 3.6, written once more.
double value_of_half(std::uint16_t half) {
  const int exponent = half / 1024;
  const int fraction = half % 1024;
  return exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
}

}  // namespace

TEMPLATE_TEST_CASE("serialization: in half precision each number is the nearest, of two the even one",
                   "[serialization]", float, double) {
  std::vector<TestType> numbers;
  std::vector<std::uint16_t> expected;
  const auto expect = [&](double number, int half) {
    for (const int sign : {0, 0x8000}) {
      numbers.push_back(static_cast<TestType>(sign == 0 ? number : -number));
      expected.push_back(static_cast<std::uint16_t>(half | sign));
    }
  };
  for (std::uint16_t half = 0; half < 0x7c00; ++half) {  // every finite number of half precision
    const double value = value_of_half(half);
    const double next = half == 0x7bff ? 65536 : value_of_half(half + 1);
    const auto middle = static_cast<TestType>((value + next) / 2);  // exact, it has 12 bits
    const auto below = std::nextafter(middle, TestType{0});
    expect(value, half);
    expect(static_cast<double>(below), half);
    if (half == 0x7bff) break;  // what is not below 65520 is too large
    expect(static_cast<double>(middle), half + half % 2);
    expect(static_cast<double>(std::nextafter(middle, TestType{65536})), half + 1);
  }
  CHECK(halves_in_file(numbers) == expected);
}

TEST_CASE("serialization: half precision makes a file of half the size that loads", "[serialization]") {
  const test::TemporaryFolder folder;
  Rng rng(5);
  Network<float> network({300, 40, 10}, Activation::relu, rng);
  network.metadata["note"] = "small";
  save_network(network, folder / "full.safetensors");
  save_network(network, folder / "half.safetensors", Precision::half);
  const Bytes full = test::read_file(folder / "full.safetensors");
  const Bytes half = test::read_file(folder / "half.safetensors");
  CHECK(2 * (half.size() - data_of(half)) == full.size() - data_of(full));

  const auto loaded = load_network<float>(folder / "half.safetensors");
  CHECK(loaded.architecture() == network.architecture());
  CHECK(loaded.metadata.at("note") == "small");
  double largest = 0;
  for (std::size_t i = 0; i < network.layer(0).weights.size(); ++i) {
    const double weight = network.layer(0).weights.data()[i];
    largest = std::max(largest, std::abs(loaded.layer(0).weights.data()[i] - weight) / (std::abs(weight) + 0x1p-14));
  }
  CHECK(largest <= 0x1p-11);  // half a unit in the last of 11 bits
  CHECK(largest > 0);
  CHECK(network_to_bytes(loaded, Precision::half) == half);  // a second time nothing changes
}

TEST_CASE("serialization: a number too large for half precision is named", "[serialization][error]") {
  CHECK_ERROR(network_to_bytes(network_of<float>({1, 65520}), Precision::half), ArgumentError,
              "network_to_bytes: layers.0.weights: value 1 is 65520, expected at most 65504 in half precision");
  CHECK_ERROR(network_to_bytes(network_of<double>({-1e300}), Precision::half), ArgumentError, "value 0 is -1e+300");
  const test::TemporaryFolder folder;
  CHECK_ERROR(save_network(network_of<float>({1e30F}), folder / "model", Precision::half), ArgumentError,
              "save_network: " + (folder / "model").string() + ": layers.0.weights: value 0");
  CHECK(folder.names().empty());
}

// What is refused

TEST_CASE("serialization: a length of the header that cannot be is named", "[serialization][error]") {
  CHECK(not_refused(Bytes{}, "0 bytes, expected a safetensors file of at least 10") == "");
  CHECK(not_refused(Bytes(7, 0), "7 bytes, expected a safetensors file") == "");
  CHECK(not_refused(Bytes(8, 0), "header: does not begin with {") == "");
  CHECK(not_refused(Bytes(1000, 255),
                    "not a safetensors file: its first 8 bytes give a header of "
                    "18446744073709551615 bytes, the file has 1000") == "");
  const auto of_length = [](std::uint64_t length) {
    Bytes bytes = small_model().bytes();
    std::memcpy(bytes.data(), &length, sizeof(length));
    return bytes;
  };
  const std::size_t all = small_model().bytes().size() - 8;
  CHECK(not_refused(of_length((1 << 20) + 1), "byte 0: a header of 1048577 bytes, expected at most 1048576") == "");
  CHECK(not_refused(of_length(std::uint64_t{1} << 63), "a header of 9223372036854775808 bytes") == "");
  CHECK(not_refused(of_length(all + 1), detail::text("a header of ", all + 1, " bytes, expected at most the ", all,
                                                     " that follow; the file is cut short")) == "");
  CHECK(not_refused(of_length(all), "is not as JSON should be") == "");
  CHECK(not_refused(of_length(0), "header: does not begin with {") == "");
  CHECK(not_refused(of_length(1), "header: byte 1 is not as JSON should be") == "");
}

TEST_CASE("serialization: what is no safetensors file is told so, and what it looks like", "[serialization][error]") {
  const auto start = [](std::string_view bytes) { return Bytes(bytes.begin(), bytes.end()); };
  const auto hint = [&](std::string_view bytes, const std::string& expected) {
    Bytes file = start(bytes);
    file.resize(3000, 200);
    return not_refused(file, "not a safetensors file: its first 8 bytes give a header of ") +
           not_refused(file, " bytes, the file has 3000; " + expected);
  };
  using namespace std::string_view_literals;
  CHECK(hint("<!DOCTYPE html>", "is it a web page, saved instead of the file?") == "");
  CHECK(hint("version https://git-lfs.github.com/spec/v1\n", "it is a Git LFS pointer") == "");
  CHECK(hint("PK\x03\x04\x14\0\0\0"sv, "it looks like a zip archive") == "");
  CHECK(hint("\x80\x04\x95 pickled", "it looks like a Python pickle") == "");
  CHECK(hint("\x89HDF\r\n\x1a\n", "it is an HDF5 file") == "");
  CHECK(hint("\x93NUMPY\x01", "it is an array of NumPy") == "");
  CHECK(hint("\x89PNG\r\n\x1a\n", "it is a PNG image") == "");
  CHECK(hint("\xff\xd8\xff\xe0\0\x10"sv, "it is a JPEG image") == "");
  CHECK(hint("\x1f\x8b\x08\0"sv, "it is compressed; unpack it with gunzip first") == "");
  CHECK(hint("\0\0\x08\x03\0\0\xea\x60"sv, "it looks like IDX data, expected a model") == "");
  CHECK(hint(std::string(100, 'x'), "it looks like a text") == "");
  CHECK(not_refused(start("epoch 1 of 10\n"), "the file has 14; it looks like a text") == "");
  CHECK(not_refused(start("12345678"), "the file has 8; it looks like a text") == "");

  // The hint is for those only: what begins as safetensors files do is damaged, cut short or too large.
  CHECK(not_refused(start("\x10\0\0\0\0\0\0\0{\"a\""sv), "expected at most the 4 that follow; the file is cut") ==
        "");
  CHECK(not_refused(start("\x02\0\0\0\0\0\0\0[]"sv), "header: does not begin with {") == "");
}

TEST_CASE("serialization: a header that is not an object of JSON is named with the byte", "[serialization][error]") {
  const ModelFile file = small_model();
  const auto header_refused = [&](const std::string& header, const std::string& part) {
    return not_refused(file.with_header(header), "header: " + part);
  };
  CHECK(header_refused("[1]", "does not begin with {") == "");
  CHECK(header_refused(" " + file.header(), "does not begin with {") == "");
  CHECK(header_refused("{", "byte 1 is not as JSON should be") == "");
  CHECK(header_refused("{]", "byte 1 is not as JSON should be") == "");
  CHECK(header_refused(file.header() + "x", detail::text("byte ", file.header().size(), " is not as JSON")) == "");
  CHECK(header_refused(file.header() + "{}", detail::text("byte ", file.header().size(), " is not as JSON")) == "");
  CHECK(header_refused(file.header() + '\0', detail::text("byte ", file.header().size(), " is not as JSON")) == "");
  CHECK(header_refused(file.header() + '\0' + "hidden", "byte ") == "");
  CHECK(header_refused("{\"a\": 'b'}", "byte 6 is not as JSON should be") == "");
  CHECK(header_refused("{\"a\": \"\xff\"}", "byte 7 is not as JSON should be") == "");
  CHECK(header_refused("{\"a\": NaN}", "byte 6 is not as JSON should be") == "");
  CHECK(header_refused("{\"a\": /* no */ 1}", "byte 6 is not as JSON should be") == "");
  CHECK(header_refused(std::string("{\"a\0\": 1}", 9), "byte 3 is not as JSON should be") == "");
}

TEST_CASE("serialization: a key that stands twice is named, wherever it is", "[serialization][error]") {
  const ModelFile file = small_model();
  const std::string tensor = ModelFile::tensor_text(file.tensors[0]);
  const auto twice = [](const std::string& key) {
    return "header: the key \"" + key + "\" stands twice in one object";
  };
  CHECK(not_refused(with_header_changed(tensor, tensor + ", " + tensor), twice("layers.0.weights")) == "");
  CHECK(not_refused(with_header_changed(R"("shape": [2, 3])", R"("shape": [2, 3], "shape": [2, 3])"),
                    twice("shape")) == "");
  CHECK(not_refused(with_header_changed(R"("version": "1")", R"("version": "1", "version": "1")"),
                    twice("version")) == "");
  CHECK(not_refused(with_header_changed("}}", "}, \"__metadata__\": {}}"), twice("__metadata__")) == "");
  // The same key spelt another way.
  CHECK(not_refused(with_header_changed(R"("version": "1")", R"("version": "1", "\u0076ersion": "1")"),
                    twice("version")) == "");
  CHECK(not_refused(with_architecture(
                        R"({"activations":["softmax"],"loss":"softmax_cross_entropy","loss":"x","sizes":[2,3]})"),
                    "architecture: the key \"loss\" stands twice") == "");
}

TEST_CASE("serialization: one key may stand in several objects", "[serialization]") {
  auto network = random_model<float>();
  network.metadata["shape"] = "round";
  network.metadata["layers.0.weights"] = "heavy";
  CHECK(network_from_bytes<float>(network_to_bytes(network)).metadata.at("shape") == "round");
}

TEST_CASE("serialization: deep nesting is refused before it costs anything", "[serialization][error]") {
  const auto nested = [](const std::string& open, const std::string& close, std::size_t depth) {
    std::string value;
    for (std::size_t i = 0; i < depth; ++i) value += open;
    value += "1";
    for (std::size_t i = 0; i < depth; ++i) value += close;
    return with_header_changed(R"("shape": [2, 3])", R"("shape": )" + value);
  };
  CHECK(not_refused(nested("[", "]", 100000), "header: nested deeper than 64 levels") == "");
  CHECK(not_refused(nested("{\"a\":", "}", 100000), "header: nested deeper than 64 levels") == "");
  CHECK(not_refused(nested("[", "]", 63), "header: nested deeper than 64 levels") == "");
  CHECK(not_refused(nested("[", "]", 62), "\"shape\" holds something else than whole numbers") == "");
  CHECK(not_refused(with_header_changed(R"("shape": [2, 3])", R"("shape": )" + std::string(100000, '[')), "nested") ==
        "");
}

TEST_CASE("serialization: a number of a tensor that is not whole, negative or too large is named",
          "[serialization][error]") {
  const auto shape = [](const std::string& numbers) {
    return with_header_changed(R"("shape": [2, 3])", R"("shape": [)" + numbers + "]");
  };
  const std::string other = "tensor layers.0.weights: \"shape\" holds something else than whole numbers";
  CHECK(not_refused(shape("2.0, 3"), other) == "");
  CHECK(not_refused(shape("2e0, 3"), other) == "");
  CHECK(not_refused(shape("-2, -3"), other) == "");
  CHECK(not_refused(shape("-0, 3"), other) == "");
  CHECK(not_refused(shape("\"2\", 3"), other) == "");
  CHECK(not_refused(shape("null, 3"), other) == "");
  CHECK(not_refused(shape("[2], 3"), other) == "");
  CHECK(not_refused(shape("18446744073709551616, 3"), other) == "");
  CHECK(not_refused(shape("1e999, 3"), "header: a number out of range") == "");
  CHECK(not_refused(shape("02, 3"), "is not as JSON should be") == "");
  const std::string large = "tensor layers.0.weights: a shape too large for any file";
  CHECK(not_refused(shape("18446744073709551615, 3"), large) == "");
  CHECK(not_refused(shape("4294967296, 4294967296"), large) == "");  // 2^64 numbers, 0 if it wrapped
  CHECK(not_refused(shape("4611686018427387905, 2, 3"), large) == "");
  CHECK(not_refused(shape("2, 2"), "tensor layers.0.weights: 24 bytes, expected 16 of dtype F32 and shape (2, 2)") ==
        "");
  CHECK(not_refused(shape("0, 3"), "24 bytes, expected 0 of dtype F32 and shape (0, 3)") == "");
  CHECK(not_refused(shape(""), "24 bytes, expected 4 of dtype F32 and shape ()") == "");

  const auto offsets = [](const std::string& numbers) {
    return with_header_changed(R"("data_offsets": [0, 24])", R"("data_offsets": [)" + numbers + "]");
  };
  const std::string wanted = "tensor layers.0.weights: data_offsets, expected a begin and an end behind it";
  CHECK(not_refused(offsets("24, 0"), wanted) == "");
  CHECK(not_refused(offsets("0"), wanted) == "");
  CHECK(not_refused(offsets(""), wanted) == "");
  CHECK(not_refused(offsets("0, 24, 48"), wanted) == "");
  CHECK(not_refused(offsets("0, -24"), "\"data_offsets\" holds something else than whole numbers") == "");
  CHECK(not_refused(offsets("0, 24.5"), "\"data_offsets\" holds something else than whole numbers") == "");
  CHECK(not_refused(offsets("0, 18446744073709551615"), "18446744073709551615 bytes, expected 24") == "");
}

TEST_CASE("serialization: a tensor entry of another form is named", "[serialization][error]") {
  const std::string dtype = R"("dtype": "F32", "shape": [2, 3])";
  const std::string where = "tensor layers.0.weights: ";
  CHECK(not_refused(with_header_changed(dtype, R"("shape": [2, 3])"), where + "no \"dtype\", expected a name") == "");
  CHECK(not_refused(with_header_changed(dtype, R"("dtype": 32, "shape": [2, 3])"),
                    where + "\"dtype\" is of another type, expected a name") == "");
  CHECK(not_refused(with_header_changed(dtype, R"("dtype": "F32")"), where + "no \"shape\"") == "");
  CHECK(not_refused(with_header_changed(dtype, R"("dtype": "F32", "shape": 6)"),
                    where + "\"shape\" is of another type") == "");
  CHECK(not_refused(with_header_changed(dtype, dtype + R"(, "extra": 1)"), where + "an unknown member \"extra\"") ==
        "");
  const std::string entry = replaced(ModelFile::tensor_text(small_model().tensors[0]), "\"layers.0.weights\": ", "");
  for (const char* other : {"1", "[]", "null", "\"F32\"", "true"}) {
    CHECK(not_refused(with_header_changed(entry, other), where + "not a JSON object") == "");
  }
  for (const char* unknown : {"I64", "f32", "F8_E4M3", "U8", "BOOL", ""}) {
    const std::string part = detail::text("dtype \"", unknown, "\", expected F16, BF16, F32 or F64");
    CHECK(not_refused(changed([&](ModelFile& file) { file.tensors[0].dtype = unknown; }), where + part) == "");
  }
  CHECK(not_refused(changed([](ModelFile& file) { file.tensors[0].dtype = "F64"; }), "24 bytes, expected 48") == "");
}

TEST_CASE("serialization: a message about names from a file is one short line", "[serialization][error]") {
  CHECK(not_refused(changed([](ModelFile& file) { file.tensors[0].dtype = "F\n32"; }), "dtype \"F?32\"") == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.tensors[0].name = std::string(39, 'x') + "ä"; }),
                    std::string(39, 'x') + " begins") != "");  // all is well with it but that nobody asks for it
  CHECK(not_refused(changed([](ModelFile& file) {
                      file.tensors[0].name = std::string(39, 'x') + "ä\n";
                      file.tensors[0].dtype = "?";
                    }),
                    "tensor " + std::string(39, 'x') + ": dtype") == "");
}

TEST_CASE("serialization: holes, overlaps and bytes left over between the tensors are named",
          "[serialization][error]") {
  const auto shift = [](std::int64_t by) {
    return [by](ModelFile& file) {  // all but the first
      for (std::size_t i = 1; i < file.tensors.size(); ++i) {
        file.tensors[i].begin += static_cast<std::uint64_t>(by);
        file.tensors[i].end += static_cast<std::uint64_t>(by);
      }
      if (by > 0) file.data.insert(file.data.end(), static_cast<std::size_t>(by), 0);
    };
  };
  CHECK(not_refused(changed(shift(4)), "tensor layers.0.bias begins at byte 28 of the data, expected 24") == "");
  CHECK(not_refused(changed(shift(-4)), "tensor layers.0.bias begins at byte 20 of the data, expected 24") == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.data.push_back(0); }),
                    "the data has 69 bytes, expected 68, where the last tensor ends") == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.data.pop_back(); }),
                    "the data has 67 bytes, expected 68, where the last tensor ends; the file is cut short") == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.tensors[2].begin = 0, file.tensors[2].end = 24; }),
                    "tensor layers.1.weights begins at byte 0 of the data, expected 24") == "");
  CHECK(not_refused(changed([](ModelFile& file) {  // a hole before the first
                      file.data.insert(file.data.begin(), 8, 0);
                      for (auto& tensor : file.tensors) tensor.begin += 8, tensor.end += 8;
                    }),
                    "tensor layers.0.weights begins at byte 8 of the data, expected 0") == "");
}

TEST_CASE("serialization: tensors that do not fit the architecture are named", "[serialization][error]") {
  CHECK(not_refused(changed([](ModelFile& file) {
                      file.tensors.pop_back();
                      file.data.resize(60);
                    }),
                    "3 tensors, expected 4 for 2 layers") == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.add<float>("layers.2.bias", "F32", {1}, {1}); }),
                    "5 tensors, expected 4 for 2 layers") == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.add<float>("nothing", "F32", {0}, {}); }),
                    "5 tensors, expected 4 for 2 layers") == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.tensors[0].name = "layers.0.weight"; }),
                    "no tensor layers.0.weights") == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.tensors[0].name = "layers.2.weights"; }),
                    "no tensor layers.0.weights") == "");
  CHECK(not_refused(changed([](ModelFile& file) {
                      file.tensors[0].shape = {3, 2};
                    }),
                    "tensor layers.0.weights: shape (3, 2), expected (2, 3) by the architecture") == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.tensors[0].shape = {6}; }),
                    "tensor layers.0.weights: shape (6), expected (2, 3)") == "");
  CHECK(not_refused(changed([](ModelFile& file) {
                      file.tensors[1].shape = {3, 1};
                    }),
                    "tensor layers.0.bias: shape (3, 1), expected (3) by the architecture") == "");
  CHECK(not_refused(ModelFile(), "0 tensors, expected 4 for 2 layers") == "");
}

TEST_CASE("serialization: an architecture that is no architecture is named", "[serialization][error]") {
  const auto architecture_refused = [](const std::string& text, const std::string& part) {
    return not_refused(with_architecture(text), "architecture: " + part);
  };
  CHECK(architecture_refused("", "byte 0 is not as JSON should be") == "");
  CHECK(architecture_refused("784-10", "byte ") == "");
  CHECK(architecture_refused("[]", "not a JSON object") == "");
  const auto of = [](const std::string& sizes, const std::string& activations, const std::string& loss) {
    return R"({"sizes": )" + sizes + R"(, "activations": )" + activations + R"(, "loss": )" + loss + "}";
  };
  const std::string cross = "\"softmax_cross_entropy\"";
  const std::string both = R"(["relu", "softmax"])";
  CHECK(architecture_refused(R"({"activations": [], "loss": ""})",
                             "no \"sizes\", expected a list of whole numbers") == "");
  CHECK(architecture_refused(R"({"sizes": [2, 3], "loss": ""})", "no \"activations\", expected a list of names") ==
        "");
  CHECK(architecture_refused(R"({"sizes": [2, 3], "activations": []})", "no \"loss\", expected a name") == "");
  CHECK(architecture_refused(of("784", both, cross), "\"sizes\" is of another type") == "");
  CHECK(architecture_refused(of("[2, 3.0, 2]", both, cross), "\"sizes\" holds something else than whole numbers") ==
        "");
  CHECK(architecture_refused(of("[2, -3, 2]", both, cross), "\"sizes\" holds something else than whole numbers") ==
        "");
  CHECK(architecture_refused(of("[2, 3, 2]", "\"relu\"", cross), "\"activations\" is of another type") == "");
  CHECK(architecture_refused(of("[2, 3, 2]", R"(["relu", 1])", cross),
                             "\"activations\" holds something else than names") == "");
  CHECK(architecture_refused(of("[2, 3, 2]", both, "1"), "\"loss\" is of another type, expected a name") == "");
  CHECK(architecture_refused(of("[2, 3, 2]", R"(["swish", "softmax"])", cross),
                             "activation \"swish\", expected one of") == "");
  CHECK(architecture_refused(of("[2, 3, 2]", both, "\"mse\""), "loss \"mse\", expected one of") == "");
  CHECK(architecture_refused(of("[2, 3]", both, cross), "Network: 2 activations, expected 1") == "");
  CHECK(architecture_refused(of("[2]", "[]", cross), "Network: 1 sizes, expected 2 to 257") == "");
  CHECK(architecture_refused(of("[2, 0, 2]", both, cross), "Network: layer 0 of size 0") == "");
  CHECK(architecture_refused(of("[2, 18446744073709551615, 2]", both, cross),
                             "Network: layer 0 of size 18446744073") == "");
  CHECK(architecture_refused(of("[2, 3, 300]", both, cross), "Network: 300 outputs, expected at most 256") == "");
  CHECK(architecture_refused(of("[2, 3, 2]", R"(["softmax", "softmax"])", cross), "Network: softmax in layer 0") ==
        "");
  CHECK(architecture_refused(of("[2, 3, 2]", R"(["relu", "sigmoid"])", cross),
                             "Network: loss softmax_cross_entropy behind") == "");
  CHECK(architecture_refused(replaced(of("[2, 3, 2]", both, cross), "}", ", \"dropout\": 0.5}"),
                             "an unknown member \"dropout\"") == "");
  CHECK(architecture_refused(of("[2, 3, 2]", both, cross) + " x", "byte ") == "");
  CHECK(architecture_refused(std::string(100000, '['), "nested deeper than 64 levels") == "");
  // Terabytes, were a network of this size made before it is compared with the tensors that are there.
  CHECK(not_refused(with_architecture(of("[1048576, 1048576, 2]", both, cross)),
                    "tensor layers.0.weights: shape (2, 3), expected (1048576, 1048576)") == "");
}

TEST_CASE("serialization: metadata that is missing or of another form is named", "[serialization][error]") {
  const auto without = [](const std::string& key) {
    return changed([&](ModelFile& file) { file.metadata.erase(key); });
  };
  const std::string other =
      R"(a safetensors file without "format": "digitnet" in its metadata; was it made by another)";
  CHECK(not_refused(without("format"), other) == "");
  CHECK(not_refused(changed([](ModelFile& file) { file.metadata["format"] = "pt"; }), other) == "");
  CHECK(not_refused(small_model().with_header("{}"), other) == "");
  CHECK(not_refused(without("version"), "header: no \"version\" in __metadata__") == "");
  CHECK(not_refused(without("architecture"), "header: no \"architecture\" in __metadata__") == "");
  const std::string sum = small_model().checksum();
  CHECK(not_refused(with_header_changed(R"("checksum": ")" + sum + '"', R"("sum": "")"),
                    "header: no \"checksum\" in __metadata__") == "");
  CHECK(not_refused(with_header_changed(R"("version": "1")", R"("version": 1)"),
                    "header: __metadata__ \"version\" is not a text") == "");
  CHECK(not_refused(with_header_changed(R"("version": "1")", R"("version": "1", "x": null)"),
                    "header: __metadata__ \"x\" is not a text") == "");
  CHECK(not_refused(small_model().with_header(R"({"__metadata__": []})"), "__metadata__ is not a JSON object") == "");
  CHECK(not_refused(small_model().with_header(R"({"__metadata__": "digitnet"})"),
                    "__metadata__ is not a JSON object") == "");
}

TEST_CASE("serialization: another version of the format is named", "[serialization][error]") {
  const auto of_version = [](const std::string& version) {
    return changed([&](ModelFile& file) { file.metadata["version"] = version; });
  };
  CHECK(not_refused(of_version(std::to_string(model_format_version + 1)),
                    detail::text("format version ", model_format_version + 1, ", expected at most ",
                                 model_format_version, "; the file is from a newer digitnet")) == "");
  for (const char* version : {"0", "-1", "", "one", "1.0", "1 ", " 1", "+1", "99999999999999999999"}) {
    CHECK(not_refused(of_version(version),
                      detail::text("format version \"", version, "\", expected a number from 1 on")) == "");
  }
  // A newer file may have anything else in it; that it is newer is what is said.
  CHECK(not_refused(changed([](ModelFile& file) {
                      file.metadata["version"] = "1000";
                      file.metadata["architecture"] = "of another kind";
                      file.add<float>("more", "F32", {1}, {1});
                    }),
                    "format version 1000") == "");
}

TEST_CASE("serialization: numbers that are not finite are refused, though the checksum fits",
          "[serialization][error]") {
  const auto with_bias = [](const std::string& dtype, auto bits) {
    ModelFile file;
    file.metadata["architecture"] = R"({"activations":["softmax"],"loss":"softmax_cross_entropy","sizes":[1,2]})";
    file.add<float>("layers.0.weights", "F32", {1, 2}, {1, 2});
    file.add<decltype(bits)>("layers.0.bias", dtype, {2}, {0, bits});
    return file;
  };
  const std::string where = "tensor layers.0.bias: value 1 is ";
  CHECK(not_refused(with_bias("F32", std::numeric_limits<float>::quiet_NaN()), where + "nan, expected a finite") ==
        "");
  CHECK(not_refused(with_bias("F32", std::numeric_limits<float>::infinity()), where + "inf, expected a finite") ==
        "");
  CHECK(not_refused(with_bias("F64", -std::numeric_limits<double>::infinity()), where + "-inf") == "");
  CHECK(not_refused(with_bias("F64", 1e300), where + "inf") == "");  // more than a float can hold
  CHECK(not_refused(with_bias("F16", std::uint16_t{0x7c00}), where + "inf") == "");
  CHECK(not_refused(with_bias("F16", std::uint16_t{0x7e00}), where) == "");
  CHECK(not_refused(with_bias("BF16", std::uint16_t{0xff80}), where + "-inf") == "");
  CHECK(not_refused(with_bias("BF16", std::uint16_t{0x7fc0}), where) == "");
  CHECK(loaded<double>(with_bias("F64", 1e300)).layer(0).bias(1) == 1e300);
}

TEST_CASE("serialization: a checksum that does not fit is refused", "[serialization][error]") {
  const std::string part = "the checksum does not fit the content; the file was damaged or changed";
  const std::string right = small_model().checksum();
  const auto with_checksum = [](const std::string& checksum) {
    return changed([&](ModelFile& file) { file.metadata["checksum"] = checksum; });
  };
  CHECK(same_parameters(loaded(with_checksum(right)), loaded(small_model())));
  CHECK(not_refused(with_checksum(""), part) == "");
  CHECK(not_refused(with_checksum("sha256:" + std::string(64, '0')), part) == "");
  CHECK(not_refused(with_checksum(right + "0"), part) == "");
  CHECK(not_refused(with_checksum(replaced(right, "sha256", "SHA256")), part) == "");
  CHECK(not_refused(changed([&](ModelFile& file) {
                      file.metadata["checksum"] = right;
                      file.data.back() ^= 1;
                    }),
                    part) == "");
  CHECK(not_refused(changed([&](ModelFile& file) {
                      file.metadata["checksum"] = right;
                      file.metadata["note"] = "added";
                    }),
                    part) == "");
  CHECK(not_refused(with_header_changed("\\\"relu\\\"", "\\\"silu\\\""), part) == "");
}

TEST_CASE("serialization: a file cut short anywhere never loads", "[serialization][error]") {
  auto network = random_model<float>();
  const Bytes bytes = network_to_bytes(network);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string instead =
        test::thrown_instead<FormatError>([&] { network_from_bytes<float>(std::span(bytes).first(size)); }, "");
    if (!instead.empty()) FAIL("cut to " << size << " bytes: " << instead);
  }
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK_ERROR(network_from_bytes<float>(longer), FormatError, "where the last tensor ends");
}

TEST_CASE("serialization: a bit flipped anywhere is refused, or changes nothing", "[serialization][error]") {
  auto network = loaded(small_model());
  network.metadata = {{"note", "ä"}};
  Bytes bytes = network_to_bytes(network);
  network = network_from_bytes<float>(bytes);
  std::size_t harmless = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto flip = static_cast<std::uint8_t>(1u << bit % 8);
    bytes[bit / 8] ^= flip;
    try {
      const auto other = network_from_bytes<float>(bytes);
      ++harmless;
      if (!same_parameters(other, network) || other.metadata != network.metadata) {
        FAIL("bit " << bit % 8 << " of byte " << bit / 8 << " changes the network unseen");
      }
    } catch (const FormatError&) {
    }
    bytes[bit / 8] ^= flip;
  }
  CHECK(harmless < 100);  // a space of the header may become another
}

TEST_CASE("serialization: random bytes behind a right beginning are refused", "[serialization][error]") {
  Rng rng(9);
  const Bytes right = small_model().bytes();
  for (int trial = 0; trial < 2000; ++trial) {
    Bytes bytes = right;
    const std::size_t changes = 1 + rng.below(20);
    for (std::size_t i = 0; i < changes; ++i)
      bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.below(256));
    try {
      const auto network = network_from_bytes<float>(bytes);
      CHECK(same_parameters(network, loaded(small_model())));
    } catch (const FormatError&) {
    }
  }
}

// Files

TEST_CASE("save_network: takes the place of an older file, and leaves nothing else behind", "[serialization]") {
  const test::TemporaryFolder folder;
  save_network(random_model<float>(1), folder / "model.safetensors");
  save_network(random_model<float>(2), folder / "model.safetensors");
  CHECK(folder.names() == std::set<std::string>{"model.safetensors"});
  CHECK(same_parameters(load_network<float>(folder / "model.safetensors"), random_model<float>(2)));
}

TEMPLATE_TEST_CASE("save_network: a weight that is not finite is named, and an older file stays as it was",
                   "[serialization][error]", float, double) {
  const test::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  save_network(random_model<TestType>(), path);
  const Bytes before = test::read_file(path);

  auto diverged = random_model<TestType>();
  diverged.layer(1).weights(0, 2) = std::numeric_limits<TestType>::quiet_NaN();
  CHECK_ERROR(save_network(diverged, path), ArgumentError,
              "model.safetensors: layers.1.weights: value 2 is nan, expected a finite number; did the "
              "training diverge?");
  CHECK_ERROR(network_to_bytes(diverged), ArgumentError, "network_to_bytes: layers.1.weights: value 2 is nan");
  auto infinite = random_model<TestType>();
  infinite.layer(2).bias(1) = -std::numeric_limits<TestType>::infinity();
  CHECK_ERROR(save_network(infinite, path), ArgumentError, "layers.2.bias: value 1 is -inf");
  CHECK(test::read_file(path) == before);
  CHECK(folder.names() == std::set<std::string>{"model.safetensors"});
}

TEST_CASE("save_network: a place that cannot be written to is named", "[serialization][error]") {
  const test::TemporaryFolder folder;
  const auto network = random_model<float>();
  CHECK_ERROR(save_network(network, folder / "missing" / "model.safetensors"), IoError,
              "missing/model.safetensors: cannot be written: No such file or directory");
  CHECK_ERROR(save_network(network, folder.path()), IoError, "is a folder or device, expected the name of a file");
  CHECK_ERROR(save_network(network, ""), IoError, "save_network: ");
  CHECK(folder.names().empty());
}

TEST_CASE("load_network: a file that cannot be read is named", "[serialization][error]") {
  const test::TemporaryFolder folder;
  CHECK_ERROR(load_network<float>(folder / "missing.safetensors"), IoError, "missing.safetensors: ");
  CHECK_ERROR(load_network<float>(folder.path()), IoError, "load_network: " + folder.path().string());
}

TEST_CASE("load_network: what is wrong with a file is said with its path", "[serialization][error]") {
  const test::TemporaryFolder folder;
  const auto newer = changed([](ModelFile& file) { file.metadata["version"] = "3"; });
  const auto path = test::write_file(folder / "digits.safetensors", newer.bytes());
  CHECK_ERROR(
      load_network<float>(path), FormatError,
      "load_network: " + path.string() + ": format version 3, expected at most 1; the file is from a newer digitnet");
  test::write_file(folder / "empty", "");
  CHECK_ERROR(load_network<double>(folder / "empty"), FormatError, "empty: 0 bytes, expected a safetensors file");
  test::write_file(folder / "page", "<!DOCTYPE html><html><body>404 Not Found</body></html>");
  CHECK_ERROR(load_network<float>(folder / "page"), FormatError, "page: not a safetensors file: ");
}
