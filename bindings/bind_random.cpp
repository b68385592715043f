#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/random.hpp>

namespace digitnet::python {

void bind_random(py::module_& m) {
  py::class_<Rng>(m, "Rng", R"doc(
The generator of all randomness in digitnet, xoshiro256++: the same seed gives the same numbers on every platform.
)doc")
      .def(py::init<std::uint64_t>(), py::arg("seed"))
      .def("uniform", py::overload_cast<double, double>(&Rng::uniform), py::arg("low") = 0.0, py::arg("high") = 1.0,
           "A number in [low, high).")
      .def("normal", &Rng::normal, "A normal number with mean 0 and standard deviation 1.")
      .def("below", &Rng::below, py::arg("limit"), "A whole number in [0, limit), each equally likely.")
      .def("fork", &Rng::fork, py::arg("number"), "A generator of its own for a numbered part of the work.")
      .def(
          "permutation",
          [](Rng& rng, std::size_t size) {
            const std::vector<std::uint32_t> order = permutation(size, rng);
            return py::array_t<std::uint32_t>(static_cast<py::ssize_t>(order.size()), order.data());
          },
          py::arg("size"), "The numbers 0 to size - 1 in random order, as uint32 array (size,).")
      .def_property(
          "state", [](const Rng& rng) { return rng.state(); },
          [](Rng& rng, const Rng::State& state) { rng = Rng::from_state(state); },
          "Four whole numbers: all there is to keep, so that a generator can be stored and continued.");
}

}  // namespace digitnet::python
