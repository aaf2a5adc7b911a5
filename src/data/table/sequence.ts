import type { PackDescription, PackWriter } from './pack.ts';
import type { LabelTable } from './labels.ts';
import type { TableParameters } from './parameters.ts';
import type { DateParameter, RowProblems } from './problems.ts';
import { isDateLike } from '../columns/dates.ts';
import { numberIn, shown, textIn } from '../columns/cells.ts';

/** What a layout needs to turn the rows of a file into the sequences of a pack. */
export interface SequenceContext {
  /** What messages call the file. */
  readonly name: string;
  readonly parameters: TableParameters;
  readonly labels: LabelTable;
  readonly writer: PackWriter;
  readonly problems: RowProblems;
  /**
   * Called once, with the features of a step, the columns they come from where a row is a whole sequence, and the tokens
   * of the file where a step is a token.
   */
  readonly describe: (
    features: readonly string[],
    columns?: readonly string[],
    tokens?: readonly string[],
  ) => void;
}

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

/** Where a number is read from. */
interface NumberPlace {
  readonly column: string;
  readonly line: number;
  readonly problems: RowProblems;
  /** The parameter that names the column. */
  readonly parameter: DateParameter;
}

/** The number of a cell; what is none is reported and becomes NaN. */
export const readNumber = (cell: unknown, { column, line, problems, parameter }: NumberPlace): number => {
  const value = numberIn(cell);
  if (!Number.isNaN(value)) return value;
  if (isDateLike(cell)) problems.reportDate(line, { column, shown: shown(cell), parameter });
  else {
    const what = textIn(cell) === '' && !Array.isArray(cell) ? 'is empty' : `is not a number: ${shown(cell)}`;
    problems.report(line, `column ${JSON.stringify(column)} ${what}`);
  }
  return value;
};

/** The target in a cell, as number (regression) or class; undefined where the cell is empty or wrong. */
export const readTarget = (
  cell: unknown,
  {
    column,
    line,
    context,
  }: { readonly column: string; readonly line: number; readonly context: SequenceContext },
): number | undefined => {
  const { parameters, labels, problems } = context;
  if (parameters.task === 'regression') {
    if (textIn(cell) === '') return undefined;
    const value = readNumber(cell, { column, line, problems, parameter: 'targets' });
    return Number.isNaN(value) ? undefined : value;
  }
  const text = textIn(cell);
  return text === '' ? undefined : labels.idOf(text);
};

/** `PackDescription.outputs` of a task. */
export const outputsOf = ({ task, targets }: TableParameters): PackDescription['outputs'] => {
  switch (task) {
    case 'classification':
      return 1;
    case 'labelling':
      return null;
    case 'regression':
      return targets.length;
  }
};
