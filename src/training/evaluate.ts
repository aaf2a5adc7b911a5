import { evaluationOrder } from '../data/batches.ts';
import { allocateBatch, readBatch, type Batch, type Split } from '../data/dataset.ts';
import { examplesAtOnce } from '../data/example-batch.ts';
import type { Part } from '../metrics/metrics.ts';
import type { Session } from './session.ts';
import { createTally, type Tally } from './tally.ts';

/** The reference systems report the accuracy on this many test examples; we add the whole split. */
const firstExamples = 128;

interface Evaluation {
  readonly whole: Tally;
  /** Of the split's first `firstExamples`; its loss is that of the batch they are in. */
  readonly first: Pick<Tally, 'metrics'>;
}

/**
 * The tally of a split, without dropout: in order, or with `train.stateful` in streams. `see` is shown each batch with the
 * indices of its examples and the network's outputs.
 */
export const evaluate = async (
  { learner, clock, dataset: { shape }, run, registry }: Session,
  { split, part }: { readonly split: Split; readonly part: Part },
  see?: (indices: Int32Array, batch: Batch, outputs: Float32Array) => void,
): Promise<Evaluation> => {
  const before = clock.enter('evaluation');
  // Only those that the run was planned with, because its id covers their code.
  const own = Object.fromEntries(
    Object.entries(registry.metric ?? {}).filter(([name]) => run.code?.metrics?.[name] !== undefined),
  );
  const whole = createTally(shape, learner.loss, { part, split, own });
  const first = createTally(shape, learner.loss, { part, split });
  const batch = allocateBatch(shape, examplesAtOnce, split);
  const carried = learner.carryState();
  const { steps, order } = evaluationOrder(split.size, carried !== undefined);
  for (let step = 1; step <= steps; step++) {
    const indices = order(step);
    readBatch(split, indices, batch);
    const { loss, outputs } = learner.predict(batch, carried);
    const predicted = { batch, outputs, loss, indices };
    whole.add(predicted);
    if (step === 1)
      first.add({ ...predicted, batch: { ...batch, size: Math.min(batch.size, firstExamples) } });
    see?.(indices, batch, outputs);
    // The event loop turns, so that messages to and from the runner pass.
    await new Promise(setImmediate);
  }
  carried?.reset();
  clock.enter(before);
  return { whole, first };
};
