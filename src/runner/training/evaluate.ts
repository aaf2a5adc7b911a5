import { allocateBatch, type SequenceShape, type Split } from '../../data/dataset.ts';
import type { Learner } from './learner.ts';
import { createTally, type Tally } from './tally.ts';

/** Large enough to keep the cores busy, small enough for a thousand hidden units in memory. */
const evaluationBatch = 250;

/** The tally of a split's first `limit` examples (all by default), in order and without dropout. */
export const evaluate = async (
  learner: Learner,
  shape: SequenceShape,
  { split, limit = split.size }: { readonly split: Split; readonly limit?: number },
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
    // The event loop turns, so that messages to and from the runner pass.
    await new Promise(setImmediate);
  }
  return tally;
};
