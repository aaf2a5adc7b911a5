// Adam's step as a TensorFlow op. Its results are new tensors: whoever kept the weight from before keeps it.
#include "op.h"

namespace unroll {
namespace {

void compute(void*, TF_OpKernelContext* context) {
  Call call("UnrollAdam", context);
  const Dimensions& shape = call.dimensions(0);
  Adam in{};
  in.count = 1;
  for (const int64_t dimension : shape) in.count *= static_cast<size_t>(dimension);
  in.weight = call.floats(0, "weight", shape);
  in.gradient = call.floats(1, "gradient", shape);
  in.mean = call.floats(2, "mean", shape);
  in.variance = call.floats(3, "variance", shape);
  const float* const settings = call.floats(4, "settings", {7});
  in.nextWeight = call.output(0, shape);
  in.nextMean = call.output(1, shape);
  in.nextVariance = call.output(2, shape);
  if (!call.ok()) return;
  in.beta1 = settings[0];
  in.rest1 = settings[1];
  in.beta2 = settings[2];
  in.rest2 = settings[3];
  in.size = settings[4];
  in.epsilon = settings[5];
  in.keep = settings[6];
  instructionSet().adam(in);
}

}  // namespace

std::string registerAdamOp() {
  return registerOp({"UnrollAdam",
                     {"weight: T", "gradient: T", "mean: T", "variance: T", "settings: T"},
                     {"T: {float} = DT_FLOAT"},
                     {"next_weight: T", "next_mean: T", "next_variance: T"},
                     nullptr,
                     compute,
                     nullptr});
}

}  // namespace unroll
