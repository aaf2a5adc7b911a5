import { wrongFile, type DataFile } from '../files.ts';
import type { RowProblems } from './problems.ts';
import { linesOf } from './read-jsonl.ts';
import type { TableReader } from './rows.ts';

/** The columns that a file of the archives has for us: the steps of a sequence, each a list of numbers, and its label. */
export const ucrColumns = { values: 'x', label: 'label' } as const;

/** A line as the values of its dimensions, one after the other, and its label; or what is wrong with it. */
type ParseLine = (
  line: string,
) => { readonly dimensions: readonly (readonly string[])[]; readonly label: string } | string;

/**
 * Reads files of the UCR and UEA archives: `.ts` (sktime and aeon), `.arff` (Weka) and `.tsv` (a label and its values,
 * separated by tabs). Which one it is shows its first line. Missing values at the end are padding.
 */
export const readUcr: TableReader = async (file, begin, problems) => {
  const sink = begin([ucrColumns.values, ucrColumns.label]);
  const places = sink.columns.map((column) => column === ucrColumns.values);
  let parse: ParseLine | undefined;
  let inHeader = false;
  let hasStamps = false;
  let rows = 0;
  let line = 0;
  for await (const raw of linesOf(file)) {
    line++;
    const text = raw.trim();
    if (text === '' || text.startsWith('#') || text.startsWith('%')) continue;
    if (text.startsWith('@')) {
      inHeader = !/^@data\b/i.test(text);
      if (/^@timestamps\s+true/i.test(text)) hasStamps = true;
      if (/^@(relation|attribute)\b/i.test(text)) parse = parseArff;
      continue;
    }
    if (inHeader) {
      problems.report(line, `${JSON.stringify(text.slice(0, 30))} before @data`);
      continue;
    }
    parse ??= text.includes('\t') ? parseTsv : text.includes(':') ? parseTs(hasStamps) : parserOf(file);
    const found = parse(text);
    if (typeof found === 'string') {
      problems.report(line, found);
      continue;
    }
    const steps = stepsOf(found.dimensions, line, problems);
    if (!steps) continue;
    rows++;
    sink.add(
      places.map((isValues) => (isValues ? steps : found.label)),
      line,
    );
  }
  sink.end();
  if (rows === 0 && problems.count() === 0) {
    throw wrongFile(file, 'has no sequences.', {
      expected: 'a .ts, .arff or .tsv file of the UCR or UEA archive',
      help: 'Name another file.',
    });
  }
};

const parserOf = (file: DataFile): ParseLine => {
  throw wrongFile(file, 'is not a file of the UCR or UEA archive.', {
    expected: 'a .ts, .arff or .tsv file',
    help: 'Name another file, or use csv-sequences for a table of your own.',
  });
};

/** `1,2,3:4,5,6:label`; with time stamps `(0,1),(1,2):label`. */
const parseTs =
  (hasStamps: boolean): ParseLine =>
  (line) => {
    const parts = line.split(':');
    const label = parts.pop() ?? '';
    return { dimensions: parts.map((part) => (hasStamps ? stamped(part) : part.split(','))), label };
  };

/** The values of `(time,value),(time,value)`. */
const stamped = (part: string): string[] =>
  [...part.matchAll(/\(([^()]*)\)/g)].map(([, pair = '']) => pair.slice(pair.lastIndexOf(',') + 1));

const parseTsv: ParseLine = (line) => {
  const [label = '', ...values] = line.split('\t');
  return { dimensions: [values], label };
};

/** `1,2,3,label`, or for several dimensions `'1,2,3\n4,5,6',label`. */
const parseArff: ParseLine = (line) => {
  const [, quote, inner = '', label = ''] = /^(['"])(.*)\1\s*,\s*(.+)$/.exec(line) ?? [];
  if (quote !== undefined)
    return {
      dimensions: inner.split('\\n').map((dimension) => dimension.split(',')),
      label: unquoted(label),
    };
  const cells = line.split(',');
  const last = cells.pop() ?? '';
  return cells.length === 0 ? 'no values' : { dimensions: [cells], label: unquoted(last) };
};

const unquoted = (text: string): string => text.trim().replace(/^(['"])(.*)\1$/, '$2');

const isPadding = (value: string): boolean => value === '' || value === '?' || value === 'NaN';

/** Most values of a sequence: dimensions that are shorter than others are filled with missing ones. */
const mostValues = 50_000_000;

/** The values step by step, up to the last step with a value. Null where one is missing. */
const stepsOf = (
  dimensions: readonly (readonly string[])[],
  line: number,
  problems: RowProblems,
): readonly (readonly (string | null)[])[] | undefined => {
  const values = dimensions.map((dimension) => dimension.map((value) => value.trim()));
  const lengths = values.map((dimension) => {
    let length = dimension.length;
    while (length > 0 && isPadding(dimension[length - 1] as string)) length--;
    return length;
  });
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  if (longest * values.length > mostValues) {
    problems.report(line, `${values.length} dimensions of up to ${longest} steps`);
    return undefined;
  }
  if (longest > 0) {
    return Array.from({ length: longest }, (_, step) =>
      values.map((dimension) => {
        const value = dimension[step] ?? '';
        return isPadding(value) ? null : value;
      }),
    );
  }
  problems.report(line, 'all values are missing');
  return undefined;
};
