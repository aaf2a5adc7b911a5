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
#include "../processor.h"
#include "bfloat16-reference.h"
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

constexpr double singleTolerance = 2e-5;
// Operands have 8 significant bits.
constexpr double bfloat16Tolerance = 0.03;

// Differences are relative to the largest number, because sums cancel.
void compare(const std::string& what, const Floats& found, const Numbers& expected,
             double tolerance = singleTolerance) {
  ++comparisons;
  double largest = 1, apart = 0;
  bool same = found.size() == expected.size();
  for (size_t at = 0; same && at < found.size(); ++at) {
    largest = std::max(largest, std::abs(expected[at]));
    const double difference = std::abs(static_cast<double>(found[at]) - expected[at]);
    if (!(difference <= apart)) apart = difference;
  }
  if (same && apart <= tolerance * largest) return;
  ++failures;
  std::printf("%s: %zu numbers, expected %zu, apart by %g of %g (seed %u)\n", what.c_str(), found.size(),
              expected.size(), apart, largest, seed);
}

// The same numbers; only the sign of a zero may differ.
void compareBits(const std::string& what, const Floats& found, const Floats& expected) {
  ++comparisons;
  size_t different = found.size() == expected.size() ? 0 : 1;
  for (size_t at = 0; different == 0 && at < found.size(); ++at)
    if (!(found[at] == expected[at] || (std::isnan(found[at]) && std::isnan(expected[at])))) ++different;
  if (different == 0) return;
  ++failures;
  std::printf("%s: not the same bits (seed %u)\n", what.c_str(), seed);
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

// A recurrent layer in bfloat16 and what was computed for it.
struct Bfloat16Layer {
  const reference::Layer& layer;
  const RecurrentShape& shape;
  const Order& order;
  const Floats &inputs, &kernel, &bias, &initialHidden, &initialCell, &mask;
  reference::TermOrder terms;

  float masked(size_t row, size_t unit, float state) const {
    return mask.empty() ? state : state * mask[row * shape.hidden + unit];
  }
  // The row of the batch that is computed as row `row`.
  size_t inBatch(size_t row) const { return order.sequence(layer).inBatch(row); }
};

// The sums of one row's slots before activation, [slot][unit]: bias, then the input's terms, then the state's.
Floats slotSums(const Bfloat16Layer& of, size_t row, size_t step, const Floats& hidden) {
  const RecurrentShape& shape = of.shape;
  Floats sums = of.bias;
  for (size_t slot = 0; slot < shape.slots; ++slot)
    for (size_t unit = 0; unit < shape.hidden; ++unit) {
      float& sum = sums[slot * shape.hidden + unit];
      if (slot == 2 && of.layer.cell == reference::Cell::lstm) sum += static_cast<float>(of.layer.forgetBias);
      for (const bool input : {true, false}) {
        const int column = of.layer.columnOf(slot, input);
        if (column < 0 || (!input && step == 0 && of.initialHidden.empty())) continue;
        const size_t first = input ? 0 : shape.features;
        sum = reference::sumOfProducts(
            of.terms, sum, input ? shape.features : shape.hidden,
            [&](size_t at) {
              return input ? of.inputs[of.layer.place(row, step) * shape.features + at]
                           : of.masked(row, at, hidden[row * shape.hidden + at]);
            },
            [&](size_t at) {
              return of.kernel[((first + at) * shape.columns + static_cast<size_t>(column)) * shape.hidden + unit];
            });
      }
    }
  return sums;
}

// The outputs from one step and one row after the other. The sums are plain loops; the rest is the single-precision
// kernel's, which takes the sums as its bias and a kernel of zeros.
Floats outputsStepByStep(const Bfloat16Layer& of, const RecurrentKernels& single) {
  const RecurrentShape& all = of.shape;
  RecurrentShape shape = all;
  shape.steps = shape.batch = shape.features = 1;
  shape.bfloat16 = shape.hasMask = false;
  const Floats kernel((1 + all.hidden) * all.columns * all.hidden, 0.0f), input(1, 0.0f);
  Floats outputs(all.batch * all.steps * all.hidden, 0.0f);
  Floats hidden = of.initialHidden, cell = of.initialCell;
  hidden.resize(all.batch * all.hidden);
  cell.resize(all.batch * all.hidden);
  for (size_t row = 0; row < all.batch; ++row)
    for (size_t step = 0; step < of.layer.length(row); ++step) {
      const Floats sums = slotSums(of, row, step, hidden);
      float* const state = &hidden[row * all.hidden];
      Floats nextHidden(all.hidden), nextCell(all.hidden);
      Floats saved = unwritten(RecurrentBuffers::floats(shape, false)), packed = unwritten(shape.packedKernel());
      RecurrentForward in{};
      in.shape = shape;
      in.sequence = {nullptr, false, 1};
      in.inputs = input.data();
      in.kernel = kernel.data();
      in.bias = sums.data();
      in.initialHidden = state;
      in.initialCell = shape.hasCell ? &cell[row * all.hidden] : nullptr;
      in.finalHidden = nextHidden.data();
      in.finalCell = shape.hasCell ? nextCell.data() : nullptr;
      in.buffers = RecurrentBuffers::in(saved.data(), shape, false);
      in.packedKernel = packed.data();
      single.forward(in);
      std::copy(nextHidden.begin(), nextHidden.end(), state);
      std::copy(nextHidden.begin(), nextHidden.end(), &outputs[of.layer.place(row, step) * all.hidden]);
      if (shape.hasCell) std::copy(nextCell.begin(), nextCell.end(), &cell[row * all.hidden]);
    }
  return outputs;
}

// A number of the slots' gradient, in the layout of the gates.
float gateGradient(const RecurrentShape& shape, const Floats& gates, size_t step, size_t slot, size_t row,
                   size_t unit) {
  return gates[step * shape.gateStep() + slot * shape.stateStep() + unit / panelWidth * shape.panel() +
               row * panelWidth + unit % panelWidth];
}

// The kernel's gradient from that of the slots: a sum over steps and the rows that they have, in the order of
// computing. `outputs` [batch, steps, hidden] are those of the layer.
Floats kernelGradientOf(const Bfloat16Layer& of, const Floats& outputs, const Floats& gates) {
  const RecurrentShape& shape = of.shape;
  const Sequence sequence = of.order.sequence(of.layer);
  Floats gradient(of.kernel.size());
  for (size_t row = 0; row < shape.features + shape.hidden; ++row)
    for (size_t column = 0; column < shape.columns; ++column)
      for (size_t unit = 0; unit < shape.hidden; ++unit) {
        const bool input = row < shape.features;
        size_t slot = 0;
        while (of.layer.columnOf(slot, input) != static_cast<int>(column)) ++slot;
        float sum = 0;
        for (size_t step = 0; step < shape.steps; ++step) {
          const auto left = [&](size_t at) {
            const size_t batchRow = sequence.inBatch(at);
            if (input) return of.inputs[sequence.place(at, step) * shape.features + row];
            const size_t from = row - shape.features;
            const float initial = of.initialHidden.empty() ? 0.0f : of.initialHidden[batchRow * shape.hidden + from];
            return of.masked(batchRow, from,
                             step == 0 ? initial : outputs[sequence.place(at, step - 1) * shape.hidden + from]);
          };
          sum = reference::sumOfProducts(of.terms, sum, sequence.activeEnd(step, shape.batch), left,
                                         [&](size_t at) { return gateGradient(shape, gates, step, slot, at, unit); });
        }
        gradient[(row * shape.columns + column) * shape.hidden + unit] = sum;
      }
  return gradient;
}

// One step's slots times rows of the kernel, from `first` on: [batch rows in the order of computing, count].
Floats gatesTimesKernel(const Bfloat16Layer& of, const Floats& gates, size_t step, bool input) {
  const RecurrentShape& shape = of.shape;
  const size_t first = input ? 0 : shape.features, count = input ? shape.features : shape.hidden;
  Floats result;
  for (size_t row = 0; row < shape.batch; ++row)
    for (size_t at = 0; at < count; ++at) {
      float sum = 0;
      for (size_t column = 0; column < shape.columns; ++column) {
        size_t slot = 0;
        while (of.layer.columnOf(slot, input) != static_cast<int>(column)) ++slot;
        sum = reference::sumOfProducts(
            of.terms, sum, shape.hidden, [&](size_t unit) { return gateGradient(shape, gates, step, slot, row, unit); },
            [&](size_t unit) { return of.kernel[((first + at) * shape.columns + column) * shape.hidden + unit]; });
      }
      result.push_back(sum);
    }
  return result;
}

Floats inputsGradientOf(const Bfloat16Layer& of, const Floats& gates) {
  const RecurrentShape& shape = of.shape;
  const Sequence sequence = of.order.sequence(of.layer);
  Floats gradient(of.inputs.size(), 0.0f);
  for (size_t step = 0; step < shape.steps; ++step) {
    const Floats products = gatesTimesKernel(of, gates, step, true);
    for (size_t row = 0; row < sequence.activeEnd(step, shape.batch); ++row)
      for (size_t at = 0; at < shape.features; ++at)
        gradient[sequence.place(row, step) * shape.features + at] = products[row * shape.features + at];
  }
  return gradient;
}

// `single`: the kernels in single precision, where `kernels` are those in bfloat16; else null.
void testRecurrent(const std::string& name, const RecurrentKernels& kernels, const RecurrentKernels* single,
                   reference::TermOrder terms, reference::Cell cell, const RecurrentCase& of, Random& random) {
  const double tolerance = single ? bfloat16Tolerance : singleTolerance;
  const reference::Layer layer = layerOf(cell, of, random);
  const bool hasCell = cell == reference::Cell::lstm;
  const size_t states = of.batch * of.hidden;
  const RecurrentShape shape{of.batch,      of.steps, of.features, of.hidden,        layer.columns(),
                             layer.slots(), hasCell,  of.mask,     single != nullptr};
  const Order order(layer);
  const std::string what = name + (single ? " bfloat16" : "") + " batch " + std::to_string(of.batch) + " steps " +
                           std::to_string(of.steps) + " features " + std::to_string(of.features) + " hidden " +
                           std::to_string(of.hidden) + (of.reverse ? " reverse" : "") + (of.initial ? " initial" : "") +
                           (of.mask ? " mask" : "") + (layer.lengths.empty() ? " " : " lengths ");

  std::vector<std::vector<reference::Step>> record;
  const reference::Outputs expected = reference::forward(layer, record);
  const Floats inputs = floats(layer.inputs), kernel = floats(layer.kernel), bias = floats(layer.bias);
  const Floats initialHidden = floats(layer.initialHidden), initialCell = floats(layer.initialCell);
  const Floats mask = floats(layer.mask);
  const Bfloat16Layer exact{layer, shape, order, inputs, kernel, bias, initialHidden, initialCell, mask, terms};
  Floats saved, everyOutput;
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
    if (of.outputs) compare(what + "outputs", outputs, expected.outputs, tolerance);
    compare(what + "final hidden", finalHidden, expected.finalHidden, tolerance);
    compare(what + "final cell", finalCell, expected.finalCell, tolerance);
    everyOutput = outputs;
  }
  if (single && of.outputs) compareBits(what + "outputs step by step", everyOutput, outputsStepByStep(exact, *single));

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
  Floats roundedStep = unwritten(shape.roundedStep()), operands = unwritten(shape.pairedOperands()),
         pairedGates = unwritten(shape.pairedGates());
  back.rounded = {roundedStep.data(), operands.data(), pairedGates.data()};
  kernels.backward(back);
  compare(what + "kernel gradient", kernelGradient, gradients.kernel, tolerance);
  compare(what + "bias gradient", biasGradient, gradients.bias, tolerance);
  if (of.initial) compare(what + "initial hidden gradient", initialHiddenGradient, gradients.initialHidden, tolerance);
  if (of.initial && hasCell)
    compare(what + "initial cell gradient", initialCellGradient, gradients.initialCell, tolerance);
  if (single && of.outputs)
    compareBits(what + "kernel gradient", kernelGradient, kernelGradientOf(exact, everyOutput, gates));
  // Nothing but the product, where every row has a step, no mask changes it, and the cell reads no state itself.
  if (single && of.initial && !of.mask && cell != reference::Cell::gru && of.lengths == Lengths::all)
    compareBits(what + "initial hidden gradient", initialHiddenGradient, gatesTimesKernel(exact, gates, 0, false));

  Floats inputsGradient = unwritten(inputs.size());
  Floats inputTransposed = unwritten(shape.featurePanels() * shape.transposedPanel());
  Floats sums = unwritten(shape.featurePanels() * shape.panel());
  RecurrentInputGradient input{};
  input.shape = shape;
  input.sequence = order.sequence(layer);
  input.kernel = kernel.data();
  input.gatesGradient = gates.data();
  input.inputsGradient = inputsGradient.data();
  input.transposedKernel = inputTransposed.data();
  input.inputSums = sums.data();
  input.roundedStep = roundedStep.data();
  kernels.inputGradient(input);
  compare(what + "inputs gradient", inputsGradient, gradients.inputs, tolerance);
  if (single) compareBits(what + "inputs gradient", inputsGradient, inputsGradientOf(exact, gates));
}

void testLinear(const LinearKernels& kernels, bool bfloat16, size_t rows, size_t size, size_t outputs, Random& random) {
  const double tolerance = bfloat16 ? bfloat16Tolerance : singleTolerance;
  const std::string what = std::string("linear ") + (bfloat16 ? "bfloat16 " : "") + std::to_string(rows) + " by " +
                           std::to_string(size) + " by " + std::to_string(outputs) + " ";
  const Numbers input = random.numbers(rows * size, 1), kernel = random.numbers(size * outputs, 1);
  const Numbers bias = random.numbers(outputs, 1), gradient = random.numbers(rows * outputs, 1);
  const Floats inputs = floats(input), kernels32 = floats(kernel), bias32 = floats(bias), upstream = floats(gradient);
  Floats output = unwritten(rows * outputs), packed = unwritten(size * wholePanels(outputs));
  Floats packedBias = unwritten(wholePanels(outputs)), left = unwritten(bfloat16 ? leftOperands(rows, size) : 0);
  kernels.forward({rows, size, outputs, inputs.data(), kernels32.data(), bias32.data(), output.data(), packed.data(),
                   packedBias.data(), left.data()});
  Numbers expected = reference::product(input, kernel, rows, size, outputs);
  for (size_t at = 0; at < expected.size(); ++at) expected[at] += bias[at % outputs];
  compare(what + "output", output, expected, tolerance);

  Floats inputGradient = unwritten(inputs.size()), kernelGradient = unwritten(kernels32.size());
  Floats biasGradient = unwritten(outputs), transposed = unwritten(outputs * wholePanels(size));
  Floats packedGradient = unwritten(rows * wholePanels(outputs));
  Floats leftGradient = unwritten(bfloat16 ? std::max(leftOperands(rows, outputs), leftOperands(size, rows)) : 0);
  kernels.backward({rows, size, outputs, upstream.data(), inputs.data(), kernels32.data(), inputGradient.data(),
                    kernelGradient.data(), biasGradient.data(), transposed.data(), packedGradient.data(),
                    leftGradient.data()});
  compare(what + "input gradient", inputGradient,
          reference::product(gradient, reference::transposed(kernel, size, outputs), rows, outputs, size), tolerance);
  compare(what + "kernel gradient", kernelGradient,
          reference::product(reference::transposed(input, rows, size), gradient, size, rows, outputs), tolerance);
  Numbers sums(outputs);
  for (size_t at = 0; at < gradient.size(); ++at) sums[at % outputs] += gradient[at];
  compare(what + "bias gradient", biasGradient, sums);
  if (!bfloat16) return;

  Floats exactOutput, exactInputGradient, exactKernelGradient;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t at = 0; at < outputs; ++at)
      exactOutput.push_back(reference::sumOfProducts(
          reference::TermOrder::sequential, bias32[at], size, [&](size_t from) { return inputs[row * size + from]; },
          [&](size_t from) { return kernels32[from * outputs + at]; }));
    for (size_t from = 0; from < size; ++from)
      exactInputGradient.push_back(reference::sumOfProducts(
          reference::TermOrder::sequential, 0, outputs, [&](size_t at) { return upstream[row * outputs + at]; },
          [&](size_t at) { return kernels32[from * outputs + at]; }));
  }
  for (size_t from = 0; from < size; ++from)
    for (size_t at = 0; at < outputs; ++at)
      exactKernelGradient.push_back(reference::sumOfProducts(
          reference::TermOrder::sequential, 0, rows, [&](size_t row) { return inputs[row * size + from]; },
          [&](size_t row) { return upstream[row * outputs + at]; }));
  compareBits(what + "output", output, exactOutput);
  compareBits(what + "input gradient", inputGradient, exactInputGradient);
  compareBits(what + "kernel gradient", kernelGradient, exactKernelGradient);
}

// Each number as it is rounded: a layer of one input and one output with the weight 1.
void testRounding(const LinearKernels& kernels) {
  const float infinity = std::numeric_limits<float>::infinity(), least = std::numeric_limits<float>::min();
  const Floats values = {
      1.0f,      1.00390625f, -1.00390625f, 1.01171875f, 1.00390637f,    1.0039062f, 3.0e38f,
      3.4e38f,   infinity,    -infinity,    least,       least / 2,      -least / 4, std::nextafter(least, 0.0f),
      -1.0e-45f, 0.0f,        -0.0f,        1.0e-30f,    unwritten(1)[0]};
  Floats expected = reference::nearestBfloat16(values), found;
  for (const float value : values) {
    const float one = 1, none = 0;
    float output;
    Floats packed(panelWidth), bias(panelWidth), left(1);
    kernels.forward({1, 1, 1, &value, &one, &none, &output, packed.data(), bias.data(), left.data()});
    found.push_back(output);
  }
  compareBits("rounding to bfloat16", found, expected);
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

void testAll(const InstructionSet& set, reference::TermOrder terms) {
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
  const auto testProducts = [&](const ProductKernels& kernels, const ProductKernels* single) {
    for (const RecurrentCase& one : cases) {
      testRecurrent("lstm", kernels.lstm, single ? &single->lstm : nullptr, terms, reference::Cell::lstm, one, random);
      testRecurrent("gru", kernels.gru, single ? &single->gru : nullptr, terms, reference::Cell::gru, one, random);
      testRecurrent("simple-rnn", kernels.simpleRnn, single ? &single->simpleRnn : nullptr, terms,
                    reference::Cell::simpleRnn, one, random);
    }
    for (const size_t rows : {1, 7, 300})
      for (const size_t size : {1, 17, 130})
        for (const size_t outputs : {1, 10, 16, 53})
          testLinear(kernels.linear, single != nullptr, rows, size, outputs, random);
  };
  if (terms == reference::TermOrder::sequential) testProducts(set.products, nullptr);
  testProducts(*set.bfloat16, &set.products);
  testRounding(set.bfloat16->linear);
  for (const size_t rows : {1, 5, 600})
    for (const size_t classes : {1, 2, 16, 31, 1000}) testCrossEntropy(set.crossEntropy, rows, classes, random);
  for (const size_t size : {1, 63, 784}) testGatherPixels(set.gatherPixels, 9, size, random);
  for (const size_t count : {0, 1, 2, 8, 15, 16, 17, 31, 100, 1003}) testUpdates(set.update, count, random);
}

// Those of this processor, each with the order of its bfloat16 sums.
std::vector<std::pair<InstructionSet, reference::TermOrder>> instructionSets() {
  using reference::TermOrder;
  std::vector<std::pair<InstructionSet, TermOrder>> sets;
  const auto add = [&](InstructionSet set, const char* name, const ProductKernels& bfloat16, TermOrder order) {
    set.name = name;
    set.bfloat16 = &bfloat16;
    sets.push_back({set, order});
  };
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    add(avx2, "AVX2", emulatedBfloat16, TermOrder::sequential);
    add(avx2, "AVX2, tiles", emulatedTiles, TermOrder::tiles);
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw")) {
    add(avx512, "AVX512", emulatedBfloat16, TermOrder::sequential);
    if (__builtin_cpu_supports("avx512bf16"))
      add(avx512, "AVX512 with vdpbf16ps", avx512Bfloat16, TermOrder::sequential);
    if (tileBfloat16 && hasTiles()) add(avx512, "AVX512 with AMX", *tileBfloat16, TermOrder::tiles);
  }
#elif defined(__aarch64__)
  add(neon, "NEON", emulatedBfloat16, TermOrder::sequential);
  add(neon, "NEON, tiles", emulatedTiles, TermOrder::tiles);
#endif
  return sets;
}

}  // namespace

int main() {
  const auto sets = instructionSets();
  for (const auto& [set, terms] : sets)
    for (const size_t threads : {1, 3}) {
      setThreadCount(threads);
      comparisons = 0;
      const int before = failures;
      testAll(set, terms);
      std::printf("%s, %zu threads: %d comparisons, %d failed\n", set.name, threads, comparisons, failures - before);
    }
  if (sets.empty()) std::printf("This processor has none of the instruction sets.\n");
  return failures > 0 ? 1 : 0;
}
