/** Scores of more rows times classes are not kept (200 MB): what needs them is then NaN. */
const mostScores = 5e7;

/** How the rows of a class are ranked: one list of scores a class, one-vs-rest. */
export interface Ranking {
  /** The logits of a row; `logSum` is that of softmax, undefined where each label has a logistic output of its own. */
  readonly add: (
    outputs: ArrayLike<number>,
    from: number,
    row: {
      readonly logSum?: number;
      readonly weight: number;
      readonly isPositive: (label: number) => boolean;
    },
  ) => void;
  /** Mean over the classes that some rows have and others have not; NaN without any. */
  readonly rocAuc: () => number;
  /** Mean over the classes that some rows have; NaN without any. */
  readonly averagePrecision: () => number;
}

export const createRanking = (classes: number): Ranking => {
  let scores = new Float32Array(256 * classes);
  let positive = new Uint8Array(256 * classes);
  let weights = new Float64Array(256);
  let rows = 0;
  const grow = () => {
    const moreScores = new Float32Array(2 * scores.length);
    const morePositive = new Uint8Array(2 * positive.length);
    const moreWeights = new Float64Array(2 * weights.length);
    moreScores.set(scores);
    morePositive.set(positive);
    moreWeights.set(weights);
    [scores, positive, weights] = [moreScores, morePositive, moreWeights];
  };
  let isTooLarge = false;

  /** Those of each class, until a row is added: every measure asks for them. */
  let sorted: (readonly { readonly hits: number; readonly misses: number }[])[] = [];

  /** The rows of a class from the highest score to the lowest, those of one score together, by their weights. */
  const groupsOf = (label: number): (typeof sorted)[number] => {
    const known = sorted[label];
    if (known) return known;
    const order = Uint32Array.from({ length: rows }, (_, row) => row * classes + label);
    order.sort((a, b) => (scores[b] as number) - (scores[a] as number));
    const groups: { hits: number; misses: number }[] = [];
    let last: number | undefined;
    for (const at of order) {
      if (scores[at] !== last || groups.length === 0) groups.push({ hits: 0, misses: 0 });
      last = scores[at];
      const group = groups.at(-1) as { hits: number; misses: number };
      const weight = weights[Math.floor(at / classes)] as number;
      if (positive[at] === 1) group.hits += weight;
      else group.misses += weight;
    }
    sorted[label] = groups;
    return groups;
  };

  const meanOver = (ofClass: (groups: ReturnType<typeof groupsOf>) => number): number => {
    if (isTooLarge) return Number.NaN;
    const found = Array.from({ length: classes }, (_, label) => ofClass(groupsOf(label))).filter(
      (one) => !Number.isNaN(one),
    );
    return found.reduce((sum, one) => sum + one, 0) / found.length;
  };

  return {
    add: (outputs, from, { logSum, weight, isPositive }) => {
      if (isTooLarge) return;
      if (sorted.length > 0) sorted = [];
      if ((rows + 1) * classes > scores.length) grow();
      for (let label = 0; label < classes; label++) {
        const logit = outputs[from + label] as number;
        const at = rows * classes + label;
        scores[at] = logSum === undefined ? logit : logOdds(logit - logSum);
        positive[at] = isPositive(label) ? 1 : 0;
      }
      weights[rows] = weight;
      rows++;
      if (rows * classes <= mostScores) return;
      isTooLarge = true;
      [scores, positive, weights] = [new Float32Array(0), new Uint8Array(0), new Float64Array(0)];
    },
    rocAuc: () => meanOver(areaUnderRoc),
    averagePrecision: () => meanOver(averagePrecision),
  };
};

/** Rises with the probability, and keeps apart what lies close to 0 or 1. */
const logOdds = (logProbability: number): number => logProbability - Math.log(-Math.expm1(logProbability));

/** The chance that a positive row is ranked before a negative one, equal scores counting one half. */
const areaUnderRoc = (groups: readonly { hits: number; misses: number }[]): number => {
  let before = 0;
  let pairs = 0;
  let misses = 0;
  for (const group of groups) {
    pairs += group.misses * (before + group.hits / 2);
    before += group.hits;
    misses += group.misses;
  }
  return before === 0 || misses === 0 ? Number.NaN : pairs / (before * misses);
};

/** The sum of precision x increase of recall from the highest score down, without interpolation. */
const averagePrecision = (groups: readonly { hits: number; misses: number }[]): number => {
  let hits = 0;
  let seen = 0;
  let total = 0;
  for (const group of groups) {
    hits += group.hits;
    seen += group.hits + group.misses;
    total += group.hits * (hits / seen);
  }
  return hits === 0 ? Number.NaN : total / hits;
};
