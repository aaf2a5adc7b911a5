// How the matrices of a recurrent layer lie in memory while it is computed.
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

// Columns of a panel, for vector registers of any width.
constexpr size_t panelWidth = 16;

UNROLL_SHARED constexpr size_t panelsOf(size_t columns) { return (columns + panelWidth - 1) / panelWidth; }

// `columns`: gates in the kernel. `slots`: sums a unit has, where what comes from the input and what comes from the
// state of one gate may have to be kept apart. `hasCell`: there is a cell state beside the hidden one. `hasMask`: the
// kernel sees the hidden state times a mask. `bfloat16`: products read bfloat16 operands, two in the place of a float.
struct RecurrentShape {
  size_t batch, steps, features, hidden, columns, slots;
  bool hasCell, hasMask, bfloat16;

  UNROLL_SHARED size_t featurePanels() const { return panelsOf(features); }
  UNROLL_SHARED size_t hiddenPanels() const { return panelsOf(hidden); }
  // Panels that are the terms of a sum. With bfloat16 an even number: an instruction of AMX takes the terms of two.
  UNROLL_SHARED size_t termPanels(size_t panels) const { return bfloat16 ? panels + panels % 2 : panels; }
  UNROLL_SHARED size_t inputPanels() const { return termPanels(featurePanels()); }
  UNROLL_SHARED size_t statePanels() const { return termPanels(hiddenPanels()); }
  UNROLL_SHARED size_t rowPanels() const { return inputPanels() + statePanels(); }
  UNROLL_SHARED size_t panel() const { return batch * panelWidth; }
  UNROLL_SHARED size_t terms() const { return bfloat16 ? 2 : 1; }
  // A panel as the left side of a product, whose rows are those of the batch.
  UNROLL_SHARED size_t operandPanel() const { return panel() / terms(); }
  // A panel whose rows in the batch are the terms of each sum; with bfloat16 in pairs, and as many as fill tiles.
  UNROLL_SHARED size_t termsPanel() const {
    return (bfloat16 ? termPanels(panelsOf(batch)) * panelWidth / 2 : batch) * panelWidth;
  }
  // Whether the kernel reads something else than the state.
  UNROLL_SHARED bool statesApart() const { return hasMask || bfloat16; }
  // Floats of one step: one state; input and previous state side by side; all slots.
  UNROLL_SHARED size_t stateStep() const { return hiddenPanels() * panel(); }
  UNROLL_SHARED size_t operandStep() const { return rowPanels() * operandPanel(); }
  UNROLL_SHARED size_t gateStep() const { return slots * stateStep(); }
  // Floats of 16 kernel rows for 16 sums.
  UNROLL_SHARED size_t kernelTile() const { return panelWidth * panelWidth / terms(); }
  // Kernel packed for the forward product: [column][unit panel][row][16].
  UNROLL_SHARED size_t packedKernel() const { return columns * hiddenPanels() * rowPanels() * kernelTile(); }
  // One panel of the kernel's rows, transposed: [column][unit panel][16 units][16 rows].
  UNROLL_SHARED size_t transposedPanel() const { return columns * statePanels() * kernelTile(); }
  // Scratch of a gradient with bfloat16 operands: one step's slots for the products with the kernel; the operands and
  // the slots of all steps, in panels whose rows are terms, for the kernel's gradient.
  UNROLL_SHARED size_t roundedStep() const { return bfloat16 ? slots * statePanels() * operandPanel() : 0; }
  UNROLL_SHARED size_t pairedOperands() const { return bfloat16 ? steps * rowPanels() * termsPanel() : 0; }
  UNROLL_SHARED size_t pairedGates() const { return bfloat16 ? steps * slots * hiddenPanels() * termsPanel() : 0; }
};

// What the forward pass leaves for the gradient. Without a gradient the same code runs on two alternating steps.
struct RecurrentBuffers {
  float* operand;  // [input | what the kernel sees of the state before the step], one more step for the final state
  float* gates;    // activations, [slot][unit panel][batch][16]
  float* cells;    // cell before each step, one more for the final one
  float* states;   // state before each step; in the operand where the kernel reads it as it is
  size_t stateSlots, gateSlots, stateStride;

  UNROLL_SHARED static size_t floats(const RecurrentShape& shape, bool forGradient) {
    const size_t states = forGradient ? shape.steps + 1 : 2, gates = forGradient ? shape.steps : 1;
    const size_t ownStates = (shape.hasCell ? 1 : 0) + (shape.statesApart() ? 1 : 0);
    return states * (shape.operandStep() + ownStates * shape.stateStep()) + gates * shape.gateStep();
  }

  UNROLL_SHARED static RecurrentBuffers in(float* memory, const RecurrentShape& shape, bool forGradient) {
    const size_t states = forGradient ? shape.steps + 1 : 2, gateSlots = forGradient ? shape.steps : 1;
    float* const gates = memory + states * shape.operandStep();
    float* const cells = gates + gateSlots * shape.gateStep();
    float* const apart = cells + (shape.hasCell ? states * shape.stateStep() : 0);
    float* const inOperand = memory + shape.inputPanels() * shape.operandPanel();
    return {memory,
            gates,
            cells,
            shape.statesApart() ? apart : inOperand,
            states,
            gateSlots,
            shape.statesApart() ? shape.stateStep() : shape.operandStep()};
  }

  UNROLL_SHARED float* operandAt(const RecurrentShape& shape, size_t step) const {
    return operand + step % stateSlots * shape.operandStep();
  }
  UNROLL_SHARED float* seenStateAt(const RecurrentShape& shape, size_t step) const {
    return operandAt(shape, step) + shape.inputPanels() * shape.operandPanel();
  }
  UNROLL_SHARED float* stateAt(size_t step) const { return states + step % stateSlots * stateStride; }
  UNROLL_SHARED float* gatesAt(const RecurrentShape& shape, size_t step) const {
    return gates + step % gateSlots * shape.gateStep();
  }
  UNROLL_SHARED float* cellAt(const RecurrentShape& shape, size_t step) const {
    return cells + (shape.hasCell ? step % stateSlots * shape.stateStep() : 0);
  }
};

// Which steps of the padded sequences there are, and in which order. Rows are computed by falling length, so that those
// with something left to read at a step are the first ones, and nothing is computed that is padding. Null lengths:
// every row has all steps.
struct Sequence {
  const int32_t* lengths;  // in the order of computing
  bool reverse;
  size_t steps;
  const int32_t* rows = nullptr;  // the place of each in the batch; null where the order is that of the batch

  UNROLL_SHARED size_t length(size_t row) const { return lengths ? static_cast<size_t>(lengths[row]) : steps; }
  UNROLL_SHARED size_t inBatch(size_t row) const { return rows ? static_cast<size_t>(rows[row]) : row; }
  // Where step `step` of the recurrence is in the sequence.
  UNROLL_SHARED size_t position(size_t row, size_t step) const { return reverse ? length(row) - 1 - step : step; }
  // The same in a tensor [batch, steps].
  UNROLL_SHARED size_t place(size_t row, size_t step) const { return inBatch(row) * steps + position(row, step); }
  // The end of the rows below `end` that have a step `step`.
  UNROLL_SHARED size_t activeEnd(size_t step, size_t end) const {
    if (!lengths) return end;
    size_t begin = 0;
    while (begin < end) {
      const size_t middle = (begin + end) / 2;
      if (length(middle) > step)
        begin = middle + 1;
      else
        end = middle;
    }
    return begin;
  }
};

}  // namespace unroll
