import * as tf from '@tensorflow/tfjs-core';

/** An attribute of a TensorFlow operation; `type` is a tensor's element type. */
export type OperationAttribute =
  | { readonly name: string; readonly kind: 'type'; readonly value: 'float32' | 'int32' }
  | { readonly name: string; readonly kind: 'int' | 'float'; readonly value: number }
  | { readonly name: string; readonly kind: 'bool'; readonly value: boolean };

/** What tfjs-node's back end offers beyond tfjs: calling any registered operation by its name. */
interface NativeBackend {
  readonly binding: Readonly<
    Record<
      'TF_FLOAT' | 'TF_INT32' | 'TF_ATTR_TYPE' | 'TF_ATTR_INT' | 'TF_ATTR_FLOAT' | 'TF_ATTR_BOOL',
      number
    >
  >;
  readonly executeMultipleOutputs: (
    name: string,
    attributes: readonly object[],
    inputs: readonly tf.Tensor[],
    outputCount: number,
  ) => tf.Tensor[];
}

const nativeBackend = (): NativeBackend | undefined => {
  const backend = tf.backend() as Partial<NativeBackend>;
  return backend.executeMultipleOutputs ? (backend as NativeBackend) : undefined;
};

/** Whether this process computes on native TensorFlow, so that `callOperation` can be used. */
export const hasOperations = (): boolean => nativeBackend() !== undefined;

/** Runs one TensorFlow operation by its name. Throws what TensorFlow says when shapes or types do not fit. */
export const callOperation = (
  name: string,
  call: {
    readonly inputs: readonly tf.Tensor[];
    readonly attributes: readonly OperationAttribute[];
    readonly outputs: number;
  },
): tf.Tensor[] => {
  const backend = nativeBackend();
  if (!backend) throw new Error(`${name} needs the native TensorFlow back end`);
  const { binding } = backend;
  const encode = ({ name: key, kind, value }: OperationAttribute): object => {
    switch (kind) {
      case 'type':
        return {
          name: key,
          type: binding.TF_ATTR_TYPE,
          value: value === 'float32' ? binding.TF_FLOAT : binding.TF_INT32,
        };
      case 'int':
        return { name: key, type: binding.TF_ATTR_INT, value };
      case 'float':
        return { name: key, type: binding.TF_ATTR_FLOAT, value };
      case 'bool':
        return { name: key, type: binding.TF_ATTR_BOOL, value };
    }
  };
  return backend.executeMultipleOutputs(name, call.attributes.map(encode), call.inputs, call.outputs);
};
