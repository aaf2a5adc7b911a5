// The functions that are compiled for each instruction set, and the choice between the sets.
#pragma once

#include "cross-entropy.h"
#include "linear.h"
#include "recurrent.h"
#include "update.h"

namespace unroll {

// Null `name`: this processor has none of the instruction sets.
struct InstructionSet {
  const char* name;
  RecurrentKernels lstm, gru, simpleRnn;
  UpdateKernels update;
  LinearKernels linear;
  void (*crossEntropy)(const CrossEntropy&);
  // Images of `size` bytes, one after the other, each byte divided by 255.
  void (*gatherPixels)(const uint8_t* bytes, size_t size, const int32_t* indices, size_t count, float* to);
};

extern const InstructionSet avx2;
extern const InstructionSet avx512;

// The set chosen when the library was loaded.
const InstructionSet& instructionSet();

}  // namespace unroll
