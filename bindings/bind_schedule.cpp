#include "bindings.hpp"

#include <digitnet/schedule.hpp>

#include <pybind11/functional.h>

namespace digitnet::python {

namespace py = pybind11;

void bind_schedule(py::module_& m) {
  m.def("cosine_schedule", &cosine_schedule, py::arg("warmup") = 0.0,
        "A schedule that falls from 1 to 0 along half a cosine, after a warm-up over the first share "
        "(Loshchilov and\n"
        "Hutter 2017).\n\nRaises:\n    ArgumentError: if warmup is not in [0, 1).");
}

}  // namespace digitnet::python
