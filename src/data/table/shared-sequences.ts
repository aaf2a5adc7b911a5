import type { Pack } from './pack.ts';

/** Sequences of a pack that belong to one part. */
export interface Members {
  readonly pack: Pack;
  /** In rising order. */
  readonly sequences: Int32Array;
}

/** How many sequences of a part are also in an earlier one. */
export interface Shared {
  /** Positions of the two parts among those given. */
  readonly part: number;
  readonly earlier: number;
  /** Sequences of `part` with the same values. */
  readonly identical: number;
  /** Further ones in which a sequence of the earlier part begins, as in windows cut from one series. */
  readonly overlapping: number;
}

/** Of more sequences than that, none is looked for: their hashes would take hundreds of megabytes. */
const mostSequences = 2_000_000;

/** Shorter stretches are alike by accident. */
const shortestStretch = 6;

/**
 * Finds sequences that a part shares with an earlier one. Of texts only identical ones are shared: two texts may well have
 * a phrase in common. A sequence overlaps with one of the earlier part when that one
 * begins inside of it, by half a sequence or more: then the earlier part has seen what follows. The other way round is
 * what a split by time looks like at the border, and is no leak. All stretches of a sequence are looked up among the
 * beginnings (rolling hash, Karp and Rabin 1987).
 */
export const findShared = (given: readonly Members[]): readonly Shared[] => {
  const parts = withCommonTokens(given);
  const total = parts.reduce((sum, { sequences }) => sum + sequences.length, 0);
  if (total > mostSequences) return [];
  const stretch = stretchOf(parts);
  const hashed = parts.map((part) => hashPart(part, stretch));
  const found = parts.flatMap((_, part) =>
    hashed.slice(0, part).map((__, earlier): Shared => {
      const [own, other] = [hashed[part] as HashedPart, hashed[earlier] as HashedPart];
      const whole = new Set(other.whole);
      const begins = new Set(other.begins);
      const overlaps = holdAny(parts[part] as Members, stretch, begins);
      let identical = 0;
      let overlapping = 0;
      own.whole.forEach((hash, at) => {
        if (whole.has(hash)) identical++;
        else if (overlaps[at] === 1) overlapping++;
      });
      return { part, earlier, identical, overlapping };
    }),
  );
  return found.filter(({ identical, overlapping }) => identical + overlapping > 0);
};

/** Half of a middling sequence; 0 where sequences are too short to overlap, or cannot be windows of one series. */
const stretchOf = (parts: readonly Members[]): number => {
  if (parts.some(({ pack }) => pack.tokens)) return 0;
  const lengths = parts.flatMap(({ pack, sequences }) => [
    pack.steps(sequences[sequences.length >> 1] ?? 0),
    pack.steps(sequences[0] ?? 0),
  ]);
  const half = Math.ceil(Math.max(0, ...lengths) / 2);
  return half >= shortestStretch ? half : 0;
};

interface HashedPart {
  /** By position of the sequence within its part. */
  readonly whole: Float64Array;
  /** Of the first stretch; `none` where it is too short or too uniform. */
  readonly begins: Float64Array;
}

/** The hash of no stretch: NaN would be found in a `Set`, too. */
const none = -1;

const hashPart = ({ pack, sequences }: Members, stretch: number): HashedPart => {
  const whole = new Float64Array(sequences.length);
  const begins = new Float64Array(sequences.length).fill(none);
  let at = 0;
  pack.visit(sequences, (sequence, numbers, from) => {
    const steps = stepHashes(pack, { numbers, from, count: pack.steps(sequence) });
    whole[at] = rollingHashes(steps, steps.length, 0)[0] ?? none;
    if (stretch > 0 && steps.length >= stretch)
      begins[at] = rollingHashes(steps.subarray(0, stretch), stretch, leastDistinct(stretch))[0] ?? none;
    at++;
  });
  if (stretch === 0) begins.fill(none);
  return { whole, begins };
};

/** By position of the sequence: 1 where a stretch of it is among the hashes. */
const holdAny = ({ pack, sequences }: Members, stretch: number, among: ReadonlySet<number>): Uint8Array => {
  const has = new Uint8Array(sequences.length);
  if (stretch === 0) return has;
  let at = 0;
  pack.visit(sequences, (sequence, numbers, from) => {
    const steps = stepHashes(pack, { numbers, from, count: pack.steps(sequence) });
    const found = rollingHashes(steps, stretch, leastDistinct(stretch));
    has[at] = found.some((hash) => hash !== none && among.has(hash)) ? 1 : 0;
    at++;
  });
  return has;
};

let words = new Uint32Array(0);

/** One number for the values of each step. */
const stepHashes = (
  { features }: Pack,
  { numbers, from, count }: { readonly numbers: Float64Array; readonly from: number; readonly count: number },
): Uint32Array => {
  const width = 2 * features.length;
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset + 8 * from, count * width);
  if (words.length < count) words = new Uint32Array(2 * count);
  for (let step = 0; step < count; step++) {
    let hash = 0x811c9dc5;
    for (let at = step * width; at < (step + 1) * width; at++) hash = mixed(hash ^ (bits[at] as number));
    words[step] = hash;
  }
  return words.subarray(0, count);
};

/** Spreads every bit over all 32 (the finalizer of MurmurHash3). */
const mixed = (value: number): number => {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/** Odd, so that no step is shifted out of a hash. */
const bases = [0x01000193, 0x5bd1e995] as const;

/** A stretch of fewer different steps, such as zeros, is in many sequences by accident. */
const leastDistinct = (stretch: number): number => Math.max(4, Math.ceil(stretch / 3));

/** 53-bit hashes of all stretches of `stretch` steps; `none` for one with fewer than `least` different steps. */
const rollingHashes = (steps: Uint32Array, stretch: number, least: number): Float64Array => {
  const count = Math.max(0, steps.length - stretch + 1);
  const hashes = new Float64Array(count);
  const powers = bases.map((base) => {
    let power = 1;
    for (let at = 1; at < stretch; at++) power = Math.imul(power, base);
    return power;
  }) as [number, number];
  const seen = new Map<number, number>();
  let [one, two] = [0, 0];
  for (let at = 0; at < steps.length; at++) {
    const entering = steps[at] as number;
    if (at >= stretch) {
      const leaving = steps[at - stretch] as number;
      one = Math.imul(one - Math.imul(leaving, powers[0]), 1);
      two = Math.imul(two - Math.imul(mixed(leaving), powers[1]), 1);
      const left = (seen.get(leaving) ?? 1) - 1;
      if (left === 0) seen.delete(leaving);
      else seen.set(leaving, left);
    }
    one = Math.imul(one, bases[0]) + entering;
    two = Math.imul(two, bases[1]) + mixed(entering);
    seen.set(entering, (seen.get(entering) ?? 0) + 1);
    if (at >= stretch - 1) {
      const hash = (one >>> 0) * 2 ** 21 + (two >>> 11);
      hashes[at - stretch + 1] = seen.size >= least ? hash : none;
    }
  }
  return hashes;
};

/**
 * Each file numbers its tokens as they come. Shows packs of several files with one numbering, so that the same text has
 * the same numbers in all of them; packs of numbers stay as they are.
 */
const withCommonTokens = <M extends { readonly pack: Pack }>(parts: readonly M[]): readonly M[] => {
  const packs = new Set(parts.map(({ pack }) => pack));
  if (packs.size < 2) return parts;
  const known = new Map<string, number>();
  const numberOf = (text: string): number => {
    const found = known.get(text) ?? known.size;
    known.set(text, found);
    return found;
  };
  const views = new Map([...packs].map((pack) => [pack, renumbered(pack, numberOf)]));
  return parts.map((part) => ({ ...part, pack: views.get(part.pack) ?? part.pack }));
};

const renumbered = (pack: Pack, numberOf: (text: string) => number): Pack => {
  if (!pack.tokens) return pack;
  const numbers = Float64Array.from(pack.tokens, numberOf);
  const renumber = (record: Float64Array, from: number, steps: number) => {
    for (let at = from; at < from + steps; at++) record[at] = numbers[record[at] as number] as number;
  };
  return {
    ...pack,
    record: (sequence) => {
      const record = pack.record(sequence);
      renumber(record, 0, pack.steps(sequence));
      return record;
    },
    visit: (sequences, see) => {
      pack.visit(sequences, (sequence, record, from) => {
        renumber(record, from, pack.steps(sequence));
        see(sequence, record, from);
      });
    },
  };
};
