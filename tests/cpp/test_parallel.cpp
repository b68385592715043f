// What parallel.hpp promises: every piece once, whoever takes it, and a team that survives exceptions.
#include "catch.hpp"
#include "environment.hpp"

#include <digitnet/error.hpp>
#include <digitnet/parallel.hpp>
#include <digitnet/tensor.hpp>

#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace digitnet;
using test::EnvironmentVariable;

TEST_CASE("ThreadTeam: every piece is done exactly once, by a worker of the team", "[parallel]") {
  for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
    ThreadTeam team(threads);
    CHECK(team.size() == threads);
    for (const std::size_t pieces : {0u, 1u, 2u, 7u, 1000u}) {
      std::vector<std::atomic<int>> done(pieces);
      std::atomic<bool> all_known{true};
      team.run(pieces, [&](std::size_t piece, std::size_t worker) {
        if (worker >= threads || piece >= pieces) all_known = false;
        ++done[piece];
      });
      bool each_once = true;
      for (const auto& count : done) each_once = each_once && count == 1;
      CAPTURE(threads, pieces);
      CHECK(all_known);
      CHECK(each_once);
    }
  }
}

TEST_CASE("ThreadTeam: no two threads have the same worker number at the same time", "[parallel]") {
  ThreadTeam team(3);
  std::vector<std::atomic<int>> busy(team.size());
  std::atomic<bool> alone{true};
  team.run(500, [&](std::size_t, std::size_t worker) {
    if (++busy[worker] != 1) alone = false;
    std::this_thread::yield();
    --busy[worker];
  });
  CHECK(alone);
}

TEST_CASE("ThreadTeam: what the pieces wrote can be read after run, without more ado", "[parallel]") {
  ThreadTeam team(4);
  std::vector<std::size_t> squares(10000);  // plain memory: the thread sanitizer watches
  team.run(squares.size(), [&](std::size_t piece, std::size_t) { squares[piece] = piece * piece; });
  bool right = true;
  for (std::size_t i = 0; i < squares.size(); ++i) right = right && squares[i] == i * i;
  CHECK(right);
}

TEST_CASE("ThreadTeam: every piece is done once, also if threads are late again and again", "[parallel]") {
  ThreadTeam team(3);
  for (int round = 0; round < 60; ++round) {
    std::vector<std::atomic<int>> done(6);
    team.run(done.size(), [&](std::size_t piece, std::size_t worker) {
      if (worker != 0 && round % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      ++done[piece];
    });
    bool each_once = true;
    for (const auto& count : done) each_once = each_once && count == 1;
    CAPTURE(round);
    CHECK(each_once);
  }
}

TEST_CASE("ThreadTeam: the first exception is thrown again, and the team works on", "[parallel][error]") {
  for (const std::size_t threads : {1u, 2u, 8u}) {
    ThreadTeam team(threads);
    for (int round = 0; round < 50; ++round) {
      CHECK_ERROR(team.run(100,
                           [](std::size_t piece, std::size_t) {
                             if (piece == 40) throw FormatError("piece 40: broken, expected whole");
                           }),
                  FormatError, "piece 40: broken");
      std::atomic<int> done{0};
      team.run(100, [&](std::size_t, std::size_t) { ++done; });
      CHECK(done == 100);
    }
  }
}

TEST_CASE("ThreadTeam: when every piece throws, one exception arrives", "[parallel][error]") {
  ThreadTeam team(4);
  std::atomic<int> begun{0};
  CHECK_THROWS_AS(team.run(1000,
                           [&](std::size_t, std::size_t) {
                             ++begun;
                             throw std::runtime_error("no");
                           }),
                  std::runtime_error);
  CHECK(begun >= 1);
  CHECK(begun <= 4);  // each thread stops at its first; pieces not begun are left out
}

TEST_CASE("ThreadTeam: a single piece that throws is thrown again too", "[parallel][error]") {
  ThreadTeam team(2);
  CHECK_THROWS_AS(team.run(1, [](std::size_t, std::size_t) { throw std::logic_error("no"); }), std::logic_error);
  std::atomic<int> done{0};
  team.run(2, [&](std::size_t, std::size_t) { ++done; });
  CHECK(done == 2);
}

TEST_CASE("ThreadTeam: a piece may use a team of its own", "[parallel]") {
  ThreadTeam outer(2);
  std::vector<std::size_t> sums(6);
  outer.run(sums.size(), [&](std::size_t piece, std::size_t) {
    ThreadTeam inner(2);
    std::vector<std::size_t> parts(20);
    inner.run(parts.size(), [&](std::size_t part, std::size_t) { parts[part] = piece * part; });
    sums[piece] = std::accumulate(parts.begin(), parts.end(), std::size_t{0});
  });
  for (std::size_t piece = 0; piece < sums.size(); ++piece) CHECK(sums[piece] == piece * 190);
}

TEST_CASE("ThreadTeam: teams used from several threads do not disturb each other", "[parallel]") {
  std::vector<std::size_t> totals(3);
  std::vector<std::thread> users;
  users.reserve(totals.size());
  for (std::size_t& sum : totals) {
    users.emplace_back([&sum] {
      ThreadTeam team(2);
      for (int round = 0; round < 200; ++round) {
        std::atomic<std::size_t> total{0};
        team.run(10, [&](std::size_t piece, std::size_t) { total += piece; });
        sum += total;
      }
    });
  }
  for (std::thread& user : users) user.join();
  CHECK(totals == std::vector<std::size_t>{9000, 9000, 9000});
}

TEST_CASE("ThreadTeam: thousands of quick runs lose no piece", "[parallel]") {
  for (const std::size_t threads : {2u, 3u}) {
    ThreadTeam team(threads);
    std::vector<std::size_t> counts(5);
    for (int round = 0; round < 5000; ++round) {
      team.run(counts.size(), [&](std::size_t piece, std::size_t) { ++counts[piece]; });
    }
    CHECK(counts == std::vector<std::size_t>(5, 5000));
  }
}

TEST_CASE("ThreadTeam: a team that slept between runs wakes for the next", "[parallel]") {
  ThreadTeam team(3);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // longer than threads spin
    std::atomic<int> done{0};
    team.run(50, [&](std::size_t, std::size_t) { ++done; });
    CHECK(done == 50);
  }
}

TEST_CASE("ThreadTeam: teams that never work come and go", "[parallel]") {
  for (int i = 0; i < 100; ++i) {
    const ThreadTeam team(4);
    REQUIRE(team.size() == 4);
  }
}

TEST_CASE("ThreadTeam: 0 threads means as many as default_threads says, and more than 256 is refused",
          "[parallel][error]") {
  const EnvironmentVariable three("DIGITNET_NUM_THREADS", "3");
  CHECK(ThreadTeam(0).size() == 3);
  CHECK(ThreadTeam().size() == 3);
  CHECK_ERROR(ThreadTeam(257), ArgumentError, "ThreadTeam: 257 threads, expected at most 256");
}

TEST_CASE("default_threads: the first of three variables that is set decides", "[parallel]") {
  const EnvironmentVariable none("DIGITNET_NUM_THREADS", std::nullopt);
  const EnvironmentVariable openmp("OMP_NUM_THREADS", "5");
  const EnvironmentVariable blas("OPENBLAS_NUM_THREADS", "6");
  CHECK(default_threads() == 5);
  {
    const EnvironmentVariable own("DIGITNET_NUM_THREADS", "4");
    CHECK(default_threads() == 4);
  }
  {
    const EnvironmentVariable empty("OMP_NUM_THREADS", "");  // as good as not set
    CHECK(default_threads() == 6);
  }
  const EnvironmentVariable most("DIGITNET_NUM_THREADS", "256");
  CHECK(default_threads() == 256);
}

TEST_CASE("default_threads: with no variable set, from 1 to 256", "[parallel]") {
  const EnvironmentVariable own("DIGITNET_NUM_THREADS", std::nullopt);
  const EnvironmentVariable openmp("OMP_NUM_THREADS", std::nullopt);
  const EnvironmentVariable blas("OPENBLAS_NUM_THREADS", std::nullopt);
  CHECK(default_threads() >= 1);
  CHECK(default_threads() <= 256);
}

TEST_CASE("default_threads: a variable that is no number from 1 to 256 is named with its value",
          "[parallel][error]") {
  const EnvironmentVariable none("DIGITNET_NUM_THREADS", std::nullopt);
  const EnvironmentVariable no_openmp("OMP_NUM_THREADS", std::nullopt);
  for (const char* name : {"DIGITNET_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    for (const char* value :
         {"0", "257", "-1", "two", "4x", " 4", "4 ", "+4", "1.5", "0x2", "99999999999999999999999"}) {
      const EnvironmentVariable wrong(name, value);
      CHECK_ERROR(default_threads(), ArgumentError, detail::text("default_threads: ", name, " is \"", value, "\""));
    }
  }
}

namespace {

/// OpenBLAS's own functions, if that is the BLAS in use.
struct OpenBlas {
  int (*get)() = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_num_threads"));
  void (*set)(int) = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));

  bool present() const { return get != nullptr && set != nullptr; }
};

}  // namespace

TEST_CASE("SingleThreadedBlas: BLAS has one thread while one lives, then as many as before", "[parallel]") {
  // A product, so that the BLAS library is linked in even if the linker leaves out what is not called.
  CHECK((matmul(Matrix<float>{{2}}, Matrix<float>{{3}}) == Matrix<float>{{6}}));
  const OpenBlas blas;
  if (!blas.present()) {
    WARN("skipped: the BLAS in use is not OpenBLAS, so its number of threads cannot be asked for");
    return;
  }
  const int at_start = blas.get();
  blas.set(2);
  const int before = blas.get();  // 1 if OpenBLAS was built without threads
  {
    const SingleThreadedBlas first;
    CHECK(blas.get() == 1);
    {
      const SingleThreadedBlas second;
      CHECK(blas.get() == 1);
    }
    CHECK(blas.get() == 1);  // the first still lives
  }
  CHECK(blas.get() == before);
  auto outlived = std::make_unique<SingleThreadedBlas>();
  auto last = std::make_unique<SingleThreadedBlas>();
  outlived.reset();
  CHECK(blas.get() == 1);
  last.reset();
  CHECK(blas.get() == before);
  blas.set(at_start);
}

TEST_CASE("default_threads: of a list, as OpenMP allows, the first number counts", "[parallel]") {
  const EnvironmentVariable own("DIGITNET_NUM_THREADS", std::nullopt);
  const EnvironmentVariable openmp("OMP_NUM_THREADS", "3,2");
  CHECK(default_threads() == 3);
}
