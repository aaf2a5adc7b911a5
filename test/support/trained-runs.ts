import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { success, type Success } from '../../src/diagnostic/diagnostic.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import type { Plan, Run } from '../../src/plan/plan.ts';
import { captureEnvironment } from '../../src/record/environment.ts';
import type { RunOutcome, TrainerEvent } from '../../src/record/events.ts';
import { freezePlan } from '../../src/record/frozen-plan.ts';
import { runDirectory } from '../../src/record/run-recorder.ts';
import { startFileOf } from '../../src/record/starting-weights.ts';
import { listRuns } from '../../src/record/read-runs.ts';
import { compareRuns } from '../../src/report/compare.ts';
import { renderComparison } from '../../src/report/render-compare.ts';
import { loadRunDetails } from '../../src/report/run-details.ts';
import { renderRun } from '../../src/report/show.ts';
import { runTags } from '../../src/mlflow/projection/tags.ts';
import { trackedRun } from './mlflow/tracked-run.ts';
import { weightsFinder } from '../../src/report/find-weights.ts';
import { withContinuations } from '../../src/runner/continuations.ts';
import { trainInDirectory } from '../../src/training/train-in-directory.ts';

/** What differs from a small LSTM on 60 toy sequences. */
export interface Sections {
  readonly name?: string;
  readonly model?: string;
  readonly optimizer?: string;
  readonly learningRate?: number;
  readonly steps?: number;
  /** Instead of `steps`. */
  readonly length?: string;
  readonly train?: string;
  readonly more?: string;
}

/** Plans a spec beside `runs/` as `unroll run` does. */
export const plan = async (
  folder: string,
  {
    name = 'parent',
    model = 'hiddenSize: 5',
    optimizer = 'name: adam',
    learningRate = 0.05,
    steps = 8,
    length,
    train = '',
    more = '',
  }: Sections,
): Promise<Success<Plan>> => {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(
    path,
    `version: 1
name: ${name}
dataset: { name: toy-sequences, trainSize: 60, testSize: 20, validationSize: 20 }
model: { name: lstm, ${model} }
optimizer: { ${optimizer}, learningRate: ${learningRate} }
train: { batchSize: 16, ${length ?? `steps: ${steps}`}, displayEvery: 1, ${train} }
${more}
`,
  );
  const runs = join(folder, 'runs');
  const planned = await planExperiment(path, { cores: 1, findWeights: weightsFinder(runs) });
  if (!planned.ok) throw new Error(planned.errors.map(({ message }) => message).join(' '));
  const continued = withContinuations(planned.value, runs);
  if (!continued.ok) throw new Error(continued.errors[0]?.message);
  return success(continued.value, [...planned.notices, ...continued.notices]);
};

/** The only run of a spec. */
export const planned = async (folder: string, sections: Sections): Promise<Run> => {
  const [run] = (await plan(folder, sections)).value.runs;
  if (!run) throw new Error('the spec has no run');
  return run;
};

/** Trains a run in this process; dies at a number of events. */
export const train = async (
  folder: string,
  run: Run,
  events = Infinity,
  warn: (message: string) => void = () => undefined,
): Promise<RunOutcome> => {
  const runsDirectory = join(folder, 'runs');
  let heard = 0;
  const startFile = startFileOf(run, { runsDirectory, baseDirectory: folder });
  return await trainInDirectory(
    {
      type: 'train',
      run,
      attempt: 1,
      fromTheStart: false,
      pauseAt: null,
      profile: false,
      directory: runDirectory(runsDirectory, run),
      baseDirectory: folder,
      environment: await captureEnvironment(folder, 'test'),
      threads: 1,
      ...(startFile !== undefined && { startFile }),
    },
    {
      listen: (event: TrainerEvent) => {
        if (event.type === 'record-distrusted') warn(event.message);
        if (event.type !== 'training-ended' && ++heard === events) throw new Error('killed');
      },
      onWait: () => undefined,
      onBegin: () => undefined,
      stopRequested: () => undefined,
    },
  );
};

/** Trains the only run of a spec and freezes its plan. */
export const trained = async (folder: string, sections: Sections): Promise<Run> => {
  const { value } = await plan(folder, sections);
  const [run] = value.runs;
  if (!run) throw new Error('the spec has no run');
  const outcome = await train(folder, run);
  if (outcome.reason !== 'completed') throw new Error(outcome.message);
  await freezePlan(value, join(folder, 'runs'));
  return run;
};

/** What `show`, `compare` and a tag on MLflow print of the origin of a run. */
export const shownOf = async (folder: string, run: Run): Promise<readonly (string | undefined)[]> => {
  const directory = runDirectory(join(folder, 'runs'), run);
  const details = await loadRunDetails(directory);
  const [recorded] = listRuns(join(folder, 'runs'), { experiment: run.experiment }).runs.filter(
    (one) => one.run.id === run.id,
  );
  if (!details.ok || !recorded) throw new Error('the run is not recorded');
  const wide = { width: 400, colour: false };
  const comparison = compareRuns([recorded], { objective: { metric: 'test/loss', goal: 'minimize' } });
  const tags = runTags(trackedRun(directory), undefined, { tags: {}, artifactGroups: new Set() });
  const phrase = /(continues from|starts from the weights of) .*/;
  return [
    phrase.exec(renderRun(details.value, wide))?.[0],
    phrase.exec(renderComparison(comparison, wide))?.[0],
    tags.find(({ key }) => key === 'unroll.origin')?.value,
  ];
};
