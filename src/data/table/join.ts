import { basename } from 'node:path';
import { textIn } from '../columns/cells.ts';
import { DataError, type DataContext } from '../dataset.ts';
import { fileDigest, findDataFile, wrongFile, type DataFile } from '../files.ts';
import type { TableSettings } from './parameters.ts';
import { collectProblems } from './problems.ts';
import { csvReader } from './read-csv.ts';
import type { RowSink } from './rows.ts';

/** The rows of `labelsFile`. */
export interface LabelRows {
  readonly digest: string;
  /** Without that of the key. */
  readonly columns: readonly string[];
  /** The cells of a row by its key. */
  readonly cells: ReadonlyMap<string, readonly string[]>;
  /** The line of a row by its key. */
  readonly lines: ReadonlyMap<string, number>;
}

/** Reads the second table that a spec names; nothing where it names none. */
export const readLabelRows = async (
  { labelsFile, labelsKey }: TableSettings,
  context: DataContext,
): Promise<LabelRows | undefined> => {
  if (labelsFile === null) return undefined;
  const file = await findDataFile(labelsFile, context, 'labelsFile');
  const problems = collectProblems(file);
  const cells = new Map<string, readonly string[]>();
  const lines = new Map<string, number>();
  let columns: readonly string[] = [];
  const begin = (available: readonly string[]): RowSink => {
    const [first = ''] = available;
    const key = labelsKey ?? first;
    if (!available.includes(key)) {
      throw wrongFile({ name: file.name, parameter: 'labelsKey' }, `has no column ${JSON.stringify(key)}.`, {
        expected: `one of ${available.map((name) => JSON.stringify(name)).join(', ')}`,
        help: 'Name the column that identifies the sequences.',
      });
    }
    columns = available.filter((column) => column !== key);
    return {
      columns: [key, ...columns],
      add: ([id, ...others], line) => {
        const text = textIn(id);
        if (text === '') problems.report(line, `column ${JSON.stringify(key)} is empty`);
        else if (cells.has(text)) problems.report(line, `a second row of ${JSON.stringify(text)}`);
        else {
          cells.set(text, others.map(textIn));
          lines.set(text, line);
        }
      },
      end: () => undefined,
    };
  };
  await csvReader(',')(file, begin, problems);
  problems.throwIfAny();
  return { digest: await fileDigest(file), columns, cells, lines };
};

/** The name of a file without the endings of its form. */
export const stemOf = (path: string): string =>
  basename(path).replace(/(\.(csv|tsv|txt|jsonl|json|parquet|gz|zst|zstd))+$/i, '');

/** Columns whose cells do not come from the rows of a file. */
export interface JoinedColumns {
  readonly columns: readonly string[];
  /** A sink that gets these cells, too. `own` are the columns of the file itself, which come first. */
  readonly into: (sink: RowSink, own: readonly string[]) => RowSink;
}

/** The columns that the name of a file and a second table add to a file. */
export const joinColumns = (
  file: DataFile,
  given: {
    readonly settings: TableSettings;
    readonly fileId: string | undefined;
    readonly labels: LabelRows | undefined;
  },
): JoinedColumns => {
  const { settings, fileId, labels } = given;
  const fromName =
    settings.fileName === null ? new Map<string, string>() : partsOfName(file, settings.fileName);
  const fromLabels = labels?.columns ?? [];
  const columns = [...fromName.keys(), ...fromLabels];
  if (columns.length === 0) return { columns, into: (sink) => sink };
  const keyOfRow = (cells: readonly unknown[]): string =>
    settings.sequence === null ? (fileId ?? '') : textIn(cells[0]);
  const isFile = settings.sequence === null;
  const into = (sink: RowSink, own: readonly string[]): RowSink => {
    const there = new Set(own);
    const places = sink.columns.map((column) => {
      if (there.has(column)) return undefined;
      const value = fromName.get(column);
      return value === undefined ? { label: fromLabels.indexOf(column) } : { value };
    });
    return {
      ...sink,
      add: (cells, line) => {
        const key = keyOfRow(cells);
        const row = labels?.cells.get(key) ?? (isFile ? labels?.cells.get(basename(file.path)) : undefined);
        const all = cells.map((cell, at) => {
          const place = places[at];
          if (place === undefined) return cell;
          return 'value' in place ? place.value : row?.[place.label];
        });
        sink.add(all, line);
      },
    };
  };
  return { columns, into };
};

/** The parts of a file's name, by the names in braces of a form such as `{label}-{subject}.csv`. */
const partsOfName = (file: DataFile, form: string): ReadonlyMap<string, string> => {
  const pieces = form.split(/(\{[^{}]+\})/).filter((piece) => piece !== '');
  const isPart = (piece: string) => /^\{[^{}]+\}$/.test(piece);
  const found = takeApart(pieces, isPart, basename(file.path));
  if (!found) {
    throw new DataError({
      path: 'fileName',
      message: `The name of ${file.name} does not fit ${form}.`,
      expected: 'names of files that fit the form',
      help: 'Change fileName, or name only files that fit with a pattern in file.',
    });
  }
  return new Map(pieces.filter(isPart).map((piece, at) => [piece.slice(1, -1), found[at] ?? '']));
};

/**
 * Matches a string with a list of pieces and returns the parts that match the pieces for which `isPart` holds, each of at least
 * one character and as short as possible, the first one first. Undefined if the string does not match. Nothing is tried
 * twice: a regular expression could take exponential time.
 */
const takeApart = (
  pieces: readonly string[],
  isPart: (piece: string) => boolean,
  text: string,
): readonly string[] | undefined => {
  // Each piece has a character at least, so there is no deeper recursion than the text is long.
  if (pieces.length > text.length) return undefined;
  const failed = new Set<number>();
  const from = (piece: number, at: number): readonly string[] | undefined => {
    const wanted = pieces[piece];
    if (wanted === undefined) return at === text.length ? [] : undefined;
    const state = piece * (text.length + 1) + at;
    if (failed.has(state)) return undefined;
    if (!isPart(wanted)) {
      const rest = text.startsWith(wanted, at) ? from(piece + 1, at + wanted.length) : undefined;
      if (rest) return rest;
    } else
      for (let end = at + 1; end <= text.length; end++) {
        const rest = from(piece + 1, end);
        if (rest) return [text.slice(at, end), ...rest];
      }
    failed.add(state);
    return undefined;
  };
  return from(0, 0);
};
