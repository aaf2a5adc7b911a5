import { DataError, type Dataset, type SequenceShape, type Split } from './dataset.ts';
import { createPartTally, describeShape } from './describe.ts';
import type { DataInspection, PartDescription } from './description.ts';
import type { DataFile } from './files.ts';
import { readIdx, type IdxFile } from './idx.ts';
import type { ImageSizes } from './image-parameters.ts';
import { gatherPixels, type GatherPixels } from './pixels.ts';

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

/**
 * Reads the files, in the order of `imageFileNames`, and checks that they belong together. Of the images for training only
 * those that the sizes ask for are read.
 */
export const readImageParts = async (
  files: readonly DataFile[],
  { classes, validationSize, trainSize }: ImageSizes & { readonly classes: number },
): Promise<ImageParts> => {
  const [trainImages, trainLabels, testImages, testLabels] = files;
  if (!trainImages || !trainLabels || !testImages || !testLabels) throw new Error('Four files are needed.');
  const read = async (images: DataFile, labels: DataFile, most?: number) =>
    checkImageSet(
      { images: await readIdx(images, most), labels: await readIdx(labels, most) },
      classes,
      images.path,
    );
  const most = trainSize === null ? Infinity : validationSize + trainSize;
  return {
    training: await read(trainImages, trainLabels, most),
    test: await read(testImages, testLabels),
  };
};

/** Describes the parts by the labels alone: the images are not read. */
export const inspectImages = async (
  files: readonly DataFile[],
  shape: SequenceShape,
  { validationSize, trainSize }: ImageSizes,
): Promise<DataInspection> => {
  const [, trainLabels, , testLabels] = files;
  if (!trainLabels || !testLabels) throw new Error('Four files are needed.');
  const { values: labels } = await readIdx(trainLabels);
  const { values: testing } = await readIdx(testLabels);
  const part = (values: Uint8Array): PartDescription => {
    const tally = createPartTally(shape);
    values.forEach((_, at) => tally.add(shape.steps, values, at));
    return tally.description();
  };
  const trainEnd = trainSize === null ? labels.length : validationSize + trainSize;
  return {
    description: {
      ...describeShape(shape),
      parts: {
        train: part(labels.subarray(validationSize, trainEnd)),
        ...(validationSize > 0 && { validation: part(labels.subarray(0, validationSize)) }),
        test: part(testing),
      },
    },
    warnings: [],
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

/**
 * Images as sequences, each image read row by row and cut into `shape.steps` pieces. As in the reference's loader, the
 * first `validationSize` of the training images are the validation part, and those after them are for training.
 */
export const imageSequences = (
  { training, test }: ImageParts,
  shape: SequenceShape,
  { validationSize, trainSize, gather }: ImageSizes & { readonly gather?: GatherPixels | undefined },
): Dataset => {
  const split = (set: ImageSet, from: number, length: number) =>
    imageSplit(set, shape, { from, size: length, gather });
  const count = training.images.dimensions[0] ?? 0;
  if (count < validationSize + (trainSize ?? 1)) {
    throw new DataError(
      `There are ${count} training images: not enough for a validationSize of ${validationSize} and a trainSize of ${trainSize ?? 1}.`,
    );
  }
  const size = trainSize ?? count - validationSize;
  const [, height = 0, width = 0] = training.images.dimensions;
  return {
    shape,
    preprocessing: { kind: 'pixels', height, width, divide: 255 },
    train: split(training, validationSize, size),
    ...(validationSize > 0 && { validation: split(training, 0, validationSize) }),
    test: split(test, 0, test.images.dimensions[0] ?? 0),
  };
};

/** Pixels stay bytes in memory and are scaled to [0,1] while they are copied into a batch. */
const imageSplit = (
  { images, labels }: ImageSet,
  shape: SequenceShape,
  {
    from,
    size,
    gather = gatherPixels,
  }: { readonly from: number; readonly size: number; readonly gather?: GatherPixels | undefined },
): Split => {
  const [, height = 0, width = 0] = images.dimensions;
  const pixelCount = height * width;
  const pixels = images.values.subarray(from * pixelCount, (from + size) * pixelCount);
  return {
    size,
    read: (indices, batch) => {
      gather(pixels, pixelCount, indices, batch.inputs as Float32Array);
      for (let row = 0; row < indices.length; row++)
        batch.targets[row] = labels.values[from + (indices[row] as number)] as number;
      batch.lengths.fill(shape.steps, 0, indices.length);
      batch.size = indices.length;
    },
    image: (index) => {
      const image = new Float32Array(pixelCount);
      gather(pixels, pixelCount, Int32Array.of(index), image);
      return { width, height, pixels: image };
    },
  };
};
