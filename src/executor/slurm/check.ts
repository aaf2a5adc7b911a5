import { failure, success, type Diagnostic, type Result } from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import type { SlurmSettings } from '../../language/config.ts';
import { formatDuration } from '../../terminal/format.ts';
import { sbatchWords, slurmSoon } from './commands.ts';
import { parseSlurmTime } from './time.ts';

/** Reports within five seconds whether Slurm would take the jobs of a sweep, and how many runs could train at a time. */
export const checkSlurm = async (
  settings: SlurmSettings,
  { cpus, directory }: { readonly cpus: number; readonly directory: string },
): Promise<Result<{ readonly slots: number }>> => {
  const version = await slurmSoon('sbatch', ['--version']);
  if (version.code !== 0)
    return failure(
      problem('This machine has no sbatch, so it cannot submit jobs to Slurm.', {
        expected: 'the commands sbatch, squeue and scancel on the PATH',
        got: version.output.trim(),
        help: 'Run the command on a login node of the cluster. On many clusters `module load slurm` puts the commands on the PATH.',
      }),
    );
  const words = sbatchWords(settings, { name: 'unroll', cpus, folder: directory });
  const [tried, partitions] = await Promise.all([
    slurmSoon('sbatch', ['--test-only', ...words.filter((word) => word !== '--parsable'), '--wrap=true']),
    slurmSoon('scontrol', ['show', 'partition', '--oneliner']),
  ]);
  if (tried.code === null) return failure(slurmSilent);
  const known = readPartitions(partitions.stdout);
  if (tried.code !== 0) return failure(refusal(tried.output, settings, known));
  const usable = usableBy(settings, known);
  const late = tooLong(settings, usable);
  if (late) return failure(late);
  const all = usable.reduce((sum, one) => sum + one.cpus, 0);
  return success({ slots: Math.max(1, Math.floor(all / cpus)) });
};

const problem = (
  message: string,
  facts: Pick<Diagnostic, 'expected' | 'got' | 'nearest' | 'help'>,
): Diagnostic => ({ code: 'slurm', severity: 'error', message, ...facts });

export const slurmSilent = problem('The controller of Slurm does not answer.', {
  expected: 'an answer of `squeue` and `sbatch --test-only` within seconds',
  got: 'none',
  help: 'See whether `sinfo` prints the partitions. If it does not, ask who runs the cluster.',
});

interface Partition {
  readonly name: string;
  readonly isDefault: boolean;
  readonly longestMs: number;
  readonly cpus: number;
}

/** The partitions in what `scontrol show partition --oneliner` prints. */
export const readPartitions = (text: string): readonly Partition[] =>
  text.split('\n').flatMap((line) => {
    const field = (name: string) => new RegExp(`(?:^|\\s)${name}=(\\S+)`).exec(line)?.[1];
    const name = field('PartitionName');
    if (name === undefined) return [];
    const longestMs = parseSlurmTime(field('MaxTime') ?? '') ?? Infinity;
    const cpus = Number(field('TotalCPUs') ?? 0);
    return [{ name, isDefault: field('Default') === 'YES', longestMs, cpus }];
  });

const usableBy = ({ partition }: SlurmSettings, partitions: readonly Partition[]): readonly Partition[] => {
  const wanted = partition?.split(',');
  return partitions.filter(({ name, isDefault }) => wanted?.includes(name) ?? isDefault);
};

/** Slurm takes a job that is too long for its partition, and never starts it. */
const tooLong = ({ timeMs }: SlurmSettings, usable: readonly Partition[]): Diagnostic | undefined => {
  const longest = Math.max(...usable.map(({ longestMs }) => longestMs));
  if (usable.length === 0 || timeMs <= longest) return undefined;
  const names = usable.map(({ name }) => name).join(', ');
  return problem(`run.slurm.time is longer than the partition ${names} allows.`, {
    expected: `at most ${formatDuration(longest)}`,
    got: formatDuration(timeMs),
    help: `Write \`time: ${Math.floor(longest / 60_000)}m\` in run.slurm, or name another partition: a job that reaches its limit is submitted again.`,
  });
};

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** Explains what sbatch refused; names the setting if one is to blame. */
const refusal = (
  output: string,
  { partition, memory, gres, timeMs }: SlurmSettings,
  partitions: readonly Partition[],
): Diagnostic => {
  const got = lastLine(output).replace(/^(sbatch: error|allocation failure): /, '');
  if (/invalid partition/i.test(output) && partition !== null) {
    const names = partitions.map(({ name }) => name);
    const meant = nearest(partition, names);
    return problem(`The cluster has no partition ${partition}.`, {
      expected: names.join(', '),
      got: partition,
      ...(meant !== undefined && { nearest: meant }),
      help: `Write \`partition: ${meant ?? names[0] ?? 'NAME'}\` in run.slurm.`,
    });
  }
  if (/node configuration is not available|Memory specification|--mem/i.test(output))
    return problem('No node has what a job asks for.', {
      expected: 'no more CPUs, memory and generic resources than a node of the partition has',
      got: `${got} (${[memory === null ? '' : `memory ${memory}`, gres === null ? '' : `gres ${gres}`, `time ${formatDuration(timeMs)}`].filter(Boolean).join(', ')})`,
      help: 'Compare run.slurm with what `sinfo -o "%P %c %m %G"` prints: partition, CPUs, memory in megabytes, generic resources.',
    });
  if (/gres/i.test(output))
    return problem(`The cluster has no generic resource ${gres ?? ''}.`, {
      expected: 'a resource that `sinfo -o %G` prints',
      got: gres ?? got,
      help: 'Write such a resource as `gres:` in run.slurm, or leave it out.',
    });
  return problem('Slurm refuses the jobs.', {
    expected: 'settings that `sbatch --test-only` accepts',
    got,
    help: 'Change run.slurm accordingly.',
  });
};
