import type { Batch, Split } from './dataset.ts';

/** A split whose examples lie in memory in the layout of a batch; `examples.size` is their number. */
export const memorySplit = (examples: Batch): Split => {
  const { size, inputs, lengths, targets } = examples;
  const inputWidth = inputs.length / lengths.length;
  const targetWidth = targets.length / lengths.length;
  return {
    size,
    read: (indices, batch) => {
      for (let row = 0; row < indices.length; row++) {
        const index = indices[row] as number;
        batch.inputs.set(inputs.subarray(index * inputWidth, (index + 1) * inputWidth), row * inputWidth);
        batch.targets.set(
          targets.subarray(index * targetWidth, (index + 1) * targetWidth),
          row * targetWidth,
        );
        batch.lengths[row] = lengths[index] as number;
      }
      batch.size = indices.length;
    },
  };
};
