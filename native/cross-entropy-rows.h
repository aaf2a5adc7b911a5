// Softmax cross-entropy, row by row.
#pragma once

#include "cross-entropy.h"
#include "parallel.h"
#include "vector.h"

namespace {

// Waking a thread for fewer logits costs more than it saves.
constexpr size_t logitsAtOnce = 16384;

// exp(x) for x <= 0; exp(-87) for x below -87.
UNROLL_INLINE Vector exponential(Vector x) {
  const Vector exponents[] = {clamp(x, -87.0f, 0.0f)};
  PowersOfTwo<1> e;
  splitExponentials(exponents, e);
  return e.scale[0] * e.fraction[0] + e.scale[0];
}

// Calls visit(class, classes left of a panel) for each panel of 16 classes.
template <class Visit>
UNROLL_INLINE void forPanels(size_t classes, Visit visit) {
  for (size_t at = 0; at < classes; at += panelWidth) visit(at, classes - at < panelWidth ? classes - at : panelWidth);
}

UNROLL_INLINE float larger(float a, float b) { return a > b ? a : b; }

UNROLL_INLINE float largestOf(const float* values, size_t count) {
  float largest[panelWidth];
  for (float& one : largest) one = values[0];
  forPanels(count, [&](size_t first, size_t left) {
    if (left == panelWidth)
      for (size_t at = 0; at < panelWidth; ++at) largest[at] = larger(values[first + at], largest[at]);
    else
      for (size_t at = 0; at < left; ++at) largest[at] = larger(values[first + at], largest[at]);
  });
  float most = largest[0];
  for (const float one : largest) most = larger(one, most);
  return most;
}

inline void crossEntropyRow(const unroll::CrossEntropy& in, size_t row) {
  const float* const logits = in.logits + row * in.classes;
  float* const slope = in.slope + row * in.classes;
  const float largest = largestOf(logits, in.classes);
  // One sum for each column of a panel, so that registers of any size add the same numbers in the same order.
  float sums[panelWidth] = {};
  forPanels(in.classes, [&](size_t first, size_t count) {
    float values[panelWidth];
    for (size_t at = 0; at < panelWidth; ++at) values[at] = at < count ? logits[first + at] : largest;
    for (size_t v = 0; v < panelWidth; v += lanes) store(values + v, exponential(load(values + v) - largest));
    for (size_t at = 0; at < count; ++at) {
      sums[at] += values[at];
      slope[first + at] = values[at];
    }
  });
  float sum = 0;
  for (const float part : sums) sum += part;
  const size_t right = static_cast<size_t>(in.labels[row]), rows = in.rows;
  in.losses[row] = static_cast<float>(__builtin_log(static_cast<double>(sum))) - (logits[right] - largest);
  const float scale = 1.0f / (sum * static_cast<float>(rows));
  for (size_t at = 0; at < in.classes; ++at) slope[at] *= scale;
  slope[right] -= 1.0f / static_cast<float>(rows);
}

void crossEntropy(const unroll::CrossEntropy& in) {
  const size_t rowsAtOnce = in.classes < logitsAtOnce ? logitsAtOnce / in.classes : 1;
  unroll::parallelRanges(in.rows, rowsAtOnce, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) crossEntropyRow(in, row);
  });
}

}  // namespace
