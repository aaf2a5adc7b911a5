import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostEnvironment } from '../../src/record/run-files.ts';
import type { TrainRequest } from '../../src/training/protocol.ts';
import { trainInDirectory } from '../../src/training/train-in-directory.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import type { Run } from '../../src/plan/plan.ts';
import type { RunOutcome, TrainerEvent } from '../../src/record/events.ts';
import type { MetricLine } from '../../src/record/run-files.ts';

/** The only run of a spec on 60 toy sequences. */
export const toyRun = async (
  folder: string,
  sections: { readonly model: string; readonly optimizer: string; readonly train: string },
): Promise<Run> => {
  const path = join(folder, 'spec.yaml');
  writeFileSync(
    path,
    `version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 60, testSize: 20, validationSize: 20 }
model: { ${sections.model} }
optimizer: { ${sections.optimizer} }
train: { batchSize: 16, displayEvery: 1, ${sections.train} }
`,
  );
  const plan = await planExperiment(path, { cores: 1 });
  if (!plan.ok) throw new Error(plan.errors.map(({ message }) => message).join(' '));
  const [run] = plan.value.runs;
  if (!run) throw new Error('the spec has no run');
  return run;
};

class Killed extends Error {}

/** Trains in a directory of this process; fails in the middle after so many events, and calls `listen` for each. */
export const trainUntil = async (
  run: Run,
  directory: string,
  events: number,
  {
    listen = () => undefined,
    ...more
  }: Partial<Pick<TrainRequest, 'kernel' | 'startFile'>> & { listen?: (event: TrainerEvent) => void } = {},
): Promise<RunOutcome> => {
  let heard = 0;
  return await trainInDirectory(
    {
      type: 'train',
      run,
      attempt: 1,
      fromTheStart: false,
      pauseAt: null,
      profile: false,
      directory,
      baseDirectory: directory,
      environment: {} as HostEnvironment,
      threads: 1,
      ...more,
    },
    {
      listen: (event) => {
        listen(event);
        if (event.type !== 'training-ended' && ++heard === events) throw new Killed('killed');
      },
      onWait: () => undefined,
      onBegin: () => undefined,
      stopRequested: () => undefined,
    },
  );
};

/** Recorded metric lines without their times: what must be the same at every repetition. */
export const metricsIn = (directory: string): Omit<MetricLine, 'time'>[] =>
  readFileSync(join(directory, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { step, metrics } = JSON.parse(line) as MetricLine;
      return { step, metrics };
    });
