import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Result } from '../diagnostic/diagnostic.ts';
import { takenFile } from '../diagnostic/taken-file.ts';
import { childIsBuilt, notBuilt } from '../executor/local/pool.ts';
import { referredDirectory } from '../report/best-run.ts';
import { maskedWord } from '../system/secrets.ts';
import { bundledSubject, bundleRun, namingBundle } from '../verify/bundle-run.ts';
import { recordedSubject, type Subject } from '../verify/subject.ts';
import { verifyRun, type Verification } from '../verify/verify-run.ts';
import { UnrollError, unwrap } from './error.ts';
import { ignoringSystemErrors } from '../system/system-error.ts';

interface SubjectSettings {
  /** Where runs are recorded; `runs` by default. */
  readonly runsDirectory?: string;
  /** Where relative paths of the run's spec begin; by default the folder of the spec, or the current one for a bundle. */
  readonly specDirectory?: string;
}

export interface VerifySettings extends SubjectSettings {
  /** Train only this many steps. */
  readonly steps?: number;
  /** Ends the training, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called with each step that is logged, and how many there will be. */
  readonly onStep?: (step: number, steps: number) => void;
}

export interface BundleSettings extends SubjectSettings {
  /** The file to write; `EXPERIMENT-ID.zip` by default. */
  readonly output?: string;
  /** Replace a file that is there; false by default. */
  readonly force?: boolean;
  /** Include the data and pretrained vectors that the run was trained on; false by default. */
  readonly data?: boolean;
}

/** A bundle that was written. */
export interface Bundle {
  /** Its absolute path. */
  readonly file: string;
  readonly bytes: number;
  /** The files of the data by the parameters that name them; null where the data is not in it. */
  readonly data: Readonly<Record<string, string>> | null;
}

/** See `verify` in `src/index.ts`. */
export const verify = async (what: string, settings: VerifySettings = {}): Promise<Verification> => {
  if (!childIsBuilt()) throw new UnrollError([notBuilt]);
  const { steps, onStep = () => undefined, signal = new AbortController().signal } = settings;
  signal.throwIfAborted();
  const folder = mkdtempSync(join(tmpdir(), 'unroll-bundle-'));
  try {
    const named = { folder, path: what };
    const subject = unwrap(namingBundle(await subjectOf(what, folder, settings), named));
    const found = await verifyRun(subject, {
      steps,
      commandLine: process.argv.map(maskedWord).join(' '),
      onStep,
      stop: signal,
      kill: new AbortController().signal,
    });
    const verified = unwrap(namingBundle(found, named));
    if (!verified) throw signal.reason;
    return verified;
  } finally {
    ignoringSystemErrors(() => rmSync(folder, { recursive: true, force: true }));
  }
};

/** See `bundle` in `src/index.ts`. */
export const bundle = async (run: string, settings: BundleSettings = {}): Promise<Bundle> => {
  const subject = unwrap(recordedOf(run, settings));
  const { experiment, id } = subject.run;
  const { output = `${experiment}-${id}.zip`, data = false, force = false } = settings;
  const taken = takenFile(output, force, { option: 'output', force: 'force: true' });
  if (taken) throw new UnrollError([taken]);
  const included = unwrap(await bundleRun(subject, { output, data }));
  return { file: resolve(output), bytes: statSync(output).size, data: included };
};

const subjectOf = async (
  what: string,
  folder: string,
  settings: SubjectSettings,
): Promise<Result<Subject>> =>
  statSync(what, { throwIfNoEntry: false })?.isFile() === true
    ? bundledSubject(what, { folder, specDirectory: settings.specDirectory })
    : recordedOf(what, settings);

const recordedOf = (
  run: string,
  { runsDirectory = 'runs', specDirectory }: SubjectSettings,
): Result<Subject> => {
  const found = referredDirectory(run, runsDirectory);
  return found.ok ? recordedSubject(found.value, { runsDirectory, specDirectory }) : found;
};
