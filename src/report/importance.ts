import { mean, quantile } from 'simple-statistics';
import type { Json } from '../system/json.ts';
import type { ComparedConfiguration } from './compare.ts';

/** How much of the objective's variation a setting explains. */
export interface Importance {
  readonly path: string;
  /** In [0, 1]. */
  readonly share: number;
}

/** A setting with more values than this is taken in parts of equally many configurations. */
const mostGroups = 5;

/**
 * The share of the variance of the configurations' objectives that lies between the values of one setting: η² of a one-way
 * analysis of variance (Fisher 1925). Settings that act only together with others show less than they matter. The most
 * important first; empty where there is nothing to explain or a setting's values never repeat.
 */
export const importances = (
  configurations: readonly Pick<ComparedConfiguration, 'values' | 'objective'>[],
  axes: readonly string[],
): Importance[] => {
  const known = configurations.flatMap((configuration) =>
    configuration.objective ? [{ configuration, value: configuration.objective.mean }] : [],
  );
  if (known.length < 3) return [];
  const center = mean(known.map((one) => one.value));
  const total = known.reduce((sum, one) => sum + (one.value - center) ** 2, 0);
  if (total === 0) return [];
  return axes
    .flatMap((path): Importance[] => {
      const groups = groupBy(known, ({ configuration }) => configuration.values[path] ?? null);
      if (groups.length < 2 || groups.length === known.length) return [];
      const between = groups.reduce((sum, values) => sum + values.length * (mean(values) - center) ** 2, 0);
      return [{ path, share: between / total }];
    })
    .sort((a, b) => b.share - a.share);
};

const groupBy = <T extends { readonly value: number }>(
  list: readonly T[],
  settingOf: (one: T) => Json,
): number[][] => {
  const settings = list.map(settingOf);
  const keyOf = manyNumbers(settings) ?? ((setting: Json) => JSON.stringify(setting));
  const groups = new Map<string, number[]>();
  for (const [at, one] of list.entries()) {
    const key = keyOf(settings[at] ?? null);
    const group = groups.get(key);
    if (group) group.push(one.value);
    else groups.set(key, [one.value]);
  }
  return [...groups.values()];
};

/** Keys by quantile, for a numeric setting with many values. */
const manyNumbers = (settings: readonly Json[]): ((setting: Json) => string) | undefined => {
  const numbers = settings.filter((one) => typeof one === 'number');
  if (numbers.length < settings.length || new Set(numbers).size <= mostGroups) return undefined;
  const borders = Array.from({ length: mostGroups - 1 }, (_, i) => quantile(numbers, (i + 1) / mostGroups));
  return (setting) => String(borders.filter((border) => Number(setting) > border).length);
};
