// The gradient, back through the steps. The state's recurrence runs over rows of the batch as in the forward pass and
// leaves the gradient of every slot; the kernel's gradient is then one product over all steps, split over its columns.
#pragma once

#include "recurrent-forward.h"

namespace {

// A gate's gradient has so many terms that its panels are taken in pieces which stay in the second-level cache.
constexpr size_t gatePanelsAtOnce = 32;
constexpr size_t rowsOfBatchAtOnce = 1024;
// Row panels of the kernel's gradient that one task computes: fine enough for many threads, coarse for the cache.
constexpr size_t rowPanelsAtOnce = 16;

// 16 rows of the kernel, `rows` from the first one on, transposed to [column][unit panel][unit][16].
void transposeKernel(const RecurrentShape& shape, const float* kernel, size_t rows, float* to) {
  for (size_t column = 0; column < shape.columns; ++column)
    for (size_t unitPanel = 0; unitPanel < shape.hiddenPanels(); ++unitPanel, to += width * width)
      for (size_t row = 0; row < width; ++row) {
        const float* from = kernel + (row * shape.columns + column) * shape.hidden + unitPanel * width;
        for (size_t unit = 0; unit < width; ++unit)
          to[unit * width + row] = row < rows && unitPanel * width + unit < shape.hidden ? from[unit] : 0.0f;
      }
}

// Transposes `panels` panels of the kernel's rows that start at `kernel` and are `rows` in all.
void transposeKernels(const RecurrentShape& shape, const float* kernel, size_t rows, float* to) {
  parallelFor(panelsOf(rows), [&](size_t panel) {
    transposeKernel(shape, kernel + panel * width * shape.columns * shape.hidden, rows - panel * width,
                    to + panel * shape.transposedPanel());
  });
}

// The slot whose gradient belongs to a column of the kernel.
UNROLL_INLINE size_t slotOf(const int* columns, int slots, size_t column) {
  for (int slot = 0; slot < slots; ++slot)
    if (columns[slot] == static_cast<int>(column)) return static_cast<size_t>(slot);
  return 0;
}

// Adds slots' gradient * transposed kernel to rows [begin, end) of `to`, a buffer of `panels` panels.
// A piece of the gates goes through all panels before the next one, while it is in the cache.
template <class Cell>
void addGatesTimesKernel(const RecurrentShape& shape, const int* columns, const float* gates, const float* transposed,
                         float* to, size_t panels, size_t begin, size_t end) {
  const size_t unitPanels = shape.hiddenPanels(), gatePanels = Cell::columns * unitPanels;
  const size_t kernelPanel = shape.transposedPanel();
  size_t slots[Cell::columns];
  for (size_t column = 0; column < Cell::columns; ++column) slots[column] = slotOf(columns, Cell::slots, column);
  for (size_t first = 0; first < gatePanels; first += gatePanelsAtOnce) {
    const size_t last = first + gatePanelsAtOnce < gatePanels ? first + gatePanelsAtOnce : gatePanels;
    forPanelGroups(panels, [&](auto count, size_t panel) {
      forRowBlocks(begin, end, [&](auto rows, size_t row) {
        float* at = to + panel * shape.panel() + row * width;
        Tile<decltype(rows)::value, decltype(count)::value> tile;
        tile.load(at, width, shape.panel());
        for (size_t gate = first; gate < last; ++gate) {
          const size_t unitPanel = gate % unitPanels, left = shape.hidden - unitPanel * width;
          const float* from = gates + (slots[gate / unitPanels] * unitPanels + unitPanel) * shape.panel();
          tile.template add<width, 1>(from + row * width, transposed + panel * kernelPanel + gate * width * width,
                                      kernelPanel, left < width ? left : width);
        }
        tile.store(at, width, shape.panel());
      });
    });
  }
}

// From the gradient of 16 units' state and cell after a step to that of the slots, and of state and cell before it as
// far as it does not go through the kernel.
template <class Cell>
UNROLL_INLINE void differentiateCell(const RecurrentBackward& in, size_t step, size_t row, size_t unitPanel) {
  const RecurrentShape& shape = in.shape;
  const size_t at = unitPanel * shape.panel() + row * width, slot = shape.stateStep();
  float* gradient = in.gatesGradient + step * shape.gateStep() + at;
  const float* gates = in.buffers.gatesAt(shape, step) + at;
  const float* state = in.buffers.stateAt(step) + at;
  const float* nextState = in.buffers.stateAt(step + 1) + at;
  const float* cell = in.buffers.cellAt(shape, step) + at;
  float* hiddenGradient = in.stateGradient + at;
  float* cellGradient = hiddenGradient + shape.stateStep();
  for (size_t v = 0; v < width; v += lanes) {
    Vector dh = load(hiddenGradient + v);
    if (in.outputsGradient)
      dh += loadSome(in.outputsGradient + in.sequence.place(row, step) * shape.hidden, unitPanel * width + v,
                      shape.hidden);
    const CellPlace place{slot, state + v, nextState + v, cell + v};
    store(hiddenGradient + v, Cell::differentiate(gates + v, place, dh, cellGradient + v, gradient + v));
  }
}

// Adds what a step's gradient passes through the kernel to that of the state before it. With a mask it is summed by
// itself first, because the mask is on nothing else.
template <class Cell>
void addThroughKernel(const RecurrentBackward& in, size_t step, size_t begin, size_t end) {
  const RecurrentShape& shape = in.shape;
  float* sums = in.mask ? in.stateGradient + 2 * shape.stateStep() : in.stateGradient;
  for (size_t panel = 0; in.mask && panel < shape.hiddenPanels(); ++panel)
    for (size_t at = begin * width; at < end * width; ++at) sums[panel * shape.panel() + at] = 0.0f;
  addGatesTimesKernel<Cell>(shape, Cell::stateColumn, in.gatesGradient + step * shape.gateStep(), in.transposedKernel,
                            sums, shape.hiddenPanels(), begin, end);
  for (size_t panel = 0; in.mask && panel < shape.hiddenPanels(); ++panel)
    for (size_t row = begin; row < end; ++row)
      for (size_t v = 0; v < width; v += lanes) {
        const size_t at = panel * shape.panel() + row * width + v;
        const Vector mask = loadSome(in.mask + in.sequence.inBatch(row) * shape.hidden, panel * width + v, shape.hidden);
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
  for (size_t step = shape.steps; step-- > 0;) {
    const size_t active = in.sequence.activeEnd(step, end);
    if (active <= begin) continue;
    for (size_t unitPanel = 0; unitPanel < shape.hiddenPanels(); ++unitPanel)
      for (size_t row = begin; row < active; ++row) differentiateCell<Cell>(in, step, row, unitPanel);
    if (step > 0 || in.hasInitialState) addThroughKernel<Cell>(in, step, begin, active);
  }
  for (size_t row = begin; in.hasInitialState && row < end; ++row) {
    unpackRow(shape, in.sequence, hiddenGradient, in.initialHiddenGradient, row);
    if constexpr (Cell::hasCell) unpackRow(shape, in.sequence, cellGradient, in.initialCellGradient, row);
  }
}

// A block of the kernel's gradient between memory and a tile. Beyond the last unit stand other gates, so the rest of a
// panel passes through a block of its own.
template <int Rows, int Panels>
struct GradientBlock {
  float* memory;
  size_t rowStride, units;
  float block[Rows * Panels * width];

  UNROLL_INLINE bool whole() const { return units >= Panels * width; }

  UNROLL_INLINE void read(Tile<Rows, Panels>& tile) {
    if (whole()) return tile.load(memory, rowStride, width);
    for (size_t row = 0; row < Rows; ++row)
      for (size_t unit = 0; unit < Panels * width; ++unit)
        block[row * Panels * width + unit] = unit < units ? memory[row * rowStride + unit] : 0.0f;
    tile.load(block, Panels * width, width);
  }

  UNROLL_INLINE void write(const Tile<Rows, Panels>& tile) {
    if (whole()) return tile.store(memory, rowStride, width);
    tile.store(block, Panels * width, width);
    for (size_t row = 0; row < Rows; ++row)
      for (size_t unit = 0; unit < units; ++unit) memory[row * rowStride + unit] = block[row * Panels * width + unit];
  }
};

// operand^T * slots' gradient over all steps and the whole batch, for some units of one column and one row panel.
template <class Cell, int Panels>
void kernelGradientOf(const RecurrentBackward& in, size_t column, size_t unitPanel, size_t rowPanel, size_t begin,
                      size_t end) {
  const RecurrentShape& shape = in.shape;
  const bool input = rowPanel < shape.inputPanels();
  const size_t first = input ? rowPanel * width : (rowPanel - shape.inputPanels()) * width;
  const size_t left = (input ? shape.features : shape.hidden) - first;
  const size_t slot = slotOf(input ? Cell::inputColumn : Cell::stateColumn, Cell::slots, column);
  const size_t rowStride = Cell::columns * shape.hidden;
  const float* gates = in.gatesGradient + slot * shape.stateStep() + unitPanel * shape.panel();
  float* result = in.kernelGradient + (first + (input ? 0 : shape.features)) * rowStride + column * shape.hidden +
                  unitPanel * width;
  // Without an initial state the first step's state is zero.
  const size_t from = begin == 0 && !input && !in.hasInitialState ? 1 : begin;
  forRowBlocks(0, left < width ? left : width, [&](auto rows, size_t row) {
    Tile<decltype(rows)::value, Panels> tile;
    GradientBlock<decltype(rows)::value, Panels> block;
    block.memory = result + row * rowStride;
    block.rowStride = rowStride;
    block.units = shape.hidden - unitPanel * width;
    if (begin == 0)
      tile.clear();
    else
      block.read(tile);
    for (size_t step = from; step < end; ++step)
      tile.template add<1, width>(in.buffers.operandAt(shape, step) + rowPanel * shape.panel() + row,
                                  gates + step * shape.gateStep(), shape.panel(),
                                  in.sequence.activeEnd(step, shape.batch));
    block.write(tile);
  });
}

// Adds the gradient of one slot's bias over some steps, while they are in the cache, to `sums`: 16 for each unit panel.
inline void addBiasGradient(const RecurrentBackward& in, size_t slot, size_t unitPanel, size_t panels, size_t begin,
                            size_t end, float* sums) {
  const RecurrentShape& shape = in.shape;
  for (size_t step = begin; step < end; ++step) {
    const size_t active = in.sequence.activeEnd(step, shape.batch);
    for (size_t panel = 0; panel < panels; ++panel) {
      const float* from = in.gatesGradient + step * shape.gateStep() + slot * shape.stateStep() +
                          (unitPanel + panel) * shape.panel();
      for (size_t row = 0; row < active; ++row)
        for (size_t unit = 0; unit < width; ++unit) sums[panel * width + unit] += from[row * width + unit];
    }
  }
}

// Of kernel and bias: one task for some units of one column and some row panels.
template <class Cell>
void kernelGradient(const RecurrentBackward& in) {
  const RecurrentShape& shape = in.shape;
  const size_t groups = (shape.hiddenPanels() + tilePanels - 1) / tilePanels;
  const size_t chunks = (shape.rowPanels() + rowPanelsAtOnce - 1) / rowPanelsAtOnce;
  const size_t steps = rowsOfBatchAtOnce > shape.batch ? rowsOfBatchAtOnce / shape.batch : 1;
  parallelFor(groups * Cell::columns * chunks, [&](size_t task) {
    const size_t chunk = task % chunks, unitPanel = task / chunks / Cell::columns * tilePanels;
    const int column = static_cast<int>(task / chunks % Cell::columns);
    const size_t lastPanel = (chunk + 1) * rowPanelsAtOnce;
    const size_t endPanel = lastPanel < shape.rowPanels() ? lastPanel : shape.rowPanels();
    const size_t count = shape.hiddenPanels() - unitPanel < tilePanels ? shape.hiddenPanels() - unitPanel : tilePanels;
    float biasSums[Cell::slots][tilePanels * width] = {};
    const auto hasBias = [&](int slot) {
      return chunk == 0 && (Cell::inputColumn[slot] == column || Cell::stateColumn[slot] == column);
    };
    for (size_t begin = 0; begin < shape.steps; begin += steps) {
      const size_t end = begin + steps < shape.steps ? begin + steps : shape.steps;
      for (size_t rowPanel = chunk * rowPanelsAtOnce; rowPanel < endPanel; ++rowPanel)
        forPanelGroups(count, [&](auto panels, size_t) {
          kernelGradientOf<Cell, decltype(panels)::value>(in, column, unitPanel, rowPanel, begin, end);
        });
      for (int slot = 0; slot < Cell::slots; ++slot)
        if (hasBias(slot)) addBiasGradient(in, slot, unitPanel, count, begin, end, biasSums[slot]);
    }
    for (int slot = 0; slot < Cell::slots; ++slot)
      for (size_t panel = 0; hasBias(slot) && panel < count; ++panel) {
        const size_t unit = (unitPanel + panel) * width;
        storeUnits(in.biasGradient + slot * shape.hidden + unit, biasSums[slot] + panel * width, shape.hidden - unit);
      }
  });
}

template <class Cell>
void backward(const RecurrentBackward& in) {
  const RecurrentShape& shape = in.shape;
  transposeKernels(shape, in.kernel + shape.features * Cell::columns * shape.hidden, shape.hidden,
                   in.transposedKernel);
  parallelRows(shape, in.sequence, [&](size_t begin, size_t end) { backwardRows<Cell>(in, begin, end); });
  kernelGradient<Cell>(in);
}

// Of the inputs, from the slots' gradient; a product of its own because the first layer never needs it.
template <class Cell>
void inputGradient(const RecurrentInputGradient& in) {
  const RecurrentShape& shape = in.shape;
  const size_t panels = shape.inputPanels();
  transposeKernels(shape, in.kernel, shape.features, in.transposedKernel);
  parallelRows(shape, in.sequence, [&](size_t begin, size_t end) {
    for (size_t step = 0; step < shape.steps; ++step) {
      const size_t active = in.sequence.activeEnd(step, end);
      if (active <= begin) break;
      float* sums = in.inputSums;
      for (size_t panel = 0; panel < panels; ++panel)
        for (size_t at = begin * width; at < active * width; ++at) sums[panel * shape.panel() + at] = 0.0f;
      addGatesTimesKernel<Cell>(shape, Cell::inputColumn, in.gatesGradient + step * shape.gateStep(),
                                in.transposedKernel, sums, panels, begin, active);
      for (size_t row = begin; row < active; ++row) {
        float* to = in.inputsGradient + in.sequence.place(row, step) * shape.features;
        for (size_t panel = 0; panel < panels; ++panel)
          storeUnits(to + panel * width, sums + panel * shape.panel() + row * width, shape.features - panel * width);
      }
    }
    for (size_t row = begin; row < end; ++row) clearPadding(in.sequence, in.inputsGradient, shape.features, row);
  });
}

template <class Cell>
constexpr RecurrentKernels recurrentKernels = {forward<Cell>, backward<Cell>, inputGradient<Cell>};

}  // namespace
