import { createHash } from 'node:crypto';
import { encode } from 'fast-png';
import type { EvaluationFile, ExampleImage } from '../../run-files.ts';

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

const exampleImage = ({ width, height, pixels }: ExampleImage): Buffer => {
  const bytes = Buffer.from(pixels, 'base64');
  return enlarge(
    { width, height, at: (x, y) => bytes[y * width + x] ?? 0 },
    Math.max(1, Math.floor(112 / Math.max(width, height))),
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

/** The confusion matrix and the example images of an end evaluation. */
export const evaluationImages = (
  { confusion, images = [], labels }: EvaluationFile,
  end: { readonly step: number; readonly time: number },
): readonly { readonly path: string; readonly bytes: Buffer }[] => {
  const name = (index: number) =>
    (labels?.[index] ?? String(index)).replace(/[^\p{L}\p{N}_-]/gu, '_').slice(0, 30);
  return [
    ...(confusion && confusion.length > 0 && confusion.length <= 100
      ? gridFiles('confusion', { ...end, bytes: confusionImage(confusion) })
      : []),
    ...images.slice(0, 16).flatMap((image, index) =>
      gridFiles(`mistake_${index + 1}_${name(image.truth)}_taken_for_${name(image.prediction)}`, {
        ...end,
        bytes: exampleImage(image),
      }),
    ),
  ];
};
