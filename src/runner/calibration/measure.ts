import { allocateBatch, type Batch, type SequenceShape } from '../../data/dataset.ts';
import { randomStream } from '../../data/random.ts';
import { isClassTask } from '../../data/task.ts';
import { registryOfBundle } from '../../registry/own/load-plugins.ts';
import { registry as builtIn, type Registry } from '../../registry/rows.ts';
import type { Run } from '../../plan/plan.ts';
import { runnableKernels } from '../../tensorflow/kernels/choose-kernel.ts';
import { loadTensorFlow } from '../../tensorflow/load.ts';
import type { MeasureRequest, Measured } from '../../training/protocol.ts';
import { buildLearner } from '../../training/learner.ts';
import { measuredSteps } from './work.ts';

/** A kernel this many times slower than the best so far is not timed again. */
const hopeless = 1.5;

/** What the first step with a kernel may cost besides, because TensorFlow prepares its operations. */
const firstStepMs = 150;

/** The kernels take turns for this long, so that a busy moment of the machine affects them all. */
const turnsMs = 200;
const mostTurns = 9;

/** How long a process takes steps when arrangements of threads are compared. */
const sideBySideMs = 300;

/** Times training steps of a run's network on made-up data, in the process that will train. */
export const measure = async ({
  purpose,
  run,
  shape,
  kernels,
  bundle,
}: MeasureRequest): Promise<Omit<Measured, 'type'>> => {
  const backend = await loadTensorFlow();
  const registry = bundle === undefined ? builtIn : await registryOfBundle(bundle);
  const runnable = backend.name === 'tensorflow' ? runnableKernels() : [];
  const able = kernels.filter((name) => runnable.includes(name));
  const shortened = { ...shape, steps: Math.min(shape.steps, measuredSteps) };
  const stepper = stepperFor(run, shortened, registry);
  switch (purpose) {
    case 'look':
      return { runnable, msPerStep: {} };
    case 'kernels':
      return { runnable, msPerStep: able.length > 1 ? await timeKernels(able, stepper) : {} };
    case 'threads':
      return { runnable, msPerStep: await timeSideBySide(able, stepper) };
  }
};

/** A network at work: the milliseconds of one training step after the other. */
interface Stepper {
  readonly step: () => number;
  readonly dispose: () => void;
}

type BuildStepper = (kernel: string) => Promise<Stepper>;

const stepperFor = (run: Run, shape: SequenceShape, registry: Registry): BuildStepper => {
  const batch = madeUpBatch(run, shape);
  const { model } = run.config;
  // How weights are drawn changes no time but that of drawing: orthogonal ones take seconds.
  const drawn = 'kernelInitializer' in model ? { ...model, kernelInitializer: 'glorot-uniform' } : model;
  const quick: Run = { ...run, config: { ...run.config, model: drawn } };
  return async (kernel) => {
    const learner = await buildLearner(quick, shape, { registry, totalSteps: 1000, kernel });
    let taken = 0;
    const step = () => {
      const startedAt = performance.now();
      learner.update(batch, ++taken, false);
      return performance.now() - startedAt;
    };
    return { step, dispose: learner.dispose };
  };
};

/** Inputs from 0 to 1 or any tokens; lengths from short to full; whatever targets. */
const madeUpBatch = ({ seed, config: { train } }: Run, shape: SequenceShape): Batch => {
  const { steps, input, variableLength, task } = shape;
  const { batchSize: size } = train;
  const random = randomStream(seed, 'calibration');
  const batch = allocateBatch(shape, size);
  batch.size = size;
  const range = input.kind === 'values' ? 1 : input.vocabulary;
  for (let at = 0; at < batch.inputs.length; at++) batch.inputs[at] = random.uniform() * range;
  for (let row = 0; row < size; row++)
    batch.lengths[row] = variableLength ? Math.ceil((steps * (row + 1)) / size) : steps;
  if (isClassTask(task))
    for (let at = 0; at < batch.targets.length; at++) batch.targets[at] = at % task.classes;
  return batch;
};

/** The least milliseconds of a step with each kernel; slow ones are dropped soon. */
const timeKernels = async (
  kernels: readonly string[],
  build: BuildStepper,
): Promise<Readonly<Record<string, number>>> => {
  const least = new Map<string, number>();
  const best = () => Math.min(...least.values());
  const rivals = new Map<string, Stepper>();
  for (const kernel of kernels) {
    const stepper = await build(kernel);
    const first = stepper.step();
    const before = best();
    const isHopeless = first - firstStepMs > hopeless * before;
    const further = isHopeless ? 0 : first > turnsMs ? 1 : 2;
    const ms = Math.min(first, ...Array.from({ length: further }, stepper.step));
    if (isHopeless || ms > hopeless * before) stepper.dispose();
    else rivals.set(kernel, stepper);
    least.set(kernel, ms);
  }
  const startedAt = performance.now();
  for (let turn = 0; rivals.size > 1 && turn < mostTurns && performance.now() - startedAt < turnsMs; turn++)
    for (const [kernel, { step }] of rivals)
      least.set(kernel, Math.min(least.get(kernel) ?? Infinity, step()));
  for (const { dispose } of rivals.values()) dispose();
  return Object.fromEntries(least);
};

/** The mean milliseconds of a step over a while, in which other processes do the same. */
const timeSideBySide = async (
  [kernel]: readonly string[],
  build: BuildStepper,
): Promise<Readonly<Record<string, number>>> => {
  if (kernel === undefined) return {};
  const { step, dispose } = await build(kernel);
  step();
  const startedAt = performance.now();
  let taken = 0;
  let elapsed = 0;
  while (elapsed < sideBySideMs) {
    step();
    taken++;
    elapsed = performance.now() - startedAt;
  }
  dispose();
  return { [kernel]: elapsed / taken };
};
