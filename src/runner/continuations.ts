import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { trainingEnds, type TrainConfig } from '../language/train-section.ts';
import { dependsOnLength, scheduleOf } from '../optimizers/common.ts';
import {
  filesOf,
  identityOfModel,
  identityOfTrain,
  withoutPaths,
  namesFiles,
  runIdOf,
} from '../plan/run-identity.ts';
import type { Plan, Run } from '../plan/plan.ts';
import { patienceIsOver } from '../record/kept-weights.ts';
import { listRuns } from '../record/read-runs.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { fileNames } from '../record/run-files.ts';
import { canonicalJson } from '../system/json.ts';
import { checkpointOfEnd } from '../training/checkpoint.ts';
import { sweepIdOf } from '../plan/plan-experiment.ts';

/**
 * A plan in which each new run continues from the longest recorded run that differs in its length alone. Notices explain why a
 * run does not continue from one that it could be expected to.
 */
export const withContinuations = (plan: Plan, runsDirectory: string): Result<Plan> => {
  // A search that prunes decides by evaluations at steps that a longer run would skip.
  if (plan.search) return success(plan);
  const recorded = listRuns(runsDirectory, { experiment: plan.experiment }).runs;
  if (recorded.length === 0) return success(plan);
  const known = new Map(recorded.map((one) => [one.run.id, one]));
  const shorter = new Map<string, RecordedRun[]>();
  for (const one of recorded) {
    if (one.status?.outcome?.reason !== 'completed') continue;
    const key = keyOf(one.run);
    shorter.set(key, [...(shorter.get(key) ?? []), one]);
  }
  const reasons = new Map<string, { readonly run: Run; readonly parent: Run }>();
  const runs = plan.runs.map((run): Run => {
    const own = known.get(run.id);
    if (own && own.state !== 'new') return withParent(run, own.run.continues);
    const [parent] = (shorter.get(keyOf(run)) ?? [])
      .filter((one) => lengthOf(one.run) < lengthOf(run))
      .sort((a, b) => lengthOf(b.run) - lengthOf(a.run));
    if (!parent) return run;
    const why = obstacle(parent);
    if (why === undefined) return withParent(run, placeOf(parent));
    reasons.set(why, { run, parent: parent.run });
    return run;
  });
  const notices = [...reasons].map(([why, { run, parent }]) => startsOver(run, parent, why));
  return success({ ...plan, runs }, notices);
};

const withParent = (run: Run, continues: Run['continues']): Run => (continues ? { ...run, continues } : run);

const endOf = (train: TrainConfig) => trainingEnds.find((name) => train[name] !== null) ?? 'steps';

const lengthOf = ({ config: { train } }: Run): number => train[endOf(train)] ?? 0;

/** Equal for runs that differ in their length alone. */
const keyOf = (run: Run): string => {
  const { config, seed, datasetDigest, versions, code, start, vectors } = run;
  const end = endOf(config.train);
  const dataset = withoutPaths(config.dataset, filesOf(run));
  const train = { ...identityOfTrain(config.train, start), [end]: 'any' };
  const model = identityOfModel(config.model, vectors);
  return canonicalJson({
    ...config,
    dataset,
    model,
    train,
    seed,
    datasetDigest,
    versions,
    code: code ?? null,
  });
};

/** Why a longer training cannot continue from a run, as the end of a sentence. */
const obstacle = ({ run, directory, status }: RecordedRun): string | undefined => {
  const { optimizer, train } = run.config;
  const schedule = scheduleOf(optimizer);
  if (schedule && dependsOnLength(schedule))
    return `the schedule ${schedule.name} depends on the length of the training`;
  if (!existsSync(join(directory, fileNames.checkpoints, 'last.safetensors')))
    return train.earlyStopping
      ? 'early stopping ended it, or its last checkpoint was deleted'
      : 'its last checkpoint is not there';
  const state = checkpointOfEnd(directory);
  if (state?.step !== status?.outcome?.step) return 'its last checkpoint cannot be used';
  const { earlyStopping, evaluateEvery } = train;
  const isOver =
    state && earlyStopping && evaluateEvery !== null
      ? patienceIsOver(earlyStopping, state.best, { step: state.step, evaluateEvery })
      : false;
  return isOver ? 'early stopping ended it' : undefined;
};

const placeOf = ({ run, status }: RecordedRun): NonNullable<Run['continues']> => {
  const { epochs } = run.config.train;
  return { run: run.id, step: status?.outcome?.step ?? 0, ...(epochs !== null && { epoch: epochs }) };
};

const startsOver = (run: Run, parent: Run, why: string): Diagnostic => ({
  code: 'conflict',
  severity: 'notice',
  message: `Run ${run.id} starts over, although run ${parent.id} is the same but shorter: ${why}.`,
  expected: 'a run with its last checkpoint, and a learning rate that does not depend on the length',
  got: why,
  help: 'Nothing to do: the numbers are the same, they only take longer.',
});

/**
 * A plan in which runs keep the ids they were recorded by. Up to version 0.1 the path of a data file was part of an id, so
 * a recorded run may have another id than the same run planned today; its record, its sweep and its frozen plan are found
 * by the old one.
 */
export const withEarlierIds = (plan: Plan, runsDirectory: string): Plan => {
  if (!plan.runs.some(namesFiles)) return plan;
  const recorded = listRuns(runsDirectory, { experiment: plan.experiment }).runs.map(({ run }) => run);
  const ids = new Set(recorded.map(({ id }) => id));
  const earlier = new Map<string, Run>();
  for (const run of recorded) {
    const id = runIdOf(run);
    // The last begun comes first.
    if (id !== run.id && !ids.has(id) && !earlier.has(id)) earlier.set(id, run);
  }
  if (earlier.size === 0) return plan;
  const cells = new Map<string, string>();
  for (const { id, cell } of plan.runs) {
    const known = earlier.get(id);
    if (known) cells.set(cell, known.cell);
  }
  const runs = plan.runs.map((run) => ({
    ...run,
    id: earlier.get(run.id)?.id ?? run.id,
    cell: cells.get(run.cell) ?? run.cell,
  }));
  return { ...plan, runs, sweepId: sweepIdOf(runs, plan.search) };
};
