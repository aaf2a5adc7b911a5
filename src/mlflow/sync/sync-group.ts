import type { Plan } from '../../plan/plan.ts';
import { waitForLockUnless } from '../../system/lock.ts';
import { systemErrorOf } from '../../system/system-error.ts';
import { success } from '../../diagnostic/diagnostic.ts';
import { failedBy, type Answer, isBlocking, isPassing, problem, type Problem } from '../client/problem.ts';
import type { TrackedRun } from '../journal/record.ts';
import { sweepDirectory } from '../journal/sweeps.ts';
import { compareLink } from '../projection/link.ts';
import type { SweepPlace } from '../projection/tags.ts';
import type { SyncContext } from './context.ts';
import { lockPath, readCursor } from './cursor.ts';
import { shareRun, syncRun } from './sync-run.ts';
import { hasParent, openSweepOutbox, publishView, syncSweepRun, type TrackedSweep } from './sync-sweep.ts';

/** What is sent together: the runs of a plan (or runs without one). */
export interface SyncGroup {
  readonly runsDirectory: string;
  readonly plan: Plan | undefined;
  /** The runs to send. */
  readonly own: ReadonlyMap<string, TrackedRun>;
  /** Every begun run of the plan, for the table of results. */
  readonly all: ReadonlyMap<string, TrackedRun>;
  readonly live: boolean;
}

export interface GroupSynced {
  readonly points: number;
  /** Runs of which the server has everything. */
  readonly complete: ReadonlySet<string>;
  /** Runs of which the server has everything but files, which it cannot store. */
  readonly withoutFiles: ReadonlySet<string>;
  /** Runs that another process is sending. */
  readonly locked: ReadonlySet<string>;
  readonly rejected: number;
  readonly link: string | undefined;
}

export interface GroupOptions {
  /** How long to wait for a lock before a run is passed over. */
  readonly lockWaitMs: number;
  /** Two requests at a time are all that a server makes use of. */
  readonly concurrency: number;
}

/**
 * Runs under the lock of a directory for this server; `undefined`: another process held it for too long. An error of the
 * operating system, such as a full disk, is a problem like others: it must not end the process that sends.
 */
const underLock = async <T>(
  context: SyncContext,
  { directory, waitMs }: { readonly directory: string; readonly waitMs: number },
  work: () => Promise<Answer<T>>,
): Promise<Answer<T> | undefined> => {
  const path = lockPath(directory, context.client.uri);
  const deadline = Date.now() + waitMs;
  try {
    const lock = await waitForLockUnless(
      path,
      () => Date.now() >= deadline || context.signal?.aborted === true,
    );
    if ('heldBy' in lock) return undefined;
    try {
      return await work();
    } finally {
      lock.release();
    }
  } catch (error) {
    const trouble = systemErrorOf(error);
    if (!trouble) throw error;
    return problem(trouble.scope === 'machine' ? 'machine' : 'file', `${trouble.message}.`, {
      help: trouble.advice,
    });
  }
};

/** Whether to stop with everything: the server is away, or the user must do something first. */
const stopsAll = (problem: Problem): boolean => isPassing(problem) || isBlocking(problem);

/**
 * Sends a group: the parent first, so that its runs can point at it, then run by run until nothing is left, then the
 * parent's table, files and status. A run that the server refuses does not hold up the others.
 */
export const syncGroup = async (
  given: SyncContext,
  group: SyncGroup,
  { lockWaitMs, concurrency }: GroupOptions,
): Promise<Answer<GroupSynced>> => {
  const { plan, runsDirectory } = group;
  const { adoptRunId, ...withoutAdoption } = given;
  const parented = plan !== undefined && hasParent(plan);
  const context: SyncContext = parented ? withoutAdoption : given;
  const sweep: TrackedSweep | undefined = parented
    ? { runsDirectory, plan, records: group.all, live: group.live }
    : undefined;
  const parentContext = { ...withoutAdoption, ...(adoptRunId !== undefined && { adoptRunId }) };

  const complete = new Set<string>();
  const withoutFiles = new Set<string>();
  const locked = new Set<string>();
  let points = 0;
  let rejected = 0;
  let parentRunId: string | undefined;

  const ofParent = <T>(work: (opened: TrackedSweep) => Promise<Answer<T>>): Promise<Answer<T> | undefined> =>
    sweep
      ? underLock(given, { directory: sweepDirectory(runsDirectory, sweep.plan), waitMs: lockWaitMs }, () =>
          work(sweep),
        )
      : Promise.resolve(undefined);

  const parent = await ofParent((opened) => openSweepOutbox(parentContext, opened));
  if (parent && !parent.ok) return parent;
  parentRunId = parent?.value.cursor().runId;
  if (sweep && parentRunId === undefined)
    parentRunId = readCursor(sweepDirectory(runsDirectory, sweep.plan), given.client.uri)?.runId;
  // Without its parent a run would be alone: whoever holds the parent sends these runs, too.
  if (sweep && parentRunId === undefined)
    return success({
      points,
      complete,
      withoutFiles,
      locked: new Set(group.own.keys()),
      rejected,
      link: undefined,
    });

  const syncOne = async (id: string, record: TrackedRun): Promise<Problem | undefined> => {
    const place: SweepPlace | undefined = plan && { plan, parentRunId };
    for (;;) {
      const synced = await underLock(given, { directory: record.directory, waitMs: lockWaitMs }, () =>
        syncRun(context, record, place),
      );
      if (synced === undefined) {
        locked.add(id);
        return undefined;
      }
      if (!synced.ok) {
        if (stopsAll(synced.errors[0])) return synced.errors[0];
        given.notice(
          `${record.run.id}: ${synced.errors[0].message}${synced.errors[0].help ? ` ${synced.errors[0].help}` : ''}`,
        );
        return undefined;
      }
      points += synced.value.points;
      rejected += synced.value.rejected;
      if (synced.value.complete) complete.add(id);
      if (synced.value.withoutFiles) withoutFiles.add(id);
      if (!synced.value.more || given.signal?.aborted) return undefined;
    }
  };

  const queue = [...group.own].filter(([, record]) => record.recording !== undefined);
  let stopped: Problem | undefined;
  const work = async () => {
    for (let next = queue.shift(); next && !stopped; next = queue.shift()) stopped ??= await syncOne(...next);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  if (stopped) return failedBy(stopped);

  if (sweep && parentRunId !== undefined) {
    const place = { sweepId: sweep.plan.sweepId, parentRunId };
    for (const [id, record] of group.all) {
      if (group.own.has(id) || given.signal?.aborted) continue;
      const shared = await underLock(given, { directory: record.directory, waitMs: lockWaitMs }, () =>
        shareRun(context, record, place),
      );
      if (shared && !shared.ok && stopsAll(shared.errors[0])) return shared;
    }
  }

  let viewKey: string | undefined;
  const finished = await ofParent(async (opened) => {
    const outbox = await openSweepOutbox({ ...parentContext, checkRuns: false }, opened);
    if (!outbox.ok) return outbox;
    viewKey = await publishView(outbox.value, opened);
    return syncSweepRun(outbox.value, opened);
  });
  if (finished && !finished.ok) return finished;

  const link =
    plan &&
    compareLink({
      uri: given.client.uri,
      experimentId: given.experimentId,
      objective: plan.objective,
      ...(parentRunId !== undefined && { sweep: { sweepId: plan.sweepId, parentRunId } }),
      ...(viewKey !== undefined && { viewKey }),
    });
  return success({ points, complete, withoutFiles, locked, rejected, link });
};
