import { checkColumns, featureColumns } from './columns.ts';
import { ownCopy } from './labels.ts';
import { textIn } from '../columns/cells.ts';
import type { RowSink } from './rows.ts';
import { createNumberList, readNumber, readTarget, type SequenceContext } from './sequence.ts';

/** The sequence whose rows are being read. */
interface OpenSequence {
  readonly id: string;
  readonly startLine: number;
  /** Bad rows of the file before it: what is said of a whole sequence is only known where all of its rows are good. */
  readonly badBefore: number;
  /** One a target column, or one a step when labelling. */
  readonly targets: (number | undefined)[];
}

/** The long layout: one row a step, the rows of a sequence together. */
export const longSink = (context: SequenceContext, available: readonly string[]): RowSink => {
  const { parameters, problems, writer } = context;
  const { sequence, order, targets, task } = parameters;
  const named = { sequence: [sequence], order: [order], targets };
  checkColumns(context.name, available, { ...named, features: parameters.features ?? [] });
  const features = featureColumns(parameters.features, available, named);
  context.describe(features);

  const firstFeature = order === null ? 1 : 2;
  const firstTarget = firstFeature + features.length;
  const perStep = task === 'labelling';
  const seen = new Set<string>();
  const values = createNumberList();
  const orders = createNumberList();
  const lines = createNumberList();
  let current: OpenSequence | undefined;

  const open = (id: string, line: number): OpenSequence => {
    if (seen.has(id)) {
      problems.report(line, `more of sequence "${id}" after other sequences; its rows must be adjacent`);
    }
    const own = ownCopy(id);
    seen.add(own);
    values.clear();
    orders.clear();
    lines.clear();
    return {
      id: own,
      startLine: line,
      badBefore: problems.count(),
      targets: perStep ? [] : targets.map(() => undefined),
    };
  };

  const close = ({ id, startLine, badBefore, targets: found }: OpenSequence) => {
    // A row that could not be read may be the one that is missing, or the cause of what looks wrong.
    if (problems.count() > badBefore) return;
    const missing = targets[found.indexOf(undefined)];
    if (!perStep && missing !== undefined) {
      problems.report(startLine, `sequence "${id}" has no ${JSON.stringify(missing)}`);
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
    const complete = found as number[];
    if ('inOrder' in positions) writer.add(values.numbers(), complete);
    else {
      const { sorted } = positions;
      writer.add(
        rearranged(values.numbers(), sorted),
        perStep ? Array.from(sorted, (at) => complete[at] as number) : complete,
      );
    }
  };

  const addTarget = (one: OpenSequence, at: number, { cell, line }: { cell: unknown; line: number }) => {
    const column = targets[at] as string;
    const target = readTarget(cell, { column, line, context });
    if (perStep) {
      if (target === undefined) problems.report(line, `column ${JSON.stringify(column)} is empty`);
      one.targets.push(target);
      return;
    }
    const before = one.targets[at];
    if (before !== undefined && target !== undefined && before !== target) {
      problems.report(
        line,
        `sequence "${one.id}" has another ${JSON.stringify(column)} here than from line ${one.startLine} on`,
      );
    }
    one.targets[at] = before ?? target;
  };

  return {
    columns: [sequence as string, ...(order === null ? [] : [order]), ...features, ...targets],
    add: (cells, line) => {
      const id = textIn(cells[0]);
      if (id === '') {
        problems.report(line, `column ${JSON.stringify(sequence)} is empty`);
        return;
      }
      if (id !== current?.id) {
        if (current) close(current);
        current = open(id, line);
      }
      if (order !== null) {
        orders.push(readNumber(cells[1], { column: order, line, problems, parameter: 'order' }));
        lines.push(line);
      }
      for (let at = firstFeature; at < firstTarget; at++) {
        const column = features[at - firstFeature] as string;
        values.push(readNumber(cells[at], { column, line, problems, parameter: 'features' }));
      }
      for (let at = 0; at < targets.length; at++) {
        addTarget(current, at, { cell: cells[firstTarget + at], line });
      }
    },
    end: () => {
      if (current) close(current);
    },
  };
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

const rearranged = (values: Float64Array, positions: Int32Array): Float64Array => {
  const width = values.length / positions.length;
  const result = new Float64Array(values.length);
  positions.forEach((from, to) => {
    result.set(values.subarray(from * width, (from + 1) * width), to * width);
  });
  return result;
};
