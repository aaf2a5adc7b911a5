import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { cacheFolder } from '../../system/cache-folder.ts';
import { computingIdentity, type ComputingIdentity } from '../../tensorflow/expected-kernels.ts';
import { readJsonIfWhole, writeJson } from '../../system/files.ts';
import { systemErrorOf } from '../../system/system-error.ts';
import { parserOf, type Described } from '../../system/schema.ts';

const keptSchema = Type.Object({
  /** Names of the kernels that a process here has been able to run; absent until one was asked. */
  runnable: Type.Optional(Type.Array(Type.String())),
  /** By work and threads: the kernel, and the milliseconds of a step with each that was timed. */
  kernels: Type.Record(
    Type.String(),
    Type.Object({ kernel: Type.String(), msPerStep: Type.Record(Type.String(), Type.Number()) }),
  ),
  /** By work, runs and cores: threads of a run, and the steps a second of all runs by threads. */
  threads: Type.Record(
    Type.String(),
    Type.Object({ threads: Type.Number(), stepsPerSecond: Type.Record(Type.String(), Type.Number()) }),
  ),
});

/** What was found out about a machine, in the per-user cache: measured once, then kept. */
export type Kept = Described<typeof keptSchema>;

const parseKept = parserOf(keptSchema);

const pathOf = (machine: ComputingIdentity): string => {
  const key = createHash('sha256').update(JSON.stringify(machine)).digest('hex').slice(0, 16);
  return join(cacheFolder(), 'calibration', `${key}.json`);
};

/** What is kept of this machine with the libraries it has now. */
export const readKept = (): Kept =>
  readJsonIfWhole(pathOf(computingIdentity()), parseKept) ?? { kernels: {}, threads: {} };

/**
 * Keeps what was found out, and returns what is kept then: what another process has kept meanwhile counts. A cache that
 * cannot be written costs another measurement, nothing else: what a sweep uses is frozen in its plan. `warn` gets the reason.
 */
export const keep = (found: Partial<Kept>, warn: (message: string) => void): Kept => {
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
  } catch (error) {
    const trouble = systemErrorOf(error);
    if (!trouble) throw error;
    warn(`${trouble.message}. The next sweep measures again. ${trouble.advice}`);
  }
  return kept;
};
