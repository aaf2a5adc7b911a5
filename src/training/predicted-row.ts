import type { Batch, Split } from '../data/dataset.ts';
import { targetSize, type NumberTask, type Task } from '../data/task.ts';
import type { Loss } from '../losses/loss.ts';

export type Cell = string | number | boolean;

/** The type of a Parquet column with such cells. */
export const columnType = (value: Cell | undefined): 'STRING' | 'BOOLEAN' | 'DOUBLE' =>
  typeof value === 'string' ? 'STRING' : typeof value === 'boolean' ? 'BOOLEAN' : 'DOUBLE';

/** Of more classes than that, only the probability of the predicted one is recorded. */
const mostProbabilities = 100;

/** One sequence, or one step of it. */
export interface PredictedRow {
  /** Writes which one it is; several times where it becomes several rows, of which `at` is which. */
  readonly head: (at: number) => void;
  readonly targets: Batch['targets'];
  readonly outputs: Float32Array;
  /** Which row of targets and outputs. */
  readonly at: number;
  readonly scaling: ReturnType<NonNullable<Split['scaling']>> | undefined;
}

/** Writes the cells of predicted rows, by column. */
export const rowWriter = (
  task: Task,
  quantiles: Loss['quantiles'],
  { put, withTruth }: { readonly put: (name: string, value: Cell) => void; readonly withTruth: boolean },
): ((row: PredictedRow) => void) => {
  switch (task.kind) {
    case 'classification':
    case 'labelling':
    case 'next-step': {
      const { classes } = task;
      const labelOf = (label: number) => task.labels?.[label] ?? String(label);
      const columns = Array.from(
        { length: classes <= mostProbabilities ? classes : 0 },
        (_, label) => `probability ${labelOf(label)}`,
      );
      return ({ head, targets, outputs, at }) => {
        const probabilities = softmax(outputs.subarray(at * classes, (at + 1) * classes));
        const prediction = probabilities.indexOf(Math.max(...probabilities));
        head(0);
        if (withTruth) put('truth', labelOf(targets[at] as number));
        put('prediction', prediction === -1 ? '' : labelOf(prediction));
        put('probability', probabilities[prediction] ?? Number.NaN);
        columns.forEach((column, label) => put(column, probabilities[label] as number));
      };
    }
    case 'multi-label':
      return ({ head, targets, outputs, at }) => {
        head(0);
        for (let label = 0; label < task.classes; label++) {
          const name = task.labels?.[label] ?? String(label);
          const probability = 1 / (1 + Math.exp(-(outputs[at * task.classes + label] as number)));
          if (withTruth) put(`truth ${name}`, targets[at * task.classes + label] === 1);
          put(`prediction ${name}`, probability >= 0.5);
          put(`probability ${name}`, probability);
        }
      };
    case 'regression':
    case 'forecast': {
      const levels = quantiles ?? [undefined];
      const width = targetSize(task);
      const count = task.kind === 'forecast' ? task.targets.length : width;
      const names = namesOf(task, count);
      const ownUnit = (value: number, target: number, scaling: PredictedRow['scaling']) =>
        scaling ? value / (scaling.factor[target] as number) + (scaling.mean[target] as number) : value;
      return ({ head, targets, outputs, at, scaling }) => {
        for (let from = 0; from < width; from += count) {
          head(from / count);
          if (task.kind === 'forecast') put('ahead', from / count + 1);
          for (let target = 0; target < count; target++) {
            const name = names[target] as string;
            const number = at * width + from + target;
            if (withTruth) put(`truth${name}`, ownUnit(targets[number] as number, target, scaling));
            levels.forEach((quantile, place) => {
              const value = outputs[number * levels.length + place] as number;
              put(
                `${quantile === undefined ? 'prediction' : `quantile ${quantile}`}${name}`,
                ownUnit(value, target, scaling),
              );
            });
          }
        }
      };
    }
  }
};

/** What follows `truth` and `prediction` in the column of each target. */
const namesOf = (task: NumberTask, count: number): readonly string[] => {
  if (task.kind === 'regression' && count === 1) return [''];
  return Array.from({ length: count }, (_, target) => ` ${task.targets?.[target] ?? target + 1}`);
};

export const softmax = (outputs: Float32Array): readonly number[] => {
  // Loops, because it is called for each row of a large file.
  let largest = -Infinity;
  for (const output of outputs) largest = Math.max(largest, output);
  const powers: number[] = [];
  let sum = 0;
  for (const output of outputs) {
    const power = Math.exp(output - largest);
    powers.push(power);
    sum += power;
  }
  for (let at = 0; at < powers.length; at++) powers[at] = (powers[at] as number) / sum;
  return powers;
};
