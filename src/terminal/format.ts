import { safeLine } from './safe-text.ts';
import type { Json } from '../system/json.ts';

/** Shown where there is no value. */
const nothing = '–';

/** A duration for people: `0.4s`, `12s`, `3m 05s`, `1h 02m`, `2d 03h`. */
export const formatDuration = (ms: number): string => {
  if (!Number.isFinite(ms)) return nothing;
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
};

/** A setting's value as in the spec: `128`, `0.001`, `concat`, `[1,2]`; a dash for null and for nothing. */
export const formatValue = (value: Json | undefined): string => {
  if (value === undefined || value === null) return nothing;
  return safeLine(typeof value === 'string' ? value : JSON.stringify(value));
};

/** A metric by itself, with four significant digits; whole numbers whole. */
export const formatMetric = (value: number): string => {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.0001 || size >= 1e7)) return value.toExponential(3);
  if (Number.isInteger(value)) return String(value);
  if (size >= 0.1) return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 4);
  return value.toFixed(3 - Math.floor(Math.log10(size)));
};

/** A rate: `0.25`, `3.1`, `240`. */
export const formatRate = (perSecond: number): string =>
  Number.isFinite(perSecond) ? perSecond.toFixed(perSecond >= 100 ? 0 : perSecond >= 1 ? 1 : 2) : nothing;

/** Local date and time to the minute: `2026-11-23 08:15`. */
export const formatTime = (time: number): string => {
  const at = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
};

/** A size on disk: `812 B`, `3.4 kB`, `120 MB`. */
export const formatBytes = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[power] ?? ''}`;
};

/** `1 run`, `3 runs`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
