import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { isRecording } from '../internals.ts';
import { runNative } from '../native.ts';
import type { GruSequence } from './gru.ts';
import type { CellSequence, Kernel, SequenceResult } from './kernel.ts';
import type { LstmSequence } from './lstm.ts';
import { bfloat16Attribute } from './linear.ts';
import { recordOperation } from './record.ts';
import type { SimpleRnnSequence } from './simple-rnn.ts';

/** A layer as Unroll's own operations take it; of a GRU the bias is `[4 * hidden]`, the candidate's recurrent bias last. */
interface FusedSequence extends CellSequence {
  /** Of an LSTM: added inside the forget gate. */
  readonly forgetBias?: number;
}

const nothing = new Map<'float32' | 'int32', Tensor>();

/** An empty tensor for an absent input; kept for the life of the process. */
const none = (dtype: 'float32' | 'int32'): Tensor => {
  const known = nothing.get(dtype) ?? tf.keep(tf.tensor([], [0], dtype));
  nothing.set(dtype, known);
  return known;
};

/**
 * Runs a layer with Unroll's own operations from `native/` (`UnrollLstmForward`, `...Backward`, `...InputGradient`): all
 * steps in one call, the gates applied while they are in the cache, lengths and direction inside. Every sum is taken in
 * one fixed order, so results have the same bits for any number of threads, with AVX2 or AVX512, and whatever other
 * rows are in the batch; with bfloat16 operands, too. Call it only where `fusedKernels()` is available; throws for shapes that do not fit.
 */
export const runFused = (
  cell: 'Lstm' | 'Gru' | 'SimpleRnn',
  {
    inputs,
    kernel,
    bias,
    initial,
    recurrentMask,
    lengths,
    forgetBias = 0,
    reverse,
    returns,
    precision,
  }: FusedSequence,
): SequenceResult => {
  const recording = isRecording();
  const sequence = returns === 'all';
  const hasCell = cell === 'Lstm';
  const shared = [{ name: 'reverse', bool: reverse }, bfloat16Attribute(precision)];
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
          ...shared,
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
        { attributes: [...shared, { name: 'initial', bool: initial !== undefined }], outputs: 5 },
      ) as [Tensor, Tensor, Tensor, Tensor, Tensor];
      return {
        // A function, because the inputs of the first layer are data and need no gradient.
        inputs: () =>
          runNative(`Unroll${cell}InputGradient`, [savedKernel, rows, gatesGradient], {
            attributes: shared,
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
  return { outputs, final: results.slice(sequence ? 1 : 0) as [Tensor2D, ...Tensor2D[]] };
};

/** The basic LSTM in Unroll's own operations. */
export const fusedLstm: Kernel<LstmSequence> = { run: (sequence) => runFused('Lstm', sequence) };

/** The GRU with the reset after the product in Unroll's own operations. */
export const fusedGru: Kernel<GruSequence> = {
  run: (sequence) => {
    const { bias, recurrentBias } = sequence;
    if (!recurrentBias)
      throw new Error('fused-gru has no reset before the product. This is a bug in Unroll.');
    return runFused('Gru', { ...sequence, bias: tf.concat([bias, recurrentBias]) });
  },
};

/** Elman's cell in Unroll's own operations. */
export const fusedSimpleRnn: Kernel<SimpleRnnSequence> = {
  run: (sequence) => runFused('SimpleRnn', sequence),
};
