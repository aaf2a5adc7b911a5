// The LSTM for AVX2 with FMA: 16 registers of 8 floats, tiles of 6 rows by one panel. Compiled with -mavx2 -mfma.
#define UNROLL_LANES 8
#define UNROLL_PANELS 1
#include "lstm-backward.h"

const unroll::InstructionSet unroll::avx2 = {"AVX2", forward, backward, inputGradient};
