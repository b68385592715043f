#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/augment.hpp>

namespace digitnet::python {
namespace {

constexpr const char* augmentation_doc = R"doc(
How much images are changed at random; each number is drawn anew for each image, uniformly within its range.

Strokes get thicker or thinner; then rotation, size, aspect, shear, shift and elastic deformation are one map
from each pixel of the result to a place in the image; then come erasures, noise and specks. What is 0 is left
out. The defaults are what gave MNIST's digits the best validation accuracy.

Args:
    probability: that an image is changed at all, in [0, 1].
    thickness: pixels that each side of a stroke grows or shrinks by at the most, in [0, 3].
    rotation: degrees, either way, in [0, 180].
    scale: size: a factor between 1 / (1 + scale) and 1 + scale, in [0, 1].
    aspect: width over height: likewise, in [0, 1].
    shear: slant: pixels to the side for each pixel up, either way, in [0, 1].
    shift: pixels, either way, across and down, in [0, 1000].
    elastic: strength alpha of the elastic deformation of Simard, Steinkraus and Platt (2003), in [0, 1000]:
        displacements uniform in [-alpha, alpha], smoothed by a Gaussian of elastic_sigma pixels.
    elastic_sigma: pixels, in [1, 100].
    erase: probability that a disc of ink is erased, in [0, 1].
    erase_radius: of that disc at the most, in pixels, in [0, 1000].
    noise: what each pixel with ink gets more or less at the most; 1 is full ink, in [0, 1].
    specks: pixels that get ink of any strength, at the most, in [0, 1000].
    ground: results below this, of 255, become 0, in [0, 255].

Raises:
    ArgumentError: if a number is out of its range.
)doc";

constexpr const char* augment_doc = R"doc(
Change images at random. train has an argument for this: then each sample changes anew in each epoch.

Args:
    images: uint8 (n, rows, columns), or one image (rows, columns); 255 for full ink.
    augmentation: how much; None takes the defaults.
    seed: the same seed gives the same images, for any number of threads.
    threads: how many to use; 0 takes default_threads().

Returns:
    uint8, of the same shape.

Raises:
    ShapeError: if images are not of that type and shape, or a side is not 2 to 4096 pixels.
)doc";

struct Field {
  const char* name;
  double Augmentation::*value;
};

constexpr Field fields[] = {
    {"probability", &Augmentation::probability},
    {"thickness", &Augmentation::thickness},
    {"rotation", &Augmentation::rotation},
    {"scale", &Augmentation::scale},
    {"aspect", &Augmentation::aspect},
    {"shear", &Augmentation::shear},
    {"shift", &Augmentation::shift},
    {"elastic", &Augmentation::elastic},
    {"elastic_sigma", &Augmentation::elastic_sigma},
    {"erase", &Augmentation::erase},
    {"erase_radius", &Augmentation::erase_radius},
    {"noise", &Augmentation::noise},
    {"specks", &Augmentation::specks},
    {"ground", &Augmentation::ground},
};

py::array_t<std::uint8_t> augment_images(const ArrayObject& images, const std::optional<Augmentation>& augmentation,
                                         std::uint64_t seed, std::size_t threads) {
  const py::array array = to_array("augment", images);
  if (array.dtype().kind() != 'u' || array.itemsize() != 1 || (array.ndim() != 2 && array.ndim() != 3)) {
    throw ShapeError(detail::text("augment: images of ", array_text(array),
                                  ", expected uint8 (n, rows, columns) or (rows, columns)"));
  }
  const auto pixels = to_array_of<std::uint8_t>("augment", array);
  const auto axis = [&](py::ssize_t from_last) {
    return static_cast<std::size_t>(pixels.shape(pixels.ndim() - from_last));
  };
  const std::size_t count = pixels.ndim() == 3 ? axis(3) : 1;
  py::array_t<std::uint8_t> result(std::vector<py::ssize_t>(pixels.shape(), pixels.shape() + pixels.ndim()));
  const std::shared_ptr<const std::uint8_t> view(pixels.data(),
                                                 [](const std::uint8_t*) {});  // lives longer than this
  std::uint8_t* const target = result.mutable_data();
  without_gil([&] {
    const Dataset data(view, count, axis(2), axis(1), Labels::from_shape({count}), 256);
    const Dataset changed = augment(data, augmentation.value_or(Augmentation{}), Rng(seed), 1, threads);
    if (count > 0) std::copy_n(changed.pixels(0).data(), count * data.inputs(), target);
  });
  return result;
}

std::string describe(const Augmentation& options) {
  std::string description = "Augmentation(";
  for (const Field& field : fields) {
    if (field.name != fields[0].name) description += ", ";
    description += detail::text(field.name, "=", options.*field.value);
  }
  return description + ")";
}

}  // namespace

void bind_augment(py::module_& m) {
  const Augmentation standard;
  py::class_<Augmentation> augmentation(m, "Augmentation", augmentation_doc);
  augmentation
      .def(py::init([](double probability, double thickness, double rotation, double scale, double aspect,
                       double shear, double shift, double elastic, double elastic_sigma, double erase,
                       double erase_radius, double noise, double specks, double ground) {
             const Augmentation options{probability, thickness,     rotation, scale,        aspect, shear,  shift,
                                        elastic,     elastic_sigma, erase,    erase_radius, noise,  specks, ground};
             check_augmentation(options);
             return options;
           }),
           py::kw_only(), py::arg("probability") = standard.probability, py::arg("thickness") = standard.thickness,
           py::arg("rotation") = standard.rotation, py::arg("scale") = standard.scale,
           py::arg("aspect") = standard.aspect, py::arg("shear") = standard.shear, py::arg("shift") = standard.shift,
           py::arg("elastic") = standard.elastic, py::arg("elastic_sigma") = standard.elastic_sigma,
           py::arg("erase") = standard.erase, py::arg("erase_radius") = standard.erase_radius,
           py::arg("noise") = standard.noise, py::arg("specks") = standard.specks,
           py::arg("ground") = standard.ground)
      .def_static("named", &augmentation_from_name, py::arg("name"),
                  "The augmentation of a name, one of AUGMENTATIONS.\n\n"
                  "Raises:\n    ArgumentError: if there is none of this name.")
      .def_property_readonly("is_none", &Augmentation::is_none, "Whether nothing would ever be changed.")
      .def(
          "__eq__", [](const Augmentation& a, const Augmentation& b) { return a == b; }, py::is_operator())
      .def("__repr__", &describe);
  augmentation.attr("__hash__") = py::none();
  for (const Field& field : fields) augmentation.def_readonly(field.name, field.value);
  m.attr("AUGMENTATIONS") = names_tuple(augmentation_names);

  m.def("augment", &augment_images, py::arg("images"), py::arg("augmentation") = std::nullopt, py::arg("seed") = 0,
        py::arg("threads") = 0, augment_doc);
}

}  // namespace digitnet::python
