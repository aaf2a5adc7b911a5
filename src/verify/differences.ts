import { join } from 'node:path';
import { digestOfNamed } from '../record/digests.ts';
import { readMetricSeries, type MetricSeries } from '../record/read-metrics.ts';
import { surroundingFields, type EnvironmentFile, type StatusFile } from '../record/run-files.ts';
import type { StoredTensor } from '../system/safetensors.ts';
import type { Run } from '../plan/plan.ts';

/** A difference from the recorded run. */
export interface Difference {
  readonly what: string;
  readonly recorded: string | number | null;
  readonly now: string | number | null;
}

/** Numbers this close count as rounded differently. */
export const tolerance = 1e-6;

/** How far apart two numbers are, as a part of the larger one where that is above 1; 0 for the same bits. */
export const distanceOf = (a: number, b: number): number => {
  if (Object.is(a, b)) return 0;
  const distance = Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b));
  return Number.isNaN(distance) ? Infinity : Math.max(distance, Number.MIN_VALUE);
};

/** A number of a run that did not come out the same. */
export interface Deviation {
  readonly what: string;
  readonly step: number;
  readonly distance: number;
}

/** Compares each recorded metric up to a step, in the order of the steps. A value that is missing is infinitely far away. */
export const metricDeviations = (
  recorded: string,
  again: string,
  upTo: number,
): { readonly compared: number; readonly deviations: readonly Deviation[] } => {
  const [before, after] = [readMetricSeries(recorded), readMetricSeries(again)];
  const deviations: Deviation[] = [];
  let compared = 0;
  for (const [metric, { steps, values }] of before) {
    const now = valuesByStep(after.get(metric));
    for (const [index, step] of steps.entries()) {
      if (step > upTo) break;
      compared++;
      const distance = distanceOf(values[index] ?? Number.NaN, now.get(step) ?? Infinity);
      if (distance > 0) deviations.push({ what: metric, step, distance });
    }
  }
  return { compared, deviations: deviations.sort((a, b) => a.step - b.step) };
};

const valuesByStep = (series: MetricSeries | undefined): ReadonlyMap<number, number> =>
  new Map(series?.steps.map((step, index) => [step, series.values[index] ?? Number.NaN]));

/** Compares tensors; those of one side alone are infinitely far away. */
export const weightDeviations = (
  recorded: ReadonlyMap<string, StoredTensor>,
  again: ReadonlyMap<string, StoredTensor>,
  step: number,
): readonly Deviation[] =>
  [...new Set([...recorded.keys(), ...again.keys()])].flatMap((name) => {
    const [before, after] = [recorded.get(name), again.get(name)];
    const isSameShape = before && after && before.shape.join() === after.shape.join();
    const distance = isSameShape ? largest(before.values, after.values) : Infinity;
    return distance > 0 ? [{ what: name, step, distance }] : [];
  });

const largest = (before: Float32Array, after: Float32Array): number => {
  let most = 0;
  for (let at = 0; at < before.length; at++)
    most = Math.max(most, distanceOf(before[at] as number, after[at] as number));
  return most;
};

/** What a difference shows of a record that lacks a field, as earlier ones do. */
const notRecorded = 'not recorded';

/**
 * The differences of two machines that may change numbers although the run is the same. What an earlier version did not
 * record may explain other numbers only, so it is left out if they are the same.
 */
export const environmentDifferences = (
  recorded: EnvironmentFile | undefined,
  now: EnvironmentFile | undefined,
  sameNumbers: boolean,
): readonly Difference[] =>
  surroundingFields.flatMap((what) => {
    const before = recorded?.[what];
    if (before === undefined && (sameNumbers || now?.[what] === undefined)) return [];
    const pair = { recorded: before === undefined ? notRecorded : before, now: now?.[what] ?? null };
    return pair.recorded === pair.now ? [] : [{ what, ...pair }];
  });

/** Changes since the record that decide a run's numbers. */
export const contentDifferences = (recorded: Run, now: Run): readonly Difference[] => {
  const short = (digest: string | undefined) => digest?.slice(0, 12) ?? null;
  const { dataset, model, optimizer, loss } = recorded.config;
  const names = { dataset, model, optimizer, loss };
  const kinds = ['dataset', 'model', 'optimizer', 'loss'] as const;
  const pairs: readonly Difference[] = [
    {
      what: `data of ${dataset.name}`,
      recorded: short(recorded.datasetDigest),
      now: short(now.datasetDigest),
    },
    ...kinds.map((kind) => ({
      what: `code of the ${kind} ${names[kind]?.name ?? ''}`,
      recorded: short(recorded.code?.[kind]),
      now: short(now.code?.[kind]),
    })),
    ...Object.entries(recorded.code?.metrics ?? {}).map(([name, digest]) => ({
      what: `code of the metric ${name}`,
      recorded: short(digest),
      now: short(now.code?.metrics?.[name]),
    })),
    ...([...kinds, 'trainer'] as const).map((part) => ({
      what: `version of the ${part}`,
      recorded: recorded.versions[part] ?? null,
      now: now.versions[part] ?? null,
    })),
    { what: 'pretrained vectors', recorded: short(recorded.vectors), now: short(now.vectors) },
    { what: 'starting weights', recorded: short(recorded.start?.sha256), now: short(now.start?.sha256) },
  ];
  return pairs.filter((pair) => pair.recorded !== pair.now);
};

/** The recorded files that have changed since the run ended. */
export const changedFiles = (directory: string, { files = {} }: StatusFile): readonly Difference[] =>
  Object.entries(files).flatMap(([name, { sha256 }]) => {
    const now = digestOfNamed(join(directory, name))?.sha256;
    return now === sha256
      ? []
      : [{ what: name, recorded: sha256.slice(0, 12), now: now?.slice(0, 12) ?? null }];
  });
