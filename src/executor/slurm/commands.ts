import type { SlurmSettings } from '../../language/config.ts';
import { runCommand, type CommandOutcome } from '../../system/command.ts';
import { withoutSecrets } from '../../system/secrets.ts';
import { parseQueue, queueFormat, type QueuedTask } from './queue.ts';
import { slurmMinutes, stopMarginMs } from './time.ts';

/** Slurm's commands try for a minute to reach a controller that is down. */
const answerMs = 4000;

/** A busy controller is slow, which is harmless once jobs are submitted. */
const patienceMs = 60_000;

/** The environment of Slurm's commands, which a job inherits: without secrets, and without what describes another job. */
const environment = (ownCode: boolean): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(withoutSecrets(process.env, ownCode ? 'MLFLOW_' : '')).filter(
      ([name]) => name !== 'UNROLL_REDIS_URL' && !/^S(LURM|BATCH)_(?!CONF$)/.test(name),
    ),
  );

interface SlurmOptions {
  readonly timeoutMs?: number;
  /** Whether jobs run the user's own code, which may need keys for a database or a bucket. */
  readonly ownCode?: boolean;
}

/** Runs one of Slurm's commands. Never rejects. */
export const slurm = (
  command: string,
  words: readonly string[],
  { timeoutMs = patienceMs, ownCode = false }: SlurmOptions = {},
): Promise<CommandOutcome> => runCommand(command, words, { env: environment(ownCode), timeoutMs });

/** As `slurm`, with a shorter timeout because a user is waiting. */
export const slurmSoon = (command: string, words: readonly string[]): Promise<CommandOutcome> =>
  slurm(command, words, { timeoutMs: answerMs });

/** The signal that announces the end of a job: SIGTERM also comes when somebody cancels it. */
export const limitSignal = 'USR2';

/** The words of `sbatch` for a job array, without the tasks of the array and the script. */
export const sbatchWords = (
  { partition, timeMs, memory, gres, options }: SlurmSettings,
  { name, cpus, folder }: { readonly name: string; readonly cpus: number; readonly folder: string },
): readonly string[] => [
  '--parsable',
  `--job-name=${name}`,
  '--nodes=1',
  '--ntasks=1',
  `--cpus-per-task=${cpus}`,
  `--time=${slurmMinutes(timeMs)}`,
  `--signal=B:${limitSignal}@${Math.ceil(stopMarginMs(timeMs) / 1000)}`,
  '--requeue',
  '--open-mode=append',
  // Slurm replaces what follows a percent sign.
  `--output=${folder.replaceAll('%', '%%')}/log-%a.txt`,
  ...(partition === null ? [] : [`--partition=${partition}`]),
  ...(memory === null ? [] : [`--mem=${memory}`]),
  ...(gres === null ? [] : [`--gres=${gres}`]),
  ...options,
];

/** Submits tasks of a job array. Returns the job's id, or what sbatch printed. */
export const submit = async (
  words: readonly string[],
  { tasks, script, ownCode }: { readonly tasks: string; readonly script: string; readonly ownCode: boolean },
): Promise<{ readonly job: string } | { readonly refused: string }> => {
  const { code, stdout, output } = await slurm('sbatch', [...words, `--array=${tasks}`, script], { ownCode });
  const [, job] = /^(\d+)/.exec(stdout.trim()) ?? [];
  return code === 0 && job !== undefined ? { job } : { refused: output.trim() };
};

/** What Slurm knows of the jobs of these names; undefined if it does not answer. */
export const queueOf = async (names: readonly string[]): Promise<readonly QueuedTask[] | undefined> => {
  if (names.length === 0) return [];
  const { code, stdout } = await slurm('squeue', [
    '--noheader',
    '--array',
    '--states=all',
    `--name=${names.join(',')}`,
    `--format=${queueFormat}`,
  ]);
  return code === 0 ? parseQueue(stdout) : undefined;
};
