import { isReplicateKey, type Run } from '../../plan/plan.ts';
import type { Json } from '../../system/json.ts';

/** The shortest usual form of a number: `0.001` becomes `1e-3`, `0.01` becomes `1e-2`, `128` and `0.5` stay. */
export const shortNumber = (value: number): string => {
  const plain = String(Number(value.toPrecision(4)));
  const exponent = Number(value.toPrecision(4)).toExponential().replace('e+', 'e');
  // Of fractions the exponent is what people compare.
  const shorter = Math.abs(value) < 1 ? exponent.length <= plain.length : exponent.length < plain.length;
  return shorter ? exponent : plain;
};

/** `learningRate` -> `lr`, `hiddenSize` -> `hs`; single words stay whole. */
const shortLabel = (path: string): string => {
  const last = path.split('.').at(-1) ?? path;
  const words = last.split(/(?=[A-Z])|[-_]/).filter(Boolean);
  return words.length > 1 ? words.map((word) => (word[0] ?? '').toLowerCase()).join('') : last;
};

const shortValue = (value: Json): string => {
  if (typeof value === 'number') return shortNumber(value);
  if (typeof value === 'string') return value;
  const name = value !== null && typeof value === 'object' && 'name' in value ? value['name'] : undefined;
  if (typeof name === 'string') return name;
  return JSON.stringify(value).slice(0, 20);
};

/** One varying value as it appears in a run's name: `lr1e-3`, `hs128`, `adam`, `s2`. */
export const shortPoint = (path: string, value: Json): string => {
  if (isReplicateKey(path)) return `${path.charAt(0)}${shortValue(value)}`;
  if (path.endsWith('.name') || (value !== null && typeof value === 'object')) return shortValue(value);
  if (typeof value === 'boolean') return `${value ? '' : 'no '}${shortLabel(path)}`;
  return typeof value === 'number'
    ? `${shortLabel(path)}${shortValue(value)}`
    : `${shortLabel(path)} ${shortValue(value)}`;
};

/**
 * A run's name: only what distinguishes it from the others, the first axis first, because the server's table shows about 16
 * characters. A run that varies in nothing is called after its model.
 */
export const mlflowRunName = (run: Run, axes: readonly string[]): string => {
  const paths = [...new Set([...axes, ...Object.keys(run.varying)])].filter((path) => path in run.varying);
  if (paths.length === 0) return `${run.config.model.name} s${run.seed}`;
  return paths
    .map((path) => shortPoint(path, run.varying[path] ?? null))
    .join(' ')
    .slice(0, 250);
};

/** A colour for each configuration, so that the seeds of one configuration look alike: hues a golden angle apart, in three shades. */
export const configurationColour = (index: number): string => {
  const hue = (index * 137.508) % 360;
  const lightness = [0.45, 0.6, 0.33][Math.floor(index / 12) % 3] ?? 0.45;
  const chroma = 0.65 * Math.min(lightness, 1 - lightness);
  // HSL to RGB (CSS Color Module Level 4, section 7.1).
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return `#${[0, 8, 4].map((n) => channel(n).toString(16).padStart(2, '0')).join('')}`;
};
