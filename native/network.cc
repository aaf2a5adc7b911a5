#include "network.h"

#include <new>

#include "blocks.h"

namespace unroll {
namespace {

using Floats = std::vector<float>;

// Reads numbers one by one; past the end it gives zeros and remembers that there were too few.
class Settings {
 public:
  Settings(const int32_t* from, size_t count) : from(from), left(count) {}
  size_t next() {
    if (left == 0) tooFew = true;
    if (tooFew) return 0;
    --left;
    const int32_t value = *from++;
    if (value < 0) tooFew = true;
    return value < 0 ? 0 : static_cast<size_t>(value);
  }
  bool good() const { return !tooFew; }
  bool atEnd() const { return good() && left == 0; }

 private:
  const int32_t* from;
  size_t left;
  bool tooFew = false;
};

struct Rows {
  Floats values;
  size_t size;  // numbers of a row
};

// Two directions side by side, or number by number.
Rows merged(Merge merge, Rows forward, const Rows& backward) {
  const size_t size = forward.size, count = forward.values.size() / size;
  if (merge == Merge::concat) {
    Floats both(2 * forward.values.size());
    for (size_t row = 0; row < count; ++row)
      for (size_t at = 0; at < size; ++at) {
        both[row * 2 * size + at] = forward.values[row * size + at];
        both[row * 2 * size + size + at] = backward.values[row * size + at];
      }
    return {std::move(both), 2 * size};
  }
  for (size_t at = 0; at < forward.values.size(); ++at) {
    const float sum = forward.values[at] + backward.values[at];
    forward.values[at] = merge == Merge::mean ? sum * 0.5f : sum;
  }
  return forward;
}

float* enough(const Scratch& scratch) {
  if (!scratch.data()) throw std::bad_alloc();
  return scratch.data();
}

// A layer's input: [batch, steps, features].
struct LayerInput {
  const float* values;
  const int32_t* lengths;  // null: every row has all steps
  size_t batch, steps;
};

// The outputs of every step, [batch, steps, hidden], or the final state, [batch, hidden].
Rows runCell(const Network& network, const NetworkCell& cell, const LayerInput& input, bool reverse, bool everyStep) {
  RecurrentForward in{};
  in.shape = {input.batch,      input.steps,        cell.features, cell.hidden, cell.kind->columns,
              cell.kind->slots, cell.kind->hasCell, false,         false};
  const RecurrentShape& shape = in.shape;
  const SortedRows sorted(input.lengths, input.batch);
  in.sequence = sorted.sequence(input.steps, reverse);
  in.forgetBias = cell.forgetBias;
  in.inputs = input.values;
  in.kernel = &network.weights[cell.kernel];
  in.bias = &network.weights[cell.bias];
  Floats outputs(everyStep ? input.batch * input.steps * cell.hidden : 0), final(input.batch * cell.hidden);
  const Scratch finalCell(cell.kind->hasCell ? input.batch * cell.hidden : 0);
  const Scratch buffers(RecurrentBuffers::floats(shape, false)), packed(shape.packedKernel());
  in.outputs = everyStep ? outputs.data() : nullptr;
  in.finalHidden = final.data();
  in.finalCell = enough(finalCell);
  in.buffers = RecurrentBuffers::in(enough(buffers), shape, false);
  in.packedKernel = enough(packed);
  (products(false).*cell.kind->kernels).forward(in);
  return {std::move(everyStep ? outputs : final), cell.hidden};
}

// There the backward cell has read only one step, so it runs over that step alone.
Rows backwardAtLastIndex(const Network& network, const NetworkCell& cell, const LayerInput& input) {
  Floats step(input.batch * cell.features);
  for (size_t row = 0; row < input.batch; ++row) {
    const size_t length = input.lengths ? static_cast<size_t>(input.lengths[row]) : input.steps;
    const size_t last = length > 0 ? length - 1 : 0;
    const float* const from = input.values + (row * input.steps + last) * cell.features;
    std::copy(from, from + cell.features, step.begin() + static_cast<std::ptrdiff_t>(row * cell.features));
  }
  return runCell(network, cell, {step.data(), nullptr, input.batch, 1}, true, false);
}

Rows runLayer(const Network& network, const std::vector<NetworkCell>& cells, const LayerInput& input, Readout readout) {
  const bool everyStep = readout == Readout::steps;
  Rows forward = runCell(network, cells[0], input, false, everyStep);
  if (cells.size() == 1) return forward;
  const Rows backward = readout == Readout::last ? backwardAtLastIndex(network, cells[1], input)
                                                 : runCell(network, cells[1], input, true, everyStep);
  return merged(network.merge, std::move(forward), backward);
}

// The last steps of each row only.
Rows lastSteps(const Rows& all, size_t batch, size_t steps, size_t last) {
  Floats values;
  values.reserve(batch * last * all.size);
  for (size_t row = 0; row < batch; ++row) {
    const auto end = all.values.begin() + static_cast<std::ptrdiff_t>((row + 1) * steps * all.size);
    values.insert(values.end(), end - static_cast<std::ptrdiff_t>(last * all.size), end);
  }
  return {std::move(values), all.size};
}

Floats outputLayer(const Network& network, const Rows& read) {
  Linear in{};
  in.rows = read.values.size() / read.size;
  in.size = read.size;
  in.outputs = network.outputs;
  in.input = read.values.data();
  in.kernel = &network.weights[network.outputKernel];
  in.bias = &network.weights[network.outputBias];
  Floats output(in.rows * in.outputs);
  in.output = output.data();
  const Scratch packed(in.size * wholePanels(in.outputs)), bias(wholePanels(in.outputs));
  in.packedKernel = enough(packed);
  in.packedBias = enough(bias);
  products(false).linear.forward(in);
  return output;
}

}  // namespace

std::string readNetwork(const int32_t* from, size_t settingCount, const float* weights, size_t weightCount,
                        Network& network) {
  // Larger ones cannot be real, and their products could be beyond the range of a number.
  constexpr size_t most = size_t{1} << 20;
  Settings settings(from, settingCount);
  const size_t merge = settings.next(), readout = settings.next();
  network.lastSteps = settings.next();
  network.outputs = settings.next();
  const size_t layers = settings.next();
  if (!settings.good() || merge > 2 || readout > 2 || network.outputs < 1 || network.outputs > most || layers < 1)
    return "The settings of the network are wrong.";
  network.merge = static_cast<Merge>(merge);
  network.readout = static_cast<Readout>(readout);
  size_t used = 0;
  const auto take = [&](size_t count) {
    const size_t at = used;
    used += count;
    return at;
  };
  size_t read = 0;
  for (size_t layer = 0; layer < layers; ++layer) {
    const size_t count = settings.next();
    if (count < 1 || count > 2) return "A layer has one cell or two.";
    std::vector<NetworkCell> cells;
    for (size_t at = 0; at < count; ++at) {
      const size_t kind = settings.next(), features = settings.next(), hidden = settings.next();
      if (!settings.good() || kind > 2 || features < 1 || features > most || hidden < 1 || hidden > most)
        return "The settings of a cell are wrong.";
      if ((layer > 0 && features != read) || (at > 0 && (features != cells[0].features || hidden != cells[0].hidden)))
        return "The sizes of the cells do not fit each other.";
      const RecurrentKind& of = recurrentKinds[kind];
      const size_t forgetBias = take(1);
      const size_t kernel = take((features + hidden) * of.columns * hidden), bias = take(of.slots * hidden);
      if (used > weightCount) return "There are too few weights.";
      cells.push_back({&of, features, hidden, weights[forgetBias], kernel, bias});
    }
    read = cells[0].hidden * (count == 2 && network.merge == Merge::concat ? 2 : 1);
    network.layers.push_back(std::move(cells));
  }
  network.read = read;
  network.outputKernel = take(read * network.outputs);
  network.outputBias = take(network.outputs);
  if (!settings.atEnd() || used != weightCount) return "The weights do not fit the settings.";
  network.weights.assign(weights, weights + weightCount);
  return "";
}

std::vector<float> computeNetwork(const Network& network, const NetworkInput& given) {
  const int32_t* const lengths = given.lengths.empty() ? nullptr : given.lengths.data();
  LayerInput input{given.values.data(), lengths, given.batch, given.steps};
  Rows below{};
  for (size_t layer = 0; layer + 1 < network.layers.size(); ++layer) {
    // The input of this layer is freed only after it is read.
    Rows outputs = runLayer(network, network.layers[layer], input, Readout::steps);
    below = std::move(outputs);
    input.values = below.values.data();
  }
  const Rows top = runLayer(network, network.layers.back(), input, network.readout);
  const bool some = network.readout == Readout::steps && network.lastSteps > 0 && network.lastSteps < given.steps;
  return outputLayer(network, some ? lastSteps(top, given.batch, given.steps, network.lastSteps) : top);
}

}  // namespace unroll
