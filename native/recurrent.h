// The computation of a recurrent layer, as the ops call it. Tensors are row-major. Gates and formulas of each cell are
// in cells.h.
#pragma once

#include "layout.h"

namespace unroll {

struct RecurrentForward {
  RecurrentShape shape;
  Sequence sequence;
  float forgetBias;
  const float* inputs;         // [batch, steps, features]
  const float* kernel;         // [features + hidden, columns * hidden]
  const float* bias;           // [slots * hidden]
  const float* initialHidden;  // [batch, hidden] or null for zeros, as initialCell
  const float* initialCell;
  const float* mask;   // [batch, hidden], on each state that the kernel reads; null for none
  float* outputs;      // [batch, steps, hidden], or null when only the final state is wanted
  float* finalHidden;  // [batch, hidden]
  float* finalCell;    // [batch, hidden], only with a cell state
  RecurrentBuffers buffers;
  float* packedKernel;  // scratch of packedKernel() floats
};

// Scratch of a gradient with bfloat16 operands; not used without.
struct BfloatGradients {
  float* step;      // roundedStep() floats
  float* operands;  // pairedOperands() floats
  float* gates;     // pairedGates() floats
};

struct RecurrentBackward {
  RecurrentShape shape;
  Sequence sequence;
  const float* kernel;
  const float* mask;                 // as in the forward pass
  const float* outputsGradient;      // [batch, steps, hidden] or null for zeros
  const float* finalHiddenGradient;  // [batch, hidden] or null for zeros, as finalCellGradient
  const float* finalCellGradient;
  RecurrentBuffers buffers;      // only read, so that the gradient can be computed again
  float* gatesGradient;          // gateStep() floats for each step, in the layout of the gates
  float* kernelGradient;         // [features + hidden, columns * hidden]
  float* biasGradient;           // [slots * hidden]
  bool hasInitialState;          // as in the forward pass
  float* initialHiddenGradient;  // [batch, hidden], only with an initial state, as initialCellGradient
  float* initialCellGradient;
  float* transposedKernel;  // scratch of hiddenPanels() transposed panels
  float* stateGradient;     // scratch of stateStep() floats: of the hidden state, of the cell, with a mask of sums
  BfloatGradients rounded;
};

struct RecurrentInputGradient {
  RecurrentShape shape;
  Sequence sequence;
  const float* kernel;
  const float* gatesGradient;
  float* inputsGradient;    // [batch, steps, features]
  float* transposedKernel;  // scratch of featurePanels() transposed panels
  float* inputSums;         // scratch of featurePanels() panels
  float* roundedStep;       // scratch of roundedStep() floats
};

// One cell in one precision, compiled for one instruction set.
struct RecurrentKernels {
  void (*forward)(const RecurrentForward&);
  void (*backward)(const RecurrentBackward&);
  void (*inputGradient)(const RecurrentInputGradient&);
};

}  // namespace unroll
