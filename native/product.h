// The one matrix product that everything is made of: a tile of sums that stays in registers.
//
// Every sum is accumulated over its terms one by one in a fixed order; vectors only run along independent sums. So
// the tile's size, the split over threads and the instruction set never change a bit of a result.
#pragma once

#include "operand.h"

namespace {

#ifndef UNROLL_PANELS
#error "Define UNROLL_PANELS, the number of panels side by side in one tile, before including this header."
#endif

constexpr int tileRows = 6;
constexpr int tilePanels = UNROLL_PANELS;

template <int N>
struct Count {
  static constexpr int value = N;
};

template <int Rows, int Panels>
struct Tile {
  static constexpr size_t vectors = Panels * vectorsPerPanel;
  Vector sums[Rows][vectors];

  // Where vector v of a row lies in panels that are panelStride apart.
  static constexpr size_t at(size_t v, size_t panelStride) {
    return v / vectorsPerPanel * panelStride + v % vectorsPerPanel * lanes;
  }

  UNROLL_INLINE void clear() {
#pragma GCC unroll 8
    for (int row = 0; row < Rows; ++row)
#pragma GCC unroll 8
      for (size_t v = 0; v < vectors; ++v) sums[row][v] = Vector{};
  }

  UNROLL_INLINE void load(const float* from, size_t rowStride, size_t panelStride) {
#pragma GCC unroll 8
    for (int row = 0; row < Rows; ++row)
#pragma GCC unroll 8
      for (size_t v = 0; v < vectors; ++v) sums[row][v] = ::load(from + row * rowStride + at(v, panelStride));
  }

  UNROLL_INLINE void store(float* to, size_t rowStride, size_t panelStride) const {
#pragma GCC unroll 8
    for (int row = 0; row < Rows; ++row)
#pragma GCC unroll 8
      for (size_t v = 0; v < vectors; ++v) ::store(to + row * rowStride + at(v, panelStride), sums[row][v]);
  }

  // Adds `steps` outer products, or with bfloat16 as many pairs of them. `left` holds the row's factors, rowStride
  // apart, the next step's stepStride on; `right` holds 16 columns a step in each of the panels, panelStride apart.
  UNROLL_INLINE void add(const Operand* left, size_t rowStride, size_t stepStride, const Operand* right,
                         size_t panelStride, size_t steps) {
    for (size_t step = 0; step < steps; ++step) {
#if UNROLL_BFLOAT16
      addPairs(left, rowStride, right, panelStride);
#else
      Vector columns[vectors];
#pragma GCC unroll 8
      for (size_t v = 0; v < vectors; ++v) columns[v] = ::load(right + at(v, panelStride));
#pragma GCC unroll 8
      for (int row = 0; row < Rows; ++row) {
        const Vector factor = broadcast(left[row * rowStride]);
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; ++v) sums[row][v] += factor * columns[v];
      }
#endif
      left += stepStride;
      right += panelWidth;
    }
  }

#if UNROLL_BFLOAT16_INSTRUCTION
  UNROLL_INLINE void addPairs(const Operand* left, size_t rowStride, const Operand* right, size_t panelStride) {
    Bits columns[vectors];
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; ++v) columns[v] = loadBits(right + at(v, panelStride));
#pragma GCC unroll 8
    for (int row = 0; row < Rows; ++row) {
      const Bits factors = Bits{} + left[row * rowStride];
#pragma GCC unroll 8
      for (size_t v = 0; v < vectors; ++v)
        sums[row][v] = (Vector)_mm512_dpbf16_ps((__m512)sums[row][v], (__m512bh)factors, (__m512bh)columns[v]);
    }
  }
#elif UNROLL_BFLOAT16
  // All first terms and then all second ones, because the registers do not hold both.
  UNROLL_INLINE void addPairs(const Operand* left, size_t rowStride, const Operand* right, size_t panelStride) {
    const auto addTerms = [&](auto termsOf) {
      Vector columns[vectors];
#pragma GCC unroll 8
      for (size_t v = 0; v < vectors; ++v) columns[v] = termsOf(loadBits(right + at(v, panelStride)));
#pragma GCC unroll 8
      for (int row = 0; row < Rows; ++row) {
        const Vector factor = termsOf(Bits{} + left[row * rowStride]);
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; ++v) sums[row][v] = multiplyAdd(factor, columns[v], sums[row][v]);
      }
    };
    addTerms([](Bits pairs) { return firstTerms(pairs); });
    addTerms([](Bits pairs) { return secondTerms(pairs); });
  }
#endif

  // Adds outer products along `count` columns of the left matrix, whose panels of 16 are leftPanel apart; those of the
  // right one's rows are rightPanel apart.
  UNROLL_INLINE void addPanels(const Operand* left, size_t leftPanel, const Operand* right, size_t rightPanel,
                               size_t panelStride, size_t count) {
    for (; count >= panelWidth; count -= panelWidth, left += leftPanel, right += rightPanel)
      add(left, panelOperands, 1, right, panelStride, panelOperands);
    if (count > 0) add(left, panelOperands, 1, right, panelStride, operandsOf(count));
  }
};

// Copies 16 values of a panel's row to a row-major tensor, where fewer may be left.
UNROLL_INLINE void storePanelRow(float* to, const float* from, size_t count) {
  if (count >= panelWidth) {
    for (size_t v = 0; v < vectorsPerPanel; ++v) store(to + v * lanes, load(from + v * lanes));
  } else {
    for (size_t unit = 0; unit < count; ++unit) to[unit] = from[unit];
  }
}

// Calls visit(Count<rows>, first row) for blocks of nearly equal size, so that no small remainder runs slowly.
template <class Visit>
UNROLL_INLINE void forRowBlocks(size_t begin, size_t end, Visit visit) {
  const size_t rows = end - begin;
  const size_t blocks = (rows + tileRows - 1) / tileRows;
  for (size_t block = 0, row = begin; block < blocks; ++block) {
    const size_t size = rows / blocks + (block < rows % blocks ? 1 : 0);
    switch (size) {
      case 1:
        visit(Count<1>{}, row);
        break;
      case 2:
        visit(Count<2>{}, row);
        break;
      case 3:
        visit(Count<3>{}, row);
        break;
      case 4:
        visit(Count<4>{}, row);
        break;
      case 5:
        visit(Count<5>{}, row);
        break;
      default:
        visit(Count<6>{}, row);
    }
    row += size;
  }
}

#if !UNROLL_TILES
// Vector registers need no preparation, unlike the tiles of AMX (tiles.h).
struct Products {};

// Calls visit(block, first row) for blocks of rows of [begin, end), whose sums stay in the registers.
template <int Panels, class Visit>
UNROLL_INLINE void forBlocks(Products&, size_t begin, size_t end, Visit visit) {
  forRowBlocks(begin, end, [&](auto rows, size_t row) UNROLL_INLINED {
    Tile<decltype(rows)::value, Panels> tile;
    visit(tile, row);
  });
}
#endif

// Calls visit(Count<panels>, first panel) for as many panels at once as the registers hold.
template <class Visit>
UNROLL_INLINE void forPanelGroups(size_t panels, Visit visit) {
  size_t panel = 0;
  for (; panel + tilePanels <= panels; panel += tilePanels) visit(Count<tilePanels>{}, panel);
  if constexpr (tilePanels > 1) {
    switch (panels - panel) {
      case 1:
        visit(Count<1>{}, panel);
        break;
      case 2:
        visit(Count<2>{}, panel);
        break;
      case 3:
        visit(Count<3>{}, panel);
        break;
      default:
        break;
    }
  }
}

}  // namespace
