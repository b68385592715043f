#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/schedule.hpp>

namespace digitnet::python {
namespace {

void bind_on_plateau(py::module_& m) {
  using State = ReduceOnPlateau::State;
  py::class_<ReduceOnPlateau>(m, "ReduceOnPlateau", R"doc(
Lowers the learning rate when a metric, such as the validation loss, has stopped falling.

Args:
    factor: what the rate is multiplied by, above 0 and below 1.
    patience: epochs without improvement that are let pass; the next one lowers the rate.
    min_delta: an improvement must be larger than this; at least 0.
    cooldown: epochs after the rate was lowered that are not counted as bad.
    min_factor: the factor on the rate never falls below; in [0, 1].

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, std::size_t, double, std::size_t, double>(), py::arg("factor") = 0.1,
           py::arg("patience") = 3, py::arg("min_delta") = 1e-4, py::arg("cooldown") = 0, py::arg("min_factor") = 0.0)
      .def_property_readonly("factor", &ReduceOnPlateau::factor)
      .def_property_readonly("patience", &ReduceOnPlateau::patience)
      .def_property_readonly("min_delta", &ReduceOnPlateau::min_delta)
      .def_property_readonly("cooldown", &ReduceOnPlateau::cooldown)
      .def_property_readonly("min_factor", &ReduceOnPlateau::min_factor)
      .def("observe", &ReduceOnPlateau::observe, py::arg("metric"), R"doc(
Show it what an epoch achieved.

Args:
    metric: lower is better; one that is not a finite number counts as no improvement.

Returns:
    The factor on the learning rate for the next epoch.
)doc")
      .def_property_readonly(
          "state",
          [](const ReduceOnPlateau& plateau) {
            const State& state = plateau.state();
            return std::tuple(state.factor, state.best, state.bad_epochs, state.cooldown_left);
          },
          "All it remembers, for restore: the factor now, the best metric, epochs without improvement, and epochs of "
          "the\ncooldown that are left.")
      .def(
          "restore",
          [](ReduceOnPlateau& plateau,
             const std::tuple<double, std::optional<double>, std::size_t, std::size_t>& state) {
            const auto& [factor, best, bad_epochs, cooldown_left] = state;
            plateau.restore({factor, best, bad_epochs, cooldown_left});
          },
          py::arg("state"), R"doc(
Go on where another of the same settings stood.

Args:
    state: of the other.

Raises:
    ArgumentError: if it is not a state that observe leaves behind.
)doc");
}

}  // namespace

void bind_schedule(py::module_& m) {
  py::class_<Schedule>(m, "Schedule", R"doc(
The learning rate over a training: a factor on it for each step. Call it to see what it is.

Args:
    function: from progress in (0, 1) to a factor.
)doc")
      .def(py::init([](std::function<double(double)> function) { return Schedule(std::move(function)); }),
           py::arg("function"))
      .def("__call__", &Schedule::operator(), py::arg("progress"), R"doc(
The factor on the learning rate.

Args:
    progress: how far the training is, as a share of all steps, in (0, 1).
)doc")
      .def_property_readonly(
          "description", &Schedule::description,
          "How it was made, as a JSON object; empty for a function of one's own, which a run cannot "
          "be kept of.")
      .def("__repr__", [](const Schedule& schedule) {
        return detail::text("<digitnet.Schedule ",
                            schedule.description().empty() ? "of one's own" : schedule.description(), ">");
      });
  py::implicitly_convertible<py::function, Schedule>();
  m.def("constant_schedule", &constant_schedule, "A schedule that is 1 throughout.");
  m.def("step_schedule", &step_schedule, py::arg("milestones"), py::arg("factor") = 0.1, R"doc(
A schedule that is 1 at first and multiplied by a factor at each milestone.

Args:
    milestones: shares of the training in (0, 1), rising: [0.5, 0.75] for half way and three quarters.
    factor: above 0, at most 1.

Raises:
    ArgumentError: if one is out of range.
)doc");
  m.def("exponential_schedule", &exponential_schedule, py::arg("final_factor") = 0.01, R"doc(
A schedule that falls from 1 to a final factor, by the same ratio in each step.

Args:
    final_factor: above 0, at most 1.

Raises:
    ArgumentError: if it is out of range.
)doc");
  m.def("cosine_schedule", &cosine_schedule, py::arg("warmup") = 0.0, py::arg("final_factor") = 0.0,
        py::arg("cycles") = 1, py::arg("cycle_multiplier") = 1.0, R"doc(
A schedule that falls from 1 along half a cosine, after a warm-up; with more cycles it then begins anew
(Loshchilov and Hutter 2017).

Args:
    warmup: share of the training in which it rises from 0 to 1, in [0, 1).
    final_factor: where each fall ends, in [0, 1].
    cycles: how often it falls, 1 to 1000.
    cycle_multiplier: how many times as long each cycle is as the one before, at least 1.

Raises:
    ArgumentError: if one is out of range.
)doc");
  m.def("one_cycle_schedule", &one_cycle_schedule, py::arg("peak") = 0.3, py::arg("start_factor") = 0.04,
        py::arg("final_factor") = 1e-4, R"doc(
A schedule that rises to 1 and falls again, each along half a cosine (after Smith and Topin 2018).

Args:
    peak: share of the training at which it is 1, in (0, 1).
    start_factor: where it begins, in [0, 1].
    final_factor: where it ends, in [0, 1].

Raises:
    ArgumentError: if one is out of range.
)doc");
  m.def("with_warmup", &with_warmup, py::arg("schedule"), py::arg("share"), R"doc(
A schedule multiplied by a factor that rises from 0 to 1 over the first share of the training (Goyal et al. 2017).
What the schedule does it does at the same time as without.

Args:
    schedule: function from progress in (0, 1) to a factor on the learning rate.
    share: of the training, in [0, 1].

Raises:
    ArgumentError: if share is out of range.
)doc");
  bind_on_plateau(m);
}

}  // namespace digitnet::python
