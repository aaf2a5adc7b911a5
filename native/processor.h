// What the processor can compute with.
#pragma once

namespace unroll {

// Whether this process may use the tiles of AMX with bfloat16 operands: the processor has them, and the kernel gave its
// permission, which is asked for here.
bool hasTiles();

}  // namespace unroll
