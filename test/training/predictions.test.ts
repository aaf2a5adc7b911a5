import { parquetReadObjects } from 'hyparquet';
import { expect, it } from 'vitest';
import { allocateBatch, type SequenceShape, type Split } from '../../src/data/dataset.ts';
import { identityOfTrain } from '../../src/plan/run-identity.ts';
import { collectPredictions } from '../../src/training/predictions.ts';

/** The recorded rows of a batch of two sequences. */
const recorded = async (
  task: SequenceShape['task'],
  given: {
    readonly targets: readonly number[];
    readonly outputs: readonly number[];
    readonly lengths?: readonly number[];
    readonly split?: Partial<Split>;
    readonly quantiles?: readonly number[];
    readonly most?: number;
  },
) => {
  const { targets, outputs, lengths = [1, 1], split = {}, quantiles, most = 10 } = given;
  const shape: SequenceShape = {
    ...{ steps: 2, input: { kind: 'values', features: 1 }, variableLength: true },
    task,
  };
  const batch = allocateBatch(shape, 2);
  batch.size = 2;
  batch.targets.set(targets);
  batch.lengths.set(lengths);
  const whole: Split = { size: 12, read: () => undefined, id: (index) => `m${index}`, ...split };
  const loss = {
    rows: () => {
      throw new Error('not called');
    },
    ...(quantiles && { quantiles }),
  };
  const predictions = collectPredictions(shape, whole, { loss, most });
  predictions.add(Int32Array.of(3, 4), batch, Float32Array.from(outputs));
  const rows: Record<string, unknown>[] = await parquetReadObjects({
    file: new Uint8Array(predictions.parquet()).buffer,
  });
  return rows;
};

it('classes have their label, and the probability of each', async () => {
  const task = { kind: 'classification', classes: 2, labels: ['no', 'yes'] } as const;
  const even = Math.log(3);
  const rows = await recorded(task, { targets: [1, 0], outputs: [0, even, even, 0] });
  expect(rows.map(({ sequence, truth, prediction }) => [sequence, truth, prediction])).toEqual([
    ['m3', 'yes', 'yes'],
    ['m4', 'no', 'no'],
  ]);
  expect(rows[0]).toMatchObject({
    probability: expect.closeTo(0.75, 6) as number,
    'probability no': expect.closeTo(0.25, 6) as number,
    'probability yes': expect.closeTo(0.75, 6) as number,
  });
});

it('as many sequences are recorded as the setting says', async () => {
  const task = { kind: 'regression', outputs: 1 } as const;
  expect(await recorded(task, { targets: [1, 2], outputs: [3, 4], most: 4 })).toEqual([
    { sequence: 'm3', truth: 1, prediction: 3 },
  ]);
});

it('numbers are in their own unit, for each step within the lengths', async () => {
  const task = { kind: 'regression', outputs: 2, perStep: true } as const;
  const scaling = () => ({ mean: [10, 0], factor: [0.5, 4] });
  const rows = await recorded(task, {
    ...{ targets: [1, 4, 0, 0, 2, 8, 3, 12], outputs: [0, 4, 9, 9, 1, 8, 3, 16], lengths: [1, 2] },
    split: { scaling },
  });
  expect(rows).toEqual([
    { sequence: 'm3', step: 1, 'truth 1': 12, 'prediction 1': 10, 'truth 2': 1, 'prediction 2': 1 },
    { sequence: 'm4', step: 1, 'truth 1': 14, 'prediction 1': 12, 'truth 2': 2, 'prediction 2': 2 },
    { sequence: 'm4', step: 2, 'truth 1': 16, 'prediction 1': 16, 'truth 2': 3, 'prediction 2': 4 },
  ]);
});

it('several targets are named, or counted where they have no names', async () => {
  const given = { targets: [1, 2, 3, 4], outputs: [5, 6, 7, 8], most: 4 };
  const task = { kind: 'regression', outputs: 2 } as const;
  expect(await recorded({ ...task, targets: ['force', 'wear'] }, given)).toEqual([
    { sequence: 'm3', 'truth force': 1, 'prediction force': 5, 'truth wear': 2, 'prediction wear': 6 },
  ]);
  expect(await recorded(task, given)).toEqual([
    { sequence: 'm3', 'truth 1': 1, 'prediction 1': 5, 'truth 2': 2, 'prediction 2': 6 },
  ]);
});

it('sets of labels have one column each, and forecasts one row a step ahead', async () => {
  const labels = { kind: 'multi-label', classes: 2, labels: ['a', 'b'] } as const;
  const [first] = await recorded(labels, { targets: [1, 0, 0, 0], outputs: [0, -30, 0, 0] });
  expect(first).toEqual({
    ...{ sequence: 'm3', 'truth a': true, 'prediction a': true, 'probability a': 0.5 },
    ...{ 'truth b': false, 'prediction b': false, 'probability b': expect.closeTo(0, 6) as number },
  });
  const forecast = { kind: 'forecast', horizon: 2, targets: ['x'] } as const;
  const rows = await recorded(forecast, {
    ...{ targets: [1, 2, 3, 4], outputs: [0, 1, 1, 2, 2, 3, 3, 4], quantiles: [0.25, 0.75] },
  });
  expect(rows.slice(0, 2)).toEqual([
    { sequence: 'm3', ahead: 1, 'truth x': 1, 'quantile 0.25 x': 0, 'quantile 0.75 x': 1 },
    { sequence: 'm3', ahead: 2, 'truth x': 2, 'quantile 0.25 x': 1, 'quantile 0.75 x': 2 },
  ]);
});

it('is part of no id', () => {
  const train = { batchSize: 8, accuracyFirst128: true, predictions: 100 };
  expect(identityOfTrain(train as unknown as Parameters<typeof identityOfTrain>[0], undefined)).toEqual({
    batchSize: 8,
  });
});
