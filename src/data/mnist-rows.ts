import { Type } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { checkImageSizes, imageParameters, imageParts, imageShape } from './image-parameters.ts';
import { inspectMnist, loadMnist, mnistDigest, mnistLabels } from './mnist.ts';

const parameters = Type.Object(imageParameters, { additionalProperties: false });

export const mnistRows = {
  title: 'MNIST digits, an image read as 28 rows of 28 pixels',
  description:
    'The MNIST database of handwritten digits (LeCun, Bottou, Bengio and Haffner 1998): 55,000 images for training, the first 5,000 of the 60,000 for validation, 10,000 for testing. Pixels are scaled to [0,1].',
  version: 1,
  parameters,
  check: checkImageSizes,
  parts: imageParts,
  shape: () => imageShape(28, mnistLabels),
  digest: () => mnistDigest,
  inspect: (chosen) => inspectMnist(chosen, 28),
  load: (chosen, context) => loadMnist(chosen, 28, context),
} as const satisfies DatasetRow<typeof parameters>;
