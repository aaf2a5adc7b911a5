import { Option } from '@commander-js/extra-typings';
import { exportFormats } from '../export/formats.ts';
import { outputFormats } from '../prediction/formats.ts';
import { usualSampling } from '../prediction/sampling.ts';
import { commandRow, type CommandRow } from './command.ts';
import {
  atLeastZero,
  chosenSweeps,
  collect,
  inputFormat,
  json,
  models,
  oneModel,
  positiveInteger,
  replacing,
  runsDirectory,
  serving,
  toServer,
  toStore,
  wholeNumber,
} from './options.ts';

/** The commands that read, use, check, remove and share what was recorded. */
export const recordCommands: readonly CommandRow[] = [
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
        .option(...replacing),
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
        .option('--parquet <file>', 'write the CSV rows to an Apache Parquet file')
        .option(...replacing),
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
          .option(...replacing)
          .addOption(
            new Option(
              '--format <form>',
              'csv, jsonl or parquet (default: by the name of the output)',
            ).choices(outputFormats),
          )
          .option('--horizon <n>', 'forecast this many steps after the end of the file', positiveInteger)
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
        .option('--length <n>', 'how many tokens are written', positiveInteger, usualSampling.length)
        .option(
          '--temperature <t>',
          'below 1: likelier tokens; 0: always the likeliest',
          atLeastZero,
          usualSampling.temperature,
        )
        .option('--topK <k>', 'choose among the k likeliest tokens', positiveInteger)
        .option('--seed <n>', 'another seed writes another text', wholeNumber, usualSampling.seed),
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
        .option('--steps <n>', 'train and compare only this many steps', positiveInteger)
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
        .option(...replacing)
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
];
