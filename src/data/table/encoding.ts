import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { embeddingSizeOf } from '../columns/categories.ts';
import { strategyOf } from '../columns/missing.ts';
import type { CategoryFeature } from '../dataset.ts';
import { keptJson } from '../packed-folder.ts';
import type { TablePreprocessing } from '../preprocessing.ts';
import { sortedLabels } from './labels.ts';
import { deltaTime, type Pack, type PackDescription } from './pack.ts';
import type { TableSettings } from './parameters.ts';

/** Raised whenever the same sequences would give another encoding. */
const encodingVersion = 1;

/** What is taken from a number, and what the rest is then multiplied with. */
interface Scale {
  readonly mean: number;
  /** One over the standard deviation (of the population); 1 for what is always the same. */
  readonly factor: number;
}

/** How a column becomes inputs. */
export type ColumnEncoding =
  /** One input, scaled, and if it has a mask another one that is 1 where the value is missing. */
  | ({ readonly kind: 'number'; readonly mask: boolean; readonly fill: number } & Scale)
  /** One input for each category of the training part; or one that is the index of a category, to be embedded. */
  | { readonly kind: 'category'; readonly labels: readonly string[]; readonly embeddingSize?: number };

/** Everything that is measured on the training part; plain JSON. */
export interface Encoding {
  /** Of the features, and then of the static columns. */
  readonly columns: readonly ColumnEncoding[];
  /** By target; empty where targets are not scaled. */
  readonly targets: readonly Scale[];
}

/** The encoding that the given sequences of a pack give. Kept in the cache, so that only the first run reads them for it. */
export const keptEncoding = async (
  settings: TableSettings,
  given: { readonly folder: string; readonly pack: Pack; readonly sequences: Int32Array },
): Promise<Encoding> => {
  const { folder, pack, sequences } = given;
  if (!needsFit(settings, pack)) return unfitted(settings, pack);
  const members = createHash('sha256').update(sequences).digest('hex');
  const { standardize, standardizeTargets, missing } = settings;
  const key = [
    'encoding',
    encodingVersion,
    basename(folder),
    members,
    standardize,
    standardizeTargets,
    missing,
  ];
  const fitted = await keptJson({ name: 'encoding.json', key }, () => fitEncoding(settings, pack, sequences));
  return { ...fitted, columns: withEmbeddings(settings, pack, fitted) };
};

/** The columns, with the sizes of those that are embedded: a sweep over sizes measures nothing anew. */
const withEmbeddings = (
  { categorical }: TableSettings,
  pack: PackDescription,
  { columns }: Encoding,
): readonly ColumnEncoding[] => {
  const names = inputColumns(pack);
  return columns.map((column, at) => {
    const embeddingSize = embeddingSizeOf(categorical, columnKey(names[at] as string, pack));
    return column.kind === 'category' && embeddingSize !== undefined ? { ...column, embeddingSize } : column;
  });
};

/** The features of `inputNames` for a model to embed. */
export const embeddedFeatures = (
  pack: PackDescription,
  { columns }: Encoding,
): readonly CategoryFeature[] => {
  const names = inputColumns(pack);
  let feature = 0;
  return columns.flatMap((column, at) => {
    const from = feature;
    feature += widthOf(column);
    if (column.kind === 'number' || column.embeddingSize === undefined) return [];
    const { labels, embeddingSize: size } = column;
    return [{ feature: from, name: names[at] as string, categories: labels.length + 1, size }];
  });
};

const unscaled = { kind: 'number', mask: false, fill: 0, mean: 0, factor: 1 } as const;

const needsFit = ({ standardize, standardizeTargets, missing }: TableSettings, pack: Pack): boolean =>
  standardize || standardizeTargets || missing !== 'error' || Object.keys(pack.categories).length > 0;

/** The columns that are inputs, in the order of an encoding. */
const inputColumns = ({ features, statics }: PackDescription): readonly string[] => [...features, ...statics];

/** An encoding of numbers as they are: it has the right inputs where no column has categories. */
export const unfitted = (settings: TableSettings, pack: PackDescription): Encoding => ({
  columns: inputColumns(pack).map((name) => ({ ...unscaled, mask: hasMask(settings, pack, name) })),
  targets: [],
});

const hasMask = ({ missing }: TableSettings, pack: PackDescription, name: string): boolean =>
  strategyOf(missing, columnKey(name, pack)) === 'mask' && name !== deltaTime;

/** The inputs at a step, by name, as far as the columns and the categories of the training part decide them. */
export const inputNames = (pack: PackDescription, { columns }: Encoding): readonly string[] =>
  inputColumns(pack).flatMap((name, at) => {
    const column = columns[at] ?? unscaled;
    switch (column.kind) {
      case 'number':
        return column.mask ? [name, `${name} missing`] : [name];
      case 'category':
        return column.embeddingSize === undefined ? column.labels.map((label) => `${name}=${label}`) : [name];
    }
  });

/** An encoding with the names of its columns, to be recorded with a model. */
export const preprocessingOf = (
  settings: TableSettings,
  pack: PackDescription,
  { columns, targets }: Encoding,
): TablePreprocessing => ({
  kind: 'table',
  features: settings.features ?? [
    ...new Set(pack.columns.filter((name) => name !== deltaTime).map((name) => columnKey(name, pack))),
  ],
  inputs: inputColumns(pack).map((name, at) => ({ name, ...(columns[at] ?? unscaled) })),
  targets: scaledTargets(settings, { targets }),
});

/** The scales of targets with their names; none where they are not scaled. */
export const scaledTargets = (
  settings: TableSettings,
  { targets }: Pick<Encoding, 'targets'>,
): TablePreprocessing['targets'] =>
  targets.map((scale, at) => ({ name: settings.targets[at] ?? String(at + 1), ...scale }));

/** How many inputs a column becomes. */
export const widthOf = (column: ColumnEncoding): number => {
  if (column.kind === 'number') return column.mask ? 2 : 1;
  return column.embeddingSize === undefined ? column.labels.length : 1;
};

/** Mean and spread of numbers that come one by one (Welford 1962). */
const createMoments = (width: number) => {
  const mean = new Float64Array(width);
  const spread = new Float64Array(width);
  const counts = new Float64Array(width);
  return {
    add: (numbers: Float64Array, start: number) => {
      for (let at = 0; at < width; at++) {
        const number = numbers[start + at] as number;
        if (Number.isNaN(number)) continue;
        const count = (counts[at] as number) + 1;
        const distance = number - (mean[at] as number);
        const next = (mean[at] as number) + distance / count;
        spread[at] = (spread[at] as number) + distance * (number - next);
        mean[at] = next;
        counts[at] = count;
      }
    },
    scale: (at: number): Scale => {
      const sum = spread[at] as number;
      return { mean: mean[at] as number, factor: sum > 0 ? 1 / Math.sqrt(sum / (counts[at] as number)) : 1 };
    },
  };
};

/** In one pass over the sequences, which are given in rising order. */
const fitEncoding = (settings: TableSettings, pack: Pack, sequences: Int32Array): Encoding => {
  const { features, statics, targets } = pack;
  const width = features.length;
  const moments = { features: createMoments(width), statics: createMoments(statics.length) };
  const ofTargets = createMoments(settings.standardizeTargets ? targets.count : 0);
  const names = inputColumns(pack);
  const seen = names.map((name) => (categoriesOf(pack, name) ? new Set<number>() : undefined));
  const categorical = [...seen.entries()].flatMap(([at, set]) => (set ? [[at, set] as const] : []));
  pack.visit(sequences, (sequence, numbers, from) => {
    const steps = pack.steps(sequence);
    const places = pack.places(steps);
    const end = from + steps * width;
    for (let start = from; start < end; start += width) moments.features.add(numbers, start);
    moments.statics.add(numbers, from + places.statics);
    if (settings.standardizeTargets)
      for (let at = 0; at < places.targetCount; at += targets.count)
        ofTargets.add(numbers, from + places.targets + at);
    for (const [at, set] of categorical) {
      if (at >= width) set.add(numbers[from + places.statics + at - width] as number);
      else for (let start = from; start < end; start += width) set.add(numbers[start + at] as number);
    }
  });
  const columns = names.map((name, at): ColumnEncoding => {
    const labels = categoriesOf(pack, name);
    if (labels) {
      return { kind: 'category', labels: sortedLabels([labels.filter((_, id) => seen[at]?.has(id))]) };
    }
    const scale = at < width ? moments.features.scale(at) : moments.statics.scale(at - width);
    const mask = hasMask(settings, pack, name);
    const { mean, factor } = settings.standardize ? scale : unscaled;
    return { kind: 'number', mask, fill: scale.mean, mean, factor };
  });
  return {
    columns,
    targets: Array.from({ length: settings.standardizeTargets ? targets.count : 0 }, (_, at) =>
      ofTargets.scale(at),
    ),
  };
};

/** The categories of an input, by its name; undefined where it is a number. */
export const categoriesOf = (pack: PackDescription, name: string): readonly string[] | undefined => {
  const key = columnKey(name, pack);
  return Object.hasOwn(pack.categories, key) ? pack.categories[key] : undefined;
};

/** The name that a spec knows an input by: `x` for `x[0]` of a list of numbers. */
const columnKey = (name: string, { features }: PackDescription): string => {
  const whole = /^(.*)\[\d+\]$/.exec(name)?.[1];
  return whole !== undefined && features.includes(`${whole}[0]`) ? whole : name;
};
