// The kinds of cells: which sums a unit has, and what becomes of them. `apply` works on N vectors of units that follow
// each other, `differentiate` on one; a unit's slots are `slot` floats apart.
//
// inputColumn and stateColumn hold, for each slot, the column of the kernel's input rows and of its state rows that is
// added to it; -1 for none.
#pragma once

#include "vector.h"

namespace {

// One vector of units before and after a step.
struct CellPlace {
  size_t slot;
  const float *state, *nextState, *cell;
};

template <int N>
UNROLL_INLINE void loadAll(Vector (&values)[N], const float* from) {
  for (int at = 0; at < N; ++at) values[at] = load(from + at * lanes);
}

template <int N>
UNROLL_INLINE void storeAll(float* to, const Vector (&values)[N]) {
  for (int at = 0; at < N; ++at) store(to + at * lanes, values[at]);
}

// In place: there are fewer registers than numbers of all gates.
template <int N>
UNROLL_INLINE void sigmoidAt(float* gate) {
  Vector values[N];
  loadAll(values, gate);
  sigmoid(values);
  storeAll(gate, values);
}

template <int N>
UNROLL_INLINE void tanhAt(float* gate) {
  Vector values[N];
  loadAll(values, gate);
  tanh(values);
  storeAll(gate, values);
}

// Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000; gates in the order of
// TensorFlow 1's BasicLSTMCell, where j is the candidate (g in most papers):
//
//   c' = sigmoid(f + forgetBias) c + sigmoid(i) tanh(j)        h' = sigmoid(o) tanh(c')
struct Lstm {
  static constexpr size_t columns = 4, slots = 4;
  static constexpr int forgetSlot = 2;
  static constexpr bool hasCell = true;
  static constexpr int inputColumn[] = {0, 1, 2, 3}, stateColumn[] = {0, 1, 2, 3};

  template <int N>
  static UNROLL_INLINE void apply(float* gates, const CellPlace& place, float* nextState, float* nextCell) {
    const float *i = gates, *j = gates + place.slot, *f = gates + 2 * place.slot, *o = gates + 3 * place.slot;
    sigmoidAt<N>(gates);
    tanhAt<N>(gates + place.slot);
    sigmoidAt<N>(gates + 2 * place.slot);
    sigmoidAt<N>(gates + 3 * place.slot);
    Vector c[N];
    for (int at = 0; at < N; ++at) {
      const size_t v = at * lanes;
      c[at] = multiplyAdd(load(f + v), load(place.cell + v), load(i + v) * load(j + v));
    }
    storeAll(nextCell, c);
    tanh(c);
    for (int at = 0; at < N; ++at) store(nextState + at * lanes, load(o + at * lanes) * c[at]);
  }

  // Returns what of the gradient goes to the state before the step, other than through the kernel.
  static UNROLL_INLINE Vector differentiate(const float* gates, const CellPlace& at, Vector dh, float* cellGradient,
                                            float* gradient) {
    const Vector i = load(gates), j = load(gates + at.slot);
    const Vector f = load(gates + 2 * at.slot), o = load(gates + 3 * at.slot);
    // h' = o tanh(c'), and o is never zero: a division costs a quarter of a tanh.
    const Vector squashed = load(at.nextState) / o;
    const Vector dc = load(cellGradient) + dh * o * (1.0f - squashed * squashed);
    store(gradient, dc * j * (i * (1.0f - i)));
    store(gradient + at.slot, dc * i * (1.0f - j * j));
    store(gradient + 2 * at.slot, dc * load(at.cell) * (f * (1.0f - f)));
    store(gradient + 3 * at.slot, dh * squashed * (o * (1.0f - o)));
    store(cellGradient, dc * f);
    return Vector{};
  }
};

// Cho et al. 2014, with the reset after the product as in cuDNN and PyTorch; kernel columns reset, update, candidate.
// The candidate's sums from input and state stay apart, the latter with a bias of its own:
//
//   r = sigmoid(r)   z = sigmoid(z)   n = tanh(x_n + r h_n)   h' = n + z (h - n)
struct Gru {
  static constexpr size_t columns = 3, slots = 4;
  static constexpr int forgetSlot = -1;
  static constexpr bool hasCell = false;
  static constexpr int inputColumn[] = {0, 1, 2, -1}, stateColumn[] = {0, 1, -1, 2};

  template <int N>
  static UNROLL_INLINE void apply(float* gates, const CellPlace& place, float* nextState, float*) {
    const float *r = gates, *z = gates + place.slot, *recurrent = gates + 3 * place.slot;
    float* candidate = gates + 2 * place.slot;
    sigmoidAt<N>(gates);
    sigmoidAt<N>(gates + place.slot);
    Vector n[N];
    for (int at = 0; at < N; ++at) {
      const size_t v = at * lanes;
      n[at] = load(candidate + v) + load(r + v) * load(recurrent + v);
    }
    tanh(n);
    storeAll(candidate, n);
    for (int at = 0; at < N; ++at) {
      const size_t v = at * lanes;
      store(nextState + v, n[at] + load(z + v) * (load(place.state + v) - n[at]));
    }
  }

  static UNROLL_INLINE Vector differentiate(const float* gates, const CellPlace& at, Vector dh, float*,
                                            float* gradient) {
    const Vector r = load(gates), z = load(gates + at.slot);
    const Vector n = load(gates + 2 * at.slot), recurrent = load(gates + 3 * at.slot);
    const Vector dn = dh * (1.0f - z) * (1.0f - n * n);
    store(gradient, dn * recurrent * (r * (1.0f - r)));
    store(gradient + at.slot, dh * (load(at.state) - n) * (z * (1.0f - z)));
    store(gradient + 2 * at.slot, dn);
    store(gradient + 3 * at.slot, dn * r);
    return dh * z;
  }
};

// Elman 1990: h' = tanh(sum).
struct SimpleRnn {
  static constexpr size_t columns = 1, slots = 1;
  static constexpr int forgetSlot = -1;
  static constexpr bool hasCell = false;
  static constexpr int inputColumn[] = {0}, stateColumn[] = {0};

  template <int N>
  static UNROLL_INLINE void apply(float* gates, const CellPlace&, float* nextState, float*) {
    Vector h[N];
    loadAll(h, gates);
    tanh(h);
    storeAll(nextState, h);
  }

  static UNROLL_INLINE Vector differentiate(const float*, const CellPlace& at, Vector dh, float*, float* gradient) {
    const Vector h = load(at.nextState);
    store(gradient, dh * (1.0f - h * h));
    return Vector{};
  }
};

}  // namespace
