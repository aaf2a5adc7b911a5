import { allocateBatch, type Batch, type SequenceShape, type Split } from '../../data/dataset.ts';
import type { Learner } from './learner.ts';
import { createTally, type Tally } from './tally.ts';

/** Large enough to keep the cores busy, small enough for a thousand hidden units in memory. */
const evaluationBatch = 250;

interface Evaluated {
  readonly split: Split;
  /** All by default. */
  readonly limit?: number;
  /** Shown each batch with the index of its first example and the network's outputs. */
  readonly see?: (from: number, batch: Batch, outputs: Float32Array) => void;
}

/** The tally of a split's first `limit` examples, in order and without dropout. */
export const evaluate = async (
  learner: Learner,
  shape: SequenceShape,
  { split, limit = split.size, see }: Evaluated,
): Promise<Tally> => {
  const tally = createTally(shape);
  const batch = allocateBatch(shape, evaluationBatch);
  const size = Math.min(limit, split.size);
  for (let start = 0; start < size; start += evaluationBatch) {
    const count = Math.min(evaluationBatch, size - start);
    split.read(
      Int32Array.from({ length: count }, (_, index) => start + index),
      batch,
    );
    const { loss, outputs } = learner.predict(batch);
    tally.add(batch, outputs, loss);
    see?.(start, batch, outputs);
    // The event loop turns, so that messages to and from the runner pass.
    await new Promise(setImmediate);
  }
  return tally;
};
