import { allocateBatch, type Dataset, type DatasetParts, type SequenceShape, type Split } from './dataset.ts';
import { isNumberTask, isPerStep, type NumberTask, type Task } from './task.ts';
import type { DataDescription, PartDescription } from './description.ts';

/** Names, labels and counts beyond that many are left out. */
const mostNames = 1000;

export const firstNames = (names: readonly string[]): readonly string[] => names.slice(0, mostNames);

/** Adds up a part, example by example. */
export interface PartTally {
  /** `targets` from `from` on: those of each step where the task has some, else those of the sequence, which has a weight. */
  readonly add: (steps: number, targets: ArrayLike<number>, from: number, weight?: number) => void;
  /** A sequence that has some of very many labels, by their places. */
  readonly addSet: (steps: number, labels: readonly number[]) => void;
  readonly description: () => PartDescription;
}

export const createPartTally = ({ task }: Pick<SequenceShape, 'task'>): PartTally => {
  const targets = createTargetTally(task);
  const perStep = isPerStep(task);
  const lengths = new Map<number, number>();
  let sequences = 0;
  const addSteps = (steps: number) => {
    sequences++;
    lengths.set(steps, (lengths.get(steps) ?? 0) + 1);
  };
  return {
    add: (steps, values, from, weight = 1) => {
      addSteps(steps);
      targets.add(values, from, { count: perStep ? steps : 1, weight });
    },
    addSet: (steps, labels) => {
      addSteps(steps);
      targets.addSet?.(labels);
    },
    description: () => ({
      sequences,
      ...(sequences > 0 && { steps: stepsOf(lengths, sequences), ...targets.description() }),
    }),
  };
};

interface TargetTally {
  /** Targets of `count` steps, or of one sequence. */
  readonly add: (
    targets: ArrayLike<number>,
    from: number,
    sequence: { readonly count: number; readonly weight: number },
  ) => void;
  readonly addSet?: (labels: readonly number[]) => void;
  readonly description: () => Pick<PartDescription, 'counts' | 'majority' | 'ranges'>;
}

const createTargetTally = (task: Task): TargetTally => {
  if (isNumberTask(task))
    return createRanges(task.kind === 'forecast' ? task.targets.length : task.outputs, task);
  const counts = new Float64Array(task.classes);
  const increase = (at: number, by: number) => {
    counts[at] = (counts[at] as number) + by;
  };
  if (task.kind === 'multi-label')
    return {
      add: (targets, from) => {
        for (let label = 0; label < task.classes; label++) increase(label, targets[from + label] as number);
      },
      addSet: (labels) => labels.forEach((label) => increase(label, 1)),
      description: () => countsOnly(counts),
    };
  const weights = new Float64Array(task.classes);
  return {
    add: (targets, from, { count, weight }) => {
      for (let at = from; at < from + count; at++) {
        const target = targets[at] as number;
        increase(target, 1);
        weights[target] = (weights[target] as number) + weight;
      }
    },
    description: () => countsOf(counts, task.labels, weights),
  };
};

/** The ranges of `width` numbers, of which a forecast has one a step of its horizon. */
const createRanges = (width: number, task: NumberTask): TargetTally => {
  const rowsEach = task.kind === 'forecast' ? task.horizon : 1;
  const ranges = Array.from({ length: width }, () => ({ min: Infinity, sum: 0, max: -Infinity }));
  let rows = 0;
  return {
    add: (targets, from, { count }) => {
      for (let row = 0; row < count * rowsEach; row++)
        ranges.forEach((range, output) => {
          const value = targets[from + row * width + output] as number;
          range.min = Math.min(range.min, value);
          range.max = Math.max(range.max, value);
          range.sum += value;
        });
      rows += count * rowsEach;
    },
    description: () => ({ ranges: ranges.map(({ min, sum, max }) => ({ min, mean: sum / rows, max })) }),
  };
};

const stepsOf = (lengths: ReadonlyMap<number, number>, sequences: number) => {
  const sorted = [...lengths].sort(([a], [b]) => a - b);
  let seen = 0;
  const median = sorted.find(([, count]) => (seen += count) * 2 >= sequences)?.[0] ?? 0;
  return { min: sorted[0]?.[0] ?? 0, median, max: sorted.at(-1)?.[0] ?? 0 };
};

const countsOnly = (counts: Float64Array): Pick<PartDescription, 'counts'> =>
  counts.length <= mostNames ? { counts: [...counts] } : {};

/** The counts of the classes, and which of them is the most frequent by the weights of its targets. */
export const countsOf = (
  counts: Float64Array,
  labels: readonly string[] | undefined,
  weights = counts,
): Pick<PartDescription, 'counts' | 'majority'> => {
  let total = 0;
  let largest = 0;
  weights.forEach((weight, at) => {
    total += weight;
    if (weight > (weights[largest] as number)) largest = at;
  });
  const weighted = weights.some((weight, at) => weight !== counts[at]);
  return {
    ...countsOnly(counts),
    ...(total > 0 && {
      majority: {
        label: labels?.[largest] ?? String(largest),
        share: (weights[largest] as number) / total,
        ...(weighted && { weighted }),
      },
    }),
  };
};

/** What a shape alone gives of a description. */
export const describeShape = (
  { input, task }: SequenceShape,
  names: { readonly features?: readonly string[]; readonly targets?: readonly string[] } = {},
): Pick<DataDescription, 'inputs' | 'target'> => ({
  inputs:
    input.kind === 'values'
      ? {
          kind: 'values',
          features: input.features,
          ...(names.features && { names: firstNames(names.features) }),
        }
      : { kind: 'tokens', vocabulary: input.vocabulary },
  target: describeTarget(task, names.targets),
});

const describeTarget = (task: Task, names: readonly string[] | undefined): DataDescription['target'] => {
  const each = isPerStep(task) ? 'step' : 'sequence';
  switch (task.kind) {
    case 'classification':
    case 'labelling':
    case 'next-step':
    case 'multi-label':
      return {
        kind: task.kind === 'multi-label' ? 'labels' : 'classes',
        each,
        classes: task.classes,
        ...(task.labels && { labels: firstNames(task.labels) }),
      };
    case 'regression':
      return { kind: 'numbers', each, outputs: task.outputs, ...(names && { names: firstNames(names) }) };
    case 'forecast':
      return {
        kind: 'numbers',
        each,
        outputs: task.targets.length,
        names: firstNames(task.targets),
        horizon: task.horizon,
      };
  }
};

/** What is known of a dataset before it is loaded. */
export const describeUnread = (shape: SequenceShape, parts: DatasetParts | undefined): DataDescription => ({
  ...describeShape(shape),
  parts: parts?.trainSize === undefined ? {} : { train: { sequences: parts.trainSize } },
});

/** Describes a loaded dataset by reading it once. */
export const describeDataset = ({ shape, train, validation, test }: Dataset): DataDescription => ({
  ...describeShape(shape),
  parts: {
    train: describeSplit(shape, train),
    ...(validation && { validation: describeSplit(shape, validation) }),
    test: describeSplit(shape, test),
  },
});

const readAtOnce = 256;

const describeSplit = (shape: SequenceShape, split: Split): PartDescription => {
  const tally = createPartTally(shape);
  const capacity = Math.min(readAtOnce, split.size);
  const batch = allocateBatch(shape, capacity, split);
  const targetWidth = capacity === 0 ? 0 : batch.targets.length / capacity;
  for (let from = 0; from < split.size; from += capacity) {
    const size = Math.min(capacity, split.size - from);
    split.read(
      Int32Array.from({ length: size }, (_, at) => from + at),
      batch,
    );
    for (let row = 0; row < size; row++)
      tally.add(batch.lengths[row] as number, batch.targets, row * targetWidth, batch.weights?.[row]);
  }
  return tally.description();
};
