// The computation of a fully connected layer.
#pragma once

#include "linear.h"
#include "parallel.h"
#include "product.h"

namespace {

// Rows of the input that one task computes: waking a thread for fewer costs more than it saves.
constexpr size_t inputRowsAtOnce = 256;

// A row-major matrix [rows, columns] to panels [columns / 16][rows][16], padded with zeros: the right side of a product
// whose sums run over the rows.
inline void packPanels(const float* from, size_t rows, size_t columns, Operand* to) {
  for (size_t first = 0; first < columns; first += panelWidth, to += operandsOf(rows) * panelWidth)
    packColumns(to, from + first, columns, rows, columns - first);
}

// The transpose of a row-major matrix [rows, columns] to panels [rows / 16][columns][16], padded with zeros.
inline void packTransposed(const float* from, size_t rows, size_t columns, Operand* to) {
  for (size_t first = 0; first < rows; first += panelWidth)
    for (size_t column = 0; column < columns; column += operandTerms, to += panelWidth) {
      const size_t terms = columns - column < operandTerms ? 1 : operandTerms;
      float turned[operandTerms * panelWidth];
      for (size_t term = 0; term < terms; ++term)
        for (size_t at = 0; at < panelWidth; ++at)
          turned[term * panelWidth + at] = first + at < rows ? from[(first + at) * columns + column + term] : 0.0f;
      packColumns(to, turned, panelWidth, terms, panelWidth);
    }
}

#if UNROLL_BFLOAT16
// Rows [begin, end) of a row-major matrix as the left side of a product whose sums run over the columns.
inline const Operand* rowOperands(const float* from, size_t columns, size_t begin, size_t end, float* memory) {
  const size_t pairs = operandsOf(columns);
  for (size_t row = begin; row < end; ++row) {
    Operand* to = operandsIn(memory) + row * pairs;
    for (size_t first = 0; first < columns; first += panelWidth) {
      Operand packed[panelOperands];
      packTerms(packed, from + row * columns, first, columns);
      for (size_t at = 0; at < panelOperands && first / 2 + at < pairs; ++at) to[first / 2 + at] = packed[at];
    }
  }
  return operandsIn(memory);
}

// Columns [begin, end) of a row-major matrix as the left side of a product whose sums run over the rows.
inline const Operand* columnOperands(const float* from, size_t rows, size_t columns, size_t begin, size_t end,
                                     float* memory) {
  for (size_t row = 0; row < rows; row += 2)
    for (size_t first = begin; first < end; first += panelWidth) {
      Operand packed[panelWidth];
      const size_t left = end - first < panelWidth ? end - first : panelWidth;
      packColumns(packed, from + row * columns + first, columns, rows - row < 2 ? 1 : 2, left);
      for (size_t at = 0; at < left; ++at) operandsIn(memory)[row / 2 * columns + first + at] = packed[at];
    }
  return operandsIn(memory);
}
#else
UNROLL_INLINE const Operand* rowOperands(const float* from, size_t, size_t, size_t, float*) { return from; }
UNROLL_INLINE const Operand* columnOperands(const float* from, size_t, size_t, size_t, size_t, float*) { return from; }
#endif

// Stores a tile into a row-major matrix from column `column` on, up to the last column.
template <int Rows, int Panels>
UNROLL_INLINE void storeTile(const Tile<Rows, Panels>& tile, float* to, size_t columns, size_t column) {
  float sums[Rows][Panels * panelWidth];
  tile.store(&sums[0][0], Panels * panelWidth, panelWidth);
  for (size_t row = 0; row < Rows; ++row)
    for (size_t at = 0; at < Panels * panelWidth; at += panelWidth)
      storePanelRow(to + row * columns + column + at, &sums[row][at], columns - column - at);
}

// Rows [begin, end) of left * right, plus `start` if it is not null: left [rows, inner] is row-major, right is in
// panels, and start has one number for each of their columns.
inline void multiplyRows(const Operand* left, const Operand* right, const float* start, float* to, size_t inner,
                         size_t columns, size_t begin, size_t end) {
  const size_t operands = operandsOf(inner), panelStride = operands * panelWidth;
  forPanelGroups(unroll::panelsOf(columns), [&](auto panels, size_t panel) {
    forRowBlocks(begin, end, [&](auto rows, size_t row) {
      Tile<decltype(rows)::value, decltype(panels)::value> tile;
      if (start)
        tile.load(start + panel * panelWidth, 0, panelWidth);
      else
        tile.clear();
      tile.add(left + row * operands, operands, 1, right + panel * panelStride, panelStride, operands);
      storeTile(tile, to + row * columns, columns, panel * panelWidth);
    });
  });
}

void linear(const unroll::Linear& in) {
  packPanels(in.kernel, in.size, in.outputs, operandsIn(in.packedKernel));
  for (size_t at = 0; at < unroll::wholePanels(in.outputs); ++at)
    in.packedBias[at] = at < in.outputs ? in.bias[at] : 0.0f;
  unroll::parallelRanges(in.rows, inputRowsAtOnce, [&](size_t begin, size_t end) {
    const Operand* left = rowOperands(in.input, in.size, begin, end, in.left);
    multiplyRows(left, operandsIn(in.packedKernel), in.packedBias, in.output, in.size, in.outputs, begin, end);
  });
}

// input^T * gradient of the outputs, for some rows of the kernel.
inline void kernelRowsGradient(const unroll::LinearGradient& in, size_t begin, size_t end) {
  const size_t operands = operandsOf(in.rows), panelStride = operands * panelWidth;
  const Operand* left = columnOperands(in.input, in.rows, in.size, begin, end, in.left);
  const Operand* right = operandsIn(in.packedGradient);
  forPanelGroups(unroll::panelsOf(in.outputs), [&](auto panels, size_t panel) {
    forRowBlocks(begin, end, [&](auto rows, size_t row) {
      Tile<decltype(rows)::value, decltype(panels)::value> tile;
      tile.clear();
      tile.add(left + row, 1, in.size, right + panel * panelStride, panelStride, operands);
      storeTile(tile, in.kernelGradient + row * in.outputs, in.outputs, panel * panelWidth);
    });
  });
}

inline void linearBiasGradient(const unroll::LinearGradient& in) {
  for (size_t at = 0; at < in.outputs; ++at) in.biasGradient[at] = 0.0f;
  for (size_t row = 0; row < in.rows; ++row)
    for (size_t at = 0; at < in.outputs; ++at) in.biasGradient[at] += in.outputGradient[row * in.outputs + at];
}

void linearGradient(const unroll::LinearGradient& in) {
  packTransposed(in.kernel, in.size, in.outputs, operandsIn(in.transposedKernel));
  packPanels(in.outputGradient, in.rows, in.outputs, operandsIn(in.packedGradient));
  unroll::parallelRanges(in.rows, inputRowsAtOnce, [&](size_t begin, size_t end) {
    const Operand* left = rowOperands(in.outputGradient, in.outputs, begin, end, in.left);
    multiplyRows(left, operandsIn(in.transposedKernel), nullptr, in.inputGradient, in.outputs, in.size, begin, end);
  });
  // As much work per task as in the product above.
  const size_t kernelRows = in.size * inputRowsAtOnce / in.rows;
  unroll::parallelRanges(in.size, kernelRows > tileRows ? kernelRows : tileRows,
                         [&](size_t begin, size_t end) { kernelRowsGradient(in, begin, end); });
  linearBiasGradient(in);
}

constexpr unroll::LinearKernels linearKernels = {linear, linearGradient};

}  // namespace
