// What Node sees: `require` of this library registers the ops with the TensorFlow that tfjs-node has loaded, and
// returns { version, threads, setThreads, instructionSet }, or the same with `unsupported`, the reason, for the last.
#include <node_api.h>

#include <cstdlib>
#include <string>

#include "op.h"
#include "parallel.h"

namespace unroll {
namespace {

// Raised together with `libraryVersion` in fused-kernels.ts whenever something of it is added or changed.
constexpr uint32_t version = 4;

InstructionSet choose() {
  // For tests, also "none": the results must not depend on the choice.
  const char* text = std::getenv("UNROLL_INSTRUCTION_SET");
  const std::string asked = text ? text : "";
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (asked == "none") return {};
  if (asked != "AVX2" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
    return avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#endif
  return {};
}

std::string registerOps() {
  for (const auto& one : {registerRecurrentOps, registerAdamOp, registerCrossEntropyOp}) {
    const std::string problem = one();
    if (!problem.empty()) return problem;
  }
  return "";
}

// setThreads(count): how many threads compute from the next op on.
napi_value setThreads(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value count;
  uint32_t threads;
  if (napi_get_cb_info(env, info, &given, &count, nullptr, nullptr) != napi_ok || given < 1 ||
      napi_get_value_uint32(env, count, &threads) != napi_ok)
    napi_throw_type_error(env, nullptr, "setThreads takes a number of threads.");
  else
    setThreadCount(threads);
  return nullptr;
}

}  // namespace

const InstructionSet& instructionSet() {
  static const InstructionSet chosen = choose();
  return chosen;
}

}  // namespace unroll

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  // Registering twice in one process would be an error.
  static const std::string problem =
      unroll::instructionSet().name ? unroll::registerOps() : "The processor has no AVX2.";
  const char* const text = problem.empty() ? unroll::instructionSet().name : problem.c_str();
  napi_value value;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, exports, problem.empty() ? "instructionSet" : "unsupported", value);
  napi_create_uint32(env, static_cast<uint32_t>(unroll::threadCount()), &value);
  napi_set_named_property(env, exports, "threads", value);
  napi_create_function(env, "setThreads", NAPI_AUTO_LENGTH, unroll::setThreads, nullptr, &value);
  napi_set_named_property(env, exports, "setThreads", value);
  napi_create_uint32(env, unroll::version, &value);
  napi_set_named_property(env, exports, "version", value);
  return exports;
}
