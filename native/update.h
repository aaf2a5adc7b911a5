// An optimizer's update of the weights of a network: what its operations and its rules in update-rules.h share.
#pragma once

#include <cstddef>

namespace unroll {

constexpr size_t mostSlots = 3;

// `count` numbers of a weight, and as many in each of its slots.
struct UpdateWeight {
  size_t count;
  const float *value, *gradient;
  const float* slots[mostSlots];
  float* nextValue;
  float* nextSlots[mostSlots];
};

// Updates the numbers from `begin` to `end` of a weight.
using UpdateKernel = void (*)(const float* settings, const UpdateWeight& weight, size_t begin, size_t end);

struct UpdateKernels {
  UpdateKernel sgd, momentum, nesterov, rmsProp, rmsPropCentered, rmsPropMomentum, rmsPropCenteredMomentum, adagrad,
      adadelta, adam, adamax;
};

}  // namespace unroll
