import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { cacheFolder } from '../../system/cache-folder.ts';
import { computingIdentity, type ComputingIdentity } from '../../tensorflow/expected-kernels.ts';
import { readJsonIfWhole, writeJson } from '../../system/files.ts';

/** What was found out about a machine, in the per-user cache: measured once, then kept. */
export interface Kept {
  /** Names of the kernels that a process here has been able to run; absent until one was asked. */
  readonly runnable?: readonly string[];
  /** By work and threads: the kernel, and the milliseconds of a step with each that was timed. */
  readonly kernels: Readonly<
    Record<string, { readonly kernel: string; readonly msPerStep: Readonly<Record<string, number>> }>
  >;
  /** By work, runs and cores: threads of a run, and the steps a second of all runs by threads. */
  readonly threads: Readonly<
    Record<string, { readonly threads: number; readonly stepsPerSecond: Readonly<Record<string, number>> }>
  >;
}

interface KeptFile extends Kept {
  readonly machine: ComputingIdentity;
}

const pathOf = (machine: ComputingIdentity): string => {
  const key = createHash('sha256').update(JSON.stringify(machine)).digest('hex').slice(0, 16);
  return join(cacheFolder(), 'calibration', `${key}.json`);
};

/** What is kept of this machine with the libraries it has now. */
export const readKept = (): Kept => {
  const found = readJsonIfWhole<Partial<KeptFile>>(pathOf(computingIdentity()));
  return { ...found, kernels: found?.kernels ?? {}, threads: found?.threads ?? {} };
};

/**
 * Keeps what was found out, and answers what is kept then: what another process has kept meanwhile stands. A cache that
 * cannot be written costs another measurement, nothing else: what a sweep uses is frozen in its plan.
 */
export const keep = (found: Partial<Kept>): Kept => {
  const machine = computingIdentity();
  const before = readKept();
  const kept: Kept = {
    ...before,
    ...(found.runnable && { runnable: found.runnable }),
    kernels: { ...found.kernels, ...before.kernels },
    threads: { ...found.threads, ...before.threads },
  };
  try {
    writeJson(pathOf(machine), { machine, ...kept });
  } catch {
    // The next sweep measures again.
  }
  return kept;
};
