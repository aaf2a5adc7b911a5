// The functions that are compiled for each instruction set, and the choice between the sets.
#pragma once

#include "cross-entropy.h"
#include "linear.h"
#include "recurrent.h"
#include "update.h"

namespace unroll {

// What consists of matrix products, in one precision of their operands.
struct ProductKernels {
  RecurrentKernels lstm, gru, simpleRnn;
  LinearKernels linear;
};

// Null `name`: this processor has none of the instruction sets.
struct InstructionSet {
  const char* name;
  ProductKernels products;
  // Of bfloat16 operands, and what computes them: "AMX" and "AMX emulated" have the same bits, and so have
  // "AVX512-BF16" and "emulated".
  const ProductKernels* bfloat16;
  const char* bfloat16Name;
  UpdateKernels update;
  void (*crossEntropy)(const CrossEntropy&);
  // Images of `size` bytes, one after the other, each byte divided by 255.
  void (*gatherPixels)(const uint8_t* bytes, size_t size, const int32_t* indices, size_t count, float* to);
};

// Of x86-64, and of arm64: only those of the processor family are compiled.
extern const InstructionSet avx2;
extern const InstructionSet avx512;
extern const InstructionSet neon;

// Products of bfloat16 operands: with vdpbf16ps, and emulated with the same bits where the processor lacks it.
extern const ProductKernels avx512Bfloat16;
extern const ProductKernels emulatedBfloat16;

// The same in the order of AMX, whose sums have other bits: with its instructions (null where the compiler does not
// know them), and emulated with the same bits.
#if defined(__x86_64__)
extern const ProductKernels* const tileBfloat16;
#else
constexpr const ProductKernels* tileBfloat16 = nullptr;
#endif
extern const ProductKernels emulatedTiles;

// The set chosen when the library was loaded.
const InstructionSet& instructionSet();

inline const ProductKernels& products(bool bfloat16) {
  return bfloat16 ? *instructionSet().bfloat16 : instructionSet().products;
}

}  // namespace unroll
