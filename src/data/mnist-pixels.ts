import { Type } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { checkImageSizes, imageParameters, imageParts, imageShape } from './image-parameters.ts';
import { inspectMnist, loadMnist, mnistDigest, mnistLabels } from './mnist.ts';

const parameters = Type.Object(imageParameters, { additionalProperties: false });

export const mnistPixels = {
  title: 'MNIST digits, an image read as 784 single pixels',
  description:
    'MNIST read pixel by pixel, row after row: a test of memory over 784 steps (Le, Jaitly and Hinton 2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units"). The parts are those of mnist-rows.',
  version: 1,
  parameters,
  check: checkImageSizes,
  parts: imageParts,
  shape: () => imageShape(784, mnistLabels),
  digest: () => mnistDigest,
  inspect: (chosen) => inspectMnist(chosen, 784),
  load: (chosen, context) => loadMnist(chosen, 784, context),
} as const satisfies DatasetRow<typeof parameters>;
