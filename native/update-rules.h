// The rules of the optimizers, each in one pass over memory, which is what takes the time. w is the value, g the
// gradient, s a slot and r the learning rate; a prime marks the next value. Each rule names the settings that it reads;
// src/optimizers cites the papers.
#pragma once

#include "update.h"
#include "vector.h"

namespace {

// w' = w - r g
struct Sgd {
  using Settings = unroll::SgdSettings;
  static constexpr size_t slots = 0;
  static UNROLL_INLINE Vector apply(const Settings& set, Vector w, Vector g, Vector*) {
    return w - g * set.learningRate;
  }
};

// v' = m v - r g      w' = w + v', or w + m v' - r g where it looks ahead
template <bool LooksAhead>
struct Momentum {
  using Settings = unroll::MomentumSettings;
  static constexpr size_t slots = 1;
  static UNROLL_INLINE Vector apply(const Settings& set, Vector w, Vector g, Vector* s) {
    const Vector move = g * set.learningRate;
    s[0] = s[0] * set.momentum - move;
    return w + (LooksAhead ? s[0] * set.momentum - move : s[0]);
  }
};

// s' = rho s + (1 - rho) g^2      w' = w - u'
//
// where u' = r g / sqrt(s' + epsilon). If centered, the square of a' = rho a + (1 - rho) g is subtracted from s'; with
// momentum, m u is added to u'.
template <bool Centered, bool HasMomentum>
struct RmsProp {
  using Settings = unroll::RmsPropSettings;
  static constexpr size_t slots = 1 + Centered + HasMomentum;
  static UNROLL_INLINE Vector apply(const Settings& set, Vector w, Vector g, Vector* s) {
    s[0] = s[0] * set.rho + g * g * set.oneMinusRho;
    Vector spread = s[0];
    if constexpr (Centered) {
      s[1] = s[1] * set.rho + g * set.oneMinusRho;
      spread -= s[1] * s[1];
    }
    Vector move = g * set.learningRate / squareRoot(spread + set.epsilon);
    if constexpr (HasMomentum) {
      move += s[slots - 1] * set.momentum;
      s[slots - 1] = move;
    }
    return w - move;
  }
};

// s' = s + g^2      w' = w - r g / sqrt(s' + epsilon)
struct Adagrad {
  using Settings = unroll::AdagradSettings;
  static constexpr size_t slots = 1;
  static UNROLL_INLINE Vector apply(const Settings& set, Vector w, Vector g, Vector* s) {
    s[0] += g * g;
    return w - g * set.learningRate / squareRoot(s[0] + set.epsilon);
  }
};

// s' = rho s + (1 - rho) g^2      d = g sqrt((x + epsilon) / (s' + epsilon))
// x' = rho x + (1 - rho) d^2      w' = w - r d
struct Adadelta {
  using Settings = unroll::AdadeltaSettings;
  static constexpr size_t slots = 2;
  static UNROLL_INLINE Vector apply(const Settings& set, Vector w, Vector g, Vector* s) {
    s[0] = s[0] * set.rho + g * g * set.oneMinusRho;
    const Vector change = g * squareRoot((s[1] + set.epsilon) / (s[0] + set.epsilon));
    s[1] = s[1] * set.rho + change * change * set.oneMinusRho;
    return w - change * set.learningRate;
  }
};

// m' = b1 m + (1 - b1) g      v' = b2 v + (1 - b2) g^2      w' = keep w - step m' / (sqrt(v') + epsilon)
struct Adam {
  using Settings = unroll::AdamSettings;
  static constexpr size_t slots = 2;
  static UNROLL_INLINE Vector apply(const Settings& set, Vector w, Vector g, Vector* s) {
    s[0] = s[0] * set.beta1 + g * set.oneMinusBeta1;
    s[1] = s[1] * set.beta2 + g * g * set.oneMinusBeta2;
    return w * set.keep - s[0] * set.stepSize / (squareRoot(s[1]) + set.epsilon);
  }
};

// m' = b1 m + (1 - b1) g      u' = the larger of b2 u and |g|      w' = w - step m' / (u' + epsilon)
struct Adamax {
  using Settings = unroll::AdamaxSettings;
  static constexpr size_t slots = 2;
  static UNROLL_INLINE Vector apply(const Settings& set, Vector w, Vector g, Vector* s) {
    const Vector magnitude = g < 0.0f ? -g : g, before = s[1] * set.beta2;
    s[0] = s[0] * set.beta1 + g * set.oneMinusBeta1;
    s[1] = before > magnitude ? before : magnitude;
    return w - s[0] * set.stepSize / (s[1] + set.epsilon);
  }
};

// Stores the first `left` elements of a vector, or all if there is room.
UNROLL_INLINE void storeSome(float* to, Vector value, size_t left) {
  if (left >= lanes) return store(to, value);
  for (size_t at = 0; at < left; ++at) to[at] = value[at];
}

template <class Rule>
void update(const typename Rule::Settings& given, const unroll::UpdateWeight& of, size_t begin, size_t end) {
  // A copy, because the compiler must assume that a store to the results changes `given`.
  const typename Rule::Settings settings = given;
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
