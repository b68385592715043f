// numpy_bridge.hpp: between NumPy arrays and the arrays of digitnet. Everything here is called with the GIL held.
#pragma once

#include "signature.hpp"

#include <digitnet/dataset.hpp>
#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace digitnet::python {

/// Runs C++ that knows nothing of Python, so that other Python threads may go on.
template <class Function>
auto without_gil(Function&& function) {
  const py::gil_scoped_release release;
  return function();
}

/// A C++ array of any kind as a NumPy array that owns it: nothing is copied.
template <class Array>
auto to_numpy(Array&& array) {
  using Owned = std::decay_t<Array>;
  using Element = typename Owned::value_type;
  auto owned = std::make_unique<Owned>(std::forward<Array>(array));
  std::vector<py::ssize_t> shape(owned->shape().begin(), owned->shape().end());
  Element* data = owned->data();
  const py::capsule owner(owned.release(), [](void* pointer) { delete static_cast<Owned*>(pointer); });
  return py::array_t<Element>(shape, data, owner);
}

/// A table of names as a tuple of str.
template <class Names>
py::tuple names_tuple(const Names& names) {
  py::tuple tuple(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) tuple[i] = std::string(names[i]);
  return tuple;
}

/// "dtype int64 and shape (3, 4)", for messages.
std::string array_text(const py::array& array);

/// What NumPy makes of an object: an array as it is, lists as a new array.
/// @throws ArgumentError   if it can make nothing of it
/// @throws py::type_error  for None and str, of which it makes arrays of objects and of characters
py::array to_array(const char* where, const py::object& object);

/// The same as an array of `Element` in C order, converted and copied only if it is not one already.
template <class Element>
auto to_array_of(const char* where, const py::object& object) {
  using Elements = py::array_t<Element, py::array::c_style | py::array::forcecast>;
  if (auto elements = Elements::ensure(to_array(where, object))) return elements;
  throw ArgumentError(detail::text(where, ": NumPy makes no array of numbers of this"));
}

/// Copies an array of shape (n, classes).
/// @param what  of what it is, for the message: "outputs"
/// @throws ShapeError  if it has not two dimensions
template <class Element>
Matrix<Element> to_class_matrix(const char* where, const char* what, const py::object& object) {
  const auto numbers = to_array_of<Element>(where, object);
  if (numbers.ndim() != 2) {
    throw ShapeError(detail::text(where, ": ", what, " of ", array_text(numbers), ", expected shape (n, classes)"));
  }
  Matrix<Element> matrix = Matrix<Element>::from_shape(
      {static_cast<std::size_t>(numbers.shape(0)), static_cast<std::size_t>(numbers.shape(1))});
  std::copy_n(numbers.data(), matrix.size(), matrix.data());
  return matrix;
}

/// Copies a one-dimensional array of numbers.
/// @param what  of what they are, for the message: "weights"
std::vector<double> to_vector(const char* where, const char* what, const py::object& numbers);

/// The other way round, float64 (n,).
py::array_t<double> to_numpy_vector(const std::vector<double>& values);

/// Copies a one-dimensional array of whole numbers as labels. Numbers out of range are errors, never wrapped.
Labels to_labels(const char* where, const py::object& numbers);

/// Samples, with labels or without: uint8 (n, rows, columns) or (n, inputs), or float likewise.
/// A C-contiguous array of uint8 or float32 is not copied but kept alive.
/// @throws ShapeError, ArgumentError  if the array is neither
Dataset to_dataset(const char* where, const py::object& object, Labels labels, std::size_t classes);

/// Samples to ask a network about; a Dataset is taken as it is.
Dataset to_samples(const char* where, const py::object& images);

}  // namespace digitnet::python
