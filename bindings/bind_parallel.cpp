#include "bindings.hpp"

#include <digitnet/parallel.hpp>

namespace digitnet::python {

void bind_parallel(pybind11::module_& m) {
  m.def("default_threads", &default_threads, R"doc(
Number of threads used when none is given.

Returns:
    DIGITNET_NUM_THREADS, else OMP_NUM_THREADS, else OPENBLAS_NUM_THREADS, else the number of processors.

Raises:
    ArgumentError: if the first of these variables that is set is not a number from 1 to 256.
)doc");
}

}  // namespace digitnet::python
