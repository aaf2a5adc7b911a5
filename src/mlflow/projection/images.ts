import { createHash } from 'node:crypto';
import { encode } from 'fast-png';
import type { EvaluationFile, ExampleImage } from '../../record/run-files.ts';

/** Grey pixels enlarged by whole factors, so that small images can be seen. */
const enlarge = (
  {
    width,
    height,
    at,
  }: { readonly width: number; readonly height: number; readonly at: (x: number, y: number) => number },
  factor: number,
): Buffer => {
  const data = new Uint8Array(width * height * factor * factor);
  for (let y = 0; y < height * factor; y++)
    for (let x = 0; x < width * factor; x++)
      data[y * width * factor + x] = at(Math.floor(x / factor), Math.floor(y / factor));
  return Buffer.from(encode({ width: width * factor, height: height * factor, data, channels: 1, depth: 8 }));
};

/** The confusion matrix as an image: rows are truths; dark is many, and a shade is a tenfold. */
const confusionImage = (confusion: readonly (readonly number[])[]): Buffer => {
  const most = Math.max(1, ...confusion.flat());
  return enlarge(
    {
      width: confusion.length,
      height: confusion.length,
      at: (x, y) => Math.round(255 * (1 - Math.log1p(confusion[y]?.[x] ?? 0) / Math.log1p(most))),
    },
    Math.max(1, Math.floor(240 / Math.max(1, confusion.length))),
  );
};

/** Images side by side in a square, on grey so that the border of each is seen. */
const mosaic = (images: readonly ExampleImage[]): Buffer => {
  const tile = Math.max(...images.map(({ width, height }) => Math.max(width, height))) + 2;
  const columns = Math.ceil(Math.sqrt(images.length));
  const rows = Math.ceil(images.length / columns);
  const pixels = images.map((image) => Buffer.from(image.pixels, 'base64'));
  return enlarge(
    {
      width: columns * tile,
      height: rows * tile,
      at: (x, y) => {
        const at = Math.floor(y / tile) * columns + Math.floor(x / tile);
        const { width = 0, height = 0 } = images[at] ?? {};
        const [left, top] = [(x % tile) - 1, (y % tile) - 1];
        const inside = left >= 0 && top >= 0 && left < width && top < height;
        return inside ? (pixels[at]?.[top * width + left] ?? 0) : 128;
      },
    },
    Math.max(1, Math.floor(360 / (columns * tile))),
  );
};

/**
 * The two files of an image in the server's image grid, which finds key, step and time in the name. The small one may
 * hold the same bytes: browsers go by the content. The identifier is a digest, so that sending again replaces.
 */
const gridFiles = (
  key: string,
  { step, time, bytes }: { readonly step: number; readonly time: number; readonly bytes: Buffer },
): readonly { readonly path: string; readonly bytes: Buffer }[] => {
  const digest = createHash('sha256').update(`${key} ${step}`).digest('hex');
  const id = [8, 4, 4, 4, 12].reduce<{ parts: string[]; at: number }>(
    ({ parts, at }, length) => ({ parts: [...parts, digest.slice(at, at + length)], at: at + length }),
    { parts: [], at: 0 },
  );
  const base = `images/${key}+step+${step}+timestamp+${time}+${id.parts.join('-')}`;
  return [
    { path: `${base}.png`, bytes },
    { path: `${base}+compressed.webp`, bytes },
  ];
};

/** The names of images, the same in each run, so that the server shows them side by side. */
export type ImageKey = 'confusion' | 'mistakes';

/** Which images an end evaluation has. */
export const imageKeysOf = ({ confusion, images = [] }: EvaluationFile): readonly ImageKey[] => [
  ...(confusion && confusion.length > 0 && confusion.length <= 100 ? (['confusion'] as const) : []),
  ...(images.length > 0 ? (['mistakes'] as const) : []),
];

/**
 * The confusion matrix and the first wrongly labelled examples of an end evaluation, whose labels are in a table. At
 * step 0, because the server shows images of one step at a time, and runs may end at different ones.
 */
export const evaluationImages = (
  evaluation: EvaluationFile,
  time: number,
): readonly { readonly path: string; readonly bytes: Buffer }[] =>
  imageKeysOf(evaluation).flatMap((key) =>
    gridFiles(key, {
      step: 0,
      time,
      bytes:
        key === 'confusion' ? confusionImage(evaluation.confusion ?? []) : mosaic(evaluation.images ?? []),
    }),
  );
