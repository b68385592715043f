#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/idx.hpp>

namespace digitnet::python {
namespace {

constexpr const char* read_doc = R"doc(
Read an IDX file, plain or gzip (told by its content).

Args:
    path: the file.

Returns:
    Array of 1 to 4 dimensions: uint8, int8, int16, int32, float32 or float64.

Raises:
    IoError: if the file cannot be opened or read.
    FormatError: if it breaks a rule of the format; the message names byte and expectation.
)doc";

constexpr const char* write_doc = R"doc(
Write an IDX file, gzip if its name ends in ".gz". The file appears whole or not at all.

Args:
    path: the file.
    array: 1 to 4 dimensions of uint8, int8, int16, int32, float32 or float64.

Raises:
    ArgumentError: if the array has another type or number of dimensions.
    IoError: if the file cannot be written.
)doc";

py::array read(const std::filesystem::path& path) {
  IdxArray read = without_gil([&] { return read_idx(path); });
  const std::vector<py::ssize_t> shape(read.shape.begin(), read.shape.end());
  return std::visit([&](auto& values) -> py::array { return to_numpy(std::move(values)).reshape(shape); },
                    read.values);
}

/// The values of an array whose element type is the alternative `Type` of IdxArray::Values, or a later one.
template <std::size_t Type = 0>
IdxArray::Values values_of(const py::array& array) {
  if constexpr (Type < std::variant_size_v<IdxArray::Values>) {
    using Values = std::variant_alternative_t<Type, IdxArray::Values>;
    using Element = typename Values::value_type;
    if (!array.dtype().equal(py::dtype::of<Element>())) return values_of<Type + 1>(array);
    const auto elements = to_array_of<Element>("write_idx", array);
    Values values = Values::from_shape({static_cast<std::size_t>(elements.size())});
    std::copy_n(elements.data(), elements.size(), values.begin());
    return values;
  } else {
    throw ArgumentError(detail::text("write_idx: dtype ", py::str(array.dtype()).cast<std::string>(),
                                     ", expected uint8, int8, int16, int32, float32 or float64"));
  }
}

void write(const std::filesystem::path& path, const ArrayObject& object) {
  py::array array = to_array("write_idx", object);
  array = array.attr("astype")(array.dtype().attr("newbyteorder")("="), py::arg("copy") = false);
  const IdxArray idx{{array.shape(), array.shape() + array.ndim()}, values_of(array)};
  without_gil([&] { write_idx(path, idx); });
}

}  // namespace

void bind_idx(py::module_& m) {
  m.def("read_idx", &read, py::arg("path"), read_doc);
  m.def("write_idx", &write, py::arg("path"), py::arg("array"), write_doc);
}

}  // namespace digitnet::python
