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
  'plugin-broken': {
    why:
      'A file unroll.config.ts registers models, datasets and optimizers of your own. It is loaded before the spec is checked, and so are the modules that it imports: ' +
      'they must exist, be TypeScript or JavaScript, and not throw.',
    examples: [
      command(
        'unroll models',
        'unroll models',
        'unroll.config.ts imports ./models/tcnn.ts; the module is called ./models/tcn.ts.',
      ),
    ],
  },
  'plugin-invalid': {
    why:
      'What a config lists is made by defineModel, defineDataset and defineOptimizer. Each needs a name that no other has, a schema for each parameter, and the functions that do its work; ' +
      'an editor with TypeScript shows most of these mistakes while you write.',
    examples: [
      command(
        'unroll models',
        'unroll models',
        "The config defines a model { name: 'lstm' }, a name that comes with Unroll; my-lstm is free.",
      ),
    ],
  },
  'code-changed': {
    why:
      "The code of your own models, datasets and optimizers is a part of a run's id, so that old results are not taken for new ones. A sweep that is resumed stands for the code " +
      'that it was planned with. Plan anew with the code of today, or bring the old code back.',
    examples: [
      command(
        'unroll resume',
        'unroll run sweep.yaml',
        'A module of a model was edited after the sweep had begun.',
      ),
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
