// A trained network of recurrent layers, computed without TensorFlow: its forward pass only, with the bits that the ops
// give in the same order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "recurrent-kinds.h"

namespace unroll {

// What becomes of the outputs of the two directions of a layer. As in src/tensorflow/kernels/own-network.ts, as are the
// readouts.
enum class Merge { concat, sum, mean };

// What the output layer reads of the top layer: its output at the last index, the final states, or every step.
enum class Readout { last, finalState, steps };

struct NetworkCell {
  const RecurrentKind* kind;
  size_t features, hidden;
  float forgetBias;
  size_t kernel, bias;  // where they begin in the weights
};

// `layers` have one cell or, in both directions, two.
struct Network {
  Merge merge;
  Readout readout;
  size_t lastSteps;  // with Readout::steps only so many at the end are read; 0: all
  std::vector<std::vector<NetworkCell>> layers;
  size_t read, outputs;  // numbers that the output layer reads and gives for a row
  size_t outputKernel, outputBias;
  std::vector<float> weights;
};

// Reads a network from the numbers that own-network.ts writes; returns what is wrong with them, or an empty string.
//
//   settings: merge, readout, last steps, outputs, layers, then for each layer: cells, for each: kind, features, hidden
//   weights:  for each cell: forget bias, kernel, bias; then the output layer's kernel and bias
std::string readNetwork(const int32_t* settings, size_t settingCount, const float* weights, size_t weightCount,
                        Network& network);

struct NetworkInput {
  size_t batch, steps;
  std::vector<float> values;     // [batch, steps, features]
  std::vector<int32_t> lengths;  // [batch], or empty: every row has all steps
};

// The raw outputs, row by row. Throws std::bad_alloc.
std::vector<float> computeNetwork(const Network& network, const NetworkInput& input);

}  // namespace unroll
