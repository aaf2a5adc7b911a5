import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { recordOperation } from '../../tensorflow/kernels/record.ts';

/** Tokens int32 `[batch, time]` as `[batch, time, vocabulary]`, all zero but for a one at the token. */
export const oneHotTokens = (tokens: Tensor2D, vocabulary: number): Tensor3D =>
  // Asked for floats at once, the WebAssembly back end gives wrong numbers.
  tf.cast(tf.oneHot(tokens, vocabulary) as Tensor3D, 'float32');

/**
 * Tokens int32 `[batch, time]` as the rows of a table `[vocabulary, size]`: `[batch, time, size]`. Not `tf.gather`,
 * whose gradient the WebAssembly back end lacks.
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
