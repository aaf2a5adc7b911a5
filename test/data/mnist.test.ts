import { beforeAll, describe, expect, it } from 'vitest';
import { allocateBatch, DataError, type Dataset } from '../../src/data/dataset.ts';
import { parseIdx } from '../../src/data/idx.ts';
import { checkImageSet } from '../../src/data/images.ts';
import { mnistPixels } from '../../src/data/mnist-pixels.ts';
import { mnistRows } from '../../src/data/mnist-rows.ts';
import { complete } from './support/read-all.ts';

const labelsOf = ({ shape, train }: Dataset, split = train, count = split.size): number[] => {
  const batch = allocateBatch(shape, count);
  split.read(
    Int32Array.from({ length: count }, (_, index) => index),
    batch,
  );
  return [...batch.targets];
};

describe('mnist-rows', () => {
  let dataset: Dataset;
  beforeAll(async () => {
    dataset = await mnistRows.load(complete(mnistRows, {}));
  });

  it('has the parts of the reference', () => {
    expect([dataset.train.size, dataset.validation?.size, dataset.test.size]).toEqual([55_000, 5000, 10_000]);
    // The database's own first labels; the first 5,000 images are the validation part.
    expect(labelsOf(dataset, dataset.validation, 10)).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(labelsOf(dataset, dataset.test, 10)).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    // How often each digit occurs among the 10,000 test images.
    const counts = Array.from({ length: 10 }, () => 0);
    labelsOf(dataset, dataset.test).forEach((label) => (counts[label] = (counts[label] ?? 0) + 1));
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  });

  it('reads images by index, in any order, with pixels in [0,1]', () => {
    const { shape, test } = dataset;
    const batch = allocateBatch(shape, 3);
    test.read(Int32Array.of(9999, 0), batch);
    expect(batch.size).toBe(2);
    expect([...batch.lengths.subarray(0, 2)]).toEqual([28, 28]);
    expect([...batch.targets.subarray(0, 2)]).toEqual([6, 7]);
    const pixels = batch.inputs.subarray(784, 2 * 784);
    expect([...pixels]).toEqual([...(test.image?.(0).pixels ?? [])]);
    expect(Math.min(...pixels)).toBe(0);
    expect(Math.max(...pixels)).toBe(1);
    // Mean brightness of the first test image, a seven.
    expect([...pixels].reduce((sum, pixel) => sum + pixel, 0) / 784).toBeCloseTo(0.0923, 4);
  });

  it('takes fewer images and another validation part when asked', async () => {
    const small = await mnistRows.load(complete(mnistRows, { validationSize: 0, trainSize: 10 }));
    expect([small.train.size, small.validation]).toEqual([10, undefined]);
    expect(labelsOf(small)).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(mnistRows.check(complete(mnistRows, { trainSize: 55_001 })).map(({ path }) => path)).toEqual([
      'trainSize',
    ]);
  });

  it('reads the same pixels one at a time as mnist-pixels', async () => {
    const pixelwise = await mnistPixels.load(complete(mnistPixels, {}));
    expect(pixelwise.shape).toMatchObject({ steps: 784, input: { kind: 'values', features: 1 } });
    const [rows, pixels] = [allocateBatch(dataset.shape, 1), allocateBatch(pixelwise.shape, 1)];
    dataset.train.read(Int32Array.of(123), rows);
    pixelwise.train.read(Int32Array.of(123), pixels);
    expect(pixels.inputs).toEqual(rows.inputs);
    expect(pixels.lengths[0]).toBe(784);
  });
});

describe('IDX files', () => {
  const idx = (dimensions: readonly number[], values: readonly number[]): Uint8Array => {
    const header = Buffer.alloc(4 + 4 * dimensions.length);
    header[2] = 8;
    header[3] = dimensions.length;
    dimensions.forEach((length, index) => header.writeUInt32BE(length, 4 + 4 * index));
    return Buffer.concat([header, Uint8Array.from(values)]);
  };

  it('are read with their dimensions', () => {
    expect(parseIdx(idx([2, 3], [1, 2, 3, 4, 5, 6]), 'file')).toEqual({
      dimensions: [2, 3],
      values: Buffer.from([1, 2, 3, 4, 5, 6]),
    });
  });

  it('say what is wrong with them', () => {
    expect(() => parseIdx(idx([2, 3], [1, 2, 3]), 'a/file')).toThrow(
      'a/file is damaged: its header promises 6 bytes (2 x 3), it holds 3.',
    );
    expect(() => parseIdx(Buffer.from('<html>'), 'a/file')).toThrow(/not an IDX file/);
    expect(() => parseIdx(Buffer.of(0, 0, 8, 3, 0), 'a/file')).toThrow(/cut off within its header/);
  });

  it('must belong together', () => {
    const images = parseIdx(idx([2, 1, 1], [1, 2]), 'images');
    const labels = (...values: number[]) => parseIdx(idx([values.length], values), 'labels');
    expect(() => checkImageSet({ images, labels: labels(1) }, 10, 'set')).toThrow(DataError);
    expect(() => checkImageSet({ images, labels: labels(1, 12) }, 10, 'set')).toThrow(
      'set: label 2 is 12; labels are 0 to 9.',
    );
    expect(checkImageSet({ images, labels: labels(1, 9) }, 10, 'set').images).toBe(images);
  });
});
