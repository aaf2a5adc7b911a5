import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readRegular, readRegularText } from '../system/files.ts';
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
  /** `prebuilt`: all parts come with the package; `built`: compiled here; `none`: WebAssembly is used. */
  readonly native: 'built' | 'prebuilt' | 'none';
  /** Absolute paths of the parts' libraries by name: `tfjs_binding`, `unroll_kernels`. */
  readonly parts: Readonly<Record<string, string>>;
  /** Everything that must stay on disk for the parts to load. */
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    /** When it was last written, in milliseconds since 1970; earlier versions did not record it. */
    readonly modifiedMs?: number;
    /** Hex SHA-256; earlier versions did not record it. */
    readonly sha256?: string;
  }[];
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

/** Larger files than this take longer to read than a process to start. */
const digestedBytes = 20e6;

const isAsRecorded = ({ path, bytes, modifiedMs, sha256 }: Installation['files'][number]): boolean => {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.size !== bytes) return false;
  if (sha256 === undefined) return true;
  return bytes > digestedBytes
    ? found.mtimeMs === modifiedMs
    : createHash('sha256').update(readRegular(path)).digest('hex') === sha256;
};

/**
 * Returns the first file that is missing or not as the set-up left it. The parts are compared by their digest, and
 * TensorFlow's libraries, of 850 MB, by size and time; the set-up itself reads them, too.
 */
export const damagedFile = (
  installation: Installation | undefined = readInstallation(),
): string | undefined => installation?.files.find((file) => !isAsRecorded(file))?.path;

/**
 * Returns the path of a native part's library; undefined if the set-up has not made it ready.
 * `UNROLL_NATIVE_LIBRARY` overrides where Unroll's own kernels are.
 */
export const nativeLibraryPath = (part: 'tfjs_binding' | 'unroll_kernels'): string | undefined => {
  const override = part === 'unroll_kernels' ? process.env['UNROLL_NATIVE_LIBRARY'] : undefined;
  const path = override ?? readInstallation()?.parts[part];
  return path !== undefined && existsSync(path) ? path : undefined;
};

/** Whether `UNROLL_BACKEND` chooses a back end without native TensorFlow. */
export const isNativeRefused = (): boolean => ['wasm', 'cpu'].includes(process.env['UNROLL_BACKEND'] ?? '');

/** How the warning of a slow back end ends; the doctor itself leaves it out. */
export const doctorHint = ` Run \`${proposedCommand(['doctor'])}\` to see what is missing.`;
