import { checkColumns, featureColumns } from './columns.ts';
import { ownCopy } from './labels.ts';
import { textIn, type RowSink } from './rows.ts';
import { createNumberList, readNumber, readTarget, type SequenceContext } from './sequence.ts';

/** The sequence whose rows are being read. */
interface OpenSequence {
  readonly id: string;
  readonly startLine: number;
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
  let current: OpenSequence | undefined;

  const open = (id: string, line: number): OpenSequence => {
    if (seen.has(id)) {
      problems.report(line, `more of sequence "${id}" after other sequences; its rows must stand together`);
    }
    const own = ownCopy(id);
    seen.add(own);
    values.clear();
    orders.clear();
    return { id: own, startLine: line, targets: perStep ? [] : targets.map(() => undefined) };
  };

  const close = ({ id, startLine, targets: found }: OpenSequence) => {
    const missing = targets[found.indexOf(undefined)];
    if (!perStep && missing !== undefined) {
      problems.report(startLine, `sequence "${id}" has no ${JSON.stringify(missing)}`);
    }
    const positions = ascendingPositions(orders.numbers());
    if (positions === 'repeated') {
      problems.report(startLine, `sequence "${id}" has the same ${JSON.stringify(order)} twice`);
    }
    // What cannot be used is only read on to report everything that is wrong.
    if (problems.count() > 0 || positions === 'repeated') return;
    const complete = found as number[];
    if (positions === 'in-order') writer.add(values.numbers(), complete);
    else {
      writer.add(
        rearranged(values.numbers(), positions),
        perStep ? Array.from(positions, (at) => complete[at] as number) : complete,
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
      if (order !== null) orders.push(readNumber(cells[1], { column: order, line, problems }));
      for (let at = firstFeature; at < firstTarget; at++) {
        const column = features[at - firstFeature] as string;
        values.push(readNumber(cells[at], { column, line, problems }));
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

/** The positions that bring numbers into ascending order. */
const ascendingPositions = (numbers: Float64Array): Int32Array | 'in-order' | 'repeated' => {
  const rises = (before: number, at: number) => (numbers[before] as number) < (numbers[at] as number);
  let sorted = true;
  for (let at = 1; at < numbers.length && sorted; at++) sorted = rises(at - 1, at);
  if (sorted) return 'in-order';
  const positions = Int32Array.from(numbers.keys()).sort(
    (a, b) => (numbers[a] as number) - (numbers[b] as number),
  );
  const strict = positions.every((at, index) => index === 0 || rises(positions[index - 1] as number, at));
  return strict ? positions : 'repeated';
};

const rearranged = (values: Float64Array, positions: Int32Array): Float64Array => {
  const width = values.length / positions.length;
  const result = new Float64Array(values.length);
  positions.forEach((from, to) => {
    result.set(values.subarray(from * width, (from + 1) * width), to * width);
  });
  return result;
};
