import { shown, textIn } from '../columns/cells.ts';
import { isPerStep } from './parameters.ts';
import type { RowSink } from './rows.ts';
import {
  addRow,
  cellReader,
  checkInputs,
  createNumberList,
  namedOf,
  onceColumns,
  onceReader,
  rolesOf,
  targetColumn,
  type SequenceContext,
} from './sequence.ts';

/** A key's list of steps, each a list of values. */
type Steps = readonly (readonly unknown[])[];

/**
 * The wide layout of JSON: one object a sequence. A feature key holds a list with one value a step, or one list of
 * numbers a step; several keys hold lists of the same length, side by side.
 */
export const nestedSink = (context: SequenceContext, available: readonly string[]): RowSink => {
  const { settings, problems } = context;
  const roles = rolesOf(context, available, {});
  const { features: keys, targets, statics } = roles;
  checkInputs(context, [...keys, ...statics]);
  const perStep = isPerStep(settings);
  const once = onceColumns(context, roles);
  const readers = keys.map((column) => cellReader(context, { column, parameter: 'features' }));
  const stepTargets = perStep ? targets.map((column) => targetColumn(context, column)) : [];
  const readOnce = onceReader(context, once, 'key');
  const firstOnce = keys.length + stepTargets.length;
  const values = createNumberList();
  let widths: readonly number[] | undefined;
  let filled: readonly string[] = [];
  let row = 0;

  /** The steps of a row, by key; nothing where they are reported. */
  const stepsIn = (cells: readonly unknown[], line: number): readonly Steps[] | undefined => {
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
    widths ??= describe(lists);
    return lists;
  };

  const describe = (lists: readonly Steps[]): readonly number[] => {
    const found = lists.map((list) => list[0]?.length ?? 0);
    const features = keys.flatMap((key, at) =>
      Array.from({ length: found[at] ?? 0 }, (_, feature) => (found[at] === 1 ? key : `${key}[${feature}]`)),
    );
    filled = keys.flatMap((key, at) => new Array<string>(found[at] ?? 0).fill(key));
    context.describe(namedOf(context, { ...roles, features }, {}));
    return found;
  };

  const addStep = (
    step: readonly unknown[],
    at: number,
    { index, line }: { index: number; line: number },
  ) => {
    const width = widths?.[at] ?? 0;
    if (step.length !== width) {
      problems.report(
        line,
        `key ${JSON.stringify(keys[at])}: step ${index + 1} has ${step.length} numbers, the first of the file ${width}`,
      );
    }
    for (const cell of step) values.push(readers[at]?.(cell, line) ?? Number.NaN);
  };

  /** The targets of all steps, step after step. */
  const stepTargetsIn = (cells: readonly unknown[], steps: number, line: number): number[] => {
    const found = new Array<number>(steps * stepTargets.length).fill(Number.NaN);
    stepTargets.forEach(({ column, read }, at) => {
      const list = cells[keys.length + at];
      if (!Array.isArray(list) || list.length !== steps) {
        const what = settings.task === 'labelling' ? 'labels' : 'numbers';
        problems.report(
          line,
          `key ${JSON.stringify(column)}: ${shown(list)} is not a list of ${steps} ${what}`,
        );
        return;
      }
      list.forEach((cell: unknown, step) => {
        const target = read(cell, line);
        if (target === undefined && textIn(cell) === '')
          problems.report(line, `key ${JSON.stringify(column)}: ${shown(cell)} is no target`);
        found[step * stepTargets.length + at] = target ?? Number.NaN;
      });
    });
    return found;
  };

  return {
    columns: [...keys, ...stepTargets.map(({ column }) => column), ...once.map(({ column }) => column)],
    add: (cells, line) => {
      row++;
      const lists = stepsIn(cells, line);
      if (!lists) return;
      values.clear();
      const steps = lists[0]?.length ?? 0;
      for (let index = 0; index < steps; index++) {
        lists.forEach((list, at) => addStep(list[index] ?? [], at, { index, line }));
      }
      const found = stepTargetsIn(cells, steps, line);
      const given = readOnce(cells.slice(firstOnce), line);
      addRow(context, roles, { values, features: filled, targets: found, once: given, row });
    },
    end: () => undefined,
  };
};
