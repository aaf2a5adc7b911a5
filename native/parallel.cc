#include "parallel.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <pthread.h>
#endif

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace unroll {
namespace {

class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : before(_mm_getcsr()) { _mm_setcsr(before | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before); }

 private:
  unsigned before;
#elif defined(__aarch64__)
  FlushDenormals() : before(control()) { setControl(before | 1 << 24); }
  ~FlushDenormals() { setControl(before); }

 private:
  static uint64_t control() {
    uint64_t value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void setControl(uint64_t value) { asm volatile("msr fpcr, %0" : : "r"(value)); }

  uint64_t before;
#endif
};

struct Job {
  size_t count, threads;
  void (*task)(const void*, size_t);
  const void* context;
  std::atomic<size_t> next{0};
  // Workers that may still read this job, which is on its caller's stack.
  size_t users = 0;

  void work() {
    const FlushDenormals flush;
    for (size_t index; (index = next.fetch_add(1)) < count;) task(context, index);
  }
};

struct Pool {
  std::mutex mutex;
  std::condition_variable wake, done;
  Job* job = nullptr;
  size_t generation = 0, size = 1;

  // The thread that calls is the first; `thread` counts the others from 1.
  void serve(size_t thread) {
#if defined(__linux__)
    // The name that `top -H` shows.
    pthread_setname_np(pthread_self(), "unroll-kernels");
#endif
    size_t seen = 0;
    for (std::unique_lock<std::mutex> lock(mutex);;) {
      wake.wait(lock, [&] { return job && generation != seen && thread < job->threads; });
      seen = generation;
      Job* mine = job;
      ++mine->users;
      lock.unlock();
      mine->work();
      lock.lock();
      if (--mine->users == 0) done.notify_all();
    }
  }

  void run(Job& mine) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      for (; size < mine.threads; ++size) std::thread([this, thread = size] { serve(thread); }).detach();
      job = &mine;
      ++generation;
    }
    wake.notify_all();
    mine.work();
    std::unique_lock<std::mutex> lock(mutex);
    job = nullptr;
    done.wait(lock, [&] { return mine.users == 0; });
  }
};

size_t configuredThreads() {
  const char* text = std::getenv("TF_NUM_INTRAOP_THREADS");
  const long asked = text ? std::strtol(text, nullptr, 10) : 0;
  const size_t count = asked > 0 ? static_cast<size_t>(asked) : std::thread::hardware_concurrency();
  return count > 0 ? count : 1;
}

std::atomic<size_t>& allowedThreads() {
  static std::atomic<size_t> count{configuredThreads()};
  return count;
}

thread_local bool isAlone = false;

}  // namespace

Alone::Alone() : before(isAlone) { isAlone = true; }
Alone::~Alone() { isAlone = before; }

size_t threadCount() { return isAlone ? 1 : allowedThreads().load(); }

void setThreadCount(size_t count) { allowedThreads() = count > 0 ? count : 1; }

void runTasks(size_t count, void (*task)(const void*, size_t), const void* context) {
  Job job{count, threadCount(), task, context};
  if (job.threads == 1 || count < 2) return job.work();
  // Never destroyed: its threads wait until the process ends.
  static Pool* const pool = new Pool;
  // TensorFlow may run two of our ops at once; the pool serves one after the other.
  static std::mutex one;
  const std::lock_guard<std::mutex> lock(one);
  pool->run(job);
}

}  // namespace unroll
