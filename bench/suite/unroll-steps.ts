import { Value } from '@sinclair/typebox/value';
import { allocateBatch, type Batch, type SequenceShape } from '../../src/data/dataset.ts';
import { randomStream } from '../../src/data/random.ts';
import { registry, rowOf } from '../../src/registry/rows.ts';
import { buildLearner } from '../../src/training/learner.ts';
import type { NamedSection } from '../../src/language/config.ts';
import type { Run } from '../../src/plan/plan.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { answerLines } from './processes.ts';
import { timeSteps, type StepRequest, type StepTimes, type StepWork } from './step-work.ts';

const section = (name: string, row: { readonly parameters: object }, chosen: object): NamedSection => ({
  ...(Value.Default(row.parameters as never, chosen) as NamedSection),
  name,
});

const drawBatch = (shape: SequenceShape, size: number): Batch => {
  const batch = allocateBatch(shape, size);
  const random = randomStream(1, 'bench');
  const classes = shape.task.kind === 'classification' ? shape.task.classes : 1;
  const features = shape.input.kind === 'values' ? shape.input.features : 1;
  batch.size = size;
  for (let row = 0; row < size; row++) {
    const length = shape.variableLength ? 3 + random.integer(shape.steps - 2) : shape.steps;
    batch.lengths[row] = length;
    batch.targets[row] = random.integer(classes);
    for (let at = 0; at < length * features; at++)
      batch.inputs[row * shape.steps * features + at] = random.uniform();
  }
  return batch;
};

/** A network that takes training steps on one batch. */
export const buildSteps = async (work: StepWork): Promise<{ step: () => void; kernel: string }> => {
  await loadTensorFlow();
  const shape: SequenceShape = {
    steps: work.steps,
    input: { kind: 'values', features: work.features },
    variableLength: work.variableLength,
    task: { kind: 'classification', classes: work.classes },
  };
  const { model, hidden, layers = 1, bidirectional, optimizer, precision = 'float32' } = work;
  const run = {
    seed: 1,
    config: {
      model: section(model, rowOf(registry.model, { name: model }), {
        hiddenSize: hidden,
        layers,
        bidirectional,
      }),
      optimizer: section(optimizer, rowOf(registry.optimizer, { name: optimizer }), {}),
      train: { batchSize: work.batch, truncation: null, precision },
    },
  } as unknown as Run;
  const learner = await buildLearner(run, shape, { registry, totalSteps: 1000 });
  const batch = drawBatch(shape, work.batch);
  let taken = 0;
  const step = () => void learner.update(batch, ++taken, false);
  for (let at = 0; at < 3; at++) step();
  const kernels = fusedKernels();
  const set = kernels.available ? kernels.instructionSet : kernels.reason;
  return { step, kernel: `${learner.kernel}, ${set}${precision === 'bfloat16' ? ', bfloat16' : ''}` };
};

const built = new Map<string, Awaited<ReturnType<typeof buildSteps>>>();

/** A process that takes Unroll's training steps. */
export const serveUnrollSteps = (): Promise<void> =>
  answerLines(async ({ work, repetitions }: StepRequest): Promise<StepTimes> => {
    const { step, kernel } = built.get(work.name) ?? (await buildSteps(work));
    built.set(work.name, { step, kernel });
    return { ...(await timeSteps(step, repetitions)), kernel };
  });
