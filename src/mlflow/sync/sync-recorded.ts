import { basename, dirname, join } from 'node:path';
import { asError, type Diagnostic, failure, type Result, success } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { counted } from '../../terminal/format.ts';
import { listExperiments } from '../../record/read-runs.ts';
import { resolveRun } from '../../record/resolve-run.ts';
import type { Answer } from '../client/problem.ts';
import type { TrackedRun } from '../journal/record.ts';
import { recordedGroups, type RecordedGroup } from '../journal/sweeps.ts';
import { connect } from './connect.ts';
import type { SyncContext } from './context.ts';
import { syncGroup } from './sync-group.ts';
import { refusal, resolveTarget, trackingUri } from './target.ts';
import { verifyRun } from './verify.ts';
import { announcedWaits } from '../client/announced-waits.ts';
import type { SyncReport } from './results.ts';

export interface SyncOptions {
  readonly runsDirectory: string;
  /** A run (beginning of its id) or an experiment; everything by default. */
  readonly what?: string;
  /** Another server than the one that the spec or MLFLOW_TRACKING_URI names. */
  readonly to?: string;
  /** Reads everything back afterwards and compares. */
  readonly verify?: boolean;
  /** Restores a deleted experiment. */
  readonly restore?: boolean;
  /** Servers that a spec may name in this command. */
  readonly allowServers?: readonly string[];
  /** Asks the user whether a spec may send runs to a server that is not allowed yet. */
  readonly confirm?: (refused: Diagnostic, uri: string) => Promise<boolean>;
  /** What to do with each chosen run once the server has all of it. */
  readonly whenComplete?: (context: SyncContext, record: TrackedRun) => Promise<Answer<unknown>>;
  readonly print: (line: string) => void;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

interface SyncSelection {
  readonly experiments: readonly string[];
  readonly run?: string;
}

const select = ({ runsDirectory, what }: SyncOptions): Result<SyncSelection> => {
  const experiments = listExperiments(runsDirectory);
  if (what === undefined) return success({ experiments });
  if (experiments.includes(what)) return success({ experiments: [what] });
  const run = resolveRun(runsDirectory, what);
  if (run.ok) return success({ experiments: [basename(dirname(run.value))], run: basename(run.value) });
  const near = nearest(what, experiments);
  return near === undefined ? run : failure({ ...(run.errors[0] as Diagnostic), nearest: near });
};

const isLive = (records: RecordedGroup['all']): boolean =>
  [...records.values()].some(({ state }) => state === 'running');

const keepRun = (group: RecordedGroup, run: string | undefined): RecordedGroup | undefined => {
  if (run === undefined) return group;
  const record = group.own.get(run);
  return record && { ...group, own: new Map([[run, record]]) };
};

const verifyAll = async (
  context: SyncContext,
  group: RecordedGroup,
): Promise<{
  readonly problem?: Diagnostic;
  readonly verified: number;
  readonly points: number;
  readonly differing: SyncReport['differences'];
}> => {
  const differing: { run: string; differences: readonly string[] }[] = [];
  let verified = 0;
  let points = 0;
  for (const [run, record] of group.own) {
    if (record.recording === undefined) continue;
    const result = await verifyRun(context, record);
    if (!result.ok) return { problem: result.errors[0], verified, points, differing };
    verified++;
    points += result.value.points;
    if (result.value.differences.length > 0) differing.push({ run, differences: result.value.differences });
  }
  return { verified, points, differing };
};

/**
 * `unroll sync`: sends what is recorded and not yet on the server, to any server, as often as wanted. The result is the
 * same however often it was interrupted. What cannot be read is left out, with a notice. Errors are for exit code 2;
 * differences found by `verify` for exit code 1.
 */
export const syncRecorded = async (options: SyncOptions): Promise<Result<SyncReport>> => {
  const { runsDirectory, print, env = process.env } = options;
  const selected = select(options);
  if (!selected.ok) return selected;
  const { experiments, run } = selected.value;
  const links: string[] = [];
  const locked: string[] = [];
  const problems: Diagnostic[] = [];
  const differences: SyncReport['differences'][number][] = [];
  const sum = { runs: 0, complete: 0, withoutFiles: 0, points: 0, rejected: 0, verified: 0 };
  let anyRun = false;
  let anyTarget = false;
  const noticed = new Set<string>();
  const notice = (message: string) => {
    // Each run of a sweep may have the same trouble.
    if (!noticed.has(message)) print(message);
    noticed.add(message);
  };
  let allowServers = options.allowServers ?? [];

  for (const experiment of experiments) {
    const recorded = recordedGroups(runsDirectory, experiment);
    problems.push(...recorded.problems);
    for (const whole of recorded.groups) {
      const group = keepRun(whole, run);
      if (!group || group.own.size === 0) continue;
      anyRun = true;
      const settings = group.plan?.tracking.mlflow;
      const targetOptions = {
        settings,
        experiment,
        runsDirectory,
        env,
        ...(options.to !== undefined && { to: options.to }),
      };
      const uri = trackingUri(targetOptions);
      if (uri === undefined) continue;
      const refused = refusal({ ...targetOptions, allowServers });
      if (refused && (await options.confirm?.(refused, uri))) allowServers = [...allowServers, uri];
      const target = resolveTarget({ ...targetOptions, allowServers });
      if (!target) continue;
      anyTarget = true;
      if (!target.ok) return target;
      const connected = await connect(target.value, {
        notice,
        ...announcedWaits(print),
        checkRuns: true,
        ...(settings?.artifacts && { artifacts: settings.artifacts }),
        ...(options.restore !== undefined && { restore: options.restore }),
        ...(options.signal && { signal: options.signal }),
      });
      if (!connected.ok) return connected;
      const { context, client } = connected.value;
      try {
        const synced = await syncGroup(
          context,
          { runsDirectory, plan: group.plan, own: group.own, all: whole.all, live: isLive(whole.all) },
          { lockWaitMs: 120_000, concurrency: 2 },
        );
        if (!synced.ok) return synced;
        sum.runs += group.own.size;
        sum.complete += synced.value.complete.size;
        sum.withoutFiles += synced.value.withoutFiles.size;
        sum.points += synced.value.points;
        sum.rejected += synced.value.rejected;
        locked.push(...synced.value.locked);
        if (synced.value.link !== undefined) links.push(synced.value.link);
        print(
          `${join(runsDirectory, experiment)}: ${counted(group.own.size, 'run')}, ${counted(synced.value.points, 'point')} sent to ${target.value.connection.uri}`,
        );
        for (const [id, record] of group.own) {
          const done = synced.value.complete.has(id)
            ? await options.whenComplete?.(context, record)
            : undefined;
          if (done?.ok === false) return done;
        }
        if (options.verify) {
          const { problem, verified, points, differing } = await verifyAll(context, group);
          if (problem) return failure(problem);
          sum.verified += verified;
          differences.push(...differing);
          print(
            differing.length === 0
              ? `  verified: ${counted(verified, 'run')} with ${counted(points, 'point')}, equal on the server`
              : `  ${differing.length} of ${verified} runs differ`,
          );
          for (const { run: id, differences: found } of differing)
            for (const difference of found) print(`  ${id}: ${difference}`);
        }
        if (synced.value.link !== undefined) print(`  ${synced.value.link}`);
      } finally {
        await client.close();
      }
    }
  }
  if (!anyRun && problems.length > 0) return failure(...problems.map(asError));
  if (!anyTarget && experiments.length > 0)
    return failure({
      code: 'tracking',
      severity: 'error',
      message: 'No MLflow server is named.',
      help: `Give --to http://127.0.0.1:5000, set MLFLOW_TRACKING_URI, or write tracking.mlflow.uri into the spec. "${proposedCommand(['mlflow'], runsDirectory)}" starts a server.`,
    });
  return success({ ...sum, locked, links, differences }, problems);
};
