// What the functions that Node calls share.
#pragma once

#include <node_api.h>

namespace unroll {

// The elements of `value` if it is a typed array of this type.
template <class Element>
bool readArray(napi_env env, napi_value value, napi_typedarray_type wanted, Element*& data, size_t& length) {
  napi_typedarray_type type;
  void* memory;
  if (napi_get_typedarray_info(env, value, &type, &length, &memory, nullptr, nullptr) != napi_ok) return false;
  data = static_cast<Element*>(memory);
  return type == wanted;
}

inline void setFunction(napi_env env, napi_value exports, const char* name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
  napi_set_named_property(env, exports, name, value);
}

// Adds createNetwork, startNetwork and finishNetwork: as in src/tensorflow/kernels/own-network.ts.
void setNetworkFunctions(napi_env env, napi_value exports);

// holdErrors and releaseErrors, of held-errors.cc.
void setErrorFunctions(napi_env env, napi_value exports);

}  // namespace unroll
