// Products of bfloat16 operands in the tiles of AMX. Compiled with the flags of AVX512-BF16; the tiles' instructions
// are written out, as far as the compiler knows them.
#include "kernels.h"

#if defined(__GNUC__) && !defined(__clang__) && __has_include(<amxtileintrin.h>)

#define UNROLL_LANES 16
#define UNROLL_PANELS 2
#define UNROLL_BFLOAT16 1
#define UNROLL_BFLOAT16_INSTRUCTION 1
#define UNROLL_TILES 1
#define UNROLL_AMX 1
#include "linear-rows.h"
#include "recurrent-backward.h"

namespace {
const unroll::ProductKernels kernels = {recurrentKernels<Lstm>, recurrentKernels<Gru>, recurrentKernels<SimpleRnn>,
                                        linearKernels};
}

const unroll::ProductKernels* const unroll::tileBfloat16 = &kernels;

#else

const unroll::ProductKernels* const unroll::tileBfloat16 = nullptr;

#endif
