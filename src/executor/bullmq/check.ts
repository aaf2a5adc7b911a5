import type { Diagnostic } from '../../diagnostic/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import { counted, formatDuration } from '../../terminal/format.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import type { SharedStore } from './fitness.ts';
import { portableRun } from './portable-run.ts';
import { askWorkers, listWorkers, type ListedWorker } from './presence.ts';
import { kindsOf, spokenVersion, type Answer } from './protocol.ts';
import type { ShareData } from './shared-data.ts';
import { usualClass } from './resource-class.ts';
import { problem, type RedisServer } from './redis.ts';

/** A larger error of a clock is reported, since the times of records come from it. */
const tolerableSkewMs = 60_000;

/**
 * What keeps the workers of a class from training a sweep, before anything is queued. A class without workers is no error:
 * runs wait for the first one.
 */
export const checkWorkers = async (
  { client }: RedisServer,
  plan: Plan,
  {
    resourceClass,
    store,
    shareData,
  }: {
    readonly resourceClass: string;
    readonly store: Pick<SharedStore, 'id' | 'address'> | undefined;
    readonly shareData: ShareData | undefined;
  },
): Promise<readonly Diagnostic[]> => {
  const found = (await listWorkers(client)).filter((one) => one.isAlive && one.class === resourceClass);
  const workers = found.filter(({ speaks }) => speaks === spokenVersion);
  const [stranger] = found.filter(({ speaks }) => speaks !== spokenVersion);
  const startOne = proposedCommand([
    'worker',
    ...(resourceClass === usualClass ? [] : ['--class', resourceClass]),
  ]);
  if (stranger && workers.length === 0) return [otherVersion(stranger, 'error')];
  const warnings = stranger ? [otherVersion(stranger, 'warning')] : [];
  if (workers.length === 0)
    return [
      {
        ...problem(`No worker serves the class ${resourceClass} yet; the runs wait for one.`, {
          help: `Start one on each host: ${startOne}`,
        }),
        severity: 'warning',
      },
    ];
  const runs = await Promise.all(
    kindsOf(plan.runs).map(async (run) => {
      const data = await shareData?.(run);
      return { run: portableRun(run), ...(data && { data }) };
    }),
  );
  const kernels = [...new Set(Object.values(plan.execution.kernels ?? {}))];
  const asked = Date.now();
  const answers = await askWorkers(client, resourceClass, {
    needed: { runs, kernels, ...(store && { store: store.id }) },
    workers,
  });
  return [
    ...warnings,
    ...(store ? withoutStore(workers, store) : []),
    ...silent(workers, answers),
    ...answers.flatMap((answer) => unfitness(workers, answer)),
    ...answers.flatMap((answer) => skew(workers, answer, asked)),
  ];
};

const nameOf = (workers: readonly ListedWorker[], id: string): string => {
  const worker = workers.find((one) => one.id === id);
  return worker ? `${worker.host} (process ${worker.pid})` : id;
};

const otherVersion = ({ host, pid, speaks }: ListedWorker, severity: Diagnostic['severity']): Diagnostic => ({
  ...problem(`The worker on ${host} (process ${pid}) is of another version of Unroll.`, {
    expected: spokenVersion,
    got: speaks,
    help: 'Install the same version of Unroll there, and start the worker again.',
  }),
  severity,
});

const unfitness = (workers: readonly ListedWorker[], { worker, unfit }: Answer): readonly Diagnostic[] =>
  unfit.map(({ message, help, kind }) =>
    problem(`The worker on ${nameOf(workers, worker)} cannot train this sweep: ${message}.`, {
      expected: {
        data: 'the data of the sweep, by its digest',
        'other-data': 'the data of the sweep, by its digest',
        code: 'the code of the sweep, by its digest',
        kernel: 'the kernels of the frozen plan',
        disk: 'a disk with room for runs',
        store: 'the store of the submitter',
        unreadable: 'a run that it can read',
        damaged: 'a job as it was submitted',
      }[kind],
      help: `${help} Or stop that worker.`,
    }),
  );

/** Checkpoints of a worker that uses another store are out of reach when it is lost. */
const withoutStore = (
  workers: readonly ListedWorker[],
  { id, address }: Pick<SharedStore, 'id' | 'address'>,
): readonly Diagnostic[] => {
  const without = workers.filter(({ store }) => store !== id);
  const [first] = without;
  if (!first) return [];
  return [
    {
      ...problem(
        `${counted(without.length, 'worker')} of ${workers.length}, such as the one on ${nameOf(workers, first.id)}, ${without.length === 1 ? 'does' : 'do'} not use the store ${address}; a run that is lost with such a worker starts again.`,
        { help: 'Start the workers with the same --store, and a lost run resumes from its last checkpoint.' },
      ),
      severity: 'warning',
    },
  ];
};

const silent = (workers: readonly ListedWorker[], answers: readonly Answer[]): readonly Diagnostic[] => {
  const missing = workers.filter(({ id }) => !answers.some(({ worker }) => worker === id));
  const [first] = missing;
  if (!first) return [];
  return [
    {
      ...problem(
        `${counted(missing.length, 'worker')} did not answer in time, such as the one on ${first.host}; it is not known whether the data is there.`,
        { help: 'Nothing to do if it is busy. Otherwise look at its output.' },
      ),
      severity: 'warning',
    },
  ];
};

const skew = (
  workers: readonly ListedWorker[],
  { worker, clock }: Answer,
  asked: number,
): readonly Diagnostic[] => {
  const off = clock - asked;
  if (Math.abs(off) < tolerableSkewMs) return [];
  return [
    {
      ...problem(
        `The clock of ${nameOf(workers, worker)} is ${formatDuration(Math.abs(off))} ${off > 0 ? 'ahead' : 'behind'}; so are the times that it records.`,
        { help: 'Set the clock. Results do not depend on it.' },
      ),
      severity: 'warning',
    },
  ];
};
