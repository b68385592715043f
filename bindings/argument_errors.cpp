// argument_errors.cpp: what a call with arguments of the wrong types raises.
//
// pybind11 raises a TypeError of many lines, with all signatures and all arguments. digitnet/_arguments.py makes one
// line of it that names the argument. So that this holds for every function without a word in its binding, the entry
// of each is replaced once, when the module is made, by one that calls pybind11's and looks at what failed there.
#include "bindings.hpp"
#include "signature.hpp"

#include <digitnet/error.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace digitnet::python {
namespace {

/// Entry of a function of pybind11, whose first argument is its own record. From 3.1 on the others are an array of
/// arguments, their number and the names of the last ones (METH_FASTCALL); before, a tuple and a dict or null.
template <class... Arguments>
using Entry = PyObject* (*)(PyObject*, Arguments...);

/// pybind11's own entry, one for all functions.
template <class... Arguments>
Entry<Arguments...> original = nullptr;

/// Where users find a function, "Network.predict", by its record. Never freed, as the functions are not.
std::unordered_map<PyObject*, std::string>& places() {
  static auto& places = *new std::unordered_map<PyObject*, std::string>();
  return places;
}

std::pair<py::tuple, py::dict> collected(PyObject* positional, PyObject* named) {
  return {py::reinterpret_borrow<py::tuple>(positional),
          named == nullptr ? py::dict() : py::reinterpret_borrow<py::dict>(named)};
}

std::pair<py::tuple, py::dict> collected(PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
  py::tuple positional(static_cast<std::size_t>(count));
  for (Py_ssize_t i = 0; i < count; ++i) positional[static_cast<std::size_t>(i)] = py::handle(arguments[i]);
  py::dict named;
  const Py_ssize_t named_count = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  for (Py_ssize_t i = 0; i < named_count; ++i) named[PyTuple_GET_ITEM(names, i)] = py::handle(arguments[count + i]);
  return {positional, named};
}

/// Replaces the error that is set by one in a line, if it is pybind11's about arguments.
template <class... Arguments>
void explain(PyObject* record, Arguments... arguments) {
  py::error_already_set error;
  const std::string message = py::str(error.value());
  if (message.find("(): incompatible ") == std::string::npos) return error.restore();  // raised by what it called
  try {
    const auto [positional, named] = collected(arguments...);
    const py::object line =
        py::module_::import("digitnet._arguments").attr("explain")(places()[record], message, positional, named);
    PyErr_SetObject(PyExc_TypeError, line.ptr());
  } catch (const std::exception&) {  // what was given fails when it is looked at
    error.restore();
  }
}

template <class... Arguments>
PyObject* explaining(PyObject* record, Arguments... arguments) {
  PyObject* result = original<Arguments...>(record, arguments...);
  if (result == nullptr && PyErr_ExceptionMatches(PyExc_TypeError) != 0) explain(record, arguments...);
  return result;
}

template <class... Arguments>
void replace_entry(PyMethodDef& method) {
  const auto entry = reinterpret_cast<Entry<Arguments...>>(reinterpret_cast<void (*)()>(method.ml_meth));
  if (entry == &explaining<Arguments...>) return;
  if (original<Arguments...> == nullptr) original<Arguments...> = entry;
  if (entry != original<Arguments...>) return;  // no function of pybind11
  const Entry<Arguments...> ours = &explaining<Arguments...>;
  method.ml_meth = reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(ours));
}

/// Takes a function, or whatever a class keeps one in.
void explain_function(const std::string& place, py::handle object) {
  const auto is_a = [&](PyTypeObject& type) { return PyObject_TypeCheck(object.ptr(), &type) != 0; };
  if (is_a(PyProperty_Type)) {
    explain_function(place, object.attr("fget"));
    explain_function(place, object.attr("fset"));
    return;
  }
  if (is_a(PyStaticMethod_Type)) return explain_function(place, object.attr("__func__"));
  if (PyInstanceMethod_Check(object.ptr())) return explain_function(place, PyInstanceMethod_Function(object.ptr()));
  if (!PyCFunction_Check(object.ptr())) return;
  places()[PyCFunction_GET_SELF(object.ptr())] = place;
  PyMethodDef& method = *reinterpret_cast<PyCFunctionObject*>(object.ptr())->m_ml;
  if (method.ml_flags == (METH_VARARGS | METH_KEYWORDS)) replace_entry<PyObject*, PyObject*>(method);
  if (method.ml_flags == (METH_FASTCALL | METH_KEYWORDS)) {
    replace_entry<PyObject* const*, Py_ssize_t, PyObject*>(method);
  }
}

}  // namespace

void explain_argument_errors(py::module_& m) {
  for (const auto& [name, object] : py::dict(m.attr("__dict__"))) {
    const std::string place = py::str(name);
    if (!py::isinstance<py::type>(object)) {
      explain_function(place, object);
      continue;
    }
    if (PyExceptionClass_Check(object.ptr())) continue;  // Python makes those
    for (const auto& [member, function] : py::dict(object.attr("__dict__"))) {
      const std::string member_name = py::str(member);
      explain_function(member_name == "__init__" ? place : detail::text(place, ".", member_name), function);
    }
  }
}

}  // namespace digitnet::python
