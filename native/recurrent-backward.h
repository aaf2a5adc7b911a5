// The gradient, back through the steps. The state's recurrence runs over rows of the batch as in the forward pass and
// stores the gradient of every slot; the kernel's gradient is computed from all of them at the end.
#pragma once

#include "kernel-gradient.h"

namespace {

// A gate's gradient has many terms, so its panels are read in pieces that stay in the second-level cache.
constexpr size_t gatePanelsAtOnce = 16;

// 16 rows of the kernel, `rows` from the first one on, transposed to [column][unit panel][unit][16].
void transposeKernel(const RecurrentShape& shape, const float* kernel, size_t rows, float* to) {
  for (size_t column = 0; column < shape.columns; ++column)
    for (size_t unitPanel = 0; unitPanel < shape.statePanels(); ++unitPanel, to += shape.kernelTile()) {
      float turned[panelWidth * panelWidth];
      for (size_t row = 0; row < panelWidth; ++row) {
        const size_t from = (row * shape.columns + column) * shape.hidden + unitPanel * panelWidth;
        for (size_t unit = 0; unit < panelWidth; ++unit)
          turned[unit * panelWidth + row] =
              row < rows && unitPanel * panelWidth + unit < shape.hidden ? kernel[from + unit] : 0.0f;
      }
      packColumns(operandsIn(to), turned, panelWidth, panelWidth, panelWidth);
    }
}

// Transposes `panels` panels of the kernel's rows: `rows` rows, starting at `kernel`.
void transposeKernels(const RecurrentShape& shape, const float* kernel, size_t rows, float* to) {
  parallelFor(panelsOf(rows), [&](size_t panel) {
    transposeKernel(shape, kernel + panel * panelWidth * shape.columns * shape.hidden, rows - panel * panelWidth,
                    to + panel * shape.transposedPanel());
  });
}

// Rounds the slots of 16 units of a row, in one step's gates, to `to`: the left side of a product, each slot with an
// even number of panels.
UNROLL_INLINE void roundSlots(const RecurrentShape& shape, const float* gates, float* to, size_t panel, size_t row) {
  for (size_t slot = 0; slot < shape.slots; ++slot) {
    Operand* at = operandsIn(to) + leftAt(shape.operandPanel(), slot * shape.statePanels() + panel, row);
    packTerms(at, gates + slot * shape.stateStep() + panel * shape.panel() + row * panelWidth, 0, panelWidth);
    clearAside(at, shape.hiddenPanels(), panel);
  }
}

// Adds slots' gradient * transposed kernel to rows [begin, end) of `to`, a buffer of `panels` panels.
// A piece of the gates goes through all panels before the next one, while it is in the cache.
template <class Cell>
void addGatesTimesKernel(const RecurrentShape& shape, Products& products, const int* columns, const Operand* gates,
                         const Operand* transposed, float* to, size_t panels, size_t begin, size_t end) {
  constexpr size_t kernelTile = panelOperands * panelWidth;
  const size_t unitPanels = shape.statePanels(), gatePanels = Cell::columns * unitPanels;
  const size_t kernelPanel = shape.transposedPanel();
  size_t slots[Cell::columns];
  for (size_t column = 0; column < Cell::columns; ++column) slots[column] = slotOf(columns, Cell::slots, column);
  for (size_t first = 0; first < gatePanels; first += gatePanelsAtOnce) {
    const size_t last = first + gatePanelsAtOnce < gatePanels ? first + gatePanelsAtOnce : gatePanels;
    forPanelGroups(panels, [&](auto count, size_t panel) {
      forBlocks<decltype(count)::value>(products, begin, end, [&](auto& tile, size_t row) UNROLL_INLINED {
        float* at = to + panel * shape.panel() + row * panelWidth;
        tile.load(at, panelWidth, shape.panel());
        for (size_t gate = first, panels; gate < last; gate += panels) {
          const size_t column = gate / unitPanels, unitPanel = gate % unitPanels;
          panels = unitPanels - unitPanel < last - gate ? unitPanels - unitPanel : last - gate;
          const size_t left = shape.hidden - unitPanel * panelWidth;
          tile.addPanels(gates + leftAt(shape.operandPanel(), slots[column] * unitPanels + unitPanel, row),
                         shape.operandPanel(), transposed + panel * kernelPanel + gate * kernelTile, kernelTile,
                         kernelPanel, left < panels * panelWidth ? left : panels * panelWidth);
        }
        tile.store(at, panelWidth, shape.panel());
      });
    });
  }
}

// From the gradient of 16 units' state and cell after a step to that of the slots, and to the part of the gradient of
// state and cell before the step that does not pass through the kernel.
template <class Cell>
UNROLL_INLINE void differentiateCell(const RecurrentBackward& in, size_t step, size_t row, size_t unitPanel) {
  const RecurrentShape& shape = in.shape;
  const size_t at = unitPanel * shape.panel() + row * panelWidth, slot = shape.stateStep();
  float* gradient = in.gatesGradient + step * shape.gateStep() + at;
  const float* gates = in.buffers.gatesAt(shape, step) + at;
  const float* state = in.buffers.stateAt(step) + at;
  const float* nextState = in.buffers.stateAt(step + 1) + at;
  const float* cell = in.buffers.cellAt(shape, step) + at;
  float* hiddenGradient = in.stateGradient + at;
  float* cellGradient = hiddenGradient + shape.stateStep();
  for (size_t v = 0; v < panelWidth; v += lanes) {
    Vector dh = load(hiddenGradient + v);
    if (in.outputsGradient)
      dh += loadSome(in.outputsGradient + in.sequence.place(row, step) * shape.hidden, unitPanel * panelWidth + v,
                     shape.hidden);
    const CellPlace place{slot, state + v, nextState + v, cell + v};
    store(hiddenGradient + v, Cell::differentiate(gates + v, place, dh, cellGradient + v, gradient + v));
  }
}

// Adds the part of a step's gradient that passes through the kernel to the gradient of the state before it. With a mask
// this part is summed separately first, because the mask applies to nothing else.
template <class Cell>
void addThroughKernel(const RecurrentBackward& in, Products& products, size_t step, size_t begin, size_t end) {
  const RecurrentShape& shape = in.shape;
  float* sums = in.mask ? in.stateGradient + 2 * shape.stateStep() : in.stateGradient;
  for (size_t panel = 0; in.mask && panel < shape.hiddenPanels(); ++panel)
    for (size_t at = begin * panelWidth; at < end * panelWidth; ++at) sums[panel * shape.panel() + at] = 0.0f;
  const Operand* gates = operandsIn(bfloat16 ? in.rounded.step : in.gatesGradient + step * shape.gateStep());
  addGatesTimesKernel<Cell>(shape, products, Cell::stateColumn, gates, operandsIn(in.transposedKernel), sums,
                            shape.hiddenPanels(), begin, end);
  for (size_t panel = 0; in.mask && panel < shape.hiddenPanels(); ++panel)
    for (size_t row = begin; row < end; ++row)
      for (size_t v = 0; v < panelWidth; v += lanes) {
        const size_t at = panel * shape.panel() + row * panelWidth + v;
        const Vector mask =
            loadSome(in.mask + in.sequence.inBatch(row) * shape.hidden, panel * panelWidth + v, shape.hidden);
        store(in.stateGradient + at, load(in.stateGradient + at) + load(sums + at) * mask);
      }
}

template <class Cell>
void backwardRows(const RecurrentBackward& in, size_t begin, size_t end) {
  const RecurrentShape& shape = in.shape;
  float* hiddenGradient = in.stateGradient;
  float* cellGradient = in.stateGradient + shape.stateStep();
  packState(shape, in.sequence, in.finalHiddenGradient, hiddenGradient, begin, end);
  packState(shape, in.sequence, in.finalCellGradient, cellGradient, begin, end);
  Products products;
  for (size_t step = shape.steps; step-- > 0;) {
    const size_t active = in.sequence.activeEnd(step, end);
    if (active <= begin) continue;
    const bool throughKernel = step > 0 || in.hasInitialState;
    for (size_t unitPanel = 0; unitPanel < shape.hiddenPanels(); ++unitPanel)
      for (size_t row = begin; row < active; ++row) {
        differentiateCell<Cell>(in, step, row, unitPanel);
        // While they are in the first-level cache.
        if (bfloat16 && throughKernel)
          roundSlots(shape, in.gatesGradient + step * shape.gateStep(), in.rounded.step, unitPanel, row);
      }
    if (throughKernel) addThroughKernel<Cell>(in, products, step, begin, active);
  }
  for (size_t row = begin; in.hasInitialState && row < end; ++row) {
    unpackRow(shape, in.sequence, hiddenGradient, in.initialHiddenGradient, row);
    if constexpr (Cell::hasCell) unpackRow(shape, in.sequence, cellGradient, in.initialCellGradient, row);
  }
}

template <class Cell>
void backward(const RecurrentBackward& in) {
  const RecurrentShape& shape = in.shape;
  transposeKernels(shape, in.kernel + shape.features * Cell::columns * shape.hidden, shape.hidden, in.transposedKernel);
  parallelRows(shape, in.sequence, [&](size_t begin, size_t end) { backwardRows<Cell>(in, begin, end); });
  kernelGradient<Cell>(in);
}

// The inputs' gradient from the slots' gradient; a separate product, because the first layer never needs it.
template <class Cell>
void inputGradient(const RecurrentInputGradient& in) {
  const RecurrentShape& shape = in.shape;
  const size_t panels = shape.featurePanels();
  transposeKernels(shape, in.kernel, shape.features, in.transposedKernel);
  parallelRows(shape, in.sequence, [&](size_t begin, size_t end) {
    Products products;
    for (size_t step = 0; step < shape.steps; ++step) {
      const size_t active = in.sequence.activeEnd(step, end);
      if (active <= begin) break;
      float* sums = in.inputSums;
      for (size_t panel = 0; panel < panels; ++panel)
        for (size_t at = begin * panelWidth; at < active * panelWidth; ++at) sums[panel * shape.panel() + at] = 0.0f;
      const float* gates = in.gatesGradient + step * shape.gateStep();
      for (size_t panel = 0; bfloat16 && panel < shape.hiddenPanels(); ++panel)
        for (size_t row = begin; row < active; ++row) roundSlots(shape, gates, in.roundedStep, panel, row);
      addGatesTimesKernel<Cell>(shape, products, Cell::inputColumn, operandsIn(bfloat16 ? in.roundedStep : gates),
                                operandsIn(in.transposedKernel), sums, panels, begin, active);
      for (size_t row = begin; row < active; ++row) {
        float* to = in.inputsGradient + in.sequence.place(row, step) * shape.features;
        for (size_t panel = 0; panel < panels; ++panel)
          storePanelRow(to + panel * panelWidth, sums + panel * shape.panel() + row * panelWidth,
                        shape.features - panel * panelWidth);
      }
    }
    for (size_t row = begin; row < end; ++row) clearPadding(in.sequence, in.inputsGradient, shape.features, row);
  });
}

template <class Cell>
constexpr RecurrentKernels recurrentKernels = {forward<Cell>, backward<Cell>, inputGradient<Cell>};

}  // namespace
