import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { isRecording } from '../internals.ts';
import { runNative } from '../native.ts';
import { recordOperation } from './record.ts';
import type { SequenceInput } from './scan.ts';

/** A layer as Unroll's own operations take it. */
export interface FusedSequence extends SequenceInput {
  /** `[features + hidden, gates * hidden]`. */
  readonly kernel: Tensor2D;
  /** `[gates * hidden]`; of a GRU `[4 * hidden]`: the candidate's bias of the recurrent product comes last. */
  readonly bias: Tensor1D;
  /** `[batch, hidden]`, and the cell state where there is one; zero when absent. */
  readonly initial?: readonly [hidden: Tensor2D, cell?: Tensor2D] | undefined;
  /** `[batch, hidden]`, a constant: multiplies what the kernel sees of each state; none when absent. */
  readonly recurrentMask?: Tensor2D | undefined;
  /** Of an LSTM: added inside the forget gate. */
  readonly forgetBias?: number;
}

export interface FusedResult {
  /** `[batch, time, hidden]`, zero past the length; undefined when only the final state was asked for. */
  readonly outputs: Tensor3D | undefined;
  /** `[batch, hidden]`: the state after the last step read, and the cell state where there is one. */
  readonly final: readonly [hidden: Tensor2D, cell?: Tensor2D];
}

const nothing = new Map<'float32' | 'int32', Tensor>();

/** An empty tensor for an input that is not there; kept for the life of the process. */
const none = (dtype: 'float32' | 'int32'): Tensor => {
  const known = nothing.get(dtype) ?? tf.keep(tf.tensor([], [0], dtype));
  nothing.set(dtype, known);
  return known;
};

/**
 * Runs a layer with Unroll's own operations from `native/` (`UnrollLstmForward`, `...Backward`, `...InputGradient`): all
 * steps in one call, the gates applied while they are in the cache, lengths and direction inside. Every sum is taken in
 * one fixed order, so results have the same bits for any number of threads, with AVX2 or AVX512, and whatever other
 * rows are in the batch. `fusedKernels()` must have said that the operations are available.
 */
export const runFused = (
  cell: 'Lstm' | 'Gru' | 'SimpleRnn',
  { inputs, kernel, bias, initial, recurrentMask, lengths, forgetBias = 0, reverse, returns }: FusedSequence,
): FusedResult => {
  const recording = isRecording();
  const sequence = returns === 'all';
  const hasCell = cell === 'Lstm';
  const direction = { name: 'reverse', bool: reverse };
  const [hidden, cellState] = initial ?? [];
  const given = { inputs, kernel, bias, ...(hidden && { hidden }), ...(cellState && { cellState }) };
  const results = recordOperation(given, {
    forward: (save) => {
      const rows = lengths ?? none('int32');
      const mask = recurrentMask ?? none('float32');
      const states = [hidden ?? none('float32'), cellState ?? none('float32')];
      const operands = [inputs, kernel, bias, ...states, rows, mask];
      const [outputs, finalHidden, finalCell, saved] = runNative(`Unroll${cell}Forward`, operands, {
        attributes: [
          direction,
          { name: 'forget_bias', float: forgetBias },
          { name: 'sequence', bool: sequence },
          { name: 'gradient', bool: recording },
        ],
        outputs: 4,
      }) as [Tensor, Tensor, Tensor, Tensor];
      save([kernel, rows, saved, mask]);
      return [...(sequence ? [outputs] : []), finalHidden, ...(hasCell ? [finalCell] : [])];
    },
    backward: (gradients, kept) => {
      const [savedKernel, rows, saved, mask] = kept as [Tensor, Tensor, Tensor, Tensor];
      const operands = [
        savedKernel,
        rows,
        saved,
        ...(sequence ? [] : [none('float32')]),
        ...gradients.map((gradient) => gradient ?? none('float32')),
        ...(hasCell ? [] : [none('float32')]),
        mask,
      ];
      const [kernelGradient, biasGradient, hiddenGradient, cellGradient, gatesGradient] = runNative(
        `Unroll${cell}Backward`,
        operands,
        { attributes: [direction, { name: 'initial', bool: initial !== undefined }], outputs: 5 },
      ) as [Tensor, Tensor, Tensor, Tensor, Tensor];
      return {
        // The first layer's inputs are data, whose gradient nobody asks for.
        inputs: () =>
          runNative(`Unroll${cell}InputGradient`, [savedKernel, rows, gatesGradient], {
            attributes: [direction],
            outputs: 1,
          })[0] as Tensor,
        kernel: kernelGradient,
        bias: biasGradient,
        hidden: hiddenGradient,
        cellState: cellGradient,
        gatesGradient,
      };
    },
  });
  const outputs = sequence ? (results[0] as Tensor3D) : undefined;
  const [finalHidden, finalCell] = results.slice(sequence ? 1 : 0) as [Tensor2D, Tensor2D?];
  return { outputs, final: finalCell ? [finalHidden, finalCell] : [finalHidden] };
};
