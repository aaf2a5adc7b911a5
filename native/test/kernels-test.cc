// Compares every kernel with its plain reference, for shapes that panels, tiles and threads do not divide. Memory that
// a kernel may not read is NaN or outside of an allocation, so that the comparison or a sanitizer finds it.
//
// usage: kernels-test; prints one line for each instruction set and ends with 1 after a difference.
#include "../kernels.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <numeric>
#include <random>
#include <string>

#include "../parallel.h"
#include "reference.h"

namespace {

using namespace unroll;
using reference::Numbers;

using Floats = std::vector<float>;

constexpr uint32_t seed = 20251129;
int failures = 0, comparisons = 0;

Floats floats(const Numbers& values) { return Floats(values.begin(), values.end()); }

// An output that nothing has written yet.
Floats unwritten(size_t count) { return Floats(count, std::numeric_limits<float>::quiet_NaN()); }

// Null for an absent input, as the kernels expect it.
const float* orNull(const Floats& values) { return values.empty() ? nullptr : values.data(); }

class Random {
 public:
  // Rounded to float, so that both sides compute with the same numbers.
  Numbers numbers(size_t count, double scale) {
    std::uniform_real_distribution<float> draw(-1, 1);
    Numbers values(count);
    for (double& one : values) one = static_cast<float>(draw(engine) * scale);
    return values;
  }
  size_t below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(engine); }

 private:
  std::mt19937 engine{seed};
};

// Differences are relative to the largest number, because sums cancel.
void compare(const std::string& what, const Floats& found, const Numbers& expected) {
  ++comparisons;
  double largest = 1, apart = 0;
  bool same = found.size() == expected.size();
  for (size_t at = 0; same && at < found.size(); ++at) {
    largest = std::max(largest, std::abs(expected[at]));
    const double difference = std::abs(static_cast<double>(found[at]) - expected[at]);
    if (!(difference <= apart)) apart = difference;
  }
  if (same && apart <= 2e-5 * largest) return;
  ++failures;
  std::printf("%s: %zu numbers, expected %zu, apart by %g of %g (seed %u)\n", what.c_str(), found.size(),
              expected.size(), apart, largest, seed);
}

enum class Lengths { all, some, none };

struct RecurrentCase {
  size_t batch, steps, features, hidden;
  Lengths lengths;
  bool reverse, initial, mask, outputs;
};

reference::Layer layerOf(reference::Cell cell, const RecurrentCase& of, Random& random) {
  reference::Layer layer{};
  layer.cell = cell;
  layer.batch = of.batch;
  layer.steps = of.steps;
  layer.features = of.features;
  layer.hidden = of.hidden;
  layer.forgetBias = cell == reference::Cell::lstm ? 0.75 : 0;
  layer.reverse = of.reverse;
  for (size_t row = 0; of.lengths != Lengths::all && row < of.batch; ++row)
    layer.lengths.push_back(of.lengths == Lengths::none ? 0 : static_cast<int32_t>(random.below(of.steps + 1)));
  const double scale = 1 / std::sqrt(static_cast<double>(of.features + of.hidden));
  layer.inputs = random.numbers(of.batch * of.steps * of.features, 1);
  layer.kernel = random.numbers((of.features + of.hidden) * layer.columns() * of.hidden, 2 * scale);
  layer.bias = random.numbers(layer.slots() * of.hidden, 0.5);
  if (of.initial) layer.initialHidden = random.numbers(of.batch * of.hidden, 1);
  if (of.initial && cell == reference::Cell::lstm) layer.initialCell = random.numbers(of.batch * of.hidden, 1);
  if (of.mask) layer.mask = random.numbers(of.batch * of.hidden, 2);
  return layer;
}

// The rows in the order in which the kernels compute them, longest first.
struct Order {
  std::vector<int32_t> rows, lengths;

  explicit Order(const reference::Layer& layer) {
    if (layer.lengths.empty()) return;
    rows.resize(layer.batch);
    std::iota(rows.begin(), rows.end(), 0);
    const auto length = [&](int32_t row) { return layer.lengths[static_cast<size_t>(row)]; };
    std::stable_sort(rows.begin(), rows.end(), [&](int32_t a, int32_t b) { return length(a) > length(b); });
    for (const int32_t row : rows) lengths.push_back(length(row));
  }
  Sequence sequence(const reference::Layer& layer) const {
    if (rows.empty()) return {nullptr, layer.reverse, layer.steps};
    return {lengths.data(), layer.reverse, layer.steps, rows.data()};
  }
};

void testRecurrent(const std::string& name, const RecurrentKernels& kernels, reference::Cell cell,
                   const RecurrentCase& of, Random& random) {
  const reference::Layer layer = layerOf(cell, of, random);
  const bool hasCell = cell == reference::Cell::lstm;
  const size_t states = of.batch * of.hidden;
  const RecurrentShape shape{of.batch,        of.steps,      of.features, of.hidden,
                             layer.columns(), layer.slots(), hasCell,     of.mask};
  const Order order(layer);
  const std::string what = name + " batch " + std::to_string(of.batch) + " steps " + std::to_string(of.steps) +
                           " features " + std::to_string(of.features) + " hidden " + std::to_string(of.hidden) +
                           (of.reverse ? " reverse" : "") + (of.initial ? " initial" : "") + (of.mask ? " mask" : "") +
                           (layer.lengths.empty() ? " " : " lengths ");

  std::vector<std::vector<reference::Step>> record;
  const reference::Outputs expected = reference::forward(layer, record);
  const Floats inputs = floats(layer.inputs), kernel = floats(layer.kernel), bias = floats(layer.bias);
  const Floats initialHidden = floats(layer.initialHidden), initialCell = floats(layer.initialCell);
  const Floats mask = floats(layer.mask);
  Floats saved;
  // Without a gradient the state alternates between two buffers.
  for (const bool forGradient : {false, true}) {
    saved = unwritten(RecurrentBuffers::floats(shape, forGradient));
    Floats outputs = unwritten(of.outputs ? of.steps * states : 0), packed = unwritten(shape.packedKernel());
    Floats finalHidden = unwritten(states), finalCell = unwritten(hasCell ? states : 0);
    RecurrentForward in{};
    in.shape = shape;
    in.sequence = order.sequence(layer);
    in.forgetBias = static_cast<float>(layer.forgetBias);
    in.inputs = inputs.data();
    in.kernel = kernel.data();
    in.bias = bias.data();
    in.initialHidden = orNull(initialHidden);
    in.initialCell = orNull(initialCell);
    in.mask = orNull(mask);
    in.outputs = of.outputs ? outputs.data() : nullptr;
    in.finalHidden = finalHidden.data();
    in.finalCell = hasCell ? finalCell.data() : nullptr;
    in.buffers = RecurrentBuffers::in(saved.data(), shape, forGradient);
    in.packedKernel = packed.data();
    kernels.forward(in);
    if (of.outputs) compare(what + "outputs", outputs, expected.outputs);
    compare(what + "final hidden", finalHidden, expected.finalHidden);
    compare(what + "final cell", finalCell, expected.finalCell);
  }

  reference::Outputs upstream;
  if (of.outputs) upstream.outputs = random.numbers(of.steps * states, 1);
  upstream.finalHidden = random.numbers(states, 1);
  if (hasCell && of.initial) upstream.finalCell = random.numbers(states, 1);
  const reference::Gradients gradients = reference::backward(layer, record, upstream);
  const Floats outputsGradient = floats(upstream.outputs), hiddenGradient = floats(upstream.finalHidden);
  const Floats cellGradient = floats(upstream.finalCell);
  Floats gates = unwritten(of.steps * shape.gateStep()),
         transposed = unwritten(shape.hiddenPanels() * shape.transposedPanel());
  Floats stateGradient = unwritten((of.mask ? 3 : 2) * shape.stateStep());
  Floats kernelGradient = unwritten(kernel.size()), biasGradient = unwritten(bias.size());
  Floats initialHiddenGradient = unwritten(of.initial ? states : 0);
  Floats initialCellGradient = unwritten(of.initial && hasCell ? states : 0);
  RecurrentBackward back{};
  back.shape = shape;
  back.sequence = order.sequence(layer);
  back.kernel = kernel.data();
  back.mask = orNull(mask);
  back.outputsGradient = orNull(outputsGradient);
  back.finalHiddenGradient = orNull(hiddenGradient);
  back.finalCellGradient = orNull(cellGradient);
  back.buffers = RecurrentBuffers::in(saved.data(), shape, true);
  back.gatesGradient = gates.data();
  back.kernelGradient = kernelGradient.data();
  back.biasGradient = biasGradient.data();
  back.hasInitialState = of.initial;
  back.initialHiddenGradient = of.initial ? initialHiddenGradient.data() : nullptr;
  back.initialCellGradient = of.initial && hasCell ? initialCellGradient.data() : nullptr;
  back.transposedKernel = transposed.data();
  back.stateGradient = stateGradient.data();
  kernels.backward(back);
  compare(what + "kernel gradient", kernelGradient, gradients.kernel);
  compare(what + "bias gradient", biasGradient, gradients.bias);
  if (of.initial) compare(what + "initial hidden gradient", initialHiddenGradient, gradients.initialHidden);
  if (of.initial && hasCell) compare(what + "initial cell gradient", initialCellGradient, gradients.initialCell);

  Floats inputsGradient = unwritten(inputs.size());
  Floats inputTransposed = unwritten(shape.inputPanels() * shape.transposedPanel());
  Floats sums = unwritten(shape.inputPanels() * shape.panel());
  RecurrentInputGradient input{};
  input.shape = shape;
  input.sequence = order.sequence(layer);
  input.kernel = kernel.data();
  input.gatesGradient = gates.data();
  input.inputsGradient = inputsGradient.data();
  input.transposedKernel = inputTransposed.data();
  input.inputSums = sums.data();
  kernels.inputGradient(input);
  compare(what + "inputs gradient", inputsGradient, gradients.inputs);
}

void testLinear(const LinearKernels& kernels, size_t rows, size_t size, size_t outputs, Random& random) {
  const std::string what =
      "linear " + std::to_string(rows) + " by " + std::to_string(size) + " by " + std::to_string(outputs) + " ";
  const Numbers input = random.numbers(rows * size, 1), kernel = random.numbers(size * outputs, 1);
  const Numbers bias = random.numbers(outputs, 1), gradient = random.numbers(rows * outputs, 1);
  const Floats inputs = floats(input), kernels32 = floats(kernel), bias32 = floats(bias), upstream = floats(gradient);
  Floats output = unwritten(rows * outputs), packed = unwritten(size * wholePanels(outputs));
  Floats packedBias = unwritten(wholePanels(outputs));
  kernels.forward({rows, size, outputs, inputs.data(), kernels32.data(), bias32.data(), output.data(), packed.data(),
                   packedBias.data()});
  Numbers expected = reference::product(input, kernel, rows, size, outputs);
  for (size_t at = 0; at < expected.size(); ++at) expected[at] += bias[at % outputs];
  compare(what + "output", output, expected);

  Floats inputGradient = unwritten(inputs.size()), kernelGradient = unwritten(kernels32.size());
  Floats biasGradient = unwritten(outputs), transposed = unwritten(outputs * wholePanels(size));
  Floats packedGradient = unwritten(rows * wholePanels(outputs));
  kernels.backward({rows, size, outputs, upstream.data(), inputs.data(), kernels32.data(), inputGradient.data(),
                    kernelGradient.data(), biasGradient.data(), transposed.data(), packedGradient.data()});
  compare(what + "input gradient", inputGradient,
          reference::product(gradient, reference::transposed(kernel, size, outputs), rows, outputs, size));
  compare(what + "kernel gradient", kernelGradient,
          reference::product(reference::transposed(input, rows, size), gradient, size, rows, outputs));
  Numbers sums(outputs);
  for (size_t at = 0; at < gradient.size(); ++at) sums[at % outputs] += gradient[at];
  compare(what + "bias gradient", biasGradient, sums);
}

void testCrossEntropy(void (*kernel)(const CrossEntropy&), size_t rows, size_t classes, Random& random) {
  const std::string what = "cross-entropy " + std::to_string(rows) + " by " + std::to_string(classes) + " ";
  const Numbers logits = random.numbers(rows * classes, 8);
  const Floats given = floats(logits);
  std::vector<int32_t> labels;
  for (size_t row = 0; row < rows; ++row) labels.push_back(static_cast<int32_t>(random.below(classes)));
  Floats losses = unwritten(rows), slope = unwritten(rows * classes);
  kernel({rows, classes, given.data(), labels.data(), losses.data(), slope.data()});
  Numbers expectedLosses, expectedSlope;
  for (size_t row = 0; row < rows; ++row) {
    const double* const of = &logits[row * classes];
    double sum = 0;
    for (size_t at = 0; at < classes; ++at) sum += std::exp(of[at]);
    const size_t right = static_cast<size_t>(labels[row]);
    expectedLosses.push_back(std::log(sum) - of[right]);
    for (size_t at = 0; at < classes; ++at)
      expectedSlope.push_back((std::exp(of[at]) / sum - (at == right ? 1 : 0)) / static_cast<double>(rows));
  }
  compare(what + "losses", losses, expectedLosses);
  compare(what + "slope", slope, expectedSlope);
}

void testGatherPixels(decltype(InstructionSet::gatherPixels) kernel, size_t images, size_t size, Random& random) {
  std::vector<uint8_t> bytes;
  for (size_t at = 0; at < images * size; ++at) bytes.push_back(static_cast<uint8_t>(random.below(256)));
  std::vector<int32_t> indices;
  Numbers expected;
  for (size_t at = 0; at < images + 2; ++at) {
    indices.push_back(static_cast<int32_t>(random.below(images)));
    for (size_t pixel = 0; pixel < size; ++pixel)
      expected.push_back(bytes[static_cast<size_t>(indices.back()) * size + pixel] / 255.0);
  }
  Floats found = unwritten(expected.size());
  kernel(bytes.data(), size, indices.data(), indices.size(), found.data());
  compare("gather " + std::to_string(images) + " images of " + std::to_string(size), found, expected);
}

// Whether a slot may be negative; a mean of squares may not.
enum class Sign { any, positive };

template <class Settings>
struct UpdateCase {
  std::string name;
  UpdateKernel<Settings> kernel;
  void (*reference)(const Settings& settings, double& value, double gradient, double* slots);
  Settings settings;
  std::vector<Sign> slots;
};

// Updates the numbers from `begin` to `end`; the results of the others stay unwritten.
template <class Settings>
std::vector<Floats> updated(const UpdateCase<Settings>& of, const std::vector<Floats>& given, size_t begin,
                            size_t end) {
  const size_t count = given[0].size();
  std::vector<Floats> results(1 + of.slots.size(), unwritten(count));
  UpdateWeight weight{};
  weight.count = count;
  weight.value = given[0].data();
  weight.gradient = given[1].data();
  weight.nextValue = results[0].data();
  for (size_t slot = 0; slot < of.slots.size(); ++slot) {
    weight.slots[slot] = given[2 + slot].data();
    weight.nextSlots[slot] = results[1 + slot].data();
  }
  of.kernel(of.settings, weight, begin, end);
  return results;
}

// Updates a weight whole and in two parts, as threads cut it: a part must not write into the other.
template <class Settings>
void testUpdate(const UpdateCase<Settings>& of, size_t count, Random& random) {
  std::vector<Numbers> before{random.numbers(count, 1), random.numbers(count, 1)};
  for (const Sign sign : of.slots) {
    before.push_back(random.numbers(count, 0.5));
    // At least the largest square of a mean, so that no variance is negative.
    if (sign == Sign::positive)
      for (double& one : before.back()) one = std::abs(one) + 0.25;
  }
  std::vector<Floats> given;
  for (const Numbers& one : before) given.push_back(floats(one));
  std::vector<Numbers> expected(1 + of.slots.size(), Numbers(count));
  for (size_t at = 0; at < count; ++at) {
    double slots[mostSlots] = {};
    for (size_t slot = 0; slot < of.slots.size(); ++slot) slots[slot] = before[2 + slot][at];
    expected[0][at] = before[0][at];
    of.reference(of.settings, expected[0][at], before[1][at], slots);
    for (size_t slot = 0; slot < of.slots.size(); ++slot) expected[1 + slot][at] = slots[slot];
  }
  const size_t cut = count / 3;
  const std::vector<Floats> whole = updated(of, given, 0, count);
  const std::vector<Floats> first = updated(of, given, 0, cut), second = updated(of, given, cut, count);
  for (size_t at = 0; at < expected.size(); ++at) {
    const std::string what = of.name + " of " + std::to_string(count) + (at == 0 ? " value" : " slot");
    compare(what, whole[at], expected[at]);
    Floats joined = first[at];
    for (size_t one = 0; one < count; ++one) {
      if (std::isnan(first[at][one]) == std::isnan(second[at][one]))
        joined[one] = unwritten(1)[0];
      else if (one >= cut)
        joined[one] = second[at][one];
    }
    compare(what + " in two parts", joined, expected[at]);
  }
}

void testUpdates(const UpdateKernels& kernels, size_t count, Random& random) {
  MomentumSettings momentum{};
  momentum.learningRate = 0.3f;
  momentum.momentum = 0.9f;
  SgdSettings sgd{};
  sgd.learningRate = 0.3f;
  RmsPropSettings rmsProp{};
  rmsProp.learningRate = 0.2f;
  rmsProp.rho = 0.8f;
  rmsProp.oneMinusRho = 0.2f;
  rmsProp.momentum = 0.6f;
  rmsProp.epsilon = 0.01f;
  AdagradSettings adagrad{};
  adagrad.learningRate = 0.4f;
  adagrad.epsilon = 0.05f;
  AdadeltaSettings adadelta{};
  adadelta.learningRate = 0.7f;
  adadelta.rho = 0.9f;
  adadelta.oneMinusRho = 0.1f;
  adadelta.epsilon = 0.03f;
  AdamSettings adam{};
  adam.beta1 = 0.9f;
  adam.oneMinusBeta1 = 0.1f;
  adam.beta2 = 0.7f;
  adam.oneMinusBeta2 = 0.3f;
  adam.stepSize = 0.5f;
  adam.epsilon = 0.02f;
  adam.keep = 0.95f;
  AdamaxSettings adamax{};
  adamax.beta1 = 0.8f;
  adamax.oneMinusBeta1 = 0.2f;
  adamax.beta2 = 0.6f;
  adamax.stepSize = 0.5f;
  adamax.epsilon = 0.02f;
  const Sign any = Sign::any, positive = Sign::positive;
  const auto test = [&](const auto& of) { testUpdate(of, count, random); };
  test(UpdateCase<SgdSettings>{"sgd", kernels.sgd, reference::sgd, sgd, {}});
  test(UpdateCase<MomentumSettings>{"momentum", kernels.momentum, reference::momentum, momentum, {any}});
  test(UpdateCase<NesterovSettings>{"nesterov", kernels.nesterov, reference::nesterov, momentum, {any}});
  using RmsPropCase = UpdateCase<RmsPropSettings>;
  test(RmsPropCase{"rmsprop", kernels.rmsProp, reference::rmsProp<false, false>, rmsProp, {positive}});
  test(RmsPropCase{
      "centered rmsprop", kernels.rmsPropCentered, reference::rmsProp<true, false>, rmsProp, {positive, any}});
  test(RmsPropCase{
      "rmsprop with momentum", kernels.rmsPropMomentum, reference::rmsProp<false, true>, rmsProp, {positive, any}});
  test(RmsPropCase{"centered rmsprop with momentum",
                   kernels.rmsPropCenteredMomentum,
                   reference::rmsProp<true, true>,
                   rmsProp,
                   {positive, any, any}});
  test(UpdateCase<AdagradSettings>{"adagrad", kernels.adagrad, reference::adagrad, adagrad, {positive}});
  test(UpdateCase<AdadeltaSettings>{"adadelta", kernels.adadelta, reference::adadelta, adadelta, {positive, positive}});
  test(UpdateCase<AdamSettings>{"adam", kernels.adam, reference::adam, adam, {any, positive}});
  test(UpdateCase<AdamaxSettings>{"adamax", kernels.adamax, reference::adamax, adamax, {any, positive}});
}

void testAll(const InstructionSet& set) {
  Random random;
  const RecurrentCase cases[] = {
      // batch, steps, features, hidden, lengths, reverse, initial, mask, outputs
      {1, 1, 1, 1, Lengths::all, false, false, false, true},
      {1, 1, 1, 1, Lengths::all, false, true, true, true},
      {1, 7, 3, 1, Lengths::all, true, false, false, false},
      {1, 5, 1, 17, Lengths::none, false, true, false, true},
      {3, 4, 2, 5, Lengths::none, true, false, true, true},
      {2, 3, 16, 16, Lengths::all, false, true, true, false},
      {5, 4, 17, 15, Lengths::some, false, false, false, true},
      {7, 6, 33, 31, Lengths::some, true, true, false, true},
      {13, 3, 5, 47, Lengths::some, false, true, true, true},
      {19, 2, 28, 100, Lengths::all, true, true, true, true},
      {4, 40, 3, 9, Lengths::some, true, false, true, false},
      {150, 2, 40, 33, Lengths::some, false, true, false, true},
      {9, 3, 150, 65, Lengths::all, false, false, true, true},
  };
  for (const RecurrentCase& one : cases) {
    testRecurrent("lstm", set.lstm, reference::Cell::lstm, one, random);
    testRecurrent("gru", set.gru, reference::Cell::gru, one, random);
    testRecurrent("simple-rnn", set.simpleRnn, reference::Cell::simpleRnn, one, random);
  }
  for (const size_t rows : {1, 7, 300})
    for (const size_t size : {1, 17, 130})
      for (const size_t outputs : {1, 10, 16, 53}) testLinear(set.linear, rows, size, outputs, random);
  for (const size_t rows : {1, 5, 600})
    for (const size_t classes : {1, 2, 16, 31, 1000}) testCrossEntropy(set.crossEntropy, rows, classes, random);
  for (const size_t size : {1, 63, 784}) testGatherPixels(set.gatherPixels, 9, size, random);
  for (const size_t count : {0, 1, 2, 8, 15, 16, 17, 31, 100, 1003}) testUpdates(set.update, count, random);
}

}  // namespace

int main() {
  __builtin_cpu_init();
  std::vector<const InstructionSet*> sets;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back(&avx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    sets.push_back(&avx512);
  for (const InstructionSet* const set : sets)
    for (const size_t threads : {1, 3}) {
      setThreadCount(threads);
      comparisons = 0;
      const int before = failures;
      testAll(*set);
      std::printf("%s, %zu threads: %d comparisons, %d failed\n", set->name, threads, comparisons, failures - before);
    }
  if (sets.empty()) std::printf("This processor has neither AVX2 nor AVX512.\n");
  return failures > 0 ? 1 : 0;
}
