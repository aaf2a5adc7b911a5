import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow, SequenceShape } from './dataset.ts';
import { generatedSplit, generatorDigest } from './memory.ts';
import { randomStream } from './random.ts';

const parameters = Type.Object(
  {
    trainSize: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'Sequences to train on.',
    }),
    validationSize: Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      default: 0,
      description: 'Sequences kept for validation, apart from the others; 0 for none.',
    }),
    testSize: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 500,
      description: 'Sequences to test on.',
    }),
    minLength: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 3,
      description: 'Steps of the shortest sequence.',
    }),
    maxLength: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 20,
      description: 'Steps of the longest sequence.',
    }),
    maxValue: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      default: 1000,
      description: 'Values are integers from 0 to this, divided by it.',
    }),
    seed: Type.Integer({
      minimum: 0,
      maximum: 4_294_967_295,
      default: 1,
      description: 'Seed of the data, apart from the seed of a run: every replicate sees the same sequences.',
    }),
  },
  { additionalProperties: false },
);

const version = 1;

const shapeOf = ({ maxLength }: Static<typeof parameters>): SequenceShape => ({
  steps: maxLength,
  input: { kind: 'values', features: 1 },
  variableLength: true,
  task: { kind: 'classification', classes: 2, labels: ['linear', 'random'] },
});

/** The sequences of one part, drawn from a stream of its own, so that its size changes no other part. */
const drawSplit = (chosen: Static<typeof parameters>, part: string, size: number) => {
  const { minLength, maxLength, maxValue } = chosen;
  const random = randomStream(chosen.seed, 'toy-sequences', part);
  return generatedSplit(shapeOf(chosen), size, (examples, index) => {
    const length = minLength + random.integer(maxLength - minLength + 1);
    const linear = random.uniform() < 0.5;
    const start = linear ? random.integer(maxValue - length + 1) : 0;
    for (let step = 0; step < length; step++) {
      const value = linear ? start + step : random.integer(maxValue + 1);
      examples.inputs[index * maxLength + step] = value / maxValue;
    }
    examples.lengths[index] = length;
    examples.targets[index] = linear ? 0 : 1;
  });
};

/** Counting sequences against random ones, of different lengths. */
export const toySequences = {
  title: 'Toy sequences of different lengths: counting up, or random',
  description:
    'Each sequence draws its length, then is with probability one half linear (class 0: a random start and then one more at each step) or random (class 1: every value drawn on its own). Values are divided by maxValue; steps past the length are zero.',
  version,
  parameters,
  check: ({ minLength, maxLength, maxValue }) => [
    ...(minLength > maxLength
      ? [
          {
            path: 'minLength',
            message: `minLength ${minLength} is larger than maxLength ${maxLength}.`,
            expected: `at most ${maxLength}`,
            help: 'Lower minLength or raise maxLength.',
          },
        ]
      : []),
    ...(maxValue < maxLength
      ? [
          {
            path: 'maxValue',
            message: `A linear sequence of ${maxLength} steps does not fit below maxValue ${maxValue}.`,
            expected: `at least ${maxLength}`,
            help: 'Raise maxValue or lower maxLength.',
          },
        ]
      : []),
  ],
  shape: shapeOf,
  digest: (chosen) => generatorDigest('toy-sequences', version, chosen),
  load: (chosen) =>
    Promise.resolve({
      shape: shapeOf(chosen),
      train: drawSplit(chosen, 'train', chosen.trainSize),
      ...(chosen.validationSize > 0 && {
        validation: drawSplit(chosen, 'validation', chosen.validationSize),
      }),
      test: drawSplit(chosen, 'test', chosen.testSize),
    }),
} as const satisfies DatasetRow<typeof parameters>;
