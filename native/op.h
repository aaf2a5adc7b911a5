// TensorFlow's C kernel API for all ops: checked inputs, outputs, and errors instead of crashes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "blocks.h"
#include "kernels.h"
#include "tensorflow-api.h"

namespace unroll {

using Dimensions = std::vector<int64_t>;

// "[2, 3]"
std::string show(const Dimensions& dimensions);

// One call of an op. Once it has failed, inputs are null and outputs do nothing: check ok() before computing.
class Call {
 public:
  Call(const char* op, TF_OpKernelContext* context);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool ok() const { return good; }
  void fail(const std::string& message);
  // Fails unless `condition` holds.
  bool require(bool condition, const std::string& message);

  const Dimensions& dimensions(int input) const { return inputs[static_cast<size_t>(input)].dimensions; }
  // The values of an input of this shape.
  const float* floats(int input, const char* name, const Dimensions& expected);
  const int32_t* integers(int input, const char* name, const Dimensions& expected);
  // The same, or null for an empty tensor, which means that the input is absent.
  const float* optionalFloats(int input, const char* name, const Dimensions& expected);
  const int32_t* optionalIntegers(int input, const char* name, const Dimensions& expected);
  // Memory of an output; null if `wanted` is false, and then the output is empty.
  float* output(int index, const Dimensions& shape, bool wanted = true);

 private:
  struct Input {
    TF_Tensor* tensor;
    Dimensions dimensions;
    bool empty;
  };
  const void* data(int input, const char* name, const Dimensions& expected);

  const char* op;
  TF_OpKernelContext* context;
  TF_Status* status;
  std::vector<Input> inputs;
  bool good = true;
};

struct OpDefinition {
  const char* name;
  std::initializer_list<const char*> inputs, attributes, outputs;
  void* (*create)(TF_OpKernelConstruction*);
  void (*compute)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};

// An attribute's value; leaves `value` as it is when TensorFlow does not know the attribute.
void readAttribute(TF_OpKernelConstruction* construction, const char* name, bool& value);
void readAttribute(TF_OpKernelConstruction* construction, const char* name, float& value);

// Empty on success, or what went wrong.
std::string registerOp(const OpDefinition& definition);
std::string registerRecurrentOps();
std::string registerUpdateOps();
std::string registerCrossEntropyOp();
std::string registerLinearOps();

}  // namespace unroll
