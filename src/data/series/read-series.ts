import { createTimeReader, dateInNumber, isoForms, type TimeKind } from '../columns/dates.ts';
import { isMissing, strategyOf } from '../columns/missing.ts';
import { withoutRows, type DataFile } from '../files.ts';
import { checkColumns, type NamedColumns } from '../table/columns.ts';
import { ownCopy } from '../table/labels.ts';
import {
  hasDecimalComma,
  isInfinite,
  likeness,
  numberIn as plainNumberIn,
  numberInGroups,
  shown,
  textIn,
  withoutGroups,
} from '../columns/cells.ts';
import type { RowSink } from '../table/rows.ts';
import { createNumberList } from '../table/sequence.ts';
import { collectProblems, type RowProblems } from '../table/problems.ts';
import { reportGaps, withRowForEachStep, type RawSeries, type SortedRows } from './gaps.ts';
import { guessSeriesSettings, type GuessedSettings } from './guess-columns.ts';
import type { SeriesFormat } from './format.ts';
import { completeColumns, numberColumns, type SeriesParameters } from './parameters.ts';
import type { SeriesPack } from './series-pack.ts';
import { dayMs, findTimeStep, writeTime } from './time-step.ts';

/**
 * Reads a file into a pack. Throws `DataError` with all that is wrong with its rows. With `ahead`, rows after the last
 * target of a series may have only what is known ahead.
 */
export const readSeries = async (
  file: DataFile,
  { parameters, read, kind, numberIn = plainNumberIn }: Omit<SeriesFormat, 'key'>,
  { ahead = false }: { readonly ahead?: boolean } = {},
): Promise<SeriesPack> => {
  const causes = new Set<Cause>();
  const problems = collectProblems(file, () =>
    helpOf(causes, parameters, () => guessSeriesSettings(file, kind)),
  );
  let finish: (() => RawSeries) | undefined;
  await read(
    file,
    (available) => {
      const sink = seriesSink({ parameters, name: file.name, problems, causes, numberIn, ahead }, available);
      finish = sink.finish;
      return sink;
    },
    problems,
  );
  const raw = finish?.();
  if (!raw || raw.times.length === 0) {
    problems.throwIfAny();
    throw withoutRows(file);
  }
  if (ahead) reportMissing(raw, { parameters, problems, causes });
  // Without its time a row has no place.
  if (raw.times.some(Number.isNaN)) problems.throwIfAny();
  return packed(raw, { parameters, file, problems, causes });
};

/** What an error of the rows may come from besides a mistake in the file. */
type Cause = 'missing' | 'several-series' | 'clock' | 'infinite' | 'comma' | 'groups' | 'time' | 'mistake';

const helpOf = (
  causes: ReadonlySet<Cause>,
  parameters: SeriesParameters,
  guess: () => GuessedSettings,
): string => {
  const zones = causes.has('clock')
    ? ' Local times that a change of the clock repeats need their zone, such as 2024-10-27 02:30 +01:00.'
    : '';
  if (causes.has('several-series')) {
    const { series } = guess();
    return typeof series === 'string'
      ? `If the file holds several series, write \`series: ${series}\` in dataset; else remove the duplicates.`
      : `Remove the duplicates; or, where the file holds several series, name their column with series.${zones}`;
  }
  if (causes.has('clock')) return `Remove the duplicates.${zones}`;
  if (causes.has('time')) {
    return causes.size === 1
      ? `Write all times as numbers, or as ISO dates or date-times, such as ${isoForms}.`
      : fixRows;
  }
  if (causes.has('comma') && !causes.has('mistake'))
    return 'Where numbers have a comma before their decimals, write `decimal: ","` in dataset.';
  if (causes.has('groups') && !causes.has('mistake')) return withoutGroups;
  if (causes.has('infinite') && !causes.has('mistake'))
    return 'Replace infinite values by numbers, or leave their cells empty and choose with `missing` what becomes of empty cells.';
  return causes.has('missing') && !causes.has('mistake')
    ? `Write \`missing: ${strategyForAll(parameters)}\` (or forward, mean or mask) in dataset, or fill these rows in the file.`
    : fixRows;
};

const causeOf = (cell: unknown): Cause => {
  if (!Number.isNaN(numberInGroups(cell))) return 'groups';
  return hasDecimalComma(cell) ? 'comma' : 'mistake';
};

const fixRows = 'Fix these rows, or remove them from the file. No row is ever skipped.';

/** `missing` as it is, with a strategy for each column that has none yet. */
const strategyForAll = (parameters: SeriesParameters): string => {
  const { missing } = parameters;
  if (typeof missing === 'string') return 'interpolate';
  const added = completeColumns(parameters).map((column) => [column, 'interpolate'] as const);
  const entries = Object.entries<string>({ ...missing, ...Object.fromEntries(added) });
  return `{ ${entries.map(([column, strategy]) => `${yamlKey(column)}: ${strategy}`).join(', ')} }`;
};

const yamlKey = (name: string): string =>
  /^[a-z_]\w*$/i.test(name) && !/^(true|false|null)$/i.test(name) ? name : JSON.stringify(name);

interface SinkGiven {
  readonly parameters: SeriesParameters;
  readonly name: string;
  readonly problems: RowProblems;
  readonly causes: Set<Cause>;
  readonly numberIn: (cell: unknown) => number;
  readonly ahead: boolean;
}

const seriesSink = (
  { parameters, name, problems, causes, numberIn, ahead }: SinkGiven,
  available: readonly string[],
): RowSink & { readonly finish: () => RawSeries } => {
  const { time, series, targets, past, future, static: statics, missing } = parameters;
  checkColumns(name, available, {
    time: [time],
    series: [series],
    ...eachAlone({ targets, past, future, static: statics }),
  });
  const numbers = numberColumns(parameters);
  const firstNumber = series === null ? 1 : 2;
  const firstStatic = firstNumber + numbers.length;

  const timeReader = createTimeReader();
  const times = createNumberList();
  const values = createNumberList();
  const lines = createNumberList();
  const owners = createNumberList();
  const indices = new Map<string, number>();
  const staticTexts: string[][] = [];
  const firstLines: number[] = [];

  const ownerOf = (cell: unknown, line: number): number => {
    if (series === null) {
      if (indices.size === 0) begin('', line);
      return 0;
    }
    const text = textIn(cell);
    if (text === '') problems.report(line, `column ${JSON.stringify(series)} is empty`);
    return indices.get(text) ?? begin(text, line);
  };
  const begin = (text: string, line: number): number => {
    const owner = indices.size;
    indices.set(ownCopy(text), owner);
    staticTexts.push(statics.map(() => ''));
    firstLines.push(line);
    return owner;
  };

  const number = (cell: unknown, column: string, line: number): number => {
    const value = numberIn(cell);
    if (!Number.isNaN(value)) return value;
    if (isMissing(cell)) {
      if (ahead || strategyOf(missing, column) !== 'error') return value;
      causes.add('missing');
      problems.report(line, `column ${JSON.stringify(column)} has no value`);
    } else {
      const infinite = isInfinite(cell);
      causes.add(infinite ? 'infinite' : causeOf(cell));
      const wanted = infinite ? 'a finite number' : 'a number';
      problems.report(
        line,
        `column ${JSON.stringify(column)} is not ${wanted}: ${shown(cell)}${likeness(cell)}`,
      );
    }
    return Number.NaN;
  };

  const addStatics = (owner: number, cells: readonly unknown[], line: number): void => {
    statics.forEach((column, at) => {
      const text = textIn(cells[firstStatic + at]);
      const texts = staticTexts[owner] as string[];
      if (texts[at] === '') texts[at] = ownCopy(text);
      else if (text !== '' && text !== texts[at]) {
        const first = firstLines[owner] as number;
        causes.add('mistake');
        problems.report(
          line,
          `series ${JSON.stringify(textIn(cells[1]))} has another ${JSON.stringify(column)} here than in line ${first}`,
        );
      }
    });
  };

  return {
    columns: [time, ...(series === null ? [] : [series]), ...numbers, ...statics],
    add: (cells, line) => {
      const at = timeReader.read(cells[0]);
      if (typeof at === 'string') {
        causes.add('time');
        problems.report(line, `column ${JSON.stringify(time)} ${at}`);
      }
      const owner = ownerOf(cells[1], line);
      times.push(typeof at === 'string' ? Number.NaN : at);
      lines.push(line);
      owners.push(owner);
      for (let column = 0; column < numbers.length; column++) {
        values.push(number(cells[firstNumber + column], numbers[column] as string, line));
      }
      if (statics.length > 0) addStatics(owner, cells, line);
    },
    end: () => undefined,
    finish: () => ({
      ...datesOf(times.numbers(), timeReader.kind() ?? 'number'),
      values: values.numbers(),
      lines: lines.numbers(),
      owners: owners.numbers(),
      series: [...indices.keys()],
      statics: staticTexts,
    }),
  };
};

/** Reports missing values, except of what is only known up to now in rows after the last target of their series. */
const reportMissing = (
  { times, values, owners, lines }: RawSeries,
  {
    parameters,
    problems,
    causes,
  }: {
    readonly parameters: SeriesParameters;
    readonly problems: RowProblems;
    readonly causes: Set<Cause>;
  },
): void => {
  const columns = numberColumns(parameters);
  const complete = completeColumns(parameters);
  const width = columns.length;
  const observed = width - parameters.future.length;
  const valueAt = (row: number, column: number) => values[row * width + column] as number;
  const lastTarget = new Map<number, number>();
  owners.forEach((owner, row) => {
    const time = times[row] as number;
    const hasTarget = parameters.targets.some((_, target) => !Number.isNaN(valueAt(row, target)));
    if (hasTarget) lastTarget.set(owner, Math.max(time, lastTarget.get(owner) ?? -Infinity));
  });
  owners.forEach((owner, row) => {
    const isAhead = (times[row] as number) > (lastTarget.get(owner) ?? -Infinity);
    const from = isAhead ? observed : 0;
    const column = columns.find(
      (name, at) => at >= from && complete.includes(name) && Number.isNaN(valueAt(row, at)),
    );
    if (column === undefined) return;
    causes.add('missing');
    problems.report(lines[row] as number, `column ${JSON.stringify(column)} has no value`);
  });
};

/** Each column of a list by its own path, `past.0`, so that a message is at its name. */
const eachAlone = (lists: Readonly<Record<string, readonly string[]>>): NamedColumns =>
  Object.fromEntries(
    Object.entries(lists).flatMap(([path, columns]) =>
      columns.map((column, at) => [`${path}.${at}`, [column]] as const),
    ),
  );

/** Numbers that are all dates, such as 20240131, mean these dates. */
const datesOf = (times: Float64Array, timeKind: TimeKind): Pick<RawSeries, 'times' | 'timeKind'> => {
  const isDate = timeKind === 'number' && times.every((time) => dateInNumber(time) !== undefined);
  return isDate
    ? { times: times.map((time) => dateInNumber(time) as number), timeKind: 'date' }
    : { times, timeKind };
};

/** Sorts the rows, checks their times and adds the rows that are missing. */
const packed = (
  raw: RawSeries,
  given: {
    readonly parameters: SeriesParameters;
    readonly file: DataFile;
    readonly problems: RowProblems;
    readonly causes: Set<Cause>;
  },
): SeriesPack => {
  const { parameters, file, problems, causes } = given;
  const { timeKind, series } = raw;
  const sorted = sortedRows(raw);
  const before = problems.count();
  reportDuplicates(raw, { sorted, parameters, problems });
  if (problems.count() > before) {
    if (parameters.series === null) causes.add('several-series');
    if (timeKind === 'date' && raw.times.some((time) => time % dayMs !== 0)) causes.add('clock');
    problems.throwIfAny();
  }
  const times = Float64Array.from(sorted.rows, (row) => raw.times[row] as number);
  const step = findTimeStep({ kind: timeKind, times, starts: sorted.starts });
  const placed = { raw, sorted, times, step };
  if (completeColumns(parameters).length > 0 && reportGaps(placed, { parameters, problems }))
    causes.add('missing');
  problems.throwIfAny();
  const width = numberColumns(parameters).length;
  return {
    timeKind,
    step,
    series,
    columns: numberColumns(parameters),
    statics: raw.statics,
    fileRows: times.length,
    ...withRowForEachStep(placed, { width, file }),
    ...(step.kind === 'uneven' && { unevenLine: raw.lines[sorted.rows[1] ?? 0] as number }),
  };
};

const sortedRows = ({ times, owners, series }: RawSeries): SortedRows => {
  const counts = new Array<number>(series.length).fill(0);
  for (const owner of owners) counts[owner] = (counts[owner] as number) + 1;
  const starts = [0];
  for (const count of counts) starts.push((starts.at(-1) as number) + count);
  const rows = new Int32Array(times.length);
  const next = starts.slice();
  owners.forEach((owner, row) => {
    rows[next[owner] as number] = row;
    next[owner] = (next[owner] as number) + 1;
  });
  for (let owner = 0; owner < series.length; owner++) {
    const part = rows.subarray(starts[owner], starts[owner + 1]);
    const isSorted = part.every(
      (row, at) => at === 0 || (times[part[at - 1] as number] as number) <= (times[row] as number),
    );
    if (!isSorted) part.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  }
  return { rows, starts };
};

/** Reports rows of one series and time. */
const reportDuplicates = (
  { times, lines, owners, series, timeKind }: RawSeries,
  {
    sorted: { rows },
    parameters,
    problems,
  }: {
    readonly sorted: SortedRows;
    readonly parameters: SeriesParameters;
    readonly problems: RowProblems;
  },
): void => {
  for (let at = 1; at < rows.length; at++) {
    const [before, row] = [rows[at - 1] as number, rows[at] as number];
    if (owners[before] !== owners[row] || times[before] !== times[row]) continue;
    const of =
      parameters.series === null ? '' : ` of series ${JSON.stringify(series[owners[row] as number])}`;
    problems.report(
      lines[row] as number,
      `the time ${writeTime(times[row] as number, timeKind)}${of} is also in line ${lines[before] as number}`,
    );
  }
};
