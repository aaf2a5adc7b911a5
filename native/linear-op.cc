// A fully connected layer and its gradient as two TensorFlow ops.
#include "op.h"

namespace unroll {
namespace {

// Checks the input's and the kernel's shape and returns rows, size and outputs; zeros once the call has failed.
struct LinearShape {
  int64_t rows = 0, size = 0, outputs = 0;
};

LinearShape shapeOf(Call& call, int input, int kernel) {
  const Dimensions &of = call.dimensions(input), &by = call.dimensions(kernel);
  if (!call.require(of.size() == 2 && by.size() == 2 && of[1] == by[0] && of[0] > 0 && of[1] > 0 && by[1] > 0,
                    "input and kernel must have the shapes [rows, size] and [size, outputs], not " + show(of) +
                        " and " + show(by) + "."))
    return {};
  return {of[0], of[1], by[1]};
}

void computeForward(void*, TF_OpKernelContext* context) {
  Call call("UnrollLinear", context);
  const LinearShape shape = shapeOf(call, 0, 1);
  if (!call.ok()) return;
  Linear in{};
  in.rows = static_cast<size_t>(shape.rows);
  in.size = static_cast<size_t>(shape.size);
  in.outputs = static_cast<size_t>(shape.outputs);
  in.input = call.floats(0, "input", {shape.rows, shape.size});
  in.kernel = call.floats(1, "kernel", {shape.size, shape.outputs});
  in.bias = call.floats(2, "bias", {shape.outputs});
  in.output = call.output(0, {shape.rows, shape.outputs});
  const Scratch kernel(in.size * wholePanels(in.outputs)), bias(wholePanels(in.outputs));
  if (!call.require(kernel.data() && bias.data(), "There is no memory to work in.")) return;
  in.packedKernel = kernel.data();
  in.packedBias = bias.data();
  instructionSet().linear.forward(in);
}

void computeGradient(void*, TF_OpKernelContext* context) {
  Call call("UnrollLinearGradient", context);
  const LinearShape shape = shapeOf(call, 1, 2);
  if (!call.ok()) return;
  LinearGradient in{};
  in.rows = static_cast<size_t>(shape.rows);
  in.size = static_cast<size_t>(shape.size);
  in.outputs = static_cast<size_t>(shape.outputs);
  in.outputGradient = call.floats(0, "gradient", {shape.rows, shape.outputs});
  in.input = call.floats(1, "input", {shape.rows, shape.size});
  in.kernel = call.floats(2, "kernel", {shape.size, shape.outputs});
  in.inputGradient = call.output(0, {shape.rows, shape.size});
  in.kernelGradient = call.output(1, {shape.size, shape.outputs});
  in.biasGradient = call.output(2, {shape.outputs});
  const Scratch kernel(in.outputs * wholePanels(in.size)), gradient(in.rows * wholePanels(in.outputs));
  if (!call.require(kernel.data() && gradient.data(), "There is no memory to work in.")) return;
  in.transposedKernel = kernel.data();
  in.packedGradient = gradient.data();
  instructionSet().linear.backward(in);
}

}  // namespace

std::string registerLinearOps() {
  const std::string problem = registerOp({"UnrollLinear",
                                          {"input: T", "kernel: T", "bias: T"},
                                          {"T: {float} = DT_FLOAT"},
                                          {"output: T"},
                                          nullptr,
                                          computeForward,
                                          nullptr});
  if (!problem.empty()) return problem;
  return registerOp({"UnrollLinearGradient",
                     {"gradient: T", "input: T", "kernel: T"},
                     {"T: {float} = DT_FLOAT"},
                     {"input_gradient: T", "kernel_gradient: T", "bias_gradient: T"},
                     nullptr,
                     computeGradient,
                     nullptr});
}

}  // namespace unroll
