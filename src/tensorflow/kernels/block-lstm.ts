import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { int64Scalar, runNative } from '../native.ts';
import type { Kernel } from './kernel.ts';
import type { LstmSequence } from './lstm.ts';
import { recordOperation } from './record.ts';
import { inReadingOrder } from './scan.ts';
import { atLastStep, lastStep, swapBatchAndTime } from './time.ts';

type Operands = readonly [Tensor3D, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];

/** The inputs of the operation in its own order, after the number of steps. */
const operandsOf = ({ kernel, bias, initial, peepholes }: LstmSequence, inputs: Tensor3D): Operands => {
  const batch = inputs.shape[1];
  const size = bias.shape[0] / 4;
  const [hidden, cell] = initial ?? [];
  const unused = tf.zeros([size]);
  return [
    inputs,
    cell ?? tf.zeros<Rank.R2>([batch, size]),
    hidden ?? tf.zeros<Rank.R2>([batch, size]),
    kernel,
    peepholes?.input ?? unused,
    peepholes?.forget ?? unused,
    peepholes?.output ?? unused,
    bias,
  ];
};

/** The gates i, cell, f, o, tanh(j), tanh(cell) and the hidden state of each step, `[time, batch, hidden]`. */
const runForward = (operands: Operands, { forgetBias, peepholes }: LstmSequence): Tensor[] =>
  runNative('BlockLSTM', [int64Scalar(operands[0].shape[0]), ...operands], {
    attributes: [
      { name: 'forget_bias', float: forgetBias },
      { name: 'cell_clip', float: -1 },
      { name: 'use_peephole', bool: peepholes !== undefined },
    ],
    outputs: 7,
  });

/** The hidden state of each step over time-major `inputs`, past the lengths too, and the final cell state. */
const runRecorded = (sequence: LstmSequence, inputs: Tensor3D): readonly [Tensor3D, Tensor2D] => {
  const { lengths, peepholes } = sequence;
  const time = inputs.shape[0];
  const operands = operandsOf(sequence, inputs);
  const names = [
    'inputs',
    'cell',
    'hidden',
    'kernel',
    'inputPeephole',
    'forgetPeephole',
    'outputPeephole',
    'bias',
  ];
  const named = (tensors: readonly Tensor[]) =>
    Object.fromEntries(names.map((name, index) => [name, tensors[index] as Tensor]));
  const [hidden, finalCell] = recordOperation(named(operands), {
    forward: (save) => {
      const gates = runForward(operands, sequence);
      save([...operands, ...gates, ...(lengths ? [lengths] : [])]);
      return [gates[6] as Tensor, lastStep(gates[1] as Tensor3D, lengths)];
    },
    backward: ([hiddenGradient, cellGradient], saved) => {
      const savedLengths = saved[15] as Tensor1D | undefined;
      const [inputs, cell] = saved as [Tensor, Tensor2D];
      const hiddenGradients = hiddenGradient ?? tf.zeros([...inputs.shape.slice(0, 2), cell.shape[1]]);
      const cellGradients = atLastStep((cellGradient ?? tf.zerosLike(cell)) as Tensor2D, time, savedLengths);
      const gradients = runNative(
        'BlockLSTMGrad',
        [int64Scalar(time), ...saved.slice(0, 15), cellGradients, hiddenGradients],
        { attributes: [{ name: 'use_peephole', bool: peepholes !== undefined }], outputs: 8 },
      );
      return named(gradients);
    },
  });
  return [hidden as Tensor3D, finalCell as Tensor2D];
};

/**
 * TensorFlow's own fused operations `BlockLSTM` and `BlockLSTMGrad`: one call for all steps. They have no lengths: they
 * read past them, which changes nothing within them, as the operation is causal.
 */
export const blockLstm: Kernel<LstmSequence> = {
  run: (sequence) =>
    inReadingOrder(sequence, (timeMajor) => {
      const [hidden, finalCell] = runRecorded(sequence, timeMajor);
      return [hidden, [lastStep(hidden, sequence.lengths), finalCell]];
    }),
  states: (sequence) => {
    const steps = runForward(operandsOf(sequence, swapBatchAndTime(sequence.inputs)), sequence);
    return [swapBatchAndTime(steps[6] as Tensor3D), swapBatchAndTime(steps[1] as Tensor3D)];
  },
};
