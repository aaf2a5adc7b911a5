// Memory that is reused from one training step to the next: the system would have to clear fresh pages first, which
// costs a few percent of a step.
#pragma once

#include <cstddef>

namespace unroll {

struct Block {
  float* data;  // aligned to 64 bytes at least
  size_t bytes;
};

// A block of at least `count` floats with arbitrary content, or null when there is no memory.
Block* takeBlock(size_t count);
void returnBlock(Block* block);

// A block that is given back at the end of a scope.
class Scratch {
 public:
  explicit Scratch(size_t count) : block(takeBlock(count)) {}
  ~Scratch() {
    if (block) returnBlock(block);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  float* data() const { return block ? block->data : nullptr; }

 private:
  Block* block;
};

}  // namespace unroll
