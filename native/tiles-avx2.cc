// Products of bfloat16 operands as the tiles of AMX compute them, emulated with AVX2. Compiled with -mavx2 -mfma.
#include "kernels.h"

#define UNROLL_LANES 8
#define UNROLL_PANELS 1
#define UNROLL_BFLOAT16 1
#define UNROLL_TILES 1
#define UNROLL_AMX 0
#include "linear-rows.h"
#include "recurrent-backward.h"

const unroll::ProductKernels unroll::emulatedTiles = {recurrentKernels<Lstm>, recurrentKernels<Gru>,
                                                      recurrentKernels<SimpleRnn>, linearKernels};
