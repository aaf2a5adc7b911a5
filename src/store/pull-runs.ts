import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { frozenPlanPath, readFrozenPlan } from '../record/frozen-plan.ts';
import { grownPlan } from '../record/search-journal.ts';
import type { RunKey } from './contents.ts';
import { eachRun } from './each-run.ts';
import type { Store, SweepKey } from './store.ts';
import { takeRun } from './take-run.ts';

/**
 * The runs of a store that words mean: experiments, and sweeps and runs by the beginning of their id; everything without a
 * word. The frozen plans of their sweeps are brought at once. Rejects with a `StoreError`.
 */
export const chooseRunsToPull = async (
  store: Store,
  words: readonly string[],
  runsDirectory: string,
): Promise<Result<readonly RunKey[]>> => {
  const sweeps = await store.sweeps();
  const experiments = await store.experiments();
  const chosen = new Map<string, RunKey>();
  const keep = (experiment: string, id: string) => chosen.set(`${experiment}/${id}`, { experiment, id });
  const pullPlan = (sweep: SweepKey) => store.pullSweep(sweep, frozenPlanPath(runsDirectory, sweep));
  for (const word of words.length > 0 ? words : experiments) {
    if (experiments.includes(word)) {
      for (const id of await store.finished(word)) keep(word, id);
      for (const sweep of sweeps.filter(({ experiment }) => experiment === word)) {
        const plan = await pullPlan(sweep);
        if (!plan.ok) return plan;
      }
      continue;
    }
    const ofId = sweeps.filter(({ sweepId }) => word !== '' && sweepId.startsWith(word));
    for (const sweep of ofId) {
      const plan = await pullPlan(sweep);
      if (!plan.ok) return plan;
      const path = frozenPlanPath(runsDirectory, sweep);
      const frozen = readFrozenPlan(path);
      if (!frozen.ok) return frozen;
      if (frozen.value)
        for (const { experiment, id } of grownPlan(frozen.value, path).runs) keep(experiment, id);
    }
    if (ofId.length > 0) continue;
    const found = await findInStore(store, word, experiments);
    if (!found.ok) return found;
    keep(found.value.experiment, found.value.id);
  }
  return success([...chosen.values()]);
};

/** The run by the beginning of its id, or of `experiment/id`. */
const findInStore = async (
  store: Store,
  word: string,
  experiments: readonly string[],
): Promise<Result<RunKey>> => {
  const known: RunKey[] = [];
  for (const experiment of experiments)
    for (const id of await store.finished(experiment)) known.push({ experiment, id });
  const found = known.filter(
    ({ experiment, id }) => id.startsWith(word) || `${experiment}/${id}`.startsWith(word),
  );
  const [first, second] = found;
  if (first && !second && word !== '') return success(first);
  const near = first ? undefined : nearest(word, [...experiments, ...known.map(({ id }) => id)]);
  return failure({
    code: first ? 'ambiguous-run' : 'unknown-run',
    severity: 'error',
    message: first
      ? `${found.length} runs of the store start with "${word}".`
      : `The store ${store.address} has no experiment, sweep or run "${word}".`,
    expected: 'the name of an experiment, or the beginning of the id of a sweep or a run',
    got: word,
    ...(near !== undefined && { nearest: near }),
    help: first ? 'Write more letters of the id.' : 'Without a name, everything of the store is pulled.',
  });
};

export interface PullReport {
  /** `experiment/id` of the runs that were brought. */
  readonly pulled: readonly string[];
  /** How many were finished here before. */
  readonly here: number;
  /** How many the store does not have. */
  readonly missing: number;
  /** How many another process trains here. */
  readonly held: number;
  readonly errors: readonly Diagnostic[];
}

/** Runs that are brought at the same time. */
const atOnce = 8;

/** Brings runs into a runs directory. A store or a disk that cannot be used ends it. */
export const pullRuns = async (
  store: Store,
  runs: readonly RunKey[],
  {
    runsDirectory,
    stop,
    onPulled,
  }: {
    readonly runsDirectory: string;
    readonly stop: AbortSignal;
    readonly onPulled: (run: RunKey) => Promise<void>;
  },
): Promise<PullReport> => {
  const errors: Diagnostic[] = [];
  const pulled: string[] = [];
  const count = { here: 0, missing: 0, held: 0 };
  await eachRun(runs, { atOnce, stop, errors }, async (run) => {
    const taken = await takeRun(store, run, { runsDirectory });
    if (taken.kind === 'bad') errors.push(...taken.errors);
    else if (taken.kind !== 'taken') count[taken.kind]++;
    else {
      pulled.push(`${run.experiment}/${run.id}`);
      await onPulled(run);
    }
  });
  return { pulled, ...count, errors };
};
