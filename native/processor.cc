#include "processor.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace unroll {

#if defined(__x86_64__) && defined(__linux__)
namespace {

bool processorHasTiles() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return false;
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr uint32_t tileState = 3u << 17;
  constexpr unsigned bfloat16 = 1u << 22, tiles = 1u << 24;
  return (low & tileState) == tileState && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & bfloat16) && (d & tiles);
}

}  // namespace

// From Linux' documentation, "Using XSTATE features in user space applications".
bool hasTiles() {
  constexpr long requestPermission = 0x1023, tileData = 18;
  static const bool has = processorHasTiles() && syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
  return has;
}
#else
bool hasTiles() { return false; }
#endif

}  // namespace unroll
