import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { runNative } from '../native.ts';
import type { LstmKernel } from './lstm.ts';
import { recordOperation } from './record.ts';

/** Whether a gradient tape is running, so that what the gradient needs has to be kept. */
const isRecording = (): boolean => (tf.engine() as unknown as { isTapeOn: () => boolean }).isTapeOn();

/** For an input that is not there. */
const none = (dtype: 'float32' | 'int32'): Tensor => tf.tensor([], [0], dtype);

/**
 * Unroll's own operations `UnrollLstmForward`, `UnrollLstmBackward` and `UnrollLstmInputGradient` from `native/`: all
 * steps in one call, the gates applied while they are in the cache, lengths and direction inside. Every sum is taken
 * in one fixed order, so results have the same bits for any number of threads, any processor and any other rows in the
 * batch. `fusedKernels()` must have said that they are available.
 */
export const fusedLstm: LstmKernel = {
  name: 'fused-lstm',
  features: [],
  run: ({ inputs, kernel, bias, initial, lengths, forgetBias, reverse, returns }) => {
    const recording = isRecording();
    const sequence = returns === 'all';
    const direction = { name: 'reverse', bool: reverse };
    const results = recordOperation(
      { inputs, kernel, bias, ...(initial && { hidden: initial.hidden, cell: initial.cell }) },
      {
        forward: (save) => {
          const rows = lengths ?? none('int32');
          const [outputs, finalHidden, finalCell, saved] = runNative(
            'UnrollLstmForward',
            [
              inputs,
              kernel,
              bias,
              initial?.hidden ?? none('float32'),
              initial?.cell ?? none('float32'),
              rows,
            ],
            {
              attributes: [
                direction,
                { name: 'forget_bias', float: forgetBias },
                { name: 'sequence', bool: sequence },
                { name: 'gradient', bool: recording },
              ],
              outputs: 4,
            },
          ) as [Tensor, Tensor, Tensor, Tensor];
          save([kernel, rows, saved]);
          return sequence ? [outputs, finalHidden, finalCell] : [finalHidden, finalCell];
        },
        backward: (gradients, saved) => {
          const [savedKernel, rows] = saved as [Tensor, Tensor];
          const [kernelGradient, biasGradient, hidden, cell, gatesGradient] = runNative(
            'UnrollLstmBackward',
            [...saved, ...(sequence ? [] : [none('float32')]), ...gradients],
            { attributes: [direction, { name: 'initial', bool: initial !== undefined }], outputs: 5 },
          ) as [Tensor, Tensor, Tensor, Tensor, Tensor];
          return {
            // The first layer's inputs are data, whose gradient nobody asks for.
            inputs: () =>
              runNative('UnrollLstmInputGradient', [savedKernel, rows, gatesGradient], {
                attributes: [direction],
                outputs: 1,
              })[0] as Tensor,
            kernel: kernelGradient,
            bias: biasGradient,
            hidden,
            cell,
            gatesGradient,
          };
        },
      },
    );
    const [finalHidden, finalCell] = results.slice(-2) as [Tensor2D, Tensor2D];
    return { outputs: sequence ? (results[0] as Tensor3D) : undefined, finalHidden, finalCell };
  },
};
