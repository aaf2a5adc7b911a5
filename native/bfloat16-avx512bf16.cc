// Products of bfloat16 operands with vdpbf16ps of AVX512-BF16. Compiled with -mavx512bf16 and the flags of AVX512.
#include "kernels.h"

#define UNROLL_LANES 16
#define UNROLL_PANELS 4
#define UNROLL_BFLOAT16 1
#define UNROLL_BFLOAT16_INSTRUCTION 1
#include "linear-rows.h"
#include "recurrent-backward.h"

const unroll::ProductKernels unroll::avx512Bfloat16 = {recurrentKernels<Lstm>, recurrentKernels<Gru>,
                                                       recurrentKernels<SimpleRnn>, linearKernels};
