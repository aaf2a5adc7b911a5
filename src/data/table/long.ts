import { shown, textIn } from '../columns/cells.ts';
import { createTimeReader, isDateLike, parseDate } from '../columns/dates.ts';
import { ownCopy } from './labels.ts';
import { deltaTime } from './pack.ts';
import { isPerStep } from './parameters.ts';
import type { RowSink } from './rows.ts';
import {
  cellReader,
  checkInputs,
  createNumberList,
  fillWithin,
  namedOf,
  onceColumns,
  onceParts,
  rolesOf,
  targetColumn,
  type SequenceContext,
} from './sequence.ts';

/** The sequence whose rows are being read. */
interface OpenSequence {
  readonly id: string;
  readonly startLine: number;
  /** Bad rows of the file before it: messages about a whole sequence need all of its rows to be good. */
  readonly badBefore: number;
  /** By `onceColumns`. */
  readonly once: (number | undefined)[];
}

/** The long layout: one row a step, the rows of a sequence together. */
export const longSink = (context: SequenceContext, available: readonly string[]): RowSink => {
  const { settings, problems, writer, fileId } = context;
  const { sequence, order } = settings;
  const roles = rolesOf(context, available, { sequence: [sequence], order: [order] });
  const { features, targets } = roles;
  checkInputs(context, [...features, ...roles.statics]);
  const stepFeatures = settings.deltaTime ? [...features, deltaTime] : features;
  context.describe(namedOf(context, { ...roles, features: stepFeatures }, { hasTimes: order !== null }));

  const perStep = isPerStep(settings);
  const once = onceColumns(context, roles);
  const readers = features.map((column) => cellReader(context, { column, parameter: 'features' }));
  const stepTargets = perStep ? targets.map((column) => targetColumn(context, column)) : [];
  const columns = [
    ...[sequence, order].filter((column) => column !== null),
    ...features,
    ...stepTargets.map(({ column }) => column),
    ...once.map(({ column }) => column),
  ];
  const firstFeature = (sequence === null ? 0 : 1) + (order === null ? 0 : 1);
  const firstTarget = firstFeature + features.length;
  const firstOnce = firstTarget + stepTargets.length;

  const times = createTimeReader();
  const seen = new Set<string>();
  const values = createNumberList();
  const orders = createNumberList();
  const lines = createNumberList();
  const found = createNumberList();
  let current: OpenSequence | undefined;

  const open = (id: string, line: number): OpenSequence => {
    if (seen.has(id)) {
      problems.report(line, `more of sequence "${id}" after other sequences; its rows must be adjacent`);
    }
    const own = ownCopy(id);
    seen.add(own);
    for (const list of [values, orders, lines, found]) list.clear();
    return { id: own, startLine: line, badBefore: problems.count(), once: once.map(() => undefined) };
  };

  const close = ({ id, startLine, badBefore, once: given }: OpenSequence) => {
    // A row that could not be read may be the one that is missing, or the cause of what looks wrong.
    if (problems.count() > badBefore) return;
    const complete = given.map((value, at) => value ?? once[at]?.preset);
    const missing = once[complete.indexOf(undefined)];
    if (missing) {
      const { column } = missing;
      const isJoined = settings.labelsFile !== null && !available.includes(column);
      const where = isJoined ? ` in ${settings.labelsFile}` : '';
      problems.report(
        startLine,
        `sequence "${id}" has no ${JSON.stringify(column)}${where}`,
        isJoined ? 'joined' : undefined,
      );
    }
    const positions = ascendingPositions(orders.numbers());
    if ('repeated' in positions) {
      const [first, second] = positions.repeated
        .map((at) => lines.numbers()[at] as number)
        .sort((a, b) => a - b);
      problems.report(
        second ?? startLine,
        `sequence "${id}" has the same ${JSON.stringify(order)} as in line ${first ?? startLine}`,
      );
    }
    // With a bad row nothing is trained; the file is read on to report everything that is wrong.
    if (problems.count() > 0 || 'repeated' in positions) return;
    const sorted = (list: Float64Array) =>
      'inOrder' in positions ? list : rearranged(list, positions.sorted);
    const ordered = sorted(orders.numbers());
    const steps = settings.deltaTime
      ? withDeltas(sorted(values.numbers()), ordered, times.kind() === 'date' ? 1000 : 1)
      : sorted(values.numbers());
    fillWithin(steps, context, { features: stepFeatures, times: order === null ? undefined : ordered });
    const parts = onceParts(context, roles, {
      values: complete as number[],
      key: settings.split === 'chronological' ? ordered[0] : undefined,
    });
    const name = fileId === undefined || sequence === null ? id : `${fileId}/${id}`;
    writer.add({
      ...parts,
      values: steps,
      ...(perStep && { targets: [...sorted(found.numbers())] }),
      name,
    });
  };

  const addOnce = (one: OpenSequence, cells: readonly unknown[], line: number) => {
    once.forEach(({ column, read }, at) => {
      const value = read(cells[firstOnce + at], line);
      const before = one.once[at];
      if (before !== undefined && value !== undefined && before !== value) {
        problems.report(
          line,
          `sequence "${one.id}" has another ${JSON.stringify(column)} here than from line ${one.startLine} on`,
        );
      }
      one.once[at] = before ?? value;
    });
  };

  const reportTime = (what: string, cell: unknown, line: number) => {
    const column = order ?? '';
    const isOtherForm = isDateLike(cell) && parseDate(textIn(cell)) === undefined;
    if (isOtherForm) problems.reportDate(line, { column, shown: shown(cell), parameter: 'order' });
    else problems.report(line, `column ${JSON.stringify(column)} ${what}`);
  };

  return {
    columns,
    add: (cells, line) => {
      const id = sequence === null ? (fileId ?? '') : textIn(cells[0]);
      if (id === '') {
        problems.report(line, `column ${JSON.stringify(sequence)} is empty`);
        return;
      }
      if (id !== current?.id) {
        if (current) close(current);
        current = open(id, line);
      }
      if (order !== null) {
        const cell = cells[firstFeature - 1];
        const time = times.read(cell);
        if (typeof time === 'string') reportTime(time, cell, line);
        orders.push(typeof time === 'number' ? time : Number.NaN);
      }
      lines.push(line);
      readers.forEach((read, at) => values.push(read(cells[firstFeature + at], line)));
      stepTargets.forEach(({ column, read }, at) => {
        const cell = cells[firstTarget + at];
        const target = read(cell, line);
        if (target === undefined && textIn(cell) === '')
          problems.report(line, `column ${JSON.stringify(column)} is empty`);
        found.push(target ?? Number.NaN);
      });
      addOnce(current, cells, line);
    },
    end: () => {
      if (current) close(current);
    },
  };
};

/** Steps with the time since the step before as a further feature. */
const withDeltas = (values: Float64Array, times: Float64Array, unit: number): Float64Array => {
  const width = values.length / times.length;
  const result = new Float64Array(values.length + times.length);
  times.forEach((time, step) => {
    const at = step * (width + 1);
    result.set(values.subarray(step * width, (step + 1) * width), at);
    result[at + width] = step === 0 ? 0 : (time - (times[step - 1] as number)) / unit;
  });
  return result;
};

/** The order of steps by their numbers: as they are, as sorted, or none because two are equal. */
type StepOrder =
  | { readonly inOrder: true }
  | { readonly sorted: Int32Array }
  | { readonly repeated: readonly [number, number] };

const ascendingPositions = (numbers: Float64Array): StepOrder => {
  const rises = (before: number, at: number) => (numbers[before] as number) < (numbers[at] as number);
  let inOrder = true;
  for (let at = 1; at < numbers.length && inOrder; at++) inOrder = rises(at - 1, at);
  if (inOrder) return { inOrder };
  const sorted = Int32Array.from(numbers.keys()).sort(
    (a, b) => (numbers[a] as number) - (numbers[b] as number),
  );
  const repeated = sorted.findIndex((at, index) => index > 0 && !rises(sorted[index - 1] as number, at));
  return repeated === -1
    ? { sorted }
    : { repeated: [sorted[repeated - 1] as number, sorted[repeated] as number] };
};

/** Numbers in rows, as many as there are positions, in the order of the positions. */
const rearranged = (values: Float64Array, positions: Int32Array): Float64Array => {
  const width = values.length / positions.length;
  const result = new Float64Array(values.length);
  positions.forEach((from, to) => {
    result.set(values.subarray(from * width, (from + 1) * width), to * width);
  });
  return result;
};
