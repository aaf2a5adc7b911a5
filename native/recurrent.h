// The LSTM's computation, as the ops call it. Tensors are row-major; gates stand in the order i, j, f, o of TensorFlow
// 1's BasicLSTMCell, where j is the candidate (g in most papers):
//
//   c' = sigmoid(f + forgetBias) c + sigmoid(i) tanh(j)        h' = sigmoid(o) tanh(c')
//
// (Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000.)
#pragma once

#include "layout.h"

namespace unroll {

struct LstmForward {
  LstmShape shape;
  Sequence sequence;
  float forgetBias;
  const float* inputs;         // [batch, steps, features]
  const float* kernel;         // [features + hidden, 4 hidden]
  const float* bias;           // [4 hidden]
  const float* initialHidden;  // [batch, hidden] or null for zeros, as initialCell
  const float* initialCell;
  float* outputs;      // [batch, steps, hidden], or null when only the final state is wanted
  float* finalHidden;  // [batch, hidden]
  float* finalCell;    // [batch, hidden]
  LstmBuffers buffers;
  float* packedKernel;  // scratch of LstmShape::packedKernel() floats
};

struct LstmBackward {
  LstmShape shape;
  Sequence sequence;
  const float* kernel;
  const float* outputsGradient;      // [batch, steps, hidden] or null for zeros
  const float* finalHiddenGradient;  // [batch, hidden] or null for zeros, as finalCellGradient
  const float* finalCellGradient;
  LstmBuffers buffers;     // only read, so that the gradient can be asked for again
  float* gatesGradient;    // LstmShape::gateStep() floats for each step, in the layout of the gates
  float* kernelGradient;   // [features + hidden, 4 hidden]
  float* biasGradient;     // [4 hidden]
  bool hasInitialState;    // as the forward pass had
  float* initialHiddenGradient;  // [batch, hidden], only with an initial state, as initialCellGradient
  float* initialCellGradient;
  float* transposedKernel;  // scratch of transposedKernel(hiddenPanels()) floats
  float* stateGradient;     // scratch of 2 stateStep() floats: of the hidden state, of the cell
};

struct LstmInputGradient {
  LstmShape shape;
  Sequence sequence;
  const float* kernel;
  const float* gatesGradient;
  float* inputsGradient;    // [batch, steps, features]
  float* transposedKernel;  // scratch of transposedKernel(inputPanels()) floats
  float* inputSums;         // scratch of inputPanels() panels
};

}  // namespace unroll
