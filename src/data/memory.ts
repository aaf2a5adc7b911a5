import { createHash } from 'node:crypto';
import { allocateBatch, type Batch, type SequenceShape, type Split } from './dataset.ts';

/**
 * A split whose examples lie in memory in the layout of a batch: `examples` holds all of them, `examples.size` says
 * how many.
 */
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

/** A split of `size` generated examples; `write` fills in example `index`. Everything is zero before. */
export const generatedSplit = (
  shape: SequenceShape,
  size: number,
  write: (examples: Batch, index: number) => void,
): Split => {
  const examples = allocateBatch(shape, size);
  for (let index = 0; index < size; index++) write(examples, index);
  examples.size = size;
  return memorySplit(examples);
};

/** The digest of generated data: hex SHA-256 of the generator's name, its version and all its parameters. */
export const generatorDigest = (name: string, version: number, parameters: object): string =>
  createHash('sha256')
    .update(JSON.stringify([name, version, Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1))]))
    .digest('hex');
