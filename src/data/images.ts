import { createHash } from 'node:crypto';
import { DataError, type Dataset, type SequenceShape, type Split } from './dataset.ts';
import type { IdxFile } from './idx.ts';

/** Grey images of one size and a class for each, as bytes. */
export interface ImageSet {
  readonly images: IdxFile;
  readonly labels: IdxFile;
}

export interface ImageSequenceOptions {
  readonly shape: SequenceShape;
  readonly training: ImageSet;
  readonly test: ImageSet;
  /** How many of the first training images are kept for validation. */
  readonly validationSize: number;
  /** How many of the images after them are used, or null for all. */
  readonly trainSize: number | null;
}

/** Checks that images and labels belong together, and that labels are classes. `name` is what messages call the set. */
export const checkImageSet = ({ images, labels }: ImageSet, classes: number, name: string): ImageSet => {
  const [count = 0, height, width] = images.dimensions;
  if (images.dimensions.length !== 3 || height === undefined || width === undefined) {
    throw new DataError(`${name}: the image file has ${images.dimensions.length} dimensions; 3 are needed.`);
  }
  if (labels.dimensions.length !== 1 || labels.dimensions[0] !== count) {
    throw new DataError(
      `${name}: ${count} images but labels of shape [${labels.dimensions.join(', ')}]; one label an image is needed.`,
    );
  }
  const wrong = labels.values.findIndex((label) => label >= classes);
  if (wrong !== -1) {
    throw new DataError(
      `${name}: label ${wrong + 1} is ${labels.values[wrong] ?? 0}; labels are 0 to ${classes - 1}.`,
    );
  }
  return { images, labels };
};

/** Hex SHA-256 over the SHA-256 of the four files, in the order training images, labels, test images, labels. */
export const imagesDigest = (...sets: readonly ImageSet[]): string => {
  const whole = createHash('sha256');
  for (const { images, labels } of sets) {
    for (const file of [images, labels]) {
      whole.update(createHash('sha256').update(JSON.stringify(file.dimensions)).update(file.values).digest());
    }
  }
  return whole.digest('hex');
};

/**
 * Images as sequences, each image read row by row and cut into `shape.steps` pieces. As in the reference's loader, the
 * first `validationSize` of the training images are the validation part, and those after them are for training.
 */
export const imageSequences = (options: ImageSequenceOptions): Dataset => {
  const { shape, training, test, validationSize, trainSize } = options;
  const available = (training.images.dimensions[0] ?? 0) - validationSize;
  if (available < Math.max(1, trainSize ?? 1)) {
    throw new DataError(
      `There are ${available + validationSize} training images: not enough for a validationSize of ${validationSize} and a trainSize of ${trainSize ?? 1}.`,
    );
  }
  return {
    shape,
    train: imageSplit(training, shape, { from: validationSize, size: trainSize ?? available }),
    ...(validationSize > 0 && { validation: imageSplit(training, shape, { from: 0, size: validationSize }) }),
    test: imageSplit(test, shape, { from: 0, size: test.images.dimensions[0] ?? 0 }),
  };
};

/** Pixels stay bytes in memory and are scaled to [0,1] while they are copied into a batch. */
const imageSplit = (
  { images, labels }: ImageSet,
  shape: SequenceShape,
  { from, size }: { readonly from: number; readonly size: number },
): Split => {
  const [, height = 0, width = 0] = images.dimensions;
  const pixelCount = height * width;
  const bytes = images.values;
  return {
    size,
    read: (indices, batch) => {
      const { inputs, lengths, targets } = batch;
      let to = 0;
      for (let row = 0; row < indices.length; row++) {
        const example = from + (indices[row] as number);
        const end = (example + 1) * pixelCount;
        for (let at = example * pixelCount; at < end; at++) inputs[to++] = (bytes[at] as number) / 255;
        targets[row] = labels.values[example] as number;
      }
      lengths.fill(shape.steps, 0, indices.length);
      batch.size = indices.length;
    },
    image: (index) => {
      const start = (from + index) * pixelCount;
      const pixels = Float32Array.from(bytes.subarray(start, start + pixelCount), (byte) => byte / 255);
      return { width, height, pixels };
    },
  };
};
