import { checkColumns, featureColumns } from './columns.ts';
import { shown, textIn } from '../columns/cells.ts';
import type { RowSink } from './rows.ts';
import { createNumberList, readNumber, readTarget, type SequenceContext } from './sequence.ts';

/**
 * The wide layout of JSON: one object a sequence. A feature key holds a list with one number a step, or one list of
 * numbers a step; several keys hold lists of the same length, side by side.
 */
export const nestedSink = (context: SequenceContext, available: readonly string[]): RowSink => {
  const { parameters, problems, writer } = context;
  const { targets, task } = parameters;
  checkColumns(context.name, available, { targets, features: parameters.features ?? [] });
  const keys = featureColumns(parameters.features, available, { targets });
  const values = createNumberList();
  let widths: readonly number[] | undefined;

  /** The steps of a row, each key's as a list of lists; nothing where they are reported. */
  const stepsIn = (
    cells: readonly unknown[],
    line: number,
  ): readonly (readonly (readonly unknown[])[])[] | undefined => {
    const before = problems.count();
    const lists = keys.map((key, at) => {
      const cell = cells[at];
      if (!Array.isArray(cell) || cell.length === 0) {
        problems.report(line, `key ${JSON.stringify(key)}: ${shown(cell)} is not a list of steps`);
        return [];
      }
      return cell.map((step: unknown) => (Array.isArray(step) ? (step as unknown[]) : [step]));
    });
    const [first = []] = lists;
    lists.forEach((list, at) => {
      if (list.length !== first.length) {
        problems.report(
          line,
          `key ${JSON.stringify(keys[at])} has ${list.length} steps and ${JSON.stringify(keys[0])} ${first.length}`,
        );
      }
    });
    if (problems.count() > before) return undefined;
    if (!widths) {
      widths = lists.map((list) => list[0]?.length ?? 0);
      context.describe(
        keys.flatMap((key, at) =>
          Array.from({ length: widths?.[at] ?? 0 }, (_, feature) =>
            widths?.[at] === 1 ? key : `${key}[${feature}]`,
          ),
        ),
      );
    }
    return lists;
  };

  const addStep = (
    step: readonly unknown[],
    at: number,
    { index, line }: { index: number; line: number },
  ) => {
    const key = keys[at] as string;
    const width = widths?.[at] ?? 0;
    if (step.length !== width) {
      problems.report(
        line,
        `key ${JSON.stringify(key)}: step ${index + 1} has ${step.length} numbers, the first of the file ${width}`,
      );
    }
    for (const cell of step)
      values.push(readNumber(cell, { column: key, line, problems, parameter: 'features' }));
  };

  /** The cells that hold targets: one a step when labelling, else one a key. */
  const targetCells = (cells: readonly unknown[], steps: number, line: number): readonly unknown[] => {
    if (task !== 'labelling') return cells.slice(keys.length);
    const list = cells[keys.length];
    if (Array.isArray(list) && list.length === steps) return list as unknown[];
    problems.report(
      line,
      `key ${JSON.stringify(targets[0])}: ${shown(list)} is not a list of ${steps} labels`,
    );
    return [];
  };

  const targetsIn = (cells: readonly unknown[], steps: number, line: number): number[] =>
    targetCells(cells, steps, line).map((cell, at) => {
      const column = targets[task === 'labelling' ? 0 : at] as string;
      const target = readTarget(cell, { column, line, context });
      if (target === undefined && textIn(cell) === '') {
        problems.report(line, `key ${JSON.stringify(column)}: ${shown(cell)} is no target`);
      }
      return target ?? Number.NaN;
    });

  return {
    columns: [...keys, ...targets],
    add: (cells, line) => {
      const lists = stepsIn(cells, line);
      if (!lists) return;
      values.clear();
      const steps = lists[0]?.length ?? 0;
      for (let index = 0; index < steps; index++) {
        lists.forEach((list, at) => addStep(list[index] ?? [], at, { index, line }));
      }
      const found = targetsIn(cells, steps, line);
      if (problems.count() === 0) writer.add(values.numbers(), found);
    },
    end: () => undefined,
  };
};
