import { expect, test } from 'vitest';
import { allocateBatch, type SequenceShape, type Split } from '../../src/data/dataset.ts';
import { collectExamples } from '../../src/training/examples.ts';

const shapeOf = (task: SequenceShape['task']): SequenceShape => ({
  steps: 2,
  input: { kind: 'values', features: 2 },
  variableLength: false,
  task,
});
const shape = shapeOf({ kind: 'classification', classes: 2 });

const split = (size: number): Split => ({
  size,
  read: () => undefined,
  image: (index) => ({
    width: 2,
    height: 1,
    pixels: Float32Array.from([index / 1000, 1]),
  }),
});

/** A batch of the class 0; every second example is taken for 1. */
const see = (
  examples: ReturnType<typeof collectExamples>,
  { from, size }: { readonly from: number; readonly size: number },
) => {
  const batch = allocateBatch(shape, size);
  batch.size = size;
  examples.add(
    from,
    batch,
    Float32Array.from({ length: 2 * size }, (_, at) => (at % 4 === 3 ? Math.log(3) : at % 4 === 0 ? 1 : 0)),
  );
};

test('the first hundred examples are told, and the first sixteen wrong ones are seen, over any batches', () => {
  const whole = collectExamples(shape, split(250));
  see(whole, { from: 0, size: 250 });
  const inParts = collectExamples(shape, split(250));
  for (let from = 0; from < 250; from += 50) see(inParts, { from, size: 50 });

  expect(whole.predictions()).toHaveLength(100);
  expect(whole.predictions()[1]).toEqual({ index: 1, truth: 0, prediction: 1, probability: 0.75 });
  expect(whole.images().map(({ index }) => index)).toEqual(Array.from({ length: 16 }, (_, at) => 2 * at + 1));
  expect(whole.images()[0]).toMatchObject({
    width: 2,
    height: 1,
    truth: 0,
    prediction: 1,
    pixels: Buffer.from([0, 255]).toString('base64'),
  });
  expect(inParts.predictions()).toEqual(whole.predictions());
  expect(inParts.images()).toEqual(whole.images());
});

test('an output that is no number predicts nothing; a task by steps and a split without images show nothing', () => {
  const batch = allocateBatch(shape, 1);
  batch.size = 1;
  const broken = collectExamples(shape, split(1));
  broken.add(0, batch, Float32Array.from([Number.NaN, 1]));
  expect([broken.predictions(), broken.images()]).toEqual([[], []]);

  const labelling = collectExamples(shapeOf({ kind: 'labelling', classes: 2 }), split(1));
  labelling.add(0, batch, Float32Array.from([0, 1, 0, 1]));
  expect(labelling.predictions()).toEqual([]);

  const blind = collectExamples(shape, { size: 1, read: () => undefined });
  blind.add(0, batch, Float32Array.from([0, 1]));
  expect([blind.predictions().length, blind.images()]).toEqual([1, []]);
});
