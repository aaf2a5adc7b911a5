import { allocateBatch, readBatch, type Batch, type Split } from '../data/dataset.ts';
import type { Part } from '../metrics/metrics.ts';
import type { Session } from './session.ts';
import { createTally, type Tally } from './tally.ts';

/**
 * Large enough to keep the cores busy, small enough for a thousand hidden units in memory. With 64 to 256 of them an
 * example takes the same time in batches of 96 to 1,024.
 */
const evaluationBatch = 250;

/** The reference systems report the accuracy on this many test examples; we add the whole split. */
const firstExamples = 128;

interface Evaluation {
  readonly whole: Tally;
  /** Of the split's first `firstExamples`; its loss is that of the batch they are in. */
  readonly first: Pick<Tally, 'metrics'>;
}

/**
 * The tally of a split, in order and without dropout. `see` is shown each batch with the index of its first example and
 * the network's outputs.
 */
export const evaluate = async (
  { learner, clock, dataset: { shape }, run, registry }: Session,
  { split, part }: { readonly split: Split; readonly part: Part },
  see?: (from: number, batch: Batch, outputs: Float32Array) => void,
): Promise<Evaluation> => {
  const before = clock.enter('evaluation');
  // Only those that the run was planned with, because its id covers their code.
  const own = Object.fromEntries(
    Object.entries(registry.metric ?? {}).filter(([name]) => run.code?.metrics?.[name] !== undefined),
  );
  const whole = createTally(shape, learner.loss, { part, split, own });
  const first = createTally(shape, learner.loss, { part, split });
  const batch = allocateBatch(shape, evaluationBatch, split);
  const indices = new Int32Array(evaluationBatch);
  for (let start = 0; start < split.size; start += evaluationBatch) {
    const count = Math.min(evaluationBatch, split.size - start);
    for (let at = 0; at < count; at++) indices[at] = start + at;
    readBatch(split, indices.subarray(0, count), batch);
    const { loss, outputs } = learner.predict(batch);
    const predicted = { batch, outputs, loss, indices };
    whole.add(predicted);
    if (start === 0) first.add({ ...predicted, batch: { ...batch, size: Math.min(count, firstExamples) } });
    see?.(start, batch, outputs);
    // The event loop turns, so that messages to and from the runner pass.
    await new Promise(setImmediate);
  }
  clock.enter(before);
  return { whole, first };
};
