import { describe, expect, test } from 'vitest';
import { gatherPixels } from '../../src/data/pixels.ts';
import { fusedGatherPixels, fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const ways = [
  ['in JavaScript', gatherPixels],
  ...(kernels.available ? [[`with ${kernels.instructionSet}`, fusedGatherPixels()] as const] : []),
] as const;

/** Every byte, in an order of no pattern. */
const allBytes = Uint8Array.from({ length: 256 }, (_, at) => at * 181 + 7);

describe.each(ways)('images are gathered %s', (_, way) => {
  const gather = way as NonNullable<typeof way>;

  test.each([1, 2, 3, 7, 8, 16, 17, 28, 33, 64, 100, 128, 255, 256])(
    'of %d pixels, wherever they are in memory',
    (size) => {
      for (const offset of [0, 1, 3]) {
        const bytes = new Uint8Array(offset + 256);
        bytes.set(allBytes, offset);
        const count = Math.floor(256 / size);
        const indices = Int32Array.from({ length: 2 * count + 1 }, (_, at) => (at * 5 + 2) % count);
        const whole = new Float32Array(offset + indices.length * size + 9).fill(-1);
        gather(bytes.subarray(offset), size, indices, whole.subarray(offset));
        const expected = [...indices].flatMap((index) =>
          Array.from({ length: size }, (_, pixel) =>
            Math.fround((allBytes[index * size + pixel] ?? Number.NaN) / 255),
          ),
        );
        const outside = (length: number) => Array.from({ length }, () => -1);
        expect([...whole]).toEqual([...outside(offset), ...expected, ...outside(9)]);
      }
    },
  );

  test('none at all', () => {
    const to = new Float32Array(0);
    gather(allBytes, 4, new Int32Array(0), to);
    gather(new Uint8Array(0), 4, new Int32Array(0), to);
    expect(to).toHaveLength(0);
  });

  test.each([
    [-1, 4],
    [64, 4],
    [2_147_483_647, 784],
    [2, 100],
    [0, 257],
  ])('but not image %d of %d pixels, which is not there', (index, size) => {
    const to = new Float32Array(2 * size);
    expect(() => gather(allBytes, size, Int32Array.of(index, index), to)).toThrow(
      new RangeError(`There is no image ${index}: there are ${Math.floor(256 / size)}.`),
    );
  });

  test('but not more than there is room for', () => {
    expect(() => gather(allBytes, 4, Int32Array.of(0, 1, 2), new Float32Array(11))).toThrow(
      new RangeError('There is no room for so many images.'),
    );
  });
});

test.runIf(kernels.available)('the library refuses what is of another type', () => {
  const gather = fusedGatherPixels() as unknown as (...values: unknown[]) => void;
  const right: unknown[] = [allBytes, 4, Int32Array.of(0), new Float32Array(4)];
  gather(...right);
  for (const [at, wrong] of [new Float32Array(256), 0, [0], new Float64Array(4)].entries())
    expect(() => gather(...right.with(at, wrong)), String(at)).toThrow(TypeError);
  expect(() => gather()).toThrow(TypeError);
});
