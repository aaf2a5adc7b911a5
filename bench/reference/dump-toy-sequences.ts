/** Prints the toy sequences of the reference system as JSON, for `reference.py`: the same data for both. */
import { allocateBatch, type Split } from '../../src/data/dataset.ts';
import { toySequences } from '../../src/data/toy-sequences.ts';

const parameters = {
  trainSize: 1000,
  validationSize: 0,
  testSize: 500,
  minLength: 3,
  maxLength: 20,
  maxValue: 1000,
  seed: 1,
};
const dataset = await toySequences.load(parameters);
const dump = (split: Split) => {
  const batch = allocateBatch(dataset.shape, split.size);
  split.read(
    Int32Array.from({ length: split.size }, (_, index) => index),
    batch,
  );
  return { inputs: [...batch.inputs], lengths: [...batch.lengths], targets: [...batch.targets] };
};
process.stdout.write(
  JSON.stringify({ steps: dataset.shape.steps, train: dump(dataset.train), test: dump(dataset.test) }),
);
