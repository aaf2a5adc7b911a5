import { allocateBatch, type Batch, type SequenceShape, type Split } from './dataset.ts';
import { isPerStep, targetSize } from './task.ts';

const readAtOnce = 256;

/** The steps of each example of a split, which is read for it once. */
export const lengthsOf = (shape: SequenceShape, split: Pick<Split, 'size' | 'read'>): Int32Array => {
  const lengths = new Int32Array(split.size);
  const batch = allocateBatch(shape, Math.min(readAtOnce, split.size));
  for (let from = 0; from < split.size; from += readAtOnce) {
    const size = Math.min(readAtOnce, split.size - from);
    split.read(
      Int32Array.from({ length: size }, (_, at) => from + at),
      batch,
    );
    lengths.set(batch.lengths.subarray(0, size), from);
  }
  return lengths;
};

/** Cuts the rows of a batch to its longest sequence, so that no step is computed that all of them lack. */
export const cutToLongest = (batch: Batch, { steps, input, task }: SequenceShape): void => {
  const { size, lengths, inputs, targets } = batch;
  let longest = 1;
  for (let row = 0; row < size; row++) longest = Math.max(longest, lengths[row] as number);
  const cut = (values: Batch['inputs'], width: number) => {
    for (let row = 1; row < size; row++) {
      const from = row * steps * width;
      values.copyWithin(row * longest * width, from, from + longest * width);
    }
  };
  cut(inputs, input.kind === 'values' ? input.features : 1);
  if (isPerStep(task)) cut(targets, targetSize(task));
  batch.steps = longest;
};
