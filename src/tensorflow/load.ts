import util from 'node:util';

/** The back end that tensors live on in this process. */
export interface Backend {
  readonly name: 'tensorflow' | 'wasm' | 'cpu';
  /** Version of the library behind it, such as `2.21.0`. */
  readonly version: string;
}

/** Loads TensorFlow into this process, once. Takes about half a second; never call it in the command line's process. */
export const loadTensorFlow = async (): Promise<Backend> => {
  // tfjs-node 4.22 calls this function, which Node 23 removed.
  (util as { isNullOrUndefined?: (value: unknown) => boolean }).isNullOrUndefined ??= (value) =>
    value === null || value === undefined;
  const tf = await import('@tensorflow/tfjs-node');
  await tf.ready();
  const binding = (tf.backend() as unknown as { binding: { TF_Version: string } }).binding;
  return { name: 'tensorflow', version: binding.TF_Version };
};
