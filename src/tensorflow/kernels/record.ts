import * as tf from '@tensorflow/tfjs-core';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { hold, isRecording, offTheTape, putOnTape } from '../internals.ts';

/** Gradients by the names of inputs. */
export type LazyTensorMap = Readonly<Record<string, Tensor | (() => Tensor)>>;

/** An operation with its own gradient. */
export interface RecordedOperation {
  /**
   * Computes the outputs. `save` keeps tensors for the gradient and may be called once. Save everything that `backward`
   * uses, inputs too: the tape frees everything else when the forward pass ends.
   */
  readonly forward: (save: (tensors: Tensor[]) => void) => Tensor[];
  /**
   * Returns the gradients of the inputs by name, from the gradients of the outputs (undefined for an unused output) and
   * the saved tensors. A gradient given as a function is computed only if it is needed; the tensors that it uses must be
   * in the map, too, under a name that is not an input's.
   */
  readonly backward: (gradients: readonly (Tensor | undefined)[], saved: readonly Tensor[]) => LazyTensorMap;
}

/**
 * Puts an operation with its own gradient on the tape. An input that is left out of `inputs` is a constant. Unlike
 * `tf.customGrad`, it allows several outputs, clones no saved tensor on the tape, and makes no zeros for the gradient of
 * an unused output.
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
      // tidy() frees what is not in the map. Functions pass through it, although its type does not allow them.
      const found = tf.tidy(() => operation.backward(known, saved) as NamedTensorMap) as LazyTensorMap;
      return Object.fromEntries(
        Object.entries(found).map(([name, one]) => [name, typeof one === 'function' ? one : () => one]),
      );
    };
    putOnTape({ inputs, outputs, saved, gradient });
  }
  return outputs;
};

/** Computes tensors off the tape: no gradient flows back through them. */
export const withoutGradient = <T extends readonly Tensor[]>(compute: () => T): T =>
  recordOperation({}, { forward: () => [...compute()], backward: () => ({}) }) as readonly Tensor[] as T;
