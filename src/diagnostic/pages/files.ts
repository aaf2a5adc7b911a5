import { command, spec, wholeSpec, type Page } from './page.ts';

/** Files that cannot be had, and what is in them. */
export const filePages = {
  'file-missing': {
    why:
      'A path on the command line starts at the folder you are in; a path after extends starts at the folder of the spec that names it. ' +
      'The message tells the nearest name in that folder.',
    examples: [
      command('unroll validate experiments/quikstart.yaml', 'unroll validate experiments/quickstart.yaml'),
    ],
  },
  'file-exists': {
    why: 'What Unroll writes for you to change, it never writes over what you have. Name another file, or remove the one that is there.',
    examples: [command('unroll init experiments/quickstart.yaml', 'unroll init experiments/second.yaml')],
  },
  'file-unreadable': {
    why: 'A spec is a text file, encoded as UTF-8, that you may read. A folder, a binary file or another encoding is none.',
    examples: [command('unroll validate experiments', 'unroll validate experiments/quickstart.yaml')],
  },
  'file-too-large': {
    why: 'A spec may have 1 MiB; this bounds what a wrong file can cost. Long lists of values are better written as ranges.',
    examples: [
      command(
        'unroll validate measurements.yaml',
        'unroll validate experiments/quickstart.yaml',
        'measurements.yaml is a data file of several megabytes.',
      ),
    ],
  },
  'file-empty': {
    why: 'There is nothing to run in a file without content, or with comments only.',
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
    why: 'A spec takes over what it extends, so a spec that leads back to itself has no beginning. The message lists the files in their order.',
    examples: [
      command(
        'unroll validate circle.yaml',
        'unroll validate experiments/quickstart.yaml',
        'circle.yaml has the line `extends: ./circle.yaml`.',
      ),
    ],
  },
  'environment-variable': {
    why:
      'Variables of the environment are read under tracking only, where addresses differ between machines. ' +
      'What a run computes must be readable from its spec alone, or the run could not be repeated.',
    examples: [
      spec(
        'dataset: { name: csv-sequences, file: "${DATA}/train.csv", targets: [label] }',
        'dataset: { name: toy-sequences }',
      ),
      spec(
        'tracking: { mlflow: { uri: "${MY_SERVER}" } }',
        'tracking: { mlflow: { uri: "${MY_SERVER:-http://127.0.0.1:5000}" } }',
      ),
    ],
  },
  'bad-data': {
    why:
      'A row that cannot be used is never skipped in silence: the numbers of the training would be those of other data than you think. ' +
      'The message names the first bad rows, with file and line. Mend them, or remove them from the file.',
    examples: [
      command(
        'unroll plan gaps.yaml',
        'unroll plan mended.yaml',
        'gaps.yaml trains on gaps.csv, in which a cell of a number is empty.',
      ),
    ],
  },
  'data-missing': {
    why:
      'A dataset needs files that are not there: your own file, whose path starts at the folder of the spec, ' +
      'or images that a built-in dataset could not fetch. The message tells where they were looked for.',
    examples: [
      spec(
        'dataset: { name: csv-sequences, file: data/trian.csv, sequence: id, targets: [label] }',
        'dataset: { name: csv-sequences, file: data/train.csv, sequence: id, targets: [label] }',
      ),
    ],
  },
} satisfies Readonly<Record<string, Page>>;
