// How an LSTM's matrices lie in memory while it is computed.
//
// A matrix of `batch` rows is stored as panels of 16 columns, `[columns / 16][batch][16]`, columns padded with zeros.
// Such a buffer serves three products as it is: its rows are broadcast in the forward and the state's backward
// product, and read along the batch in the product that gives the weights' gradient. Nothing is packed twice.
#pragma once

#include <cstddef>
#include <cstdint>

namespace unroll {

// Code in headers is compiled for each instruction set. Forced inline, no copy is left for the linker to choose: a
// machine without AVX512 must not end up in the AVX512 one.
#define UNROLL_SHARED inline __attribute__((always_inline))

constexpr size_t width = 16;

UNROLL_SHARED constexpr size_t panelsOf(size_t columns) { return (columns + width - 1) / width; }

struct LstmShape {
  size_t batch, steps, features, hidden;

  UNROLL_SHARED size_t inputPanels() const { return panelsOf(features); }
  UNROLL_SHARED size_t hiddenPanels() const { return panelsOf(hidden); }
  UNROLL_SHARED size_t rowPanels() const { return inputPanels() + hiddenPanels(); }
  UNROLL_SHARED size_t panel() const { return batch * width; }
  // Floats of one step: input and previous state side by side; four gates of each unit panel; one state.
  UNROLL_SHARED size_t operandStep() const { return rowPanels() * panel(); }
  UNROLL_SHARED size_t gateStep() const { return 4 * hiddenPanels() * panel(); }
  UNROLL_SHARED size_t stateStep() const { return hiddenPanels() * panel(); }
  // Kernel packed for the forward product: [unit panel][gate][row][16].
  UNROLL_SHARED size_t packedKernel() const { return hiddenPanels() * 4 * rowPanels() * width * width; }
  // Kernel of `panels` panels of rows, transposed: [row panel][unit panel][gate][16 units][16 rows].
  UNROLL_SHARED size_t transposedKernel(size_t panels) const { return panels * hiddenPanels() * 4 * width * width; }
};

// What the forward pass leaves for the gradient. Without a gradient the same code runs on two alternating steps.
struct LstmBuffers {
  float* operand;  // [input | state before the step], one more step for the final state
  float* gates;    // activations i, j, f, o
  float* cells;    // cell before each step, one more for the final one
  size_t operandSlots, gateSlots;

  UNROLL_SHARED static size_t floats(const LstmShape& shape, size_t slots, size_t gateSlots) {
    return slots * (shape.operandStep() + shape.stateStep()) + gateSlots * shape.gateStep();
  }

  UNROLL_SHARED static LstmBuffers in(float* memory, const LstmShape& shape, bool forGradient) {
    const size_t slots = forGradient ? shape.steps + 1 : 2;
    const size_t gateSlots = forGradient ? shape.steps : 1;
    float* gates = memory + slots * shape.operandStep();
    return {memory, gates, gates + gateSlots * shape.gateStep(), slots, gateSlots};
  }

  UNROLL_SHARED static size_t floats(const LstmShape& shape, bool forGradient) {
    return forGradient ? floats(shape, shape.steps + 1, shape.steps) : floats(shape, 2, 1);
  }

  UNROLL_SHARED float* operandAt(const LstmShape& shape, size_t step) const {
    return operand + step % operandSlots * shape.operandStep();
  }
  UNROLL_SHARED float* stateAt(const LstmShape& shape, size_t step) const {
    return operandAt(shape, step) + shape.inputPanels() * shape.panel();
  }
  UNROLL_SHARED float* gatesAt(const LstmShape& shape, size_t step) const { return gates + step % gateSlots * shape.gateStep(); }
  UNROLL_SHARED float* cellAt(const LstmShape& shape, size_t step) const { return cells + step % operandSlots * shape.stateStep(); }
};

// Which steps of the padded sequence a row uses, and in which order. Null lengths: all of them.
struct Sequence {
  const int32_t* lengths;
  bool reverse;
  size_t steps;

  UNROLL_SHARED size_t length(size_t row) const { return lengths ? static_cast<size_t>(lengths[row]) : steps; }
  UNROLL_SHARED bool active(size_t row, size_t step) const { return step < length(row); }
  // Where step `step` of the recurrence stands in the sequence; padding stays where it is.
  UNROLL_SHARED size_t position(size_t row, size_t step) const {
    return reverse && active(row, step) ? length(row) - 1 - step : step;
  }
};

}  // namespace unroll
