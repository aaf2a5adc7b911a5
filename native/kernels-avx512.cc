// The kernels for AVX512: 32 registers of 16 floats, tiles of 6 rows by four panels. Compiled with -mavx512f and more.
#include "kernels.h"

#define UNROLL_LANES 16
#define UNROLL_PANELS 4
#include "cross-entropy-rows.h"
#include "gather-pixels.h"
#include "linear-rows.h"
#include "recurrent-backward.h"
#include "update-rules.h"

const unroll::InstructionSet unroll::avx512 = {
    "AVX512",          {recurrentKernels<Lstm>, recurrentKernels<Gru>, recurrentKernels<SimpleRnn>, linearKernels},
    &emulatedBfloat16, "emulated",
    updateKernels,     crossEntropy,
    gatherPixels};
