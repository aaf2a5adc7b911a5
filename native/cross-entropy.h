// Softmax cross-entropy of rows of logits x with the correct class y, and its gradient divided by the number of rows:
//
//   loss = log(sum of exp(x)) - x_y      slope = (exp(x) / (sum of exp(x)) - [class is y]) / rows
#pragma once

#include <cstddef>
#include <cstdint>

namespace unroll {

struct CrossEntropy {
  size_t rows, classes;
  const float* logits;    // [rows, classes]
  const int32_t* labels;  // [rows], each below classes
  float* losses;          // [rows]
  float* slope;           // [rows, classes]
};

}  // namespace unroll
