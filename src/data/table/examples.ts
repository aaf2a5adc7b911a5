import type { Batch, SequenceShape, Split } from '../dataset.ts';
import { indicesBelow } from '../indices.ts';
import { isClassTask, isNumberTask } from '../task.ts';
import type { Pack } from './pack.ts';
import type { Scaling } from './standardize.ts';

/**
 * Packs of up to so many numbers are kept in memory, scaled and as float32 (128 MB), so that a batch is gathered by
 * copying; of larger ones each example is read from the file.
 */
const mostInMemory = 1 << 25;

/** What sets the examples of a dataset apart from what is in a pack. */
interface Laying {
  readonly shape: SequenceShape;
  readonly scaling: Scaling;
  /** Where a step is a token: the index in the vocabulary of each token of the pack. */
  readonly tokenIndices?: Int32Array;
}

/** The sequences of a pack as examples: which of them a part has is told later. Values are scaled, padding stays zero. */
export const packExamples = (
  pack: Pack,
  laying: Laying,
  most = mostInMemory,
): ((members: Int32Array) => Split) => {
  const copy = pack.numbers <= most ? fromMemory(pack, laying) : fromFile(pack, laying);
  return (members) => ({
    size: members.length,
    read: (indices, batch) => {
      for (let row = 0; row < indices.length; row++)
        copy(members[indices[row] as number] as number, batch, row);
      batch.size = indices.length;
    },
  });
};

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
const converter = (
  { labels, features, outputs }: Pack,
  { shape: { task }, scaling, tokenIndices }: Laying,
) => {
  const width = features.length;
  const { mean, factor } = scaling;
  const named = isNumberTask(task) ? undefined : (task.labels ?? []);
  const classes = named && Int32Array.from(labels, (text) => named.indexOf(text));
  return ({ record, recordAt, steps, inputs, inputsAt, targets, targetsAt }: Place): void => {
    const end = steps * width;
    for (let feature = 0; feature < width; feature++) {
      const less = mean[feature] as number;
      const times = factor[feature] as number;
      for (let at = feature; at < end; at += width) {
        const value = record[recordAt + at] as number;
        inputs[inputsAt + at] = tokenIndices ? (tokenIndices[value] as number) : (value - less) * times;
      }
    }
    for (let target = 0; target < (outputs ?? steps); target++) {
      const value = record[recordAt + end + target] as number;
      targets[targetsAt + target] = classes ? (classes[value] as number) : value;
    }
  };
};

const fromFile = (pack: Pack, laying: Laying): Copy => {
  const { steps: longest } = laying.shape;
  const convert = converter(pack, laying);
  const inputWidth = longest * pack.features.length;
  const targetWidth = pack.outputs ?? longest;
  return (sequence, { inputs, lengths, targets }, row) => {
    const steps = pack.steps(sequence);
    const inputsAt = row * inputWidth;
    const targetsAt = row * targetWidth;
    convert({ record: pack.record(sequence), recordAt: 0, steps, inputs, inputsAt, targets, targetsAt });
    inputs.fill(0, inputsAt + steps * pack.features.length, inputsAt + inputWidth);
    if (pack.outputs === null) targets.fill(0, targetsAt + steps, targetsAt + targetWidth);
    lengths[row] = steps;
  };
};

const fromMemory = (pack: Pack, laying: Laying): Copy => {
  const { sequences, outputs } = pack;
  const { steps: longest } = laying.shape;
  const width = pack.features.length;
  const targetWidth = outputs ?? longest;
  const convert = converter(pack, laying);
  /** In steps, `[sequences + 1]`. */
  const starts = new Float64Array(sequences + 1);
  for (let sequence = 0; sequence < sequences; sequence++)
    starts[sequence + 1] = (starts[sequence] as number) + pack.steps(sequence);
  const startOf = (sequence: number) => starts[sequence] as number;
  const targetStartOf = (sequence: number) => (outputs === null ? startOf(sequence) : sequence * outputs);
  const allSteps = startOf(sequences);
  const inputs = laying.tokenIndices ? new Int32Array(allSteps * width) : new Float32Array(allSteps * width);
  const size = outputs === null ? allSteps : sequences * outputs;
  const targets = isClassTask(laying.shape.task) ? new Int32Array(size) : new Float32Array(size);
  const all = indicesBelow(sequences);
  pack.visit(all, (sequence, record, recordAt) => {
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
    const targetsAt = row * targetWidth;
    batch.targets.set(targets.subarray(targetStartOf(sequence), targetStartOf(sequence + 1)), targetsAt);
    if (outputs === null) batch.targets.fill(0, targetsAt + steps, targetsAt + targetWidth);
    batch.lengths[row] = steps;
  };
};
