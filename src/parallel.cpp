#include <digitnet/error.hpp>
#include <digitnet/parallel.hpp>

#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace digitnet {
namespace {

constexpr std::size_t most_threads = 256;

/// How often a waiting thread looks again before it sleeps: some ten microseconds, as long as the gap
/// between two phases of a training step. With one processor waiting by looking would only be in the way.
const int spins_before_sleep = std::thread::hardware_concurrency() > 1 ? 4000 : 0;

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Waits until `value` is no longer `old`.
void wait_while(const std::atomic<int>& value, int old) {
  for (int spin = 0; spin < spins_before_sleep; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

/// A round is one call of run. It ends when all pieces are done, not when all threads have looked for some: on a
/// busy machine a thread may wake up milliseconds late, and then finds nothing left to do.
struct ThreadTeam::State {
  using Work = std::function<void(std::size_t, std::size_t)>;
  using Clock = std::chrono::steady_clock;

  /// Of each worker: the round (upper half) and the next piece of his stretch (lower half). Pieces are dealt out in
  /// stretches, the same ones in each round of as many, so that what they work on stays in the worker's cache; who
  /// has done his own helps the others. A piece is claimed by raising a ticket as a whole, so a thread that comes
  /// late cannot claim a piece of a round it knows nothing of.
  struct alignas(64) Ticket {
    std::atomic<std::uint64_t> value{nothing};
  };
  std::vector<Ticket> tickets;
  std::atomic<std::size_t> pieces{0};
  std::atomic<const Work*> work{nullptr};
  std::atomic<int> round{0};  // changes with each round: what idle threads wait for
  std::atomic<int> left{0};   // pieces that are not done
  std::atomic<bool> failed{false};

  // Of the thread that calls run.
  std::size_t own_pieces = 0;       // that it did in this round
  Clock::time_point alone_until{};  // it does all by itself, since the others were not getting on
  Clock::duration rest = least_rest;
  Clock::time_point late{};  // when that was

  std::atomic<bool> leaving{false};
  std::mutex failure_mutex;
  std::exception_ptr failure;
  std::vector<std::thread> threads;

  static constexpr std::uint64_t nothing = 0xffffffffu;  // in the lower half: no piece to claim
  static constexpr std::uint64_t next_round = std::uint64_t{1} << 32;

  static constexpr Clock::duration least_rest = std::chrono::milliseconds(10);
  static constexpr Clock::duration longest_rest = std::chrono::milliseconds(800);

  explicit State(std::size_t workers) : tickets(workers) {}

  void take_pieces(std::size_t worker) {
    for (std::size_t i = 0; i < tickets.size(); ++i) {
      take_pieces_of((worker + i) % tickets.size(), worker);
    }
  }

  /// Where the stretch of a worker begins; that of the next is its end.
  std::size_t stretch(std::size_t owner, std::size_t count) const { return owner * count / tickets.size(); }

  void take_pieces_of(std::size_t owner, std::size_t worker) {
    std::atomic<std::uint64_t>& ticket = tickets[owner].value;
    for (;;) {
      std::uint64_t current = ticket.load(std::memory_order_acquire);
      const std::uint64_t piece = current & nothing;
      // What is read here is of the ticket's round if the ticket is still the same when it is raised.
      const std::size_t count = pieces.load(std::memory_order_acquire);
      const Work* const function = work.load(std::memory_order_acquire);
      if (piece == nothing || piece >= stretch(owner + 1, count)) return;
      if (ticket.compare_exchange_weak(current, current + 1, std::memory_order_acq_rel)) {
        if (worker == 0) ++own_pieces;
        do_piece(*function, static_cast<std::size_t>(piece), worker);
      }
    }
  }

  void do_piece(const Work& function, std::size_t piece, std::size_t worker) {
    try {
      if (!failed.load(std::memory_order_relaxed)) function(piece, worker);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      failed.store(true, std::memory_order_relaxed);
    }
    if (left.fetch_sub(1, std::memory_order_acq_rel) == 1) left.notify_one();
  }

  void live(std::size_t worker) {
    while (!leaving.load(std::memory_order_acquire)) {
      const int seen = round.load(std::memory_order_acquire);
      take_pieces(worker);
      if (!leaving.load(std::memory_order_acquire)) wait_while(round, seen);
    }
  }

  /// Another process may have taken the processor from a thread with a piece in work, and then keeps it for
  /// milliseconds. If that happens, the caller goes on alone for a while, longer if it happens again soon, so that on
  /// a busy machine a team is not slower than one thread.
  /// @param worked  time the caller spent on its pieces of the round
  /// @param waited  and on waiting for those of the others
  void judge(Clock::time_point now, Clock::duration worked, Clock::duration waited) {
    const auto own = static_cast<Clock::rep>(std::max<std::size_t>(own_pieces, 1));
    if (waited < std::chrono::microseconds(100) + 4 * worked / own) return;
    rest = now - late < 4 * rest ? std::min(4 * rest, longest_rest) : least_rest;
    late = now;
    alone_until = now + rest;
  }

  void wake_all() {
    round.fetch_add(1, std::memory_order_release);
    round.notify_all();
  }

  void dismiss() {
    leaving.store(true, std::memory_order_release);
    wake_all();
    for (std::thread& thread : threads) thread.join();
  }
};

ThreadTeam::ThreadTeam(std::size_t threads) {
  const std::size_t wanted = threads == 0 ? default_threads() : threads;
  if (wanted > most_threads) {
    throw ArgumentError(detail::text("ThreadTeam: ", wanted, " threads, expected at most ", most_threads));
  }
  state_ = std::make_unique<State>(wanted);
  try {
    for (std::size_t worker = 1; worker < wanted; ++worker) {
      state_->threads.emplace_back([state = state_.get(), worker] { state->live(worker); });
    }
  } catch (...) {  // the system has no more threads: end those that came
    state_->dismiss();
    throw;
  }
}

ThreadTeam::~ThreadTeam() { state_->dismiss(); }

std::size_t ThreadTeam::size() const { return state_->threads.size() + 1; }

void ThreadTeam::run(std::size_t pieces, const std::function<void(std::size_t, std::size_t)>& work) {
  State& state = *state_;
  State::Clock::time_point begin{};
  if (pieces > 1 && !state.threads.empty()) begin = State::Clock::now();
  if (begin < state.alone_until || pieces <= 1 || state.threads.empty()) {  // no other thread is woken
    for (std::size_t piece = 0; piece < pieces; ++piece) work(piece, 0);
    return;
  }
  if (pieces > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw ArgumentError(detail::text("ThreadTeam::run: ", pieces, " pieces, expected less than 2147483648"));
  }
  // No piece of the round before is left, and from here on no late thread can claim one.
  const std::uint64_t before = state.tickets.front().value.load(std::memory_order_relaxed);
  const std::uint64_t round = (before & ~State::nothing) + State::next_round;
  for (State::Ticket& ticket : state.tickets) ticket.value.store(round | State::nothing, std::memory_order_release);
  state.pieces.store(pieces, std::memory_order_release);
  state.work.store(&work, std::memory_order_release);
  state.left.store(static_cast<int>(pieces), std::memory_order_relaxed);
  state.failed.store(false, std::memory_order_relaxed);
  state.failure = nullptr;
  for (std::size_t worker = 0; worker < state.tickets.size(); ++worker) {
    state.tickets[worker].value.store(round + state.stretch(worker, pieces), std::memory_order_release);
  }
  state.own_pieces = 0;
  state.wake_all();
  state.take_pieces(0);
  const State::Clock::time_point done = State::Clock::now();
  for (int left = state.left.load(std::memory_order_acquire); left != 0;
       left = state.left.load(std::memory_order_acquire)) {
    wait_while(state.left, left);
  }
  const State::Clock::time_point now = State::Clock::now();
  state.judge(now, done - begin, now - done);
  if (state.failure) std::rethrow_exception(state.failure);
}

std::size_t default_threads() {
  for (const char* name : {"DIGITNET_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || value[0] == '\0') continue;
    // OpenMP takes a list, a number for each level of nesting; the first counts here.
    const std::string_view text(value);
    const std::string_view digits = text.substr(0, text.find(','));
    std::size_t threads = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), threads);
    if (error != std::errc{} || end != digits.data() + digits.size() || threads < 1 || threads > most_threads) {
      throw ArgumentError(detail::text("default_threads: ", name, " is \"", text.substr(0, 40),
                                       "\", expected a number from 1 to ", most_threads));
    }
    return threads;
  }
#ifdef __linux__
  if (cpu_set_t allowed; sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    return std::clamp<std::size_t>(static_cast<std::size_t>(CPU_COUNT(&allowed)), 1, most_threads);
  }
#endif
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_threads);
}

namespace {

/// The functions of the BLAS library in use that read and set its number of threads, if it has any. OpenBLAS
/// counts in int, BLIS in its dim_t, which is as wide as a pointer.
struct BlasThreads {
  std::function<std::ptrdiff_t()> get;
  std::function<void(std::ptrdiff_t)> set;

  BlasThreads() {
    find<int>("openblas_get_num_threads", "openblas_set_num_threads") ||
        find<std::ptrdiff_t>("bli_thread_get_num_threads", "bli_thread_set_num_threads");
  }

  template <class Integer>
  bool find(const char* get_name, const char* set_name) {
    const auto getter = reinterpret_cast<Integer (*)()>(dlsym(RTLD_DEFAULT, get_name));
    const auto setter = reinterpret_cast<void (*)(Integer)>(dlsym(RTLD_DEFAULT, set_name));
    if (getter == nullptr || setter == nullptr) return false;
    get = [getter] { return static_cast<std::ptrdiff_t>(getter()); };
    set = [setter](std::ptrdiff_t threads) { setter(static_cast<Integer>(threads)); };
    return true;
  }
};

std::mutex blas_mutex;
int blas_users = 0;
std::ptrdiff_t blas_threads_before = 1;

const BlasThreads& blas_threads() {
  static const BlasThreads functions;
  return functions;
}

}  // namespace

SingleThreadedBlas::SingleThreadedBlas() {
  const std::lock_guard lock(blas_mutex);
  const BlasThreads& blas = blas_threads();
  if (blas_users++ == 0 && blas.get) {
    blas_threads_before = blas.get();
    if (blas_threads_before != 1) blas.set(1);
  }
}

SingleThreadedBlas::~SingleThreadedBlas() {
  const std::lock_guard lock(blas_mutex);
  const BlasThreads& blas = blas_threads();
  if (--blas_users == 0 && blas.get && blas_threads_before != 1) blas.set(blas_threads_before);
}

}  // namespace digitnet
