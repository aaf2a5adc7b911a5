import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { allocateBatch, type DatasetRow } from '../data/dataset.ts';
import { isPerStep } from '../data/task.ts';
import { openModel } from '../prediction/open-model.ts';
import { buildPredictor } from '../prediction/predictor.ts';
import { fileNames, modelFileNames, parseEvaluation, type ExamplePrediction } from '../record/run-files.ts';
import type { Registry } from '../registry/rows.ts';
import { readJsonIfWhole } from '../system/files.ts';
import { distanceOf } from './differences.ts';
import { onnxFeeds } from './onnx-feeds.ts';
import type { Subject } from './subject.ts';

/** How the predictions of `model.onnx` compare with the recorded ones, or where single ones are not recorded with those of the network. */
export type OnnxCheck =
  | {
      readonly result: 'agrees' | 'differs';
      readonly given: 'recorded' | 'network';
      readonly compared: number;
      readonly differing: number;
    }
  | { readonly result: 'skipped'; readonly reason: string };

/** Recorded probabilities have four decimals. */
const onnxTolerance = 1e-4;

/** How many examples are compared with the network. */
const mostExamples = 100;

/** The part of ONNX Runtime that is used here. */
interface Runtime {
  readonly Tensor: new (type: string, values: ArrayLike<number>, axes: readonly number[]) => unknown;
  readonly InferenceSession: {
    readonly create: (path: string) => Promise<{
      readonly outputNames: readonly string[];
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

/** Predicts examples of the test part with a run's `model.onnx`; skipped with the reason where that cannot be done here. */
export const checkOnnx = async (
  { directory, here, baseDirectory }: Subject,
  { dataset, registry }: { readonly dataset: DatasetRow; readonly registry: Registry },
): Promise<OnnxCheck> => {
  const folder = join(directory, fileNames.model);
  const path = join(folder, modelFileNames.onnx);
  if (!existsSync(path)) return skipped('the run has no model.onnx');
  const opened = openModel(folder, { runsDirectory: dirname(dirname(directory)) });
  // That of a bundle is below a folder that only this command knows.
  if (!opened.ok)
    return skipped(opened.errors.map(({ message }) => message.replaceAll(`${directory}/`, '')).join(' '));
  const runtime = await findRuntime();
  if (!runtime) return skipped(`${runtimeName} is not installed here: npm install ${runtimeName}`);

  const { shape, test } = await dataset.load(here.config.dataset, { baseDirectory });
  const recorded = recordedPredictions(directory);
  const indices =
    recorded?.map(({ index }) => index) ??
    Array.from({ length: Math.min(test.size, mostExamples) }, (_, index) => index);
  const batch = allocateBatch(shape, indices.length);
  test.read(Int32Array.from(indices), batch);
  const compared = indices.length;
  const given = recorded ? 'recorded' : 'network';
  const session = await runtime.InferenceSession.create(path).catch(() => undefined);
  if (!session) return { result: 'differs', given, compared, differing: compared };
  try {
    const series = indices.map((index) => test.forecast?.seriesOf(index) ?? '');
    const feeds = onnxFeeds(opened.value.file, { batch, steps: shape.steps, series });
    // A graph of another network fails while it runs.
    const results = await session
      .run(
        Object.fromEntries(
          feeds.map(({ name, type, values, axes }) => [name, new runtime.Tensor(type, values, axes)]),
        ),
      )
      .catch(() => undefined);
    if (!results) return { result: 'differs', given, compared, differing: compared };
    const rowsOf = (name: string) => inRows(Array.from(results[name]?.data ?? []), compared);
    let differing: number;
    if (recorded) {
      const probabilities = rowsOf('probabilities');
      differing = recorded.filter((one, at) => differs(one, probabilities[at] ?? [])).length;
    } else {
      const built = await buildPredictor(opened.value, registry, { fromZeros: true });
      if (!built.ok) return skipped(built.errors.map(({ message }) => message).join(' '));
      const wanted = inRows(Array.from(built.value.outputs({ batch, shape, id: String })), compared);
      // Raw outputs come first.
      const found = rowsOf(session.outputNames[0] ?? '');
      const steps = isPerStep(shape.task) ? shape.steps : 1;
      differing = wanted.filter((row, at) => {
        const counted = (row.length / steps) * Math.min(steps, batch.lengths[at] ?? steps);
        return !row.slice(0, counted).every((value, place) => isNear(value, found[at]?.[place]));
      }).length;
    }
    return { result: differing > 0 ? 'differs' : 'agrees', given, compared, differing };
  } finally {
    await session.release();
  }
};

/** Of a classification: the first examples of the test part. */
const recordedPredictions = (directory: string): readonly ExamplePrediction[] | undefined => {
  const evaluation = readJsonIfWhole(join(directory, fileNames.evaluation), parseEvaluation);
  return evaluation?.predictions?.length ? evaluation.predictions : undefined;
};

const inRows = (values: readonly number[], count: number): readonly (readonly number[])[] => {
  const width = values.length / count;
  return Array.from({ length: count }, (_, row) => values.slice(row * width, (row + 1) * width));
};

const isNear = (value: number, found = Number.NaN): boolean => distanceOf(value, found) <= onnxTolerance;

const differs = ({ prediction, probability }: ExamplePrediction, given: readonly number[]): boolean => {
  const most = Math.max(...given);
  const own = given[prediction] ?? Number.NaN;
  // Two classes may be as probable as one another.
  return !(Math.abs(own - probability) <= onnxTolerance && most - own <= onnxTolerance);
};
