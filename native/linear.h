// A fully connected layer, as the ops call it: rows of the input times a kernel, plus a bias, and its gradient. All
// matrices are row-major. Fast for few outputs, such as the classes of a task.
#pragma once

#include "layout.h"

namespace unroll {

// The number of columns, rounded up to whole panels.
UNROLL_SHARED constexpr size_t wholePanels(size_t columns) { return panelsOf(columns) * panelWidth; }

// Floats for the left side of a product [rows, inner] in pairs along its rows.
UNROLL_SHARED constexpr size_t leftOperands(size_t rows, size_t inner) { return rows * ((inner + 1) / 2); }

struct Linear {
  size_t rows, size, outputs;
  const float* input;   // [rows, size]
  const float* kernel;  // [size, outputs]
  const float* bias;    // [outputs]
  float* output;        // [rows, outputs]
  float* packedKernel;  // scratch of size * wholePanels(outputs) floats
  float* packedBias;    // scratch of wholePanels(outputs) floats
  float* left;          // scratch of leftOperands(rows, size) floats with bfloat16, else null
};

struct LinearGradient {
  size_t rows, size, outputs;
  const float* outputGradient;  // [rows, outputs]
  const float* input;
  const float* kernel;
  float* inputGradient;     // [rows, size]
  float* kernelGradient;    // [size, outputs]
  float* biasGradient;      // [outputs]
  float* transposedKernel;  // scratch of outputs * wholePanels(size) floats
  float* packedGradient;    // scratch of rows * wholePanels(outputs) floats
  float* left;              // scratch with bfloat16, else null: enough for leftOperands(rows, outputs) and (size, rows)
};

// Both passes in one precision, compiled for one instruction set.
struct LinearKernels {
  void (*forward)(const Linear&);
  void (*backward)(const LinearGradient&);
};

}  // namespace unroll
