/** Of one figure over the rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: number;
}

const rounded = (value: number): number => Number(value.toPrecision(4));

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
};

export const spreadOf = (values: readonly number[]): Spread => ({
  median: rounded(median(values)),
  least: rounded(Math.min(...values)),
  most: rounded(Math.max(...values)),
  rounds: values.length,
});

/** The middle half of one figure over the rounds. */
export interface Quartiles {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

export const quartilesOf = (values: readonly number[]): Quartiles => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => {
    const place = part * (sorted.length - 1);
    const [below = Number.NaN, above = below] = sorted.slice(Math.floor(place));
    return rounded(below + (above - below) * (place - Math.floor(place)));
  };
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
};

/** What one way of doing the work took in each round. */
export interface Timed {
  readonly name: string;
  readonly values: readonly number[];
}

/** A line of the table: a piece of work by Unroll and by a peer. */
export interface Row {
  readonly work: string;
  /** With the way that was the fastest: `PyTorch (compiled)`. */
  readonly peer: string;
  readonly unit: 'ms' | 's' | 'MB';
  readonly ours: Spread;
  readonly theirs: Spread;
  /** Ours to theirs, round by round, so that a machine whose speed drifts hits both alike. */
  readonly ratio: Spread;
  readonly goal: number;
}

/** Compares with the best of a peer's ways. */
export const compareWithBest = (
  ours: Timed,
  ways: readonly Timed[],
  row: Pick<Row, 'work' | 'unit' | 'goal'> & { readonly peer: string },
): Row => {
  const [best] = [...ways].sort((a, b) => median(a.values) - median(b.values));
  if (!best) throw new Error(`Nothing was measured of ${row.peer}.`);
  return {
    ...row,
    peer: best.name === row.peer ? row.peer : `${row.peer} (${best.name})`,
    ours: spreadOf(ours.values),
    theirs: spreadOf(best.values),
    ratio: spreadOf(ours.values.map((value, round) => value / (best.values[round] ?? Number.NaN))),
  };
};

/**
 * Measures each in turn, again and again, beginning with another one in every round. With `warmUp`, one more round before the
 * others does not count: what a contestant starts or compiles would take from the time of the next one.
 */
export const alternate = async <T extends { readonly name: string }>(
  contestants: readonly T[],
  rounds: number,
  measure: (contestant: T) => Promise<number>,
  { warmUp = false }: { readonly warmUp?: boolean } = {},
): Promise<readonly Timed[]> => {
  if (warmUp) await alternate(contestants, 1, measure);
  const values = contestants.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (turn + round) % contestants.length;
      values[index]?.push(await measure(contestants[index] as T));
    }
  return contestants.map(({ name }, index) => ({ name, values: values[index] ?? [] }));
};
