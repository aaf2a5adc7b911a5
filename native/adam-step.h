// Adam's step in one pass over its seven arrays: it is memory that takes the time.
#pragma once

#include "adam.h"
#include "vector.h"

namespace {

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

// The numbers from `begin` to `end` of a weight.
void adam(const unroll::AdamSettings& set, const unroll::AdamWeight& of, size_t begin, size_t end) {
  for (size_t at = begin; at < end; at += lanes) {
    const size_t left = end - at;
    const Vector g = loadSome(of.gradient + at, left);
    const Vector m = loadSome(of.mean + at, left) * set.beta1 + g * set.rest1;
    const Vector v = loadSome(of.variance + at, left) * set.beta2 + g * g * set.rest2;
    const Vector w = loadSome(of.weight + at, left) * set.keep - m * set.size / (squareRoot(v) + set.epsilon);
    storeSome(of.nextMean + at, m, left);
    storeSome(of.nextVariance + at, v, left);
    storeSome(of.nextWeight + at, w, left);
  }
}

}  // namespace
