/** How often each class was wanted, predicted and hit, by the weights of the rows. Counts add up over batches. */
export interface ClassCounts {
  readonly classes: number;
  /** By class: how often it was the truth, how often it was predicted, how often both. */
  readonly truths: Float64Array;
  readonly predictions: Float64Array;
  readonly hits: Float64Array;
  /** `[truth, prediction]`, row-major; absent where there are too many classes to look at. */
  readonly confusion: Float64Array | undefined;
  /** How often the truth was among the `topSize` largest outputs. */
  topHits: number;
}

/** The k of top-k accuracy. */
export const topSize = 5;

/** A confusion matrix of more classes than this is no help to anyone, and its size grows with the square. */
const mostConfusionClasses = 100;

export const createClassCounts = (classes: number): ClassCounts => ({
  classes,
  truths: new Float64Array(classes),
  predictions: new Float64Array(classes),
  hits: new Float64Array(classes),
  confusion: classes <= mostConfusionClasses ? new Float64Array(classes * classes) : undefined,
  topHits: 0,
});

const increase = (counts: Float64Array, at: number, by: number): void => {
  counts[at] = (counts[at] as number) + by;
};

/**
 * Counts one row of outputs `[rows, classes]` as often as its weight. The prediction is the first of the largest outputs; a row with NaN in
 * place of its largest predicts nothing, and is a miss.
 */
export const countRow = (
  counts: ClassCounts,
  outputs: ArrayLike<number>,
  { row, truth, weight = 1 }: { row: number; truth: number; weight?: number },
): void => {
  const { classes } = counts;
  const start = row * classes;
  const wanted = outputs[start + truth] as number;
  let prediction = -1;
  let largest = -Infinity;
  let ahead = 0;
  for (let index = 0; index < classes; index++) {
    const output = outputs[start + index] as number;
    if (output > largest || (prediction === -1 && output === -Infinity)) {
      largest = output;
      prediction = index;
    }
    const behind = output < wanted || (output === wanted && index >= truth);
    if (!behind) ahead++;
  }
  increase(counts.truths, truth, weight);
  if (ahead < topSize) counts.topHits += weight;
  if (prediction === -1) return;
  increase(counts.predictions, prediction, weight);
  if (prediction === truth) increase(counts.hits, truth, weight);
  if (counts.confusion) increase(counts.confusion, truth * classes + prediction, weight);
};

const sum = (numbers: Float64Array): number => numbers.reduce((total, one) => total + one, 0);

/** The fraction of rows whose prediction was the truth; NaN without rows. */
export const accuracyOf = ({ hits, truths }: ClassCounts): number => sum(hits) / sum(truths);

/** The fraction of rows whose truth was among the `topSize` largest outputs; NaN without rows. */
export const topAccuracyOf = ({ topHits, truths }: ClassCounts): number => topHits / sum(truths);

/** How well one class is separated from the others; all in [0,1], and 0 where the divisor is. */
export interface ClassScore {
  /** Of what was predicted to be of the class, the fraction that was. */
  readonly precision: number;
  /** Of what was of the class, the fraction that was predicted to be. */
  readonly recall: number;
  /** Harmonic mean of the two. */
  readonly f1: number;
  /** Rows of the class, by their weights. */
  readonly support: number;
}

export const classScores = ({ truths, predictions, hits }: ClassCounts): readonly ClassScore[] =>
  Array.from(hits, (hit, index) => {
    const support = truths[index] as number;
    const predicted = predictions[index] as number;
    return {
      precision: hit / (predicted || 1),
      recall: hit / (support || 1),
      f1: (2 * hit) / (support + predicted || 1),
      support,
    };
  });

/** The plain mean of F1 over the classes that occur, as truth or as prediction: each class counts the same. */
export const macroF1 = (counts: ClassCounts): number => {
  const occurring = classScores(counts).filter(
    ({ support }, index) => support + (counts.predictions[index] as number) > 0,
  );
  return occurring.reduce((total, { f1 }) => total + f1, 0) / occurring.length;
};

/** `[truth][prediction]` counts, where there are few enough classes. */
export const confusionRows = ({
  confusion,
  classes,
}: ClassCounts): readonly (readonly number[])[] | undefined =>
  confusion &&
  Array.from({ length: classes }, (_, truth) => [
    ...confusion.subarray(truth * classes, (truth + 1) * classes),
  ]);
