// The kernels for AVX2 with FMA: 16 registers of 8 floats, tiles of 6 rows by one panel. Compiled with -mavx2 -mfma.
#include "kernels.h"

#define UNROLL_LANES 8
#define UNROLL_PANELS 1
#include "adam-step.h"
#include "cross-entropy-rows.h"
#include "gather-pixels.h"
#include "recurrent-backward.h"

const unroll::InstructionSet unroll::avx2 = {"AVX2", recurrentKernels<Lstm>, recurrentKernels<Gru>,
                                         recurrentKernels<SimpleRnn>, adam, crossEntropy, gatherPixels};
