import {
  type Diagnostic,
  failed,
  failure,
  type Result,
  type SourceRange,
  success,
} from '../diagnostic/diagnostic.ts';
import { find } from '../language/located.ts';
import type { Execution, SlurmSettings } from '../language/config.ts';
import type { RunSection } from '../language/run-section.ts';
import { slurmSchema, type SlurmSection } from '../language/slurm-section.ts';
import type { Spec } from '../language/validate-spec.ts';

/** What the plan needs to know of the computer. */
export interface Machine {
  readonly cores: number;
}

/** How many runs the user wants to train at once, instead of the spec's number, and where that is written. */
export interface WantedConcurrency {
  readonly runs: number;
  readonly at?: SourceRange;
}

/**
 * Settles how many runs train at once and with how many threads each: `concurrency x threadsPerRun <= cores`.
 *
 * Automatic threads are `cores / min(cores, runs)`, unless a measurement at the start of the sweep gives another number, and never
 * depend on `concurrency`, because they can change the last bits of a result while the concurrency must not.
 */
export const resolveExecution = (
  { run, document }: Spec,
  { cores }: Machine,
  {
    runs,
    concurrency: override,
  }: { readonly runs: number; readonly concurrency?: WantedConcurrency | undefined },
): Result<Execution> => {
  const mistakes = slurmMistakes(run, document);
  if (mistakes.length > 0) return failed(mistakes);
  const isAutomatic = run.threadsPerRun === 'auto';
  const threadsPerRun =
    run.threadsPerRun === 'auto' ? Math.max(1, Math.floor(cores / Math.min(cores, runs))) : run.threadsPerRun;
  const wanted = override?.runs ?? run.concurrency;
  const allowed = wanted === 'auto' ? Math.max(1, Math.floor(cores / threadsPerRun)) : wanted;
  // With automatic threads, more at once than there are runs asks for nothing more.
  const concurrency = isAutomatic ? Math.min(allowed, runs) : allowed;
  if (concurrency * threadsPerRun <= cores) {
    const automatic = isAutomatic && {
      automatic: true as const,
      ...(wanted === 'auto' && concurrency * threadsPerRun < cores && { cores }),
    };
    return success({ concurrency, threadsPerRun, ...automatic, ...readLimits(run), onError: run.onError });
  }
  const { root } = document;
  const ofSpec = (
    (override === undefined && find(root, 'run', 'concurrency')) ||
    find(root, 'run', 'threadsPerRun') ||
    find(root, 'run') ||
    root
  ).at;
  const at = override && threadsPerRun <= cores ? override.at : ofSpec;
  return failure(tooManyThreads({ concurrency, threadsPerRun, cores, isAutomatic, override, at }));
};

/**
 * A frozen execution that trains as many runs at once as wanted. Its threads stay, because they decide the bits of its
 * numbers.
 */
export const withConcurrency = (
  frozen: Execution,
  { cores }: Machine,
  override: WantedConcurrency,
): Result<Execution> => {
  const { threadsPerRun } = frozen;
  const { runs: concurrency, at } = override;
  const execution = { ...frozen, concurrency };
  // With a number that the user chose, there are no cores to lend.
  delete execution.cores;
  return concurrency * threadsPerRun <= cores
    ? success(execution)
    : failure(tooManyThreads({ concurrency, threadsPerRun, cores, isAutomatic: false, override, at }));
};

const tooManyThreads = ({
  concurrency,
  threadsPerRun,
  cores,
  isAutomatic,
  override,
  at,
}: {
  readonly concurrency: number;
  readonly threadsPerRun: number;
  readonly cores: number;
  readonly isAutomatic: boolean;
  readonly override: WantedConcurrency | undefined;
  readonly at: SourceRange | undefined;
}): Diagnostic => {
  const most = Math.floor(cores / threadsPerRun);
  const threads = Math.max(1, Math.floor(cores / concurrency));
  const fewerThreads =
    threads < threadsPerRun && concurrency <= cores ? `, or \`threadsPerRun: ${threads}\`` : '';
  const automatic = isAutomatic ? ' (auto)' : '';
  return {
    code: 'conflict',
    severity: 'error',
    message: `The runs would use more threads than there are cores: ${concurrency} at once, ${threadsPerRun === 1 ? '1 thread' : `${threadsPerRun} threads`} each.`,
    ...(at && { at }),
    expected: `concurrency x threadsPerRun of at most ${cores}, the cores of this computer`,
    got: `${concurrency} x ${threadsPerRun}${automatic} = ${concurrency * threadsPerRun}`,
    help:
      most >= 1
        ? `Write \`${override?.at ? '--concurrency' : 'concurrency:'} ${most}\`${fewerThreads}.`
        : `Write \`threadsPerRun: ${cores}\`, or less.`,
  };
};

/** The retries and limits of a `run` section, in the form of a plan. */
const readLimits = ({
  retries,
  timeout,
  budget,
  slurm,
}: RunSection): Pick<Execution, 'retries' | 'retryOn' | 'timeoutMs' | 'budget' | 'slurm'> => ({
  ...(typeof retries === 'number' ? { retries } : { retries: retries.count, retryOn: retries.on }),
  timeoutMs: timeout === null ? null : durationMs(timeout),
  ...(budget && {
    budget: { timeMs: budget.time === null ? null : durationMs(budget.time), runs: budget.runs },
  }),
  ...(slurm && { slurm: readSlurm(slurm) }),
});

const readSlurm = ({ time, ...rest }: SlurmSection): SlurmSettings => ({ ...rest, timeMs: durationMs(time) });

/** Slurm counts the time of a job in minutes. */
const shortestJobMs = 60_000;

const slurmMistakes = (
  { slurm, threadsPerRun }: RunSection,
  { root }: Spec['document'],
): readonly Diagnostic[] => {
  if (!slurm) return [];
  const { time, cpusPerRun } = slurm;
  const at = (key: keyof SlurmSection) =>
    (find(root, 'run', 'slurm', key) ?? find(root, 'run', 'slurm') ?? root).at;
  const tooShort: Diagnostic = {
    code: 'out-of-range',
    severity: 'error',
    message: 'The time of a Slurm job is too short.',
    at: at('time'),
    expected: 'at least 1m, because Slurm counts in minutes',
    got: time,
    help: 'Write `time: 1h`, or the time that the partition allows.',
  };
  const tooFewCpus: Diagnostic = {
    code: 'conflict',
    severity: 'error',
    message: 'A run has more threads than its Slurm job has CPUs for it.',
    at: at('cpusPerRun'),
    expected: `cpusPerRun of at least ${threadsPerRun}, the threadsPerRun of this spec`,
    got: String(cpusPerRun),
    help: `Write \`cpusPerRun: ${threadsPerRun}\`, or \`auto\`.`,
  };
  const isShort = durationMs(time) < shortestJobMs;
  const lacksCpus = cpusPerRun !== 'auto' && threadsPerRun !== 'auto' && threadsPerRun > cpusPerRun;
  return [...(isShort ? [tooShort] : []), ...(lacksCpus ? [tooFewCpus] : [])];
};

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30m` in milliseconds. The schema has checked its form. */
const durationMs = (text: string): number => {
  const [, amount = '', unit = ''] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Math.round(Number(amount) * unitMs[unit as keyof typeof unitMs]);
};

/** What a job requests by default: the defaults of `run.slurm`. */
export const usualSlurm: SlurmSettings = readSlurm(
  Object.fromEntries(
    Object.entries(slurmSchema.properties).map(([key, schema]) => [key, schema.default as unknown]),
  ) as SlurmSection,
);
