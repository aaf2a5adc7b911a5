// The computation of a fully connected layer.
#pragma once

#include "linear.h"
#include "parallel.h"
#include "product.h"

namespace {

// Rows of the input that one task computes: waking a thread for fewer costs more than it saves.
constexpr size_t inputRowsAtOnce = 256;

// A row-major matrix [rows, columns] to panels [columns / 16][rows][16], padded with zeros.
inline void packPanels(const float* from, size_t rows, size_t columns, float* to) {
  for (size_t first = 0; first < columns; first += panelWidth)
    for (size_t row = 0; row < rows; ++row, to += panelWidth)
      for (size_t v = 0; v < panelWidth; v += lanes)
        store(to + v, first + v < columns ? loadSome(from + row * columns, first + v, columns) : Vector{});
}

// The transpose of a row-major matrix [rows, columns] to panels [rows / 16][columns][16], padded with zeros.
inline void packTransposed(const float* from, size_t rows, size_t columns, float* to) {
  for (size_t first = 0; first < rows; first += panelWidth)
    for (size_t column = 0; column < columns; ++column)
      for (size_t row = first; row < first + panelWidth; ++row, ++to)
        *to = row < rows ? from[row * columns + column] : 0.0f;
}

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
inline void multiplyRows(const float* left, const float* right, const float* start, float* to, size_t inner,
                         size_t columns, size_t begin, size_t end) {
  const size_t panelStride = inner * panelWidth;
  forPanelGroups(unroll::panelsOf(columns), [&](auto panels, size_t panel) {
    forRowBlocks(begin, end, [&](auto rows, size_t row) {
      Tile<decltype(rows)::value, decltype(panels)::value> tile;
      if (start)
        tile.load(start + panel * panelWidth, 0, panelWidth);
      else
        tile.clear();
      tile.add(left + row * inner, inner, 1, right + panel * panelStride, panelStride, inner);
      storeTile(tile, to + row * columns, columns, panel * panelWidth);
    });
  });
}

void linear(const unroll::Linear& in) {
  packPanels(in.kernel, in.size, in.outputs, in.packedKernel);
  packPanels(in.bias, 1, in.outputs, in.packedBias);
  unroll::parallelRanges(in.rows, inputRowsAtOnce, [&](size_t begin, size_t end) {
    multiplyRows(in.input, in.packedKernel, in.packedBias, in.output, in.size, in.outputs, begin, end);
  });
}

// input^T * gradient of the outputs, for some rows of the kernel.
inline void kernelRowsGradient(const unroll::LinearGradient& in, size_t begin, size_t end) {
  const size_t panelStride = in.rows * panelWidth;
  forPanelGroups(unroll::panelsOf(in.outputs), [&](auto panels, size_t panel) {
    forRowBlocks(begin, end, [&](auto rows, size_t row) {
      Tile<decltype(rows)::value, decltype(panels)::value> tile;
      tile.clear();
      tile.add(in.input + row, 1, in.size, in.packedGradient + panel * panelStride, panelStride, in.rows);
      storeTile(tile, in.kernelGradient + row * in.outputs, in.outputs, panel * panelWidth);
    });
  });
}

inline void linearBiasGradient(const unroll::LinearGradient& in) {
  for (size_t first = 0; first < in.outputs; first += panelWidth) {
    float sums[panelWidth] = {};
    const float* from = in.packedGradient + first * in.rows;
    for (size_t row = 0; row < in.rows; ++row)
      for (size_t at = 0; at < panelWidth; ++at) sums[at] += from[row * panelWidth + at];
    storePanelRow(in.biasGradient + first, sums, in.outputs - first);
  }
}

void linearGradient(const unroll::LinearGradient& in) {
  packTransposed(in.kernel, in.size, in.outputs, in.transposedKernel);
  packPanels(in.outputGradient, in.rows, in.outputs, in.packedGradient);
  unroll::parallelRanges(in.rows, inputRowsAtOnce, [&](size_t begin, size_t end) {
    multiplyRows(in.outputGradient, in.transposedKernel, nullptr, in.inputGradient, in.outputs, in.size, begin, end);
  });
  // As much work per task as in the product above.
  const size_t kernelRows = in.size * inputRowsAtOnce / in.rows;
  unroll::parallelRanges(in.size, kernelRows > tileRows ? kernelRows : tileRows,
                         [&](size_t begin, size_t end) { kernelRowsGradient(in, begin, end); });
  linearBiasGradient(in);
}

constexpr unroll::LinearKernels linearKernels = {linear, linearGradient};

}  // namespace
