import { InvalidArgumentError, Option, type Command as Program } from 'commander';
import { diagnosticFormats, type CommandRow } from './command.ts';

/** Collects an option that may stand several times. */
const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const positiveInteger = (value: string): number => {
  if (!/^[1-9]\d*$/.test(value) || !Number.isSafeInteger(Number(value)))
    throw new InvalidArgumentError('a whole number from 1');
  return Number(value);
};

const json = (program: Program) => program.option('--json', 'print JSON for programs');

const overrides = (program: Program) =>
  program
    .option(
      '--set <path=value>',
      'set a value of the spec, such as optimizer.learningRate=0.01; may stand several times',
      collect,
    )
    .option(
      '--sweep <path=a,b>',
      'add an axis to the sweep, such as model.hiddenSize=64,128; may stand several times',
      collect,
    )
    .option(
      '--allow-variable <name>',
      'an environment variable that the spec may read under tracking; repeatable',
      collect,
    )
    .option('--yes', 'allow more runs than maxRuns');

const runsDirectory = (program: Program) =>
  program.option('--runs-directory <folder>', 'where runs are recorded', 'runs');

/** The sweeps that a command reads: the latest, or others by name, id or all. */
const chosenSweeps = (program: Program) =>
  runsDirectory(program.argument('[sweeps...]', 'experiments or sweep ids; the latest sweep by default'))
    .option(
      '--sweep <id>',
      'this sweep instead of the latest, by the first letters of its id; repeatable',
      collect,
    )
    .addOption(new Option('--all', 'every sweep of the experiments, or of all').conflicts('sweep'));

const selection = (program: Program) =>
  program
    .option('--force', 'train the runs again that are done or failed, from the start')
    .option('--retry-failed', 'train the runs again that failed by themselves')
    .option(
      '--only <condition>',
      'train only runs such as model.hiddenSize>=64, seed=1, state=failed; may stand several times',
      collect,
    )
    .option('--limit <n>', 'train no more than this many runs', positiveInteger);

const execution = (program: Program) =>
  selection(
    runsDirectory(program).option(
      '--concurrency <n>',
      'how many runs train at the same time',
      positiveInteger,
    ),
  )
    .option('--junit <file>', 'write how runs ended and which expectations they met, for CI systems')
    .option('--profile', 'show at the end where the time went, and record it with each run')
    .option('--quiet', 'print only mistakes and the comparison at the end')
    .option('--no-mlflow', 'send nothing to MLflow')
    .option(
      '--allow-server <uri>',
      'an MLflow server that the spec may send runs to, in this command; repeatable',
      collect,
    );

const registryRow = (name: 'models' | 'datasets' | 'optimizers', noun: string): CommandRow => ({
  name,
  summary: `list the ${name}, or all parameters of one`,
  declare: (program) => json(program.argument('[name]', `a ${noun} of the list`)),
  load: () =>
    import(`./commands/registry.ts`).then(({ describeTable }) => ({ execute: describeTable(name) })),
});

/** Every command, in the order of the help: first the way of a spec, then looking at what is recorded, then the rest. */
export const commands: readonly CommandRow[] = [
  {
    name: 'init',
    summary: 'write a commented spec that runs; asks for what is not given',
    declare: (program) =>
      program
        .argument('[file]', 'the new file; never overwritten', 'experiment.yaml')
        .option('--name <name>', 'the name of the experiment; that of the file by default')
        .option('--dataset <name>', 'a dataset of the list')
        .option('--model <name>', 'a model of the list')
        .option('--optimizer <name>', 'an optimizer of the list')
        .option('--set <path=value>', 'a value of the new spec, such as dataset.file=data.csv', collect)
        .option('--defaults', 'ask nothing'),
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'new',
    summary: 'begin a model, dataset or optimizer of your own: a typed module with a spec and a test',
    declare: (program) =>
      program
        .argument('<kind>', 'model, dataset or optimizer')
        .argument('<name>', 'its name in specs, such as my-model'),
    load: () => import('./commands/new.ts'),
  },
  {
    name: 'validate',
    summary: 'check a spec and every run it unrolls into',
    declare: (program) =>
      json(overrides(program.argument('<spec>', 'a YAML file'))).addOption(
        new Option(
          '--format <form>',
          'how mistakes are printed: text, json or github (annotations of a CI job)',
        ).choices(diagnosticFormats),
      ),
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'plan',
    summary: 'show the runs of a spec, how each stands, and how long the missing ones will take',
    declare: (program) =>
      json(selection(runsDirectory(overrides(program.argument('<spec>', 'a YAML file'))))),
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'run',
    summary: 'train what is missing of a spec, record it, and compare',
    declare: (program) =>
      json(
        execution(overrides(program.argument('<spec>', 'a YAML file'))).option(
          '--dry-run',
          'show the plan, train nothing',
        ),
      ),
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'resume',
    summary: 'go on with a sweep that was started, exactly as its plan was frozen then',
    declare: (program) =>
      json(execution(program.argument('[sweep]', 'a sweep id or an experiment; the last sweep by default')))
        .option(
          '--allow-variable <name>',
          'an environment variable that the spec may read under tracking; repeatable',
          collect,
        )
        .option('--updated', 'train what the spec says today instead of the frozen plan'),
    load: () => import('./commands/resume.ts'),
  },
  {
    name: 'ls',
    summary: 'list the recorded runs',
    declare: (program) =>
      json(runsDirectory(program.argument('[experiment]', 'only the runs of this experiment'))),
    load: () => import('./commands/ls.ts'),
  },
  {
    name: 'show',
    summary: 'show one run: configuration, end, metrics, environment',
    declare: (program) => json(runsDirectory(program.argument('<run>', 'a run id, or its first letters'))),
    load: () => import('./commands/show.ts'),
  },
  {
    name: 'compare',
    summary: 'compare the runs of sweeps, best first, with mean and spread over seeds',
    declare: (program) =>
      json(chosenSweeps(program))
        .option(
          '--group-by <path>',
          'one row for all runs that agree in this setting; may stand several times',
          collect,
        )
        .option(
          '--filter <condition>',
          'only runs such as model.hiddenSize>=64, seed=1, state=done; may stand several times',
          collect,
        )
        .option('--csv', 'print CSV')
        .option('--parquet <file>', 'write the rows of the CSV into an Apache Parquet file'),
    load: () => import('./commands/compare.ts'),
  },
  {
    name: 'diff',
    summary: 'show how two runs differ in configuration and metrics',
    declare: (program) =>
      json(runsDirectory(program.argument('<run>', 'a run id').argument('<other>', 'another run id'))),
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'report',
    summary: 'write sweeps as one HTML page with table, curves and maps, which needs no network',
    declare: (program) =>
      chosenSweeps(program)
        .option('--output <file>', 'the HTML file; beside the runs by default')
        .option('--watch', 'write it again every few seconds while the sweep is running'),
    load: () => import('./commands/report.ts'),
  },
  {
    name: 'rm',
    summary: 'delete runs or experiments; shows what and how much first, and deletes with --yes',
    declare: (program) =>
      json(runsDirectory(program.argument('<what...>', 'run ids or experiments'))).option(
        '--yes',
        'delete them',
      ),
    load: () => import('./commands/rm.ts'),
  },
  {
    name: 'prune',
    summary: 'delete what is of no more use; shows what and how much first, and deletes with --yes',
    declare: (program) =>
      json(
        runsDirectory(
          program.argument(
            '<what...>',
            'failed, interrupted or stale runs, or the checkpoints of runs that are done',
          ),
        ),
      )
        .option('--experiment <name>', 'only of this experiment')
        .option('--yes', 'delete it'),
    load: () => import('./commands/prune.ts'),
  },
  {
    name: 'sync',
    summary: 'send to an MLflow server what is recorded and not there yet',
    declare: (program) =>
      json(runsDirectory(program.argument('[what]', 'a run id or an experiment; everything by default')))
        .option('--to <uri>', 'another server than that of the spec or of MLFLOW_TRACKING_URI')
        .option(
          '--allow-server <uri>',
          'an MLflow server that a spec may send runs to, in this command; repeatable',
          collect,
        )
        .option('--verify', 'read everything back and compare')
        .option('--restore', 'restore a deleted experiment'),
    load: () => import('./commands/sync.ts'),
  },
  {
    name: 'trust',
    summary:
      'allow specs to send runs to an MLflow server, from now on; without an address, list what is allowed',
    declare: (program) =>
      json(program.argument('[uri]', 'the address of the server, such as https://mlflow.example.com'))
        .option('--credentials', 'also send it the credentials of your environment')
        .option('--remove', 'no longer allow it'),
    load: () => import('./commands/trust.ts'),
  },
  {
    name: 'mlflow',
    summary: 'start a local MLflow server beside the runs and say its address',
    declare: (program) =>
      runsDirectory(program).option('--port <n>', 'its port; 5000 or the next free one', positiveInteger),
    load: () => import('./commands/mlflow.ts'),
  },
  registryRow('models', 'model'),
  registryRow('datasets', 'dataset'),
  registryRow('optimizers', 'optimizer'),
  {
    name: 'explain',
    summary: 'explain the code of a message, such as unknown-key, with wrong and right examples',
    declare: (program) => program.argument('[codes...]', 'codes of messages; without one, the list of all'),
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'schema',
    summary: 'print the JSON schema of a spec, for editors',
    declare: (program) =>
      program
        .argument('[name]', 'experiment or run', 'experiment')
        .option('--write <folder>', 'write all schemas into a folder instead')
        .option('--check <folder>', 'tell whether the schemas in a folder are up to date'),
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'completion',
    summary: 'print the script that completes commands, options, specs and runs in a shell',
    declare: (program) => program.argument('<shell>', 'bash, zsh or fish'),
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'complete',
    summary: 'print what may stand in place of the last word, for the script of a shell',
    hidden: true,
    declare: (program) => program.argument('[words...]', 'the words after unroll, behind --'),
    load: () => import('./commands/complete.ts'),
  },
  {
    name: 'doctor',
    summary: 'tell what this machine offers, what is missing, and the command that mends it',
    declare: (program) => json(program),
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'setup',
    summary: 'get native TensorFlow ready; does nothing when it is',
    declare: (program) => program,
    load: () => import('./commands/setup.ts'),
  },
];
