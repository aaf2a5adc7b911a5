import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { Execution } from '../language/config.ts';
import { planSchema, type Plan } from '../plan/plan.ts';
import { shellWord } from '../system/proposed-command.ts';
import { systemErrorOf, type SystemError } from '../system/system-error.ts';
import { jsonFileText, readJson, writeJson, writeNew } from '../system/files.ts';
import { waitBriefly } from '../system/lock.ts';
import { parserOf } from '../system/schema.ts';
import { sealed } from './digests.ts';
import { damaged, noUsable } from './parse-run-files.ts';
import { RecordUnreadable } from './record-unreadable.ts';
import { grownPlan } from './search-journal.ts';

/** The path of a sweep's frozen plan. */
export const frozenPlanPath = (
  runsDirectory: string,
  { experiment, sweepId }: Pick<Plan, 'experiment' | 'sweepId'>,
): string => join(runsDirectory, experiment, 'sweeps', `${sweepId}.json`);

/** Reads a frozen plan, without what its search has proposed; undefined if there is none. */
export const readFrozenPlan = (path: string): Result<Plan | undefined> => {
  let value: unknown;
  try {
    value = readJson(path);
  } catch (error) {
    const trouble = systemErrorOf(error);
    return failure(trouble ? unreadablePlan(path, trouble) : damagedPlan(path));
  }
  if (value === undefined) return success(undefined);
  const plan = planParser(value);
  return plan
    ? success(withoutSeal(plan))
    : failure(damagedPlan(path, noUsable(planParser.firstWrong(value))));
};

const withoutSeal = (file: Plan & { readonly sha256?: string }): Plan => {
  const plan = { ...file };
  delete plan.sha256;
  return plan;
};

const planParser = parserOf(planSchema);

const damagedPlan = (path: string, what = 'is not a whole plan'): Diagnostic => ({
  ...damaged(
    path,
    what,
    'If a later version of Unroll wrote it, use that version. Otherwise delete it and run the spec again: ' +
      `rm ${shellWord(path)}. Recorded runs are kept and not trained again.`,
  ),
  severity: 'error',
});

const unreadablePlan = (path: string, { what, advice }: SystemError): Diagnostic => ({
  ...damaged(path, `cannot be read: ${what}`, advice),
  severity: 'error',
});

/** The execution of a frozen plan; undefined before it is frozen. Throws `RecordUnreadable`. */
export const frozenExecution = (plan: Plan, runsDirectory: string): Execution | undefined =>
  readOrThrow(frozenPlanPath(runsDirectory, plan))?.execution;

const readOrThrow = (path: string): Plan | undefined => {
  const read = readFrozenPlan(path);
  if (read.ok) return read.value;
  const [first] = read.errors;
  throw new RecordUnreadable(first ?? damagedPlan(path));
};

/**
 * Freezes a plan when its sweep starts: from then on neither the spec's edits nor a machine with other cores touch it.
 * The plan on the disk decides the threads and kernels of its runs, because they decide the bits of their numbers; of
 * several processes that freeze it at the same moment, the first one. Rejects with `RecordUnreadable`.
 */
export const freezePlan = async (plan: Plan, runsDirectory: string): Promise<Plan> => {
  const path = frozenPlanPath(runsDirectory, plan);
  const first = frozenAs(plan, undefined);
  if (writeNew(path, jsonFileText(sealed(first)))) return grownPlan(first, path);
  const before = readOrThrow(path);
  const frozen = frozenAs(plan, before);
  if (isDeepStrictEqual(before, JSON.parse(JSON.stringify(frozen)))) return grownPlan(frozen, path);
  const lock = await waitBriefly(`${path}.freezing`);
  try {
    // Another process may have added kernels meanwhile.
    const updated = frozenAs(plan, readOrThrow(path));
    writeJson(path, sealed(updated));
    return grownPlan(updated, path);
  } finally {
    lock.release();
  }
};

/** A plan with the threads and kernels that were frozen before. */
const frozenAs = (plan: Plan, before: Plan | undefined): Plan => {
  const frozen = before?.execution;
  const execution = withThreads(plan.execution, frozen?.threadsPerRun ?? plan.execution.threadsPerRun);
  return { ...plan, execution: { ...execution, kernels: { ...execution.kernels, ...frozen?.kernels } } };
};

/** An execution with other threads for each run, within the same cores. */
export const withThreads = (execution: Execution, threadsPerRun: number): Execution => {
  const rest = { ...execution };
  delete rest.automatic;
  if (threadsPerRun === rest.threadsPerRun) return rest;
  // Fewer were chosen because more of them get less done.
  if (threadsPerRun < rest.threadsPerRun) delete rest.cores;
  const threads = rest.concurrency * rest.threadsPerRun;
  return { ...rest, threadsPerRun, concurrency: Math.max(1, Math.floor(threads / threadsPerRun)) };
};
