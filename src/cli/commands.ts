import { commandRow, type CommandRow } from './command.ts';
import { json } from './options.ts';
import { recordCommands } from './record-commands.ts';
import { sweepCommands } from './sweep-commands.ts';

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
  ...sweepCommands,
  ...recordCommands,
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
