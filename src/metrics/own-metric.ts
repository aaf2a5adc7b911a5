import type { RowOrigin } from '../parameters/row.ts';
import type { MeasureContext, Rows } from './measure.ts';
import type { Metric } from './metrics.ts';

/** Adds up batches of a part, for a single metric. */
export interface OwnMeasure {
  readonly add: (rows: Rows) => void;
  /** NaN where the rows have no value. */
  readonly value: () => number;
}

/** A metric of the user's own. */
export interface OwnMetricRow extends Metric {
  readonly title: string;
  readonly origin: RowOrigin;
  /** Called once a part and evaluation. */
  readonly build: (context: MeasureContext) => OwnMeasure;
}
