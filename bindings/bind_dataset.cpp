#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/dataset.hpp>

#include <string_view>

namespace digitnet::python {
namespace {

/// Numbers of samples. True and False are none, so that a mask is not taken for the samples 1 and 0.
struct SampleNumbers {
  std::vector<std::uint32_t> values;
};

}  // namespace
}  // namespace digitnet::python

namespace pybind11::detail {
template <>
struct type_caster<digitnet::python::SampleNumbers> {
  PYBIND11_TYPE_CASTER(digitnet::python::SampleNumbers, const_name("collections.abc.Sequence[typing.SupportsIndex]"));
  bool load(handle source, bool convert) {
    make_caster<std::vector<std::uint32_t>> numbers;
    if (!numbers.load(source, convert)) return false;
    if (isinstance<array>(source)) {
      if (reinterpret_borrow<array>(source).dtype().kind() == 'b') return false;
    } else {
      for (const handle each : source) {
        const std::string_view type = Py_TYPE(each.ptr())->tp_name;
        if (type == "bool" || type.starts_with("numpy.bool")) return false;
      }
    }
    value.values = cast_op<std::vector<std::uint32_t>&&>(std::move(numbers));
    return true;
  }
};
}  // namespace pybind11::detail

namespace digitnet::python {
namespace {

constexpr const char* dataset_doc = R"doc(
Samples and their labels. Pixels stay the bytes they are and become numbers in [0, 1] batch by batch.

Slices and subsets share the memory of the whole; so does a C-contiguous array it was made of, which must
not be changed afterwards.

Args:
    images: uint8 (n, rows, columns) or (n, inputs), 255 for full ink; or float of either shape, used as it is.
    labels: whole numbers (n,), each below classes.
    classes: number of classes, 2 to 256.
    targets: soft labels, float (n, classes), each row at least 0 and adding up to 1: what a training makes of
        the outputs, in place of 1 at the label and 0 elsewhere. So a network learns from the probabilities of
        another one (Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015), or from
        mixtures of samples. Accuracies, and losses outside of a training, are by the labels all the same.
        None: no such.

Raises:
    ShapeError: if the shapes do not fit.
    ArgumentError: if a label is out of range, a number is not finite, or a row of targets no distribution.
)doc";

constexpr const char* load_mnist_doc = R"doc(
Load MNIST, or a set published in the same form.

Args:
    directory: data directory; if None, DIGITNET_DATA_DIR, then the cache that `digitnet fetch` fills.
    name: folder in the data directory: "mnist", "fashion-mnist", ...

Returns:
    Its two halves, .train (60,000 samples) and .test (10,000).

Raises:
    IoError: if a file is missing; the message says where it was looked for.
    FormatError: if a file breaks a rule of its format.
)doc";

constexpr const char* load_dataset_doc = R"doc(
Load images and labels from two IDX files, plain or gzip.

Raises:
    IoError: if a file cannot be read.
    FormatError: if a file breaks a rule, the two are swapped, or their counts differ.
)doc";

/// Samples as they lie in memory if they lie there in order; else copied.
template <class Element, class Sample>
py::array samples_array(const py::object& self, const Dataset& data, std::vector<py::ssize_t> shape, Sample sample) {
  const std::size_t width = data.inputs();
  if (!data.empty() && data.is_contiguous()) {
    py::array_t<Element> array(shape, sample(0).data(), self);
    array.attr("flags").attr("writeable") = false;
    return array;
  }
  py::array_t<Element> array(shape);
  Element* target = array.mutable_data();
  for (std::size_t i = 0; i < data.size(); ++i) std::copy_n(sample(i).data(), width, target + i * width);
  return array;
}

py::array images(const py::object& self) {
  const auto& data = self.cast<const Dataset&>();
  const auto count = static_cast<py::ssize_t>(data.size());
  if (data.has_bytes()) {
    return samples_array<std::uint8_t>(
        self, data, {count, static_cast<py::ssize_t>(data.rows()), static_cast<py::ssize_t>(data.columns())},
        [&](std::size_t i) { return data.pixels(i); });
  }
  return samples_array<float>(self, data, {count, static_cast<py::ssize_t>(data.inputs())},
                              [&](std::size_t i) { return data.numbers(i); });
}

std::optional<py::array_t<float>> targets(const Dataset& data) {
  if (!data.has_targets()) return std::nullopt;
  py::array_t<float> array({data.size(), data.classes()});
  for (std::size_t i = 0; i < data.size(); ++i) {
    std::ranges::copy(data.target(i), array.mutable_data() + i * data.classes());
  }
  return array;
}

Dataset get_slice(const Dataset& data, const py::slice& range) {
  std::size_t start = 0, stop = 0, step = 0, count = 0;
  if (!range.compute(data.size(), &start, &stop, &step, &count)) throw py::error_already_set();
  if (step == 1) return data.slice(start, start + count);
  std::vector<std::uint32_t> samples(count);
  for (std::uint32_t& sample : samples) {
    sample = static_cast<std::uint32_t>(start);
    start += step;  // wraps around for a negative step, as it should
  }
  return data.subset(std::move(samples));
}

std::string describe(const Dataset& data) {
  return detail::text("<digitnet.Dataset: ", data.size(), " samples of ", data.rows(), " x ", data.columns(),
                      data.has_bytes() ? " bytes, " : " numbers, ", data.classes(), " classes>");
}

}  // namespace

void bind_dataset(py::module_& m) {
  py::class_<Dataset>(m, "Dataset", dataset_doc)
      .def(py::init([](const ArrayObject& samples, const ArrayObject& labels, std::size_t classes,
                       const std::optional<ArrayObject>& targets) {
             const Dataset data = to_dataset("Dataset", samples, to_labels("Dataset", labels), classes);
             return targets ? data.with_targets(to_class_matrix<float>("Dataset", "targets", *targets)) : data;
           }),
           py::arg("images"), py::arg("labels"), py::arg("classes") = 10, py::arg("targets") = std::nullopt)
      .def("__len__", &Dataset::size)
      .def("__getitem__", &get_slice, py::arg("range"), "A slice, which shares the samples.")
      .def("__repr__", &describe)
      .def_property_readonly(
          "images", &images,
          "uint8 (n, rows, columns) or float32 (n, inputs); a read-only view unless samples were picked.")
      .def_property_readonly(
          "labels", [](const Dataset& data) { return to_numpy(data.labels()); }, "uint8 (n,), a copy.")
      .def_property_readonly("targets", &targets, "float32 (n, classes), a copy; None without soft labels.")
      .def_property_readonly("classes", &Dataset::classes, "Number of classes.")
      .def_property_readonly("inputs", &Dataset::inputs, "Numbers in one sample.")
      .def_property_readonly(
          "shape", [](const Dataset& data) { return py::make_tuple(data.rows(), data.columns()); },
          "Rows and columns of one sample.")
      .def(
          "subset", [](const Dataset& data, const SampleNumbers& samples) { return data.subset(samples.values); },
          py::arg("samples"),
          "The samples with these numbers, in this order, shared. numpy.flatnonzero(mask) gives those of a mask.")
      .def(
          "split",
          [](const Dataset& data, std::size_t first_size, std::uint64_t seed) {
            Rng rng(seed);
            return split(data, first_size, rng);
          },
          py::arg("first_size"), py::arg("seed") = 0, "Two parts, drawn at random: first_size samples, and the rest.")
      .def("class_counts", &Dataset::class_counts, "Number of samples of each class.")
      .def(
          "fingerprint", [](const Dataset& data) { return fingerprint(data); },
          py::call_guard<py::gil_scoped_release>(), "SHA-256 of samples and labels, 64 hexadecimal digits.");

  py::class_<Mnist>(m, "Mnist", "The two halves of MNIST, or of a set published in the same form.")
      .def_readonly("train", &Mnist::train)
      .def_readonly("test", &Mnist::test)
      .def("__repr__", [](const Mnist& mnist) {
        return detail::text("<digitnet.Mnist: train ", mnist.train.size(), ", test ", mnist.test.size(), " samples>");
      });

  m.def("load_mnist", &load_mnist, py::arg("directory") = std::nullopt, py::arg("name") = "mnist",
        py::call_guard<py::gil_scoped_release>(), load_mnist_doc);
  m.def("load_dataset", &load_dataset, py::arg("images"), py::arg("labels"), py::arg("classes") = 10,
        py::call_guard<py::gil_scoped_release>(), load_dataset_doc);
  m.def("data_directories", &data_directories, py::arg("given") = std::nullopt,
        "The data directories, in the order in which they are searched.");
}

}  // namespace digitnet::python
