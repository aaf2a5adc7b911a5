import * as tf from '@tensorflow/tfjs-core';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { hold, isRecording, offTheTape, putOnTape } from '../internals.ts';

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
   * Gradients of the inputs, by name, from the gradients of the outputs (undefined for an output that was not used) and
   * the saved tensors. Runs once a step, so everything may be computed at once; a gradient given as a function is
   * computed only if it is asked for, and what that needs has to be in the map too, under a name of no input.
   */
  readonly backward: (gradients: readonly (Tensor | undefined)[], saved: readonly Tensor[]) => LazyTensorMap;
}

/**
 * Puts an operation with its own gradient on the tape; an input that is left out of `inputs` is a constant. It is what
 * `tf.customGrad` does, for several outputs, without a clone on the tape for each saved tensor, and without zeros made for
 * the gradient of an output that was not used.
 */
export const recordOperation = (inputs: NamedTensorMap, operation: RecordedOperation): Tensor[] => {
  const recording = isRecording();
  let saved: Tensor[] = [];
  const save = (tensors: Tensor[]) => {
    if (recording) saved = tensors.map(hold);
  };
  const outputs = offTheTape(() => tf.tidy(() => operation.forward(save)));
  if (recording) {
    const gradient = (given: readonly (Tensor | null)[]) => {
      const known = given.map((one) => one ?? undefined);
      // tidy() frees what is not in the map; functions in it pass through, which its type does not allow.
      const found = tf.tidy(() => operation.backward(known, saved) as NamedTensorMap) as LazyTensorMap;
      return Object.fromEntries(
        Object.entries(found).map(([name, one]) => [name, typeof one === 'function' ? one : () => one]),
      );
    };
    putOnTape({ inputs, outputs, saved, gradient });
  }
  return outputs;
};

/** Computes constants off the tape: no gradient goes back through them. */
export const withoutGradient = <T extends readonly Tensor[]>(compute: () => T): T =>
  recordOperation({}, { forward: () => [...compute()], backward: () => ({}) }) as readonly Tensor[] as T;
