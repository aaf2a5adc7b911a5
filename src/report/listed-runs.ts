import { foldOf, isReplicateKey, runKey, type Plan, type Run } from '../plan/plan.ts';
import type { RecordedRun } from '../record/run-state.ts';
import type { Json } from '../system/json.ts';
import { settingsOf } from './varying.ts';

/** A recorded run with what distinguishes it from the others of its experiment. */
export interface ListedRun extends RecordedRun {
  /** Ids of the sweeps that contain it, the newest first. */
  readonly sweeps: readonly string[];
  /** The settings in which runs of its sweep, or of any two sweeps, differ, by path; the seed last. */
  readonly settings: Readonly<Record<string, Json>>;
}

/** Adds to recorded runs the sweeps that they belong to (given the newest first), and what distinguishes them. */
export const listedRuns = (
  recorded: readonly RecordedRun[],
  sweeps: readonly { readonly plan: Plan }[],
): ListedRun[] => {
  const sweepsOf = new Map<string, string[]>();
  for (const { plan } of sweeps) {
    for (const run of plan.runs) {
      const key = runKey(run);
      const ids = sweepsOf.get(key);
      if (ids) ids.push(plan.sweepId);
      else sweepsOf.set(key, [plan.sweepId]);
    }
  }
  const experiments = [...new Set(recorded.map(({ run }) => run.experiment))];
  const readers = new Map(
    experiments.map((experiment) => [
      experiment,
      settingsReader(recorded.flatMap(({ run }) => (run.experiment === experiment ? [run] : []))),
    ]),
  );
  return recorded.map((one) => ({
    ...one,
    sweeps: sweepsOf.get(runKey(one.run)) ?? [],
    settings: readers.get(one.run.experiment)?.(one.run) ?? one.run.varying,
  }));
};

const settingsReader = (runs: readonly Run[]): ((run: Run) => Record<string, Json>) => {
  const { flatOf, varying } = settingsOf(runs);
  const planned = new Set(runs.flatMap((run) => Object.keys(run.varying)));
  const paths = [...new Set([...planned, ...varying])].filter((path) => !isReplicateKey(path));
  const seeds = planned.has('seed') || new Set(runs.map(({ seed }) => seed)).size > 1;
  return (run) => {
    const flat = flatOf(run);
    const settings: Record<string, Json> = {};
    for (const path of paths) {
      const value = run.varying[path] ?? flat.get(path);
      if (value !== undefined) settings[path] = value;
    }
    const fold = foldOf(run);
    return {
      ...settings,
      ...(fold !== undefined && { fold }),
      ...(seeds && { seed: run.seed }),
    };
  };
};
