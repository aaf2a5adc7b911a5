import type { DatasetParts, SequenceShape } from '../data/dataset.ts';
import type { NamedSection, TrainConfig } from '../language/config.ts';
import type { OwnMetrics } from '../metrics/metrics.ts';

/** The sections of a point, each sound by itself, and what is known of its dataset. */
export interface Together {
  readonly dataset: NamedSection;
  readonly model: NamedSection;
  readonly optimizer: NamedSection;
  /** Undefined where the task decides. */
  readonly loss: NamedSection | undefined;
  readonly train: TrainConfig;
  readonly shape: SequenceShape;
  /** The metrics of the user's config. */
  readonly own: OwnMetrics;
  /** The smallest number that is a target in the training part, if it is known. */
  readonly smallest: number | undefined;
  /** Undefined where nothing is known before the data is read. */
  readonly parts: DatasetParts | undefined;
}
