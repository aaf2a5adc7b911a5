#include "blocks.h"

#include <cstdlib>
#include <mutex>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace unroll {
namespace {

constexpr size_t hugePage = size_t{2} << 20;
// The most unused memory that is kept; blocks beyond it go back to the system.
constexpr size_t keptBytes = size_t{256} << 20;

struct Store {
  std::mutex mutex;
  std::vector<Block*> unused;
  size_t unusedBytes = 0;
};

// Never destroyed: tensors may be freed while the process ends.
Store& store() {
  static Store* const made = new Store;
  return *made;
}

void release(Block* block) {
  std::free(block->data);
  delete block;
}

}  // namespace

Block* takeBlock(size_t count) {
  const size_t least = count * sizeof(float);
  const size_t alignment = least >= hugePage ? hugePage : 64;
  const size_t bytes = (least / alignment + 1) * alignment;
  {
    Store& kept = store();
    const std::lock_guard<std::mutex> lock(kept.mutex);
    size_t best = kept.unused.size();
    for (size_t at = 0; at < kept.unused.size(); ++at) {
      const size_t size = kept.unused[at]->bytes;
      // A much larger block is left for a request of its size.
      if (size >= bytes && size <= bytes + bytes / 4 && (best == kept.unused.size() || size < kept.unused[best]->bytes))
        best = at;
    }
    if (best < kept.unused.size()) {
      Block* const block = kept.unused[best];
      kept.unused.erase(kept.unused.begin() + static_cast<std::ptrdiff_t>(best));
      kept.unusedBytes -= block->bytes;
      return block;
    }
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes) != 0) return nullptr;
#if defined(__linux__)
  if (alignment == hugePage) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return new Block{static_cast<float*>(memory), bytes};
}

void returnBlock(Block* block) {
  Store& kept = store();
  const std::lock_guard<std::mutex> lock(kept.mutex);
  kept.unused.push_back(block);
  kept.unusedBytes += block->bytes;
  // The oldest go first: the blocks of the training step are needed again in every step.
  while (kept.unusedBytes > keptBytes) {
    Block* const oldest = kept.unused.front();
    kept.unused.erase(kept.unused.begin());
    kept.unusedBytes -= oldest->bytes;
    release(oldest);
  }
}

}  // namespace unroll
