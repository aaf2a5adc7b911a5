import { fileDigest, wrongFile, type DataFile } from '../files.ts';
import { packedFolder } from '../packed-folder.ts';
import { createLabels } from './labels.ts';
import { writePack, type PackDescription } from './pack.ts';
import type { TableParameters } from './parameters.ts';
import { collectProblems } from './problems.ts';
import type { RowSink, TableReader } from './rows.ts';
import { outputsOf, type SequenceContext } from './sequence.ts';

/** Raised whenever the same file and parameters would make another pack. */
const packVersion = 2;

/** How the files of a dataset are read. */
export interface TableFormat {
  readonly parameters: TableParameters;
  readonly read: TableReader;
  readonly layOut: (context: SequenceContext, available: readonly string[]) => RowSink;
  /** Everything that decides how a file becomes a pack; plain JSON. */
  readonly key: unknown;
}

/**
 * The folder of a file's pack in the cache, by content and format; the file is read only when there is none yet.
 * Throws `DataError` with all bad rows of the file.
 */
export const ensurePack = async (file: DataFile, format: TableFormat): Promise<string> =>
  packedFolder(['table', packVersion, await fileDigest(file), format.key], (folder) =>
    packFile(file, { format, folder }),
  );

const packFile = async (
  file: DataFile,
  given: { readonly format: TableFormat; readonly folder: string },
): Promise<void> => {
  const { parameters, read, layOut } = given.format;
  const labels = createLabels(parameters.targets[0] ?? '', file.name);
  const problems = collectProblems(file);
  const writer = writePack(given.folder, outputsOf(parameters));
  let named: Pick<PackDescription, 'features' | 'columns' | 'tokens'> = { features: [], columns: [] };
  const describe: SequenceContext['describe'] = (features, columns = features, tokens) => {
    named = { features, columns, ...(tokens && { tokens }) };
  };
  const context: SequenceContext = { name: file.name, parameters, labels, writer, problems, describe };
  try {
    await read(file, (available) => layOut(context, available), problems);
    problems.throwIfAny();
    if (writer.sequences() === 0) {
      throw wrongFile(file, 'has no rows besides its header.', {
        expected: 'rows of data below the header',
        help: 'Add rows, or name another file.',
      });
    }
    writer.finish({ ...named, labels: labels.texts() });
  } finally {
    writer.close();
  }
};
