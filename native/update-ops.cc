// An optimizer's update of all weights of a network as one TensorFlow op per rule: a call takes longer than the update
// of a small weight. Its results are new tensors, so tensors from before the update stay valid.
#include <algorithm>
#include <cstring>

#include "op.h"
#include "parallel.h"

namespace unroll {
namespace {

// Waking a thread for fewer numbers costs more than it saves.
constexpr size_t numbersAtOnce = 65536;

// Updates `weights`, cut into equal parts. Each number is computed by itself, so the cut changes no bit. `given` has
// the bytes of the settings, as written by `packSettings` in src/optimizers/update-settings.ts.
template <class Settings, UpdateKernel<Settings> UpdateKernels::*kernelOf>
void updateAll(const float* given, const std::vector<UpdateWeight>& weights) {
  Settings settings;
  std::memcpy(&settings, given, sizeof(settings));
  const UpdateKernel<Settings> kernel = instructionSet().update.*kernelOf;
  size_t total = 0;
  for (const UpdateWeight& one : weights) total += one.count;
  parallelRanges(total, numbersAtOnce, [&](size_t begin, size_t end) {
    size_t first = 0;
    for (const UpdateWeight& one : weights) {
      const size_t from = std::max(begin, first), to = std::min(end, first + one.count);
      if (from < to) kernel(settings, one, from - first, to - first);
      first += one.count;
    }
  });
}

struct Rule {
  const char* op;
  int slots;
  size_t settings;
  void (*update)(const float* settings, const std::vector<UpdateWeight>& weights);
};

template <class Settings, UpdateKernel<Settings> UpdateKernels::*kernel>
constexpr Rule rule(const char* op, int slots) {
  return {op, slots, Settings::count, updateAll<Settings, kernel>};
}

constexpr Rule rules[] = {
    rule<SgdSettings, &UpdateKernels::sgd>("UnrollSgd", 0),
    rule<MomentumSettings, &UpdateKernels::momentum>("UnrollMomentum", 1),
    rule<NesterovSettings, &UpdateKernels::nesterov>("UnrollNesterov", 1),
    rule<RmsPropSettings, &UpdateKernels::rmsProp>("UnrollRmsProp", 1),
    rule<RmsPropCenteredSettings, &UpdateKernels::rmsPropCentered>("UnrollRmsPropCentered", 2),
    rule<RmsPropMomentumSettings, &UpdateKernels::rmsPropMomentum>("UnrollRmsPropMomentum", 2),
    rule<RmsPropCenteredMomentumSettings, &UpdateKernels::rmsPropCenteredMomentum>("UnrollRmsPropCenteredMomentum", 3),
    rule<AdagradSettings, &UpdateKernels::adagrad>("UnrollAdagrad", 1),
    rule<AdadeltaSettings, &UpdateKernels::adadelta>("UnrollAdadelta", 2),
    rule<AdamSettings, &UpdateKernels::adam>("UnrollAdam", 2),
    rule<AdamaxSettings, &UpdateKernels::adamax>("UnrollAdamax", 2),
};

// Inputs: values, gradients, each slot of all weights, settings. Outputs: next values, each next slot of all weights.
void compute(void* chosen, TF_OpKernelContext* context) {
  const Rule& rule = *static_cast<const Rule*>(chosen);
  Call call(rule.op, context);
  const int lists = 2 + rule.slots, count = (tensorflow.NumInputs(context) - 1) / lists;
  if (!call.require(count * lists + 1 == tensorflow.NumInputs(context),
                    "Each weight must have a gradient and " + std::to_string(rule.slots) + " slots."))
    return;
  const float* const settings = call.floats(lists * count, "settings", {static_cast<int64_t>(rule.settings)});
  std::vector<UpdateWeight> weights(static_cast<size_t>(count));
  for (int at = 0; at < count; ++at) {
    const Dimensions& shape = call.dimensions(at);
    UpdateWeight& one = weights[static_cast<size_t>(at)];
    one.count = 1;
    for (const int64_t dimension : shape) one.count *= static_cast<size_t>(dimension);
    one.value = call.floats(at, "value", shape);
    one.gradient = call.floats(count + at, "gradient", shape);
    one.nextValue = call.output(at, shape);
    for (int slot = 0; slot < rule.slots; ++slot) {
      one.slots[slot] = call.floats((2 + slot) * count + at, "slot", shape);
      one.nextSlots[slot] = call.output((1 + slot) * count + at, shape);
    }
  }
  if (call.ok()) rule.update(settings, weights);
}

template <size_t Index>
void* chooseRule(TF_OpKernelConstruction*) {
  return const_cast<Rule*>(&rules[Index]);
}

template <size_t Index>
std::string registerRulesFrom() {
  if constexpr (Index == sizeof(rules) / sizeof(rules[0])) {
    return "";
  } else {
    const std::string problem = registerOp({rules[Index].op,
                                            {"values: N * T", "gradients: N * T", "slots: M * T", "settings: T"},
                                            {"T: {float} = DT_FLOAT", "N: int >= 1", "M: int >= 0"},
                                            {"next_values: N * T", "next_slots: M * T"},
                                            chooseRule<Index>,
                                            compute,
                                            [](void*) {}});
    return problem.empty() ? registerRulesFrom<Index + 1>() : problem;
  }
}

}  // namespace

std::string registerUpdateOps() { return registerRulesFrom<0>(); }

}  // namespace unroll
