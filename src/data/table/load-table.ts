import { createHash } from 'node:crypto';
import { DataError, type DataContext, type Dataset, type SequenceShape, type Split } from '../dataset.ts';
import { fileDigest, findDataFile, type DataFile } from '../files.ts';
import { indicesBelow } from '../indices.ts';
import { randomStream } from '../random.ts';
import { ensurePack, type TableFormat } from './ensure-pack.ts';
import { sortedLabels } from './labels.ts';
import { packExamples } from './examples.ts';
import { describePack, openPack, type Pack, type PackDescription } from './pack.ts';
import { fractions, type TableParameters } from './parameters.ts';
import { keptScaling, noScaling } from './standardize.ts';

const fileParameters = ['file', 'validationFile', 'testFile'] as const;
type FileParameter = (typeof fileParameters)[number];
type PerFile<T> = { readonly [parameter in FileParameter]?: T };

const perFile = async <T>(
  parameters: TableParameters,
  context: DataContext,
  work: (file: DataFile) => Promise<T>,
): Promise<PerFile<T>> => {
  const done: { [parameter in FileParameter]?: T } = {};
  for (const parameter of fileParameters) {
    const name = parameters[parameter];
    if (name !== null) done[parameter] = await work(await findDataFile(name, context, parameter));
  }
  return done;
};

/** Hex SHA-256 over the digests of all files, in the order training, validation, test. */
export const tableDigest = async (parameters: TableParameters, context: DataContext): Promise<string> => {
  const digests = await perFile(parameters, context, fileDigest);
  return createHash('sha256').update(JSON.stringify(digests)).digest('hex');
};

const ensurePacks = (format: TableFormat, context: DataContext): Promise<PerFile<string>> =>
  perFile(format.parameters, context, (file) => ensurePack(file, format));

/** The shape of the sequences in all files; packs the files that are not in the cache yet. */
export const tableShape = async (format: TableFormat, context: DataContext): Promise<SequenceShape> => {
  const packs = await ensurePacks(format, context);
  const described = Object.values(packs).map(describePack);
  checkAlike(format.parameters, described);
  return shapeOf(format.parameters, described);
};

const shapeOf = ({ task, targets }: TableParameters, packs: readonly PackDescription[]): SequenceShape => {
  const steps = Math.max(...packs.map(({ longest }) => longest));
  const labels = sortedLabels(packs.map((pack) => pack.labels));
  return {
    steps,
    input: { kind: 'values', features: packs[0]?.features.length ?? 0 },
    variableLength: packs.some(({ shortest }) => shortest < steps),
    task:
      task === 'regression'
        ? { kind: task, outputs: targets.length }
        : { kind: task, classes: labels.length, labels },
  };
};

/** That every file has the features of the first, in the same order. */
const checkAlike = (parameters: TableParameters, [first, ...others]: readonly PackDescription[]): void => {
  for (const other of others) {
    if (first && first.features.join('\n') !== other.features.join('\n')) {
      const message = `The files of this dataset have different features: ${parameters.file} has ${first.features.join(', ')}; another has ${other.features.join(', ')}.`;
      const help = 'Name the columns that all of them have with features.';
      throw new DataError({ path: 'features', message, expected: 'the same columns in every file', help });
    }
  }
};

/** Sequences of a pack that make a part. */
export interface TablePart {
  readonly pack: Pack;
  /** The folder of the pack. */
  readonly folder: string;
  /** In rising order. */
  readonly members: Int32Array;
}

/** A table whose parts are drawn, before any is read. */
export interface OpenTable {
  readonly shape: SequenceShape;
  readonly parts: { readonly train: TablePart; readonly validation?: TablePart; readonly test: TablePart };
}

/** Opens the parts of a table: from their files, or drawn from `file` by fraction. Throws `DataError` where one is empty. */
export const openTable = async (format: TableFormat, context: DataContext): Promise<OpenTable> => {
  const { parameters } = format;
  const folders = await ensurePacks(format, context);
  const open = (folder: string) => ({ folder, pack: openPack(folder) });
  const main = open(folders.file as string);
  const separate = (folder: string | undefined): TablePart | undefined => {
    if (folder === undefined) return undefined;
    const opened = open(folder);
    return { ...opened, members: indicesBelow(opened.pack.sequences) };
  };
  const drawn = drawParts(parameters, main.pack.sequences);
  const validation = separate(folders.validationFile) ?? { ...main, members: drawn.validation };
  const test = separate(folders.testFile) ?? { ...main, members: drawn.test };
  const packs = [main.pack, validation.pack, test.pack];
  checkAlike(parameters, packs);
  return {
    shape: shapeOf(parameters, packs),
    parts: {
      train: { ...main, members: drawn.train },
      ...(validation.members.length > 0 && { validation }),
      test,
    },
  };
};

/** Loads the parts of a table. */
export const loadTable = async (format: TableFormat, context: DataContext): Promise<Dataset> => {
  const { shape, parts } = await openTable(format, context);
  const { train, validation, test } = parts;
  const scaling = format.parameters.standardize
    ? await keptScaling(train.folder, train.pack, train.members)
    : noScaling(train.pack.features.length);
  const examplesOf = new Map<Pack, (members: Int32Array) => Split>();
  const split = ({ pack, members }: TablePart): Split => {
    const examples = examplesOf.get(pack) ?? packExamples(pack, { shape, scaling });
    examplesOf.set(pack, examples);
    return examples(members);
  };
  return {
    shape,
    train: split(train),
    ...(validation && { validation: split(validation) }),
    test: split(test),
  };
};

/** Which sequences of `file` belong to which part, each in the order of the file. */
const drawParts = (parameters: TableParameters, size: number) => {
  const { validation, test } = fractions(parameters);
  const counts = {
    validation: validation === 0 ? 0 : Math.max(1, Math.round(size * validation)),
    test: parameters.testFile === null ? Math.max(1, Math.round(size * test)) : 0,
  };
  if (counts.validation + counts.test >= size) {
    const message = `${parameters.file} has ${size === 1 ? '1 sequence' : `${size} sequences`}: too few for a validation part of ${counts.validation} and a test part of ${counts.test}.`;
    throw new DataError(
      {
        path: 'file',
        message,
        expected: 'sequences that are left to train on',
        got: size === 1 ? '1 sequence' : `${size} sequences`,
        help: 'Add sequences, lower the fractions, or name a validationFile and a testFile.',
      },
      { message },
    );
  }
  const order = randomStream(parameters.splitSeed, 'split').permutation(size);
  return {
    test: order.slice(0, counts.test).sort(),
    validation: order.slice(counts.test, counts.test + counts.validation).sort(),
    train: order.slice(counts.test + counts.validation).sort(),
  };
};
