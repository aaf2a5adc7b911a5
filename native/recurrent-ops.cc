// A recurrent layer as three TensorFlow ops for each cell: forward, backward, and the inputs' gradient, which many
// networks never need.
#include "op.h"
#include "recurrent-kinds.h"

namespace unroll {
namespace {

struct Settings {
  const RecurrentKind* kind;
  std::string op;
  float forgetBias = 0;   // of an LSTM
  bool reverse = false;   // runs each sequence from its last step to its first
  bool sequence = true;   // every step's output is wanted, not only the final state
  bool gradient = true;   // the gradient may be computed later
  bool initial = false;   // the forward pass had an initial state
  bool bfloat16 = false;  // products read bfloat16 operands
};

template <int Index>
void* readSettings(TF_OpKernelConstruction* construction) {
  Settings* const settings = new Settings{&recurrentKinds[Index], ""};
  const TF_StringView name = tensorflow.OpKernelConstruction_GetName(construction);
  settings->op.assign(name.data, name.len);
  readAttribute(construction, "forget_bias", settings->forgetBias);
  readAttribute(construction, "reverse", settings->reverse);
  readAttribute(construction, "sequence", settings->sequence);
  readAttribute(construction, "gradient", settings->gradient);
  readAttribute(construction, "initial", settings->initial);
  readAttribute(construction, "round_operands", settings->bfloat16);
  return settings;
}

void deleteSettings(void* settings) { delete static_cast<Settings*>(settings); }

int64_t size(size_t count) { return static_cast<int64_t>(count); }

// The shape, from three leading dimensions and the kernel [features + hidden, columns * hidden].
bool readShape(Call& call, const Settings& settings, const Dimensions& leading, const char* name,
               const Dimensions& kernel, RecurrentShape& shape) {
  const RecurrentKind& kind = *settings.kind;
  if (!call.require(
          leading.size() == 3 && leading[0] > 0 && leading[1] > 0,
          std::string(name) + " must have three dimensions and at least one row and step, not " + show(leading) + "."))
    return false;
  const int64_t columns = size(kind.columns);
  if (!call.require(kernel.size() == 2 && kernel[1] > 0 && kernel[1] % columns == 0 && kernel[0] > kernel[1] / columns,
                    "kernel must have the shape [features + hidden, " + std::to_string(columns) + " * hidden], not " +
                        show(kernel) + "."))
    return false;
  const size_t hidden = static_cast<size_t>(kernel[1] / columns);
  shape = {static_cast<size_t>(leading[0]),
           static_cast<size_t>(leading[1]),
           static_cast<size_t>(kernel[0]) - hidden,
           hidden,
           kind.columns,
           kind.slots,
           kind.hasCell,
           false,
           settings.bfloat16};
  return true;
}

// Reads the mask on the state that the kernel reads, if there is one, and sets `hasMask` in the shape.
const float* readMask(Call& call, int input, RecurrentShape& shape) {
  const float* const mask = call.optionalFloats(input, "mask", {size(shape.batch), size(shape.hidden)});
  shape.hasMask = mask != nullptr;
  return mask;
}

// The lengths of a batch's rows; null if there are none, or if one is wrong, and then the op has failed.
const int32_t* readLengths(Call& call, int input, const RecurrentShape& shape) {
  const int32_t* const given = call.optionalIntegers(input, "lengths", {size(shape.batch)});
  if (!given) return nullptr;
  for (size_t row = 0; row < shape.batch; ++row)
    if (!call.require(
            given[row] >= 0 && given[row] <= size(shape.steps),
            "A length must be from 0 to " + std::to_string(shape.steps) + ", not " + std::to_string(given[row]) + "."))
      return nullptr;
  return given;
}

// Buffers of the forward pass as a tensor [batch, steps, rest], whose shape gives batch and steps.
Dimensions savedShape(const RecurrentShape& shape) {
  const size_t pairs = shape.batch * shape.steps;
  return {size(shape.batch), size(shape.steps), size((RecurrentBuffers::floats(shape, true) + pairs - 1) / pairs)};
}

Dimensions gatesGradientShape(const RecurrentShape& shape) {
  return {size(shape.batch), size(shape.steps), size(shape.slots * shape.hiddenPanels() * panelWidth)};
}

class RoundedGradients {
 public:
  explicit RoundedGradients(const RecurrentShape& shape)
      : step(shape.roundedStep()), operands(shape.pairedOperands()), gates(shape.pairedGates()) {}
  bool enough() const { return step.data() && operands.data() && gates.data(); }
  BfloatGradients memory() const { return {step.data(), operands.data(), gates.data()}; }

 private:
  Scratch step, operands, gates;
};

void computeForward(void* kernel, TF_OpKernelContext* context) {
  const Settings& settings = *static_cast<Settings*>(kernel);
  const RecurrentKind& kind = *settings.kind;
  Call call(settings.op.c_str(), context);
  RecurrentForward in{};
  if (!readShape(call, settings, call.dimensions(0), "inputs", call.dimensions(1), in.shape)) return;
  in.mask = readMask(call, 6, in.shape);
  const RecurrentShape& shape = in.shape;
  const int64_t batch = size(shape.batch), steps = size(shape.steps), hidden = size(shape.hidden);
  in.inputs = call.floats(0, "inputs", {batch, steps, size(shape.features)});
  in.kernel = call.floats(1, "kernel", {size(shape.features) + hidden, size(shape.columns) * hidden});
  in.bias = call.floats(2, "bias", {size(shape.slots) * hidden});
  in.initialHidden = call.optionalFloats(3, "initial_hidden", {batch, hidden});
  in.initialCell = call.optionalFloats(4, "initial_cell", {batch, hidden});
  call.require(kind.hasCell ? !in.initialHidden == !in.initialCell : !in.initialCell,
               kind.hasCell ? "initial_hidden and initial_cell must be given together." : "There is no cell state.");
  const SortedRows rows(readLengths(call, 5, shape), shape.batch);
  in.sequence = rows.sequence(shape.steps, settings.reverse);
  in.forgetBias = settings.forgetBias;
  in.outputs = call.output(0, {batch, steps, hidden}, settings.sequence);
  in.finalHidden = call.output(1, {batch, hidden});
  in.finalCell = call.output(2, {batch, hidden}, kind.hasCell);
  float* const saved = call.output(3, savedShape(shape), settings.gradient);
  const Scratch buffers(settings.gradient ? 0 : RecurrentBuffers::floats(shape, false));
  const Scratch packed(shape.packedKernel());
  if (!call.require(buffers.data() && packed.data(), "There is no memory to work in.")) return;
  in.buffers = RecurrentBuffers::in(settings.gradient ? saved : buffers.data(), shape, settings.gradient);
  in.packedKernel = packed.data();
  (products(settings.bfloat16).*kind.kernels).forward(in);
}

void computeBackward(void* kernel, TF_OpKernelContext* context) {
  const Settings& settings = *static_cast<Settings*>(kernel);
  const RecurrentKind& kind = *settings.kind;
  Call call(settings.op.c_str(), context);
  RecurrentBackward in{};
  if (!readShape(call, settings, call.dimensions(2), "saved", call.dimensions(0), in.shape)) return;
  in.mask = readMask(call, 6, in.shape);
  const RecurrentShape& shape = in.shape;
  const int64_t batch = size(shape.batch), steps = size(shape.steps), hidden = size(shape.hidden);
  in.kernel = call.floats(0, "kernel", {size(shape.features) + hidden, size(shape.columns) * hidden});
  const SortedRows rows(readLengths(call, 1, shape), shape.batch);
  in.sequence = rows.sequence(shape.steps, settings.reverse);
  const float* const saved = call.floats(2, "saved", savedShape(shape));
  in.outputsGradient = call.optionalFloats(3, "outputs_gradient", {batch, steps, hidden});
  in.finalHiddenGradient = call.optionalFloats(4, "final_hidden_gradient", {batch, hidden});
  in.finalCellGradient = call.optionalFloats(5, "final_cell_gradient", {batch, hidden});
  in.kernelGradient = call.output(0, {size(shape.features) + hidden, size(shape.columns) * hidden});
  in.biasGradient = call.output(1, {size(shape.slots) * hidden});
  in.hasInitialState = settings.initial;
  in.initialHiddenGradient = call.output(2, {batch, hidden}, settings.initial);
  in.initialCellGradient = call.output(3, {batch, hidden}, settings.initial && kind.hasCell);
  in.gatesGradient = call.output(4, gatesGradientShape(shape));
  const Scratch transposed(shape.hiddenPanels() * shape.transposedPanel());
  const Scratch state((shape.hasMask ? 3 : 2) * shape.stateStep());
  const RoundedGradients rounded(shape);
  if (!call.require(transposed.data() && state.data() && rounded.enough(), "There is no memory to work in.")) return;
  // Backward only reads the buffers; the type is shared with forward.
  in.buffers = RecurrentBuffers::in(const_cast<float*>(saved), shape, true);
  in.transposedKernel = transposed.data();
  in.stateGradient = state.data();
  in.rounded = rounded.memory();
  (products(settings.bfloat16).*kind.kernels).backward(in);
}

void computeInputGradient(void* kernel, TF_OpKernelContext* context) {
  const Settings& settings = *static_cast<Settings*>(kernel);
  Call call(settings.op.c_str(), context);
  RecurrentInputGradient in{};
  if (!readShape(call, settings, call.dimensions(2), "gates_gradient", call.dimensions(0), in.shape)) return;
  const RecurrentShape& shape = in.shape;
  in.kernel = call.floats(0, "kernel", {size(shape.features + shape.hidden), size(shape.columns * shape.hidden)});
  const SortedRows rows(readLengths(call, 1, shape), shape.batch);
  in.sequence = rows.sequence(shape.steps, settings.reverse);
  in.gatesGradient = call.floats(2, "gates_gradient", gatesGradientShape(shape));
  in.inputsGradient = call.output(0, {size(shape.batch), size(shape.steps), size(shape.features)});
  const Scratch transposed(shape.featurePanels() * shape.transposedPanel());
  const Scratch sums(shape.featurePanels() * shape.panel());
  const Scratch rounded(shape.roundedStep());
  if (!call.require(transposed.data() && sums.data() && rounded.data(), "There is no memory to work in.")) return;
  in.transposedKernel = transposed.data();
  in.inputSums = sums.data();
  in.roundedStep = rounded.data();
  (products(settings.bfloat16).*settings.kind->kernels).inputGradient(in);
}

template <int Index>
std::string registerKind() {
  const std::string name = recurrentKinds[Index].name;
  const std::string ops[] = {name + "Forward", name + "Backward", name + "InputGradient"};
  const OpDefinition definitions[] = {
      {ops[0].c_str(),
       {"inputs: T", "kernel: T", "bias: T", "initial_hidden: T", "initial_cell: T", "lengths: int32", "mask: T"},
       {"T: {float} = DT_FLOAT", "forget_bias: float = 0.0", "reverse: bool = false", "sequence: bool = true",
        "gradient: bool = true", "round_operands: bool = false"},
       {"outputs: T", "final_hidden: T", "final_cell: T", "saved: T"},
       readSettings<Index>,
       computeForward,
       deleteSettings},
      {ops[1].c_str(),
       {"kernel: T", "lengths: int32", "saved: T", "outputs_gradient: T", "final_hidden_gradient: T",
        "final_cell_gradient: T", "mask: T"},
       {"T: {float} = DT_FLOAT", "reverse: bool = false", "initial: bool = false", "round_operands: bool = false"},
       {"kernel_gradient: T", "bias_gradient: T", "initial_hidden_gradient: T", "initial_cell_gradient: T",
        "gates_gradient: T"},
       readSettings<Index>,
       computeBackward,
       deleteSettings},
      {ops[2].c_str(),
       {"kernel: T", "lengths: int32", "gates_gradient: T"},
       {"T: {float} = DT_FLOAT", "reverse: bool = false", "round_operands: bool = false"},
       {"inputs_gradient: T"},
       readSettings<Index>,
       computeInputGradient,
       deleteSettings},
  };
  for (const OpDefinition& definition : definitions) {
    const std::string problem = registerOp(definition);
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace

std::string registerRecurrentOps() {
  for (const auto& one : {registerKind<0>, registerKind<1>, registerKind<2>}) {
    const std::string problem = one();
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace unroll
