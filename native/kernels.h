// What is compiled for each instruction set, and the choice between them.
#pragma once

#include "adam.h"
#include "lstm.h"

namespace unroll {

// Null `name`: none that this processor has.
struct InstructionSet {
  const char* name;
  void (*lstmForward)(const LstmForward&);
  void (*lstmBackward)(const LstmBackward&);
  void (*lstmInputGradient)(const LstmInputGradient&);
  void (*adam)(const Adam&);
};

extern const InstructionSet avx2;
extern const InstructionSet avx512;

// The one chosen when the library was loaded.
const InstructionSet& instructionSet();

}  // namespace unroll
