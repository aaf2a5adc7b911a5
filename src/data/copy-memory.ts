import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow, SequenceShape } from './dataset.ts';
import { checkGeneratedSize, generatedParameters, generatedRow } from './generated.ts';

const parameters = Type.Object(
  {
    delay: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 100,
      description: 'Steps between the end of the word and the sign to repeat it.',
    }),
    copyLength: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 10,
      description: 'Symbols in the word to remember.',
    }),
    symbols: Type.Integer({
      minimum: 2,
      maximum: 1000,
      default: 8,
      description: 'How many different symbols words are made of.',
    }),
    ...generatedParameters({ trainSize: 50_000, validationSize: 1000, testSize: 1000 }),
  },
  { additionalProperties: false },
);

const stepsOf = ({ delay, copyLength }: Static<typeof parameters>) => delay + 2 * copyLength;

const shapeOf = (chosen: Static<typeof parameters>): SequenceShape => ({
  steps: stepsOf(chosen),
  input: { kind: 'tokens', vocabulary: chosen.symbols + 2 },
  variableLength: false,
  task: {
    kind: 'labelling',
    classes: chosen.symbols + 1,
    labels: [...Array.from({ length: chosen.symbols }, (_, symbol) => String(symbol)), 'blank'],
  },
});

/**
 * Tokens 0 to s - 1 are the s symbols, s is the blank, s + 1 the sign to begin. Inputs: a word of k symbols, delay - 1
 * blanks, the sign, k blanks. Targets: delay + k blanks, then the word. A network that remembers nothing has a mean
 * cross-entropy of k ln(s) / (delay + 2 k).
 */
export const copyMemory = {
  title: 'The copy problem: repeat a word after a long delay',
  description:
    'A test of long memory (Hochreiter and Schmidhuber 1997, in the form of Arjovsky, Shah and Bengio 2016): a word of symbols, blanks, a sign, and then the word to repeat.',
  parameters,
  check: (chosen) => checkGeneratedSize(chosen, 2 * stepsOf(chosen)),
  ...generatedRow({ name: 'copy-memory', version: 1, shape: shapeOf }, (chosen) => {
    const { delay, copyLength, symbols } = chosen;
    const steps = stepsOf(chosen);
    const sign = delay + copyLength - 1;
    return (random, { inputs, lengths, targets }, index) => {
      const start = index * steps;
      inputs.fill(symbols, start, start + steps);
      targets.fill(symbols, start, start + steps);
      for (let at = 0; at < copyLength; at++) {
        const symbol = random.integer(symbols);
        inputs[start + at] = symbol;
        targets[start + delay + copyLength + at] = symbol;
      }
      inputs[start + sign] = symbols + 1;
      lengths[index] = steps;
    };
  }),
} as const satisfies DatasetRow<typeof parameters>;
