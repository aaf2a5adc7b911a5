// Products of bfloat16 operands, emulated with NEON: BFDOT of arm64 rounds in another way than vdpbf16ps.
#include "kernels.h"

#define UNROLL_LANES 4
#define UNROLL_PANELS 1
#define UNROLL_BFLOAT16 1
#include "linear-rows.h"
#include "recurrent-backward.h"

const unroll::ProductKernels unroll::emulatedBfloat16 = {recurrentKernels<Lstm>, recurrentKernels<Gru>,
                                                         recurrentKernels<SimpleRnn>, linearKernels};
