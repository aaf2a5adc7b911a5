// The forward pass over a whole sequence. Rows of the batch do not depend on each other, so each thread carries its
// rows through all steps without ever waiting for another.
#pragma once

#include "cells.h"
#include "parallel.h"
#include "product.h"
#include "recurrent.h"
#if UNROLL_TILES
#include "tiles.h"
#endif

namespace {

using namespace unroll;

// Vectors that a cell processes side by side.
constexpr int vectorsAtOnce = 4;

// Packs rows of the right side of a product, up to as many terms as the product reads at once.
UNROLL_INLINE void packRows(Operand* to, const float* from, size_t stride, size_t terms, size_t columns) {
  packColumns(to, from, stride, terms, columns);
  constexpr size_t atOnce = panelsAside * panelWidth;
  const size_t packed = operandsOf(terms), all = UNROLL_TILES ? (terms + atOnce - 1) / atOnce * leftStride : packed;
  for (size_t at = packed * panelWidth; at < all * panelWidth; ++at) to[at] = 0;
}

// Kernel [rows, columns * hidden] to [column][unit panel][row][16], for one unit panel of one column. Input and state
// rows are padded to whole panels; padded rows are never multiplied or zero, padded units are zero.
void packKernel(const RecurrentForward& in, size_t column, size_t unitPanel) {
  const RecurrentShape& shape = in.shape;
  const size_t firstUnit = unitPanel * panelWidth, stride = shape.columns * shape.hidden;
  const float* from = in.kernel + column * shape.hidden + firstUnit;
  Operand* to = operandsIn(in.packedKernel) +
                (column * shape.hiddenPanels() + unitPanel) * shape.rowPanels() * shape.kernelTile();
  packRows(to, from, stride, shape.features, shape.hidden - firstUnit);
  packRows(to + shape.inputPanels() * shape.kernelTile(), from + shape.features * stride, stride, shape.hidden,
           shape.hidden - firstUnit);
}

// Puts one step's input rows into the operand.
void packInput(const RecurrentForward& in, size_t step, size_t rowBegin, size_t rowEnd) {
  const RecurrentShape& shape = in.shape;
  Operand* operand = operandsIn(in.buffers.operandAt(shape, step));
  for (size_t row = rowBegin; row < rowEnd; ++row) {
    const float* from = in.inputs + in.sequence.place(row, step) * shape.features;
    for (size_t panel = 0; panel < shape.inputPanels(); ++panel)
      packTerms(operand + leftAt(shape.operandPanel(), panel, row), from, panel * panelWidth, shape.features);
  }
}

// Rows [begin, end) of a [batch, hidden] tensor to panels. Null: zeros.
void packState(const RecurrentShape& shape, const Sequence& sequence, const float* from, float* to, size_t begin,
               size_t end) {
  for (size_t unit = 0; unit < shape.hiddenPanels() * panelWidth; ++unit)
    for (size_t row = begin; row < end; ++row)
      to[unit / panelWidth * shape.panel() + row * panelWidth + unit % panelWidth] =
          from && unit < shape.hidden ? from[sequence.inBatch(row) * shape.hidden + unit] : 0.0f;
}

// The inverse of packState, for one row.
void unpackRow(const RecurrentShape& shape, const Sequence& sequence, const float* from, float* to, size_t row) {
  for (size_t unit = 0; unit < shape.hidden; ++unit)
    to[sequence.inBatch(row) * shape.hidden + unit] =
        from[unit / panelWidth * shape.panel() + row * panelWidth + unit % panelWidth];
}

// Zeros past the length of a row in a tensor [batch, steps, size], where no step writes.
void clearPadding(const Sequence& sequence, float* to, size_t size, size_t row) {
  const size_t first = sequence.inBatch(row) * sequence.steps;
  for (size_t at = (first + sequence.length(row)) * size; at < (first + sequence.steps) * size; ++at) to[at] = 0.0f;
}

// Calls visit(begin, end) with one range of rows for each thread; all ranges have about the same number of steps.
template <class Visit>
void parallelRows(const RecurrentShape& shape, const Sequence& sequence, const Visit& visit) {
  const size_t ranges = threadCount() < shape.batch ? threadCount() : shape.batch;
  size_t total = 0;
  for (size_t row = 0; row < shape.batch; ++row) total += sequence.length(row);
  // The first row with at least this part of all steps before it.
  const auto rowAt = [&](size_t part) {
    if (part == ranges) return shape.batch;
    size_t row = 0;
    for (size_t before = 0; row < shape.batch && before < total * part / ranges; ++row) before += sequence.length(row);
    return row;
  };
  parallelFor(ranges, [&](size_t range) { visit(rowAt(range), rowAt(range + 1)); });
}

// Computes gates and state from the sums of 16 units of rows [begin, end).
template <class Cell>
UNROLL_INLINE void applyCells(const RecurrentForward& in, size_t step, size_t unitPanel, size_t begin, size_t end) {
  const RecurrentShape& shape = in.shape;
  const size_t panel = unitPanel * shape.panel();
  float* gates = in.buffers.gatesAt(shape, step) + panel;
  const float* state = in.buffers.stateAt(step) + panel;
  float* nextState = in.buffers.stateAt(step + 1) + panel;
  const float* cell = in.buffers.cellAt(shape, step) + panel;
  float* nextCell = in.buffers.cellAt(shape, step + 1) + panel;
  const auto apply = [&](auto vectors, size_t at) {
    const CellPlace place{shape.stateStep(), state + at, nullptr, cell + at};
    Cell::template apply<decltype(vectors)::value>(gates + at, place, nextState + at, nextCell + at);
  };
  size_t at = begin * panelWidth;
  for (; at + vectorsAtOnce * lanes <= end * panelWidth; at += vectorsAtOnce * lanes) apply(Count<vectorsAtOnce>{}, at);
  for (; at < end * panelWidth; at += lanes) apply(Count<1>{}, at);
  for (size_t row = begin; in.outputs && row < end; ++row)
    storePanelRow(in.outputs + in.sequence.place(row, step) * shape.hidden + unitPanel * panelWidth,
                  nextState + row * panelWidth, shape.hidden - unitPanel * panelWidth);
}

// Zeros in the place beside the last of an odd number of panels, which the product reads as well.
UNROLL_INLINE void clearAside(Operand* row, size_t panels, size_t panel) {
  if (panelsAside > 1 && panel % 2 == 0 && panel + 1 == panels)
    for (size_t at = panelOperands; at < leftStride; ++at) row[at] = 0;
}

// Puts some units' state before a step, times the mask, where the kernel reads it; it is there where nothing changes
// it.
inline void showState(const RecurrentForward& in, size_t step, size_t unitPanel, size_t begin, size_t end) {
  const RecurrentShape& shape = in.shape;
  if (!shape.statesApart()) return;
  const float* state = in.buffers.stateAt(step) + unitPanel * shape.panel();
  Operand* seen = operandsIn(in.buffers.seenStateAt(shape, step));
  for (size_t row = begin; row < end; ++row) {
    Operand* to = seen + leftAt(shape.operandPanel(), unitPanel, row);
    for (size_t v = 0; v < panelWidth; v += lanes) {
      Vector value = load(state + row * panelWidth + v);
      if (in.mask)
        value = value *
                loadSome(in.mask + in.sequence.inBatch(row) * shape.hidden, unitPanel * panelWidth + v, shape.hidden);
      storeTerms(to + v / operandTerms, value);
    }
    clearAside(to, shape.hiddenPanels(), unitPanel);
  }
}

// The bias of a slot for `panels` unit panels.
template <class Cell>
UNROLL_INLINE void slotBias(const RecurrentForward& in, size_t slot, size_t unitPanel, size_t panels, float* to) {
  const size_t hidden = in.shape.hidden;
  const float more = static_cast<int>(slot) == Cell::forgetSlot ? in.forgetBias : 0.0f;
  for (size_t at = 0; at < panels * panelWidth; ++at) {
    const size_t unit = unitPanel * panelWidth + at;
    to[at] = unit < hidden ? in.bias[slot * hidden + unit] + more : 0.0f;
  }
}

// Adds `count` columns of the operand from panel `panel` on, times a column of the kernel, to the sums of a slot;
// nothing where the slot has no such column (-1).
template <int Column, class Sums>
UNROLL_INLINE void addColumn(const RecurrentForward& in, Sums& tile, const Operand* operand, size_t unitPanel,
                             size_t panel, size_t count) {
  if constexpr (Column >= 0) {
    const RecurrentShape& shape = in.shape;
    constexpr size_t kernelTile = panelOperands * panelWidth;
    const size_t kernelPanel = shape.rowPanels() * kernelTile;
    const Operand* kernel =
        operandsIn(in.packedKernel) + (Column * shape.hiddenPanels() + unitPanel) * kernelPanel + panel * kernelTile;
    tile.addPanels(operand + panel * shape.operandPanel(), shape.operandPanel(), kernel, kernelTile, kernelPanel,
                   count);
  }
}

// A slot's sums for a block of rows: bias + input * kernel + state * kernel, in this order.
template <class Cell, size_t Slot, class Sums>
UNROLL_INLINE void sumSlot(const RecurrentForward& in, Sums& tile, const float* bias, size_t step, size_t row,
                           size_t unitPanel) {
  const RecurrentShape& shape = in.shape;
  const Operand* operand = operandsIn(in.buffers.operandAt(shape, step)) + row * leftStride;
  float* gates = in.buffers.gatesAt(shape, step) + Slot * shape.stateStep() + unitPanel * shape.panel();
  tile.load(bias, 0, panelWidth);
  addColumn<Cell::inputColumn[Slot]>(in, tile, operand, unitPanel, 0, shape.features);
  // Without an initial state the first step's state is zero.
  if (step > 0 || in.initialHidden)
    addColumn<Cell::stateColumn[Slot]>(in, tile, operand, unitPanel, shape.inputPanels(), shape.hidden);
  tile.store(gates + row * panelWidth, panelWidth, shape.panel());
}

// The sums of some unit panels' slots, from one slot on, for rows [begin, end).
template <class Cell, int Panels, size_t Slot = 0>
UNROLL_INLINE void sumSlots(const RecurrentForward& in, Products& products, size_t step, size_t unitPanel, size_t begin,
                            size_t end) {
  float bias[Panels * panelWidth];
  slotBias<Cell>(in, Slot, unitPanel, Panels, bias);
  forBlocks<Panels>(products, begin, end, [&](auto& block, size_t row) UNROLL_INLINED {
    sumSlot<Cell, Slot>(in, block, bias, step, row, unitPanel);
  });
  if constexpr (Slot + 1 < Cell::slots) sumSlots<Cell, Panels, Slot + 1>(in, products, step, unitPanel, begin, end);
}

template <class Cell>
void forwardRows(const RecurrentForward& in, size_t begin, size_t end) {
  const RecurrentShape& shape = in.shape;
  const Sequence& sequence = in.sequence;
  packState(shape, sequence, in.initialHidden, in.buffers.stateAt(0), begin, end);
  if constexpr (Cell::hasCell) packState(shape, sequence, in.initialCell, in.buffers.cellAt(shape, 0), begin, end);
  for (size_t panel = 0; panel < shape.hiddenPanels(); ++panel) showState(in, 0, panel, begin, end);
  Products products;
  for (size_t step = 0; step < shape.steps; ++step) {
    const size_t active = sequence.activeEnd(step, end);
    if (active <= begin) break;
    packInput(in, step, begin, active);
    forPanelGroups(shape.hiddenPanels(), [&](auto panels, size_t unitPanel) {
      constexpr int count = decltype(panels)::value;
      sumSlots<Cell, count>(in, products, step, unitPanel, begin, active);
      for (size_t panel = unitPanel; panel < unitPanel + count; ++panel) {
        applyCells<Cell>(in, step, panel, begin, active);
        showState(in, step + 1, panel, begin, active);
      }
    });
  }
  // A row's final state is where its last step stored it.
  for (size_t row = begin; row < end; ++row) {
    const size_t length = sequence.length(row);
    unpackRow(shape, sequence, in.buffers.stateAt(length), in.finalHidden, row);
    if constexpr (Cell::hasCell) unpackRow(shape, sequence, in.buffers.cellAt(shape, length), in.finalCell, row);
    if (in.outputs) clearPadding(sequence, in.outputs, shape.hidden, row);
  }
}

template <class Cell>
void forward(const RecurrentForward& in) {
  const size_t unitPanels = in.shape.hiddenPanels();
  parallelFor(Cell::columns * unitPanels, [&](size_t task) { packKernel(in, task / unitPanels, task % unitPanels); });
  parallelRows(in.shape, in.sequence, [&](size_t begin, size_t end) { forwardRows<Cell>(in, begin, end); });
}

}  // namespace
