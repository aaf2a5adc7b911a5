// Adam's step over all weights of a network as one TensorFlow op: a call takes longer than the step of a small weight.
// Its results are new tensors: whoever kept a weight from before keeps it.
#include <algorithm>

#include "op.h"
#include "parallel.h"

namespace unroll {
namespace {

// Fewer numbers are not worth waking a thread for.
constexpr size_t numbersAtOnce = 65536;

// Of `weights` in a row, cut into equal parts; each number is computed by itself, so the cut changes no bit.
void computeAll(const AdamSettings& settings, const std::vector<AdamWeight>& weights) {
  size_t total = 0;
  for (const AdamWeight& one : weights) total += one.count;
  parallelFor((total + numbersAtOnce - 1) / numbersAtOnce, [&](size_t part) {
    const size_t begin = part * numbersAtOnce, end = begin + numbersAtOnce;
    size_t first = 0;
    for (const AdamWeight& one : weights) {
      const size_t from = std::max(begin, first), to = std::min(end, first + one.count);
      if (from < to) instructionSet().adam(settings, one, from - first, to - first);
      first += one.count;
    }
  });
}

void compute(void*, TF_OpKernelContext* context) {
  Call call("UnrollAdam", context);
  // Four lists of equal length, then the settings.
  const int count = (TF_NumInputs(context) - 1) / 4;
  const float* const values = call.floats(4 * count, "settings", {7});
  std::vector<AdamWeight> weights(static_cast<size_t>(count));
  for (int at = 0; at < count; ++at) {
    const Dimensions& shape = call.dimensions(at);
    AdamWeight& one = weights[static_cast<size_t>(at)];
    one.count = 1;
    for (const int64_t dimension : shape) one.count *= static_cast<size_t>(dimension);
    one.weight = call.floats(at, "weight", shape);
    one.gradient = call.floats(count + at, "gradient", shape);
    one.mean = call.floats(2 * count + at, "mean", shape);
    one.variance = call.floats(3 * count + at, "variance", shape);
    one.nextWeight = call.output(at, shape);
    one.nextMean = call.output(count + at, shape);
    one.nextVariance = call.output(2 * count + at, shape);
  }
  if (!call.ok()) return;
  computeAll({values[0], values[1], values[2], values[3], values[4], values[5], values[6]}, weights);
}

}  // namespace

std::string registerAdamOp() {
  return registerOp({"UnrollAdam",
                     {"weights: N * T", "gradients: N * T", "means: N * T", "variances: N * T", "settings: T"},
                     {"T: {float} = DT_FLOAT", "N: int >= 1"},
                     {"next_weights: N * T", "next_means: N * T", "next_variances: N * T"},
                     nullptr,
                     compute,
                     nullptr});
}

}  // namespace unroll
