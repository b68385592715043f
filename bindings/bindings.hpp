// bindings.hpp: what module.cpp calls, in the order of the headers.
#pragma once

#include <pybind11/pybind11.h>

namespace digitnet::python {

void bind_error(pybind11::module_& m);
void bind_parallel(pybind11::module_& m);
void bind_random(pybind11::module_& m);
void bind_idx(pybind11::module_& m);
void bind_dataset(pybind11::module_& m);
void bind_drawing(pybind11::module_& m);
void bind_preprocess(pybind11::module_& m);
void bind_augment(pybind11::module_& m);
void bind_loss(pybind11::module_& m);
void bind_optimizer(pybind11::module_& m);
void bind_schedule(pybind11::module_& m);
void bind_metrics(pybind11::module_& m);
void bind_network(pybind11::module_& m);  // with layer, activation, initializer and serialization
void bind_trainer(pybind11::module_& m);
void bind_range_test(pybind11::module_& m);
void bind_inference(pybind11::module_& m);
void bind_recognition(pybind11::module_& m);
void bind_explain(pybind11::module_& m);

/// Makes every function that is there by then say in one line which argument does not fit.
void explain_argument_errors(pybind11::module_& m);

}  // namespace digitnet::python
