import { DataError } from '../dataset.ts';
import { checkColumns, featureColumns } from './columns.ts';
import { numberIn, shown, textIn } from '../columns/cells.ts';
import type { RowSink } from './rows.ts';
import { createNumberList, readNumber, readTarget, type SequenceContext } from './sequence.ts';

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
  const { parameters, problems, writer } = context;
  const { targets, task } = parameters;
  const named = { length: [length], targets };
  checkColumns(context.name, available, { ...named, features: parameters.features ?? [] });
  const columns = featureColumns(parameters.features, available, named);
  const mostSteps = columns.length / featuresPerStep;
  checkWidth({
    columns: columns.length,
    featuresPerStep,
    targets: task === 'labelling' ? targets.length : null,
  });
  context.describe(columns.slice(0, featuresPerStep), columns);

  const first = length === null ? 0 : 1;
  const firstTarget = first + columns.length;
  const values = createNumberList();

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

  const targetsIn = (cells: readonly unknown[], count: number, line: number): number[] =>
    targets.slice(0, count).map((column, at) => {
      const target = readTarget(cells[firstTarget + at], { column, line, context });
      if (target === undefined && textIn(cells[firstTarget + at]) === '') {
        problems.report(line, `column ${JSON.stringify(column)} is empty`);
      }
      return target ?? Number.NaN;
    });

  return {
    columns: [...(length === null ? [] : [length]), ...columns, ...targets],
    add: (cells, line) => {
      const steps = stepsIn(cells, line);
      values.clear();
      for (let at = 0; at < steps * featuresPerStep; at++) {
        values.push(
          readNumber(cells[first + at], {
            column: columns[at] as string,
            line,
            problems,
            parameter: 'features',
          }),
        );
      }
      const found = targetsIn(cells, task === 'labelling' ? steps : targets.length, line);
      if (problems.count() === 0) writer.add(values.numbers(), found);
    },
    end: () => undefined,
  };
};

const checkWidth = (given: {
  readonly columns: number;
  readonly featuresPerStep: number;
  /** When labelling. */
  readonly targets: number | null;
}): void => {
  const { columns, featuresPerStep, targets } = given;
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
  if (targets !== null && targets !== steps) {
    const message = `Labelling needs one target column a step: ${steps}, not ${targets}.`;
    const help = 'Name as many target columns as there are steps, or use task: classification.';
    throw new DataError({ path: 'targets', message, expected: `${steps} columns`, help });
  }
};
