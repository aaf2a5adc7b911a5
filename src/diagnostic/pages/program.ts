import { command, type Page } from './page.ts';

/** The command line, what is recorded, and the machine. */
export const programPages = {
  'unknown-command': {
    why: 'The first word after `unroll` is a command. `unroll --help` lists them all.',
    examples: [
      command('unroll valdiate experiments/quickstart.yaml', 'unroll validate experiments/quickstart.yaml'),
    ],
  },
  'unknown-option': {
    why: 'Each command has options of its own; `unroll COMMAND --help` lists them. Settings of a spec are changed with --set.',
    examples: [
      command(
        'unroll plan experiments/quickstart.yaml --trainingIters 2000',
        'unroll plan experiments/quickstart.yaml --set train.trainingIters=2000',
      ),
    ],
  },
  'bad-argument': {
    why: 'The command or option is known, but not with this value, without a value, or with so many of them.',
    examples: [
      command(
        'unroll plan experiments/quickstart.yaml --set optimizer.beta1',
        'unroll plan experiments/quickstart.yaml --set optimizer.beta1=0.95',
      ),
      command('unroll plan', 'unroll plan experiments/quickstart.yaml'),
    ],
  },
  'unknown-run': {
    why:
      'A run is named by its id or the first letters of it, as `unroll ls` prints them. Runs are looked for in the folder runs of the folder you are in; ' +
      '--runs-directory names another one.',
    examples: [command('unroll show zzz', 'unroll show 3fa')],
  },
  'ambiguous-run': {
    why: 'The first letters of an id are enough as long as only one run has them.',
    examples: [command('unroll show 3f', 'unroll show 3fa', 'Two runs are recorded: 3fa... and 3fb...')],
  },
  'damaged-record': {
    why:
      'A file of a run directory was cut or changed from outside; Unroll itself writes whole files only. Other runs are not affected. ' +
      'Delete the directory of the run, and run the spec again: only this run is repeated.',
    examples: [
      command('unroll show 3fc', 'unroll show 3fa', 'run.json of the run 3fc... was cut in the middle.'),
    ],
  },
  'backend-missing': {
    why:
      'Training needs native TensorFlow, which the set-up gets ready once for each user. Without it a run falls back to WebAssembly, which is about 50 times slower. ' +
      '`unroll doctor` tells what is missing and the command that mends it.',
    examples: [
      command('unroll run experiments/quickstart.yaml', 'unroll setup', 'The set-up was not run, or failed.'),
    ],
  },
  tracking: {
    why:
      'What is recorded in the run directories could not be sent to MLflow: no server is named, it cannot be reached, or it refuses. ' +
      'Nothing is lost: the run directories are the truth, and `unroll sync` sends what is missing whenever the server is back.',
    examples: [
      command(
        'unroll sync',
        'unroll sync --to http://127.0.0.1:5000',
        'Neither the spec nor MLFLOW_TRACKING_URI names a server.',
      ),
    ],
  },
} satisfies Readonly<Record<string, Page>>;
