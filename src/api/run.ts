import type { Config } from '../registry/own/definitions.ts';
import type { Comparison } from '../report/compare.ts';
import { weightsFinder } from '../report/find-weights.ts';
import { writeRunPlots } from '../report/run-plots.ts';
import { checkFrozen } from '../runner/calibration/frozen-kernels.ts';
import { loadPlanCode } from '../runner/plan-code.ts';
import { childIsBuilt, notBuilt } from '../executor/local/pool.ts';
import { withContinuations, withEarlierIds } from '../runner/continuations.ts';
import { runExperiment } from '../runner/run-experiment.ts';
import { openSessionStore, startStoreSession } from '../runner/store-session.ts';
import type { Plan } from '../plan/plan.ts';
import { slowBackendWarning } from '../tensorflow/find-addon.ts';
import { maskedWord } from '../system/secrets.ts';
import type { RunListener, RunOutcome } from '../record/events.ts';
import { refusal } from '../mlflow/sync/target.ts';
import { trackSweep } from '../mlflow/track-sweep.ts';
import { runDirectory } from '../record/run-recorder.ts';
import { addedBy, withRuns } from '../record/search-journal.ts';
import { compare } from './compare.ts';
import { UnrollError, unwrap } from './error.ts';
import type { Experiment } from './experiment.ts';
import { plan as planOf, type PlanSettings } from './plan.ts';

export interface RunSettings extends PlanSettings {
  /** Where runs are recorded; `runs` by default. */
  readonly runsDirectory?: string;
  /** Called with everything that happens, in order: see `RunEvent`. */
  readonly listener?: RunListener;
  /** Ends the sweep in order: each run finishes its step and writes a checkpoint. Call `run` again to resume from there. */
  readonly signal?: AbortSignal;
  /** Train the runs again that are done or failed, from the start. */
  readonly force?: boolean;
  /** Train the runs again that failed by themselves. */
  readonly retryFailed?: boolean;
  /** Send to the MLflow server of the experiment or of MLFLOW_TRACKING_URI; true by default. */
  readonly mlflow?: boolean;
  /** Servers, besides loopback and MLFLOW_TRACKING_URI, that the experiment may send runs to. */
  readonly allowServers?: readonly string[];
  /**
   * The store of finished runs to take from and send to: a directory or `s3://bucket/prefix`; false for none. By default
   * that of UNROLL_STORE or of your config.
   */
  readonly store?: string | false;
}

/** How a sweep ended. */
export interface RunResult {
  readonly plan: Plan;
  /** By run id, those recorded before included. A run that failed is an outcome, never a throw. */
  readonly outcomes: Readonly<Record<string, RunOutcome>>;
  /** Ids of the runs that were trained now. */
  readonly trained: readonly string[];
  /** Ids of the runs that were taken from the store now. */
  readonly taken: readonly string[];
  readonly comparison: Comparison;
}

/** See `run` in `src/index.ts`. */
export const run = async <C extends Config>(
  what: Plan | Experiment<C> | string,
  settings: RunSettings = {},
): Promise<RunResult> => {
  const {
    runsDirectory = 'runs',
    listener = () => undefined,
    force = false,
    retryFailed = false,
    allowServers = [],
  } = settings;
  if (!childIsBuilt()) throw new UnrollError([notBuilt]);
  const planned =
    typeof what === 'object' && 'sweepId' in what
      ? what
      : unwrap(withContinuations(withEarlierIds(await planOf(what, settings), runsDirectory), runsDirectory));
  const bundle = unwrap(await loadPlanCode(planned, runsDirectory));
  const lost = await checkFrozen(planned, { runsDirectory, force });
  if (lost) throw new UnrollError([lost]);
  const slow = slowBackendWarning();
  if (slow)
    listener({ type: 'note', level: 'warning', message: `${slow.message} ${slow.help ?? ''}`.trim() });

  const refused =
    settings.mlflow === false
      ? undefined
      : refusal({
          settings: planned.tracking.mlflow,
          experiment: planned.experiment,
          allowServers,
        });
  if (refused) throw new UnrollError([refused]);

  const note = (level: 'info' | 'warning') => (message: string) => listener({ type: 'note', level, message });
  const opened = await openSessionStore({ store: settings.store });
  const openedStore = unwrap(opened);
  if (opened.ok)
    for (const { message, help = '' } of opened.notices) note('warning')(`${message} ${help}`.trim());
  const store = startStoreSession(openedStore, {
    options: { store: settings.store },
    runsDirectory,
    onTaken: (taken) => writeRunPlots(runDirectory(runsDirectory, taken)),
    note: (level, message) => note(level)(message),
  });
  await store.takeFinished(planned, { force, retryFailed });
  const tracker =
    settings.mlflow === false
      ? undefined
      : trackSweep({
          plan: planned,
          runsDirectory,
          allowServers,
          print: note('warning'),
          onLink: note('info'),
        });
  const plots: Promise<unknown>[] = [];
  // Grows where the sweep chooses further points.
  let known = planned;
  const { plan, trained, outcomes } = await runExperiment(planned, {
    runsDirectory,
    selection: { force, retryFailed },
    commandLine: process.argv.map(maskedWord).join(' '),
    bundle,
    findWeights: weightsFinder(runsDirectory),
    profile: false,
    take: force ? undefined : store.take,
    listener: (event) => {
      known = withRuns(known, addedBy(event));
      if (event.type === 'run-ended') {
        const ended = known.runs.find(({ id }) => id === event.runId);
        if (ended && !event.willRetry) plots.push(writeRunPlots(runDirectory(runsDirectory, ended)));
        store.listener(event, ended);
      }
      tracker?.listener(event);
      listener(event);
    },
    stop: settings.signal ?? new AbortController().signal,
    kill: new AbortController().signal,
  });
  await Promise.allSettled(plots);
  await tracker?.finish();
  const taken = await store.finish(plan);
  return {
    plan,
    outcomes,
    trained: trained.map(({ id }) => id),
    taken: taken.map(({ id }) => id),
    comparison: compare(plan, { runsDirectory }),
  };
};
