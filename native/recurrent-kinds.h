// What the callers of the recurrent kernels share: the properties of each cell, and the order of a batch's rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kernels.h"

namespace unroll {

// The properties of a cell that its callers need.
struct RecurrentKind {
  const char* name;
  size_t columns, slots;
  bool hasCell;
  RecurrentKernels ProductKernels::*kernels;
};

inline const RecurrentKind recurrentKinds[] = {
    {"UnrollLstm", 4, 4, true, &ProductKernels::lstm},
    {"UnrollGru", 3, 4, false, &ProductKernels::gru},
    {"UnrollSimpleRnn", 1, 1, false, &ProductKernels::simpleRnn},
};

// The rows of a batch by falling length; rows of equal length stay in the order of the batch.
class SortedRows {
 public:
  // Null `given`: every row has all steps.
  SortedRows(const int32_t* given, size_t batch) {
    if (!given) return;
    rows.resize(batch);
    std::iota(rows.begin(), rows.end(), 0);
    std::stable_sort(rows.begin(), rows.end(), [&](int32_t a, int32_t b) { return given[a] > given[b]; });
    for (const int32_t row : rows) lengths.push_back(given[row]);
  }

  // Valid as long as this object.
  Sequence sequence(size_t steps, bool reverse) const {
    if (rows.empty()) return {nullptr, reverse, steps};
    return {lengths.data(), reverse, steps, rows.data()};
  }

 private:
  std::vector<int32_t> rows, lengths;
};

}  // namespace unroll
