import type { Batch, SequenceShape, TargetScaling } from './dataset.ts';
import type { ForecastPart } from './forecast-part.ts';

/** Examples of a file that are to be predicted together. Everything is valid until the next batch. */
export interface ExampleBatch {
  readonly batch: Batch;
  /** The shape that the batch is laid out in: the model's, or one with more steps. */
  readonly shape: SequenceShape;
  /** What the data calls a row of the batch. */
  readonly id: (row: number) => string;
  readonly scaling?: (row: number) => TargetScaling;
  /** Of a forecast: the series of a row, and the times of the steps ahead. */
  readonly ahead?: (row: number) => { readonly series: string; readonly times: readonly string[] };
  readonly naiveError?: (row: number) => ArrayLike<number>;
  readonly forecast?: ForecastPart;
}

/** Takes examples batch by batch, in the order of the file. */
export type TakeExamples = (examples: ExampleBatch) => void;

/** As many examples as an end evaluation takes at once: other numbers could give other last bits. */
export const examplesAtOnce = 250;
