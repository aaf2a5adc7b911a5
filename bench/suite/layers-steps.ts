import { createRequire } from 'node:module';
import type * as tfjs from '@tensorflow/tfjs';
import { randomStream } from '../../src/data/random.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { answerLines } from './processes.ts';
import { timeSteps, type StepRequest, type StepTimes, type StepWork } from './step-work.ts';

type Tfjs = typeof tfjs;

/** The whole of tfjs on the same TensorFlow that Unroll uses. */
const load = async (): Promise<Tfjs> => {
  await loadTensorFlow();
  return createRequire(import.meta.url)('@tensorflow/tfjs') as Tfjs;
};

const build = async ({ model, hidden, batch, steps, features, classes }: StepWork) => {
  if (model !== 'lstm') throw new Error('Only the LSTM is compared with tfjs-layers.');
  const tf = await load();
  const random = randomStream(1, 'bench');
  const network = tf.sequential();
  network.add(tf.layers.lstm({ units: hidden, inputShape: [steps, features] }));
  network.add(tf.layers.dense({ units: classes, activation: 'softmax' }));
  network.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy' });
  const inputs = tf.tensor3d(
    Float32Array.from({ length: batch * steps * features }, () => random.uniform()),
    [batch, steps, features],
  );
  const labels = tf.oneHot(
    Array.from({ length: batch }, () => random.integer(classes)),
    classes,
  );
  const step = () => network.trainOnBatch(inputs, labels);
  await step();
  return step;
};

const built = new Map<string, Awaited<ReturnType<typeof build>>>();

/** A process that takes the training steps of tfjs-layers' own models. */
export const serveLayersSteps = (): Promise<void> =>
  answerLines(async ({ work, repetitions }: StepRequest): Promise<StepTimes> => {
    const step = built.get(work.name) ?? (await build(work));
    built.set(work.name, step);
    return await timeSteps(step, repetitions);
  });
