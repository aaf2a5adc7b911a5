import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow, SequenceShape } from './dataset.ts';
import { checkGeneratedSize, generatedParameters, generatedRow } from './generated.ts';

const parameters = Type.Object(
  {
    length: Type.Integer({
      minimum: 2,
      maximum: 100_000,
      default: 100,
      description: 'Steps of a sequence. The two numbers to add may be as far apart as this.',
    }),
    ...generatedParameters({ trainSize: 50_000, validationSize: 1000, testSize: 1000 }),
  },
  { additionalProperties: false },
);

const shapeOf = ({ length }: Static<typeof parameters>): SequenceShape => ({
  steps: length,
  input: { kind: 'values', features: 2 },
  variableLength: false,
  task: { kind: 'regression', outputs: 1 },
});

/**
 * Feature 0 of each step is drawn from U[0,1); feature 1 is 1 at one step of the first half and at one of the second,
 * else 0. The target is the sum of the two marked numbers: predicting 1 always has a mean squared error of 1/6.
 */
export const addingProblem = {
  title: 'The adding problem: the sum of two marked numbers in a long sequence',
  description:
    'A test of long memory (Hochreiter and Schmidhuber 1997, in the form of Le, Jaitly and Hinton 2015). A network that remembers nothing has a mean squared error of 0.167.',
  parameters,
  check: (chosen) => checkGeneratedSize(chosen, 2 * chosen.length),
  ...generatedRow({ name: 'adding-problem', version: 1, shape: shapeOf }, ({ length }) => {
    const half = Math.floor(length / 2);
    return (random, { inputs, lengths, targets }, index) => {
      const start = index * length * 2;
      for (let step = 0; step < length; step++) inputs[start + 2 * step] = random.uniform();
      const first = start + 2 * random.integer(half);
      const second = start + 2 * (half + random.integer(length - half));
      inputs[first + 1] = 1;
      inputs[second + 1] = 1;
      targets[index] = (inputs[first] as number) + (inputs[second] as number);
      lengths[index] = length;
    };
  }),
} as const satisfies DatasetRow<typeof parameters>;
