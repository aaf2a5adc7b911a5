import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import { keepUserInfo } from '../../system/secrets.ts';
import { readFrozenPlan } from '../../record/frozen-plan.ts';
import { grownPlan } from '../../record/search-journal.ts';
import { backoffMs, wait } from '../client/backoff.ts';
import type { MlflowClient } from '../client/client.ts';
import { isBlocking, isPassing, type Problem } from '../client/problem.ts';
import { deadServerMs } from '../client/transport.ts';
import { connect } from '../sync/connect.ts';
import type { SyncContext } from '../sync/context.ts';
import { syncGroup } from '../sync/sync-group.ts';
import { resolveTarget, syncOptions, type Target } from '../sync/target.ts';
import type { UploaderReport, UploaderSettings, Unsent } from './protocol.ts';
import { startSampling } from './sample-runs.ts';
import { watchRecords } from './watch-records.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { fileNames } from '../../record/run-files.ts';
import { countPoints, fileStart } from '../journal/metric-file.ts';
import type { TrackedRun } from '../journal/record.ts';
import { progressOf, readCursor } from '../sync/cursor.ts';

/** An uploader at work. */
export interface Upload {
  /** Sends the rest for at most so long, then returns what is left. */
  readonly finish: (drainMs: number) => Promise<void>;
  /** Ends a `finish` that is under way within so long. */
  readonly finishWithin: (drainMs: number) => void;
}

/** With the time of the transmission itself this stays below five seconds. */
const defaultEverySeconds = 4;

/**
 * Sends a sweep while it is trained, every few seconds, from its files alone: it never holds up training, and
 * what it does not get done is sent by `unroll sync`. A server that is away is tried again and again; one that refuses
 * its user is left alone, with one sentence.
 */
export const startUpload = (settings: UploaderSettings, report: (report: UploaderReport) => void): Upload => {
  const { runsDirectory, experiment, sweepId, allowServers, uriWithUserInfo } = settings;
  if (uriWithUserInfo !== undefined) keepUserInfo(uriWithUserInfo);
  const planPath = join(runsDirectory, experiment, 'sweeps', `${sweepId}.json`);
  const read = readFrozenPlan(planPath);
  const plan = read.ok && read.value ? grownPlan(read.value, planPath) : undefined;
  const notice = (message: string) => report({ type: 'notice', message });
  const nothingToSend: Upload = {
    finish: () => {
      report({ type: 'finished', sent: 0, unsent: null });
      return Promise.resolve();
    },
    finishWithin: () => undefined,
  };
  if (!plan) {
    const [trouble] = read.ok ? [] : read.errors;
    const why = trouble ? sentence(trouble) : `The plan of sweep ${sweepId} is gone.`;
    // Only the plan holds the settings, but the command has passed on their address.
    const named = uriWithUserInfo === undefined ? undefined : { uri: uriWithUserInfo };
    const options = syncOptions({ settings: named, to: settings.to, allowServers });
    const later = proposedCommand(['sync', experiment, ...options], runsDirectory);
    notice(`${why} Nothing is sent to MLflow meanwhile. Send it with "${later}".`);
    return nothingToSend;
  }
  const mlflow = plan.tracking.mlflow;
  const target = resolveTarget({
    settings: mlflow,
    experiment,
    runsDirectory,
    ...(settings.to !== undefined && { to: settings.to }),
    ...(allowServers && { allowServers }),
  });
  if (!target?.ok) {
    if (target) notice(sentence(target.errors[0]));
    return nothingToSend;
  }
  return upload({ settings, plan, planPath, target: target.value, report });
};

const sentence = ({ message, help }: Diagnostic): string =>
  help === undefined ? message : `${message} ${help}`;

const upload = ({
  settings: { runsDirectory, to, allowServers = [] },
  plan: frozen,
  planPath,
  target,
  report,
}: {
  readonly settings: UploaderSettings;
  readonly plan: Plan;
  readonly planPath: string;
  readonly target: Target;
  readonly report: (report: UploaderReport) => void;
}): Upload => {
  // A sweep may choose further points while it runs.
  let plan = frozen;
  const watched = watchRecords(runsDirectory, () => plan);
  const stopSampling = startSampling(runsDirectory, () => plan);
  const stopper = new AbortController();
  const wake = { now: () => undefined as void };
  const everyMs = 1000 * (plan.tracking.mlflow?.everySeconds ?? defaultEverySeconds);
  let server: { readonly context: SyncContext; readonly client: MlflowClient } | undefined;
  let finishing: { readonly startedAt: number; deadline: number } | undefined;
  let blocked = false;
  let failures = 0;
  let sent = 0;
  let link: string | undefined;
  const reported = new Set<string>();

  const notice = (message: string) => {
    // The same trouble every few seconds is one trouble.
    if (reported.has(message)) return;
    reported.add(message);
    report({ type: 'notice', message });
  };

  const attempt = async (): Promise<Problem | undefined> => {
    if (!server) {
      const connected = await connect(target, {
        notice,
        retries: 0,
        signal: stopper.signal,
        ...(plan.tracking.mlflow?.artifacts && { artifacts: plan.tracking.mlflow.artifacts }),
      });
      if (!connected.ok) return connected.errors[0];
      server = connected.value;
    }
    const live = finishing === undefined;
    plan = grownPlan(plan, planPath);
    watched.refresh();
    // At the end a look at everything: a plot is drawn after its run has ended.
    const own = live ? watched.incomplete() : watched.all;
    if (!live) for (const problem of [...watched.problems.values()].flat()) notice(sentence(problem));
    const synced = await syncGroup(
      server.context,
      { runsDirectory, plan, own, all: watched.all, live },
      { lockWaitMs: live ? 0 : 5000, concurrency: 2 },
    );
    if (!synced.ok) return synced.errors[0];
    sent += synced.value.points;
    for (const id of synced.value.complete) watched.markComplete(id);
    // Another attempt would store no more; the notice gives the reason.
    for (const id of synced.value.withoutFiles) watched.markComplete(id);
    if (synced.value.link !== undefined && synced.value.link !== link)
      report({ type: 'linked', link: (link = synced.value.link) });
    return undefined;
  };

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake.now = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const handle = (problem: Problem) => {
    if (problem.kind === 'stopped') return;
    failures++;
    // Nothing listens there: waiting longer at the end would only keep people waiting.
    if (finishing && !server && problem.kind === 'unreachable')
      finishing.deadline = Math.min(finishing.deadline, finishing.startedAt + deadServerMs);
    notice(sentence(problem));
    if (isBlocking(problem) || !isPassing(problem)) blocked = true;
  };

  const run = async () => {
    while (!blocked) {
      const last = finishing !== undefined;
      const problem = await attempt();
      if (problem) handle(problem);
      else failures = 0;
      if (last && (!problem || Date.now() >= (finishing?.deadline ?? 0))) return;
      if (finishing && !last) continue;
      await pause(
        problem
          ? Math.min(
              finishing ? 1000 : 30_000,
              backoffMs(failures, target.connection, problem.retryAfterMs, randomInt(1000) / 1000),
            )
          : everyMs,
      );
    }
  };
  const running = run();

  const finish = async (drainMs: number): Promise<void> => {
    finishing = { startedAt: Date.now(), deadline: Date.now() + drainMs };
    wake.now();
    const cut = setTimeout(() => stopper.abort(), drainMs);
    await Promise.race([running, wait(drainMs + 2000, stopper.signal).then(() => wait(500))]);
    clearTimeout(cut);
    stopSampling();
    watched.refresh();
    const left = [...watched.incomplete().values()].filter(({ status }) => status !== null);
    const unsent = countUnsent(left, target.connection.uri, {
      plan,
      runsDirectory,
      options: syncOptions({ settings: plan.tracking.mlflow, to, allowServers }),
    });
    report({ type: 'finished', sent, unsent });
    stopper.abort();
  };

  const finishWithin = (drainMs: number) => void setTimeout(() => stopper.abort(), drainMs);

  return { finish, finishWithin };
};

/** Counts what a server does not have of the given runs; nothing when it has all. */
const countUnsent = (
  incomplete: readonly TrackedRun[],
  uri: string,
  {
    plan,
    runsDirectory,
    options,
  }: {
    readonly plan: Plan;
    readonly runsDirectory: string;
    /** Options of `unroll sync` that lead to the server. */
    readonly options: readonly string[];
  },
): Unsent | null => {
  if (incomplete.length === 0) return null;
  const points = incomplete.reduce((sum, { directory }) => {
    const cursor = readCursor(directory, uri);
    const left = [fileNames.metrics, fileNames.system].map((file) =>
      countPoints(join(directory, file), cursor ? progressOf(cursor, file).done : fileStart),
    );
    return sum + left.reduce((a, b) => a + b, 0);
  }, 0);
  return {
    runs: incomplete.length,
    points,
    command: proposedCommand(['sync', plan.experiment, ...options], runsDirectory),
  };
};
