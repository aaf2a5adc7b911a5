import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { asError, type Diagnostic, failure, type Result, success } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import type { Objective } from '../language/config.ts';
import { runKey, type Plan } from '../plan/plan.ts';
import { listExperiments, listRuns } from '../record/read-runs.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { listSweeps, type RecordedSweep } from '../record/read-sweeps.ts';
import { proposedCommand } from '../system/proposed-command.ts';
import { compareRuns, type Comparison } from './compare.ts';

/** Sweeps to compare, the newest first. */
export interface ChosenSweeps {
  readonly sweeps: readonly { readonly plan: Plan; readonly frozenAt: number | null }[];
  /** How many more sweeps of their experiments are recorded. */
  readonly otherSweeps: number;
}

export interface Choice {
  /** Experiments, or the first letters of the ids of sweeps. */
  readonly names?: readonly string[];
  /** The first letters of the ids of sweeps; of the named experiments where there are some. */
  readonly sweepIds?: readonly string[];
  /** Every sweep of the named experiments, or of all. */
  readonly all?: boolean;
}

/**
 * The recorded sweeps that names and ids mean: the latest of each experiment unless others are asked for, and the latest
 * of all without a name. The word that is wrong is `got` of its diagnostic.
 */
export const chooseSweeps = (
  runsDirectory: string,
  { names = [], sweepIds = [], all = false }: Choice,
): Result<ChosenSweeps> => {
  const { sweeps, problems } = listSweeps(runsDirectory);
  const [latest] = sweeps;
  const unreadable = problems.map(asError);
  if (!latest) return failure(...(unreadable.length > 0 ? unreadable : [nothingRecorded(runsDirectory)]));

  const ofName = names.map((name) => sweeps.filter(({ plan }) => plan.experiment === name));
  const named = ofName.flat();
  const chosen = new Set<RecordedSweep>();
  const errors: Diagnostic[] = [];
  const take = (found: Result<readonly RecordedSweep[]>) => {
    if (found.ok) found.value.forEach((one) => chosen.add(one));
    else errors.push(...found.errors);
  };
  for (const id of sweepIds) take(sweepsById(id, named.length > 0 ? named : sweeps, unknownSweep));
  for (const [at, name] of names.entries()) {
    const own = ofName[at] ?? [];
    const unknown = () => unknownExperiment(name, { names: listExperiments(runsDirectory), runsDirectory });
    const folder = join(runsDirectory, name);
    const refused = unreadable.filter(({ message }) => message.startsWith(`${folder}/`));
    if (own.length === 0 && refused.length > 0 && existsSync(folder)) return failure(...refused);
    if (own.length === 0) take(sweepsById(name, sweeps, unknown));
    else if (!own.some((one) => chosen.has(one)) && errors.length === 0)
      take(success(all ? own : own.slice(0, 1)));
  }
  // The chosen sweep may be unreadable.
  if (errors.length > 0) return failure(...unreadable, ...errors);
  if (chosen.size === 0) take(success(all ? sweeps : [latest]));

  const experiments = new Set([...chosen].map(({ plan }) => plan.experiment));
  const known = sweeps.filter(({ plan }) => experiments.has(plan.experiment)).length;
  return success({ sweeps: sweeps.filter((one) => chosen.has(one)), otherSweeps: known - chosen.size });
};

/** The sweeps whose id begins so. Experiments with the same runs have sweeps of the same id: those are all meant. */
const sweepsById = (
  written: string,
  sweeps: readonly RecordedSweep[],
  unknown: (written: string, sweeps: readonly RecordedSweep[]) => Diagnostic,
): Result<readonly RecordedSweep[]> => {
  const found = written === '' ? [] : sweeps.filter(({ plan }) => plan.sweepId.startsWith(written));
  const ids = idsOf(found);
  if (ids.length === 0) return failure(unknown(written, sweeps));
  if (ids.length === 1) return success(found);
  return failure({
    code: 'ambiguous-run',
    severity: 'error',
    message: `${ids.length} sweeps start with "${written}".`,
    expected: `one of ${listed(ids)}`,
    got: written,
    help: 'Write more letters of the id.',
  });
};

export const nothingRecorded = (runsDirectory: string): Diagnostic => ({
  code: 'unknown-run',
  severity: 'error',
  message: `No sweep is recorded in ${runsDirectory}.`,
  help: `\`${proposedCommand(['run', 'SPEC'], runsDirectory)}\` trains and records one; \`--runs-directory\` reads another folder.`,
});

/** Nothing is recorded under a name. */
export const unknownExperiment = (
  wanted: string,
  { names, runsDirectory }: { readonly names: readonly string[]; readonly runsDirectory: string },
): Diagnostic => {
  const near = nearest(wanted, names);
  return {
    code: 'unknown-name',
    severity: 'error',
    message: `Nothing is recorded as "${wanted}" in ${runsDirectory}.`,
    expected:
      names.length > 0
        ? `an experiment (${names.join(', ')}) or the id of a sweep`
        : 'a recorded experiment; there is none yet',
    got: wanted,
    ...(near && { nearest: near }),
    help: `\`${proposedCommand(['ls'], runsDirectory)}\` lists what is recorded.`,
  };
};

const unknownSweep = (id: string, sweeps: readonly RecordedSweep[]): Diagnostic => {
  const ids = idsOf(sweeps);
  const near = nearest(id, ids);
  return {
    code: 'unknown-name',
    severity: 'error',
    message: `No sweep has an id that begins with "${id}".`,
    expected: `the first letters of one of ${listed(ids)}`,
    got: id,
    ...(near && { nearest: near }),
    help: 'Leave `--sweep` out for the latest sweep, or use `--all` for every sweep.',
  };
};

const idsOf = (sweeps: readonly RecordedSweep[]) => [...new Set(sweeps.map(({ plan }) => plan.sweepId))];

const listed = (ids: readonly string[]) => ids.slice(0, 8).join(', ') + (ids.length > 8 ? ', ...' : '');

/** The recorded runs that belong to sweeps, in the order of their plans. */
export const runsOfSweeps = ({ sweeps }: ChosenSweeps, runsDirectory: string) => {
  const experiments = [...new Set(sweeps.map(({ plan }) => plan.experiment))];
  const lists = experiments.map((experiment) => listRuns(runsDirectory, { experiment }));
  const recorded = new Map(lists.flatMap(({ runs }) => runs).map((one) => [runKey(one.run), one]));
  const planned = new Set(sweeps.flatMap(({ plan }) => plan.runs.map(runKey)));
  return {
    runs: [...planned].flatMap((key) => recorded.get(key) ?? []),
    problems: lists.flatMap(({ problems }) => problems),
  };
};

/** Compares the runs of sweeps; a run that several of them contain counts once. */
export const compareSweeps = (
  { sweeps, otherSweeps }: ChosenSweeps,
  recorded: readonly RecordedRun[],
  options: {
    /** Paths to group by instead of by configuration. */
    readonly groupBy?: readonly string[] | undefined;
    /** Leaves out planned runs that are not recorded. */
    readonly recordedOnly?: boolean;
  } = {},
): Comparison => {
  const { groupBy, recordedOnly = false } = options;
  const planned = new Map(sweeps.flatMap(({ plan }) => plan.runs.map((run) => [runKey(run), run] as const)));
  // The newest sweep of an experiment decides what its runs are ranked by.
  const objectives = new Map<string, Objective>();
  for (const { plan } of sweeps) {
    if (!objectives.has(plan.experiment)) objectives.set(plan.experiment, plan.objective);
  }
  const [first] = sweeps;
  if (!first) throw new Error('At least one sweep is compared.');
  return compareRuns(recorded, {
    objective: first.plan.objective,
    objectives,
    axes: [...new Set(sweeps.flatMap(({ plan }) => plan.axes))],
    sweeps: sweeps.map(({ plan, frozenAt }) => ({
      id: plan.sweepId,
      experiment: plan.experiment,
      frozenAt,
      runIds: new Set(plan.runs.map(({ id }) => id)),
    })),
    otherSweeps,
    ...(!recordedOnly && { planned: [...planned.values()] }),
    ...(groupBy && { groupBy }),
  });
};
