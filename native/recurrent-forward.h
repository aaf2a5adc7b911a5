// The forward pass over a whole sequence. Rows of the batch do not depend on each other, so each thread carries its
// rows through all steps without ever waiting for another.
#pragma once

#include "lstm.h"
#include "parallel.h"
#include "product.h"

namespace {

using namespace unroll;

// Kernel [rows, 4 hidden] to [unit panel][gate][row][16], for one unit panel. Input and state rows are padded to whole
// panels; padded rows are never multiplied, padded units are zero.
void packKernel(const LstmForward& in, size_t unitPanel) {
  const LstmShape& shape = in.shape;
  const size_t rows = shape.rowPanels() * width, paddedFeatures = shape.inputPanels() * width;
  const size_t firstUnit = unitPanel * width;
  const size_t units = shape.hidden - firstUnit < width ? shape.hidden - firstUnit : width;
  for (size_t row = 0; row < shape.features + shape.hidden; ++row) {
    const size_t packedRow = row < shape.features ? row : row - shape.features + paddedFeatures;
    for (size_t gate = 0; gate < 4; ++gate) {
      const float* from = in.kernel + row * 4 * shape.hidden + gate * shape.hidden + firstUnit;
      float* to = in.packedKernel + ((unitPanel * 4 + gate) * rows + packedRow) * width;
      for (size_t unit = 0; unit < width; ++unit) to[unit] = unit < units ? from[unit] : 0.0f;
    }
  }
}

// Puts one step's input rows into the operand. What stands beyond a sequence's length is never read, NaN or not.
void packInput(const LstmForward& in, size_t step, size_t rowBegin, size_t rowEnd) {
  const LstmShape& shape = in.shape;
  float* operand = in.buffers.operandAt(shape, step);
  for (size_t row = rowBegin; row < rowEnd; ++row) {
    const bool active = in.sequence.active(row, step);
    const float* from = in.inputs + (row * shape.steps + in.sequence.position(row, step)) * shape.features;
    for (size_t panel = 0; panel < shape.inputPanels(); ++panel) {
      float* to = operand + panel * shape.panel() + row * width;
      const size_t first = panel * width;
      for (size_t column = 0; column < width; ++column)
        to[column] = active && first + column < shape.features ? from[first + column] : 0.0f;
    }
  }
}

// Rows [begin, end) of a [batch, hidden] tensor to panels and back. Null: zeros.
void packState(const LstmShape& shape, const float* from, float* to, size_t begin, size_t end) {
  for (size_t unit = 0; unit < shape.hiddenPanels() * width; ++unit)
    for (size_t row = begin; row < end; ++row)
      to[unit / width * shape.panel() + row * width + unit % width] =
          from && unit < shape.hidden ? from[row * shape.hidden + unit] : 0.0f;
}

void unpackState(const LstmShape& shape, const float* from, float* to, size_t begin, size_t end) {
  for (size_t row = begin; row < end; ++row)
    for (size_t unit = 0; unit < shape.hidden; ++unit)
      to[row * shape.hidden + unit] = from[unit / width * shape.panel() + row * width + unit % width];
}

// Copies 16 values of a panel's row to a row-major tensor, where fewer may be left.
UNROLL_INLINE void storeUnits(float* to, const float* from, size_t count) {
  if (count >= width) {
    for (int v = 0; v < vectorsPerPanel; ++v) store(to + v * lanes, load(from + v * lanes));
  } else {
    for (size_t unit = 0; unit < count; ++unit) to[unit] = from[unit];
  }
}

// From the four sums of 16 units of one row to its gates, cell and state.
UNROLL_INLINE void applyGates(const LstmForward& in, size_t step, size_t row, size_t unitPanel) {
  const LstmShape& shape = in.shape;
  const size_t at = unitPanel * shape.panel() + row * width;
  float* gates = in.buffers.gatesAt(shape, step) + unitPanel * 4 * shape.panel() + row * width;
  const float* cell = in.buffers.cellAt(shape, step) + at;
  float* nextCell = in.buffers.cellAt(shape, step + 1) + at;
  float* nextState = in.buffers.stateAt(shape, step + 1) + at;
  if (in.sequence.active(row, step)) {
    for (int v = 0; v < vectorsPerPanel; ++v, gates += lanes) {
      const Vector i = sigmoid(load(gates));
      const Vector j = tanh(load(gates + shape.panel()));
      const Vector f = sigmoid(load(gates + 2 * shape.panel()));
      const Vector o = sigmoid(load(gates + 3 * shape.panel()));
      const Vector c = f * load(cell + v * lanes) + i * j;
      store(gates, i);
      store(gates + shape.panel(), j);
      store(gates + 2 * shape.panel(), f);
      store(gates + 3 * shape.panel(), o);
      store(nextCell + v * lanes, c);
      store(nextState + v * lanes, o * tanh(c));
    }
  } else {
    const float* state = in.buffers.stateAt(shape, step) + at;
    for (int v = 0; v < vectorsPerPanel; ++v) {
      store(nextCell + v * lanes, load(cell + v * lanes));
      store(nextState + v * lanes, load(state + v * lanes));
    }
  }
  if (!in.outputs) return;
  const float zeros[width] = {};
  const size_t position = in.sequence.position(row, step);
  storeUnits(in.outputs + (row * shape.steps + position) * shape.hidden + unitPanel * width,
             in.sequence.active(row, step) ? nextState : zeros, shape.hidden - unitPanel * width);
}

// The gates' sums of 16 units for a block of rows: bias + input * kernel + state * kernel, in this order.
template <int Rows>
UNROLL_INLINE void sumGates(const LstmForward& in, const float* bias, size_t step, size_t row, size_t unitPanel) {
  const LstmShape& shape = in.shape;
  const float* operand = in.buffers.operandAt(shape, step) + row * width;
  float* gates = in.buffers.gatesAt(shape, step) + unitPanel * 4 * shape.panel() + row * width;
  const size_t packedRows = shape.rowPanels() * width;
  for (int gate = 0; gate < 4; gate += tilePanels) {
    const float* kernel = in.packedKernel + (unitPanel * 4 + gate) * packedRows * width;
    Tile<Rows, tilePanels> tile;
    tile.load(bias + gate * width, 0, width);
    // Without an initial state the first step's state is zero.
    const size_t panels = step == 0 && !in.initialHidden ? shape.inputPanels() : shape.rowPanels();
    for (size_t panel = 0; panel < panels; ++panel) {
      const size_t left = panel < shape.inputPanels() ? shape.features - panel * width
                                                      : shape.hidden - (panel - shape.inputPanels()) * width;
      tile.template add<width, 1>(operand + panel * shape.panel(), kernel + panel * width * width,
                                  packedRows * width, left < width ? left : width);
    }
    tile.store(gates + gate * shape.panel(), width, shape.panel());
  }
}

void forwardRows(const LstmForward& in, size_t begin, size_t end) {
  const LstmShape& shape = in.shape;
  packState(shape, in.initialHidden, in.buffers.stateAt(shape, 0), begin, end);
  packState(shape, in.initialCell, in.buffers.cellAt(shape, 0), begin, end);
  for (size_t step = 0; step < shape.steps; ++step) {
    packInput(in, step, begin, end);
    for (size_t unitPanel = 0; unitPanel < shape.hiddenPanels(); ++unitPanel) {
      float bias[4 * width];
      for (size_t gate = 0; gate < 4; ++gate)
        for (size_t unit = 0; unit < width; ++unit) {
          const size_t at = unitPanel * width + unit;
          bias[gate * width + unit] =
              at < shape.hidden ? in.bias[gate * shape.hidden + at] + (gate == 2 ? in.forgetBias : 0.0f) : 0.0f;
        }
      forRowBlocks(begin, end, [&](auto rows, size_t row) {
        sumGates<decltype(rows)::value>(in, bias, step, row, unitPanel);
        for (int offset = 0; offset < decltype(rows)::value; ++offset) applyGates(in, step, row + offset, unitPanel);
      });
    }
  }
  unpackState(shape, in.buffers.stateAt(shape, shape.steps), in.finalHidden, begin, end);
  unpackState(shape, in.buffers.cellAt(shape, shape.steps), in.finalCell, begin, end);
}

void forward(const LstmForward& in) {
  parallelFor(in.shape.hiddenPanels(), [&](size_t unitPanel) { packKernel(in, unitPanel); });
  parallelRanges(in.shape.batch, [&](size_t begin, size_t end) { forwardRows(in, begin, end); });
}

}  // namespace
