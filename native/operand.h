// The operands of a matrix product: single numbers, or bfloat16 ones in pairs.
//
// A bfloat16 number is the upper half of a float. With UNROLL_BFLOAT16 everything that a product reads is rounded to
// it, to the nearest number and ties to even, as vcvtneps2bf16 does; sums stay in single precision. A pair has its
// first term in the upper half, because vdpbf16ps adds the product of the upper halves first and then that of the lower
// ones, each as a fused multiply-add. So sums are taken term by term in their order, and the emulation, which does the
// same with two multiply-adds, gives the same bits.
#pragma once

#include "vector.h"

#ifndef UNROLL_BFLOAT16
#define UNROLL_BFLOAT16 0
#endif

// 1 where the processor has vdpbf16ps; the emulation is used otherwise.
#ifndef UNROLL_BFLOAT16_INSTRUCTION
#define UNROLL_BFLOAT16_INSTRUCTION 0
#endif

// 1 where sums are computed in the tiles of AMX, or as these would.
#ifndef UNROLL_TILES
#define UNROLL_TILES 0
#endif

namespace {

constexpr bool bfloat16 = UNROLL_BFLOAT16;

// Terms of a sum that one operand holds, and the operands of a panel's row that has its terms side by side.
constexpr size_t operandTerms = bfloat16 ? 2 : 1;
constexpr size_t panelOperands = panelWidth / operandTerms;

UNROLL_INLINE constexpr size_t operandsOf(size_t terms) { return (terms + operandTerms - 1) / operandTerms; }

// Panels whose rows lie side by side on the left side of a product, and the operands from a row to the next one: a row
// of a tile has the terms of two panels.
constexpr size_t panelsAside = UNROLL_TILES ? 2 : 1;
constexpr size_t leftStride = panelsAside * panelOperands;

// Where a row of a panel lies on the left side, whose panels have `panelSize` operands each.
UNROLL_INLINE constexpr size_t leftAt(size_t panelSize, size_t panel, size_t row) {
  const size_t aside = panel % panelsAside;
  return (panel - aside) * panelSize + row * leftStride + aside * panelOperands;
}

#if UNROLL_BFLOAT16

using Operand = uint32_t;

typedef uint32_t Bits __attribute__((vector_size(sizeof(float) * lanes)));
typedef uint32_t UnalignedBits __attribute__((vector_size(sizeof(float) * lanes), aligned(4), may_alias));
typedef uint64_t WideBits __attribute__((vector_size(sizeof(float) * lanes)));
typedef uint32_t HalfBits __attribute__((vector_size(sizeof(float) * lanes / 2)));
typedef uint32_t UnalignedHalfBits __attribute__((vector_size(sizeof(float) * lanes / 2), aligned(4), may_alias));

// Rounded to bfloat16, in the upper halves. A NaN stays one, and a denormal number becomes zero.
UNROLL_INLINE Bits rounded(Vector values) {
  const Bits bits = (Bits)values, magnitude = bits & 0x7FFFFFFF;
  const Bits nearest = bits + 0x7FFF + (bits >> 16 & 1);
  const Bits number = magnitude > 0x7F800000 ? bits | 0x400000 : nearest;
  return (magnitude < 0x00800000 ? bits & 0x80000000 : number) & 0xFFFF0000;
}

UNROLL_INLINE void storeBits(Operand* to, Bits value) { *reinterpret_cast<UnalignedBits*>(to) = value; }

#if UNROLL_BFLOAT16_INSTRUCTION

// The instructions for rounding do the same as `rounded`.
UNROLL_INLINE void storeTerms(Operand* to, Vector values) {
  const __m256i pairs = (__m256i)_mm512_cvtneps_pbh((__m512)values);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_maskz_rol_epi32(0xFF, pairs, 16));
}

UNROLL_INLINE void storeColumns(Operand* to, Vector first, Vector second) {
  const WideBits low = {0x0011000100100000, 0x0013000300120002, 0x0015000500140004, 0x0017000700160006,
                        0x0019000900180008, 0x001B000B001A000A, 0x001D000D001C000C, 0x001F000F001E000E};
  const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh((__m512)first, (__m512)second);
  storeBits(to, (Bits)_mm512_maskz_permutexvar_epi16(0xFFFFFFFF, (__m512i)low, halves));
}

#else

// Stores a vector for the left side of a product: neighbours are terms of one sum.
UNROLL_INLINE void storeTerms(Operand* to, Vector values) {
  const WideBits wide = (WideBits)rounded(values);
  const WideBits pairs = (wide & 0xFFFF0000) | wide >> 48;
  *reinterpret_cast<UnalignedHalfBits*>(to) = __builtin_convertvector(pairs, HalfBits);
}

// Stores two vectors for the right side of a product, which belong to two terms of each sum.
UNROLL_INLINE void storeColumns(Operand* to, Vector first, Vector second) {
  storeBits(to, rounded(first) | rounded(second) >> 16);
}

#endif

UNROLL_INLINE Bits loadBits(const Operand* from) { return *reinterpret_cast<const UnalignedBits*>(from); }
UNROLL_INLINE Vector firstTerms(Bits pairs) { return (Vector)(pairs & 0xFFFF0000); }
UNROLL_INLINE Vector secondTerms(Bits pairs) { return (Vector)(pairs << 16); }

#else

using Operand = float;

UNROLL_INLINE void storeTerms(Operand* to, Vector values) { store(to, values); }
UNROLL_INLINE void storeColumns(Operand* to, Vector values, Vector) { store(to, values); }

#endif

// Memory for operands is counted in floats, which have the size of an operand.
UNROLL_INLINE Operand* operandsIn(float* memory) { return reinterpret_cast<Operand*>(memory); }
UNROLL_INLINE const Operand* operandsIn(const float* memory) { return reinterpret_cast<const Operand*>(memory); }

// Packs 16 numbers, from number `first` of `count` on and zeros after the last, for the left side of a product.
UNROLL_INLINE void packTerms(Operand* to, const float* from, size_t first, size_t count) {
  for (size_t v = 0; v < panelWidth; v += lanes) storeTerms(to + v / operandTerms, loadSome(from, first + v, count));
}

// Packs `terms` rows of up to 16 columns for the right side of a product, each row a term of the columns' sums. Rows
// are `stride` apart.
UNROLL_INLINE void packColumns(Operand* to, const float* from, size_t stride, size_t terms, size_t columns) {
  for (size_t term = 0; term < terms; term += operandTerms, to += panelWidth)
    for (size_t v = 0; v < panelWidth; v += lanes) {
      const Vector first = loadSome(from + term * stride, v, columns);
      const bool hasSecond = bfloat16 && term + 1 < terms;
      storeColumns(to + v, first, hasSecond ? loadSome(from + (term + 1) * stride, v, columns) : Vector{});
    }
}

}  // namespace
