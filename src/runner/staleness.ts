import { versionOf, type Row } from '../parameters/row.ts';
import { findRow, namedSections, registry, type NamedSectionKind, type Table } from '../registry/rows.ts';
import { canonicalJson } from '../system/json.ts';
import type { CodeDigests, Run } from '../plan/plan.ts';
import { trainerVersion } from '../plan/run-identity.ts';
import type { RecordedRun } from '../record/run-state.ts';

/**
 * Equal for runs of the same resolved configuration and seed, whatever their data and code. Paths count: files with other
 * content in another place are other data, not a new state of the same; a sweep over two files would make one of them stale.
 */
export const settingsKey = ({ config, seed }: Run): string => `${seed} ${canonicalJson(config)}`;

/**
 * The versions of code that this program would train a configuration with; 0 for an unknown name. An entry of the user's
 * own is identified by its code instead, and only the config contains its present state.
 */
export const versionsNow = ({ config, versions, code = {} }: Run): Run['versions'] => {
  const version = (kind: NamedSectionKind): number => {
    const table: Table<Row> = registry[kind];
    const section = config[kind];
    if (code[kind] !== undefined) return versions[kind] ?? 0;
    const row = section && findRow(table, section.name);
    return row ? versionOf(row, section) : 0;
  };
  return {
    dataset: version('dataset'),
    model: version('model'),
    optimizer: version('optimizer'),
    ...(config.loss && { loss: version('loss') }),
    trainer: trainerVersion,
  };
};

const versionChanges = ({ config, versions }: Run, now: Run['versions']): string[] =>
  ([...namedSections, 'trainer'] as const)
    .filter((part) => versions[part] !== now[part])
    .map((part) => {
      const name = part === 'trainer' ? 'the trainer' : `the ${part} ${config[part]?.name ?? ''}`;
      return now[part] === 0
        ? `${name} no longer exists`
        : `${name} is now version ${now[part] ?? 0}, was ${versions[part] ?? 0}`;
    });

/** What has changed in this program since a run was planned; empty where it would be trained the same way today. */
export const codeChanges = (run: Run): readonly string[] => versionChanges(run, versionsNow(run));

/** What has changed between an earlier run and a planned one of the same settings. */
export const changesSince = (earlier: Run, planned: Run): readonly string[] => [
  ...(earlier.datasetDigest === planned.datasetDigest
    ? []
    : [`the data of ${planned.config.dataset.name} has changed`]),
  ...(earlier.vectors === planned.vectors ? [] : ['the vectors of the embedding have changed']),
  ...versionChanges(earlier, planned.versions),
  ...(earlier.start?.sha256 === planned.start?.sha256
    ? []
    : ['the weights that it starts from have changed']),
  ...namedSections
    .filter((kind) => earlier.code?.[kind] !== planned.code?.[kind])
    .map((kind) => `the code of the ${kind} ${planned.config[kind]?.name ?? ''} has changed`),
  ...metricChanges(earlier.code?.metrics, planned.code?.metrics),
];

const metricChanges = (
  before: CodeDigests['metrics'] = {},
  now: CodeDigests['metrics'] = {},
): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => before[name] !== now[name])
    .map((name) => {
      if (before[name] === undefined) return `the metric ${name} is new`;
      return now[name] === undefined
        ? `the metric ${name} no longer exists`
        : `the code of the metric ${name} has changed`;
    });

/** The content that a run would use today; a part that is unknown is absent. */
export interface PresentContent {
  readonly datasetDigest?: string;
  /** Digest of the model's pretrained vectors. */
  readonly vectors?: string;
  /** Digests of the user's own entries. */
  readonly code?: CodeDigests;
}

/**
 * Recorded runs, with those marked `stale` that are done but would not be trained the same way today, because the data or
 * the code has changed. `contentNow` returns what is known of a run's data and of the code of the user's own entries
 * today; for what it leaves out, a later run of the same settings shows what has changed.
 */
export const markStale = (
  runs: readonly RecordedRun[],
  contentNow: (run: Run) => PresentContent = () => ({}),
): RecordedRun[] => {
  const supersededBy = laterOnOtherContent(runs);
  return runs.map((one) => {
    if (one.state !== 'done') return one;
    const { run } = one;
    const last = supersededBy(one)?.run ?? run;
    const changes = changesSince(run, { ...last, ...contentNow(run), versions: versionsNow(run) });
    return changes.length > 0 ? { ...one, state: 'stale', reason: sentence(changes) } : one;
  });
};

export const sentence = (changes: readonly string[]): string => {
  const text = changes.join(', and ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
};

/** Differs between runs with other data other vectors or other code of the user's own entries. */
const contentKey = ({ datasetDigest, vectors, code }: Run): string =>
  [datasetDigest, vectors, code && canonicalJson(code)].filter((part) => part !== undefined).join(' ');

const laterOnOtherContent = (runs: readonly RecordedRun[]) => {
  // Most experiments have seen one state of their data and code: then no settings need be compared.
  const digests = new Map<string, string>();
  let changed = false;
  for (const { run } of runs) {
    const { dataset, model, optimizer, loss } = run.config;
    const rows = `${run.experiment} ${JSON.stringify([dataset, model.name, model['embedding'], optimizer.name, loss?.name])}`;
    const known = digests.get(rows);
    const content = contentKey(run);
    changed ||= known !== undefined && known !== content;
    digests.set(rows, content);
  }
  if (!changed) return () => undefined;
  const key = ({ run }: RecordedRun) => `${run.experiment} ${settingsKey(run)}`;
  const begun = (one: RecordedRun) => one.status?.startedAt ?? 0;
  const latest = new Map<string, RecordedRun>();
  for (const one of runs) {
    const known = latest.get(key(one));
    if (!known || begun(one) > begun(known)) latest.set(key(one), one);
  }
  return (one: RecordedRun): RecordedRun | undefined => {
    const last = latest.get(key(one));
    return last && contentKey(last.run) !== contentKey(one.run) ? last : undefined;
  };
};
