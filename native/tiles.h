// Blocks of sums as AMX computes products of bfloat16 operands: in tiles of 16 rows by 16 columns, which are registers
// of their own.
//
// One instruction adds the products of 32 terms to a tile. It takes the terms in pairs, adds the first ones' products
// to one sum and the second ones' to another one, both from zero on and one by one, then adds the two sums, and the
// result to the tile; each operation rounds to nearest even and flushes denormal numbers (Intel's manual, "TDPBF16PS").
// So the order of a sum differs from that of operand.h, and the emulation here, for processors without AMX, gives the
// same bits as the instruction.
#pragma once

#include "operand.h"
#include "product.h"

#ifndef UNROLL_AMX
#error "Define UNROLL_AMX, 1 for the instructions and 0 for their emulation, before including this header."
#endif

namespace {

// Rows of a tile; its columns are a panel's. One instruction adds the terms of two panels.
constexpr size_t tileHeight = 16, tileTerms = panelsAside * panelWidth;

// The dwords of a tile of operands: 16 rows of 16 pairs on the left side, 16 pairs of 16 columns on the right one. The
// other number is a panel's share.
constexpr size_t tileOperands = tileHeight * leftStride, panelTile = tileOperands / panelsAside;

#if UNROLL_AMX

// A tile's number must be in the text of the instruction. Sums: 0 and 1, below them 2 and 3; left: 4 and 5; right: 6
// and 7.
#define UNROLL_LOAD_TILE(tile, from, bytes) \
  asm volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(from), "r"(bytes) : "memory")
#define UNROLL_STORE_TILE(tile, to, bytes) \
  asm volatile("tilestored %%tmm" #tile ", (%0,%1,1)" : : "r"(to), "r"(bytes) : "memory")
#define UNROLL_MULTIPLY_TILES(sums, left, right) \
  asm volatile("tdpbf16ps %%tmm" #right ", %%tmm" #left ", %%tmm" #sums : :)

// The tile registers of a thread, from the first block on until the object ends.
class Products {
 public:
  Products() = default;
  Products(const Products&) = delete;
  ~Products() {
    if (rows[0] > 0) asm volatile("tilerelease" : :);
  }

  // Sets how many rows the upper and the lower tiles have; none of the lower ones: any number.
  UNROLL_INLINE void setRows(size_t upper, size_t lower) {
    if (upper == rows[0] && (lower == 0 || lower == rows[1])) return;
    rows[0] = upper;
    rows[1] = lower > 0 ? lower : upper;
    struct {
      uint8_t palette, start, reserved[14];
      uint16_t rowBytes[16];
      uint8_t rows[16];
    } shape = {1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {}};
    for (size_t tile = 0; tile < 6; ++tile)
      shape.rows[tile] = static_cast<uint8_t>(rows[tile == 2 || tile == 3 || tile == 5]);
    shape.rows[6] = shape.rows[7] = leftStride;
    asm volatile("ldtilecfg %0" : : "m"(shape));
  }

 private:
  size_t rows[2] = {0, 0};
};

#else

// What AMX keeps in registers.
class Products {
 public:
  void setRows(size_t upper, size_t lower) {
    rows[0] = upper;
    rows[1] = lower;
  }

  size_t rows[2] = {0, 0};
  float sums[2][2][tileHeight * panelWidth];
};

#endif

// One or two tiles below each other by one or two panels.
template <int Heights, int Panels>
struct TileBlock {
  Products& products;

  UNROLL_INLINE void load(const float* from, size_t rowStride, size_t panelStride) {
#if UNROLL_AMX
    const size_t bytes = rowStride * sizeof(float);
    const float* below = from + tileHeight * rowStride;
    UNROLL_LOAD_TILE(0, from, bytes);
    if constexpr (Panels > 1) UNROLL_LOAD_TILE(1, from + panelStride, bytes);
    if constexpr (Heights > 1) UNROLL_LOAD_TILE(2, below, bytes);
    if constexpr (Heights > 1 && Panels > 1) UNROLL_LOAD_TILE(3, below + panelStride, bytes);
#else
    eachRow([&](int height, int panel, size_t row, float* sums) {
      copyRow(sums, from + (height * tileHeight + row) * rowStride + panel * panelStride);
    });
#endif
  }

  UNROLL_INLINE void store(float* to, size_t rowStride, size_t panelStride) const {
#if UNROLL_AMX
    const size_t bytes = rowStride * sizeof(float);
    float* below = to + tileHeight * rowStride;
    UNROLL_STORE_TILE(0, to, bytes);
    if constexpr (Panels > 1) UNROLL_STORE_TILE(1, to + panelStride, bytes);
    if constexpr (Heights > 1) UNROLL_STORE_TILE(2, below, bytes);
    if constexpr (Heights > 1 && Panels > 1) UNROLL_STORE_TILE(3, below + panelStride, bytes);
#else
    eachRow([&](int height, int panel, size_t row, const float* sums) {
      copyRow(to + (height * tileHeight + row) * rowStride + panel * panelStride, sums);
    });
#endif
  }

  // Adds the products of 32 terms: `left` is a tile, and so is the one `leftBelow` on; `right` is one in each panel.
  UNROLL_INLINE void addTiles(const Operand* left, size_t leftBelow, const Operand* right, size_t panelStride) {
#if UNROLL_AMX
    constexpr size_t leftBytes = leftStride * sizeof(Operand), rightBytes = panelWidth * sizeof(Operand);
    UNROLL_LOAD_TILE(6, right, rightBytes);
    UNROLL_LOAD_TILE(4, left, leftBytes);
    UNROLL_MULTIPLY_TILES(0, 4, 6);
    if constexpr (Panels > 1) {
      UNROLL_LOAD_TILE(7, right + panelStride, rightBytes);
      UNROLL_MULTIPLY_TILES(1, 4, 7);
    }
    if constexpr (Heights > 1) {
      UNROLL_LOAD_TILE(5, left + leftBelow, leftBytes);
      UNROLL_MULTIPLY_TILES(2, 5, 6);
    }
    if constexpr (Heights > 1 && Panels > 1) UNROLL_MULTIPLY_TILES(3, 5, 7);
#else
    eachRow([&](int height, int panel, size_t row, float* sums) {
      const Operand* factors = left + height * leftBelow + row * leftStride;
      const Operand* columns = right + panel * panelStride;
      for (size_t v = 0; v < panelWidth; v += lanes) {
        Vector first = {}, second = {};
        for (size_t pair = 0; pair < leftStride; ++pair) {
          const Bits factor = Bits{} + factors[pair], column = loadBits(columns + pair * panelWidth + v);
          first = multiplyAdd(firstTerms(factor), firstTerms(column), first);
          second = multiplyAdd(secondTerms(factor), secondTerms(column), second);
        }
        ::store(sums + v, ::load(sums + v) + (first + second));
      }
    });
#endif
  }

  // Adds outer products along `count` columns of the left matrix, whose panels of 16 are leftPanel apart; those of the
  // right one's rows are rightPanel apart. What is not full is filled up with zeros.
  UNROLL_INLINE void addPanels(const Operand* left, size_t leftPanel, const Operand* right, size_t rightPanel,
                               size_t panelStride, size_t count, size_t leftBelow = tileOperands) {
    for (size_t at = 0; at < count; at += tileTerms, left += panelsAside * leftPanel, right += panelsAside * rightPanel)
      addTiles(left, leftBelow, right, panelStride);
  }

#if !UNROLL_AMX
 private:
  static void copyRow(float* to, const float* from) {
    for (size_t v = 0; v < panelWidth; v += lanes) ::store(to + v, ::load(from + v));
  }

  template <class Visit>
  void eachRow(const Visit& visit) const {
    for (int height = 0; height < Heights; ++height)
      for (int panel = 0; panel < Panels; ++panel)
        for (size_t row = 0; row < products.rows[height]; ++row)
          visit(height, panel, row, products.sums[height][panel] + row * panelWidth);
  }
#endif
};

// Calls visit(block, first row) for blocks of as many rows of [begin, end) as the tiles hold.
template <int Panels, class Visit>
UNROLL_INLINE void forBlocks(Products& products, size_t begin, size_t end, Visit visit) {
  for (size_t row = begin; row < end; row += 2 * tileHeight) {
    const size_t left = end - row, upper = left < tileHeight ? left : tileHeight;
    const size_t lower = left - upper < tileHeight ? left - upper : tileHeight;
    products.setRows(upper, lower);
    if (lower > 0) {
      TileBlock<2, Panels> block{products};
      visit(block, row);
    } else {
      TileBlock<1, Panels> block{products};
      visit(block, row);
    }
  }
}

}  // namespace
