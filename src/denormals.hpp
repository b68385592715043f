// denormals.hpp: numbers too small for the normal form of floating point count as zero. Internal.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace digitnet::detail {

/// While one of these lives, this thread takes denormal numbers for zero and makes none.
///
/// What is remembered of a weight that gets no gradient for a while, such as its momentum, shrinks from step to
/// step. Below 1e-38 it would be denormal, and arithmetic with it a hundred times slower, for nothing.
class FlushDenormals {
 public:
  FlushDenormals() { set(before_ | flags); }
  ~FlushDenormals() { set(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__x86_64__)
  using Register = unsigned int;
  static constexpr Register flags = 0x8040;  // flush to zero, denormals are zero
  static Register get() { return _mm_getcsr(); }
  static void set(Register value) { _mm_setcsr(value); }
#elif defined(__aarch64__)
  using Register = std::uint64_t;
  static constexpr Register flags = std::uint64_t{1} << 24;  // FPCR.FZ
  static Register get() {
    Register value = 0;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void set(Register value) { asm volatile("msr fpcr, %0" ::"r"(value)); }
#else
  using Register = int;  // elsewhere they stay
  static constexpr Register flags = 0;
  static Register get() { return 0; }
  static void set(Register) {}
#endif

  Register before_ = get();
};

}  // namespace digitnet::detail
