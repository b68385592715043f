// signature.hpp: Python objects of which a signature, and so _core.pyi, says more than "object" or "list".
#pragma once

#include <pybind11/pybind11.h>

#include <utility>

namespace digitnet::python {

namespace py = pybind11;

/// A Base, written in signatures as Tag::name. What it really is the function looks at itself, or Tag::check if there is
/// one.
template <class Tag, class Base = py::object>
struct Named : Base {
  using Base::Base;
  Named(Base base) : Base(std::move(base)) {}  // NOLINT(google-explicit-constructor): it is the same object
  static bool check_(py::handle object) {
    if constexpr (requires { Tag::check(object); }) {
      return Tag::check(object);
    } else {
      return object.ptr() != nullptr;
    }
  }
};

namespace tag {
struct Array {
  static constexpr auto name = py::detail::const_name("numpy.typing.ArrayLike");
};
struct Images {
  static constexpr auto name = py::detail::const_name("digitnet._core.Dataset | numpy.typing.ArrayLike");
};
struct Image {
  static constexpr auto name =
      py::detail::const_name("numpy.typing.NDArray[numpy.uint8] | numpy.typing.NDArray[numpy.float32]");
};
struct Names {
  static constexpr auto name = py::detail::const_name("str | collections.abc.Sequence[str]");
  static bool check(py::handle object) {
    if (py::isinstance<py::str>(object)) return true;
    if (!py::isinstance<py::sequence>(object)) return false;
    for (const py::handle element : object) {
      if (!py::isinstance<py::str>(element)) return false;
    }
    return true;
  }
};
struct Layers {
  static constexpr auto name = py::detail::const_name("list[digitnet._core.Dense]");
};
struct FloatArrays {
  static constexpr auto name = py::detail::const_name("list[numpy.typing.NDArray[numpy.float32]]");
};
}  // namespace tag

using ArrayObject = Named<tag::Array>;
using ImagesObject = Named<tag::Images>;
using ImageObject = Named<tag::Image>;
using NamesObject = Named<tag::Names>;
using LayerList = Named<tag::Layers, py::list>;
using FloatArrayList = Named<tag::FloatArrays, py::list>;

}  // namespace digitnet::python

namespace pybind11::detail {
template <class Tag, class Base>
struct handle_type_name<digitnet::python::Named<Tag, Base>> {
  static constexpr auto name = Tag::name;
};
}  // namespace pybind11::detail
