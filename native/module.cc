// The entry for Node: `require` of this library registers the ops with the TensorFlow that tfjs-node has loaded, and
// returns { version, threads, setThreads, instructionSet, bfloat16, gatherPixels, createNetwork, ... }, or { version,
// threads, setThreads, unsupported } with the reason if the processor cannot run the kernels.
#include <cstdlib>
#include <string>

#include "node-api.h"
#include "op.h"
#include "parallel.h"
#include "processor.h"

namespace unroll {
namespace {

// Raised together with `libraryVersion` in own-library.ts whenever the exports change.
constexpr uint32_t version = 10;

#if defined(__x86_64__)
constexpr const char* unsupported = "The processor has no AVX2.";

#else
constexpr const char* unsupported = "The processor has no instructions that the kernels are written for.";
#endif

InstructionSet withBfloat16(InstructionSet set, const ProductKernels& kernels, const char* name) {
  set.bfloat16 = &kernels;
  set.bfloat16Name = name;
  return set;
}

// With the products of bfloat16 operands for a set: those of AMX where the processor has it or they are asked for,
// since only they have their bits; else the fastest.
InstructionSet withBestBfloat16(const InstructionSet& set, bool hasInstruction, bool asksForTiles) {
  if (tileBfloat16 && hasTiles()) return withBfloat16(set, *tileBfloat16, "AMX");
  if (asksForTiles) return withBfloat16(set, emulatedTiles, "AMX emulated");
#if defined(__x86_64__)
  if (hasInstruction) return withBfloat16(set, avx512Bfloat16, "AVX512-BF16");
#else
  static_cast<void>(hasInstruction);
#endif
  return set;
}

InstructionSet choose() {
  // "none"; "AVX2" and "AVX512" with nothing beyond them; "AMX" for the bits of its bfloat16 products on any processor,
  // and "AMX emulated" for the same without its instructions.
  const char* text = std::getenv("UNROLL_INSTRUCTION_SET");
  const std::string asked = text ? text : "";
  const bool tiles = asked == "AMX" || asked == "AMX emulated";
  if (asked == "none") return {};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (asked != "AVX2" && asked != "AMX emulated" && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
    return asked == "AVX512" ? avx512 : withBestBfloat16(avx512, __builtin_cpu_supports("avx512bf16"), tiles);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return tiles ? withBfloat16(avx2, emulatedTiles, "AMX emulated") : avx2;
#elif defined(__aarch64__)
  return withBestBfloat16(neon, false, tiles);
#endif
  return {};
}

// What keeps the ops from TensorFlow, or an empty string.
std::string registerAll() {
  const std::string missing = findTensorFlow();
  if (!missing.empty()) return missing;
  for (const auto& one : {registerRecurrentOps, registerUpdateOps, registerCrossEntropyOp, registerLinearOps}) {
    const std::string problem = one();
    if (!problem.empty()) return problem;
  }
  return "";
}

// registerOps(): registers the ops with the TensorFlow that the process has loaded. Returns what is wrong, or
// undefined.
napi_value registerOps(napi_env env, napi_callback_info) {
  // Registering twice in one process would be an error.
  static const std::string problem = registerAll();
  napi_value text = nullptr;
  if (!problem.empty()) napi_create_string_utf8(env, problem.c_str(), NAPI_AUTO_LENGTH, &text);
  return text;
}

// setThreads(count): sets how many threads compute from the next op on.
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

// gatherPixels(bytes, size, indices, to): as GatherPixels in src/data/pixels.ts.
napi_value gatherPixels(napi_env env, napi_callback_info info) {
  size_t given = 4, byteCount, count, room;
  napi_value values[4];
  uint8_t* bytes;
  uint32_t size;
  int32_t* indices;
  float* to;
  if (napi_get_cb_info(env, info, &given, values, nullptr, nullptr) != napi_ok ||
      !readArray(env, values[0], napi_uint8_array, bytes, byteCount) ||
      napi_get_value_uint32(env, values[1], &size) != napi_ok || size == 0 ||
      !readArray(env, values[2], napi_int32_array, indices, count) ||
      !readArray(env, values[3], napi_float32_array, to, room)) {
    napi_throw_type_error(env, nullptr, "gatherPixels takes bytes, a size, indices and floats.");
    return nullptr;
  }
  const size_t images = byteCount / size;
  std::string problem;
  if (count > room / size) problem = "There is no room for so many images.";
  for (size_t at = 0; at < count && problem.empty(); ++at)
    if (indices[at] < 0 || static_cast<size_t>(indices[at]) >= images)
      problem = "There is no image " + std::to_string(indices[at]) + ": there are " + std::to_string(images) + ".";
  if (problem.empty())
    instructionSet().gatherPixels(bytes, size, indices, count, to);
  else
    napi_throw_range_error(env, nullptr, problem.c_str());
  return nullptr;
}

}  // namespace

const InstructionSet& instructionSet() {
  static const InstructionSet chosen = choose();
  return chosen;
}

}  // namespace unroll

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  const char* const set = unroll::instructionSet().name;
  napi_value value;
  napi_create_string_utf8(env, set ? set : unroll::unsupported, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, exports, set ? "instructionSet" : "unsupported", value);
  napi_create_uint32(env, static_cast<uint32_t>(unroll::threadCount()), &value);
  napi_set_named_property(env, exports, "threads", value);
  unroll::setFunction(env, exports, "setThreads", unroll::setThreads);
  napi_create_uint32(env, unroll::version, &value);
  napi_set_named_property(env, exports, "version", value);
  if (!set) return exports;
  napi_create_string_utf8(env, unroll::instructionSet().bfloat16Name, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, exports, "bfloat16", value);
  unroll::setFunction(env, exports, "gatherPixels", unroll::gatherPixels);
  unroll::setErrorFunctions(env, exports);
  unroll::setFunction(env, exports, "registerOps", unroll::registerOps);
  unroll::setNetworkFunctions(env, exports);
  return exports;
}
