import { command, spec, wholeSpec, type Page } from './page.ts';

/** Files that cannot be had, and what is in them. */
export const filePages = {
  'file-missing': {
    why:
      'A path on the command line is relative to the current folder; a path in a spec is relative to the folder of the spec that contains it. ' +
      'The message shows the nearest name in that folder.',
    examples: [
      command('unroll validate experiments/quikstart.yaml', 'unroll validate experiments/quickstart.yaml'),
    ],
  },
  'file-exists': {
    why: 'Commands do not overwrite your files, such as specs, predictions, bundles, exports, plots and tables. Choose another name, or add `--force` where the command has it. Three outputs are always written again: the page of `report`, the file of `--junit` and the schemas of `schema --write`.',
    examples: [command('unroll init experiments/quickstart.yaml', 'unroll init experiments/second.yaml')],
  },
  'not-exportable': {
    why:
      'Unroll writes built-in models in every format. It cannot translate the code of a model of your own: give it `onnx` in defineModel, and its runs keep a model.onnx that `unroll export` copies. ' +
      'An ONNX file has at most 2 GB, the limit of protobuf; the other formats have none.',
    examples: [
      command(
        'unroll export 3fa --format tfjs --output web',
        'unroll export 3fa --format safetensors --output weights',
        'Run 3fa trained a model of your own.',
      ),
    ],
  },
  'file-unreadable': {
    why: 'A spec must be a readable UTF-8 text file, not a folder, a binary file or a file in another encoding.',
    examples: [command('unroll validate experiments', 'unroll validate experiments/quickstart.yaml')],
  },
  'file-too-large': {
    why: 'A spec can have at most 1 MiB, which limits the cost of reading a wrong file. Write long lists of values as ranges.',
    examples: [
      command(
        'unroll validate measurements.yaml',
        'unroll validate experiments/quickstart.yaml',
        'measurements.yaml is a data file of several megabytes.',
      ),
    ],
  },
  'file-empty': {
    why: 'A file that is empty, or contains only comments, has nothing to run.',
    examples: [
      wholeSpec(
        '# to do',
        `version: 1
name: first
dataset: { name: toy-sequences }
model: { name: lstm }
optimizer: { name: adam }
train: { steps: 100 }`,
      ),
    ],
  },
  'extends-cycle': {
    why: 'A spec inherits from the file it extends, so it must not extend itself, directly or through other files. The message lists the files in order.',
    examples: [
      command(
        'unroll validate circle.yaml',
        'unroll validate experiments/quickstart.yaml',
        'circle.yaml contains the line `extends: ./circle.yaml`.',
      ),
    ],
  },
  'environment-variable': {
    why:
      'Environment variables are read only under tracking, where addresses differ between machines. ' +
      'The results of a run must follow from its spec alone, or the run could not be repeated. ' +
      'A spec may come from anybody and what it reads is sent to MLflow, so it reads only MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME, USER and HOSTNAME. ' +
      'Allow others by name with `--allow-variable NAME`, or under variables in your config (`unroll trust` prints its path).',
    examples: [
      spec(
        'dataset: { name: csv-sequences, file: "${DATA}/train.csv", targets: [label] }',
        'dataset: { name: toy-sequences }',
      ),
      spec(
        'tracking: { mlflow: { tags: { team: "${TEAM}" } } }',
        'tracking: { mlflow: { tags: { team: speech, by: "${USER:-unknown}" } } }',
      ),
    ],
  },
  'bad-data': {
    why:
      'Unusable rows are never skipped silently, because the results would then be those of different data. ' +
      'The message lists the first bad rows, with file and line. Fix them, or remove them from the file.',
    examples: [
      command(
        'unroll plan gaps.yaml',
        'unroll plan fixed.yaml',
        'gaps.yaml trains on gaps.csv, in which a number is missing.',
      ),
    ],
  },
  'suspicious-data': {
    why:
      'The run would train, but perhaps not on what you think: an index is used as a feature, quantities are taken as classes, ' +
      'a class is missing from the training part, or the parts share sequences, so that a result shows memory only. ' +
      'The message names the column, the class or the parts. `unroll validate` prints what it found in the data.',
    examples: [
      command(
        'unroll validate numbered.yaml',
        'unroll validate features.yaml',
        'numbered.yaml trains on a file whose first column numbers the rows and has no name; features.yaml names the features.',
      ),
    ],
  },
  'data-missing': {
    why:
      'A file of the dataset is missing: your own file, whose path is relative to the folder of the spec that contains it, ' +
      'or the images of a built-in dataset. The message lists where Unroll looked.',
    examples: [
      spec(
        'dataset: { name: csv-sequences, file: data/trian.csv, sequence: id, targets: [label] }',
        'dataset: { name: csv-sequences, file: data/train.csv, sequence: id, targets: [label] }',
      ),
    ],
  },
} satisfies Readonly<Record<string, Page>>;
