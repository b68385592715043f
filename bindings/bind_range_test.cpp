#include "bindings.hpp"
#include "numpy_bridge.hpp"
#include "signals.hpp"

#include <digitnet/range_test.hpp>

namespace digitnet::python {
namespace {

constexpr const char* range_test_doc = R"doc(
Find a learning rate by a short training in which it rises, by the same ratio in each step (Smith 2017).

Neither the network nor the optimizer is changed: copies are trained. The test ends early when the smoothed loss is
more than four times the lowest so far, or a loss is not finite.

Args:
    network: what is to be trained later.
    data: samples to learn from.
    optimizer: the rule of the steps, whose own learning rate does not count; None takes Adam().
    low: learning rate of the first step, above 0.
    high: of the last step, above low.
    steps: how many at the most, at least 2.
    batch_size: samples a step, as in the training to come.
    seed: of the order of the samples.
    threads: how many to use; 0 takes default_threads().

Returns:
    What was seen at each rate, and which rate to take.

Raises:
    ArgumentError, ShapeError: if an argument is out of range, or the data do not fit.
)doc";

RangeTest range_test(const Network<float>& network, const Dataset& data, std::optional<Optimizer<float>*> optimizer,
                     double low, double high, std::size_t steps, std::size_t batch_size, std::uint64_t seed,
                     std::size_t threads) {
  RangeTestOptions options;
  options.low = low;
  options.high = high;
  options.steps = steps;
  options.training.batch_size = batch_size;
  options.training.threads = threads;
  SignalCheck check_signals;
  options.on_point = [&](const RangeTestPoint&) { check_signals(); };
  const Adam<float> adam;
  const Optimizer<float>* given = optimizer.value_or(nullptr);
  const Optimizer<float>& rule = given == nullptr ? adam : *given;
  Rng rng(seed);
  return without_gil([&] { return learning_rate_range_test(network, data, rule, options, rng); });
}

}  // namespace

void bind_range_test(py::module_& m) {
  py::class_<RangeTestPoint>(m, "RangeTestPoint", "What was seen in one step of a learning-rate range test.")
      .def_readonly("learning_rate", &RangeTestPoint::learning_rate, "Of this step.")
      .def_readonly("loss", &RangeTestPoint::loss, "Of the batch, before the step.")
      .def_readonly("smoothed_loss", &RangeTestPoint::smoothed_loss, "A running mean of the losses so far.")
      .def("__repr__", [](const RangeTestPoint& point) {
        return detail::text("<digitnet.RangeTestPoint: learning rate ", point.learning_rate, ", loss ", point.loss,
                            ">");
      });

  py::class_<RangeTest>(m, "RangeTest", "What a learning-rate range test found.")
      .def_readonly("points", &RangeTest::points, "A list of RangeTestPoint, by rising learning rate.")
      .def_readonly("suggestion", &RangeTest::suggestion,
                    "The learning rate at which the smoothed loss falls fastest; None if it never fell.")
      .def("__len__", [](const RangeTest& found) { return found.points.size(); })
      .def("__repr__", [](const RangeTest& found) {
        return detail::text("<digitnet.RangeTest: ", found.points.size(), " steps, suggestion ",
                            found.suggestion ? detail::text(*found.suggestion) : std::string("None"), ">");
      });

  m.def("learning_rate_range_test", &range_test, py::arg("network"), py::arg("data"),
        py::arg("optimizer") = py::none(), py::kw_only(), py::arg("low") = 1e-6, py::arg("high") = 10.0,
        py::arg("steps") = 200, py::arg("batch_size") = 128, py::arg("seed") = 0, py::arg("threads") = 0,
        range_test_doc);
}

}  // namespace digitnet::python
