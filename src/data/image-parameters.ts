import { Type, type Static, type TObject } from '@sinclair/typebox';
import { nullable } from '../parameters/schema.ts';
import type { DatasetParts, SequenceShape } from './dataset.ts';

/** Images in the training files of MNIST and of the sets that follow its form. */
const trainingImages = 60_000;

/** The parameters that all datasets in the form of MNIST share. */
export const imageParameters = {
  validationSize: Type.Integer({
    minimum: 0,
    maximum: trainingImages - 1,
    default: 5000,
    description:
      'How many of the 60,000 training images, counted from the first, are kept for validation; the others train.',
  }),
  trainSize: nullable(
    Type.Integer({
      minimum: 1,
      maximum: trainingImages,
      description:
        'Train on this many images only: the first ones after the validation part. null: all of them.',
      examples: [10_000],
    }),
  ),
};

/** A classification of grey images of 28 by 28 pixels, read as `steps` pieces of equal length. */
export const imageShape = (steps: 28 | 784, labels: readonly string[]): SequenceShape => ({
  steps,
  input: { kind: 'values', features: 784 / steps },
  variableLength: false,
  task: { kind: 'classification', classes: labels.length, labels },
});

/** How many of the training images are kept for validation, and how many of the others train. */
export type ImageSizes = Pick<Static<TObject<typeof imageParameters>>, 'validationSize' | 'trainSize'>;

export const imageParts = ({ validationSize, trainSize }: ImageSizes): DatasetParts => ({
  trainSize: trainSize ?? trainingImages - validationSize,
  validation: validationSize > 0,
});

/** That validation and training part fit into the training images. */
export const checkImageSizes = (sizes: ImageSizes) => {
  const wanted = sizes.trainSize ?? 1;
  if (sizes.validationSize + wanted <= trainingImages) return [];
  return [
    {
      path: 'trainSize',
      with: ['validationSize'],
      message: `${sizes.validationSize} images for validation and ${wanted} for training are more than there are.`,
      expected: `at most ${trainingImages} together`,
      got: `${sizes.validationSize} + ${wanted} = ${sizes.validationSize + wanted}`,
      help: 'Lower trainSize or validationSize.',
    },
  ];
};
