import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { int64Scalar, runNative } from '../native.ts';
import type { LstmKernel, LstmSequence } from './lstm.ts';
import { recordOperation } from './record.ts';
import { atLastStep, lastStep, reverseWithinLength, swapBatchAndTime, zeroPastLength } from './time.ts';

/** Runs over the time-major `inputs`, whatever the lengths: the hidden state of each step, and the final cell state. */
const runBlock = (
  { kernel, bias, initial, lengths, forgetBias }: LstmSequence,
  inputs: Tensor3D,
): { hidden: Tensor3D; finalCell: Tensor2D } => {
  const [time, batch] = inputs.shape;
  const size = bias.shape[0] / 4;
  const noPeepholes = { name: 'use_peephole', bool: false };
  const h = initial?.hidden ?? tf.zeros<Rank.R2>([batch, size]);
  const c = initial?.cell ?? tf.zeros<Rank.R2>([batch, size]);
  const unused = tf.zeros([size]);
  const operands = [inputs, c, h, kernel, unused, unused, unused, bias];
  const [hidden, finalCell] = recordOperation(
    { inputs, kernel, bias, h, c },
    {
      forward: (save) => {
        const gates = runNative('BlockLSTM', [int64Scalar(time), ...operands], {
          attributes: [
            { name: 'forget_bias', float: forgetBias },
            { name: 'cell_clip', float: -1 },
            noPeepholes,
          ],
          outputs: 7,
        });
        save([...operands, ...gates, ...(lengths ? [lengths] : [])]);
        return [gates[6] as Tensor, lastStep(gates[1] as Tensor3D, lengths)];
      },
      backward: ([hiddenGradient, cellGradient], saved) => {
        const cellGradients = atLastStep(cellGradient as Tensor2D, time, saved[15] as Tensor1D | undefined);
        const [dInputs, dCell, dHidden, dKernel, , , , dBias] = runNative(
          'BlockLSTMGrad',
          [int64Scalar(time), ...saved.slice(0, 15), cellGradients, hiddenGradient as Tensor],
          { attributes: [noPeepholes], outputs: 8 },
        ) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
        return { inputs: dInputs, kernel: dKernel, bias: dBias, h: dHidden, c: dCell };
      },
    },
  );
  return { hidden: hidden as Tensor3D, finalCell: finalCell as Tensor2D };
};

/**
 * TensorFlow's own fused operations `BlockLSTM` and `BlockLSTMGrad`: one call for all steps. They know no lengths:
 * they run on past them, and as the operation is causal it is enough not to look there.
 */
export const blockLstm: LstmKernel = {
  name: 'block-lstm',
  run: (sequence) => {
    const { inputs, lengths, reverse, returns } = sequence;
    const timeMajor = swapBatchAndTime(inputs);
    const { hidden, finalCell } = runBlock(
      sequence,
      reverse ? reverseWithinLength(timeMajor, lengths) : timeMajor,
    );
    const finalHidden = lastStep(hidden, lengths);
    if (returns === 'final') return { outputs: undefined, finalHidden, finalCell };
    const inOrder = reverse ? reverseWithinLength(hidden, lengths) : hidden;
    return { outputs: swapBatchAndTime(zeroPastLength(inOrder, lengths)), finalHidden, finalCell };
  },
};
