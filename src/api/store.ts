import { runDirectory } from '../record/run-recorder.ts';
import { referredDirectory } from '../report/best-run.ts';
import { writeRunPlots } from '../report/run-plots.ts';
import { requiredStore } from '../store/open-address.ts';
import { chooseRunsToPull, pullRuns } from '../store/pull-runs.ts';
import { chooseRunsToPush, pushRuns } from '../store/push-runs.ts';
import { StoreError } from '../store/backend.ts';
import { UnrollError, unwrap } from './error.ts';

export interface PullSettings {
  /** Where runs are recorded; `runs` by default. */
  readonly runsDirectory?: string;
  /** A directory or `s3://bucket/prefix`; by default that of UNROLL_STORE or of your config. */
  readonly store?: string;
  /** Ends the transfer after the runs that are on their way. */
  readonly signal?: AbortSignal;
}

export interface PushSettings extends PullSettings {
  /** Replace what the store has of these runs; false by default. */
  readonly force?: boolean;
}

/** What was sent to a store. Runs are named `experiment/id`. */
export interface PushResult {
  /** The address of the store. */
  readonly store: string;
  readonly pushed: readonly string[];
  /** How many runs the store had before. */
  readonly there: number;
  /** How many runs are not finished, and so not sent. */
  readonly notFinished: number;
}

/** What was brought from a store. Runs are named `experiment/id`. */
export interface PullResult {
  /** The address of the store. */
  readonly store: string;
  readonly pulled: readonly string[];
  /** How many runs were finished here before. */
  readonly here: number;
  /** How many runs the store does not have. */
  readonly missing: number;
  /** How many runs another process trains here. */
  readonly held: number;
}

const never = new AbortController().signal;

const give = 'the setting `store`';

/** See `push` in `src/index.ts`. */
export const push = async (
  what: string | readonly string[] = [],
  { runsDirectory = 'runs', store: address, force = false, signal = never }: PushSettings = {},
): Promise<PushResult> => {
  const chosen = unwrap(
    chooseRunsToPush(runsDirectory, [what].flat(), (word) => referredDirectory(word, runsDirectory)),
  );
  const store = unwrap(await requiredStore({ store: address }, give));
  const { errors, ...report } = await pushRuns(store, chosen, {
    force,
    stop: signal,
    onPushed: () => undefined,
  }).finally(() => store.close());
  if (errors.length > 0) throw new UnrollError(errors);
  return { store: store.address, ...report };
};

/** See `pull` in `src/index.ts`. */
export const pull = async (
  what: string | readonly string[] = [],
  { runsDirectory = 'runs', store: address, signal = never }: PullSettings = {},
): Promise<PullResult> => {
  const store = unwrap(await requiredStore({ store: address }, give));
  try {
    const chosen = unwrap(await chooseRunsToPull(store, [what].flat(), runsDirectory));
    const { errors, ...report } = await pullRuns(store, chosen, {
      runsDirectory,
      stop: signal,
      onPulled: async (run) => {
        await writeRunPlots(runDirectory(runsDirectory, run)).catch(() => undefined);
      },
    });
    if (errors.length > 0) throw new UnrollError(errors);
    return { store: store.address, ...report };
  } catch (error) {
    throw error instanceof StoreError ? new UnrollError([error.diagnostic]) : error;
  } finally {
    await store.close();
  }
};
