import { dirname, resolve } from 'node:path';
import { vectorsDigest } from '../data/vectors/vectors.ts';
import { pretrainedOf } from '../data/vectors/setting.ts';
import type { Row } from '../parameters/row.ts';
import { runKey, type Plan, type Run } from '../plan/plan.ts';
import type { RecordedRun } from '../record/run-state.ts';
import { findRow, namedSections, registry as builtIn, type Registry, type Table } from '../registry/rows.ts';
import { askDataset, registryIn } from './run-ground.ts';
import { markStale, type PresentContent } from './staleness.ts';

/**
 * Marks the runs that would not be trained the same way today, by the data and the code as they are now. `sweeps` (the
 * newest first) contain the folders of the runs' specs.
 */
export const markStaleNow = async (
  runs: readonly RecordedRun[],
  sweeps: readonly { readonly plan: Plan }[],
): Promise<RecordedRun[]> => {
  const folders = new Map<string, string>();
  for (const { plan } of sweeps) {
    const folder = dirname(resolve(plan.spec.path));
    for (const run of plan.runs) if (!folders.has(runKey(run))) folders.set(runKey(run), folder);
  }
  const registries = new Map<string, Registry>();
  const contents = new Map<string, PresentContent>();
  const contentKey = (run: Run) => {
    const { dataset, model, optimizer, loss } = run.config;
    const names = [model.name, model['embedding'], optimizer.name, loss?.name];
    return JSON.stringify([folders.get(runKey(run)), dataset, ...names, !run.code]);
  };
  for (const { run, state } of runs) {
    const key = contentKey(run);
    const folder = folders.get(runKey(run));
    if (state !== 'done' || folder === undefined || contents.has(key)) continue;
    // A config is code: only runs that use it need it.
    const registry = run.code ? (registries.get(folder) ?? (await registryIn(folder))) : builtIn;
    if (run.code) registries.set(folder, registry);
    contents.set(key, await contentOf(run, registry, folder));
  }
  return markStale(runs, (run) => contents.get(contentKey(run)) ?? {});
};

const contentOf = async (run: Run, registry: Registry, baseDirectory: string): Promise<PresentContent> => {
  const { dataset } = run.config;
  const datasetDigest = await askDataset(run, registry, (row) => row.digest(dataset, { baseDirectory }));
  const vectors = await presentVectors(run, baseDirectory);
  const code = codeOf(run, registry);
  return {
    ...(datasetDigest !== undefined && { datasetDigest }),
    ...(vectors !== undefined && { vectors }),
    ...(code && { code }),
  };
};

/** The digest of the pretrained vectors as they are now; undefined if the model reads none, or they cannot be read. */
const presentVectors = async (
  { config: { model } }: Run,
  baseDirectory: string,
): Promise<string | undefined> => {
  const files = pretrainedOf(model);
  try {
    return files && (await vectorsDigest(files, { baseDirectory }));
  } catch {
    return undefined;
  }
};

/** The digests of the user's own entries that a run uses, as they are now; undefined if one of them no longer exists. */
const codeOf = ({ config, code }: Run, registry: Registry): Run['code'] => {
  if (!code) return undefined;
  const origins = namedSections
    .filter((kind) => code[kind] !== undefined)
    .map((kind) => {
      const table: Table<Row> = registry[kind];
      return [kind, findRow(table, config[kind]?.name ?? '')?.origin?.digest] as const;
    });
  const metrics = Object.keys(code.metrics ?? {}).map(
    (name) => [name, findRow(registry.metric ?? {}, name)?.origin.digest] as const,
  );
  if ([...origins, ...metrics].some(([, digest]) => digest === undefined)) return undefined;
  return {
    ...Object.fromEntries(origins),
    ...(code.metrics && { metrics: Object.fromEntries(metrics) as Record<string, string> }),
  };
};
