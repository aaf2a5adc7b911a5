import { createHash } from 'node:crypto';
import { findDataFiles, type DataFiles } from '../columns/find-files.ts';
import { DataError, type DataContext, type Dataset, type SequenceShape, type Split } from '../dataset.ts';
import type { Task } from '../task.ts';
import { fileDigest, findDataFile } from '../files.ts';
import { indicesBelow } from '../indices.ts';
import {
  embeddedFeatures,
  keptEncoding,
  preprocessingOf,
  unfitted,
  widthOf,
  type Encoding,
} from './encoding.ts';
import { ensurePack, filesKey, type TableFormat } from './ensure-pack.ts';
import { packExamples } from './examples.ts';
import { readLabelRows, type LabelRows } from './join.ts';
import { sortedLabels } from './labels.ts';
import { describePack, openPack, type Pack, type PackDescription } from './pack.ts';
import { needsSequence } from './check-table.ts';
import { isPerStep, settled, type TableParameters, type TableSettings } from './parameters.ts';
import { drawParts } from './parts.ts';

const fileParameters = ['file', 'validationFile', 'testFile'] as const;
type FileParameter = (typeof fileParameters)[number];
type PerFile<T> = { readonly [parameter in FileParameter]?: T };

const perFile = async <T>(
  parameters: Pick<TableParameters, FileParameter>,
  context: DataContext,
  work: (files: DataFiles) => Promise<T>,
): Promise<PerFile<T>> => {
  const done: { [parameter in FileParameter]?: T } = {};
  for (const parameter of fileParameters) {
    const name = parameters[parameter];
    if (name !== null) done[parameter] = await work(await findDataFiles(name, context, parameter));
  }
  return done;
};

/** Hex SHA-256 over the digests of all files, in the order training, validation, test. */
export const tableDigest = async (parameters: TableParameters, context: DataContext): Promise<string> => {
  const { labelsFile } = settled(parameters);
  const labels = labelsFile === null ? undefined : await findDataFile(labelsFile, context, 'labelsFile');
  const digests = {
    ...(await perFile(parameters, context, filesKey)),
    ...(labels && { labelsFile: await fileDigest(labels) }),
  };
  return createHash('sha256').update(JSON.stringify(digests)).digest('hex');
};

const ensurePacks = async (
  format: TableFormat,
  context: DataContext,
): Promise<{ readonly folders: PerFile<string>; readonly labels: LabelRows | undefined }> => {
  const labels = await readLabelRows(format.settings, context);
  const folders = await perFile(format.settings, context, async (files) => {
    checkSequence(format.settings, files);
    return ensurePack(files, { format, labels });
  });
  return { folders, labels };
};

/** That the long layout knows the sequence of a row, where the spec alone does not show it. */
const checkSequence = ({ layout, sequence }: TableSettings, { isSingle }: DataFiles): void => {
  if (layout === 'long' && sequence === null && isSingle) throw new DataError(needsSequence);
};

/** The shape of the sequences in all files; packs the files that are not in the cache yet. */
export const tableShape = async (format: TableFormat, context: DataContext): Promise<SequenceShape> => {
  const { settings } = format;
  // Which categories there are depends on which sequences are trained on.
  if (settings.categorical !== null) return (await openTable(format, context)).shape;
  const packs = Object.values((await ensurePacks(format, context)).folders).map(describePack);
  checkAlike(settings, packs);
  const [first] = packs;
  return shapeOf(settings, packs, first ? unfitted(settings, first) : { columns: [], targets: [] });
};

const shapeOf = (
  settings: TableSettings,
  packs: readonly PackDescription[],
  encoding: Encoding,
): SequenceShape => {
  const steps = Math.max(...packs.map(({ longest }) => longest));
  const embedded = packs[0] ? embeddedFeatures(packs[0], encoding) : [];
  return {
    steps,
    input: {
      kind: 'values',
      features: encoding.columns.reduce((sum, column) => sum + widthOf(column), 0),
      ...(embedded.length > 0 && { embedded }),
    },
    variableLength: packs.some(({ shortest }) => shortest < steps),
    task: taskOf(settings, packs),
  };
};

const taskOf = (settings: TableSettings, packs: readonly PackDescription[]): Task => {
  const labels = sortedLabels(packs.map((pack) => pack.labels));
  switch (settings.task) {
    case 'classification':
    case 'labelling':
      return { kind: settings.task, classes: labels.length, labels };
    case 'multi-label': {
      const named =
        settings.targets.length > 1
          ? settings.targets
          : sortedLabels([labels.flatMap((text) => JSON.parse(text) as string[])]);
      return { kind: settings.task, classes: named.length, labels: named };
    }
    case 'regression': {
      const outputs = packs[0]?.targets.count ?? 0;
      // In the wide layout each step has target columns of its own.
      const isNamed = outputs > 1 && settings.targets.length === outputs;
      return {
        kind: settings.task,
        outputs,
        ...(isPerStep(settings) && { perStep: true }),
        ...(isNamed && { targets: settings.targets }),
      };
    }
  }
};

/** That every file has the features of the first, in the same order. */
const checkAlike = (settings: TableSettings, [first, ...others]: readonly PackDescription[]): void => {
  for (const other of others) {
    if (first && first.features.join('\n') !== other.features.join('\n')) {
      const message = `The files of this dataset have different features: ${settings.file} has ${first.features.join(', ')}; another has ${other.features.join(', ')}.`;
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
  readonly encoding: Encoding;
  readonly parts: { readonly train: TablePart; readonly validation?: TablePart; readonly test: TablePart };
  /** The second table that was joined. */
  readonly labels?: LabelRows | undefined;
}

/** Opens the parts of a table: from their files, or drawn from `file`. Throws `DataError` where one is empty. */
export const openTable = async (format: TableFormat, context: DataContext): Promise<OpenTable> => {
  const { settings } = format;
  const { folders, labels } = await ensurePacks(format, context);
  const open = (folder: string) => ({ folder, pack: openPack(folder) });
  const main = open(folders.file as string);
  const separate = (folder: string | undefined): TablePart | undefined => {
    if (folder === undefined) return undefined;
    const opened = open(folder);
    return { ...opened, members: indicesBelow(opened.pack.sequences) };
  };
  const drawn = drawParts(settings, main.pack);
  const validation = separate(folders.validationFile) ?? { ...main, members: drawn.validation };
  const test = separate(folders.testFile) ?? { ...main, members: drawn.test };
  const packs = [main.pack, validation.pack, test.pack];
  checkAlike(settings, packs);
  const encoding = await keptEncoding(settings, { ...main, sequences: drawn.train });
  return {
    shape: shapeOf(settings, packs, encoding),
    encoding,
    parts: {
      train: { ...main, members: drawn.train },
      ...(validation.members.length > 0 && { validation }),
      test,
    },
    labels,
  };
};

/** Loads the parts of a table. */
export const loadTable = async (format: TableFormat, context: DataContext): Promise<Dataset> => {
  const table = await openTable(format, context);
  return {
    ...loadOpenTable(table),
    preprocessing: preprocessingOf(format.settings, table.parts.train.pack, table.encoding),
  };
};

/** Loads the parts of an open table; where a step is a token, with the index of each token of a pack. */
export const loadOpenTable = (
  { shape, encoding, parts }: OpenTable,
  tokenIndicesOf?: (pack: Pack) => Int32Array,
): Dataset => {
  const { train, validation, test } = parts;
  const examplesOf = new Map<Pack, ReturnType<typeof packExamples>>();
  const scaling = {
    mean: encoding.targets.map(({ mean }) => mean),
    factor: encoding.targets.map(({ factor }) => factor),
  };
  const split = ({ pack, members }: TablePart): Split => {
    const examples =
      examplesOf.get(pack) ??
      packExamples(pack, { shape, encoding, ...(tokenIndicesOf && { tokenIndices: tokenIndicesOf(pack) }) });
    examplesOf.set(pack, examples);
    return {
      ...examples(members),
      ...(encoding.targets.length > 0 && { scaling: () => scaling }),
      ...(pack.weighted && { weight: weightReader(pack, members) }),
      id: nameReader(pack, members),
    };
  };
  return {
    shape,
    train: split(train),
    ...(validation && { validation: split(validation) }),
    test: split(test),
  };
};

const weightReader = (pack: Pack, members: Int32Array): ((index: number) => number) => {
  const weights = new Float64Array(members.length);
  let at = 0;
  pack.visit(members, (sequence, numbers, from) => {
    weights[at++] = numbers[from + pack.places(pack.steps(sequence)).weight] as number;
  });
  return (index) => weights[index] as number;
};

/** Rows that have no names are counted from 1. */
const nameReader = (pack: Pack, members: Int32Array): ((index: number) => string) => {
  let names: readonly string[] | undefined;
  return (index) => {
    names ??= pack.names();
    const sequence = members[index] as number;
    return names[sequence] ?? String(sequence + 1);
  };
};
