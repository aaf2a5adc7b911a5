// The kernels for NEON of arm64: 32 registers of 4 floats, tiles of 6 rows by one panel.
#include "kernels.h"

#define UNROLL_LANES 4
#define UNROLL_PANELS 1
#include "cross-entropy-rows.h"
#include "gather-pixels.h"
#include "linear-rows.h"
#include "recurrent-backward.h"
#include "update-rules.h"

const unroll::InstructionSet unroll::neon = {
    "NEON",
    {recurrentKernels<Lstm>, recurrentKernels<Gru>, recurrentKernels<SimpleRnn>, linearKernels},
    &emulatedBfloat16,
    "emulated",
    updateKernels,
    crossEntropy,
    gatherPixels};
