// The rules of the optimizers, each in one pass over memory, which is what takes the time. With value w, gradient g and
// slots s, each with the next one's name primed; r is the learning rate. The papers are named where a spec chooses
// them, in src/optimizers.
#pragma once

#include "update.h"
#include "vector.h"

namespace {

// w' = w - r g
struct Sgd {
  static constexpr size_t slots = 0;
  static UNROLL_INLINE Vector apply(const float* set, Vector w, Vector g, Vector*) { return w - g * set[0]; }
};

// v' = m v - r g      w' = w + v', or w + m v' - r g where it looks ahead
template <bool LooksAhead>
struct Momentum {
  static constexpr size_t slots = 1;
  static UNROLL_INLINE Vector apply(const float* set, Vector w, Vector g, Vector* s) {
    const Vector move = g * set[0];
    s[0] = s[0] * set[1] - move;
    return w + (LooksAhead ? s[0] * set[1] - move : s[0]);
  }
};

// s' = rho s + (1 - rho) g^2      w' = w - u'
//
// where u' is r g / sqrt(s' + epsilon), with the square of a' = rho a + (1 - rho) g taken from s' where it is centered,
// and m u more with momentum.
template <bool Centered, bool HasMomentum>
struct RmsProp {
  static constexpr size_t slots = 1 + Centered + HasMomentum;
  static UNROLL_INLINE Vector apply(const float* set, Vector w, Vector g, Vector* s) {
    const float rate = set[0], rho = set[1], rest = set[2], momentum = set[3], epsilon = set[4];
    s[0] = s[0] * rho + g * g * rest;
    Vector spread = s[0];
    if constexpr (Centered) {
      s[1] = s[1] * rho + g * rest;
      spread -= s[1] * s[1];
    }
    Vector move = g * rate / squareRoot(spread + epsilon);
    if constexpr (HasMomentum) {
      move += s[slots - 1] * momentum;
      s[slots - 1] = move;
    }
    return w - move;
  }
};

// s' = s + g^2      w' = w - r g / sqrt(s' + epsilon)
struct Adagrad {
  static constexpr size_t slots = 1;
  static UNROLL_INLINE Vector apply(const float* set, Vector w, Vector g, Vector* s) {
    s[0] += g * g;
    return w - g * set[0] / squareRoot(s[0] + set[1]);
  }
};

// s' = rho s + (1 - rho) g^2      d = g sqrt((x + epsilon) / (s' + epsilon))
// x' = rho x + (1 - rho) d^2      w' = w - r d
struct Adadelta {
  static constexpr size_t slots = 2;
  static UNROLL_INLINE Vector apply(const float* set, Vector w, Vector g, Vector* s) {
    const float rate = set[0], rho = set[1], rest = set[2], epsilon = set[3];
    s[0] = s[0] * rho + g * g * rest;
    const Vector change = g * squareRoot((s[1] + epsilon) / (s[0] + epsilon));
    s[1] = s[1] * rho + change * change * rest;
    return w - change * rate;
  }
};

// m' = b1 m + (1 - b1) g      v' = b2 v + (1 - b2) g^2      w' = keep w - size m' / (sqrt(v') + epsilon)
struct Adam {
  static constexpr size_t slots = 2;
  static UNROLL_INLINE Vector apply(const float* set, Vector w, Vector g, Vector* s) {
    const float size = set[4], epsilon = set[5], keep = set[6];
    s[0] = s[0] * set[0] + g * set[1];
    s[1] = s[1] * set[2] + g * g * set[3];
    return w * keep - s[0] * size / (squareRoot(s[1]) + epsilon);
  }
};

// m' = b1 m + (1 - b1) g      u' = the larger of b2 u and |g|      w' = w - size m' / (u' + epsilon)
struct Adamax {
  static constexpr size_t slots = 2;
  static UNROLL_INLINE Vector apply(const float* set, Vector w, Vector g, Vector* s) {
    const float size = set[3], epsilon = set[4];
    const Vector magnitude = g < 0.0f ? -g : g, before = s[1] * set[2];
    s[0] = s[0] * set[0] + g * set[1];
    s[1] = before > magnitude ? before : magnitude;
    return w - s[0] * size / (s[1] + epsilon);
  }
};

// The first `left` elements of a vector when fewer are left.
UNROLL_INLINE void storeSome(float* to, Vector value, size_t left) {
  if (left >= lanes) return store(to, value);
  for (size_t at = 0; at < left; ++at) to[at] = value[at];
}

template <class Rule>
void update(const float* settings, const unroll::UpdateWeight& of, size_t begin, size_t end) {
  for (size_t at = begin; at < end; at += lanes) {
    const size_t left = end - at;
    Vector slots[unroll::mostSlots];
    for (size_t slot = 0; slot < Rule::slots; ++slot) slots[slot] = loadSome(of.slots[slot], at, end);
    const Vector next = Rule::apply(settings, loadSome(of.value, at, end), loadSome(of.gradient, at, end), slots);
    for (size_t slot = 0; slot < Rule::slots; ++slot) storeSome(of.nextSlots[slot] + at, slots[slot], left);
    storeSome(of.nextValue + at, next, left);
  }
}

constexpr unroll::UpdateKernels updateKernels = {
    update<Sgd>,
    update<Momentum<false>>,
    update<Momentum<true>>,
    update<RmsProp<false, false>>,
    update<RmsProp<true, false>>,
    update<RmsProp<false, true>>,
    update<RmsProp<true, true>>,
    update<Adagrad>,
    update<Adadelta>,
    update<Adam>,
    update<Adamax>,
};

}  // namespace
