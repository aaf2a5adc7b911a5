import { hasDecimalComma, isInfinite, likeness, numberInGroups, shown, textIn } from '../columns/cells.ts';
import { categoricalColumns, categoricalPath } from '../columns/categories.ts';
import { createTimeReader, isDateLike } from '../columns/dates.ts';
import { fillMissing, isMissing, strategyOf } from '../columns/missing.ts';
import { checkColumns, checkNamedFeatures, featureColumns, listed, type NamedColumns } from './columns.ts';
import { createLabels, type LabelTable } from './labels.ts';
import type { PackDescription, PackWriter } from './pack.ts';
import { isPerStep, type TableSettings } from './parameters.ts';
import type { DateParameter, ReportKind, RowProblems } from './problems.ts';

/** What a layout needs to turn the rows of a file into the sequences of a pack. */
export interface SequenceContext {
  /** What messages call the file. */
  readonly name: string;
  /** Where each file is a sequence, its name without folder and ending. */
  readonly fileId: string | undefined;
  readonly settings: TableSettings;
  /** The number in a cell, as the file writes numbers; else NaN. */
  readonly numberIn: (cell: unknown) => number;
  readonly labels: LabelTable;
  readonly keyLabels: LabelTable;
  /** Where a step is a token: numbers the tokens; absent: the file numbers its own. */
  readonly tokens?: LabelTable;
  /** The categories of a feature or static column. */
  readonly categoriesOf: (column: string) => LabelTable;
  /** Of a trained model: the category that the training wrote otherwise, as 1.0, where a cell is a number; absent: none is. */
  readonly categoryOf?: (column: string, value: number) => string | undefined;
  /** Counts a missing value. */
  readonly countMissing: (column: string) => void;
  /** Columns that are not in the file itself, but in `labelsFile` or in the name of the file. */
  readonly joined: readonly string[];
  readonly writer: PackWriter;
  readonly problems: RowProblems;
  /** Called with the columns of a step, for texts again at the end; `columns` only where a row is a whole sequence. */
  readonly describe: (named: Named) => void;
}

type Named = Pick<PackDescription, 'features' | 'statics' | 'targets' | 'key'> &
  Partial<Pick<PackDescription, 'columns' | 'tokens'>>;

/** Numbers that grow; `numbers()` is valid until the next `push`. */
export interface NumberList {
  readonly push: (value: number) => void;
  readonly numbers: () => Float64Array;
  readonly clear: () => void;
}

export const createNumberList = (): NumberList => {
  let values = new Float64Array(256);
  let length = 0;
  return {
    push: (value) => {
      if (length === values.length) {
        const larger = new Float64Array(2 * length);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    numbers: () => values.subarray(0, length),
    clear: () => {
      length = 0;
    },
  };
};

/** The columns of a file by what they are used for. */
export interface Roles {
  readonly features: readonly string[];
  readonly statics: readonly string[];
  readonly targets: readonly string[];
  readonly weight: string | null;
  readonly key: string | null;
}

/** Throws a `DataError` for columns that the file does not have. `others` are used otherwise, by their parameters. */
export const rolesOf = (
  { name, settings, joined }: SequenceContext,
  available: readonly string[],
  others: NamedColumns,
): Roles => {
  const { targets, weight, splitBy } = settings;
  const statics = settings.static ?? [];
  const named = { ...others, targets, static: statics, weight: [weight], splitBy: [splitBy] };
  checkColumns(name, [...available, ...joined], { ...named, features: settings.features ?? [] });
  return {
    features: featureColumns(settings.features, available, named),
    statics,
    targets,
    weight,
    key: splitBy,
  };
};

/** Reads a cell of a feature or static column: a number, or the index of a category; NaN where it is missing or wrong. */
export type CellReader = (cell: unknown, line: number) => number;

/** `key` is the name that the spec knows the column by, where that is another. */
export const cellReader = (
  context: SequenceContext,
  { column, key = column, parameter }: { column: string; key?: string; parameter: DateParameter },
): CellReader => {
  const { settings, problems, countMissing } = context;
  const strategy = strategyOf(settings.missing, key);
  // Made once: a file has millions of cells.
  const number = { column, parameter, context };
  const categories = categoricalColumns(settings.categorical).includes(key)
    ? context.categoriesOf(key)
    : undefined;
  const readValue: CellReader = categories
    ? (cell, line) => {
        const known = typeof cell === 'number' ? context.categoryOf?.(key, cell) : undefined;
        const text = known ?? textIn(cell);
        if (text !== '') return categories.idOf(text);
        problems.report(line, wrongCell(column, cell, 'a category'), isMissing(cell) ? 'missing' : undefined);
        return Number.NaN;
      }
    : (cell, line) => readNumber(cell, line, number);
  if (strategy === 'error') return readValue;
  return (cell, line) => {
    if (!isMissing(cell)) return readValue(cell, line);
    countMissing(key);
    return Number.NaN;
  };
};

/** The number of a cell; what is none is reported and becomes NaN. */
const readNumber = (
  cell: unknown,
  line: number,
  {
    column,
    parameter,
    context: { numberIn, problems },
  }: { readonly column: string; readonly parameter: DateParameter; readonly context: SequenceContext },
): number => {
  const value = numberIn(cell);
  if (!Number.isNaN(value)) return value;
  if (isDateLike(cell)) problems.reportDate(line, { column, shown: shown(cell), parameter });
  else {
    const wanted = isInfinite(cell) ? 'a finite number' : 'a number';
    problems.report(line, wrongCell(column, cell, wanted), kindOf(cell, { column, parameter }));
  }
  return value;
};

const kindOf = (
  cell: unknown,
  { column, parameter }: { readonly column: string; readonly parameter: DateParameter },
): ReportKind | undefined => {
  if (parameter === 'targets') return undefined;
  if (isMissing(cell)) return 'missing';
  if (isInfinite(cell)) return 'infinite';
  if (!Number.isNaN(numberInGroups(cell))) return 'groups';
  if (hasDecimalComma(cell)) return 'comma';
  return typeof cell === 'string' && /^\p{L}/u.test(cell.trim()) ? { text: column } : undefined;
};

const wrongCell = (column: string, cell: unknown, wanted: string): string => {
  const what =
    textIn(cell) === '' && !Array.isArray(cell)
      ? 'is empty'
      : `is not ${wanted}: ${shown(cell)}${likeness(cell)}`;
  return `column ${JSON.stringify(column)} ${what}`;
};

/** Fills in place what the values around a missing one of the same sequence give; the mean is left to who knows it. */
export const fillWithin = (
  values: Float64Array,
  { settings }: SequenceContext,
  { features, times }: { readonly features: readonly string[]; readonly times?: Float64Array | undefined },
): void => {
  const stride = features.length;
  const categories = categoricalColumns(settings.categorical);
  features.forEach((feature, from) => {
    const strategy = strategyOf(settings.missing, feature);
    // Between two categories there is no line.
    const isLine = strategy === 'interpolate' && !categories.includes(feature);
    if (!isLine && strategy !== 'forward') return;
    const place = { from, stride, count: values.length / stride };
    fillMissing(values, place, { strategy, mean: Number.NaN, times });
  });
};

/** A column with one value for a whole sequence. */
export interface OnceColumn {
  readonly column: string;
  /** The value of a cell; undefined where it is empty or wrong. */
  readonly read: (cell: unknown, line: number) => number | undefined;
  /** What a sequence without a value has; undefined where it must have one. */
  readonly preset: number | undefined;
}

/** The columns with one value a sequence, in the order of a record. */
export const onceColumns = (context: SequenceContext, roles: Roles): readonly OnceColumn[] => {
  const { settings } = context;
  return [
    ...roles.statics.map((column): OnceColumn => {
      const read = cellReader(context, { column, parameter: 'static' });
      return {
        column,
        read: (cell, line) => (isMissing(cell) ? undefined : finite(read(cell, line))),
        preset: strategyOf(settings.missing, column) === 'error' ? undefined : Number.NaN,
      };
    }),
    ...(isPerStep(settings) ? [] : roles.targets.map((column) => targetColumn(context, column))),
    ...(roles.weight === null ? [] : [weightColumn(context, roles.weight)]),
    ...(roles.key === null ? [] : [keyColumn(context, roles.key)]),
  ];
};

const finite = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);

/** Reads the cells of `onceColumns`; NaN where one is reported. `word` is what the file calls a column. */
export const onceReader =
  (
    { settings: { targets }, problems }: SequenceContext,
    once: readonly OnceColumn[],
    word: 'column' | 'key',
  ): ((cells: readonly unknown[], line: number) => number[]) =>
  (cells, line) =>
    once.map(({ column, read, preset }, at) => {
      const cell = cells[at];
      const value = read(cell, line);
      if (value !== undefined) return value;
      const isAbsent = isMissing(cell) || (Array.isArray(cell) && cell.length === 0);
      if (isAbsent && preset !== undefined) return preset;
      problems.report(
        line,
        `${word} ${JSON.stringify(column)}: ${shown(cell)} is no ${targets.includes(column) ? 'target' : 'value'}`,
      );
      return Number.NaN;
    });

/** What the values of `onceColumns` are in a record. `key` is that of a sequence without a column for it. */
export const onceParts = (
  { settings }: SequenceContext,
  { statics, targets, weight, key }: Roles,
  given: { readonly values: readonly number[]; readonly key: number | undefined },
) => {
  const { values } = given;
  const count = isPerStep(settings) ? 0 : targets.length;
  const after = statics.length + count;
  return {
    statics: values.slice(0, statics.length),
    targets: values.slice(statics.length, after),
    weight: weight === null ? undefined : values[after],
    key: key === null ? given.key : values[after + (weight === null ? 0 : 1)],
  };
};

/** The target in a cell, as number or class. */
export const targetColumn = (context: SequenceContext, column: string): OnceColumn => {
  const { settings, labels, problems } = context;
  // Of sets, each name counts as a label, too.
  const names = createLabels(column, { name: context.name });
  const known = (id: number, cell: unknown, line: number): number | undefined => {
    if (id !== -1) return id;
    problems.report(
      line,
      `column ${JSON.stringify(column)}: ${shown(cell)} is none of the model's classes, ${listed(labels.texts())}`,
    );
    return undefined;
  };
  const read: OnceColumn['read'] = (cell, line) => {
    switch (settings.task) {
      case 'regression':
        return textIn(cell) === ''
          ? undefined
          : finite(readNumber(cell, line, { column, parameter: 'targets', context }));
      case 'classification':
      case 'labelling': {
        const text = textIn(cell);
        return text === '' ? undefined : known(labels.idOf(text), cell, line);
      }
      case 'multi-label': {
        if (settings.targets.length > 1) return readFlag(cell, line, { column, problems });
        const found = labelsIn(cell, settings.labelSeparator);
        for (const label of found) names.idOf(label);
        return found.length === 0 ? undefined : known(labels.idOf(JSON.stringify(found)), cell, line);
      }
    }
  };
  const isSet = settings.task === 'multi-label' && settings.targets.length === 1;
  return { column, read, preset: isSet ? labels.idOf('[]') : undefined };
};

/** The labels of a sequence, each once. */
const labelsIn = (cell: unknown, separator: string): readonly string[] => {
  const texts = Array.isArray(cell) ? cell.map(textIn) : textIn(cell).split(separator);
  return [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ''))].sort();
};

const flags: Readonly<Record<string, number>> = { '0': 0, '1': 1, false: 0, true: 1, no: 0, yes: 1 };

const readFlag = (
  cell: unknown,
  line: number,
  { column, problems }: { readonly column: string; readonly problems: RowProblems },
): number | undefined => {
  const text = textIn(cell).toLowerCase();
  if (text === '') return undefined;
  const flag = Object.hasOwn(flags, text) ? flags[text] : undefined;
  if (flag === undefined)
    problems.report(line, `column ${JSON.stringify(column)} is not 0 or 1: ${shown(cell)}`);
  return flag;
};

/** Sums of larger ones, in single precision, would be infinite. */
const mostWeight = 1e30;

const weightColumn = (context: SequenceContext, column: string): OnceColumn => ({
  column,
  read: (cell, line) => {
    if (textIn(cell) === '') return undefined;
    const weight = context.numberIn(cell);
    if (weight >= 0 && weight <= mostWeight) return weight;
    context.problems.report(
      line,
      `column ${JSON.stringify(column)} is not a weight ${weight > mostWeight ? `up to ${mostWeight}` : 'of 0 or more'}: ${shown(cell)}`,
    );
    return undefined;
  },
  preset: undefined,
});

/** The parts, as a column may name them. */
export const partLabels: Readonly<Record<string, 'train' | 'validation' | 'test'>> = {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
};

const keyColumn = (context: SequenceContext, column: string): OnceColumn => {
  const { settings, keyLabels, problems } = context;
  const name = JSON.stringify(column);
  const times = createTimeReader();
  const read: OnceColumn['read'] = (cell, line) => {
    const text = textIn(cell);
    if (text === '' && !(cell instanceof Date)) return undefined;
    switch (settings.split) {
      case 'chronological': {
        const time = times.read(cell);
        if (typeof time === 'number') return time;
        problems.report(line, `column ${name} ${time}`);
        return undefined;
      }
      case 'column': {
        const part = Object.hasOwn(partLabels, text.toLowerCase())
          ? partLabels[text.toLowerCase()]
          : undefined;
        if (part !== undefined) return keyLabels.idOf(part);
        problems.report(line, `column ${name} is not train, validation or test: ${shown(cell)}`);
        return undefined;
      }
      case 'grouped':
      case 'random':
      case 'stratified':
        return keyLabels.idOf(text);
    }
  };
  return { column, read, preset: undefined };
};

/** What a pack records of the columns that were read. */
export const namedOf = (
  { settings }: SequenceContext,
  { features, statics, targets, key }: Roles,
  given: { readonly eachStep?: number; readonly hasTimes?: boolean; readonly columns?: readonly string[] },
): Named => ({
  features,
  statics,
  targets: isPerStep(settings)
    ? { count: given.eachStep ?? targets.length, each: 'step' }
    : { count: targets.length, each: 'sequence' },
  key:
    settings.split === 'chronological' && (key !== null || given.hasTimes === true)
      ? 'time'
      : key === null
        ? null
        : 'label',
  ...(given.columns && { columns: given.columns }),
});

/** Throws a `DataError` where `categorical` or `missing` name columns that are no inputs. */
export const checkInputs = ({ settings }: SequenceContext, inputs: readonly string[]): void => {
  const { categorical, missing } = settings;
  checkNamedFeatures(inputs, [
    ...categoricalColumns(categorical).map((column) => ({
      column,
      path: categoricalPath(categorical, column),
    })),
    ...(typeof missing === 'string' ? [] : Object.keys(missing)).map((column) => ({
      column,
      path: `missing.${column}`,
    })),
  ]);
};

/** Adds a sequence that is one row of its file, unless a row of the file is wrong. */
export const addRow = (
  context: SequenceContext,
  roles: Roles,
  given: {
    readonly values: NumberList;
    readonly features: readonly string[];
    /** Targets of its steps. */
    readonly targets: readonly number[];
    /** By `onceColumns`. */
    readonly once: readonly number[];
    readonly row: number;
  },
): void => {
  const { settings, problems, writer, fileId } = context;
  if (problems.count() > 0) return;
  const numbers = given.values.numbers();
  fillWithin(numbers, context, { features: given.features });
  writer.add({
    ...onceParts(context, roles, { values: given.once, key: undefined }),
    values: numbers,
    ...(isPerStep(settings) && { targets: given.targets }),
    name: fileId === undefined ? undefined : `${fileId}/${given.row}`,
  });
};
