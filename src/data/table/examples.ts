import type { Batch, SequenceShape, Split } from '../dataset.ts';
import { indicesBelow } from '../indices.ts';
import { isClassTask, targetSize, type Task } from '../task.ts';
import { categoriesOf, widthOf, type ColumnEncoding, type Encoding } from './encoding.ts';
import { placeIn } from './labels.ts';
import type { Pack } from './pack.ts';

/**
 * Packs of up to this many numbers are kept in memory, as float32 and as they are trained on (128 MB), so that a batch is
 * gathered by copying; of larger ones each example is read from the file.
 */
const mostInMemory = 1 << 25;

/** What sets the examples of a dataset apart from what is in a pack. */
export interface Laying {
  readonly shape: SequenceShape;
  readonly encoding: Encoding;
  /** Where a step is a token: the index in the vocabulary of each token of the pack. */
  readonly tokenIndices?: Int32Array;
}

/** The sequences of a pack as examples: which of them a part has comes later. Values are scaled, padding stays zero. */
export const packExamples = (
  pack: Pack,
  laying: Laying,
  most = mostInMemory,
): ((members: Int32Array) => Pick<Split, 'size' | 'read'>) => {
  const numbers = numbersOf(pack, laying);
  const copy = numbers <= most ? fromMemory(pack, laying) : fromFile(pack, laying);
  return (members) => ({
    size: members.length,
    read: (indices, batch) => {
      for (let row = 0; row < indices.length; row++)
        copy(members[indices[row] as number] as number, batch, row);
      batch.size = indices.length;
    },
  });
};

/** Inputs and targets of all sequences together, whichever are more. */
const numbersOf = (pack: Pack, laying: Laying): number => {
  const inputs = (pack.numbers / pack.features.length) * inputWidth(laying.shape);
  const { perStep, one } = targetsOf(pack, laying);
  return Math.max(pack.numbers, inputs, perStep ? 0 : one * pack.sequences);
};

const inputWidth = ({ input }: SequenceShape): number => (input.kind === 'values' ? input.features : 1);

/** Writes a sequence into a row of a batch. */
type Copy = (sequence: number, batch: Batch, row: number) => void;

/** Where the numbers of one sequence begin, in a record and in what is written. */
interface Place {
  readonly record: Float64Array;
  readonly recordAt: number;
  readonly steps: number;
  readonly inputs: Batch['inputs'];
  readonly inputsAt: number;
  readonly targets: Batch['targets'];
  readonly targetsAt: number;
}

/** Writes a record's values, scaled, and its targets. */
const converter = (pack: Pack, { shape, encoding, tokenIndices }: Laying) => {
  const { features, statics } = pack;
  const width = features.length;
  const outWidth = inputWidth(shape);
  const writeTargets = targetWriter(pack, { shape, encoding });
  let slot = 0;
  const columns = encoding.columns.map((column, at) => {
    const from = slot;
    slot += widthOf(column);
    const name = at < width ? features[at] : statics[at - width];
    const categories = categoriesOf(pack, name as string) ?? [];
    return { write: tokenIndices ? tokenWriter(tokenIndices) : columnWriter(column, categories), from };
  });
  return (place: Place): void => {
    const { record, recordAt, steps, inputs, inputsAt } = place;
    const places = pack.places(steps);
    columns.forEach(({ write, from }, at) => {
      const isStatic = at >= width;
      const start = recordAt + (isStatic ? places.statics + at - width : at);
      const stride = isStatic ? 0 : width;
      write({ from: record, start, stride, into: inputs, at: inputsAt + from, step: outWidth, count: steps });
    });
    writeTargets(place, recordAt + places.targets, places.targetCount);
  };
};

const tokenWriter =
  (indices: Int32Array) =>
  ({ from, start, stride, into, at, step, count }: Stretch): void => {
    for (let index = 0; index < count; index++)
      into[at + index * step] = indices[from[start + index * stride] as number] as number;
  };

/** A column within a record, and where it goes. */
interface Stretch {
  readonly from: Float64Array;
  readonly start: number;
  readonly stride: number;
  readonly into: Batch['inputs'];
  readonly at: number;
  readonly step: number;
  readonly count: number;
}

const columnWriter = (column: ColumnEncoding, categories: readonly string[]) => {
  if (column.kind === 'category') {
    const { labels, embeddingSize } = column;
    const slots = categories.map(placeIn(labels));
    if (embeddingSize !== undefined) {
      return ({ from, start, stride, into, at, step, count }: Stretch): void => {
        for (let index = 0; index < count; index++)
          into[at + index * step] = (slots[from[start + index * stride] as number] ?? -1) + 1;
      };
    }
    return ({ from, start, stride, into, at, step, count }: Stretch): void => {
      for (let index = 0; index < count; index++) {
        const to = at + index * step;
        into.fill(0, to, to + labels.length);
        // Missing or unknown: no input of the column is 1.
        const known = slots[from[start + index * stride] as number] ?? -1;
        if (known !== -1) into[to + known] = 1;
      }
    };
  }
  const { mean, factor, fill, mask } = column;
  return ({ from, start, stride, into, at, step, count }: Stretch): void => {
    for (let index = 0; index < count; index++) {
      const value = from[start + index * stride] as number;
      const isMissing = Number.isNaN(value);
      const to = at + index * step;
      into[to] = ((isMissing ? fill : value) - mean) * factor;
      if (mask) into[to + 1] = isMissing ? 1 : 0;
    }
  };
};

/** Where the targets of one sequence go; what is not scaled keeps its bits in a Float64Array. */
interface TargetPlace extends Pick<Place, 'record' | 'targetsAt'> {
  readonly targets: Batch['targets'] | Float64Array;
}

/** Writes `count` numbers of a record, from `from` on, as targets. */
type WriteTargets = (place: TargetPlace, from: number, count: number) => void;

/** The places of the labels of each set that a pack has; undefined where each label is a column, or there are no sets. */
export const labelSets = ({ labels }: Pack, task: Task): readonly (readonly number[])[] | undefined => {
  if (task.kind !== 'multi-label' || labels.length === 0) return undefined;
  const placeOf = placeIn(task.labels ?? []);
  return labels.map((text) => (JSON.parse(text) as string[]).map(placeOf));
};

export const targetWriter = (pack: Pack, { shape: { task }, encoding }: Laying): WriteTargets => {
  const { labels, targets } = pack;
  switch (task.kind) {
    case 'regression':
    case 'forecast': {
      const scales = encoding.targets;
      return (place, from, count) => {
        for (let at = 0; at < count; at++) {
          const value = place.record[from + at] as number;
          const scale = scales[at % targets.count];
          place.targets[place.targetsAt + at] = scale ? (value - scale.mean) * scale.factor : value;
        }
      };
    }
    case 'multi-label': {
      if (labels.length === 0) return copyTargets;
      const named = task.labels ?? [];
      const sets = labelSets(pack, task) ?? [];
      return (place, from) => {
        place.targets.fill(0, place.targetsAt, place.targetsAt + named.length);
        for (const label of sets[place.record[from] as number] ?? [])
          place.targets[place.targetsAt + label] = 1;
      };
    }
    case 'classification':
    case 'labelling':
    case 'next-step': {
      const named = task.labels ?? [];
      const classes = Int32Array.from(labels, placeIn(named));
      return (place, from, count) => {
        for (let at = 0; at < count; at++)
          place.targets[place.targetsAt + at] = classes[place.record[from + at] as number] as number;
      };
    }
  }
};

const copyTargets: WriteTargets = (place, from, count) => {
  for (let at = 0; at < count; at++) place.targets[place.targetsAt + at] = place.record[from + at] as number;
};

/** How many numbers the targets of a sequence are, in a batch. */
const targetsOf = (pack: Pack, { shape }: Laying) => {
  const perStep = pack.targets.each === 'step';
  const one = targetSize(shape.task);
  return { perStep, one, whole: perStep ? one * shape.steps : one };
};

const fromFile = (pack: Pack, laying: Laying): Copy => {
  const convert = converter(pack, laying);
  const width = inputWidth(laying.shape);
  const whole = laying.shape.steps * width;
  const target = targetsOf(pack, laying);
  return (sequence, { inputs, lengths, targets }, row) => {
    const steps = pack.steps(sequence);
    const inputsAt = row * whole;
    const targetsAt = row * target.whole;
    convert({ record: pack.record(sequence), recordAt: 0, steps, inputs, inputsAt, targets, targetsAt });
    inputs.fill(0, inputsAt + steps * width, inputsAt + whole);
    if (target.perStep) targets.fill(0, targetsAt + steps * target.one, targetsAt + target.whole);
    lengths[row] = steps;
  };
};

const fromMemory = (pack: Pack, laying: Laying): Copy => {
  const { sequences } = pack;
  const { steps: longest, task } = laying.shape;
  const width = inputWidth(laying.shape);
  const target = targetsOf(pack, laying);
  const convert = converter(pack, laying);
  /** In steps, `[sequences + 1]`. */
  const starts = new Float64Array(sequences + 1);
  for (let sequence = 0; sequence < sequences; sequence++)
    starts[sequence + 1] = (starts[sequence] as number) + pack.steps(sequence);
  const startOf = (sequence: number) => starts[sequence] as number;
  const targetStartOf = (sequence: number) => target.one * (target.perStep ? startOf(sequence) : sequence);
  const allSteps = startOf(sequences);
  const inputs = laying.tokenIndices ? new Int32Array(allSteps * width) : new Float32Array(allSteps * width);
  const size = target.one * (target.perStep ? allSteps : sequences);
  const targets = isClassTask(task) ? new Int32Array(size) : new Float32Array(size);
  pack.visit(indicesBelow(sequences), (sequence, record, recordAt) => {
    const steps = pack.steps(sequence);
    const inputsAt = startOf(sequence) * width;
    convert({ record, recordAt, steps, inputs, inputsAt, targets, targetsAt: targetStartOf(sequence) });
  });

  return (sequence, batch, row) => {
    const steps = startOf(sequence + 1) - startOf(sequence);
    const inputsAt = row * longest * width;
    const inputsEnd = inputsAt + steps * width;
    batch.inputs.set(inputs.subarray(startOf(sequence) * width, startOf(sequence + 1) * width), inputsAt);
    batch.inputs.fill(0, inputsEnd, inputsAt + longest * width);
    const targetsAt = row * target.whole;
    batch.targets.set(targets.subarray(targetStartOf(sequence), targetStartOf(sequence + 1)), targetsAt);
    if (target.perStep) batch.targets.fill(0, targetsAt + steps * target.one, targetsAt + target.whole);
    batch.lengths[row] = steps;
  };
};
