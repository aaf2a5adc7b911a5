import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { allocateBatch, DataError, type Dataset } from '../../src/data/dataset.ts';
import { findDataFile } from '../../src/data/files.ts';
import { readIdx } from '../../src/data/idx.ts';
import { fashionMnistRows } from '../../src/data/fashion-mnist-rows.ts';
import { checkImageSet, type ImageSet } from '../../src/data/images.ts';
import { mnistPixels, mnistRows } from '../../src/data/mnist.ts';
import { gatherPixels, type GatherPixels } from '../../src/data/pixels.ts';
import { dataFolder } from './support/data-files.ts';
import { complete, examplesOf } from './support/read-all.ts';

const labelsOf = ({ shape, train }: Dataset, split = train, count = split.size): number[] => {
  const batch = allocateBatch(shape, count);
  split.read(
    Int32Array.from({ length: count }, (_, index) => index),
    batch,
  );
  return [...batch.targets];
};

const context = { baseDirectory: '.' };

describe('mnist-rows', () => {
  let dataset: Dataset;
  beforeAll(async () => {
    dataset = await mnistRows.load(complete(mnistRows, {}), context);
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

  it('gathers pixels with the function of its context', async () => {
    let gathered = 0;
    const gather: GatherPixels = (bytes, size, indices, to) => {
      gathered += indices.length;
      gatherPixels(bytes, size, indices, to);
    };
    const given = await mnistRows.load(complete(mnistRows, {}), { ...context, gatherPixels: gather });
    const [one, other] = [allocateBatch(dataset.shape, 2), allocateBatch(given.shape, 2)];
    dataset.test.read(Int32Array.of(5, 7), one);
    given.test.read(Int32Array.of(5, 7), other);
    expect([gathered, other.inputs]).toEqual([2, one.inputs]);
  });

  it('takes fewer images and another validation part when asked', async () => {
    const small = await mnistRows.load(complete(mnistRows, { validationSize: 0, trainSize: 10 }), context);
    expect([small.train.size, small.validation]).toEqual([10, undefined]);
    expect(labelsOf(small)).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(mnistRows.check(complete(mnistRows, { trainSize: 55_001 })).map(({ path }) => path)).toEqual([
      'trainSize',
    ]);
  });

  it('reads the same pixels one at a time as mnist-pixels', async () => {
    const pixelwise = await mnistPixels.load(complete(mnistPixels, {}), context);
    expect(pixelwise.shape).toMatchObject({ steps: 784, input: { kind: 'values', features: 1 } });
    const [rows, pixels] = [allocateBatch(dataset.shape, 1), allocateBatch(pixelwise.shape, 1)];
    dataset.train.read(Int32Array.of(123), rows);
    pixelwise.train.read(Int32Array.of(123), pixels);
    expect(pixels.inputs).toEqual(rows.inputs);
    expect(pixels.lengths[0]).toBe(784);
  });
});

/** The bytes of an IDX file. */
const idx = (dimensions: readonly number[], values: readonly number[]): Uint8Array => {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header[2] = 8;
  header[3] = dimensions.length;
  dimensions.forEach((length, index) => header.writeUInt32BE(length, 4 + 4 * index));
  return Buffer.concat([header, Uint8Array.from(values)]);
};

describe('IDX files', () => {
  const read = async (bytes: Uint8Array, most?: number) =>
    readIdx(await findDataFile('file', dataFolder({ file: bytes }), 'file'), most);

  it('are read with their dimensions, whole or from the front, plain or gzipped', async () => {
    const bytes = idx([2, 3], [1, 2, 3, 4, 5, 6]);
    const whole = { dimensions: [2, 3], values: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    const first = { dimensions: [1, 3], values: Uint8Array.of(1, 2, 3) };
    for (const content of [bytes, gzipSync(bytes)]) {
      expect(await read(content)).toEqual(whole);
      expect(await read(content, 7)).toEqual(whole);
      expect(await read(content, 1)).toEqual(first);
    }
  });

  it('say what is wrong with them', async () => {
    await expect(read(idx([2, 3], [1, 2, 3]), 1)).rejects.toThrow(
      /file is damaged: its header promises 6 bytes \(2 x 3\), it holds 3\.$/,
    );
    await expect(read(Buffer.from('<html>'))).rejects.toThrow(/not an IDX file/);
    await expect(read(Buffer.alloc(0))).rejects.toThrow(/not an IDX file/);
    await expect(read(Buffer.of(0, 0, 8, 3, 0))).rejects.toThrow(/cut off within its header/);
  });

  it('must belong together', () => {
    const images = { dimensions: [2, 28, 28], values: new Uint8Array(2 * 784).fill(1) };
    const labels = (...values: number[]) => ({
      dimensions: [values.length],
      values: Uint8Array.from(values),
    });
    const check = (set: ImageSet) => () => checkImageSet(set, 10, 'set');
    expect(check({ images, labels: labels(1) })).toThrow(DataError);
    expect(check({ images, labels: labels(1, 12) })).toThrow('Label 2 of set is 12; labels are 0 to 9.');
    expect(check({ images: labels(1), labels: labels(1) })).toThrow('set holds data of shape [1]');
    expect(check({ images, labels: labels(1, 9) })().images).toBe(images);
  });
});

describe('fashion-mnist-rows', () => {
  const images = (count: number) =>
    idx(
      [count, 28, 28],
      Array.from({ length: count * 784 }, (_, at) => at % 251),
    );
  const files = {
    'train-images-idx3-ubyte.gz': gzipSync(images(5)),
    'train-labels-idx1-ubyte': idx([5], [9, 0, 1, 2, 3]),
    't10k-images-idx3-ubyte': images(2),
    't10k-labels-idx1-ubyte.gz': gzipSync(idx([2], [4, 5])),
  };
  const chosen = complete(fashionMnistRows, { folder: '.', validationSize: 1 });

  it('reads gzipped and plain files from a folder', async () => {
    const context = dataFolder(files);
    const { shape, train, validation, test } = await fashionMnistRows.load(chosen, context);
    expect([train.size, validation?.size, test.size]).toEqual([4, 1, 2]);
    expect(examplesOf(shape, train).map(({ targets }) => targets[0])).toEqual([0, 1, 2, 3]);
    expect(examplesOf(shape, test)[1]?.inputs[0]).toBe(Math.fround((784 % 251) / 255));
    expect(await fashionMnistRows.digest(chosen, context)).toMatch(/^[0-9a-f]{64}$/);
    const fewer = await fashionMnistRows.load({ ...chosen, trainSize: 2 }, context);
    expect(examplesOf(shape, fewer.train)).toEqual(examplesOf(shape, train).slice(0, 2));
    await expect(fashionMnistRows.load({ ...chosen, trainSize: 5 }, context)).rejects.toThrow(
      'There are 5 training images: not enough for a validationSize of 1 and a trainSize of 5.',
    );
  });

  it('names the files that are missing and how to get them', async () => {
    const context = dataFolder({ ...files, 't10k-images-idx3-ubyte': '' });
    rmSync(join(context.baseDirectory, 'train-images-idx3-ubyte.gz'));
    await expect(fashionMnistRows.digest(chosen, context)).rejects.toThrow(
      /^The folder \. has no train-images-idx3-ubyte \(plain or \.gz\)\. Install them with .* from https:/,
    );
  });

  it.skipIf(existsSync('/usr/share/datasets/fashion-mnist'))(
    'says how to get the files where no folder is named and none are installed',
    async () => {
      const nowhere = complete(fashionMnistRows, {});
      await expect(fashionMnistRows.digest(nowhere, dataFolder({}))).rejects.toThrow(
        /^Fashion-MNIST is not installed, and no folder is named\. .*apt-get install dataset-fashion-mnist/,
      );
    },
  );

  it('tells a broken download', async () => {
    const broken = { ...files, 't10k-labels-idx1-ubyte.gz': gzipSync(idx([2], [4, 5])).subarray(0, 20) };
    await expect(fashionMnistRows.load(chosen, dataFolder(broken))).rejects.toThrow(
      /t10k-labels-idx1-ubyte.gz is not a complete gzip file/,
    );
  });
});
