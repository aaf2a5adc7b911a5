import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularText } from '../system/files.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { packageRoot } from '../system/package-root.ts';
import { cacheFolder } from '../system/cache-folder.ts';

/** What is kept of a diagnostic: what is missing or slow, and the command that fixes it. */
export type SetupProblem = Required<Pick<Diagnostic, 'message' | 'help'>>;

export const setupProblems = (errors: readonly Diagnostic[]): SetupProblem[] =>
  errors.map(({ message, help = '' }) => ({ message, help }));

/** What the set-up decided for this folder of Unroll; the file lies in the cache. */
export interface Installation {
  /** `built`: our build against a wheel's libraries; `prebuilt`: tfjs-node's own; `none`: WebAssembly is used. */
  readonly native: 'built' | 'prebuilt' | 'none';
  /** Absolute paths of compiled parts by name: `tfjs_binding`, `unroll_kernels`. */
  readonly parts: Readonly<Record<string, string>>;
  /** Everything that has to stay on disk for the parts to load. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** What kept a better outcome away, as sentences for people; empty when all is there. */
  readonly problems: readonly SetupProblem[];
  /** Stands for the sources, versions and system this was decided for. */
  readonly key: string;
  /** Node's module versions (`process.versions.modules`) in which the addon was loaded and computed right. */
  readonly provedOn: readonly string[];
  /** Milliseconds since 1970. */
  readonly decidedAt: number;
}

/** Where the set-up's decision for this folder lies. */
export const installationFile = (cache: string = cacheFolder(), root: string = packageRoot): string =>
  join(cache, 'installations', `${createHash('sha256').update(root).digest('hex').slice(0, 16)}.json`);

/** What the set-up decided, or undefined when it has not run yet or its record cannot be read. */
export const readInstallation = (file: string = installationFile()): Installation | undefined => {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readRegularText(file)) as Installation;
  } catch {
    return undefined;
  }
};

/**
 * The compiled shared library of one native part, or undefined when it was not compiled here.
 * `UNROLL_NATIVE_LIBRARY` overrides where Unroll's own kernels are.
 */
export const nativeLibraryPath = (part: 'tfjs_binding' | 'unroll_kernels'): string | undefined => {
  const override = part === 'unroll_kernels' ? process.env['UNROLL_NATIVE_LIBRARY'] : undefined;
  const path = override ?? readInstallation()?.parts[part];
  return path !== undefined && existsSync(path) ? path : undefined;
};

/** How the warning of a slow back end ends; the doctor itself leaves it out. */
export const doctorHint = ' Run `unroll doctor` to see what is missing.';
