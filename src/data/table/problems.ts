import { withoutGroups } from '../columns/cells.ts';
import { isoForms } from '../columns/dates.ts';
import { DataError } from '../dataset.ts';
import type { DataFile } from '../files.ts';

/** Collects what is wrong with the rows of a file, to report it all at once. */
export interface RowProblems {
  /** Lines are counted from 1. A row is counted once, with its first reason. */
  readonly report: (line: number, message: string, kind?: ReportKind) => void;
  /** Reports a date where a number is needed, or one in another form than is read. A column of dates is one mistake, however many rows it has. */
  readonly reportDate: (line: number, date: DateCell) => void;
  /** Bad rows. */
  readonly count: () => number;
  /** Throws a `DataError` that names the file and its bad rows, when there are any. */
  readonly throwIfAny: () => void;
}

/**
 * What else is known of a bad cell: it is empty or infinite, has a decimal comma or thousands apart, should be in a second
 * table, or belongs to a feature that holds words.
 */
export type ReportKind = 'missing' | 'infinite' | 'comma' | 'groups' | 'joined' | { readonly text: string };

/** How many bad cells are of each kind, apart from texts. */
type KindCounts = Readonly<Record<Exclude<ReportKind, object>, number>>;

/** A cell that holds a date or a time of day. */
interface DateCell {
  readonly column: string;
  /** As messages show it. */
  readonly shown: string;
  /** The parameter of the spec that the column is named by. */
  readonly parameter: DateParameter;
}

export type DateParameter = 'order' | 'features' | 'static' | 'targets';

/** The rows in which a column has dates. */
interface DateColumn extends DateCell {
  readonly line: number;
  rows: number;
}

/** Shown at most; the others are counted. */
const limit = 20;

export const collectProblems = (
  { name, parameter }: Pick<DataFile, 'name' | 'parameter'>,
  helpOf?: () => string,
): RowProblems => {
  const bad = lineSet();
  const reasons = new Map<number, string>();
  const dates = new Map<string, DateColumn>();
  let withReason = 0;
  const kinds = { missing: 0, infinite: 0, comma: 0, groups: 0, joined: 0 };
  const texts = new Map<string, number>();

  const throwIfAny = (): void => {
    if (bad.count() === 0) return;
    if (withReason === 0) throw datesError(name, [...dates.values()]);
    const listed = [...reasons].sort(([a], [b]) => a - b);
    const lines = [
      ...listed.map(([line, message]) => `  ${name}:${line}: ${message}`),
      ...(withReason > listed.length ? [`  and ${withReason - listed.length} more.`] : []),
      ...[...dates.values()].map((date) => `  ${name}:${date.line}: ${dateSentence(date)}`),
    ];
    const rows = bad.count() === 1 ? 'a row' : `${bad.count()} rows`;
    const message = [`${name} has ${rows} that cannot be used:`, ...lines].join('\n');
    throw new DataError(
      {
        path: parameter,
        message,
        expected: 'a file whose rows can all be used',
        got: rows.replace(/^a /, 'one ') + ' that cannot',
        help: helpOf?.() ?? helpFor({ rows: bad.count(), kinds, texts }),
      },
      { message },
    );
  };

  return {
    report: (line, message, kind) => {
      if (!bad.add(line)) return;
      withReason++;
      if (typeof kind === 'string') kinds[kind]++;
      else if (kind) texts.set(kind.text, (texts.get(kind.text) ?? 0) + 1);
      if (reasons.size < limit) reasons.set(line, message);
    },
    reportDate: (line, date) => {
      if (!bad.add(line)) return;
      const known = dates.get(date.column);
      if (known) known.rows++;
      else dates.set(date.column, { ...date, line, rows: 1 });
    },
    count: bad.count,
    throwIfAny,
  };
};

const helpFor = (given: {
  readonly rows: number;
  readonly kinds: KindCounts;
  readonly texts: ReadonlyMap<string, number>;
}): string => {
  const { rows, kinds, texts } = given;
  // A single text among numbers is a mistake; a column of them has categories.
  const columns = [...texts].filter(([, count]) => count > 1 && 2 * count > rows / texts.size);
  if (columns.length > 0) {
    const names = columns.map(([column]) => column).join(', ');
    return `Fix these rows, or remove them from the file; or, where a column holds categories, write \`categorical: [${names}]\`.`;
  }
  if (2 * kinds.joined > rows)
    return 'Add a row for each of these sequences to `labelsFile`, or leave them out of `file`.';
  // 1,234 among 0,5 has a decimal comma, too.
  if (kinds.comma > 0 && 2 * (kinds.comma + kinds.groups) > rows)
    return 'Where numbers have a comma before their decimals, write `decimal: ","` in dataset.';
  if (2 * kinds.groups > rows) return withoutGroups;
  if (kinds.infinite > 0)
    return 'Replace infinite values by numbers, or leave their cells empty and choose with `missing` what becomes of empty cells.';
  return kinds.missing === 0
    ? 'Fix these rows, or remove them from the file. No row is ever skipped.'
    : 'Fix these rows, or remove them from the file; or choose what becomes of missing values, for example `missing: interpolate`.';
};

const dateSentence = ({ column, shown, rows, parameter }: DateColumn): string =>
  `column ${JSON.stringify(column)} holds dates${parameter === 'order' ? ' that are not ISO 8601' : ''}, such as ${shown}${rows > 1 ? `, in ${rows} rows` : ''}`;

const dateHelp: Readonly<Record<DateParameter, string>> = {
  order: `Convert the dates to ISO 8601, such as ${isoForms}, or to numbers.`,
  features:
    'Write numbers instead, such as days or seconds since the first one; if it gives the order of the steps, name it with `order`; or name the columns to train on with `features`.',
  static: 'Write numbers instead, such as days or seconds since the first one.',
  targets: 'Write numbers instead, such as days or seconds since the first one.',
};

/** The message when dates are all that is wrong with a file. */
const datesError = (name: string, columns: readonly DateColumn[]): DataError => {
  const issues = columns.map((date) => ({
    path: date.parameter,
    message: `${name}:${date.line}: ${dateSentence(date)}.`,
    expected: date.parameter === 'order' ? 'a column of numbers or ISO dates' : 'a column of numbers',
    got: date.shown,
    help: dateHelp[date.parameter],
  }));
  return new DataError(issues);
};

/** A set of line numbers in one bit each: a file may have millions of bad rows. */
const lineSet = () => {
  let bits = new Uint8Array(1024);
  let count = 0;
  return {
    /** Whether the line is new. */
    add: (line: number): boolean => {
      const [byte, bit] = [line >>> 3, 1 << (line & 7)];
      if (byte >= bits.length) {
        const larger = new Uint8Array(Math.max(2 * bits.length, byte + 1));
        larger.set(bits);
        bits = larger;
      }
      if (((bits[byte] as number) & bit) !== 0) return false;
      bits[byte] = (bits[byte] as number) | bit;
      count++;
      return true;
    },
    count: () => count,
  };
};
