// The mean softmax cross-entropy of a batch and its gradient as one TensorFlow op.
#include "op.h"

namespace unroll {
namespace {

void compute(void*, TF_OpKernelContext* context) {
  Call call("UnrollCrossEntropy", context);
  const Dimensions& shape = call.dimensions(0);
  if (!call.require(shape.size() == 2 && shape[0] > 0 && shape[1] > 0,
                    "logits must have the shape [rows, classes], not " + show(shape) + "."))
    return;
  CrossEntropy in{};
  in.rows = static_cast<size_t>(shape[0]);
  in.classes = static_cast<size_t>(shape[1]);
  in.logits = call.floats(0, "logits", shape);
  in.labels = call.integers(1, "labels", {shape[0]});
  for (size_t row = 0; call.ok() && row < in.rows; ++row)
    call.require(
        in.labels[row] >= 0 && in.labels[row] < shape[1],
        "A label must be from 0 to " + std::to_string(shape[1] - 1) + ", not " + std::to_string(in.labels[row]) + ".");
  float* const loss = call.output(0, {});
  in.slope = call.output(1, shape);
  const Scratch losses(in.rows);
  if (!call.require(losses.data(), "There is no memory to work in.")) return;
  in.losses = losses.data();
  instructionSet().crossEntropy(in);
  double sum = 0;
  for (size_t row = 0; row < in.rows; ++row) sum += in.losses[row];
  *loss = static_cast<float>(sum / static_cast<double>(in.rows));
}

}  // namespace

std::string registerCrossEntropyOp() {
  return registerOp({"UnrollCrossEntropy",
                     {"logits: T", "labels: int32"},
                     {"T: {float} = DT_FLOAT"},
                     {"loss: T", "slope: T"},
                     nullptr,
                     compute,
                     nullptr});
}

}  // namespace unroll
