import { basename, dirname } from 'node:path';
import type { DataFiles } from './columns/find-files.ts';
import type { DataError } from './dataset.ts';
import { allocateBatch, type Batch, type SequenceShape } from './dataset.ts';
import { examplesAtOnce, type TakeExamples } from './example-batch.ts';
import { bytesOf, wrongFile, type DataFile } from './files.ts';
import { openIdx, readIdx } from './idx.ts';
import { gatherPixels, type GatherPixels } from './pixels.ts';
import type { PixelPreprocessing } from './preprocessing.ts';
import { labelsOf } from './task.ts';

/** How other images become sequences. */
export interface ImageReading {
  readonly shape: SequenceShape;
  readonly preprocessing: PixelPreprocessing;
  readonly gather?: GatherPixels | undefined;
}

/** Reads the images of an IDX file; with labels also their classes. */
export const readIdxExamples = async (
  file: DataFile,
  { shape, preprocessing: { height, width }, gather = gatherPixels }: ImageReading,
  { take, labels }: { readonly take: TakeExamples; readonly labels?: DataFile | undefined },
): Promise<void> => {
  const images = await openIdx(file);
  try {
    const [count = 0, ...size] = images.dimensions;
    if (size.length === 0)
      throw wrongFile(file, `holds ${count} single numbers, as a file of labels does.`, {
        expected: `images of ${height} by ${width} pixels`,
        help: 'Name the file of images.',
      });
    if (count === 0)
      throw wrongFile(file, 'has no images.', { expected: 'at least one image', help: 'Name another file.' });
    if (size.join() !== [height, width].join()) throw wrongSize(file, size.join(' by '), { height, width });
    const classes = labels && checkedLabels(await readIdx(labels), { count, shape, file: labels });
    const batch = allocateBatch(shape, examplesAtOnce);
    for (let first = 0; first < count; first += examplesAtOnce) {
      const rows = Math.min(examplesAtOnce, count - first);
      const pixels = images.read(first, rows);
      gather(
        pixels,
        height * width,
        Int32Array.from({ length: rows }, (_, at) => at),
        batch.inputs as Float32Array,
      );
      if (classes) for (let row = 0; row < rows; row++) batch.targets[row] = classes[first + row] as number;
      batch.lengths.fill(shape.steps, 0, rows);
      batch.size = rows;
      take({ batch, shape, id: (row) => String(first + row) });
    }
  } finally {
    images.close();
  }
};

const checkedLabels = (
  { dimensions, values }: Awaited<ReturnType<typeof readIdx>>,
  given: { readonly count: number; readonly shape: SequenceShape; readonly file: DataFile },
): Uint8Array => {
  const { count, shape, file } = given;
  if (dimensions.length !== 1 || dimensions[0] !== count) {
    throw wrongFile(file, `has the shape [${dimensions.join(', ')}], and there are ${count} images.`, {
      expected: 'a label for each image',
      help: 'Name the file of labels that belongs to the images.',
    });
  }
  const classes = 'classes' in shape.task ? shape.task.classes : 0;
  const wrong = values.findIndex((label) => label >= classes);
  if (wrong !== -1) {
    throw wrongFile(file, `has the label ${values[wrong] ?? 0} for image ${wrong + 1}.`, {
      expected: `labels from 0 to ${classes - 1}`,
      help: 'Name labels of the classes that the model was trained on.',
    });
  }
  return values;
};

/** Reads PNG images; with labels the class of an image is the name of its folder. */
export const readPngExamples = async (
  { files, name }: DataFiles,
  { shape, preprocessing: { height, width }, gather = gatherPixels }: ImageReading,
  { take, withLabels }: { readonly take: TakeExamples; readonly withLabels: boolean },
): Promise<void> => {
  const size = height * width;
  const pixels = new Uint8Array(examplesAtOnce * size);
  const batch = allocateBatch(shape, examplesAtOnce);
  for (let first = 0; first < files.length; first += examplesAtOnce) {
    const some = files.slice(first, first + examplesAtOnce);
    for (const [row, file] of some.entries()) {
      pixels.set(await greyPixels(file, { height, width }), row * size);
      if (withLabels) setLabel(batch, row, { file, shape });
    }
    gather(pixels, size, Int32Array.from(some.keys()), batch.inputs as Float32Array);
    batch.lengths.fill(shape.steps, 0, some.length);
    batch.size = some.length;
    take({ batch, shape, id: (row) => some[row]?.name ?? name });
  }
};

const setLabel = (
  { targets }: Batch,
  row: number,
  { file, shape }: { readonly file: DataFile; readonly shape: SequenceShape },
): void => {
  const label = basename(dirname(file.path));
  const labels = labelsOf(shape.task) ?? [];
  const place = labels.indexOf(label);
  if (place === -1) {
    throw wrongFile(file, `is in the folder ${label}, which is none of the model's classes.`, {
      expected: `a folder named ${labels.join(', ')}`,
      help: 'Put each image into a folder with the name of its class.',
    });
  }
  targets[row] = place;
};

/** The grey values of a PNG, one byte a pixel: of colours their luminance (ITU-R BT.601), transparent ones on black. */
const greyPixels = async (
  file: DataFile,
  size: { readonly height: number; readonly width: number },
): Promise<Uint8Array> => {
  const { decode, convertIndexedToRgb } = await import('fast-png');
  const bytes = bytesOf(file);
  const header = sizeInHeader(bytes);
  if (header && (header.width !== size.width || header.height !== size.height))
    throw wrongSize(file, `${header.height} by ${header.width}`, size);
  let image: ReturnType<typeof decode>;
  try {
    image = decode(bytes);
  } catch (error) {
    throw wrongFile(file, `is not a PNG image that can be read: ${(error as Error).message}.`, {
      expected: 'a whole PNG file',
      help: 'Save it again as PNG.',
    });
  }
  const { width, height } = image;
  const indexed = image.palette !== undefined;
  const data = indexed ? convertIndexedToRgb(image) : image.data;
  const channels = indexed ? data.length / (width * height) : image.channels;
  const most = image.depth === 16 ? 65_535 : indexed ? 255 : 2 ** image.depth - 1;
  const byteAt = (pixel: number, channel: number) =>
    (255 * (data[pixel * channels + channel] as number)) / most;
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const grey =
      channels < 3
        ? byteAt(pixel, 0)
        : 0.299 * byteAt(pixel, 0) + 0.587 * byteAt(pixel, 1) + 0.114 * byteAt(pixel, 2);
    const opacity = channels % 2 === 0 ? byteAt(pixel, channels - 1) / 255 : 1;
    return Math.round(grey * opacity);
  });
};

/** The size that the header of a PNG names: a small file may unpack to gigabytes. */
const sizeInHeader = (bytes: Uint8Array): { readonly width: number; readonly height: number } | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24 || view.getUint32(0) !== 0x89504e47) return undefined;
  return { width: view.getUint32(16), height: view.getUint32(20) };
};

const wrongSize = (
  file: DataFile,
  is: string,
  { height, width }: { readonly height: number; readonly width: number },
): DataError =>
  wrongFile(file, `holds images of ${is}, and the model reads images of ${height} by ${width}.`, {
    expected: `grey images of ${height} by ${width} pixels`,
    help: `Scale the images to ${height} by ${width}.`,
  });
