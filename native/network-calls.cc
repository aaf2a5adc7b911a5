// Networks as Node calls them. Each batch is computed on its own thread, so that Node reads the next one and writes
// the one before meanwhile. All memory that a thread uses is owned here.
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>

#include "network.h"
#include "node-api.h"
#include "parallel.h"

namespace unroll {
namespace {

const napi_type_tag networkTag = {0x6f2b1d0c9a5e4f37, 0x8c41e0d7b3a2965f};
const napi_type_tag batchTag = {0x1c9e7a5b3d8f4260, 0xa7f05b2e6d1c8394};

// A network of Node and of the batches that it computes, which goes with the last of them. Counted here, because
// std::shared_ptr asks newer systems for whether there is one thread only.
class SharedNetwork {
 public:
  Network network;

  void use() { ++users; }
  void release() {
    if (--users == 0) delete this;
  }

 private:
  std::atomic<size_t> users{1};
};

struct NetworkHandle {
  SharedNetwork* shared = new SharedNetwork;
  NetworkHandle() = default;
  NetworkHandle(const NetworkHandle& other) : shared(other.shared) { shared->use(); }
  NetworkHandle& operator=(const NetworkHandle&) = delete;
  ~NetworkHandle() { shared->release(); }
};

class Batch {
 public:
  explicit Batch(const NetworkHandle& network) : network(network) {}
  ~Batch() {
    if (thread.joinable()) thread.join();
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  NetworkInput input;

  // With `alone` on one thread only, beside other batches that take the others.
  void start(bool alone) {
    thread = std::thread([this, alone] {
      try {
        if (alone) {
          const Alone only;
          outputs = computeNetwork(network.shared->network, input);
          return;
        }
        outputs = computeNetwork(network.shared->network, input);
      } catch (const std::exception& error) {
        problem = error.what();
      }
    });
  }
  bool isRunning() const { return thread.joinable(); }
  // Waits for the outputs, once.
  std::vector<float> finish() {
    thread.join();
    input = {};
    if (!problem.empty()) throw std::runtime_error(problem);
    return std::move(outputs);
  }

 private:
  NetworkHandle network;
  std::thread thread;
  std::vector<float> outputs;
  std::string problem;
};

napi_value fail(napi_env env, const std::string& message) {
  napi_throw_type_error(env, nullptr, message.c_str());
  return nullptr;
}

// An object that owns `value`, by a tag that distinguishes it from others.
template <class Value>
napi_value wrap(napi_env env, Value* value, const napi_type_tag& tag) {
  napi_value object;
  napi_create_object(env, &object);
  napi_type_tag_object(env, object, &tag);
  napi_wrap(
      env, object, value, [](napi_env, void* data, void*) { delete static_cast<Value*>(data); }, nullptr, nullptr);
  return object;
}

template <class Value>
Value* unwrap(napi_env env, napi_value object, const napi_type_tag& tag) {
  bool isOurs = false;
  void* data = nullptr;
  if (napi_check_object_type_tag(env, object, &tag, &isOurs) != napi_ok || !isOurs) return nullptr;
  napi_unwrap(env, object, &data);
  return static_cast<Value*>(data);
}

// createNetwork(settings, weights)
napi_value createNetwork(napi_env env, napi_callback_info info) {
  size_t given = 2, settingCount, weightCount;
  napi_value values[2];
  int32_t* settings;
  float* weights;
  if (napi_get_cb_info(env, info, &given, values, nullptr, nullptr) != napi_ok || given < 2 ||
      !readArray(env, values[0], napi_int32_array, settings, settingCount) ||
      !readArray(env, values[1], napi_float32_array, weights, weightCount))
    return fail(env, "createNetwork takes settings and weights.");
  auto handle = std::make_unique<NetworkHandle>();
  const std::string problem = readNetwork(settings, settingCount, weights, weightCount, handle->shared->network);
  if (!problem.empty()) return fail(env, problem);
  return wrap(env, handle.release(), networkTag);
}

std::string readInput(napi_env env, const napi_value* values, size_t features, NetworkInput& input) {
  size_t count, rows;
  float* numbers;
  int32_t* lengths;
  uint32_t batch, steps;
  if (!readArray(env, values[0], napi_float32_array, numbers, count) ||
      napi_get_value_uint32(env, values[1], &batch) != napi_ok ||
      napi_get_value_uint32(env, values[2], &steps) != napi_ok || batch < 1 || steps < 1 || count % features != 0 ||
      count / features != static_cast<size_t>(batch) * steps)
    return "A network reads [batch, steps, " + std::to_string(features) + "] numbers.";
  input.batch = batch;
  input.steps = steps;
  input.values.assign(numbers, numbers + count);
  napi_valuetype type;
  if (napi_typeof(env, values[3], &type) != napi_ok || type == napi_undefined) return "";
  if (!readArray(env, values[3], napi_int32_array, lengths, rows) || rows != batch)
    return "There must be a length for each row.";
  for (size_t row = 0; row < rows; ++row)
    if (lengths[row] < 0 || static_cast<uint32_t>(lengths[row]) > steps)
      return "A length must be from 0 to " + std::to_string(steps) + ", not " + std::to_string(lengths[row]) + ".";
  input.lengths.assign(lengths, lengths + rows);
  return "";
}

// startNetwork(network, values, batch, steps, lengths, alone): begins to compute a batch.
napi_value startNetwork(napi_env env, napi_callback_info info) {
  size_t given = 6;
  napi_value values[6];
  bool alone = false;
  if (napi_get_cb_info(env, info, &given, values, nullptr, nullptr) != napi_ok) return nullptr;
  const auto* const handle = unwrap<NetworkHandle>(env, values[0], networkTag);
  if (!handle) return fail(env, "startNetwork takes a network.");
  auto batch = std::make_unique<Batch>(*handle);
  try {
    const size_t features = handle->shared->network.layers[0][0].features;
    const std::string problem = readInput(env, values + 1, features, batch->input);
    if (!problem.empty()) return fail(env, problem);
    napi_get_value_bool(env, values[5], &alone);
    batch->start(alone);
  } catch (const std::exception& error) {
    return fail(env, std::string("A batch cannot be computed: ") + error.what() + ".");
  }
  return wrap(env, batch.release(), batchTag);
}

// finishNetwork(batch): waits for its outputs and returns them, once.
napi_value finishNetwork(napi_env env, napi_callback_info info) {
  size_t given = 1;
  napi_value value, buffer, outputs;
  if (napi_get_cb_info(env, info, &given, &value, nullptr, nullptr) != napi_ok) return nullptr;
  Batch* const batch = unwrap<Batch>(env, value, batchTag);
  if (!batch || !batch->isRunning()) return fail(env, "finishNetwork takes a batch that was started, once.");
  try {
    const std::vector<float> computed = batch->finish();
    void* memory;
    if (napi_create_arraybuffer(env, computed.size() * sizeof(float), &memory, &buffer) != napi_ok)
      return fail(env, "There is no memory for the outputs.");
    std::memcpy(memory, computed.data(), computed.size() * sizeof(float));
    napi_create_typedarray(env, napi_float32_array, computed.size(), buffer, 0, &outputs);
    return outputs;
  } catch (const std::exception& error) {
    return fail(env, std::string("A batch cannot be computed: ") + error.what() + ".");
  }
}

}  // namespace

void setNetworkFunctions(napi_env env, napi_value exports) {
  setFunction(env, exports, "createNetwork", createNetwork);
  setFunction(env, exports, "startNetwork", startNetwork);
  setFunction(env, exports, "finishNetwork", finishNetwork);
}

}  // namespace unroll
