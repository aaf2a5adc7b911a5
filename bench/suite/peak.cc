// What bounds a recurrent layer's training step from below, on one thread of this machine: multiply-adds that never leave
// the registers, and the parts of the step as the kernels of native/ compute them. Prints the best of many as JSON:
//
//   peak lstm 128 28 28 64        cell, batch, steps, features, hidden
//
// Compiled with the flags of an instruction set, like native/kernels-avx2.cc; with -DUNROLL_BFLOAT16=1 for bfloat16 operands.
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifdef __AVX512F__
#define UNROLL_LANES 16
#if UNROLL_TILES
#define UNROLL_PANELS 2
#else
#define UNROLL_PANELS 4
#endif
#else
#define UNROLL_LANES 8
#define UNROLL_PANELS 1
#endif
#if defined(UNROLL_BFLOAT16) && defined(__AVX512BF16__)
#define UNROLL_BFLOAT16_INSTRUCTION 1
#endif
#include "../../native/blocks.h"
#include "../../native/processor.h"
#include "../../native/recurrent-backward.h"

namespace {

double processorMilliseconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

// The shortest time of at least five calls and a fifth of a second.
template <class Work>
double best(Work work) {
  double least = 1e300, sum = 0;
  for (int times = 0; times < 5 || sum < 200; ++times) {
    const double began = processorMilliseconds();
    work();
    const double taken = processorMilliseconds() - began;
    least = taken < least ? taken : least;
    sum += taken;
  }
  return least;
}

// In memory of large pages where it is large, as the operations have it; kept until the program ends.
float* numbers(size_t count) {
  Block* const block = takeBlock(count);
  if (!block) std::abort();
  unsigned state = 1;
  for (size_t at = 0; at < count; ++at) {
    state = state * 1664525u + 1013904223u;
    block->data[at] = (static_cast<float>(state >> 8) / (1 << 24) - 0.5f) / 16;
  }
  return block->data;
}

#if UNROLL_AMX

// GFLOPS of independent products of tiles.
double registerPeak() {
  constexpr int steps = 1 << 18;
  Products products;
  products.setRows(tileHeight, tileHeight);
  const double milliseconds = best([&] {
    for (int step = 0; step < steps; ++step) {
      UNROLL_MULTIPLY_TILES(0, 4, 6);
      UNROLL_MULTIPLY_TILES(1, 4, 7);
      UNROLL_MULTIPLY_TILES(2, 5, 6);
      UNROLL_MULTIPLY_TILES(3, 5, 7);
    }
  });
  return 4 * 2e-6 * tileHeight * panelWidth * tileTerms * steps / milliseconds;
}

#else

// GFLOPS of independent multiply-adds in as many registers as hide their latency; of vdpbf16ps, each is two.
double registerPeak() {
  constexpr int chains = 12, steps = 1 << 20;
  const float* const starts = numbers(chains * lanes);
  const double milliseconds = best([&] {
    const Vector factor = broadcast(0.5f), term = broadcast(1.0f);
    Tile<1, chains / vectorsPerPanel> tile;
    tile.load(starts, 0, panelWidth);
#if UNROLL_BFLOAT16_INSTRUCTION
    for (int step = 0; step < steps; ++step)
#pragma GCC unroll 12
      for (int chain = 0; chain < chains; ++chain)
        tile.sums[0][chain] = (Vector)_mm512_dpbf16_ps((__m512)tile.sums[0][chain], (__m512bh)factor, (__m512bh)term);
#else
    for (int step = 0; step < steps; ++step)
#pragma GCC unroll 12
      for (int chain = 0; chain < chains; ++chain) tile.sums[0][chain] = tile.sums[0][chain] * factor + term;
#endif
    // Else the compiler would leave out what nobody reads.
#pragma GCC unroll 12
    for (int chain = 0; chain < chains; ++chain) asm volatile("" : : "v"(tile.sums[0][chain]));
  });
  return (UNROLL_BFLOAT16_INSTRUCTION ? 4e-6 : 2e-6) * chains * lanes * steps / milliseconds;
}

#endif

// GB/s of reading what is larger than the second-level cache, in order.
double memorySpeed() {
  constexpr size_t count = size_t{16} << 20;
  const float* const block = numbers(count);
  const double milliseconds = best([&] {
    Vector sums[8] = {};
    for (size_t at = 0; at < count; at += 8 * lanes)
#pragma GCC unroll 8
      for (size_t v = 0; v < 8; ++v) sums[v] += load(block + at + v * lanes);
#pragma GCC unroll 8
    for (size_t v = 0; v < 8; ++v) asm volatile("" : : "v"(sums[v]));
  });
  return 1e-6 * sizeof(float) * count / milliseconds;
}

// GFLOPS of one block of sums after another, as the products of a step compute them, of some terms that are read
// several times.
double blockSpeed(size_t terms, size_t repeats) {
  constexpr size_t blocks = 2, rows = blocks * (UNROLL_TILES ? 2 * 16 : tileRows);
  const RecurrentShape shape = {rows, 1, terms, tilePanels * panelWidth, 1, 1, false, false, bfloat16};
  const size_t kernelPanel = shape.inputPanels() * shape.kernelTile();
  const Operand* const left = operandsIn(numbers(shape.inputPanels() * shape.operandPanel()));
  const Operand* const right = operandsIn(numbers(tilePanels * kernelPanel));
  float* const sums = numbers(tilePanels * shape.panel());
  Products products;
  constexpr size_t times = 100;
  const double milliseconds = best([&] {
    for (size_t time = 0; time < times; ++time)
      forBlocks<tilePanels>(products, 0, rows, [&](auto& block, size_t row) UNROLL_INLINED {
        block.load(sums + row * panelWidth, panelWidth, shape.panel());
        for (size_t repeat = 0; repeat < repeats; ++repeat)
          block.addPanels(left + row * leftStride, shape.operandPanel(), right, shape.kernelTile(), kernelPanel, terms);
        block.store(sums + row * panelWidth, panelWidth, shape.panel());
      });
  });
  return 2e-6 * static_cast<double>(rows * tilePanels * panelWidth * terms * repeats * times) / milliseconds;
}

template <class Cell>
void measure(size_t batch, size_t steps, size_t features, size_t hidden) {
  const RecurrentShape shape = {batch, steps, features, hidden, Cell::columns, Cell::slots,
                               Cell::hasCell, false, bfloat16};
  const size_t columns = shape.columns * hidden;

  RecurrentForward in{};
  in.shape = shape;
  in.sequence = {nullptr, false, steps};
  in.inputs = numbers(batch * steps * features);
  in.kernel = numbers((features + hidden) * columns);
  in.bias = numbers(shape.slots * hidden);
  in.finalHidden = numbers(batch * hidden);
  in.finalCell = numbers(batch * hidden);
  in.buffers = RecurrentBuffers::in(numbers(RecurrentBuffers::floats(shape, true)), shape, true);
  in.packedKernel = numbers(shape.packedKernel());

  RecurrentBackward back{};
  back.shape = shape;
  back.sequence = in.sequence;
  back.kernel = in.kernel;
  back.finalHiddenGradient = numbers(batch * hidden);
  back.buffers = in.buffers;
  back.gatesGradient = numbers(steps * shape.gateStep());
  back.kernelGradient = numbers((features + hidden) * columns);
  back.biasGradient = numbers(shape.slots * hidden);
  back.transposedKernel = numbers(shape.hiddenPanels() * shape.transposedPanel());
  back.stateGradient = numbers(2 * shape.stateStep());
  back.rounded = {numbers(shape.roundedStep()), numbers(shape.pairedOperands()), numbers(shape.pairedGates())};

  // Fills every buffer with its real content.
  const double forwardAll = best([&] { forward<Cell>(in); });
  const double backwardAll = best([&] { backward<Cell>(back); });
  const double forwardProduct = best([&] {
    Products products;
    for (size_t step = 0; step < steps; ++step)
      forPanelGroups(shape.hiddenPanels(), [&](auto panels, size_t unitPanel) {
        sumSlots<Cell, decltype(panels)::value>(in, products, step, unitPanel, 0, batch);
      });
  });
  forward<Cell>(in);
  const double stateProduct = best([&] {
    Products products;
    for (size_t step = 1; step < steps; ++step)
      addGatesTimesKernel<Cell>(
          shape, products, Cell::stateColumn,
          operandsIn(bfloat16 ? back.rounded.step : back.gatesGradient + step * shape.gateStep()),
          operandsIn(back.transposedKernel), back.stateGradient, shape.hiddenPanels(), 0, batch);
  });
  const double kernelProduct = best([&] { ::kernelGradient<Cell>(back); });
  const double gates = best([&] {
    for (size_t step = 0; step < steps; ++step)
      for (size_t panel = 0; panel < shape.hiddenPanels(); ++panel) applyCells<Cell>(in, step, panel, 0, batch);
  });
  const double derivatives = best([&] {
    for (size_t step = steps; step-- > 0;)
      for (size_t panel = 0; panel < shape.hiddenPanels(); ++panel)
        for (size_t row = 0; row < batch; ++row) differentiateCell<Cell>(back, step, row, panel);
  });
  std::printf("{\"registers\": %.4g, \"firstCache\": %.4g, \"secondCache\": %.4g, \"memory\": %.4g, ", registerPeak(),
              blockSpeed(96, 20), blockSpeed(2048, 1), memorySpeed());
  std::printf("\"forward\": %.4g, \"backward\": %.4g, \"gates\": %.4g, \"derivatives\": %.4g, ", forwardAll, backwardAll,
              gates, derivatives);
  std::printf("\"forwardProduct\": %.4g, \"stateProduct\": %.4g, \"kernelProduct\": %.4g}\n", forwardProduct,
              stateProduct, kernelProduct);
}

}  // namespace

int main(int count, char** words) {
  if (count != 6) return 2;
#if UNROLL_TILES
  if (!unroll::hasTiles()) return 3;
#endif
  // As in native/parallel.cc: what fades away in a repeated loop must not become slow.
  _mm_setcsr(_mm_getcsr() | 0x8040);
  size_t sizes[4];
  for (int at = 0; at < 4; ++at) sizes[at] = std::strtoul(words[at + 2], nullptr, 10);
  const auto run = std::strcmp(words[1], "lstm") == 0  ? measure<Lstm>
                   : std::strcmp(words[1], "gru") == 0 ? measure<Gru>
                                                       : measure<SimpleRnn>;
  run(sizes[0], sizes[1], sizes[2], sizes[3]);
}
