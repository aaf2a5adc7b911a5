// A small pool of threads. It starts with as many threads as TensorFlow's own (TF_NUM_INTRAOP_THREADS), which the C API
// does not offer.
#pragma once

#include <cstddef>

namespace unroll {

// The number of threads that work, including the calling one; at least 1.
size_t threadCount();

// As long as an object of this class exists, the thread that made it works alone, without the others.
class Alone {
 public:
  Alone();
  ~Alone();
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

 private:
  const bool before;
};

// Lets `count` threads work from the next task on. No result depends on it, so it may change between any two ops.
void setThreadCount(size_t count);

// Calls task(context, index) for every index below `count`, in any order, on all threads; returns when all are done.
// Each thread flushes denormal numbers to zero meanwhile, so that a result does not depend on where it was computed.
void runTasks(size_t count, void (*task)(const void* context, size_t index), const void* context);

// The same for a callable `visit(index)`.
template <class Visit>
inline void parallelFor(size_t count, const Visit& visit) {
  runTasks(
      count, [](const void* context, size_t index) { (*static_cast<const Visit*>(context))(index); }, &visit);
}

// Calls visit(begin, end) for ranges of `atOnce` numbers below `count`; the last range may be shorter.
template <class Visit>
inline void parallelRanges(size_t count, size_t atOnce, const Visit& visit) {
  parallelFor((count + atOnce - 1) / atOnce, [&](size_t range) {
    const size_t begin = range * atOnce;
    visit(begin, count - begin < atOnce ? count : begin + atOnce);
  });
}

}  // namespace unroll
