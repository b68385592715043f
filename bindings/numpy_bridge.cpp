#include "numpy_bridge.hpp"

namespace digitnet::python {
namespace {

using detail::text;

/// The memory of an array, which stays alive as long as the pointer does. The last owner may let go on a
/// thread without the GIL.
template <class Element>
std::shared_ptr<const Element> shared_memory(const py::array& array) {
  auto* owner = new py::object(array);
  return {static_cast<const Element*>(array.data()), [owner](const Element*) {
            const py::gil_scoped_acquire acquire;
            delete owner;
          }};
}

std::size_t extent(const py::array& array, py::ssize_t axis) { return static_cast<std::size_t>(array.shape(axis)); }

}  // namespace

std::string array_text(const py::array& array) {
  std::vector<py::ssize_t> shape(array.shape(), array.shape() + array.ndim());
  return text("dtype ", py::str(array.dtype()).cast<std::string>(), " and shape ", shape_text_of(shape));
}

py::array to_array(const char* where, const py::object& object) {
  if (object.is_none()) throw py::type_error(text(where, ": found None, expected an array"));
  if (py::isinstance<py::str>(object)) throw py::type_error(text(where, ": found a str, expected an array"));
  if (auto array = py::array::ensure(object)) return array;
  throw ArgumentError(text(where, ": NumPy makes no array of this"));
}

std::vector<double> to_vector(const char* where, const char* what, const py::object& numbers) {
  const auto array = to_array_of<double>(where, numbers);
  if (array.ndim() != 1) {
    throw ShapeError(text(where, ": ", what, " of ", array_text(array), ", expected shape (n,)"));
  }
  return {array.data(), array.data() + array.size()};
}

py::array_t<double> to_numpy_vector(const std::vector<double>& values) {
  return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

Labels to_labels(const char* where, const py::object& numbers) {
  const py::array array = to_array(where, numbers);
  const char kind = array.dtype().kind();
  if (array.ndim() != 1 || (kind != 'u' && kind != 'i')) {
    throw ShapeError(text(where, ": labels of ", array_text(array), ", expected whole numbers of shape (n,)"));
  }
  const auto whole = to_array_of<std::int64_t>(where, array);
  Labels labels = Labels::from_shape({extent(array, 0)});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int64_t label = whole.data()[i];
    if (label < 0 || label > 255) {
      throw ArgumentError(text(where, ": label ", label, " of sample ", i, ", expected 0 to 255"));
    }
    labels(i) = static_cast<std::uint8_t>(label);
  }
  return labels;
}

Dataset to_dataset(const char* where, const py::object& object, Labels labels, std::size_t classes) {
  const py::array images = to_array(where, object);
  const bool bytes = images.dtype().kind() == 'u' && images.itemsize() == 1;
  if ((images.ndim() != 2 && images.ndim() != 3) || (!bytes && images.dtype().kind() != 'f')) {
    throw ShapeError(text(where, ": images of ", array_text(images),
                          ", expected uint8 or float of shape (n, rows, columns) or (n, inputs)",
                          images.ndim() < 2 ? "; for one image write image[None]" : ""));
  }
  const std::size_t count = extent(images, 0);
  if (bytes) {
    const auto pixels = to_array_of<std::uint8_t>(where, images);
    const bool flat_mnist = images.ndim() == 2 && extent(images, 1) == 784;
    const std::size_t rows = flat_mnist ? 28 : images.ndim() == 3 ? extent(images, 1) : 1;
    const std::size_t columns = flat_mnist ? 28 : extent(images, images.ndim() - 1);
    return {shared_memory<std::uint8_t>(pixels), count, rows, columns, std::move(labels), classes};
  }
  const auto numbers = to_array_of<float>(where, images);
  const std::size_t inputs = images.ndim() == 3 ? extent(images, 1) * extent(images, 2) : extent(images, 1);
  return {shared_memory<float>(numbers), count, inputs, std::move(labels), classes};
}

Dataset to_samples(const char* where, const py::object& images) {
  if (py::isinstance<Dataset>(images)) return images.cast<Dataset>();
  const py::array array = to_array(where, images);
  const std::size_t count = array.ndim() > 0 ? extent(array, 0) : 0;
  return to_dataset(where, array, Labels(Labels::shape_type{count}, std::uint8_t{0}), 10);
}

}  // namespace digitnet::python
