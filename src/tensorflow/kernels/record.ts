import * as tf from '@tensorflow/tfjs-core';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';

/** An operation with a gradient of its own. */
export interface RecordedOperation {
  /**
   * Computes the outputs; `save` keeps tensors for the gradient and may be called once. Whatever `backward` uses has
   * to be saved, inputs too: the tape frees everything else when the forward pass ends.
   */
  readonly forward: (save: (tensors: Tensor[]) => void) => Tensor[];
  /**
   * Gradients of the inputs, by name, from the gradients of the outputs (zeros for an output that was not used) and
   * the saved tensors. Runs once a step, so everything may be computed at once.
   */
  readonly backward: (gradients: readonly Tensor[], saved: readonly Tensor[]) => NamedTensorMap;
}

interface Engine {
  readonly runKernelFunc: (call: {
    readonly inputs: NamedTensorMap;
    readonly forwardFunc: (backend: unknown, save: (tensors: Tensor[]) => void) => Tensor[];
    readonly backwardsFunc: (gradients: Tensor | Tensor[], saved: Tensor[]) => Record<string, () => Tensor>;
  }) => Tensor[];
}

/**
 * Puts an operation with its own gradient on the tape. It is what `tf.customGrad` does, for several outputs;
 * an input that is left out of `inputs` is a constant.
 */
export const recordOperation = (inputs: NamedTensorMap, operation: RecordedOperation): Tensor[] =>
  (tf.engine() as unknown as Engine).runKernelFunc({
    inputs,
    forwardFunc: (_, save) => operation.forward(save),
    backwardsFunc: (gradients, saved) => {
      const given = Array.isArray(gradients) ? gradients : [gradients];
      const found = tf.tidy(() => operation.backward(given, saved));
      return Object.fromEntries(Object.entries(found).map(([name, gradient]) => [name, () => gradient]));
    },
  });
