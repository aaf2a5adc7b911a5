import { Option } from '@commander-js/extra-typings';
import { commandRow, diagnosticFormats, type CommandRow } from './command.ts';
import {
  classOfWorkers,
  collect,
  execution,
  json,
  overrides,
  positiveNumber,
  replacing,
  runsDirectory,
  selection,
  slotsOfWorker,
  stepsOfRange,
  withStore,
} from './options.ts';

/** The commands that write, check, plan and train specs. */
export const sweepCommands: readonly CommandRow[] = [
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
        .option('--plot <file>', 'write the plot as an SVG file')
        .option(...replacing),
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
      withStore(
        program
          .option('--slots <n>', 'runs at a time, or auto: as many as the cores allow', slotsOfWorker, 'auto')
          .option('--class <name>', 'the class of runs that it takes', classOfWorkers, 'default'),
        'keep no checkpoints in the shared store',
      ),
    load: () => import('./commands/worker.ts'),
  }),
  commandRow({
    name: 'workers',
    summary: 'list the workers of a Redis server, the lost ones included',
    declare: (program) => json(program),
    load: () => import('./commands/workers.ts'),
  }),
];
