#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <string_view>

namespace digitnet::python {
namespace {

/// The Python types, in the order in which a C++ error is compared with them.
struct ErrorTypes {
  py::object error, shape, argument, format, io;
};

py::object make_type(py::module_& m, const char* name, const char* doc, const py::tuple& bases) {
  auto type = py::reinterpret_steal<py::object>(
      PyErr_NewExceptionWithDoc((std::string("digitnet.") + name).c_str(), doc, bases.ptr(), nullptr));
  if (!type) throw py::error_already_set();
  m.add_object(name, type);
  return type;
}

/// What PyErr_SetString does, for any bytes: a path in the message need not be UTF-8.
void raise(const py::object& type, const Error& error) {
  const std::string_view message = error.what();
  const auto text = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(message.data(), static_cast<py::ssize_t>(message.size()), "backslashreplace"));
  if (text) PyErr_SetObject(type.ptr(), text.ptr());
}

}  // namespace

void bind_error(py::module_& m) {
  const auto builtin = [](PyObject* type) { return py::reinterpret_borrow<py::object>(type); };
  // Never freed: an exception may still be on its way when the interpreter ends.
  static auto& types = *new ErrorTypes();
  types.error =
      make_type(m, "Error", "Base of everything digitnet raises.", py::make_tuple(builtin(PyExc_Exception)));
  const py::tuple value_error = py::make_tuple(types.error, builtin(PyExc_ValueError));
  types.shape = make_type(m, "ShapeError", "Arrays whose shapes do not fit together.", value_error);
  types.argument = make_type(m, "ArgumentError", "An argument outside its range, or an unknown name.", value_error);
  types.format = make_type(m, "FormatError", "A file whose content breaks the rules of its format.", value_error);
  types.io = make_type(m, "IoError", "The operating system refused: no such file, no permission, disk full.",
                       py::make_tuple(types.error, builtin(PyExc_OSError)));
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const ShapeError& error) {
      raise(types.shape, error);
    } catch (const ArgumentError& error) {
      raise(types.argument, error);
    } catch (const FormatError& error) {
      raise(types.format, error);
    } catch (const IoError& error) {
      raise(types.io, error);
    } catch (const Error& error) {
      raise(types.error, error);
    }
  });
}

}  // namespace digitnet::python
