import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../../src/data/random.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import type { MetricLine } from '../../../src/record/run-files.ts';
import { makePlan, writeSweep } from '../run-directories.ts';

/** Metric lines as a run writes them, some of their values not finite. */
export const metricLines = (seed: number, steps: number, from = 1): readonly MetricLine[] => {
  const random = randomStream(seed, 'journal');
  return Array.from({ length: steps }, (_, index) => {
    const step = from + index;
    const special = random.integer(20);
    return {
      step,
      time: 1_790_000_000_000 + seed * 1_000_000 + step * 37,
      metrics: {
        'train/loss': special === 0 ? 'NaN' : special === 1 ? 'Infinity' : random.normal(),
        'train/accuracy': random.uniform(),
        ...(step % 50 === 0 && { 'validation/loss': special === 2 ? '-Infinity' : random.normal() }),
      },
    };
  });
};

const toText = (lines: readonly MetricLine[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

export const writeJournal = (directory: string, lines: readonly MetricLine[]): void =>
  writeFileSync(join(directory, 'metrics.jsonl'), toText(lines));

export const appendJournal = (directory: string, lines: readonly MetricLine[]): void =>
  appendFileSync(join(directory, 'metrics.jsonl'), toText(lines));

/** A recorded sweep of `runs` runs with `steps` lines each. */
export const writeCompactSweep = (
  runsDirectory: string,
  {
    seed,
    runs,
    steps,
    experiment = `compact-${seed}`,
  }: { readonly seed: number; readonly runs: number; readonly steps: number; readonly experiment?: string },
): { readonly plan: Plan; readonly directories: readonly string[] } => {
  const made = makePlan({
    experiment,
    axes: { 'model.hiddenSize': Array.from({ length: runs }, (_, index) => 8 * (index + 1)) },
    steps: 20,
  });
  // Few files: the tests that use this are about points.
  const plan: Plan = { ...made, tracking: { mlflow: { artifacts: ['log'] } } };
  const directories = writeSweep(runsDirectory, plan);
  directories.forEach((directory, index) => writeJournal(directory, metricLines(seed * 100 + index, steps)));
  return { plan, directories };
};

/** Quick repetitions, and a patience that a loaded machine does not exhaust. */
export const impatient = {
  MLFLOW_HTTP_REQUEST_TIMEOUT: '3',
  MLFLOW_HTTP_REQUEST_MAX_RETRIES: '8',
  MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: '0.01',
  MLFLOW_HTTP_REQUEST_BACKOFF_JITTER: '0.01',
} as const;
