// Vectors of floats in the compiler's own extension, and the two activations of a gate.
//
// It is compiled once for each instruction set, so everything lies in an unnamed namespace, and nothing uses a template
// of the standard library: of two copies with the same name the linker keeps one, and it could be the wrong one.
#pragma once

#if defined(__aarch64__)
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>

#include "layout.h"

#ifndef UNROLL_LANES
#error "Define UNROLL_LANES, the number of floats in one vector register, before including this header."
#endif

#define UNROLL_INLINE inline __attribute__((always_inline))

// For lambdas that take a tile: a call would put the tile into memory.
#define UNROLL_INLINED __attribute__((always_inline))

namespace {

using unroll::panelWidth;

constexpr size_t lanes = UNROLL_LANES;
constexpr size_t vectorsPerPanel = panelWidth / lanes;

typedef float Vector __attribute__((vector_size(sizeof(float) * lanes)));
typedef int32_t IntVector __attribute__((vector_size(sizeof(float) * lanes)));
typedef float UnalignedVector __attribute__((vector_size(sizeof(float) * lanes), aligned(4), may_alias));

UNROLL_INLINE Vector load(const float* from) { return *reinterpret_cast<const UnalignedVector*>(from); }

// One vector of `count` numbers from number `first` on, zeros where fewer are left.
UNROLL_INLINE Vector loadSome(const float* from, size_t first, size_t count) {
  if (first + lanes <= count) return load(from + first);
  Vector value = {};
  for (size_t at = first; at < count; ++at) value[at - first] = from[at];
  return value;
}

UNROLL_INLINE void store(float* to, Vector value) { *reinterpret_cast<UnalignedVector*>(to) = value; }

UNROLL_INLINE Vector broadcast(float value) { return value - Vector{}; }

// a * b + c, rounded once. The compiler fuses products and sums; of two products it may fuse either, so this one is
// fixed.
UNROLL_INLINE Vector multiplyAdd(Vector a, Vector b, Vector c) {
#if UNROLL_LANES == 16
  return _mm512_fmadd_ps(a, b, c);
#elif UNROLL_LANES == 4
  return vfmaq_f32(c, a, b);
#else
  return _mm256_fmadd_ps(a, b, c);
#endif
}

UNROLL_INLINE Vector squareRoot(Vector x) {
#if UNROLL_LANES == 16
  return _mm512_maskz_sqrt_ps(0xFFFF, x);
#elif UNROLL_LANES == 4
  return vsqrtq_f32(x);
#else
  return _mm256_sqrt_ps(x);
#endif
}

// With a NaN both instructions of x86 return their second operand, and those of NEON a NaN: a diverging run must show.
UNROLL_INLINE Vector clamp(Vector x, float low, float high) {
#if UNROLL_LANES == 16
  return _mm512_maskz_min_ps(0xFFFF, broadcast(high), _mm512_maskz_max_ps(0xFFFF, broadcast(low), x));
#elif UNROLL_LANES == 4
  return vminq_f32(broadcast(high), vmaxq_f32(broadcast(low), x));
#else
  return _mm256_min_ps(broadcast(high), _mm256_max_ps(broadcast(low), x));
#endif
}

// An activation takes several vectors side by side: each step of the formula waits for the one before it, and the other
// vectors fill the time.
#define UNROLL_EACH _Pragma("GCC unroll 8") for (int at = 0; at < N; ++at)

template <int N>
struct PowersOfTwo {
  Vector scale[N];     // 2^n
  Vector fraction[N];  // exp(r) - 1
};

// exp(x) = 2^n exp(r) with |r| <= ln(2) / 2, and exp(r) - 1 as its Taylor series to r^7: the first term left out is
// below 6e-9. Only correctly rounded operations are used, so every instruction set gives the same bits.
template <int N>
UNROLL_INLINE void splitExponentials(const Vector (&x)[N], PowersOfTwo<N>& result) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the lowest bits of the float.
  const float shift = 12582912.0f;
  Vector shifted[N], n[N], r[N], p[N];
  UNROLL_EACH shifted[at] = x[at] * 1.44269504088896341f + shift;
  UNROLL_EACH n[at] = shifted[at] - shift;
  // ln(2) in two parts, the first with so few bits that its product with n is exact.
  UNROLL_EACH r[at] = x[at] - n[at] * 0.693359375f;
  UNROLL_EACH r[at] = r[at] - n[at] * -2.12194440e-4f;
  UNROLL_EACH p[at] = broadcast(1.0f / 5040);
  UNROLL_EACH p[at] = p[at] * r[at] + 1.0f / 720;
  UNROLL_EACH p[at] = p[at] * r[at] + 1.0f / 120;
  UNROLL_EACH p[at] = p[at] * r[at] + 1.0f / 24;
  UNROLL_EACH p[at] = p[at] * r[at] + 1.0f / 6;
  UNROLL_EACH p[at] = p[at] * r[at] + 0.5f;
  UNROLL_EACH result.fraction[at] = p[at] * (r[at] * r[at]) + r[at];
  UNROLL_EACH result.scale[at] = (Vector)(((IntVector)shifted[at] - 0x4B400000 + 127) << 23);
}

// 1 / (1 + exp(-x)).
template <int N>
UNROLL_INLINE void sigmoid(Vector (&x)[N]) {
  PowersOfTwo<N> e;
  UNROLL_EACH x[at] = clamp(-x[at], -87.0f, 87.0f);
  splitExponentials(x, e);
  UNROLL_EACH x[at] = 1.0f / (e.scale[at] * e.fraction[at] + (e.scale[at] + 1.0f));
}

// (exp(2x) - 1) / (exp(2x) + 1), without cancellation near zero. Beyond 9.1 the result is 1 in single precision.
template <int N>
UNROLL_INLINE void tanh(Vector (&x)[N]) {
  PowersOfTwo<N> e;
  UNROLL_EACH x[at] = clamp(x[at] + x[at], -18.2f, 18.2f);
  splitExponentials(x, e);
  UNROLL_EACH {
    const Vector minusOne = e.scale[at] * e.fraction[at] + (e.scale[at] - 1.0f);
    x[at] = minusOne / (minusOne + 2.0f);
  }
}

#undef UNROLL_EACH

}  // namespace
