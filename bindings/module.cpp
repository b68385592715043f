// module.cpp: the Python module digitnet._core, one bind_*.cpp for each header.
#include "bindings.hpp"

#include <digitnet/version.hpp>

PYBIND11_MODULE(_core, m) {
  using namespace digitnet::python;
  m.doc() = "The compiled part of digitnet. Import digitnet instead.";
  m.attr("__version__") = DIGITNET_VERSION;
  bind_error(m);
  bind_parallel(m);
  bind_random(m);
  bind_idx(m);
  bind_dataset(m);
  bind_drawing(m);
  bind_preprocess(m);
  bind_augment(m);
  bind_loss(m);
  bind_optimizer(m);
  bind_schedule(m);
  bind_metrics(m);
  bind_network(m);
  bind_trainer(m);
  bind_range_test(m);
  bind_inference(m);
  bind_recognition(m);
  bind_explain(m);
  explain_argument_errors(m);
}
