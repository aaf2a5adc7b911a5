import { Option } from '@commander-js/extra-typings';
import { exportFormats } from '../export/formats.ts';
import { outputFormats } from '../prediction/formats.ts';
import { commandRow, diagnosticFormats, type CommandRow } from './command.ts';
import {
  atLeastZero,
  chosenSweeps,
  classOfWorkers,
  collect,
  execution,
  inputFormat,
  json,
  models,
  oneModel,
  overrides,
  positiveInteger,
  positiveNumber,
  runsDirectory,
  selection,
  serving,
  slotsOfWorker,
  stepsOfRange,
  toServer,
  toStore,
  wholeNumber,
  withStore,
} from './options.ts';

const registryRow = (name: 'models' | 'datasets' | 'optimizers' | 'losses', noun: string): CommandRow =>
  commandRow({
    name,
    summary: `list the ${name}, or all parameters of one`,
    declare: (program) => json(program.argument('[name]', `the name of a ${noun}`)),
    load: async () => {
      const { describeTable } = await import('./commands/registry.ts');
      return { execute: describeTable(name) };
    },
  });

/** Every command, in the order of the help: specs first, then recorded runs, then the rest. */
export const commands: readonly CommandRow[] = [
  commandRow({
    name: 'init',
    summary: 'write a commented, runnable spec; asks for missing values',
    declare: (program) =>
      program
        .argument('[file]', 'the new file; never overwritten', 'experiment.yaml')
        .option('--name <name>', 'the name of the experiment (default: the file name)')
        .option('--dataset <name>', 'the name of a dataset')
        .option('--model <name>', 'the name of a model')
        .option('--optimizer <name>', 'the name of an optimizer')
        .option('--set <path=value>', 'a value of the new spec, such as dataset.file=data.csv', collect)
        .option('--defaults', 'ask nothing'),
    load: () => import('./commands/init.ts'),
  }),
  commandRow({
    name: 'new',
    summary:
      'write a template for your own model, dataset, optimizer, loss or metric, with a spec and a test',
    declare: (program) =>
      program
        .argument('<kind>', 'model, dataset, optimizer, loss or metric')
        .argument('<name>', 'its name in specs, such as my-model'),
    load: () => import('./commands/new.ts'),
  }),
  commandRow({
    name: 'validate',
    summary: 'check a spec and every run it unrolls into',
    declare: (program) =>
      json(overrides(program.argument('<spec>', 'a YAML file'))).addOption(
        new Option('--format <form>', 'how to print errors: text, json or github (CI annotations)').choices(
          diagnosticFormats,
        ),
      ),
    load: () => import('./commands/validate.ts'),
  }),
  commandRow({
    name: 'plan',
    summary: 'show the runs of a spec, their state, and the estimated time',
    declare: (program) =>
      json(withStore(selection(runsDirectory(overrides(program.argument('<spec>', 'a YAML file')))))),
    load: () => import('./commands/plan.ts'),
  }),
  commandRow({
    name: 'run',
    summary: 'train the missing runs of a spec, record and compare them',
    declare: (program) =>
      json(
        execution(overrides(program.argument('<spec>', 'a YAML file'))).option(
          '--dry-run',
          'show the plan without training',
        ),
      ),
    load: () => import('./commands/run.ts'),
  }),
  commandRow({
    name: 'range',
    summary: 'try learning rates in one short training, and suggest one',
    declare: (program) =>
      json(runsDirectory(overrides(program.argument('<spec>', 'a YAML file'))))
        .option(
          '--only <condition>',
          "which run, such as 'model.hiddenSize=64' or seed=1 (default: the first); repeatable",
          collect,
        )
        .option('--from <rate>', 'the learning rate of the first step', positiveNumber, 1e-6)
        .option('--to <rate>', 'the learning rate of the last step', positiveNumber, 10)
        .option('--steps <n>', 'steps, each with a higher rate', stepsOfRange, 100)
        .option('--plot <file>', 'write the plot as an SVG file'),
    load: () => import('./commands/range.ts'),
  }),
  commandRow({
    name: 'resume',
    summary: 'resume a sweep with the plan frozen at its start',
    declare: (program) =>
      json(execution(program.argument('[sweep]', 'a sweep id or an experiment (default: the last sweep)')))
        .option(
          '--allow-variable <name>',
          'an environment variable that the spec may read under tracking; repeatable',
          collect,
        )
        .option('--updated', 'train the current spec instead of the frozen plan'),
    load: () => import('./commands/resume.ts'),
  }),
  commandRow({
    name: 'attach',
    summary: 'come back to a sweep on workers or in Slurm: collect what they have trained, follow the rest',
    declare: (program) =>
      json(execution(program.argument('[sweep]', 'a sweep id or an experiment (default: the last sweep)'))),
    load: () => import('./commands/attach.ts'),
  }),
  commandRow({
    name: 'cancel',
    summary: 'end the runs of a sweep on workers or in Slurm, queued and running',
    declare: (program) =>
      json(
        runsDirectory(program.argument('[sweep]', 'a sweep id or an experiment (default: the last sweep)')),
      ),
    load: () => import('./commands/cancel.ts'),
  }),
  commandRow({
    name: 'worker',
    summary: 'train runs of other machines that share a Redis server, until Ctrl-C',
    declare: (program) =>
      program
        .option('--slots <n>', 'runs at a time, or auto: as many as the cores allow', slotsOfWorker, 'auto')
        .option('--class <name>', 'the class of runs that it takes', classOfWorkers, 'default'),
    load: () => import('./commands/worker.ts'),
  }),
  commandRow({
    name: 'workers',
    summary: 'list the workers of a Redis server, the lost ones included',
    declare: (program) => json(program),
    load: () => import('./commands/workers.ts'),
  }),
  commandRow({
    name: 'ls',
    summary: 'list the recorded runs',
    declare: (program) =>
      json(runsDirectory(program.argument('[experiment]', 'only the runs of this experiment'))),
    load: () => import('./commands/ls.ts'),
  }),
  commandRow({
    name: 'show',
    summary: 'show one run: configuration, outcome, metrics, environment',
    declare: (program) => json(runsDirectory(program.argument('<run>', 'a run id, or best:EXPERIMENT'))),
    load: () => import('./commands/show.ts'),
  }),
  commandRow({
    name: 'export',
    summary: 'write a trained model as files for ONNX Runtime, TensorFlow.js, PyTorch or others',
    declare: (program) =>
      json(
        runsDirectory(
          program.argument(
            '<model>',
            "a run id's first characters, best:EXPERIMENT, or a folder with model.json",
          ),
        ),
      )
        .addOption(
          new Option('--format <format>', 'what to write').choices(exportFormats).makeOptionMandatory(),
        )
        .requiredOption('--output <folder>', 'where to write it')
        .option('--force', 'replace files that are there'),
    load: () => import('./commands/export.ts'),
  }),
  commandRow({
    name: 'compare',
    summary: 'compare the runs of sweeps, best first, with mean and spread over seeds',
    declare: (program) =>
      json(chosenSweeps(program))
        .option(
          '--group-by <path>',
          'group the runs that have the same value of this setting; repeatable',
          collect,
        )
        .option(
          '--filter <condition>',
          "only runs such as 'model.hiddenSize>=64', seed=1, state=done; repeatable",
          collect,
        )
        .option('--csv', 'print CSV')
        .option('--parquet <file>', 'write the CSV rows to an Apache Parquet file'),
    load: () => import('./commands/compare.ts'),
  }),
  commandRow({
    name: 'diff',
    summary: 'show how two runs differ in configuration and metrics',
    declare: (program) =>
      json(runsDirectory(program.argument('<run>', 'a run id').argument('<other>', 'another run id'))),
    load: () => import('./commands/diff.ts'),
  }),
  commandRow({
    name: 'report',
    summary: 'write sweeps as one self-contained HTML page with table, curves and maps',
    declare: (program) =>
      chosenSweeps(program)
        .option('--output <file>', 'the HTML file (default: next to the runs)')
        .option('--watch', 'rewrite it every few seconds while the sweep is running'),
    load: () => import('./commands/report.ts'),
  }),
  commandRow({
    name: 'predict',
    summary: 'predict the sequences of a file with a trained model',
    declare: (program) =>
      inputFormat(
        runsDirectory(models(program))
          .requiredOption(
            '--input <file>',
            'the data: a file, a folder, a pattern, or - for the standard input',
          )
          .option('--output <file>', 'where predictions are written (default: the standard output)')
          .addOption(
            new Option(
              '--format <form>',
              'csv, jsonl or parquet (default: by the name of the output)',
            ).choices(outputFormats),
          )
          .option('--horizon <n>', 'forecast so many steps after the end of the file', positiveInteger)
          .option('--ensemble', 'average the predictions of several models'),
      ),
    load: () => import('./commands/predict.ts'),
  }),
  commandRow({
    name: 'evaluate',
    summary: 'evaluate a trained model on other data',
    declare: (program) =>
      json(
        inputFormat(
          runsDirectory(oneModel(program)).requiredOption(
            '--data <file>',
            'the data with its targets: a file, a folder, a pattern, or - for the standard input',
          ),
        ),
      ),
    load: () => import('./commands/evaluate.ts'),
  }),
  commandRow({
    name: 'sample',
    summary: 'write text with a language model',
    declare: (program) =>
      runsDirectory(oneModel(program))
        .requiredOption('--prompt <text>', 'what the text begins with')
        .option('--length <n>', 'how many tokens are written', positiveInteger, 100)
        .option('--temperature <t>', 'below 1: likelier tokens; 0: always the likeliest', atLeastZero, 1)
        .option('--topK <k>', 'choose among the k likeliest tokens', positiveInteger)
        .option('--seed <n>', 'another seed writes another text', wholeNumber, 1),
    load: () => import('./commands/sample.ts'),
  }),
  commandRow({
    name: 'serve',
    summary: 'answer requests over HTTP with trained models, in the scoring protocol of MLflow',
    declare: (program) => serving(json(runsDirectory(models(program)))),
    load: () => import('./commands/serve.ts'),
  }),
  commandRow({
    name: 'check',
    summary: 'read all recorded files and report damage and leftovers; --repair shows what it would change',
    declare: (program) =>
      json(
        runsDirectory(
          program.argument('[what]', 'a runs directory, an experiment or a run id (default: everything)'),
        ),
      )
        .option('--repair', 'show repairs, and make them with --yes')
        .option('--yes', 'make the repairs'),
    load: () => import('./commands/check.ts'),
  }),
  commandRow({
    name: 'verify',
    summary: 'train a recorded run again and compare its metrics and weights',
    declare: (program) =>
      json(runsDirectory(program.argument('<run>', 'a run id, best:EXPERIMENT, or a bundle')))
        .option('--steps <n>', 'train and compare only so many steps', positiveInteger)
        .option('--exact', 'exit with 1 also if numbers are within 1e-6 but not the same bits')
        .option(
          '--spec-directory <folder>',
          'where relative paths of the spec start (default: the folder of the spec)',
        ),
    load: () => import('./commands/verify.ts'),
  }),
  commandRow({
    name: 'bundle',
    summary: 'write a run with its code into one file that another machine can verify',
    declare: (program) =>
      json(runsDirectory(program.argument('<run>', 'a run id, or best:EXPERIMENT')))
        .option('--output <file>', 'the zip file (default: the experiment and the id)')
        .option('--data', 'put the data files into it')
        .option(
          '--spec-directory <folder>',
          'where relative paths of the spec start (default: the folder of the spec)',
        ),
    load: () => import('./commands/bundle.ts'),
  }),
  commandRow({
    name: 'rm',
    summary: 'delete runs or experiments; lists them and their size first, deletes with --yes',
    declare: (program) =>
      json(runsDirectory(program.argument('<what...>', 'run ids or experiments'))).option(
        '--yes',
        'delete them',
      ),
    load: () => import('./commands/rm.ts'),
  }),
  commandRow({
    name: 'prune',
    summary: 'delete runs or checkpoints that are no longer needed; lists them first, deletes with --yes',
    declare: (program) =>
      json(
        runsDirectory(
          program.argument(
            '<what...>',
            'failed, interrupted or stale runs, or checkpoints (those of finished runs)',
          ),
        ),
      )
        .option('--experiment <name>', 'only in this experiment')
        .option('--yes', 'delete it'),
    load: () => import('./commands/prune.ts'),
  }),
  commandRow({
    name: 'push',
    summary: 'send finished runs to the shared store of runs',
    declare: (program) =>
      toStore(
        json(
          runsDirectory(
            program.argument('[what...]', 'experiments, sweep ids or run ids (default: every finished run)'),
          ),
        ),
      ).option('--force', 'send everything again, in place of what the store has'),
    load: () => import('./commands/push.ts'),
  }),
  commandRow({
    name: 'pull',
    summary: 'bring finished runs from the shared store of runs',
    declare: (program) =>
      toStore(
        json(
          runsDirectory(
            program.argument('[what...]', 'experiments, sweep ids or run ids (default: everything there)'),
          ),
        ),
      ),
    load: () => import('./commands/pull.ts'),
  }),
  commandRow({
    name: 'sync',
    summary: 'send recorded runs that are missing on an MLflow server',
    declare: (program) =>
      toServer(
        json(runsDirectory(program.argument('[what]', 'a run id or an experiment (default: everything)'))),
      )
        .option('--verify', 'read everything back and compare')
        .option('--restore', 'restore a deleted experiment'),
    load: () => import('./commands/sync.ts'),
  }),
  commandRow({
    name: 'register',
    summary: "register a run's trained network as a version of a model on an MLflow server",
    declare: (program) =>
      toServer(
        json(runsDirectory(program.argument('<run>', 'a run id, or best:EXPERIMENT for its best run')))
          .requiredOption('--name <name>', 'the name of the registered model, such as digits')
          .option('--alias <alias>', 'an alias of the new version, such as champion'),
      ),
    load: () => import('./commands/register.ts'),
  }),
  commandRow({
    name: 'trust',
    summary:
      'allow specs to send runs to an MLflow server, from now on; without an address, list what is allowed',
    declare: (program) =>
      json(program.argument('[uri]', 'the address of the server, such as https://mlflow.example.com'))
        .option('--credentials', 'also send it the credentials of your environment')
        .option('--remove', 'no longer allow it'),
    load: () => import('./commands/trust.ts'),
  }),
  commandRow({
    name: 'mlflow',
    summary: 'start a local MLflow server next to the runs and print its address',
    declare: (program) =>
      runsDirectory(program).option(
        '--port <n>',
        'its port (default: 5000 or the next free one)',
        positiveInteger,
      ),
    load: () => import('./commands/mlflow.ts'),
  }),
  registryRow('models', 'model'),
  registryRow('datasets', 'dataset'),
  registryRow('optimizers', 'optimizer'),
  registryRow('losses', 'loss'),
  commandRow({
    name: 'metrics',
    summary: 'list the metrics, or show one with its direction, unit and tasks',
    declare: (program) =>
      json(program.argument('[name]', 'the name of a metric, such as macroF1 or val/loss')),
    load: () => import('./commands/metrics.ts'),
  }),
  commandRow({
    name: 'explain',
    summary: 'explain a message code, such as unknown-key, with wrong and right examples',
    declare: (program) => program.argument('[codes...]', 'message codes; lists all codes if omitted'),
    load: () => import('./commands/explain.ts'),
  }),
  commandRow({
    name: 'schema',
    summary: 'print the JSON schema of a spec, for editors',
    declare: (program) =>
      program
        .argument('[name]', 'experiment or run', 'experiment')
        .option('--write <folder>', 'write all schemas to a folder instead')
        .option('--check <folder>', 'check that the schemas in a folder are up to date'),
    load: () => import('./commands/schema.ts'),
  }),
  commandRow({
    name: 'completion',
    summary: 'print the script that completes commands, options, specs and runs in a shell',
    declare: (program) => program.argument('<shell>', 'bash, zsh or fish'),
    load: () => import('./commands/completion.ts'),
  }),
  commandRow({
    name: 'slurm-job',
    summary: 'train the runs of one task of a job array, for Slurm',
    hidden: true,
    declare: (program) =>
      program.argument('<folder>', 'the folder of the batch').argument('<task>', 'the number of the task'),
    load: () => import('./commands/slurm-job.ts'),
  }),
  commandRow({
    name: 'complete',
    summary: 'print completions of the last word, for a shell script',
    hidden: true,
    declare: (program) => program.argument('[words...]', 'the words after unroll, following --'),
    load: async () => ({ execute: (await import('./commands/complete.ts')).completeFrom(commands) }),
  }),
  commandRow({
    name: 'doctor',
    summary: 'check this machine and print the command that fixes what is missing',
    declare: (program) => json(program),
    load: () => import('./commands/doctor.ts'),
  }),
  commandRow({
    name: 'setup',
    summary: 'install native TensorFlow, unless it is installed already',
    declare: (program) => program,
    load: () => import('./commands/setup.ts'),
  }),
];
