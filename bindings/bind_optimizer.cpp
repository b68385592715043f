#include "bindings.hpp"

#include <digitnet/optimizer.hpp>

namespace digitnet::python {

namespace py = pybind11;

void bind_optimizer(py::module_& m) {
  py::class_<Optimizer<float>>(m, "Optimizer", "The rule by which gradients change parameters. Base of all.")
      .def_property("learning_rate", &Optimizer<float>::learning_rate, &Optimizer<float>::set_learning_rate,
                    "The learning rate, before the schedule.")
      .def_property("weight_decay", &Optimizer<float>::weight_decay, &Optimizer<float>::set_weight_decay,
                    "Share of the learning rate by which weights shrink in each step (Loshchilov and Hutter 2019).")
      .def_property_readonly("steps", &Optimizer<float>::steps, "Steps taken in the last training.")
      .def_property_readonly(
          "name", [](const Optimizer<float>& optimizer) { return std::string(optimizer.name()); },
          "Its name in files and on the command line.")
      .def("__repr__", [](const Optimizer<float>& optimizer) {
        return detail::text("<digitnet optimizer ", optimizer.name(), ", learning rate ", optimizer.learning_rate(),
                            ">");
      });

  py::class_<Sgd<float>, Optimizer<float>>(m, "Sgd", R"doc(
Stochastic gradient descent, plain, with momentum (Polyak 1964) or with Nesterov's (Sutskever et al. 2013).

Args:
    learning_rate: at least 0.
    momentum: share of the last step that is kept, in [0, 1).
    nesterov: look ahead along the momentum, which must not be 0 then.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, bool>(), py::arg("learning_rate") = 0.1, py::arg("momentum") = 0.0,
           py::arg("nesterov") = false)
      .def_property_readonly("momentum", &Sgd<float>::momentum)
      .def_property_readonly("nesterov", &Sgd<float>::nesterov);

  py::class_<Adam<float>, Optimizer<float>>(m, "Adam", R"doc(
Adam (Kingma and Ba 2015): steps of about the learning rate, whatever the size of the gradients.

Args:
    learning_rate: at least 0.
    beta1: how slowly the mean of the gradients forgets, in [0, 1).
    beta2: how slowly the mean of their squares forgets, in [0, 1).
    epsilon: added to the root of the mean square, at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double>(), py::arg("learning_rate") = 1e-3, py::arg("beta1") = 0.9,
           py::arg("beta2") = 0.999, py::arg("epsilon") = 1e-8)
      .def_property_readonly("beta1", &Adam<float>::beta1)
      .def_property_readonly("beta2", &Adam<float>::beta2)
      .def_property_readonly("epsilon", &Adam<float>::epsilon);

  py::class_<AdamW<float>, Adam<float>>(m, "AdamW", R"doc(
Adam with weight decay of its own (Loshchilov and Hutter 2019): weights also shrink by learning_rate * weight_decay
a step. Biases do not.

Args:
    learning_rate, beta1, beta2, epsilon: as for Adam.
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double, double>(), py::arg("learning_rate") = 1e-3,
           py::arg("weight_decay") = 1e-2, py::arg("beta1") = 0.9, py::arg("beta2") = 0.999,
           py::arg("epsilon") = 1e-8);

  py::class_<AdaGrad<float>, Optimizer<float>>(m, "AdaGrad", R"doc(
AdaGrad (Duchi, Hazan, Singer 2011): steps that shrink by the gradients met so far.

Args:
    learning_rate: at least 0.
    initial_accumulator: what the sum of squares begins with, at least 0.
    epsilon: added to its root, at least 0.
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double>(), py::arg("learning_rate") = 1e-2,
           py::arg("initial_accumulator") = 0.0, py::arg("epsilon") = 1e-10, py::arg("weight_decay") = 0.0);

  py::class_<RmsProp<float>, Optimizer<float>>(m, "RmsProp", R"doc(
RMSProp (Tieleman and Hinton 2012; momentum and centering as Graves 2013).

Args:
    learning_rate: at least 0.
    rho: how slowly the mean of the squares forgets, in [0, 1).
    epsilon: added to its root, at least 0.
    momentum: share of the last step that is kept, in [0, 1).
    centered: whether the mean of the gradients is taken off their mean square.
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double, bool, double>(), py::arg("learning_rate") = 1e-3,
           py::arg("rho") = 0.9, py::arg("epsilon") = 1e-8, py::arg("momentum") = 0.0, py::arg("centered") = false,
           py::arg("weight_decay") = 0.0);

  py::class_<NAdam<float>, Optimizer<float>>(m, "NAdam", R"doc(
NAdam (Dozat 2016): Adam with Nesterov's momentum.

Args:
    learning_rate, beta1, beta2, epsilon: as for Adam.
    momentum_decay: how fast the momentum reaches beta1, at least 0.
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double, double, double>(), py::arg("learning_rate") = 2e-3,
           py::arg("beta1") = 0.9, py::arg("beta2") = 0.999, py::arg("epsilon") = 1e-8,
           py::arg("momentum_decay") = 4e-3, py::arg("weight_decay") = 0.0);

  py::class_<Lion<float>, Optimizer<float>>(m, "Lion", R"doc(
Lion (Chen et al. 2023): steps of the learning rate in the direction of a momentum's sign.

Args:
    learning_rate: at least 0; a tenth of Adam's is a good start.
    beta1, beta2: how slowly the direction and the momentum forget, in [0, 1).
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double>(), py::arg("learning_rate") = 1e-4, py::arg("beta1") = 0.9,
           py::arg("beta2") = 0.99, py::arg("weight_decay") = 0.0);
}

}  // namespace digitnet::python
