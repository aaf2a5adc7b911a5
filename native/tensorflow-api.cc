#include "tensorflow-api.h"

#include <dlfcn.h>

namespace unroll {

TensorFlowApi tensorflow{};

std::string findTensorFlow() {
#if defined(__APPLE__)
  const char* const file = "libtensorflow_framework.2.dylib";
#else
  const char* const file = "libtensorflow_framework.so.2";
#endif
  void* const library = dlopen(file, RTLD_LAZY | RTLD_NOLOAD);
  if (!library) return "TensorFlow is not loaded.";
#define UNROLL_FIND(name)                                                                     \
  tensorflow.name = reinterpret_cast<decltype(tensorflow.name)>(dlsym(library, "TF_" #name)); \
  if (!tensorflow.name) return "TensorFlow has no function TF_" #name ".";
  UNROLL_TENSORFLOW_FUNCTIONS(UNROLL_FIND)
#undef UNROLL_FIND
  return "";
}

}  // namespace unroll
