// A fully connected layer and its gradient as two TensorFlow ops.
#include "op.h"

namespace unroll {
namespace {

struct LinearShape {
  int64_t rows, size, outputs;
};

// Reads the op's input `first` and the kernel after it into `in`; returns the shape, or zeros if the op has failed.
template <class In>
LinearShape readLayer(Call& call, int first, In& in) {
  const Dimensions &of = call.dimensions(first), &by = call.dimensions(first + 1);
  if (!call.require(of.size() == 2 && by.size() == 2 && of[1] == by[0] && of[0] > 0 && of[1] > 0 && by[1] > 0,
                    "input and kernel must have the shapes [rows, size] and [size, outputs], not " + show(of) +
                        " and " + show(by) + "."))
    return {};
  in.rows = static_cast<size_t>(of[0]);
  in.size = static_cast<size_t>(of[1]);
  in.outputs = static_cast<size_t>(by[1]);
  in.input = call.floats(first, "input", of);
  in.kernel = call.floats(first + 1, "kernel", by);
  return {of[0], of[1], by[1]};
}

void* readPrecision(TF_OpKernelConstruction* construction) {
  bool* const bfloat16 = new bool(false);
  readAttribute(construction, "round_operands", *bfloat16);
  return bfloat16;
}

void deletePrecision(void* bfloat16) { delete static_cast<bool*>(bfloat16); }

void computeForward(void* kernel, TF_OpKernelContext* context) {
  const bool bfloat16 = *static_cast<bool*>(kernel);
  Call call("UnrollLinear", context);
  Linear in{};
  const LinearShape shape = readLayer(call, 0, in);
  if (!call.ok()) return;
  in.bias = call.floats(2, "bias", {shape.outputs});
  in.output = call.output(0, {shape.rows, shape.outputs});
  const Scratch packed(in.size * wholePanels(in.outputs)), bias(wholePanels(in.outputs));
  const Scratch left(bfloat16 ? leftOperands(in.rows, in.size) : 0);
  if (!call.require(packed.data() && bias.data() && left.data(), "There is no memory to work in.")) return;
  in.packedKernel = packed.data();
  in.packedBias = bias.data();
  in.left = left.data();
  products(bfloat16).linear.forward(in);
}

void computeGradient(void* kernel, TF_OpKernelContext* context) {
  const bool bfloat16 = *static_cast<bool*>(kernel);
  Call call("UnrollLinearGradient", context);
  LinearGradient in{};
  const LinearShape shape = readLayer(call, 1, in);
  if (!call.ok()) return;
  in.outputGradient = call.floats(0, "gradient", {shape.rows, shape.outputs});
  in.inputGradient = call.output(0, {shape.rows, shape.size});
  in.kernelGradient = call.output(1, {shape.size, shape.outputs});
  in.biasGradient = call.output(2, {shape.outputs});
  const Scratch transposed(in.outputs * wholePanels(in.size)), gradient(in.rows * wholePanels(in.outputs));
  const size_t ofRows = leftOperands(in.rows, in.outputs), ofColumns = leftOperands(in.size, in.rows);
  const Scratch left(!bfloat16 ? 0 : ofRows > ofColumns ? ofRows : ofColumns);
  if (!call.require(transposed.data() && gradient.data() && left.data(), "There is no memory to work in.")) return;
  in.transposedKernel = transposed.data();
  in.packedGradient = gradient.data();
  in.left = left.data();
  products(bfloat16).linear.backward(in);
}

}  // namespace

std::string registerLinearOps() {
  const std::string problem = registerOp({"UnrollLinear",
                                          {"input: T", "kernel: T", "bias: T"},
                                          {"T: {float} = DT_FLOAT", "round_operands: bool = false"},
                                          {"output: T"},
                                          readPrecision,
                                          computeForward,
                                          deletePrecision});
  if (!problem.empty()) return problem;
  return registerOp({"UnrollLinearGradient",
                     {"gradient: T", "input: T", "kernel: T"},
                     {"T: {float} = DT_FLOAT", "round_operands: bool = false"},
                     {"input_gradient: T", "kernel_gradient: T", "bias_gradient: T"},
                     readPrecision,
                     computeGradient,
                     deletePrecision});
}

}  // namespace unroll
