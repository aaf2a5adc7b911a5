import { clone, mul, type Scalar, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { runNative } from '../native.ts';
import { recordOperation } from './record.ts';

/**
 * Mean softmax cross-entropy (natural logarithm, so in nats) of logits `[rows, classes]` with int32 labels `[rows]`, in
 * one call of Unroll's own operation, which returns the gradient, too. Call it only where `fusedKernels()` is available.
 * Throws for a label outside of the classes.
 */
export const fusedCrossEntropy = (logits: Tensor2D, labels: Tensor1D): Scalar => {
  // Labels are not an input of the operation: every input needs a gradient, and integers have none.
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
        // 1 where the loss is the end of the tape, as in training. The number is still in JavaScript, so reading it is cheap.
        const [factor] = upstream.dataSync();
        return { logits: factor === 1 ? clone(slope) : mul(slope, upstream) };
      },
    },
  );
  return loss as Scalar;
};
