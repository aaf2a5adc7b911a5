import { encodeNumber } from '../system/json.ts';
import { createColours } from '../terminal/colours.ts';
import type { Json } from '../system/json.ts';
import { formatMetric, formatValue } from '../terminal/format.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import { surroundingFields } from '../record/run-files.ts';
import type { TextOptions } from './render-compare.ts';
import type { RunDetails } from './run-details.ts';
import { flattenConfig } from '../plan/flat-settings.ts';

/** One thing in which two runs differ; null where a run does not have it. */
export interface Differing {
  readonly path: string;
  readonly one: Json;
  readonly other: Json;
}

/** How two runs differ, as data. */
export interface RunDiff {
  readonly one: string;
  readonly other: string;
  /** Settings and the seed. */
  readonly configuration: readonly Differing[];
  /** Dataset content, versions of code and of the machine: what may change numbers although the settings are equal. */
  readonly surroundings: readonly Differing[];
  /** The value of every metric that either has; `difference` is other minus one. */
  readonly metrics: readonly (Differing & { readonly difference: number | null })[];
  /** The first step at which recorded minibatch losses differ, if they are recorded at the same steps; else null. */
  readonly partsAtStep: number | null;
}

export const diffRuns = (one: RunDetails, other: RunDetails): RunDiff => ({
  one: one.recorded.run.id,
  other: other.recorded.run.id,
  configuration: differing(settings(one), settings(other)),
  surroundings: differing(surroundings(one), surroundings(other)),
  metrics: metricsOf(one, other),
  partsAtStep: partsAt(one, other),
});

const differing = (one: ReadonlyMap<string, Json>, other: ReadonlyMap<string, Json>): Differing[] =>
  [...new Set([...one.keys(), ...other.keys()])]
    .map((path) => ({ path, one: one.get(path) ?? null, other: other.get(path) ?? null }))
    .filter((pair) => JSON.stringify(pair.one) !== JSON.stringify(pair.other));

const settings = ({ recorded: { run } }: RunDetails): Map<string, Json> =>
  flattenConfig(run.config).set('seed', run.seed);

const surroundings = ({ recorded: { run }, environment }: RunDetails): Map<string, Json> => {
  const known = new Map<string, Json>([['datasetDigest', run.datasetDigest.slice(0, 12)]]);
  for (const [key, version] of Object.entries(run.versions)) known.set(`versions.${key}`, version);
  if (!environment) return known;
  for (const key of surroundingFields) known.set(key, environment[key] ?? null);
  if (environment.git) {
    known.set('git.commit', environment.git.commit.slice(0, 12));
    known.set('git.dirty', environment.git.dirty);
  }
  return known;
};

const metricsOf = (one: RunDetails, other: RunDetails): RunDiff['metrics'] =>
  [...new Set([...Object.keys(one.values), ...Object.keys(other.values)])].map((path) => {
    const a = one.values[path];
    const b = other.values[path];
    const json = (value: number | undefined) => (value === undefined ? null : encodeNumber(value));
    const difference = a !== undefined && b !== undefined && Number.isFinite(b - a) ? b - a : null;
    return { path, one: json(a), other: json(b), difference };
  });

const partsAt = (one: RunDetails, other: RunDetails): number | null => {
  const a = one.series.get('train/loss');
  const b = other.series.get('train/loss');
  if (!a || !b) return null;
  const at = a.steps.findIndex((step, i) => step !== b.steps[i] || !Object.is(a.values[i], b.values[i]));
  return at === -1 || a.steps[at] !== b.steps[at] ? null : (a.steps[at] ?? null);
};

/** The differences of two runs as text. */
export const renderDiff = (diff: RunDiff, { width, colour }: TextOptions): string => {
  const pc = createColours(colour);
  const column = (title: string, align: Column['align'] = 'right'): Column => ({
    title,
    align,
    keep: Infinity,
  });
  const columns = [column('', 'left'), column(diff.one.slice(0, 8)), column(diff.other.slice(0, 8))];
  const section = (title: string, pairs: readonly Differing[]) => {
    if (pairs.length === 0) return [pc.bold(title), '  no difference', ''];
    const rows = pairs.map((pair) =>
      [`  ${pair.path}`, formatValue(pair.one), formatValue(pair.other)].map((text) => ({ text })),
    );
    return [pc.bold(title), ...renderTable(columns, rows, { width, title: pc.dim }), ''];
  };
  const measured = (value: Json) => (typeof value === 'number' ? formatMetric(value) : formatValue(value));
  const metrics = diff.metrics.map(({ path, one, other, difference }) =>
    [`  ${path}`, measured(one), measured(other), difference === null ? '' : signed(difference)].map(
      (text) => ({
        text,
      }),
    ),
  );
  const metricColumns = [...columns, column('difference')];
  const lines = [
    ...section('configuration', diff.configuration),
    ...section('surroundings', diff.surroundings),
    pc.bold('metrics'),
    ...(metrics.length > 0 ? renderTable(metricColumns, metrics, { width, title: pc.dim }) : ['  none']),
    '',
  ];
  if (diff.partsAtStep !== null) lines.push(`Their losses part at step ${diff.partsAtStep}.`);
  return lines.join('\n').trimEnd();
};

const signed = (difference: number): string =>
  difference === 0 ? 'equal' : `${difference > 0 ? '+' : ''}${formatMetric(difference)}`;
