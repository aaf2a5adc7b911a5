import { categoricalColumns } from '../columns/categories.ts';
import { numberIn } from '../columns/cells.ts';
import type { DataFiles } from '../columns/find-files.ts';
import { mostSequencesOf } from '../columns/growth.ts';
import type { ParameterIssue } from '../../parameters/row.ts';
import { DataError } from '../dataset.ts';
import { fileDigest, withoutRows, wrongFile, type DataFile } from '../files.ts';
import { packedFolder } from '../packed-folder.ts';
import { joinColumns, stemOf, type LabelRows } from './join.ts';
import { createLabels, type LabelTable } from './labels.ts';
import { writePack, type PackDescription, type PackWriter } from './pack.ts';
import type { TableSettings } from './parameters.ts';
import { collectProblems } from './problems.ts';
import type { RowSink, TableReader } from './rows.ts';
import type { SequenceContext } from './sequence.ts';

/** Raised whenever the same file and parameters would make another pack. */
const packVersion = 4;

/** How the files of a dataset are read. */
export interface TableFormat {
  readonly settings: TableSettings;
  readonly read: TableReader;
  /** The number in a cell, as the file writes numbers; else NaN. */
  readonly numberIn?: SequenceContext['numberIn'];
  readonly layOut: (context: SequenceContext, available: readonly string[]) => RowSink;
  /** Everything that decides how a file becomes a pack; plain JSON. */
  readonly key: unknown;
}

/** The settings that decide how the files of any table become a pack. */
const keyOf = ({ settings }: TableFormat): unknown => {
  const { task, layout, sequence, order, features, targets, perStep, labelSeparator, missing } = settings;
  const { deltaTime, weight, split, splitBy, labelsKey, fileName } = settings;
  // How categories are read later does not change what is packed.
  const categorical = settings.categorical && categoricalColumns(settings.categorical);
  return [
    ...[task, layout, sequence, order, features, targets, perStep, labelSeparator, missing],
    ...[deltaTime, categorical, settings.static, weight, split, splitBy, labelsKey, fileName],
  ];
};

/** Identifies the content of files: of a single one its bytes, of several their names, too. */
export const filesKey = async ({ files, isSingle, nameWithin }: DataFiles): Promise<unknown> => {
  const [first] = files;
  if (isSingle && first) return fileDigest(first);
  const all: (readonly [string, string])[] = [];
  for (const file of files) all.push([nameWithin(file), await fileDigest(file)]);
  return all;
};

/**
 * The folder of the pack of files in the cache, by content and format; the files are read only when there is none yet.
 * Throws `DataError` with all bad rows.
 */
export const ensurePack = async (
  files: DataFiles,
  given: { readonly format: TableFormat; readonly labels: LabelRows | undefined },
): Promise<string> => {
  const { format, labels } = given;
  const content = await filesKey(files);
  const key = ['table', packVersion, content, format.key, keyOf(format), labels?.digest];
  return packedFolder(key, (folder) => packFiles(files, { ...given, folder }));
};

const packFiles = async (
  files: DataFiles,
  given: {
    readonly format: TableFormat;
    readonly labels: LabelRows | undefined;
    readonly folder: string;
  },
): Promise<void> => {
  const { format, folder } = given;
  const { settings } = format;
  const labels = createLabels(settings.targets[0] ?? '', { name: files.name });
  const keyLabels = createLabels(settings.splitBy ?? '', { ...files, parameter: 'splitBy' });
  const categories = new Map<string, LabelTable>();
  const missing = new Map<string, number>();
  const writer = boundedWriter(writePack(folder), files);
  let named: Parameters<SequenceContext['describe']>[0] | undefined;
  const shared: Omit<SequenceContext, 'name' | 'problems' | 'joined' | 'fileId'> = {
    settings,
    numberIn: format.numberIn ?? numberIn,
    labels,
    keyLabels,
    categoriesOf: (column) => {
      const table = categories.get(column) ?? createLabels(column, { ...files, parameter: 'categorical' });
      categories.set(column, table);
      return table;
    },
    countMissing: (column) => void missing.set(column, (missing.get(column) ?? 0) + 1),
    writer,
    describe: (found) => {
      if (named && named.features.join('\n') !== found.features.join('\n')) throw otherFeatures(files);
      named = found;
    },
  };
  try {
    const errors: DataError[] = [];
    for (const file of files.files) {
      try {
        await readSequences(file, { files, format, labels: given.labels, shared });
      } catch (error) {
        if (!(error instanceof DataError) || files.isSingle) throw error;
        errors.push(error);
        if (errors.length === mostFiles) break;
      }
    }
    if (errors.length > 0) throw new DataError(withoutRepeats(errors.flatMap(({ issues }) => issues)));
    if (writer.sequences() === 0) {
      throw withoutRows(files);
    }
    const description: Parameters<typeof writer.finish>[0] = {
      ...{ features: [], statics: [], targets: { count: 0, each: 'sequence' }, key: null },
      ...named,
      columns: named?.columns ?? named?.features ?? [],
      labels: labels.texts(),
      keyLabels: keyLabels.texts(),
      categories: Object.fromEntries([...categories].map(([column, table]) => [column, table.texts()])),
      weighted: settings.weight !== null,
      missing: Object.fromEntries(missing),
    } satisfies Omit<PackDescription, 'sequences' | 'longest' | 'shortest'>;
    writer.finish(description);
  } finally {
    writer.close();
  }
};

/** Throws a `DataError` where compressed files hold so many sequences that they are made to take long. */
const boundedWriter = (writer: PackWriter, files: DataFiles): PackWriter => {
  const bytes = files.files.reduce((sum, { size }) => sum + size, 0);
  const most = mostSequencesOf(bytes);
  return {
    ...writer,
    add: (sequence) => {
      if (writer.sequences() === most)
        throw wrongFile(files, `has ${bytes} bytes, and more than ${most} sequences.`, {
          expected: `at most ${most} sequences in compressed data of this size`,
          help: 'If you trust the data, decompress it yourself, or write it as CSV or JSON lines.',
        });
      writer.add(sequence);
    },
  };
};

/** This many bad files are reported at once. */
const mostFiles = 20;

/** What several files have wrong at the same key of the spec, such as a column that none of them has, once. */
const withoutRepeats = (issues: readonly ParameterIssue[]): readonly ParameterIssue[] => {
  const paths = issues.map(({ path }) => path);
  return issues
    .filter(({ path }, at) => path === 'file' || paths.indexOf(path) === at)
    .map((issue) => {
      const isRepeated = issue.path !== 'file' && paths.indexOf(issue.path) !== paths.lastIndexOf(issue.path);
      return isRepeated ? { ...issue, message: `${issue.message} The same holds for other files.` } : issue;
    });
};

const otherFeatures = (files: DataFiles): DataError =>
  new DataError({
    path: files.parameter,
    message: `The files of ${files.name} have different features.`,
    expected: 'the same columns in every file',
    help: 'Name the columns that all of them have with `features`.',
  });

/** Reads the sequences of a file into a writer. Throws `DataError` with all bad rows. */
export const readSequences = async (
  file: DataFile,
  given: {
    readonly files: DataFiles;
    readonly format: TableFormat;
    readonly labels: LabelRows | undefined;
    readonly shared: Omit<SequenceContext, 'name' | 'problems' | 'joined' | 'fileId'>;
  },
): Promise<void> => {
  const { files, format, labels, shared } = given;
  const problems = collectProblems(file);
  const fileId = files.isSingle ? undefined : stemOf(file.path);
  const joined = joinColumns(file, { settings: format.settings, fileId, labels });
  const context: SequenceContext = { ...shared, name: file.name, fileId, problems, joined: joined.columns };
  await format.read(file, (available) => joined.into(format.layOut(context, available), available), problems);
  problems.throwIfAny();
};
