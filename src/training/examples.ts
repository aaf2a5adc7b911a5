import type { Batch, SequenceShape, Split } from '../data/dataset.ts';
import type { ExampleImage, ExamplePrediction } from '../record/run-files.ts';

/** As many examples, counted from the first, are recorded one by one. */
const mostPredictions = 100;
/** As many wrongly labelled images are kept, counted from the first. */
const mostImages = 16;

/**
 * What an end evaluation records of single examples. They are taken from the front of the split, never drawn, so the runs
 * of a dataset record the same ones and can be compared.
 */
export interface Examples {
  /** Takes the batch of the examples from `from` on, in the split's order, with the network's outputs for it. */
  readonly add: (from: number, batch: Batch, outputs: Float32Array) => void;
  readonly predictions: () => readonly ExamplePrediction[];
  /** Absent if the split's examples are not images. */
  readonly images: () => readonly ExampleImage[];
}

/** The class with the largest output of `[classes]` and its softmax probability; nothing where an output is NaN. */
const predict = (outputs: Float32Array): { readonly prediction: number; readonly probability: number } => {
  const largest = outputs.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = outputs.reduce((total, output) => total + Math.exp(output - largest), 0);
  return { prediction: outputs.indexOf(largest), probability: 1 / sum };
};

/** Base64 of one byte a pixel. */
const packPixels = (pixels: Float32Array): string =>
  Buffer.from(Uint8Array.from(pixels, (value) => Math.round(255 * value))).toString('base64');

/** Collects examples of a classification; other tasks have no classes to record. */
export const collectExamples = ({ task }: SequenceShape, split: Split): Examples => {
  const predictions: ExamplePrediction[] = [];
  const images: ExampleImage[] = [];
  const add: Examples['add'] = (from, { size, targets }, outputs) => {
    if (task.kind !== 'classification') return;
    const wantsImages = split.image !== undefined && images.length < mostImages;
    if (from >= mostPredictions && !wantsImages) return;
    for (let row = 0; row < size; row++) {
      const index = from + row;
      const truth = targets[row] ?? 0;
      const { prediction, probability } = predict(
        outputs.subarray(row * task.classes, (row + 1) * task.classes),
      );
      if (prediction === -1) continue;
      if (index < mostPredictions)
        predictions.push({ index, truth, prediction, probability: Number(probability.toFixed(4)) });
      if (prediction === truth || images.length >= mostImages) continue;
      const image = split.image?.(index);
      if (image)
        images.push({
          index,
          truth,
          prediction,
          width: image.width,
          height: image.height,
          pixels: packPixels(image.pixels),
        });
    }
  };
  return { add, predictions: () => predictions, images: () => images };
};
