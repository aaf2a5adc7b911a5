import { expect, it } from 'vitest';
import { allocateBatch, type SequenceShape } from '../../src/data/dataset.ts';
import { cutToLongest } from '../../src/data/lengths.ts';

it('a batch is cut to its longest sequence, with the targets of its steps', () => {
  const shape: SequenceShape = {
    steps: 4,
    input: { kind: 'values', features: 2 },
    variableLength: true,
    task: { kind: 'labelling', classes: 3 },
  };
  const batch = allocateBatch(shape, 3);
  // Rows of lengths 1 and 2; a third from an earlier step, which is not part of the batch.
  batch.inputs.set([1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 5, 6, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9]);
  batch.targets.set([1, 0, 0, 0, 2, 1, 0, 0, 2, 2, 2, 2]);
  batch.lengths.set([1, 2, 4]);
  batch.size = 2;
  cutToLongest(batch, shape);
  expect(batch.steps).toBe(2);
  expect([...batch.inputs.subarray(0, 8)]).toEqual([1, 2, 0, 0, 3, 4, 5, 6]);
  expect([...batch.targets.subarray(0, 4)]).toEqual([1, 0, 2, 1]);
});
