import type { DataFiles } from '../data/columns/find-files.ts';
import { DataError, type Split } from '../data/dataset.ts';
import type { ExampleBatch } from '../data/example-batch.ts';
import { bestBaseline, type Baseline } from '../data/forecast-part.ts';
import { isClassTask, isPerStep, labelsOf, type Task } from '../data/task.ts';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { Registry } from '../registry/rows.ts';
import { createTally } from '../training/tally.ts';
import { dataDiagnostics } from './data-diagnostics.ts';
import type { InputKind } from './formats.ts';
import { kindOf, readExamples } from './input.ts';
import type { OpenModel } from './open-model.ts';
import { buildPredictor } from './predictor.ts';
import { refuseInfinite } from './rows.ts';
import { unusable } from './unusable.ts';

/** How well a model predicts some data. */
export interface Evaluation {
  /** Sequences, or windows of a forecast. */
  readonly examples: number;
  /** Whether they count by the weights that a column of the file gives them. */
  readonly weighted?: true;
  /** By their names without the part: `accuracy`, `mae`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly labels?: readonly string[];
  /** `confusion[truth][prediction]` counts examples, or steps. */
  readonly confusion?: readonly (readonly number[])[];
  /** A baseline without a network: the most frequent class, the mean, or a naive forecast. */
  readonly baseline?: EvaluatedBaseline;
}

export type EvaluatedBaseline =
  | { readonly name: 'majority'; readonly label: string; readonly accuracy: number }
  | { readonly name: 'mean'; readonly mae: number; readonly rmse: number }
  | ({ readonly name: string } & Pick<Baseline, 'mae' | 'rmse'>);

/** Evaluates a model on files that have the targets. */
export const evaluateFiles = async (
  model: OpenModel,
  {
    files,
    registry,
    kind,
  }: { readonly files: DataFiles; readonly registry: Registry; readonly kind?: InputKind | undefined },
): Promise<Result<Evaluation>> => {
  if (model.file.preprocessing.kind === 'none') return failure(withoutTargets(model));
  const built = await buildPredictor(model, registry);
  if (!built.ok) return built;
  const { loss, evaluate } = built.value;
  const { shape } = model.file;
  const { task } = shape;
  let examples = 0;
  let weighted: true | undefined;
  let current: ExampleBatch | undefined;
  let tally: ReturnType<typeof createTally> | undefined;
  const baseline = targetBaseline(task);
  // The tally asks for the examples of a batch by their rows.
  const split = (first: ExampleBatch): Pick<Split, 'scaling' | 'naiveError' | 'forecast'> => ({
    ...(first.scaling && { scaling: (row: number) => current?.scaling?.(row) ?? { mean: [], factor: [] } }),
    ...(first.naiveError && { naiveError: (row: number) => current?.naiveError?.(row) ?? [] }),
    ...(first.forecast && { forecast: first.forecast }),
  });
  const [first] = files.files;
  const input = { model, registry, files, kind: kind ?? (first ? kindOf(first, model) : 'csv') };
  const take = (batch: ExampleBatch): void => {
    current = batch;
    const tallyOf = (tally ??= createTally(shape, loss, { part: 'test', split: split(batch) }));
    const { outputs, loss: value } = evaluate(batch);
    refuseInfinite(task, batch, outputs);
    const indices = Int32Array.from({ length: batch.batch.size }, (_, row) => row);
    tallyOf.add({ batch: { ...batch.batch, steps: batch.shape.steps }, outputs, loss: value, indices });
    baseline.add(batch);
    examples += batch.batch.size;
    if (batch.batch.weights) weighted = true;
  };
  try {
    await readExamples(input, { take, withTargets: true });
  } catch (error) {
    if (error instanceof DataError) return failure(...dataDiagnostics(error));
    return unusable(model, error);
  }
  if (!tally) throw new Error('Nothing was read.');
  const labels = labelsOf(task);
  const confusion = tally.confusion();
  const naive = current?.forecast && bestBaseline(current.forecast.baselines());
  const found = naive ? { name: naive.name, mae: naive.mae, rmse: naive.rmse } : baseline.result();
  return success({
    examples,
    ...(weighted && { weighted }),
    metrics: Object.fromEntries(
      Object.entries(tally.metrics()).map(([name, value]) => [name.slice('test/'.length), value]),
    ),
    ...(labels && { labels }),
    ...(confusion && { confusion }),
    ...(found && { baseline: found }),
  });
};

/** Files for such a model have inputs only. */
const withoutTargets = ({ file }: OpenModel): Diagnostic => ({
  code: 'conflict',
  severity: 'error',
  message: `No file has the targets of this model: it was trained on ${file.dataset.name}, whose data is not read from files of a known form.`,
  expected: 'a model of images, a table, texts or series',
  help: 'Predict given inputs instead; the metrics on the test part are those of its run.',
});

/** The baseline that always predicts the most frequent class, or the mean of the only target, by the weights of the examples. */
const targetBaseline = (task: Task) => {
  const counts = new Float64Array(isClassTask(task) ? task.classes : 0);
  const numbers = { weight: 0, mean: 0, spread: 0 };
  const values: { readonly value: number; readonly weight: number }[] = [];
  const isSingle = task.kind === 'regression' && task.outputs === 1;
  return {
    add: ({ batch, shape, scaling }: ExampleBatch): void => {
      const each = isPerStep(task) ? shape.steps : 1;
      for (let row = 0; row < batch.size; row++) {
        const scales = scaling?.(row);
        const weight = batch.weights?.[row] ?? 1;
        if (weight === 0) continue;
        for (let step = 0; step < (each === 1 ? 1 : (batch.lengths[row] as number)); step++) {
          const target = batch.targets[row * each + step] as number;
          if (isClassTask(task)) counts[target] = (counts[target] as number) + weight;
          else if (isSingle) {
            const value = scales
              ? target / (scales.factor[0] as number) + (scales.mean[0] as number)
              : target;
            values.push({ value, weight });
            numbers.weight += weight;
            const distance = value - numbers.mean;
            numbers.mean += (distance * weight) / numbers.weight;
            numbers.spread += weight * distance * (value - numbers.mean);
          }
        }
      }
    },
    result: (): EvaluatedBaseline | undefined => {
      if (isClassTask(task)) {
        const most = counts.indexOf(Math.max(...counts));
        const total = counts.reduce((sum, count) => sum + count, 0);
        const label = task.labels?.[most] ?? String(most);
        return { name: 'majority', label, accuracy: (counts[most] as number) / total };
      }
      if (!isSingle || numbers.weight === 0) return undefined;
      const { mean, weight: total, spread } = numbers;
      const mae = values.reduce((sum, { value, weight }) => sum + weight * Math.abs(value - mean), 0) / total;
      return { name: 'mean', mae, rmse: Math.sqrt(spread / total) };
    },
  };
};
