import { clone, mul, type Scalar, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { runNative } from '../native.ts';
import { recordOperation } from './record.ts';

/**
 * Mean softmax cross-entropy (natural logarithm) of logits `[rows, classes]` with int32 labels `[rows]`, in one call of
 * Unroll's own operation, which gives the gradient with it. `fusedKernels()` must have said that it is available.
 * Throws for a label outside of the classes.
 */
export const fusedCrossEntropy = (logits: Tensor2D, labels: Tensor1D): Scalar => {
  // The labels are no input: they would be asked for a gradient, which whole numbers have not.
  const [loss] = recordOperation(
    { logits },
    {
      forward: (save) => {
        const [mean, slope] = runNative('UnrollCrossEntropy', [logits, labels], {
          attributes: [],
          outputs: 2,
        }) as [Tensor, Tensor];
        save([slope]);
        return [mean];
      },
      backward: ([gradient], saved) => {
        const [upstream, slope] = [gradient, ...saved] as [Scalar, Tensor];
        // 1 where the loss is the end of the tape, as in training; that number is still on the side of JavaScript.
        const [factor] = upstream.dataSync();
        return { logits: factor === 1 ? clone(slope) : mul(slope, upstream) };
      },
    },
  );
  return loss as Scalar;
};
