import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { recordOperation } from '../../tensorflow/kernels/record.ts';

/** One-hot encodes tokens: int32 `[batch, time]` to `[batch, time, vocabulary]`. */
export const oneHotTokens = (tokens: Tensor2D, vocabulary: number): Tensor3D =>
  // The WebAssembly back end returns wrong numbers if `oneHot` makes floats itself.
  tf.cast(tf.oneHot(tokens, vocabulary) as Tensor3D, 'float32');

/**
 * Replaces tokens, int32 `[batch, time]`, by rows of a table, `[vocabulary, size]`: `[batch, time, size]`. It has its own
 * gradient because the WebAssembly back end lacks the one of `tf.gather`.
 */
export const embedTokens = (tokens: Tensor2D, table: Tensor2D): Tensor3D => {
  const [embedded] = recordOperation(
    { table },
    {
      forward: (save) => {
        const rows: Tensor1D = tf.reshape(tokens, [-1]);
        save([rows]);
        const vectors = tf.gather(table, rows);
        return [tf.reshape<Rank.R3>(vectors, [...tokens.shape, table.shape[1]])];
      },
      backward: ([gradient], [rows]) => ({
        table: tf.scatterND(
          tf.expandDims(rows as Tensor, 1),
          tf.reshape(gradient as Tensor, [-1, table.shape[1]]),
          table.shape,
        ),
      }),
    },
  );
  return embedded as Tensor3D;
};
