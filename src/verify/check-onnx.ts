import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { allocateBatch, type Batch, type DatasetRow, type SequenceShape } from '../data/dataset.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import {
  fileNames,
  modelFileNames,
  modelFileParser,
  parseEvaluation,
  type ExamplePrediction,
} from '../record/run-files.ts';
import { readJsonIfWhole } from '../system/files.ts';
import type { Subject } from './subject.ts';

/** How the predictions of `model.onnx` compare with the recorded ones. */
export type OnnxCheck =
  | { readonly result: 'agrees' | 'differs'; readonly compared: number; readonly differing: number }
  | { readonly result: 'skipped'; readonly reason: string };

/** Recorded probabilities have four decimals. */
const probabilityTolerance = 1e-4;

/** The part of ONNX Runtime that is used here. */
interface Runtime {
  readonly Tensor: new (type: string, values: ArrayLike<number>, axes: readonly number[]) => unknown;
  readonly InferenceSession: {
    readonly create: (path: string) => Promise<{
      readonly inputNames: readonly string[];
      readonly run: (
        feeds: Readonly<Record<string, unknown>>,
      ) => Promise<Readonly<Record<string, { readonly data: ArrayLike<number> }>>>;
      readonly release: () => Promise<void>;
    }>;
  };
}

const runtimeName = 'onnxruntime-node';

/** ONNX Runtime as the user has it installed, in the working directory or beside Unroll. */
const findRuntime = async (): Promise<Runtime | undefined> => {
  for (const from of [pathToFileURL(join(process.cwd(), 'package.json')).href, import.meta.url]) {
    try {
      const path = createRequire(from).resolve(runtimeName);
      const { default: found } = (await import(pathToFileURL(path).href)) as { readonly default: Runtime };
      return found;
    } catch {
      // It is looked for in the next place.
    }
  }
  return undefined;
};

const skipped = (reason: string): OnnxCheck => ({ result: 'skipped', reason });

/** Predicts the examples that a run recorded with its `model.onnx`; skipped with the reason where that cannot be done here. */
export const checkOnnx = async (
  { directory, here, baseDirectory }: Subject,
  row: DatasetRow,
): Promise<OnnxCheck> => {
  const path = join(directory, fileNames.model, modelFileNames.onnx);
  if (!existsSync(path)) return skipped('the run has no model.onnx');
  const file = readJsonIfWhole(join(directory, fileNames.model, modelFileNames.model), modelFileParser);
  const evaluation = readJsonIfWhole(join(directory, fileNames.evaluation), parseEvaluation);
  const predictions = evaluation?.predictions ?? [];
  if (!file || predictions.length === 0) return skipped('the run records no predictions of single examples');
  const { kind } = file.preprocessing;
  if (kind !== 'pixels' && kind !== 'none' && kind !== 'text')
    return skipped(`model.onnx reads the values of the file, which are not kept (preprocessing: ${kind})`);
  const runtime = await findRuntime();
  if (!runtime) return skipped(`${runtimeName} is not installed here: npm install ${runtimeName}`);

  const { shape, test } = await row.load(here.config.dataset, { baseDirectory });
  const batch = allocateBatch(shape, predictions.length);
  test.read(
    Int32Array.from(predictions, ({ index }) => index),
    batch,
  );
  const session = await runtime.InferenceSession.create(path).catch(() => undefined);
  if (!session) return { result: 'differs', compared: predictions.length, differing: predictions.length };
  try {
    const results = await session.run(feedsOf(runtime, { batch, shape, preprocessing: file.preprocessing }));
    const probabilities = Array.from(results['probabilities']?.data ?? []);
    const classes = probabilities.length / predictions.length;
    const differing = predictions.filter((recorded, at) =>
      differs(recorded, probabilities.slice(at * classes, (at + 1) * classes)),
    ).length;
    return { result: differing > 0 ? 'differs' : 'agrees', compared: predictions.length, differing };
  } finally {
    await session.release();
  }
};

const differs = ({ prediction, probability }: ExamplePrediction, given: readonly number[]): boolean => {
  const most = Math.max(...given);
  const own = given[prediction] ?? Number.NaN;
  // Two classes may be as probable as one another.
  return !(Math.abs(own - probability) <= probabilityTolerance && most - own <= probabilityTolerance);
};

const feedsOf = (
  { Tensor }: Runtime,
  {
    batch: { size, inputs, lengths },
    shape: { steps, input, variableLength },
    preprocessing,
  }: { readonly batch: Batch; readonly shape: SequenceShape; readonly preprocessing: Preprocessing },
): Readonly<Record<string, unknown>> => {
  const axes = input.kind === 'values' ? [size, steps, input.features] : [size, steps];
  // The graph divides pixels itself.
  const values =
    preprocessing.kind === 'pixels'
      ? inputs.map((value) => Math.round(value * preprocessing.divide))
      : inputs;
  return {
    inputs: new Tensor(input.kind === 'values' ? 'float32' : 'int32', values, axes),
    ...(variableLength && { lengths: new Tensor('int32', lengths.slice(0, size), [size]) }),
  };
};
