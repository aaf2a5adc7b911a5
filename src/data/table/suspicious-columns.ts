import { indicesBelow } from '../indices.ts';
import type { Pack } from './pack.ts';

/** A column that was taken as a feature and looks like an index of rows. */
export interface SuspiciousColumn {
  readonly column: string;
  readonly because: 'no-name' | 'name' | 'counts-rows' | 'counts-sequences' | 'counts-steps';
}

const indexNames =
  /^(id|idx|index|uuid|guid|key|row[ _-]?(id|number|no|nr|index)?|no|nr|unnamed:?[ _]*\d*)$/i;

/** Fewer numbers rise by one by accident. */
const leastCounted = 4;

/** The feature columns of a pack that look like an index, by name or by their values in the order of the file. */
export const suspiciousColumns = (pack: Pack): readonly SuspiciousColumn[] => {
  const { columns, features } = pack;
  // One row a sequence: the cells of a sequence, side by side, are columns of their own.
  const sideBySide = columns.length > features.length;
  const counted = sideBySide ? countingCells(pack) : countingFeatures(pack);
  const isEach = counted.length > 1 && counted.every((one) => one !== undefined);
  return columns.flatMap((column, at): SuspiciousColumn[] => {
    const because = reasonOf(column, isEach ? undefined : counted[at]);
    return because ? [{ column, because }] : [];
  });
};

const reasonOf = (
  column: string,
  counts: SuspiciousColumn['because'] | undefined,
): SuspiciousColumn['because'] | undefined => {
  if (column === '') return 'no-name';
  return counts ?? (indexNames.test(column.trim()) ? 'name' : undefined);
};

/** For each cell of a sequence, whether it rises by one from sequence to sequence. */
const countingCells = (pack: Pack): (SuspiciousColumn['because'] | undefined)[] => {
  const width = pack.columns.length;
  const before = new Float64Array(width);
  const rises = new Array<boolean>(width).fill(pack.sequences >= leastCounted);
  let isFirst = true;
  pack.visit(indicesBelow(pack.sequences), (sequence, numbers, from) => {
    const cells = pack.steps(sequence) * pack.features.length;
    for (let at = 0; at < width; at++) {
      const value = at < cells ? (numbers[from + at] as number) : Number.NaN;
      if (!isFirst && value !== (before[at] as number) + 1) rises[at] = false;
      before[at] = value;
    }
    isFirst = false;
  });
  return rises.map((one) => (one ? 'counts-sequences' : undefined));
};

/** For each feature, whether it counts rows, sequences, or the steps of each sequence. */
const countingFeatures = (pack: Pack): (SuspiciousColumn['because'] | undefined)[] => {
  const width = pack.features.length;
  const counts = Array.from({ length: width }, () => ({
    rows: true,
    sequences: true,
    steps: true,
    first: NaN,
    last: NaN,
  }));
  let rows = 0;
  pack.visit(indicesBelow(pack.sequences), (sequence, numbers, from) => {
    const steps = pack.steps(sequence);
    counts.forEach((count, feature) => {
      for (let step = 0; step < steps; step++) {
        const value = numbers[from + step * width + feature] as number;
        if (rows === 0 && step === 0) count.first = value;
        else {
          if (value !== count.last + 1) count.rows = false;
          if (value !== (step === 0 ? count.last + 1 : count.last)) count.sequences = false;
          if (value !== (step === 0 ? count.first : count.last + 1)) count.steps = false;
        }
        count.last = value;
        if (!count.rows && !count.sequences && !count.steps) return;
      }
    });
    rows += steps;
  });
  return counts.map((count) => {
    if (count.rows && rows >= leastCounted) return 'counts-rows';
    if (count.sequences && pack.sequences >= leastCounted) return 'counts-sequences';
    return count.steps && pack.sequences > 1 && pack.longest >= 3 ? 'counts-steps' : undefined;
  });
};
