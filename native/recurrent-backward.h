// The gradient, back through the steps. The state's recurrence runs over rows of the batch as in the forward pass and
// leaves the gradient of every gate; the kernel's gradient is then one product over all steps, split over its columns.
#pragma once

#include "lstm-forward.h"

namespace {

// A gate's gradient has so many terms that its panels are taken in pieces which stay in the second-level cache.
constexpr size_t gatePanelsAtOnce = 32;
constexpr size_t rowsOfBatchAtOnce = 1024;

// Rows [firstRow + 16 rowPanel, ...) of the kernel, at most `rows` in all, transposed to [unit panel][gate][unit][16].
void transposeKernel(const LstmShape& shape, const float* kernel, size_t rows, size_t rowPanel, float* to) {
  for (size_t unitPanel = 0; unitPanel < shape.hiddenPanels(); ++unitPanel)
    for (size_t gate = 0; gate < 4; ++gate, to += width * width)
      for (size_t column = 0; column < width; ++column) {
        const size_t row = rowPanel * width + column;
        const float* from = kernel + row * 4 * shape.hidden + gate * shape.hidden + unitPanel * width;
        for (size_t unit = 0; unit < width; ++unit)
          to[unit * width + column] = row < rows && unitPanel * width + unit < shape.hidden ? from[unit] : 0.0f;
      }
}

// Adds gates' gradient * transposed kernel to rows [begin, end) of `to`, a buffer of `panels` panels.
void addGatesTimesKernel(const LstmShape& shape, const float* gates, const float* transposed, float* to, size_t panels,
                         size_t begin, size_t end) {
  const size_t gatePanels = 4 * shape.hiddenPanels(), kernelPanel = gatePanels * width * width;
  forPanelGroups(panels, [&](auto count, size_t panel) {
    for (size_t first = 0; first < gatePanels; first += gatePanelsAtOnce) {
      const size_t last = first + gatePanelsAtOnce < gatePanels ? first + gatePanelsAtOnce : gatePanels;
      forRowBlocks(begin, end, [&](auto rows, size_t row) {
        float* at = to + panel * shape.panel() + row * width;
        Tile<decltype(rows)::value, decltype(count)::value> tile;
        tile.load(at, width, shape.panel());
        for (size_t gate = first; gate < last; ++gate) {
          const size_t left = shape.hidden - gate / 4 * width;
          tile.template add<width, 1>(gates + gate * shape.panel() + row * width,
                                      transposed + panel * kernelPanel + gate * width * width, kernelPanel,
                                      left < width ? left : width);
        }
        tile.store(at, width, shape.panel());
      });
    }
  });
}

// Reads 16 values of a row-major tensor's row, where fewer may be left, into a panel's row.
UNROLL_INLINE Vector loadUnits(const float* from, size_t first, size_t count) {
  if (first + lanes <= count) return load(from + first);
  Vector value = {};
  for (size_t unit = first; unit < count; ++unit) value[unit - first] = from[unit];
  return value;
}

// From the gradient of 16 units' state and cell after a step to that of the gates and of the cell before it. The
// state's is left as zero for the product to add to; past the end of its sequence a row passes both on unchanged.
UNROLL_INLINE void gatesGradientOf(const LstmBackward& in, size_t step, size_t row, size_t unitPanel) {
  const LstmShape& shape = in.shape;
  const size_t panel = shape.panel(), at = unitPanel * panel + row * width;
  const size_t gatesAt = unitPanel * 4 * panel + row * width;
  float* gradient = in.gatesGradient + step * shape.gateStep() + gatesAt;
  if (!in.sequence.active(row, step)) {
    for (int gate = 0; gate < 4; ++gate)
      for (int v = 0; v < vectorsPerPanel; ++v) store(gradient + gate * panel + v * lanes, Vector{});
    return;
  }
  const float* gates = in.buffers.gatesAt(shape, step) + gatesAt;
  const float* cell = in.buffers.cellAt(shape, step) + at;
  const float* nextCell = in.buffers.cellAt(shape, step + 1) + at;
  float* hiddenGradient = in.stateGradient + at;
  float* cellGradient = hiddenGradient + shape.stateStep();
  for (int v = 0; v < vectorsPerPanel; ++v) {
    const int unit = v * lanes;
    const Vector i = load(gates + unit), j = load(gates + panel + unit);
    const Vector f = load(gates + 2 * panel + unit), o = load(gates + 3 * panel + unit);
    const Vector squashed = tanh(load(nextCell + unit));
    Vector dh = load(hiddenGradient + unit);
    if (in.outputsGradient) {
      const size_t position = in.sequence.position(row, step);
      dh += loadUnits(in.outputsGradient + (row * shape.steps + position) * shape.hidden + unitPanel * width, unit,
                      shape.hidden - unitPanel * width);
    }
    const Vector dc = load(cellGradient + unit) + dh * o * (1.0f - squashed * squashed);
    store(gradient + unit, dc * j * (i * (1.0f - i)));
    store(gradient + panel + unit, dc * i * (1.0f - j * j));
    store(gradient + 2 * panel + unit, dc * load(cell + unit) * (f * (1.0f - f)));
    store(gradient + 3 * panel + unit, dh * squashed * (o * (1.0f - o)));
    store(cellGradient + unit, dc * f);
    store(hiddenGradient + unit, Vector{});
  }
}

void backwardRows(const LstmBackward& in, size_t begin, size_t end) {
  const LstmShape& shape = in.shape;
  float* hiddenGradient = in.stateGradient;
  float* cellGradient = in.stateGradient + shape.stateStep();
  packState(shape, in.finalHiddenGradient, hiddenGradient, begin, end);
  packState(shape, in.finalCellGradient, cellGradient, begin, end);
  for (size_t step = shape.steps; step-- > 0;) {
    for (size_t unitPanel = 0; unitPanel < shape.hiddenPanels(); ++unitPanel)
      for (size_t row = begin; row < end; ++row) gatesGradientOf(in, step, row, unitPanel);
    if (step > 0 || in.hasInitialState)
      addGatesTimesKernel(shape, in.gatesGradient + step * shape.gateStep(), in.transposedKernel, hiddenGradient,
                          shape.hiddenPanels(), begin, end);
  }
  if (!in.hasInitialState) return;
  unpackState(shape, hiddenGradient, in.initialHiddenGradient, begin, end);
  unpackState(shape, cellGradient, in.initialCellGradient, begin, end);
}

// operand^T * gates' gradient for the 16 units of each of four gates, over all steps and the whole batch.
void kernelGradientOf(const LstmBackward& in, size_t unitPanel) {
  const LstmShape& shape = in.shape;
  const size_t panel = shape.panel();
  const size_t steps = rowsOfBatchAtOnce > shape.batch ? rowsOfBatchAtOnce / shape.batch : 1;
  const size_t units = shape.hidden - unitPanel * width;
  const float* gates = in.gatesGradient + unitPanel * 4 * panel;
  for (size_t begin = 0; begin < shape.steps; begin += steps) {
    const size_t end = begin + steps < shape.steps ? begin + steps : shape.steps;
    for (size_t rowPanel = 0; rowPanel < shape.rowPanels(); ++rowPanel) {
      const bool input = rowPanel < shape.inputPanels();
      const size_t first = input ? rowPanel * width : (rowPanel - shape.inputPanels()) * width;
      const size_t left = (input ? shape.features : shape.hidden) - first;
      float* result = in.kernelGradient + (first + (input ? 0 : shape.features)) * 4 * shape.hidden + unitPanel * width;
      forRowBlocks(0, left < width ? left : width, [&](auto rows, size_t row) {
        constexpr int count = decltype(rows)::value;
        for (size_t gate = 0; gate < 4; gate += tilePanels) {
          Tile<count, tilePanels> tile;
          float* to = result + row * 4 * shape.hidden + gate * shape.hidden;
          // Results of fewer than 16 units pass through a block of their own: beyond them stand other gates.
          float block[count * tilePanels * width];
          if (begin == 0) {
            tile.clear();
          } else if (units >= width) {
            tile.load(to, 4 * shape.hidden, shape.hidden);
          } else {
            for (int r = 0; r < count; ++r)
              for (int g = 0; g < tilePanels; ++g)
                for (size_t unit = 0; unit < width; ++unit)
                  block[(r * tilePanels + g) * width + unit] =
                      unit < units ? to[r * 4 * shape.hidden + g * shape.hidden + unit] : 0.0f;
            tile.load(block, tilePanels * width, width);
          }
          // Without an initial state the first step's state is zero.
          const size_t from = begin == 0 && !input && !in.hasInitialState ? 1 : begin;
          for (size_t step = from; step < end; ++step)
            tile.template add<1, width>(in.buffers.operandAt(shape, step) + rowPanel * panel + row,
                                        gates + step * shape.gateStep() + gate * panel, panel, shape.batch);
          if (units >= width) {
            tile.store(to, 4 * shape.hidden, shape.hidden);
          } else {
            tile.store(block, tilePanels * width, width);
            for (int r = 0; r < count; ++r)
              for (int g = 0; g < tilePanels; ++g)
                for (size_t unit = 0; unit < units; ++unit)
                  to[r * 4 * shape.hidden + g * shape.hidden + unit] = block[(r * tilePanels + g) * width + unit];
          }
        }
      });
    }
  }
}

void biasGradientOf(const LstmBackward& in, size_t unitPanel) {
  const LstmShape& shape = in.shape;
  for (size_t gate = 0; gate < 4; ++gate) {
    float sums[width] = {};
    for (size_t step = 0; step < shape.steps; ++step) {
      const float* from = in.gatesGradient + step * shape.gateStep() + (unitPanel * 4 + gate) * shape.panel();
      for (size_t row = 0; row < shape.batch; ++row, from += width)
        for (size_t unit = 0; unit < width; ++unit) sums[unit] += from[unit];
    }
    storeUnits(in.biasGradient + gate * shape.hidden + unitPanel * width, sums, shape.hidden - unitPanel * width);
  }
}

void backward(const LstmBackward& in) {
  const LstmShape& shape = in.shape;
  const size_t transposedPanel = shape.transposedKernel(1);
  parallelFor(shape.hiddenPanels(), [&](size_t rowPanel) {
    transposeKernel(shape, in.kernel + shape.features * 4 * shape.hidden, shape.hidden, rowPanel,
                    in.transposedKernel + rowPanel * transposedPanel);
  });
  parallelRanges(shape.batch, [&](size_t begin, size_t end) { backwardRows(in, begin, end); });
  parallelFor(shape.hiddenPanels(), [&](size_t unitPanel) {
    kernelGradientOf(in, unitPanel);
    biasGradientOf(in, unitPanel);
  });
}

// Of the inputs, from the gates' gradient; a product of its own because the first layer never needs it.
void inputGradient(const LstmInputGradient& in) {
  const LstmShape& shape = in.shape;
  const size_t panels = shape.inputPanels(), transposedPanel = shape.transposedKernel(1);
  parallelFor(panels, [&](size_t rowPanel) {
    transposeKernel(shape, in.kernel, shape.features, rowPanel, in.transposedKernel + rowPanel * transposedPanel);
  });
  parallelRanges(shape.batch, [&](size_t begin, size_t end) {
    for (size_t step = 0; step < shape.steps; ++step) {
      float* sums = in.inputSums;
      for (size_t panel = 0; panel < panels; ++panel)
        for (size_t at = begin * width; at < end * width; ++at) sums[panel * shape.panel() + at] = 0.0f;
      addGatesTimesKernel(shape, in.gatesGradient + step * shape.gateStep(), in.transposedKernel, sums, panels, begin,
                          end);
      for (size_t row = begin; row < end; ++row) {
        const size_t position = in.sequence.position(row, step);
        float* to = in.inputsGradient + (row * shape.steps + position) * shape.features;
        for (size_t panel = 0; panel < panels; ++panel)
          storeUnits(to + panel * width, sums + panel * shape.panel() + row * width, shape.features - panel * width);
      }
    }
  });
}

}  // namespace
