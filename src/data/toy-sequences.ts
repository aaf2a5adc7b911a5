import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow, SequenceShape } from './dataset.ts';
import { checkGeneratedSize, generatedParameters, generatedRow } from './generated.ts';

const parameters = Type.Object(
  {
    ...generatedParameters({ trainSize: 1000, validationSize: 0, testSize: 500 }),
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
  },
  { additionalProperties: false },
);

const shapeOf = ({ maxLength }: Static<typeof parameters>): SequenceShape => ({
  steps: maxLength,
  input: { kind: 'values', features: 1 },
  variableLength: true,
  task: { kind: 'classification', classes: 2, labels: ['linear', 'random'] },
});

/** Counting sequences against random ones, of different lengths. */
export const toySequences = {
  title: 'Toy sequences of different lengths: counting up, or random',
  description:
    'Each sequence draws its length, then is with probability one half linear (class 0: a random start and then one more at each step) or random (class 1: every value drawn on its own). Values are divided by maxValue; steps past the length are zero.',
  parameters,
  check: ({ minLength, maxLength, maxValue, ...sizes }) => [
    ...checkGeneratedSize(sizes, maxLength),
    ...(minLength > maxLength
      ? [
          {
            path: 'minLength',
            with: ['maxLength'],
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
            with: ['maxLength'],
            message: `A linear sequence of ${maxLength} steps does not fit below maxValue ${maxValue}.`,
            expected: `at least ${maxLength}`,
            help: 'Raise maxValue or lower maxLength.',
          },
        ]
      : []),
  ],
  ...generatedRow(
    { name: 'toy-sequences', version: 1, shape: shapeOf },
    ({ minLength, maxLength, maxValue }) =>
      (random, examples, index) => {
        const length = minLength + random.integer(maxLength - minLength + 1);
        const linear = random.uniform() < 0.5;
        const start = linear ? random.integer(maxValue - length + 1) : 0;
        for (let step = 0; step < length; step++) {
          const value = linear ? start + step : random.integer(maxValue + 1);
          examples.inputs[index * maxLength + step] = value / maxValue;
        }
        examples.lengths[index] = length;
        examples.targets[index] = linear ? 0 : 1;
      },
  ),
} as const satisfies DatasetRow<typeof parameters>;
