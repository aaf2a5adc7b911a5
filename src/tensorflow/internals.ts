import util from 'node:util';
import * as core from '@tensorflow/tfjs-core';
// Declares the methods of tensors (`x.add(y)`), which `registerGradients` and `registerNativeBackend` register.
import type {} from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { TFJSBinding } from '@tensorflow/tfjs-node/dist/tfjs_binding.js';

/**
 * Everything that reaches behind the documented interface of TensorFlow.js. Its packages promise none of it, so it is
 * kept in this file. `known-versions.ts` names the versions it was written for, and warns of any other.
 */

/**
 * Registers tfjs-node's back end and kernels without the rest of that package (models, images, TensorBoard and the
 * search for its addon, which the caller loads), which saves a fifth of the time to load. Returns TensorFlow's version.
 */
export const registerNativeBackend = async (addon: unknown): Promise<string> => {
  // tfjs-node 4.22 calls this function, which Node 22 warns of and Node 23 removed.
  (util as { isNullOrUndefined?: (value: unknown) => boolean }).isNullOrUndefined = (value) =>
    value === null || value === undefined;
  const binding = addon as TFJSBinding;
  await import('@tensorflow/tfjs-node/dist/register_all_kernels.js');
  const { NodeJSKernelBackend } = await import('@tensorflow/tfjs-node/dist/nodejs_kernel_backend.js');
  core.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node'), 3);
  return binding.TF_Version;
};

/** Registers the gradients and the methods of tensors, which tfjs-core leaves to the union package. */
export const registerGradients = async (): Promise<void> => {
  await import('@tensorflow/tfjs');
};

interface TensorRecord {
  dtype: number;
  values: unknown;
}

/** The part of tfjs-node's back end that runs operations which tfjs has no function for. */
interface NativeBackend {
  readonly binding: Readonly<
    Record<
      | 'TF_ATTR_BOOL'
      | 'TF_ATTR_INT'
      | 'TF_ATTR_FLOAT'
      | 'TF_ATTR_TYPE'
      | 'TF_FLOAT'
      | 'TF_INT32'
      | 'TF_INT64',
      number
    >
  >;
  readonly tensorMap: { readonly get: (dataId: object) => TensorRecord };
  readonly executeMultipleOutputs: (
    name: string,
    attributes: readonly { readonly name: string; readonly type: number; readonly value: unknown }[],
    inputs: readonly Tensor[],
    outputCount: number,
  ) => Tensor[];
}

/** Returns the loaded native back end. Its type in tfjs lacks the parts that are used here. */
export const nativeBackend = (): NativeBackend => core.backend() as unknown as NativeBackend;

/** Makes an int32 scalar on the native back end a 64-bit one, a type that tfjs does not have. */
export const becomeInt64 = (scalar: Tensor, value: number): void => {
  const { binding, tensorMap } = nativeBackend();
  const record = tensorMap.get(scalar.dataId);
  record.dtype = binding.TF_INT64;
  // Two 32-bit halves, low one first: the form in which the binding takes 64-bit integers.
  record.values = Int32Array.of(value, 0);
};

/** Whether a gradient tape is running, so that operations must keep what their gradient needs. */
export const isRecording = (): boolean => core.engine().isTapeOn();

/** Runs `compute` as a kernel of tfjs runs: nothing inside is recorded for a gradient. */
export const offTheTape = <Result>(compute: () => Result): Result => {
  const { state } = core.engine();
  state.kernelDepth++;
  try {
    return compute();
  } finally {
    state.kernelDepth--;
  }
};

/** Returns a tensor with the same values that lives until it is disposed of, even after the first one is. */
export const hold = (tensor: Tensor): Tensor => {
  const engine = core.engine();
  engine.backend.incRef(tensor.dataId);
  return core.keep(engine.makeTensorFromTensorInfo(tensor));
};

/** An operation on the tape; the engine disposes of `saved` once all gradients are computed. */
interface TapeNode {
  readonly inputs: NamedTensorMap;
  readonly outputs: Tensor[];
  readonly saved: Tensor[];
  readonly gradient: (gradients: readonly (Tensor | null)[]) => Readonly<Record<string, () => Tensor>>;
}

export const putOnTape = (node: TapeNode): void => {
  const { state } = core.engine();
  state.activeTape.push({
    id: state.nextTapeNodeId++,
    kernelName: 'recorded',
    ...node,
  });
};
