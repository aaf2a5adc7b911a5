import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import type { Run } from '../../src/plan/plan.ts';
import type { RunOutcome } from '../../src/record/events.ts';
import { weightsFinder } from '../../src/report/find-weights.ts';
import { writeTensors } from '../../src/system/safetensors.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { metricsIn, trainUntil } from './toy-training.ts';

/** A language model that PyTorch trained in float64 from these weights. */
export interface TorchCase {
  readonly model: string;
  readonly layers: number;
  readonly weights: Readonly<Record<string, { readonly shape: number[]; readonly values: number[] }>>;
  /** The loss of each step. */
  readonly train: readonly number[];
  readonly validation: number;
  readonly test: number;
}

/** Made by fixtures/stateful/make.py with PyTorch, in float64. */
export const torchCases = JSON.parse(
  readFileSync(new URL('../fixtures/stateful/stateful.json', import.meta.url), 'utf8'),
) as {
  readonly text: string;
  readonly length: number;
  readonly streams: number;
  readonly passes: number;
  readonly learningRate: number;
  readonly hiddenSize: number;
  readonly cases: readonly TorchCase[];
};

/** The first run of a spec. */
export const firstRun = async (path: string): Promise<Run> => {
  const plan = await planExperiment(path, { cores: 1, findWeights: weightsFinder(dirname(path)) });
  if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join(' '));
  const [run] = plan.value.runs;
  if (!run) throw new Error('no run');
  return run;
};

/** Writes a spec with these sections, and returns its path. */
export const specOf = (folder: string, sections: string): string => {
  const path = join(folder, 'spec.yaml');
  writeFileSync(path, `version: 1\nname: trial\n${sections}`);
  return path;
};

/** Trains a case from its weights. Returns the loss of each step and the metrics of the end. */
export const trainCase = async (
  { model, layers, weights }: TorchCase,
  { train, kernel }: { readonly train: string; readonly kernel?: string },
): Promise<{ readonly losses: readonly number[]; readonly metrics: RunOutcome['metrics'] }> => {
  const { text, length, passes, learningRate, hiddenSize } = torchCases;
  const folder = temporaryDirectory('torch');
  writeFileSync(join(folder, 'text.txt'), text);
  const startFile = join(folder, 'weights.safetensors');
  const tensors = new Map(
    Object.entries(weights).map(([name, { shape, values }]) => [
      name,
      { shape, values: Float32Array.from(values) },
    ]),
  );
  writeTensors(startFile, { tensors, metadata: {} });
  const run = await firstRun(
    specOf(
      folder,
      `dataset: { name: characters, file: ${join(folder, 'text.txt')}, length: ${length}, validationFraction: 0.3, testFraction: 0.3 }
model: { name: ${model}, hiddenSize: ${hiddenSize}, layers: ${layers}${model === 'lstm' ? ', forgetBias: 0' : ''} }
optimizer: { name: sgd, learningRate: ${learningRate} }
train: { from: weights.safetensors, epochs: ${passes}, displayEvery: 1, shuffle: false, ${train} }
`,
    ),
  );
  const directory = join(folder, run.id);
  const { metrics } = await trainUntil(run, directory, Infinity, {
    startFile,
    ...(kernel !== undefined && { kernel }),
  });
  return { losses: recordedIn(directory, 'train/loss'), metrics };
};

/** The recorded values of a metric, in their order. */
export const recordedIn = (directory: string, name: string): readonly number[] =>
  metricsIn(directory).flatMap(({ metrics: { [name]: value } }) =>
    value === undefined ? [] : [Number(value)],
  );
