// dispatch.hpp: inner loops compiled for several processors, the best chosen when the program runs. Internal.
#pragma once

#include <digitnet/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace digitnet::detail {

/// For the loops given to for_processor and all they call: they must be compiled into each version.
#define DIGITNET_INLINE [[gnu::always_inline]] inline
#define DIGITNET_INLINE_LAMBDA __attribute__((always_inline))  // behind (), where [[...]] would mean the type

/// Vectors of this many bytes suit a processor.
enum class Simd : std::size_t { plain = 16, avx2 = 32, avx512 = 64 };

/// What this processor has.
inline Simd widest_simd() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi") ||
      !__builtin_cpu_supports("bmi2")) {
    return Simd::plain;
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq")) {
    return Simd::avx512;
  }
  return Simd::avx2;
#else
  return Simd::plain;
#endif
}

/// What is used of it, decided once: DIGITNET_SIMD may ask for less, so that every version can be tested and measured.
/// @throws ArgumentError  if that is set to anything but plain, avx2 or avx512
inline Simd processor_simd() {
  static const Simd chosen = [] {
    const char* const value = std::getenv("DIGITNET_SIMD");
    const std::string_view wanted = value == nullptr ? "" : value;
    if (wanted == "plain") return Simd::plain;
    if (wanted == "avx2") return std::min(widest_simd(), Simd::avx2);
    if (wanted.empty() || wanted == "avx512") return widest_simd();
    throw ArgumentError(text("DIGITNET_SIMD is \"", wanted.substr(0, 40), "\", expected plain, avx2 or avx512"));
  }();
  return chosen;
}

template <class Loop>
void run_plain(Loop loop) {
  loop.template operator()<static_cast<std::size_t>(Simd::plain)>();
}

#if defined(__x86_64__)
template <class Loop>
[[gnu::target("avx2,fma,bmi,bmi2,popcnt")]] void run_avx2(Loop loop) {
  loop.template operator()<static_cast<std::size_t>(Simd::avx2)>();
}

template <class Loop>
[[gnu::target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,bmi,bmi2,popcnt")]] void run_avx512(Loop loop) {
  loop.template operator()<static_cast<std::size_t>(Simd::avx512)>();
}
#endif

/// Runs a loop in the version for this processor:
///
///     for_processor([=]<std::size_t Bytes>() DIGITNET_INLINE_LAMBDA { ... loops, or vectors of Bytes bytes ... });
///
/// The loop is compiled once for each version, with what it calls if that is DIGITNET_INLINE. Sums may round
/// differently from one version to the next, since only some have fused multiply-add; on one machine the bits are
/// always the same. Capture by value: then the compiler knows that no store into an array changes what was captured.
template <class Loop>
void for_processor(Loop loop) {
#if defined(__x86_64__)
  switch (processor_simd()) {
    case Simd::avx512: return run_avx512(loop);
    case Simd::avx2: return run_avx2(loop);
    case Simd::plain: break;
  }
#endif
  run_plain(loop);
}

}  // namespace digitnet::detail
