#include "op.h"

#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"

namespace unroll {

std::string show(const Dimensions& dimensions) {
  std::string text = "[";
  for (size_t at = 0; at < dimensions.size(); ++at) text += (at ? ", " : "") + std::to_string(dimensions[at]);
  return text + "]";
}

Call::Call(const char* op, TF_OpKernelContext* context) : op(op), context(context), status(TF_NewStatus()) {
  for (int at = 0; at < TF_NumInputs(context); ++at) {
    Input input{nullptr, {}, false};
    TF_GetInput(context, at, &input.tensor, status);
    if (TF_GetCode(status) != TF_OK) {
      fail(TF_Message(status));
    } else {
      for (int d = 0; d < TF_NumDims(input.tensor); ++d) input.dimensions.push_back(TF_Dim(input.tensor, d));
      input.empty = TF_TensorElementCount(input.tensor) == 0;
    }
    inputs.push_back(input);
  }
}

Call::~Call() {
  for (const Input& input : inputs)
    if (input.tensor) TF_DeleteTensor(input.tensor);
  TF_DeleteStatus(status);
}

void Call::fail(const std::string& message) {
  if (!good) return;
  good = false;
  TF_SetStatus(status, TF_INVALID_ARGUMENT, (std::string(op) + ": " + message).c_str());
  TF_OpKernelContext_Failure(context, status);
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
  return require(input.dimensions == expected, message) ? TF_TensorData(input.tensor) : nullptr;
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
  TF_Tensor* const tensor = TF_NewTensor(
      TF_FLOAT, dimensions.data(), static_cast<int>(dimensions.size()), block->data, count * sizeof(float),
      [](void*, size_t, void* owner) { returnBlock(static_cast<Block*>(owner)); }, block);
  float* const memory = block->data;
  TF_SetOutput(context, index, tensor, status);
  TF_DeleteTensor(tensor);
  if (TF_GetCode(status) != TF_OK) fail(TF_Message(status));
  return wanted && good ? memory : nullptr;
}

void readAttribute(TF_OpKernelConstruction* construction, const char* name, bool& value) {
  TF_Status* const status = TF_NewStatus();
  TF_Bool read = 0;
  TF_OpKernelConstruction_GetAttrBool(construction, name, &read, status);
  if (TF_GetCode(status) == TF_OK) value = read != 0;
  TF_DeleteStatus(status);
}

void readAttribute(TF_OpKernelConstruction* construction, const char* name, float& value) {
  TF_Status* const status = TF_NewStatus();
  float read = 0;
  TF_OpKernelConstruction_GetAttrFloat(construction, name, &read, status);
  if (TF_GetCode(status) == TF_OK) value = read;
  TF_DeleteStatus(status);
}

std::string registerOp(const OpDefinition& definition) {
  TF_Status* const status = TF_NewStatus();
  TF_OpDefinitionBuilder* const op = TF_NewOpDefinitionBuilder(definition.name);
  for (const char* input : definition.inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* attribute : definition.attributes) TF_OpDefinitionBuilderAddAttr(op, attribute);
  for (const char* output : definition.outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(
      op, [](TF_ShapeInferenceContext* context, TF_Status* s) { TF_ShapeInferenceContextSetUnknownShape(context, s); });
  TF_RegisterOpDefinition(op, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_KernelBuilder* const kernel =
        TF_NewKernelBuilder(definition.name, "CPU", definition.create, definition.compute, definition.destroy);
    TF_RegisterKernelBuilder(definition.name, kernel, status);
  }
  const std::string problem = TF_GetCode(status) == TF_OK ? "" : TF_Message(status);
  TF_DeleteStatus(status);
  return problem;
}

}  // namespace unroll
