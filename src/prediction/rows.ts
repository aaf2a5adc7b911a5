import { DataError } from '../data/dataset.ts';
import type { ExampleBatch } from '../data/example-batch.ts';
import { middleOf } from '../data/quantiles.ts';
import { isPerStep, type Task } from '../data/task.ts';
import { rowWriter, type Cell } from '../training/predicted-row.ts';

/** A row of predictions: its cells by column, in their order. */
export type PredictedCells = ReadonlyMap<string, Cell>;

/** The facts that the rows of a forecast need. */
export interface Ahead {
  /** Steps after the end of the file that come before those of the batch. */
  readonly offset: number;
  /** Rows beyond this many steps after the end are left out. */
  readonly horizon: number;
}

/** Writes predictions of a batch as rows: one a sequence, a step of it, or a step ahead. */
export const predictedRows = (
  task: Task,
  quantiles: readonly number[] | undefined,
  emit: (row: PredictedCells) => void,
) => {
  let row = new Map<string, Cell>();
  let ahead: Ahead = { offset: 0, horizon: Infinity };
  const put = (name: string, value: Cell) =>
    void row.set(name, name === 'ahead' ? Number(value) + ahead.offset : value);
  const write = rowWriter(task, quantiles, { put, withTruth: false });
  const flush = () => {
    const step = row.get('ahead');
    const isWanted = row.size > 0 && (typeof step !== 'number' || step <= ahead.horizon);
    if (isWanted) emit(row);
    row = new Map();
  };
  return (
    examples: ExampleBatch,
    outputs: Float32Array,
    wanted: Ahead = { offset: 0, horizon: Infinity },
  ): void => {
    const { batch, shape, scaling, id } = examples;
    refuseInfinite(task, examples, outputs);
    ahead = wanted;
    const stepsEach = isPerStep(task) ? shape.steps : 1;
    for (let sequence = 0; sequence < batch.size; sequence++) {
      const count = isPerStep(task) ? (batch.lengths[sequence] as number) : 1;
      const future = examples.ahead?.(sequence);
      for (let step = 0; step < count; step++) {
        const head = (at: number) => {
          flush();
          put('sequence', id(sequence));
          if (isPerStep(task)) put('step', step + 1);
          if (!future) return;
          if (future.series !== '') put('series', future.series);
          put('time', future.times[at] ?? '');
        };
        const at = sequence * stepsEach + step;
        write({ head, targets: batch.targets, outputs, at, scaling: scaling?.(sequence) });
      }
    }
    flush();
  };
};

/** Numbers that are far from those of the training can be too large for a network. */
export const refuseInfinite = (
  task: Task,
  { batch, shape, id }: ExampleBatch,
  outputs: Float32Array,
): void => {
  const steps = isPerStep(task) ? shape.steps : 1;
  const width = outputs.length / (batch.size * steps);
  for (let sequence = 0; sequence < batch.size; sequence++) {
    const count = steps === 1 ? 1 : (batch.lengths[sequence] as number);
    const start = sequence * steps * width;
    if (outputs.subarray(start, start + count * width).every(Number.isFinite)) continue;
    throw new DataError({
      path: 'input',
      message: `The network has no finite output for the sequence ${JSON.stringify(id(sequence))}.`,
      expected: 'numbers of the size of those that the model was trained on',
      help: 'Correct or remove the numbers of this sequence that are far too large.',
    });
  }
};

/** The forecast values of a sequence in their own unit, step by step; of quantiles the middle one. */
export const forecastValues = (
  { scaling }: ExampleBatch,
  outputs: Float32Array,
  given: {
    readonly task: Extract<Task, { kind: 'forecast' }>;
    readonly quantiles: readonly number[] | undefined;
    readonly sequence: number;
  },
): readonly (readonly number[])[] => {
  const { task, quantiles, sequence } = given;
  const { horizon, targets } = task;
  const levels = quantiles?.length ?? 1;
  const middle = quantiles ? middleOf(quantiles) : 0;
  const scales = scaling?.(sequence);
  return Array.from({ length: horizon }, (_, step) =>
    targets.map((__, target) => {
      const at = ((sequence * horizon + step) * targets.length + target) * levels + middle;
      const value = outputs[at] as number;
      return scales ? value / (scales.factor[target] as number) + (scales.mean[target] as number) : value;
    }),
  );
};
