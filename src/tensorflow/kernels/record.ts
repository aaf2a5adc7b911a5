import * as tf from '@tensorflow/tfjs-core';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';

/** Gradients by the names of inputs. */
export type LazyTensorMap = Readonly<Record<string, Tensor | (() => Tensor)>>;

/** An operation with a gradient of its own. */
export interface RecordedOperation {
  /**
   * Computes the outputs; `save` keeps tensors for the gradient and may be called once. Whatever `backward` uses has
   * to be saved, inputs too: the tape frees everything else when the forward pass ends.
   */
  readonly forward: (save: (tensors: Tensor[]) => void) => Tensor[];
  /**
   * Gradients of the inputs, by name, from the gradients of the outputs (zeros for an output that was not used) and
   * the saved tensors. Runs once a step, so everything may be computed at once; a gradient given as a function is
   * computed only if it is asked for, and what that needs has to stand in the map too, under a name of no input.
   */
  readonly backward: (gradients: readonly Tensor[], saved: readonly Tensor[]) => LazyTensorMap;
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
      // tidy() frees what is not in the map; functions in it pass through, though its type does not say so.
      const found = tf.tidy(() => operation.backward(given, saved) as NamedTensorMap) as LazyTensorMap;
      return Object.fromEntries(
        Object.entries(found).map(([name, gradient]) => [
          name,
          typeof gradient === 'function' ? gradient : () => gradient,
        ]),
      );
    },
  });

/** Computes constants off the tape: no gradient goes back through them. */
export const withoutGradient = (compute: () => readonly Tensor[]): readonly Tensor[] =>
  recordOperation({}, { forward: () => [...compute()], backward: () => ({}) });
