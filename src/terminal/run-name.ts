import type { Json } from '../system/json.ts';
import { formatValue } from './format.ts';

/** Short names for paths: the last part where no other path ends in it, as `hiddenSize`. */
export const shortNames = (paths: readonly string[]): Map<string, string> => {
  const last = (path: string) => path.slice(path.lastIndexOf('.') + 1);
  const section = (path: string) => path.slice(0, path.indexOf('.'));
  return new Map(
    paths.map((path) => {
      if (path.endsWith('.name') && path.split('.').length === 2) return [path, section(path)];
      const shared = paths.some((other) => other !== path && last(other) === last(path));
      return [path, shared ? path : last(path)];
    }),
  );
};

/** A setting's value in a name: a whole section by its own name. */
const inName = (value: Json): string =>
  typeof value === 'object' && value !== null && 'name' in value
    ? formatValue(value['name'])
    : formatValue(value);

/** The parts of a run that its name is made of. */
export interface Nameable {
  readonly experiment: string;
  /** The settings in which the run differs from the others of its sweep, by path. */
  readonly varying: Readonly<Record<string, Json>>;
}

/** The name of a run: the settings in which it differs from the others, or else its experiment. */
export const runName = (run: Nameable, names: ReadonlyMap<string, string>): string =>
  Object.entries(run.varying)
    .map(([path, value]) => `${names.get(path) ?? path} ${inName(value)}`)
    .join(', ') || run.experiment;

/** The name in less room: values alone, `128 · 0.003 · seed 1`. */
export const compactName = (run: Nameable): string =>
  Object.entries(run.varying)
    .map(([path, value]) => (path === 'seed' || path === 'fold' ? `${path} ${inName(value)}` : inName(value)))
    .join(' · ') || run.experiment;
