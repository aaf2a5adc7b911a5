// The kernels for AVX2 with FMA: 16 registers of 8 floats, tiles of 6 rows by one panel. Compiled with -mavx2 -mfma.
#include "kernels.h"

#define UNROLL_LANES 8
#define UNROLL_PANELS 1
#include "cross-entropy-rows.h"
#include "gather-pixels.h"
#include "linear-rows.h"
#include "recurrent-backward.h"
#include "update-rules.h"

const unroll::InstructionSet unroll::avx2 = {
    "AVX2",
    {recurrentKernels<Lstm>, recurrentKernels<Gru>, recurrentKernels<SimpleRnn>, linearKernels},
    &emulatedBfloat16,
    "emulated",
    updateKernels,
    crossEntropy,
    gatherPixels};
