import type { Static, TObject } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import {
  allocateBatch,
  type Batch,
  type DatasetRow,
  type SequenceShape,
  type Split,
} from '../../../src/data/dataset.ts';

/** Parameters with the defaults filled in, as a validated spec has them. */
export const complete = <P extends TObject>(row: DatasetRow<P>, parameters: Partial<Static<P>>): Static<P> =>
  Value.Default(row.parameters, structuredClone(parameters)) as Static<P>;

/** All examples of a split in order, read into a batch that held something else before. */
export const readAll = (shape: SequenceShape, split: Split): Batch => {
  const batch = allocateBatch(shape, split.size);
  batch.inputs.fill(77);
  batch.targets.fill(77);
  split.read(
    Int32Array.from({ length: split.size }, (_, index) => index),
    batch,
  );
  return batch;
};

export interface Example {
  readonly inputs: readonly number[];
  readonly length: number;
  readonly targets: readonly number[];
}

/** The examples of a split as plain lists. */
export const examplesOf = (shape: SequenceShape, split: Split): Example[] => {
  const { inputs, lengths, targets } = readAll(shape, split);
  const part = (values: Batch['inputs'], index: number) => {
    const width = values.length / split.size;
    return [...values.subarray(index * width, (index + 1) * width)];
  };
  return Array.from(lengths, (length, index) => ({
    inputs: part(inputs, index),
    length,
    targets: part(targets, index),
  }));
};
