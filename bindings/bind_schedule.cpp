#include "bindings.hpp"

#include <digitnet/schedule.hpp>

#include <pybind11/functional.h>
#include <pybind11/stl.h>

namespace digitnet::python {

namespace py = pybind11;

namespace {

constexpr const char* cosine_doc = R"doc(
A schedule that falls from 1 along half a cosine, after a warm-up from 0 over the first share; with more cycles,
back to 1 at once and down again (Loshchilov and Hutter 2017).

Args:
    warmup: share of the training in which it rises, in [0, 1).
    final_factor: where it ends, in [0, 1].
    cycles: how often it falls, in [1, 1000].
    cycle_multiplier: how many times as long each cycle is as the one before, at least 1.

Raises:
    ArgumentError: if one is out of range.
)doc";

constexpr const char* one_cycle_doc = R"doc(
A schedule that rises to 1, then falls far below where it began (Smith and Topin 2018).

Args:
    peak: share of the training after which it is 1, in (0, 1).
    start_factor: where it begins.
    final_factor: where it ends.

Raises:
    ArgumentError: if one is out of range.
)doc";

constexpr const char* plateau_doc = R"doc(
Makes the learning rate smaller when a metric has stopped getting better; see plateau of train.

Args:
    factor: what the rate is multiplied by, more than 0 and below 1.
    patience: epochs without improvement that are let pass; the next one lowers the rate.
    min_delta: an improvement must be larger than this; at least 0.
    cooldown: epochs after the rate was lowered that are not counted.
    min_factor: the factor on the rate never falls below; in [0, 1].

Raises:
    ArgumentError: if one is out of range.
)doc";

}  // namespace

void bind_schedule(py::module_& m) {
  m.def("constant_schedule", &constant_schedule, "A schedule that is 1 throughout.");
  m.def("step_schedule", &step_schedule, py::arg("milestones"), py::arg("factor") = 0.1,
        "A schedule that is multiplied by factor at each milestone, a share of the training in (0, 1).\n\n"
        "Raises:\n    ArgumentError: if a milestone or the factor is out of range, or the milestones do not rise.");
  m.def("exponential_schedule", &exponential_schedule, py::arg("final_factor") = 0.01,
        "A schedule that falls from 1 to final_factor by the same ratio in each step.\n\n"
        "Raises:\n    ArgumentError: if final_factor is not in (0, 1].");
  m.def("cosine_schedule", &cosine_schedule, py::arg("warmup") = 0.0, py::arg("final_factor") = 0.0,
        py::arg("cycles") = 1, py::arg("cycle_multiplier") = 1.0, cosine_doc);
  m.def("one_cycle_schedule", &one_cycle_schedule, py::arg("peak") = 0.3, py::arg("start_factor") = 0.04,
        py::arg("final_factor") = 1e-4, one_cycle_doc);
  m.def("with_warmup", &with_warmup, py::arg("schedule"), py::arg("share"),
        "A schedule that rises linearly over the first share of the training, then goes on as `schedule` "
        "(Goyal et al. 2017).\n\nRaises:\n    ArgumentError: if share is not in [0, 1).");

  py::class_<ReduceOnPlateau>(m, "ReduceOnPlateau", plateau_doc)
      .def(py::init<double, std::size_t, double, std::size_t, double>(), py::arg("factor") = 0.1,
           py::arg("patience") = 3, py::arg("min_delta") = 1e-4, py::arg("cooldown") = 0, py::arg("min_factor") = 0.0)
      .def_property_readonly("factor", &ReduceOnPlateau::factor)
      .def_property_readonly("patience", &ReduceOnPlateau::patience)
      .def_property_readonly("min_delta", &ReduceOnPlateau::min_delta)
      .def_property_readonly("cooldown", &ReduceOnPlateau::cooldown)
      .def_property_readonly("min_factor", &ReduceOnPlateau::min_factor)
      .def("observe", &ReduceOnPlateau::observe, py::arg("metric"),
           "Show it what an epoch achieved, lower is better; returns the factor on the rate for the next epoch.");
}

}  // namespace digitnet::python
