// Products of bfloat16 operands, emulated with AVX2, for every processor without an instruction for them. Compiled
// with -mavx2 -mfma.
#include "kernels.h"

#define UNROLL_LANES 8
#define UNROLL_PANELS 1
#define UNROLL_BFLOAT16 1
#include "linear-rows.h"
#include "recurrent-backward.h"

const unroll::ProductKernels unroll::emulatedBfloat16 = {recurrentKernels<Lstm>, recurrentKernels<Gru>,
                                                         recurrentKernels<SimpleRnn>, linearKernels};
