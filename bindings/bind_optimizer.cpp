#include "bindings.hpp"
#include "numpy_bridge.hpp"

#include <digitnet/optimizer.hpp>

namespace digitnet::python {
namespace {

FloatArrayList state_of(const Optimizer<float>& optimizer) {
  py::list arrays;
  for (const auto& numbers : optimizer.state()) {
    arrays.append(py::array_t<float>(static_cast<py::ssize_t>(numbers.size()), numbers.data()));  // a copy
  }
  return arrays;
}

void bind_base(py::module_& m) {
  py::class_<Optimizer<float>>(m, "Optimizer", R"doc(
The rule by which gradients change parameters. Base of all.

With every optimizer weights can decay, apart from the gradient (Loshchilov and Hutter 2019): they also shrink by
learning_rate * weight_decay a step. Biases do not.
)doc")
      .def_property("learning_rate", &Optimizer<float>::learning_rate, &Optimizer<float>::set_learning_rate,
                    "The learning rate, before the schedule.")
      .def_property("weight_decay", &Optimizer<float>::weight_decay, &Optimizer<float>::set_weight_decay,
                    "How fast weights decay, at least 0.")
      .def_property_readonly("steps", &Optimizer<float>::steps, "Steps taken in the last training.")
      .def_property_readonly(
          "name", [](const Optimizer<float>& optimizer) { return std::string(optimizer.name()); },
          "Its name in files and on the command line.")
      .def_property_readonly("state", &state_of,
                             "Copies of what is remembered since the last training, tensor by tensor (weights and "
                             "bias of each layer in\nturn): all first numbers, such as first moments, then all "
                             "second ones.")
      .def_property_readonly("settings", &Optimizer<float>::settings,
                             "All settings by name, numbers; 1 and 0 for yes and no.")
      .def("copy", &Optimizer<float>::clone, "Another with the same settings, steps and state.")
      .def("__repr__", [](const Optimizer<float>& optimizer) {
        return detail::text("<digitnet optimizer ", optimizer.name(), ", learning rate ", optimizer.learning_rate(),
                            ">");
      });
}

void bind_sgd_and_adam(py::module_& m) {
  py::class_<Sgd<float>, Optimizer<float>>(m, "Sgd", R"doc(
Stochastic gradient descent, plain, with momentum (Polyak 1964) or with Nesterov's (Sutskever et al. 2013).

Args:
    learning_rate: at least 0.
    momentum: share of the last step that is kept, in [0, 1).
    nesterov: look ahead along the momentum, which must not be 0 then.
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, bool, double>(), py::arg("learning_rate") = 0.1, py::arg("momentum") = 0.0,
           py::arg("nesterov") = false, py::arg("weight_decay") = 0.0)
      .def_property_readonly("momentum", &Sgd<float>::momentum)
      .def_property_readonly("nesterov", &Sgd<float>::nesterov);

  py::class_<Adam<float>, Optimizer<float>>(m, "Adam", R"doc(
Adam (Kingma and Ba 2015): steps of about the learning rate, whatever the size of the gradients.

Args:
    learning_rate: at least 0.
    beta1: how slowly the mean of the gradients forgets, in [0, 1).
    beta2: how slowly the mean of their squares forgets, in [0, 1).
    epsilon: added to the root of the mean square, at least 0.
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double, double>(), py::arg("learning_rate") = 1e-3,
           py::arg("beta1") = 0.9, py::arg("beta2") = 0.999, py::arg("epsilon") = 1e-8, py::arg("weight_decay") = 0.0)
      .def_property_readonly("beta1", &Adam<float>::beta1)
      .def_property_readonly("beta2", &Adam<float>::beta2)
      .def_property_readonly("epsilon", &Adam<float>::epsilon);

  py::class_<AdamW<float>, Adam<float>>(m, "AdamW", R"doc(
Adam with weight decay (Loshchilov and Hutter 2019), which stands before the other settings.

Args:
    learning_rate, beta1, beta2, epsilon: as for Adam.
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double, double>(), py::arg("learning_rate") = 1e-3,
           py::arg("weight_decay") = 1e-2, py::arg("beta1") = 0.9, py::arg("beta2") = 0.999,
           py::arg("epsilon") = 1e-8);
}

void bind_others(py::module_& m) {
  py::class_<AdaGrad<float>, Optimizer<float>>(m, "AdaGrad", R"doc(
AdaGrad (Duchi, Hazan, Singer 2011): the step of a parameter shrinks with all the gradients it has seen.

Args:
    learning_rate: at least 0.
    initial_accumulator: sum of squared gradients before the first step, at least 0; keeps the first steps small.
    epsilon: added to the root of the sum, at least 0.
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double>(), py::arg("learning_rate") = 1e-2,
           py::arg("initial_accumulator") = 0.0, py::arg("epsilon") = 1e-10, py::arg("weight_decay") = 0.0)
      .def_property_readonly("initial_accumulator", &AdaGrad<float>::initial_accumulator)
      .def_property_readonly("epsilon", &AdaGrad<float>::epsilon);

  py::class_<RmsProp<float>, Optimizer<float>>(m, "RmsProp", R"doc(
RMSProp (Tieleman and Hinton 2012): gradients divided by the root of a running mean of their squares.

Args:
    learning_rate: at least 0.
    rho: how slowly the means forget, in [0, 1).
    epsilon: added to the root, at least 0.
    momentum: share of the last step that is kept, in [0, 1).
    centered: divide by the root of the variance, not of the mean square (Graves 2013).
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double, bool, double>(), py::arg("learning_rate") = 1e-3,
           py::arg("rho") = 0.9, py::arg("epsilon") = 1e-8, py::arg("momentum") = 0.0, py::arg("centered") = false,
           py::arg("weight_decay") = 0.0)
      .def_property_readonly("rho", &RmsProp<float>::rho)
      .def_property_readonly("epsilon", &RmsProp<float>::epsilon)
      .def_property_readonly("momentum", &RmsProp<float>::momentum)
      .def_property_readonly("centered", &RmsProp<float>::centered);

  py::class_<NAdam<float>, Optimizer<float>>(m, "NAdam", R"doc(
NAdam (Dozat 2016): Adam that looks ahead along its momentum, as Nesterov's does.

The momentum of step t is beta1 * (1 - 0.96 ** (t * momentum_decay) / 2).

Args:
    learning_rate, beta1, beta2, epsilon: as for Adam.
    momentum_decay: how fast the momentum grows to beta1, at least 0.
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double, double, double>(), py::arg("learning_rate") = 2e-3,
           py::arg("beta1") = 0.9, py::arg("beta2") = 0.999, py::arg("epsilon") = 1e-8,
           py::arg("momentum_decay") = 4e-3, py::arg("weight_decay") = 0.0)
      .def_property_readonly("beta1", &NAdam<float>::beta1)
      .def_property_readonly("beta2", &NAdam<float>::beta2)
      .def_property_readonly("epsilon", &NAdam<float>::epsilon)
      .def_property_readonly("momentum_decay", &NAdam<float>::momentum_decay);

  py::class_<Lion<float>, Optimizer<float>>(m, "Lion", R"doc(
Lion (Chen et al. 2023): steps of exactly the learning rate, by the sign of a mixture of gradient and momentum.

Its rate suits when it is three to ten times smaller than Adam's, and its weight decay as much larger.

Args:
    learning_rate: at least 0.
    beta1: share of the momentum in the mixture, in [0, 1).
    beta2: how slowly the momentum forgets, in [0, 1).
    weight_decay: at least 0.

Raises:
    ArgumentError: if one is out of range.
)doc")
      .def(py::init<double, double, double, double>(), py::arg("learning_rate") = 1e-4, py::arg("beta1") = 0.9,
           py::arg("beta2") = 0.99, py::arg("weight_decay") = 0.0)
      .def_property_readonly("beta1", &Lion<float>::beta1)
      .def_property_readonly("beta2", &Lion<float>::beta2);
}

}  // namespace

void bind_optimizer(py::module_& m) {
  m.attr("OPTIMIZERS") = names_tuple(optimizer_names);
  bind_base(m);
  bind_sgd_and_adam(m);
  bind_others(m);
  m.def("default_learning_rate", &default_learning_rate, py::arg("name"), R"doc(
A learning rate to begin with, found good for networks of one hidden layer on MNIST with a cosine schedule.

Args:
    name: of an optimizer, one of OPTIMIZERS.

Raises:
    ArgumentError: if it is not.
)doc");
  m.def("make_optimizer", py::overload_cast<std::string_view, std::optional<double>>(&make_optimizer<float>),
        py::arg("name"), py::arg("learning_rate") = py::none(), R"doc(
The optimizer of a name, with the defaults of its class for all but the learning rate.

Args:
    name: one of OPTIMIZERS; "momentum" and "nesterov" are Sgd with a momentum of 0.9.
    learning_rate: at least 0; None takes default_learning_rate.

Raises:
    ArgumentError: if there is no such optimizer, or the rate is out of range.
)doc");
}

}  // namespace digitnet::python
