import { shown, textIn } from '../columns/cells.ts';
import { isMissing } from '../columns/missing.ts';
import { DataError } from '../dataset.ts';
import { isPerStep } from './parameters.ts';
import type { RowSink } from './rows.ts';
import {
  addRow,
  cellReader,
  checkInputs,
  createNumberList,
  namedOf,
  onceColumns,
  rolesOf,
  targetColumn,
  type OnceColumn,
  type SequenceContext,
} from './sequence.ts';

/** What only a wide table of single cells needs to know. */
export interface WideOptions {
  /** Columns that make one step, side by side. */
  readonly featuresPerStep: number;
  /** The column of the number of steps, or null: a sequence ends where its cells become empty. */
  readonly length: string | null;
}

/** The wide layout of single cells: one row a sequence, step after step from left to right. */
export const wideSink = (
  context: SequenceContext,
  available: readonly string[],
  { featuresPerStep, length }: WideOptions,
): RowSink => {
  const { settings, problems, numberIn } = context;
  const roles = rolesOf(context, available, { length: [length] });
  const { features: columns, targets, statics } = roles;
  const perStep = isPerStep(settings);
  const mostSteps = columns.length / featuresPerStep;
  const eachStep = checkWidth({
    columns: columns.length,
    featuresPerStep,
    ...(perStep && { targets: targets.length, task: settings.task }),
  });
  const features = columns.slice(0, featuresPerStep);
  checkInputs(context, [...features, ...statics]);
  context.describe(namedOf(context, { ...roles, features }, { columns, eachStep }));

  const once = onceColumns(context, roles);
  const readers = columns.map((column, at) =>
    cellReader(context, { column, key: features[at % featuresPerStep] as string, parameter: 'features' }),
  );
  const stepTargets = perStep ? targets.map((column) => targetColumn(context, column)) : [];
  const first = length === null ? 0 : 1;
  const firstTarget = first + columns.length;
  const firstOnce = firstTarget + stepTargets.length;
  const values = createNumberList();
  let row = 0;

  /** Steps by the length column, or up to the last step with a cell that is not empty. */
  const stepsIn = (cells: readonly unknown[], line: number): number => {
    if (length !== null) {
      const steps = numberIn(cells[0]);
      if (Number.isInteger(steps) && steps >= 1 && steps <= mostSteps) return steps;
      problems.report(
        line,
        `column ${JSON.stringify(length)}: ${shown(cells[0])} is not a number of steps from 1 to ${mostSteps}`,
      );
      return 0;
    }
    let last = firstTarget - 1;
    while (last >= first && textIn(cells[last]) === '') last--;
    if (last < first) problems.report(line, 'all steps are empty');
    return Math.ceil((last - first + 1) / featuresPerStep);
  };

  const readAll = (given: readonly OnceColumn[], from: number, cells: readonly unknown[], line: number) =>
    given.map(({ column, read, preset }, at) => {
      const cell = cells[from + at];
      const value = read(cell, line) ?? (isMissing(cell) ? preset : undefined);
      if (value === undefined && isMissing(cell))
        problems.report(line, `column ${JSON.stringify(column)} is empty`);
      return value ?? Number.NaN;
    });

  return {
    columns: [
      ...(length === null ? [] : [length]),
      ...columns,
      ...stepTargets.map(({ column }) => column),
      ...once.map(({ column }) => column),
    ],
    add: (cells, line) => {
      row++;
      const steps = stepsIn(cells, line);
      values.clear();
      for (let at = 0; at < steps * featuresPerStep; at++)
        values.push((readers[at] as (typeof readers)[number])(cells[first + at], line));
      const found = readAll(stepTargets.slice(0, steps * eachStep), firstTarget, cells, line);
      const given = readAll(once, firstOnce, cells, line);
      addRow(context, roles, { values, features, targets: found, once: given, row });
    },
    end: () => undefined,
  };
};

/** Returns how many targets a step has. Throws a `DataError` where the columns do not make whole steps. */
const checkWidth = (given: {
  readonly columns: number;
  readonly featuresPerStep: number;
  /** Where there are targets at each step. */
  readonly targets?: number;
  readonly task?: string;
}): number => {
  const { columns, featuresPerStep, targets, task } = given;
  if (columns % featuresPerStep !== 0) {
    const message = `${columns} feature columns do not make whole steps of ${featuresPerStep}.`;
    const help = 'Change featuresPerStep, or name the feature columns.';
    throw new DataError({
      path: 'featuresPerStep',
      message,
      expected: `a number that divides ${columns}`,
      help,
    });
  }
  const steps = columns / featuresPerStep;
  if (targets === undefined) return 0;
  if (task === 'labelling' && targets !== steps) {
    const message = `Labelling needs one target column a step: ${steps}, not ${targets}.`;
    const help = 'Name as many target columns as there are steps, or use task: classification.';
    throw new DataError({ path: 'targets', message, expected: `${steps} columns`, help });
  }
  if (targets % steps !== 0) {
    const message = `perStep needs the target columns of each step: a multiple of ${steps}, not ${targets}.`;
    const help = 'Name the targets of every step, step after step, or leave out perStep.';
    throw new DataError({
      path: 'targets',
      message,
      expected: `${steps} columns, or a multiple of it`,
      help,
    });
  }
  return targets / steps;
};
