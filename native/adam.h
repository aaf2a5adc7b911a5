// One step of Adam, in the form at the end of section 2 of Kingma and Ba (2015): with gradient g of a weight w,
//
//   m' = b1 m + (1 - b1) g      v' = b2 v + (1 - b2) g^2      w' = keep w - size m' / (sqrt(v') + epsilon)
#pragma once

#include <cstddef>

namespace unroll {

// size: learning rate with the correction for the start at zero. keep: 1, less what weight decay takes away.
struct AdamSettings {
  float beta1, rest1, beta2, rest2, size, epsilon, keep;
};

// `count` numbers of a weight.
struct AdamWeight {
  size_t count;
  const float *weight, *gradient, *mean, *variance;
  float *nextWeight, *nextMean, *nextVariance;
};

}  // namespace unroll
