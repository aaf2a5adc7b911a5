// An optimizer's update of the weights of a network: the types that its ops and the rules in update-rules.h share.
#pragma once

#include <cstddef>

#include "update-settings.h"

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
template <class Settings>
using UpdateKernel = void (*)(const Settings& settings, const UpdateWeight& weight, size_t begin, size_t end);

struct UpdateKernels {
  UpdateKernel<SgdSettings> sgd;
  UpdateKernel<MomentumSettings> momentum;
  UpdateKernel<NesterovSettings> nesterov;
  UpdateKernel<RmsPropSettings> rmsProp;
  UpdateKernel<RmsPropCenteredSettings> rmsPropCentered;
  UpdateKernel<RmsPropMomentumSettings> rmsPropMomentum;
  UpdateKernel<RmsPropCenteredMomentumSettings> rmsPropCenteredMomentum;
  UpdateKernel<AdagradSettings> adagrad;
  UpdateKernel<AdadeltaSettings> adadelta;
  UpdateKernel<AdamSettings> adam;
  UpdateKernel<AdamaxSettings> adamax;
};

}  // namespace unroll
