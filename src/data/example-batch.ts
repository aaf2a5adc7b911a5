import type { Batch, SequenceShape, TargetScaling } from './dataset.ts';
import type { ForecastPart } from './forecast-part.ts';

/** Examples of a file that are predicted together. Everything is valid until the next batch. */
export interface ExampleBatch {
  readonly batch: Batch;
  /** The shape that the batch is laid out in: the model's, or one with more steps. */
  readonly shape: SequenceShape;
  /** What the data calls a row of the batch. */
  readonly id: (row: number) => string;
  readonly scaling?: (row: number) => TargetScaling;
  /** Where sequences follow one another: whether these are the first, which no state is carried into. */
  readonly begins?: boolean;
  /** Of a forecast: the series of a row, and the times of the steps ahead. */
  readonly ahead?: (row: number) => { readonly series: string; readonly times: readonly string[] };
  readonly naiveError?: (row: number) => ArrayLike<number>;
  readonly forecast?: ForecastPart;
}

/** Takes examples batch by batch, in the order of the file. */
export type TakeExamples = (examples: ExampleBatch) => void;

/**
 * As many examples as an end evaluation takes at once: other numbers could give other last bits. Large enough to keep the
 * cores busy, small enough for a thousand hidden units in memory. With 64 to 256 of them an example takes the same time in
 * batches of 96 to 1,024.
 */
export const examplesAtOnce = 250;

/** Examples that stay valid. */
export const copyOf = (examples: ExampleBatch): ExampleBatch => {
  const { batch, shape } = examples;
  const { size } = batch;
  const width = shape.input.kind === 'values' ? shape.input.features : 1;
  return {
    ...examples,
    batch: {
      ...batch,
      inputs: batch.inputs.slice(0, size * (batch.steps ?? shape.steps) * width),
      lengths: batch.lengths.slice(0, size),
      ...(batch.weights && { weights: batch.weights.slice(0, size) }),
      targets: batch.targets.slice(0, (batch.targets.length / Math.max(1, batch.lengths.length)) * size),
    },
  };
};
