import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { becomeInt64, nativeBackend } from './internals.ts';

/** An attribute of a TensorFlow operation; the types are those of the C interface. */
export type NativeAttribute =
  | { readonly name: string; readonly bool: boolean }
  | { readonly name: string; readonly int: number }
  | { readonly name: string; readonly float: number }
  | { readonly name: string; readonly type: 'float32' | 'int32' };

/** Whether this process computes with native TensorFlow. */
export const isNative = (): boolean => tf.getBackend() === 'tensorflow';

/**
 * Runs one float32 operation of native TensorFlow by its name. Nothing is recorded for a gradient: wrap it in
 * `recordOperation`. Throws what TensorFlow reports, such as a wrong shape.
 */
export const runNative = (
  name: string,
  inputs: readonly Tensor[],
  { attributes, outputs }: { readonly attributes: readonly NativeAttribute[]; readonly outputs: number },
): Tensor[] => {
  const backend = nativeBackend();
  const { binding } = backend;
  const describe = (attribute: NativeAttribute) => {
    const { name } = attribute;
    if ('bool' in attribute) return { name, type: binding.TF_ATTR_BOOL, value: attribute.bool };
    if ('int' in attribute) return { name, type: binding.TF_ATTR_INT, value: attribute.int };
    if ('float' in attribute) return { name, type: binding.TF_ATTR_FLOAT, value: attribute.float };
    const type = attribute.type === 'float32' ? binding.TF_FLOAT : binding.TF_INT32;
    return { name, type: binding.TF_ATTR_TYPE, value: type };
  };
  const described = attributes.map(describe);
  return backend.executeMultipleOutputs(
    name,
    [{ name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }, ...described],
    inputs,
    outputs,
  );
};

const int64Scalars = new Map<number, Tensor>();

/**
 * A 64-bit integer on the native back end, kept for the life of the process. tfjs has no such type; tfjs-node's own
 * `Int64Scalar` allocates at each use and never frees, which leaks in a training loop.
 */
export const int64Scalar = (value: number): Tensor => {
  const known = int64Scalars.get(value);
  if (known) return known;
  const made = tf.keep(tf.scalar(value, 'int32'));
  becomeInt64(made, value);
  int64Scalars.set(value, made);
  return made;
};
