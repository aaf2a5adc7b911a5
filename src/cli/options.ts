import {
  InvalidArgumentError,
  Option,
  type Command as Program,
  type OptionValues,
} from '@commander-js/extra-typings';
import { classPattern } from '../executor/bullmq/resource-class.ts';
import { inputKinds } from '../prediction/formats.ts';
import { executorNames } from '../executor/executor.ts';
import { usualServing } from '../serve/limits.ts';
import { usualRunsDirectory } from '../system/proposed-command.ts';

/** Collects the values of a repeatable option. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

const collectServers = (value: string, before: readonly string[] | undefined): readonly string[] => {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value))
    throw new InvalidArgumentError('the address of a server, with http:// or https://');
  return collect(value, before);
};

export const classOfWorkers = (value: string): string => {
  if (!classPattern.test(value))
    throw new InvalidArgumentError('a word of up to 32 small letters, digits and dashes');
  return value;
};

export const slotsOfWorker = (value: string): number | 'auto' =>
  value === 'auto' ? value : positiveInteger(value);

export const positiveInteger = (value: string): number => {
  if (!/^[1-9]\d*$/.test(value) || !Number.isSafeInteger(Number(value)))
    throw new InvalidArgumentError('a whole number from 1');
  return Number(value);
};

export const positiveNumber = (value: string): number => {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number) || number <= 0)
    throw new InvalidArgumentError('a number above 0');
  return number;
};

export const stepsOfRange = (value: string): number => {
  const steps = positiveInteger(value);
  if (steps < 20) throw new InvalidArgumentError('a whole number from 20');
  return steps;
};

export const wholeNumber = (value: string): number => {
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value)))
    throw new InvalidArgumentError('a whole number from 0');
  return Number(value);
};

export const atLeastZero = (value: string): number => {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number) || number < 0)
    throw new InvalidArgumentError('a number from 0');
  return number;
};

const portNumber = (value: string): number => {
  const port = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError('a port from 0 to 65535; 0 takes a free one');
  return port;
};

/** Bytes: `500kB`, `10MB`. */
const byteCount = (value: string): number => {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kMG]?)i?B?$/.exec(value.trim()) ?? [];
  const bytes = Math.floor(Number(number) * { '': 1, k: 1e3, M: 1e6, G: 1e9 }[unit as '' | 'k' | 'M' | 'G']);
  if (number === '' || bytes < 1 || bytes > 1e9)
    throw new InvalidArgumentError('a size from 1 byte to 1GB, such as 500kB or 10MB');
  return bytes;
};

/** The option of each command that writes a file of the user; without it the file is not replaced. */
export const replacing = ['--force', 'replace files that are there'] as const;

const modelMeaning = 'a run id, best:EXPERIMENT, a folder, a model.onnx, or models:/NAME@ALIAS on MLflow';

export const json = <Args extends unknown[], Options extends OptionValues>(program: Program<Args, Options>) =>
  program.option('--json', 'print JSON for programs');

export const overrides = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) =>
  program
    .option(
      '--set <path=value>',
      'set a value of the spec, such as optimizer.learningRate=0.01; repeatable',
      collect,
    )
    .option(
      '--sweep <path=a,b>',
      'add an axis to the sweep, such as model.hiddenSize=64,128; repeatable',
      collect,
    )
    .option(
      '--allow-variable <name>',
      'an environment variable that the spec may read under tracking; repeatable',
      collect,
    )
    .option('--yes', 'allow more runs than maxRuns');

export const runsDirectory = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) => program.option('--runs-directory <folder>', 'where runs are recorded', usualRunsDirectory);

/** The sweeps that a command reads: the latest, or others by name, id or all. */
export const chosenSweeps = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) =>
  runsDirectory(program.argument('[sweeps...]', 'experiments or sweep ids (default: the latest sweep)'))
    .option(
      '--sweep <id>',
      'this sweep instead of the latest, by the first letters of its id; repeatable',
      collect,
    )
    .addOption(new Option('--all', 'every sweep of the experiments, or of all').conflicts('sweep'));

export const oneModel = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) => program.argument('<model>', modelMeaning);

/** Models that are used. */
export const models = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) => program.argument('<models...>', modelMeaning);

export const requestLogs = ['all', 'refused', 'none'] as const;

/** Where and within which limits a server answers. */
export const serving = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) =>
  program
    .option('--host <address>', 'the address to listen on', usualServing.host)
    .option('--port <n>', 'the port; 0 takes a free one', portNumber, usualServing.port)
    .addOption(
      new Option('--max-body <size>', 'the largest body of a request')
        .argParser(byteCount)
        .default(usualServing.maxBody, '10MB'),
    )
    .option('--timeout <seconds>', 'how long a request may take', positiveNumber, usualServing.timeout)
    .option(
      '--max-concurrency <n>',
      'requests that are answered at the same time',
      positiveInteger,
      usualServing.maxConcurrency,
    )
    .option(
      '--max-batch <n>',
      'sequences of all requests that are predicted as one batch',
      positiveInteger,
      usualServing.maxBatch,
    )
    .option(
      '--batch-window <ms>',
      'how long a sequence waits for others of its batch',
      atLeastZero,
      usualServing.batchWindow,
    )
    .addOption(
      new Option('--log <requests>', 'which requests to print: all, refused or none')
        .choices(requestLogs)
        .default('all' as const),
    );

export const inputFormat = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) =>
  program.addOption(
    new Option('--input-format <form>', 'the kind of the data (default: by its name)').choices(inputKinds),
  );

export const selection = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) =>
  program
    .option('--force', 'train selected runs again from the start, done or failed')
    .option('--retry-failed', 'train failed runs again')
    .option(
      '--only <condition>',
      "train only runs such as 'model.hiddenSize>=64', seed=1, state=failed; repeatable",
      collect,
    )
    .option('--limit <n>', 'train at most this many runs', positiveInteger);

/** The shared store of runs. */
export const toStore = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) =>
  program.option(
    '--store <address>',
    'the shared store of runs: a directory or s3://bucket/prefix (default: UNROLL_STORE, or `store` of your config)',
  );

/** As `toStore`, of a command that can do without. */
export const withStore = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
  without = 'neither take runs from the shared store nor send them to it',
) => toStore(program).option('--no-store', without);

export const execution = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) =>
  withStore(
    selection(
      runsDirectory(program).option(
        '--concurrency <n>',
        'number of runs to train at the same time',
        positiveInteger,
      ),
    ),
  )
    .addOption(
      new Option(
        '--executor <name>',
        'where runs train: on this machine, on workers that share a Redis server, or in jobs of Slurm',
      )
        .choices(executorNames)
        .env('UNROLL_EXECUTOR'),
    )
    .option('--class <name>', 'the class of workers that train, with --executor bullmq', classOfWorkers)
    .option(
      '--max-parallel <n>',
      'train at most this many runs at a time on all workers, or in all jobs',
      positiveInteger,
    )
    .option('--priority <n>', 'the place in the queue: 1 is first (default: 100)', positiveInteger)
    .option('--share-data', 'send the data to the shared store, for workers that lack it')
    .option('--junit <file>', 'write outcomes and expectations as JUnit XML, for CI systems')
    .option('--profile', 'print and record where the time was spent')
    .option('--quiet', 'print only errors and the final comparison')
    .option('--no-mlflow', 'send nothing to MLflow')
    .option(
      '--allow-server <uri>',
      'an MLflow server that the spec may send runs to, in this command; repeatable',
      collectServers,
    );

/** The MLflow server that recorded runs are sent to. */
export const toServer = <Args extends unknown[], Options extends OptionValues>(
  program: Program<Args, Options>,
) =>
  program
    .option('--to <uri>', 'the server, instead of that of the spec or MLFLOW_TRACKING_URI')
    .option(
      '--allow-server <uri>',
      'an MLflow server that a spec may send runs to, in this command; repeatable',
      collectServers,
    );
