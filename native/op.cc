#include "op.h"

namespace unroll {

std::string show(const Dimensions& dimensions) {
  std::string text = "[";
  for (size_t at = 0; at < dimensions.size(); ++at) text += (at ? ", " : "") + std::to_string(dimensions[at]);
  return text + "]";
}

Call::Call(const char* op, TF_OpKernelContext* context) : op(op), context(context), status(tensorflow.NewStatus()) {
  for (int at = 0; at < tensorflow.NumInputs(context); ++at) {
    Input input{nullptr, {}, false};
    tensorflow.GetInput(context, at, &input.tensor, status);
    if (tensorflow.GetCode(status) != TF_OK) {
      fail(tensorflow.Message(status));
    } else {
      for (int d = 0; d < tensorflow.NumDims(input.tensor); ++d)
        input.dimensions.push_back(tensorflow.Dim(input.tensor, d));
      input.empty = tensorflow.TensorElementCount(input.tensor) == 0;
    }
    inputs.push_back(input);
  }
}

Call::~Call() {
  for (const Input& input : inputs)
    if (input.tensor) tensorflow.DeleteTensor(input.tensor);
  tensorflow.DeleteStatus(status);
}

void Call::fail(const std::string& message) {
  if (!good) return;
  good = false;
  tensorflow.SetStatus(status, TF_INVALID_ARGUMENT, (std::string(op) + ": " + message).c_str());
  tensorflow.OpKernelContext_Failure(context, status);
}

bool Call::require(bool condition, const std::string& message) {
  if (!condition) fail(message);
  return good;
}

const void* Call::data(int index, const char* name, const Dimensions& expected) {
  if (!good) return nullptr;
  const Input& input = inputs[static_cast<size_t>(index)];
  const std::string message =
      std::string(name) + " must have the shape " + show(expected) + ", not " + show(input.dimensions) + ".";
  return require(input.dimensions == expected, message) ? tensorflow.TensorData(input.tensor) : nullptr;
}

const float* Call::floats(int input, const char* name, const Dimensions& expected) {
  return static_cast<const float*>(data(input, name, expected));
}

const int32_t* Call::integers(int input, const char* name, const Dimensions& expected) {
  return static_cast<const int32_t*>(data(input, name, expected));
}

const float* Call::optionalFloats(int input, const char* name, const Dimensions& expected) {
  return inputs[static_cast<size_t>(input)].empty ? nullptr : floats(input, name, expected);
}

const int32_t* Call::optionalIntegers(int input, const char* name, const Dimensions& expected) {
  return inputs[static_cast<size_t>(input)].empty ? nullptr : integers(input, name, expected);
}

float* Call::output(int index, const Dimensions& shape, bool wanted) {
  if (!good) return nullptr;
  const Dimensions dimensions = wanted ? shape : Dimensions{0};
  size_t count = 1;
  for (const int64_t dimension : dimensions) count *= static_cast<size_t>(dimension);
  Block* const block = takeBlock(count);
  if (!require(block, "There is no memory for an output of the shape " + show(dimensions) + ".")) return nullptr;
  TF_Tensor* const tensor = tensorflow.NewTensor(
      TF_FLOAT, dimensions.data(), static_cast<int>(dimensions.size()), block->data, count * sizeof(float),
      [](void*, size_t, void* owner) { returnBlock(static_cast<Block*>(owner)); }, block);
  float* const memory = block->data;
  tensorflow.SetOutput(context, index, tensor, status);
  tensorflow.DeleteTensor(tensor);
  if (tensorflow.GetCode(status) != TF_OK) fail(tensorflow.Message(status));
  return wanted && good ? memory : nullptr;
}

void readAttribute(TF_OpKernelConstruction* construction, const char* name, bool& value) {
  TF_Status* const status = tensorflow.NewStatus();
  TF_Bool read = 0;
  tensorflow.OpKernelConstruction_GetAttrBool(construction, name, &read, status);
  if (tensorflow.GetCode(status) == TF_OK) value = read != 0;
  tensorflow.DeleteStatus(status);
}

void readAttribute(TF_OpKernelConstruction* construction, const char* name, float& value) {
  TF_Status* const status = tensorflow.NewStatus();
  float read = 0;
  tensorflow.OpKernelConstruction_GetAttrFloat(construction, name, &read, status);
  if (tensorflow.GetCode(status) == TF_OK) value = read;
  tensorflow.DeleteStatus(status);
}

std::string registerOp(const OpDefinition& definition) {
  TF_Status* const status = tensorflow.NewStatus();
  TF_OpDefinitionBuilder* const op = tensorflow.NewOpDefinitionBuilder(definition.name);
  for (const char* input : definition.inputs) tensorflow.OpDefinitionBuilderAddInput(op, input);
  for (const char* attribute : definition.attributes) tensorflow.OpDefinitionBuilderAddAttr(op, attribute);
  for (const char* output : definition.outputs) tensorflow.OpDefinitionBuilderAddOutput(op, output);
  tensorflow.OpDefinitionBuilderSetShapeInferenceFunction(op, [](TF_ShapeInferenceContext* context, TF_Status* s) {
    tensorflow.ShapeInferenceContextSetUnknownShape(context, s);
  });
  tensorflow.RegisterOpDefinition(op, status);
  if (tensorflow.GetCode(status) == TF_OK) {
    TF_KernelBuilder* const kernel =
        tensorflow.NewKernelBuilder(definition.name, "CPU", definition.create, definition.compute, definition.destroy);
    tensorflow.RegisterKernelBuilder(definition.name, kernel, status);
  }
  const std::string problem = tensorflow.GetCode(status) == TF_OK ? "" : tensorflow.Message(status);
  tensorflow.DeleteStatus(status);
  return problem;
}

}  // namespace unroll
