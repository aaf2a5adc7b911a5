// The settings of the optimizers' update rules, in the order in which they cross from TypeScript.
//
// Generated from src/optimizers/update-settings.ts by `npm run native:settings`: change that file, never this one.
#pragma once

#include <cstddef>

namespace unroll {

struct SgdSettings {
  static constexpr size_t count = 1;
  // Step for a gradient of 1, after the schedule; in units of the weight per unit of the gradient.
  float learningRate;
};
static_assert(sizeof(SgdSettings) == SgdSettings::count * sizeof(float), "SgdSettings has no gaps");

struct MomentumSettings {
  static constexpr size_t count = 2;
  // Step for a gradient of 1, after the schedule; in units of the weight per unit of the gradient.
  float learningRate;
  // The part of the velocity that remains, 0 to 1.
  float momentum;
};
static_assert(sizeof(MomentumSettings) == MomentumSettings::count * sizeof(float), "MomentumSettings has no gaps");

using NesterovSettings = MomentumSettings;

struct RmsPropSettings {
  static constexpr size_t count = 5;
  // Step for a gradient of its usual size, after the schedule; in units of the weight.
  float learningRate;
  // Decay of the running means at each update, 0 to 1.
  float rho;
  // 1 - rho, computed in double precision.
  float oneMinusRho;
  // The part of the velocity that remains, 0 to 1; 0 where the rule has none.
  float momentum;
  // Added under the root; in units of the squared gradient.
  float epsilon;
};
static_assert(sizeof(RmsPropSettings) == RmsPropSettings::count * sizeof(float), "RmsPropSettings has no gaps");

using RmsPropCenteredSettings = RmsPropSettings;

using RmsPropMomentumSettings = RmsPropSettings;

using RmsPropCenteredMomentumSettings = RmsPropSettings;

struct AdagradSettings {
  static constexpr size_t count = 2;
  // Step for a gradient of its usual size, after the schedule; in units of the weight.
  float learningRate;
  // Added under the root; in units of the squared gradient.
  float epsilon;
};
static_assert(sizeof(AdagradSettings) == AdagradSettings::count * sizeof(float), "AdagradSettings has no gaps");

struct AdadeltaSettings {
  static constexpr size_t count = 4;
  // Factor of the step, after the schedule; 1 in the paper. No unit.
  float learningRate;
  // Decay of the running means at each update, 0 to 1.
  float rho;
  // 1 - rho, computed in double precision.
  float oneMinusRho;
  // Added to the mean squares of the gradient and of the change; in the units of each.
  float epsilon;
};
static_assert(sizeof(AdadeltaSettings) == AdadeltaSettings::count * sizeof(float), "AdadeltaSettings has no gaps");

struct AdamSettings {
  static constexpr size_t count = 7;
  // Decay of the mean of the gradient at each update, 0 to 1.
  float beta1;
  // 1 - beta1, computed in double precision.
  float oneMinusBeta1;
  // Decay of the mean of the squared gradient at each update, 0 to 1.
  float beta2;
  // 1 - beta2, computed in double precision.
  float oneMinusBeta2;
  // The learning rate, corrected for means that start at zero; in units of the weight.
  float stepSize;
  // Added to the root; in units of the gradient.
  float epsilon;
  // The part of the weight that remains before the step, 0 to 1; 1 without weight decay.
  float keep;
};
static_assert(sizeof(AdamSettings) == AdamSettings::count * sizeof(float), "AdamSettings has no gaps");

struct AdamaxSettings {
  static constexpr size_t count = 5;
  // Decay of the mean of the gradient at each update, 0 to 1.
  float beta1;
  // 1 - beta1, computed in double precision.
  float oneMinusBeta1;
  // Decay of the largest gradient at each update, 0 to 1.
  float beta2;
  // The learning rate, corrected for a mean that starts at zero; in units of the weight.
  float stepSize;
  // Added to the largest gradient, in its units.
  float epsilon;
};
static_assert(sizeof(AdamaxSettings) == AdamaxSettings::count * sizeof(float), "AdamaxSettings has no gaps");

}  // namespace unroll
