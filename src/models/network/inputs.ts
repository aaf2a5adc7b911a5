import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { CategoryFeature } from '../../data/dataset.ts';
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

/**
 * Replaces features that are categories by their vectors: `[batch, time, features]` to the other features in their order,
 * then the vectors of each column. `tables` has those of each, `[categories, size]`.
 */
export const embedCategories = (
  inputs: Tensor3D,
  embedded: readonly CategoryFeature[],
  tables: readonly Tensor2D[],
): Tensor3D => {
  const [batch, time, features] = inputs.shape;
  const columns = (from: number, to: number): Tensor3D =>
    tf.slice(inputs, [0, 0, from], [batch, time, to - from]);
  const ends = [...embedded.map(({ feature }) => feature), features];
  const numbers = ends.flatMap((end, at) => {
    const from = at === 0 ? 0 : (ends[at - 1] as number) + 1;
    return end > from ? [columns(from, end)] : [];
  });
  const vectors = embedded.map(({ feature }, at) => {
    const indices: Tensor2D = tf.reshape(tf.cast(columns(feature, feature + 1), 'int32'), [batch, time]);
    return embedTokens(indices, tables[at] as Tensor2D);
  });
  return tf.concat([...numbers, ...vectors], 2);
};
