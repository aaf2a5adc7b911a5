import { Type } from '@sinclair/typebox';
import type { Described } from '../system/schema.ts';
import { allocateBatch, type Dataset, type DatasetParts, type SequenceShape, type Split } from './dataset.ts';

/** What comes in at each step. Of many names only the first are kept. */
const inputSchema = Type.Union([
  Type.Object({
    kind: Type.Literal('values'),
    features: Type.Number(),
    names: Type.Optional(Type.Array(Type.String())),
  }),
  Type.Object({ kind: Type.Literal('tokens'), vocabulary: Type.Number() }),
]);

const each = Type.Union([Type.Literal('sequence'), Type.Literal('step')]);

/** What is predicted, for each sequence or at each of its steps. Of many labels only the first are kept. */
const targetSchema = Type.Union([
  Type.Object({
    kind: Type.Literal('classes'),
    each,
    classes: Type.Number(),
    labels: Type.Optional(Type.Array(Type.String())),
  }),
  Type.Object({
    kind: Type.Literal('numbers'),
    each,
    outputs: Type.Number(),
    names: Type.Optional(Type.Array(Type.String())),
  }),
]);

/** What a part holds; a field is absent where it is known only after the data is loaded. */
const partSchema = Type.Object({
  sequences: Type.Number(),
  steps: Type.Optional(Type.Object({ min: Type.Number(), median: Type.Number(), max: Type.Number() })),
  /** How often each class is a target, by class; absent where there are too many classes. */
  counts: Type.Optional(Type.Array(Type.Number())),
  /** The most frequent class and its share of the targets: the accuracy of always answering it. */
  majority: Type.Optional(Type.Object({ label: Type.String(), share: Type.Number() })),
  /** Of each output. */
  ranges: Type.Optional(
    Type.Array(Type.Object({ min: Type.Number(), mean: Type.Number(), max: Type.Number() })),
  ),
});

export type PartDescription = Described<typeof partSchema>;

export const partNames = ['train', 'validation', 'test'] as const;
export type PartName = (typeof partNames)[number];

export const dataDescriptionSchema = Type.Object({
  inputs: inputSchema,
  target: targetSchema,
  /** In the order training, validation, test; a part that the dataset does not have is absent. */
  parts: Type.Object({
    train: Type.Optional(partSchema),
    validation: Type.Optional(partSchema),
    test: Type.Optional(partSchema),
  }),
});

/** What a dataset holds, as plain data: shown before it is trained on, and recorded with every run. */
export type DataDescription = Described<typeof dataDescriptionSchema>;

/** Names, labels and counts beyond that many are left out. */
const mostNames = 1000;

export const firstNames = (names: readonly string[]): readonly string[] => names.slice(0, mostNames);

/** Adds up a part, example by example. */
export interface PartTally {
  /** `targets` from `from` on: one for each step, or one for each output. */
  readonly add: (steps: number, targets: ArrayLike<number>, from: number) => void;
  readonly description: () => PartDescription;
}

export const createPartTally = ({ task }: Pick<SequenceShape, 'task'>): PartTally => {
  const perStep = task.kind === 'labelling' || task.kind === 'next-step';
  const counts = task.kind === 'regression' ? undefined : new Float64Array(task.classes);
  const width = task.kind === 'regression' ? task.outputs : 1;
  const ranges = Array.from({ length: counts ? 0 : width }, () => ({
    min: Infinity,
    sum: 0,
    max: -Infinity,
  }));
  const lengths = new Map<number, number>();
  let sequences = 0;
  return {
    add: (steps, targets, from) => {
      sequences++;
      lengths.set(steps, (lengths.get(steps) ?? 0) + 1);
      if (counts) {
        for (let at = from; at < from + (perStep ? steps : 1); at++) {
          const target = targets[at] as number;
          counts[target] = (counts[target] as number) + 1;
        }
      } else {
        ranges.forEach((range, output) => {
          const value = targets[from + output] as number;
          range.min = Math.min(range.min, value);
          range.max = Math.max(range.max, value);
          range.sum += value;
        });
      }
    },
    description: () => ({
      sequences,
      ...(sequences > 0 && { steps: stepsOf(lengths, sequences) }),
      ...(counts && countsOf(counts, task.kind === 'regression' ? undefined : task.labels)),
      ...(ranges.length > 0 &&
        sequences > 0 && {
          ranges: ranges.map(({ min, sum, max }) => ({ min, mean: sum / sequences, max })),
        }),
    }),
  };
};

const stepsOf = (lengths: ReadonlyMap<number, number>, sequences: number) => {
  const sorted = [...lengths].sort(([a], [b]) => a - b);
  let seen = 0;
  const median = sorted.find(([, count]) => (seen += count) * 2 >= sequences)?.[0] ?? 0;
  return { min: sorted[0]?.[0] ?? 0, median, max: sorted.at(-1)?.[0] ?? 0 };
};

/** The counts of the classes, and which of them is the most frequent. */
export const countsOf = (
  counts: Float64Array,
  labels: readonly string[] | undefined,
): Pick<PartDescription, 'counts' | 'majority'> => {
  let total = 0;
  let largest = 0;
  counts.forEach((count, at) => {
    total += count;
    if (count > (counts[largest] as number)) largest = at;
  });
  return {
    ...(counts.length <= mostNames && { counts: [...counts] }),
    ...(total > 0 && {
      majority: {
        label: labels?.[largest] ?? String(largest),
        share: (counts[largest] as number) / total,
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
  target:
    task.kind === 'regression'
      ? {
          kind: 'numbers',
          each: 'sequence',
          outputs: task.outputs,
          ...(names.targets && { names: firstNames(names.targets) }),
        }
      : {
          kind: 'classes',
          each: task.kind === 'classification' ? 'sequence' : 'step',
          classes: task.classes,
          ...(task.labels && { labels: firstNames(task.labels) }),
        },
});

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
  const batch = allocateBatch(shape, capacity);
  const targetWidth = capacity === 0 ? 0 : batch.targets.length / capacity;
  for (let from = 0; from < split.size; from += capacity) {
    const size = Math.min(capacity, split.size - from);
    split.read(
      Int32Array.from({ length: size }, (_, at) => from + at),
      batch,
    );
    for (let row = 0; row < size; row++)
      tally.add(batch.lengths[row] as number, batch.targets, row * targetWidth);
  }
  return tally.description();
};
