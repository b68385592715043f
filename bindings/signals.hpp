// signals.hpp: Ctrl-C during work that knows nothing of Python.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>

namespace digitnet::python {

/// Asks Python whether a signal such as Ctrl-C has come, now and then. Asking needs the GIL, which another Python thread
/// may hold for milliseconds, so it is not done for every batch of a microsecond.
class SignalCheck {
 public:
  /// To be called often, without the GIL. Throws what the signal's handler raises.
  void operator()() {
    const auto now = Clock::now();
    if (now - last_ < interval) return;
    last_ = now;
    const pybind11::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds interval{20};
  Clock::time_point last_ = Clock::now();
};

}  // namespace digitnet::python
