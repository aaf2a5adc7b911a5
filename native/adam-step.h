// Adam's step in one pass over its seven arrays: it is memory that takes the time.
#pragma once

#include "adam.h"
#include "parallel.h"
#include "vector.h"

namespace {

// Fewer are not worth waking a thread for.
constexpr size_t weightsAtOnce = 65536;

// One vector from `at`, or its first `left` elements when fewer are left.
UNROLL_INLINE Vector loadSome(const float* from, size_t left) {
  if (left >= lanes) return load(from);
  Vector value = {};
  for (size_t at = 0; at < left; ++at) value[at] = from[at];
  return value;
}

UNROLL_INLINE void storeSome(float* to, Vector value, size_t left) {
  if (left >= lanes) return store(to, value);
  for (size_t at = 0; at < left; ++at) to[at] = value[at];
}

UNROLL_INLINE void adamRange(const unroll::Adam& in, size_t begin, size_t end) {
  for (size_t at = begin; at < end; at += lanes) {
    const size_t left = end - at;
    const Vector g = loadSome(in.gradient + at, left);
    const Vector m = loadSome(in.mean + at, left) * in.beta1 + g * in.rest1;
    const Vector v = loadSome(in.variance + at, left) * in.beta2 + g * g * in.rest2;
    const Vector w = loadSome(in.weight + at, left) * in.keep - m * in.size / (squareRoot(v) + in.epsilon);
    storeSome(in.nextMean + at, m, left);
    storeSome(in.nextVariance + at, v, left);
    storeSome(in.nextWeight + at, w, left);
  }
}

void adam(const unroll::Adam& in) {
  unroll::parallelFor((in.count + weightsAtOnce - 1) / weightsAtOnce, [&](size_t part) {
    const size_t begin = part * weightsAtOnce;
    adamRange(in, begin, in.count - begin < weightsAtOnce ? in.count : begin + weightsAtOnce);
  });
}

}  // namespace
