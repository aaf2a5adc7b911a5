import { hash } from 'node:crypto';
import { isNonFinite, type Json } from './json.ts';

/**
 * JSON with the keys of every mapping sorted: equal values give equal strings. Throws on a number that is not finite: JSON
 * has none, and as null it would share an id with a setting that is not used. Specs are checked before they come here.
 */
export const canonicalJson = (value: Json | object): string => {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const map = value as Readonly<Record<string, Json>>;
    const pairs = Object.keys(map)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(map[key] ?? null)}`);
    return `{${pairs.join(',')}}`;
  }
  if (isNonFinite(value)) throw new RangeError(`Canonical JSON cannot hold ${String(value)}.`);
  return JSON.stringify(value);
};

/** 12 hex digits of the SHA-256 of a string. */
export const shortHash = (text: string): string => hash('sha256', text, 'hex').slice(0, 12);
