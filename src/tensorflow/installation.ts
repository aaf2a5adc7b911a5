import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularText } from '../system/files.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { packageRoot } from '../system/package-root.ts';
import { cacheFolder } from '../system/cache-folder.ts';
import { proposedCommand } from '../system/proposed-command.ts';

/** The part of a diagnostic that is kept: what is missing or slow, and the command that fixes it. */
export type SetupProblem = Required<Pick<Diagnostic, 'message' | 'help'>>;

export const setupProblems = (errors: readonly Diagnostic[]): SetupProblem[] =>
  errors.map(({ message, help = '' }) => ({ message, help }));

/** The set-up's decision for this folder of Unroll, a file in the cache. */
export interface Installation {
  /** `built`: our build against a wheel's libraries; `prebuilt`: tfjs-node's own; `none`: WebAssembly is used. */
  readonly native: 'built' | 'prebuilt' | 'none';
  /** Absolute paths of compiled parts by name: `tfjs_binding`, `unroll_kernels`. */
  readonly parts: Readonly<Record<string, string>>;
  /** Everything that must stay on disk for the parts to load. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** Why a better outcome was not possible, as sentences; empty if nothing is missing. */
  readonly problems: readonly SetupProblem[];
  /** Identifies the sources, versions and system that this was decided for. */
  readonly key: string;
  /** Node's module versions (`process.versions.modules`) in which the addon loaded and computed correctly. */
  readonly provedOn: readonly string[];
  /** Milliseconds since 1970. */
  readonly decidedAt: number;
}

/** Path of the set-up's decision for this folder. */
export const installationFile = (cache: string = cacheFolder(), root: string = packageRoot): string =>
  join(cache, 'installations', `${createHash('sha256').update(root).digest('hex').slice(0, 16)}.json`);

/** Returns the set-up's decision; undefined if it has not run yet or its record cannot be read. */
export const readInstallation = (file: string = installationFile()): Installation | undefined => {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readRegularText(file)) as Installation;
  } catch {
    return undefined;
  }
};

/**
 * Returns the path of a native part's compiled library; undefined if it was not compiled here.
 * `UNROLL_NATIVE_LIBRARY` overrides where Unroll's own kernels are.
 */
export const nativeLibraryPath = (part: 'tfjs_binding' | 'unroll_kernels'): string | undefined => {
  const override = part === 'unroll_kernels' ? process.env['UNROLL_NATIVE_LIBRARY'] : undefined;
  const path = override ?? readInstallation()?.parts[part];
  return path !== undefined && existsSync(path) ? path : undefined;
};

/** How the warning of a slow back end ends; the doctor itself leaves it out. */
export const doctorHint = ` Run \`${proposedCommand(['doctor'])}\` to see what is missing.`;
