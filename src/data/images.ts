import { createHash } from 'node:crypto';
import { DataError, type Dataset, type SequenceShape, type Split } from './dataset.ts';
import { readIdx, type IdxFile } from './idx.ts';

/** The files of MNIST and of the sets that follow its form; each may also be gzipped, with `.gz` behind its name. */
export const imageFileNames = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

/** Grey images of one size and a class for each, as bytes. */
export interface ImageSet {
  readonly images: IdxFile;
  readonly labels: IdxFile;
}

export interface ImageParts {
  readonly training: ImageSet;
  readonly test: ImageSet;
}

/** Reads the files at `paths`, in the order of `imageFileNames`, and checks that they belong together. */
export const readImageParts = async (paths: readonly string[], classes: number): Promise<ImageParts> => {
  const [trainImages, trainLabels, testImages, testLabels] = await Promise.all(
    paths.map(async (path) => ({ path, file: await readIdx(path) })),
  );
  if (!trainImages || !trainLabels || !testImages || !testLabels) throw new Error('Four paths are needed.');
  return {
    training: checkImageSet(
      { images: trainImages.file, labels: trainLabels.file },
      classes,
      trainImages.path,
    ),
    test: checkImageSet({ images: testImages.file, labels: testLabels.file }, classes, testImages.path),
  };
};

/** Throws `DataError` unless there is a label in `[0, classes)` for each image of 28 by 28. */
export const checkImageSet = ({ images, labels }: ImageSet, classes: number, name: string): ImageSet => {
  const [count, height, width] = images.dimensions;
  if (images.dimensions.length !== 3 || height !== 28 || width !== 28) {
    throw new DataError(
      `${name} holds data of shape [${images.dimensions.join(', ')}]; images of 28 by 28 are needed.`,
    );
  }
  if (labels.dimensions.length !== 1 || labels.dimensions[0] !== count) {
    throw new DataError(
      `${name} holds ${count ?? 0} images, but the file of its labels has the shape [${labels.dimensions.join(', ')}].`,
    );
  }
  const wrong = labels.values.findIndex((label) => label >= classes);
  if (wrong !== -1) {
    throw new DataError(
      `Label ${wrong + 1} of ${name} is ${labels.values[wrong] ?? 0}; labels are 0 to ${classes - 1}.`,
    );
  }
  return { images, labels };
};

/** Hex SHA-256 over the SHA-256 of the contents, in the order of `imageFileNames`, however they were compressed. */
export const imagesDigest = ({ training, test }: ImageParts): string => {
  const whole = createHash('sha256');
  for (const file of [training.images, training.labels, test.images, test.labels]) {
    whole.update(createHash('sha256').update(JSON.stringify(file.dimensions)).update(file.values).digest());
  }
  return whole.digest('hex');
};

/**
 * Images as sequences, each image read row by row and cut into `shape.steps` pieces. As in the reference's loader, the
 * first `validationSize` of the training images are the validation part, and those after them are for training.
 */
export const imageSequences = (
  { training, test }: ImageParts,
  shape: SequenceShape,
  { validationSize, trainSize }: { readonly validationSize: number; readonly trainSize: number | null },
): Dataset => {
  const count = training.images.dimensions[0] ?? 0;
  if (count < validationSize + (trainSize ?? 1)) {
    throw new DataError(
      `There are ${count} training images: not enough for a validationSize of ${validationSize} and a trainSize of ${trainSize ?? 1}.`,
    );
  }
  const size = trainSize ?? count - validationSize;
  return {
    shape,
    train: imageSplit(training, shape, { from: validationSize, size }),
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
