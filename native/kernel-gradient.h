// The gradient of kernel and bias: one product over all steps and the whole batch, from the gradient of the slots.
#pragma once

#include "recurrent-forward.h"

namespace {

// The product is computed in blocks of this many panels of units and of kernel rows, whose sums stay in the
// second-level cache until all steps are added, and in pieces of about this many rows, of which a panel stays in the
// first-level cache. Processors with AVX512 have at least 1 MiB of second-level cache: larger blocks read the gates of
// all steps less often.
constexpr size_t panelsOfBlock = UNROLL_LANES == 16 ? 16 : 8, rowPanelsOfBlock = UNROLL_LANES == 16 ? 20 : 8;
constexpr size_t rowsOfPiece = 128;

// The slot whose gradient belongs to a column of the kernel.
UNROLL_INLINE size_t slotOf(const int* columns, size_t slots, size_t column) {
  for (size_t slot = 0; slot < slots; ++slot)
    if (columns[slot] == static_cast<int>(column)) return slot;
  return 0;
}

// The kernel's rows that one panel of the operand is multiplied by; none, where the panel only makes their number even.
struct KernelRows {
  bool input;
  size_t first, count;
};

UNROLL_INLINE KernelRows kernelRowsOf(const RecurrentShape& shape, size_t rowPanel) {
  const bool input = rowPanel < shape.inputPanels();
  const size_t begin = (input ? rowPanel : rowPanel - shape.inputPanels()) * panelWidth;
  const size_t all = input ? shape.features : shape.hidden, left = begin < all ? all - begin : 0;
  return {input, begin + (input ? 0 : shape.features), left < panelWidth ? left : panelWidth};
}

// Prefetches rows of a panel into the second-level cache. The gates of all steps may be larger than all caches, and
// without a prefetch the processor fetches them only when it already waits.
UNROLL_INLINE void fetchRows(const Operand* panel, size_t rows, size_t begin, size_t count) {
  for (size_t row = begin; row < begin + count && row < rows; ++row) __builtin_prefetch(panel + row * panelWidth, 0, 2);
}

// Some unit panels of one column, by some row panels.
struct KernelBlock {
  size_t column, unitPanel, units, rowPanel, rows;
  alignas(64) float sums[rowPanelsOfBlock * panelWidth][panelsOfBlock * panelWidth];
};

// The operands of one step's product: the rows of the batch are the terms of each sum.
struct GradientOperands {
  const Operand *operands, *gates;
};

UNROLL_INLINE GradientOperands gradientOperands(const RecurrentBackward& in, size_t step) {
  const RecurrentShape& shape = in.shape;
  const size_t panel = shape.termsPanel();
  const float* operands = bfloat16 ? in.rounded.operands : in.buffers.operand;
  const float* gates = bfloat16 ? in.rounded.gates : in.gatesGradient;
  return {operandsIn(operands) + step * shape.rowPanels() * panel,
          operandsIn(gates) + step * shape.slots * shape.hiddenPanels() * panel};
}

#if !UNROLL_TILES
// Adds operand^T * slots' gradient over some steps to the sums of a block, and prefetches as many further steps.
template <class Cell>
void addToBlock(const RecurrentBackward& in, Products&, KernelBlock& block, size_t begin, size_t end) {
  const RecurrentShape& shape = in.shape;
  const size_t batchOperands = operandsOf(shape.batch), panel = shape.termsPanel();
  // Each tile prefetches its share.
  const size_t operandShare = (batchOperands + block.units - 1) / block.units;
  const size_t gatesShare = (batchOperands + block.rows - 1) / block.rows;
  const size_t further = end + (end - begin) < shape.steps ? end + (end - begin) : shape.steps;
  for (size_t at = 0; at < block.rows; ++at) {
    const size_t rowPanel = block.rowPanel + at;
    const KernelRows kernelRows = kernelRowsOf(shape, rowPanel);
    const size_t slot = slotOf(kernelRows.input ? Cell::inputColumn : Cell::stateColumn, Cell::slots, block.column);
    const size_t gates = (slot * shape.hiddenPanels() + block.unitPanel) * panel;
    // Without an initial state the first step's state is zero.
    const size_t from = begin == 0 && !kernelRows.input && !in.hasInitialState ? 1 : begin;
    forPanelGroups(block.units, [&](auto panels, size_t unitPanel) {
      constexpr size_t count = decltype(panels)::value;
      for (size_t step = end; step < further; ++step) {
        const GradientOperands next = gradientOperands(in, step);
        fetchRows(next.operands + rowPanel * panel, batchOperands, unitPanel * operandShare, count * operandShare);
        for (size_t unit = unitPanel; unit < unitPanel + count; ++unit)
          fetchRows(next.gates + gates + unit * panel, batchOperands, at * gatesShare, gatesShare);
      }
      forRowBlocks(0, kernelRows.count, [&](auto rows, size_t row) {
        float* sums = &block.sums[at * panelWidth + row][unitPanel * panelWidth];
        Tile<decltype(rows)::value, count> tile;
        tile.load(sums, panelsOfBlock * panelWidth, panelWidth);
        for (size_t step = from; step < end; ++step) {
          const GradientOperands of = gradientOperands(in, step);
          tile.add(of.operands + rowPanel * panel + row, 1, panelWidth, of.gates + gates + unitPanel * panel, panel,
                   operandsOf(in.sequence.activeEnd(step, shape.batch)));
        }
        tile.store(sums, panelsOfBlock * panelWidth, panelWidth);
      });
    });
  }
}
#else
// The tiles' form: two row panels by two unit panels at once. Left tiles are 16 kernel rows by 32 rows of the batch.
template <class Cell, int Heights>
void addToTiles(const RecurrentBackward& in, Products& products, KernelBlock& block, size_t at, size_t begin,
                size_t end) {
  const RecurrentShape& shape = in.shape;
  const size_t rowPanel = block.rowPanel + at, panel = shape.termsPanel();
  const bool isInput = rowPanel < shape.inputPanels();
  const size_t slot = slotOf(isInput ? Cell::inputColumn : Cell::stateColumn, Cell::slots, block.column);
  const size_t gates = (slot * shape.hiddenPanels() + block.unitPanel) * panel;
  // Without an initial state the first step's state is zero.
  const size_t from = begin == 0 && !isInput && !in.hasInitialState ? 1 : begin;
  forPanelGroups(block.units, [&](auto panels, size_t unitPanel) {
    float* sums = &block.sums[at * panelWidth][unitPanel * panelWidth];
    TileBlock<Heights, decltype(panels)::value> tiles{products};
    tiles.load(sums, panelsOfBlock * panelWidth, panelWidth);
    for (size_t step = from; step < end; ++step) {
      const GradientOperands of = gradientOperands(in, step);
      tiles.addPanels(of.operands + rowPanel * panel, panelTile, of.gates + gates + unitPanel * panel, panelTile, panel,
                      in.sequence.activeEnd(step, shape.batch), panel);
    }
    tiles.store(sums, panelsOfBlock * panelWidth, panelWidth);
  });
}

template <class Cell>
void addToBlock(const RecurrentBackward& in, Products& products, KernelBlock& block, size_t begin, size_t end) {
  products.setRows(tileHeight, tileHeight);
  const auto rowsAt = [&](size_t at) { return kernelRowsOf(in.shape, block.rowPanel + at); };
  for (size_t at = 0; at < block.rows;) {
    const bool two = at + 1 < block.rows && rowsAt(at + 1).count > 0 && rowsAt(at).input == rowsAt(at + 1).input;
    if (two)
      addToTiles<Cell, 2>(in, products, block, at, begin, end);
    else if (rowsAt(at).count > 0)
      addToTiles<Cell, 1>(in, products, block, at, begin, end);
    at += two ? 2 : 1;
  }
}
#endif

inline void storeBlock(const RecurrentBackward& in, const KernelBlock& block) {
  const RecurrentShape& shape = in.shape;
  for (size_t at = 0; at < block.rows; ++at) {
    const KernelRows rows = kernelRowsOf(shape, block.rowPanel + at);
    for (size_t row = 0; row < rows.count; ++row) {
      float* to = in.kernelGradient + ((rows.first + row) * shape.columns + block.column) * shape.hidden;
      for (size_t panel = 0; panel < block.units; ++panel) {
        const size_t unit = (block.unitPanel + panel) * panelWidth;
        storePanelRow(to + unit, &block.sums[at * panelWidth + row][panel * panelWidth], shape.hidden - unit);
      }
    }
  }
}

// Adds the gradient of one slot's bias over some steps, while they are in the cache, to `sums`: 16 sums per unit panel.
inline void addBiasGradient(const RecurrentBackward& in, size_t slot, const KernelBlock& block, size_t begin,
                            size_t end, float* sums) {
  const RecurrentShape& shape = in.shape;
  for (size_t step = begin; step < end; ++step) {
    const size_t active = in.sequence.activeEnd(step, shape.batch);
    for (size_t panel = 0; panel < block.units; ++panel) {
      const float* from = in.gatesGradient + step * shape.gateStep() + slot * shape.stateStep() +
                          (block.unitPanel + panel) * shape.panel();
      for (size_t row = 0; row < active; ++row)
        for (size_t unit = 0; unit < panelWidth; ++unit)
          sums[panel * panelWidth + unit] += from[row * panelWidth + unit];
    }
  }
}

// One block, and also the bias of its units if it has the kernel's first rows.
template <class Cell>
void computeBlock(const RecurrentBackward& in, KernelBlock& block) {
  const RecurrentShape& shape = in.shape;
  const int column = static_cast<int>(block.column);
  const auto hasBias = [&](size_t slot) {
    return !bfloat16 && block.rowPanel == 0 && (Cell::inputColumn[slot] == column || Cell::stateColumn[slot] == column);
  };
  float biasSums[Cell::slots][panelsOfBlock * panelWidth] = {};
  for (auto& row : block.sums)
    for (float& sum : row) sum = 0.0f;
  Products products;
  const size_t steps = rowsOfPiece > shape.batch ? rowsOfPiece / shape.batch : 1;
  for (size_t begin = 0; begin < shape.steps; begin += steps) {
    const size_t end = begin + steps < shape.steps ? begin + steps : shape.steps;
    addToBlock<Cell>(in, products, block, begin, end);
    for (size_t slot = 0; slot < Cell::slots; ++slot)
      if (hasBias(slot)) addBiasGradient(in, slot, block, begin, end, biasSums[slot]);
  }
  storeBlock(in, block);
  for (size_t slot = 0; slot < Cell::slots; ++slot)
    for (size_t panel = 0; hasBias(slot) && panel < block.units; ++panel) {
      const size_t unit = (block.unitPanel + panel) * panelWidth;
      storePanelRow(in.biasGradient + slot * shape.hidden + unit, biasSums[slot] + panel * panelWidth,
                    shape.hidden - unit);
    }
}

#if UNROLL_BFLOAT16
// From the left side of the forward product, whose pairs are neighbours in a row, to pairs of rows.
inline void pairRows(const Operand* from, Operand* to, size_t rows) {
  const Operand none[panelOperands] = {};
  for (size_t row = 0; row < rows; row += 2, to += panelWidth) {
    const Operand* first = from + row * leftStride;
    const Operand* second = row + 1 < rows ? first + leftStride : none;
    for (size_t pair = 0; pair < panelOperands; ++pair) {
      to[2 * pair] = (first[pair] & 0xFFFF0000) | second[pair] >> 16;
      to[2 * pair + 1] = first[pair] << 16 | (second[pair] & 0xFFFF);
    }
  }
}

#if UNROLL_TILES
// The same to left tiles, [32 rows of the batch][column][16 pairs].
inline void pairTiles(const Operand* from, Operand* to, size_t rows) {
  for (size_t first = 0; first < rows; first += tileTerms, from += tileTerms * leftStride, to += tileOperands) {
    const size_t count = rows - first < tileTerms ? rows - first : tileTerms;
#if UNROLL_AMX
    const __m512i pairs = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i places = _mm512_mullo_epi32(pairs, _mm512_set1_epi32(2 * leftStride));
    const auto column = [&](const Operand* at, size_t have) {
      const auto mask = static_cast<__mmask16>((1u << have) - 1);
      return (Bits)_mm512_mask_i32gather_epi32(_mm512_setzero_si512(), mask, places, at, sizeof(Operand));
    };
    for (size_t pair = 0; pair < panelOperands; ++pair) {
      const Bits firsts = column(from + pair, (count + 1) / 2), seconds = column(from + leftStride + pair, count / 2);
      storeBits(to + 2 * pair * leftStride, (firsts & 0xFFFF0000) | seconds >> 16);
      storeBits(to + (2 * pair + 1) * leftStride, firsts << 16 | (seconds & 0xFFFF));
    }
#else
    Operand pairs[tileOperands] = {};
    pairRows(from, pairs, count);
    for (size_t column = 0; column < panelWidth; ++column)
      for (size_t pair = 0; pair < leftStride; ++pair)
        to[column * leftStride + pair] = pairs[pair * panelWidth + column];
#endif
  }
}
#endif

// Both operands of the product, in pairs of rows: a sequence that has ended at a step is no term. The gradient of the
// bias, which is no product, is added up on the way, because the gates' gradient of all steps may be larger than all
// caches.
inline void pairBatch(const RecurrentBackward& in) {
  const RecurrentShape& shape = in.shape;
  const size_t panel = shape.termsPanel(), gatePanels = shape.slots * shape.hiddenPanels();
  parallelFor(shape.steps, [&](size_t step) {
    const size_t active = in.sequence.activeEnd(step, shape.batch);
    const Operand* seen = operandsIn(in.buffers.operandAt(shape, step));
    Operand* operands = operandsIn(in.rounded.operands) + step * shape.rowPanels() * panel;
    for (size_t at = 0; at < shape.rowPanels(); ++at) {
      if (kernelRowsOf(shape, at).count == 0) continue;
      const Operand* from = seen + leftAt(shape.operandPanel(), at, 0);
#if UNROLL_TILES
      pairTiles(from, operands + at * panel, active);
#else
      pairRows(from, operands + at * panel, active);
#endif
    }
  });
  parallelFor(gatePanels, [&](size_t at) {
    float sums[panelWidth] = {};
    for (size_t step = 0; step < shape.steps; ++step) {
      const size_t active = in.sequence.activeEnd(step, shape.batch);
      const float* gradient = in.gatesGradient + step * shape.gateStep() + at * shape.panel();
      packRows(operandsIn(in.rounded.gates) + (step * gatePanels + at) * panel, gradient, panelWidth, active,
               panelWidth);
      for (size_t row = 0; row < active; ++row)
        for (size_t unit = 0; unit < panelWidth; ++unit) sums[unit] += gradient[row * panelWidth + unit];
    }
    const size_t slot = at / shape.hiddenPanels(), unit = at % shape.hiddenPanels() * panelWidth;
    storePanelRow(in.biasGradient + slot * shape.hidden + unit, sums, shape.hidden - unit);
  });
}
#endif

template <class Cell>
void kernelGradient(const RecurrentBackward& in) {
  const RecurrentShape& shape = in.shape;
#if UNROLL_BFLOAT16
  pairBatch(in);
#endif
  const size_t groups = (shape.hiddenPanels() + panelsOfBlock - 1) / panelsOfBlock;
  const size_t threads = threadCount();
  size_t chunks = (shape.rowPanels() + rowPanelsOfBlock - 1) / rowPanelsOfBlock;
  // A small kernel has few blocks: with fewer rows each, there are enough for every thread.
  while (threads > 1 && chunks < shape.rowPanels() && groups * Cell::columns * chunks < 4 * threads)
    chunks = 2 * chunks < shape.rowPanels() ? 2 * chunks : shape.rowPanels();
  parallelFor(groups * Cell::columns * chunks, [&](size_t task) {
    const size_t chunk = task % chunks, group = task / chunks % groups;
    KernelBlock block;
    block.column = task / chunks / groups;
    block.unitPanel = group * shape.hiddenPanels() / groups;
    block.units = (group + 1) * shape.hiddenPanels() / groups - block.unitPanel;
    block.rowPanel = chunk * shape.rowPanels() / chunks;
    block.rows = (chunk + 1) * shape.rowPanels() / chunks - block.rowPanel;
    computeBlock<Cell>(in, block);
  });
}

}  // namespace
