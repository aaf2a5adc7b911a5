// The functions of TensorFlow's C interface that the ops call. The library is not linked with TensorFlow, so that it
// also loads where TensorFlow is not needed: in that case nothing of this may be called.
#pragma once

#include <string>

// Leaves out declarations that need headers from outside of the C API.
#define IS_SLIM_BUILD
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"

// clang-format off
#define UNROLL_TENSORFLOW_FUNCTIONS(F) \
  F(DeleteStatus) F(DeleteTensor) F(Dim) F(GetCode) F(GetInput) F(Message) F(NewKernelBuilder) \
  F(NewOpDefinitionBuilder) F(NewStatus) F(NewTensor) F(NumDims) F(NumInputs) F(OpDefinitionBuilderAddAttr) \
  F(OpDefinitionBuilderAddInput) F(OpDefinitionBuilderAddOutput) \
  F(OpDefinitionBuilderSetShapeInferenceFunction) F(OpKernelConstruction_GetAttrBool) \
  F(OpKernelConstruction_GetAttrFloat) F(OpKernelConstruction_GetName) F(OpKernelContext_Failure) \
  F(RegisterKernelBuilder) F(RegisterOpDefinition) F(SetOutput) F(SetStatus) \
  F(ShapeInferenceContextSetUnknownShape) F(TensorData) F(TensorElementCount)
// clang-format on

namespace unroll {

struct TensorFlowApi {
#define UNROLL_DECLARE(name) decltype(&TF_##name) name;
  UNROLL_TENSORFLOW_FUNCTIONS(UNROLL_DECLARE)
#undef UNROLL_DECLARE
};

extern TensorFlowApi tensorflow;

// Finds the functions in the TensorFlow that the process has loaded; returns what is missing, or an empty string.
std::string findTensorFlow();

}  // namespace unroll
