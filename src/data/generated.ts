import { createHash } from 'node:crypto';
import { Type, type Static, type TObject } from '@sinclair/typebox';
import type { ParameterIssue } from '../parameters/row.ts';
import {
  allocateBatch,
  type Batch,
  type Dataset,
  type DatasetParts,
  type SequenceShape,
  type Split,
} from './dataset.ts';
import { memorySplit } from './memory.ts';
import { randomStream, type Random } from './random.ts';

export interface Sizes {
  readonly trainSize: number;
  readonly validationSize: number;
  readonly testSize: number;
}

/** The parameters of every generated dataset: how many sequences each part has, and the seed of the data. */
export const generatedParameters = (defaults: Sizes) => ({
  trainSize: Type.Integer({
    minimum: 1,
    maximum: 10_000_000,
    default: defaults.trainSize,
    description: 'Sequences to train on.',
  }),
  validationSize: Type.Integer({
    minimum: 0,
    maximum: 10_000_000,
    default: defaults.validationSize,
    description: 'Sequences kept for validation, apart from the others; 0 for none.',
  }),
  testSize: Type.Integer({
    minimum: 1,
    maximum: 10_000_000,
    default: defaults.testSize,
    description: 'Sequences to test on.',
  }),
  seed: Type.Integer({
    minimum: 0,
    maximum: 4_294_967_295,
    default: 1,
    description: 'Seed of the data, apart from the seed of a run: every replicate sees the same sequences.',
  }),
});

type GeneratedParameters = Static<TObject<ReturnType<typeof generatedParameters>>>;

const generatedParts = ({ trainSize, validationSize }: GeneratedParameters): DatasetParts => ({
  trainSize,
  validation: validationSize > 0,
});

/** Generated sequences are kept in memory; more numbers than this (2 GB) are an error before anything starts. */
const mostNumbers = 500_000_000;

/** Returns an issue if the sequences do not fit into memory; `perSequence` is the count of numbers in one. */
export const checkGeneratedSize = (sizes: Sizes, perSequence: number): readonly ParameterIssue[] => {
  const sequences = sizes.trainSize + sizes.validationSize + sizes.testSize;
  if (sequences * perSequence <= mostNumbers) return [];
  const fitting = Math.floor(mostNumbers / perSequence);
  const all = ['trainSize', 'validationSize', 'testSize'] as const;
  const largest = all.reduce((a, b) => (sizes[b] > sizes[a] ? b : a));
  return [
    {
      path: largest,
      message: `${sequences} sequences of ${perSequence} numbers take ${((sequences * perSequence * 4) / 1e9).toFixed(1)} GB of memory.`,
      expected: `at most ${fitting} sequences in all parts together`,
      got: `${all.map((size) => sizes[size]).join(' + ')} = ${sequences}`,
      help: `Lower ${largest} or the length of the sequences.`,
    },
  ];
};

/** The digest of generated data: hex SHA-256 of the generator's name, its version and all its parameters. */
const generatorDigest = (name: string, version: number, parameters: object): string => {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([name, version, sorted]))
    .digest('hex');
};

/** Fills in example `index` of zeroed examples. */
type WriteExample = (random: Random, examples: Batch, index: number) => void;

/** Draws each part from a stream of its own, so that its size changes no other part. */
const generateDataset = (
  name: string,
  { shape, sizes, seed }: { readonly shape: SequenceShape; readonly sizes: Sizes; readonly seed: number },
  write: WriteExample,
): Dataset => {
  const draw = (part: string, size: number): Split => {
    const random = randomStream(seed, name, part);
    const examples = allocateBatch(shape, size);
    for (let index = 0; index < size; index++) write(random, examples, index);
    examples.size = size;
    return memorySplit(examples);
  };
  return {
    shape,
    train: draw('train', sizes.trainSize),
    ...(sizes.validationSize > 0 && { validation: draw('validation', sizes.validationSize) }),
    test: draw('test', sizes.testSize),
  };
};

/** The part of a generated dataset's row that follows from its generator: how it writes examples for its parameters. */
export const generatedRow = <P extends GeneratedParameters>(
  {
    name,
    version,
    shape,
  }: { readonly name: string; readonly version: number; readonly shape: (chosen: P) => SequenceShape },
  writerFor: (chosen: P) => WriteExample,
) => ({
  version,
  shape,
  parts: generatedParts,
  generated: true as const,
  digest: (chosen: P) => generatorDigest(name, version, chosen),
  load: (chosen: P) =>
    Promise.resolve(
      generateDataset(name, { shape: shape(chosen), sizes: chosen, seed: chosen.seed }, writerFor(chosen)),
    ),
});
