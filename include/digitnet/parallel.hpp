// parallel.hpp: a few threads that share pieces of work, in a way that never changes the result.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace digitnet {

/// A team of threads, this one included. Work is cut into numbered pieces by the caller, in a way that does
/// not depend on the number of threads. Each thread begins with the pieces it had in the round before, if there
/// are as many, and then helps the others. If each piece writes only what is its own, results are the same bits
/// for any number of threads.
///
/// Threads that wait spin for some microseconds and then sleep, so an idle team costs nothing. When the system takes
/// the processor from one of them in the middle of a piece, the caller works alone for a while (10 to 800 ms).
class ThreadTeam {
 public:
  /// @param threads  how many in all; 0 takes as many as default_threads() says
  explicit ThreadTeam(std::size_t threads = 0);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::size_t size() const;

  /// Calls work(piece, worker) once for each piece in [0, pieces) and returns when all are done. `worker`
  /// is in [0, size()), so that a thread can have scratch space of its own. The first exception thrown by a
  /// piece is thrown again here; pieces not begun by then are left out. Not for calling from inside a piece.
  void run(std::size_t pieces, const std::function<void(std::size_t piece, std::size_t worker)>& work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The number of threads to use when none is given: DIGITNET_NUM_THREADS, else OMP_NUM_THREADS, else
/// OPENBLAS_NUM_THREADS (the first number of each, should it be a list), else the number of processors this
/// process may use. At least 1, at most 256.
/// @throws ArgumentError  if the first of these variables that is set is not a number from 1 to 256
std::size_t default_threads();

/// While one of these lives, BLAS computes with one thread, since the team is the one that shares the work.
/// The last to go restores what was set before the first came. Knows OpenBLAS and BLIS; others are left alone.
class SingleThreadedBlas {
 public:
  SingleThreadedBlas();
  ~SingleThreadedBlas();
  SingleThreadedBlas(const SingleThreadedBlas&) = delete;
  SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;
};

}  // namespace digitnet
