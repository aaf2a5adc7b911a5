import { Readable } from 'node:stream';
import Papa from 'papaparse';
import { DataError } from '../dataset.ts';
import { wrongFile, type DataFile } from '../files.ts';
import type { RowSink, TableReader } from './rows.ts';
import { textOf } from './text.ts';

/** As much is read to find the delimiter of a header. */
const longestHeader = 1 << 16;

/** A row longer than this is a quote that is never closed, not a row. */
const longestRow = 16 << 20;

/** What separates cells where a spec names no delimiter, and the header shows no other one. */
export const usualDelimiter = ',';

/**
 * Reads CSV (RFC 4180, UTF-8, the first row names the columns) with the given delimiter; with the usual one, another that
 * the header has is found. Empty lines are passed over.
 */
export const csvReader =
  (wanted: string): TableReader =>
  async (file, begin, problems) => {
    const text = watchText(file);
    const head = await text.head();
    const delimiter = wanted === usualDelimiter ? delimiterIn(head, begin) : wanted;
    const unused = emptyAtEnd(head, delimiter);
    let sink: RowSink | undefined;
    let indices: readonly number[] = [];
    let width = 0;
    let named = 0;
    let line = 1;
    let cells: unknown[] = [];

    const addRow = (row: readonly string[]): void => {
      if (row.length === 1 && row[0]?.trim() === '') return;
      if (!sink) {
        const names = namesIn(row, unused);
        checkHeader(names, file);
        sink = beginWith(names, { begin, delimiter, file });
        const places = new Map(names.map((name, at) => [name, at]));
        indices = sink.columns.map((column) => places.get(column) ?? -1);
        width = row.length;
        named = names.length;
        cells = new Array<unknown>(indices.length);
        return;
      }
      if (row.length !== width) {
        problems.report(line, `${row.length} cells where the header has ${width}`);
        return;
      }
      if (unused > 0 && row.slice(named).some((cell) => cell.trim() !== '')) {
        problems.report(line, 'a value in a column that has no name in the first row');
        return;
      }
      for (let at = 0; at < indices.length; at++) cells[at] = row[indices[at] as number];
      sink.add(cells, line);
    };

    await eachChunk(Readable.from(text.chunks()), delimiter, ({ data, errors }) => {
      if (data.length > 0) text.rowsSeen();
      const broken = new Map(errors.toReversed().map((error) => [error.row, quoteMistake(error)]));
      data.forEach((row, index) => {
        const message = broken.get(index);
        if (message === undefined) addRow(row);
        else problems.report(line, message);
        line += 1 + (text.hasQuotes() ? newlinesWithin(row) : 0);
      });
    });
    if (!sink) throw wrongFile(file, 'is empty.', needsHeader);
    sink.end();
  };

/** How many columns at the end have neither a name nor a value in the first rows: a delimiter ends each row. */
const emptyAtEnd = (head: string, delimiter: string): number => {
  const rows = firstRows(head, delimiter, 100);
  const [names = []] = rows;
  let used = names.length;
  while (used > 1 && rows.every((row) => (row[used - 1] ?? '').trim() === '')) used--;
  return names.length - used;
};

const firstRows = (head: string, delimiter: string, preview: number): readonly (readonly string[])[] =>
  Papa.parse<string[]>(head.trimStart(), { delimiter, preview, skipEmptyLines: true }).data;

/** The names in a header whose last `unused` columns have none. */
const namesIn = (row: readonly string[], unused = 0): readonly string[] =>
  row.slice(0, row.length - unused).map((name) => name.trim());

const delimiters = [usualDelimiter, ';', '\t', '|'] as const;

/** Begins with the columns of the header; throws a `DataError` that proposes the delimiter with which they would fit. */
const beginWith = (
  names: readonly string[],
  given: {
    readonly begin: (available: readonly string[]) => RowSink;
    readonly delimiter: string;
    readonly file: DataFile;
  },
): RowSink => {
  const { begin, delimiter, file } = given;
  try {
    return begin(names);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const other = [...delimiters, ...marksIn(names)].find(
      (one) => one !== delimiter && fits(begin, splitHeader(names, delimiter, one)),
    );
    if (other === undefined) throw error;
    throw wrongFile(
      { name: file.name, parameter: 'delimiter' },
      `separates its cells with ${nameOf(other)}, not with ${nameOf(delimiter)}.`,
      {
        expected: 'the delimiter of the first row',
        help: `Write \`delimiter: ${JSON.stringify(other)}\` in dataset.`,
      },
    );
  }
};

/** What else may separate the names of a header that seems to have one column. */
const marksIn = (names: readonly string[]): readonly string[] =>
  names.length > 1 ? [] : [...new Set(names[0]?.match(/[^\p{L}\p{N}_."'-]/gu))];

/**
 * The usual delimiter, or another one with which the header has every column that the spec names; where none has, one that
 * separates what the usual one does not, so that the columns that are missing are reported alone.
 */
const delimiterIn = (head: string, begin: (available: readonly string[]) => RowSink): string => {
  // The first line is whole if another one follows, or if there is no more.
  const names = (delimiter: string) =>
    namesIn(firstRows(head, delimiter, 1)[0] ?? [], emptyAtEnd(head, delimiter));
  if (fits(begin, names(usualDelimiter))) return usualDelimiter;
  const fitting = delimiters.find((one) => fits(begin, names(one)));
  if (fitting !== undefined || names(usualDelimiter).length > 1) return fitting ?? usualDelimiter;
  return delimiters.find((one) => names(one).length > 1) ?? usualDelimiter;
};

const splitHeader = (names: readonly string[], before: string, delimiter: string): readonly string[] =>
  namesIn(Papa.parse<string[]>(names.join(before), { delimiter }).data[0] ?? []);

/** Whether a header has every column that the spec names, and others to train on. */
const fits = (begin: (available: readonly string[]) => RowSink, names: readonly string[]): boolean => {
  if (names.length < 2 || new Set(names).size < names.length) return false;
  try {
    begin(names);
    return true;
  } catch (error) {
    if (error instanceof DataError) return false;
    throw error;
  }
};

const nameOf = (delimiter: string): string => (delimiter === '\t' ? 'tabs' : JSON.stringify(delimiter));

/** The first mistake of a row is its cause; what follows from it comes later. */
const quoteMistake = ({ code, message }: Papa.ParseError): string => {
  if (code === 'MissingQuotes') return 'a quote is opened and never closed';
  return code === 'InvalidQuotes' ? 'a quote is closed before the end of its cell' : message;
};

const needsHeader = {
  expected: 'a first row that names the columns, and rows of data',
  help: 'Write the names of the columns into the first row, or name another file.',
};

const checkHeader = (names: readonly string[], file: DataFile): void => {
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice === '') {
    throw wrongFile(file, 'has several columns without a name in its first row.', {
      expected: 'a name of its own for each column',
      help: 'Name them in the first row, or remove them from the file.',
    });
  }
  if (twice !== undefined) {
    throw wrongFile(file, `names the column ${JSON.stringify(twice)} twice in its first row.`, {
      expected: 'a name of its own for each column',
      help: Number.isFinite(Number(twice))
        ? 'If the first row holds data, write the names of the columns into a row above it; else rename one of the two columns.'
        : 'Rename one of the two columns in the file.',
    });
  }
};

/** The file's text chunk by chunk, and what must be known of it besides its rows. */
const watchText = (file: DataFile) => {
  const pieces = textOf(file);
  let quotes = false;
  let sinceRow = 0;
  let first = '';
  const all = async function* (): AsyncGenerator<string> {
    yield first;
    yield* pieces;
  };
  const chunks = async function* (): AsyncGenerator<string> {
    for await (const chunk of all()) {
      quotes ||= chunk.includes('"');
      sinceRow += chunk.length;
      if (sinceRow > longestRow) {
        throw wrongFile(file, `has a row of more than ${longestRow >> 20} MB: is a quote not closed?`, {
          expected: 'rows as RFC 4180 writes them',
          help: 'Look for a cell that begins with a quote and does not end with one.',
        });
      }
      yield chunk;
    }
  };
  return {
    chunks,
    /** The beginning of the text, which `chunks` begins with as well. */
    head: async (): Promise<string> => {
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
        first += next.value;
        if (first.trim() !== '' && first.length >= longestHeader) break;
      }
      return first;
    },
    hasQuotes: () => quotes,
    rowsSeen: () => {
      sinceRow = 0;
    },
  };
};

const newlinesWithin = (row: readonly string[]): number => {
  let count = 0;
  for (const cell of row) {
    for (let at = cell.indexOf('\n'); at !== -1; at = cell.indexOf('\n', at + 1)) count++;
  }
  return count;
};

const eachChunk = (
  input: Readable,
  delimiter: string,
  take: (results: Papa.ParseResult<string[]>) => void,
): Promise<void> =>
  new Promise((done, fail) => {
    input.on('error', fail);
    Papa.parse<string[]>(input, {
      delimiter,
      chunk: (results, parser) => {
        try {
          take(results);
        } catch (error) {
          // First, because an aborted parse counts as complete.
          fail(error instanceof Error ? error : new Error(String(error)));
          parser.abort();
          input.destroy();
        }
      },
      complete: () => done(),
      error: fail,
    });
  });
