import { Type, type Static } from '@sinclair/typebox';
import { nullable } from '../parameters/schema.ts';

/** A number of runs, threads or processors that may be left to Unroll. */
export const countOrAuto = (description: string, examples: readonly (number | 'auto')[] = ['auto', 2]) =>
  Type.Unsafe<number | 'auto'>({
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 1024,
    pattern: '^auto$',
    phrase: 'auto or a whole number from 1 to 1024',
    default: 'auto',
    description,
    examples: [...examples],
  });

/**
 * Options of `sbatch` that a spec may add: none that names a file, a program or the environment, because somebody else may
 * have written the spec, and none that has a key of its own.
 */
const sbatchOptions = [
  'account',
  'begin',
  'comment',
  'constraint',
  'deadline',
  'exclude',
  'exclusive',
  'gpus',
  'hint',
  'licenses',
  'mail-type',
  'mail-user',
  'nice',
  'nodelist',
  'oversubscribe',
  'prefer',
  'priority',
  'qos',
  'reservation',
  'switches',
  'tmp',
  'wckey',
] as const;

/** What a spec's `run.slurm` section may hold: what a job of `--executor slurm` asks the cluster for. */
export const slurmSchema = Type.Object(
  {
    partition: nullable(
      Type.String({
        pattern: '^[\\w.-]+(,[\\w.-]+)*$',
        phrase: 'the name of a partition, or several separated by commas, or null',
        description: "The partition of the jobs. null: the cluster's default.",
        examples: ['cpu', 'short,long'],
      }),
    ),
    time: Type.String({
      pattern: '^\\d{1,6}(\\.\\d+)?(s|m|h|d)$',
      phrase: 'a time such as 30m or 2h, of at least 1m',
      default: '1h',
      description:
        'The time limit of a job, at least 1m. A job that reaches it writes checkpoints in time and is submitted again.',
      examples: ['1h', '30m'],
    }),
    memory: nullable(
      Type.String({
        pattern: '^[1-9]\\d{0,6}[KMGT]$',
        phrase: 'a size such as 500M or 4G, or null',
        description: "The memory of a job. null: the cluster's default.",
        examples: ['4G'],
      }),
    ),
    cpusPerRun: countOrAuto('CPUs for each run, at least run.threadsPerRun. auto: as many as its threads.'),
    runsPerJob: countOrAuto(
      'Runs that one job trains, one after another; all at once where the job gets more CPUs than one run needs. auto: as many as take about half an hour.',
      ['auto', 10],
    ),
    gres: nullable(
      Type.String({
        pattern: '^[\\w.:=/-]+(,[\\w.:=/-]+)*$',
        phrase: 'generic resources such as gpu:1, or null',
        description: 'Generic resources of a job, such as GPUs. null: none.',
        examples: ['gpu:1'],
      }),
    ),
    options: Type.Array(
      Type.String({
        // Printable characters alone: each option is one word of the command.
        pattern: `^--(${sbatchOptions.join('|')})(=[^\\u0000-\\u001f\\u007f]+)?$`,
        phrase: `an option of sbatch such as --account=NAME; allowed: ${sbatchOptions.join(', ')}`,
        examples: ['--account=my-group'],
      }),
      {
        default: [],
        description:
          'More options of sbatch, each as it is written there. None that names a file, a program or the environment.',
        examples: [['--account=my-group', '--qos=short']],
      },
    ),
  },
  {
    additionalProperties: false,
    description:
      'What a job of `--executor slurm` asks the cluster for. It changes no id and no number. null: the defaults.',
    examples: [{ partition: 'cpu', time: '1h', memory: '4G' }],
  },
);

export type SlurmSection = Static<typeof slurmSchema>;
