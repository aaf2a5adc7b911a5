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

  /** Both areas, until a row is added: every measure asks for them. */
  let areas: Areas | undefined;
  const meanAreas = (): Areas => {
    if (isTooLarge) return { roc: Number.NaN, precision: Number.NaN };
    const order = createOrder(rows);
    const roc = createMean();
    const precision = createMean();
    for (let label = 0; label < classes; label++) {
      const groups = groupsOf(
        label,
        order((row) => scores[row * classes + label] as number),
      );
      roc.add(areaUnderRoc(groups));
      precision.add(averagePrecision(groups));
    }
    return { roc: roc.mean(), precision: precision.mean() };
  };
  const currentAreas = (): Areas => (areas ??= meanAreas());

  /** The rows of a class in the given order, those of one score together, by their weights. */
  const groupsOf = (label: number, order: Iterable<number>): readonly Group[] => {
    const groups: Group[] = [];
    let last: number | undefined;
    let group: Group = { hits: 0, misses: 0 };
    for (const row of order) {
      const at = row * classes + label;
      if (scores[at] !== last || groups.length === 0) groups.push((group = { hits: 0, misses: 0 }));
      last = scores[at];
      if (positive[at] === 1) group.hits += weights[row] as number;
      else group.misses += weights[row] as number;
    }
    return groups;
  };

  return {
    add: (outputs, from, { logSum, weight, isPositive }) => {
      if (isTooLarge) return;
      areas = undefined;
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
    rocAuc: () => currentAreas().roc,
    averagePrecision: () => currentAreas().precision,
  };
};

interface Areas {
  readonly roc: number;
  readonly precision: number;
}

/** The weights of the rows with one score, by whether they have the class. */
interface Group {
  hits: number;
  misses: number;
}

/** The mean of what is added and not NaN. */
const createMean = () => {
  let [sum, count] = [0, 0];
  return {
    add: (value: number) => {
      if (Number.isNaN(value)) return;
      sum += value;
      count++;
    },
    mean: () => sum / count,
  };
};

/** Orders rows from the highest score to the lowest, those of one score as they came. */
const createOrder = (rows: number) => {
  // Sorted as one number, the score above the row: many times faster than with a function that compares.
  const keys = new BigUint64Array(rows);
  const halves = new Uint32Array(keys.buffer);
  const score = new Float32Array(1);
  const bits = new Uint32Array(score.buffer);
  const sorted = new Uint32Array(rows);
  return (scoreOf: (row: number) => number): Uint32Array => {
    for (let row = 0; row < rows; row++) {
      // Without the sign of zero.
      score[0] = scoreOf(row) + 0;
      const pattern = bits[0] as number;
      halves[2 * row] = row;
      halves[2 * row + 1] = pattern >>> 31 === 1 ? pattern : ~pattern & 0x7fffffff;
    }
    keys.sort();
    for (let at = 0; at < rows; at++) sorted[at] = halves[2 * at] as number;
    return sorted;
  };
};

/** Rises with the probability, and keeps apart what lies close to 0 or 1. */
const logOdds = (logProbability: number): number => logProbability - Math.log(-Math.expm1(logProbability));

/** The chance that a positive row is ranked before a negative one, equal scores counting one half. */
const areaUnderRoc = (groups: readonly Group[]): number => {
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
const averagePrecision = (groups: readonly Group[]): number => {
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
