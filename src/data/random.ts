import { createHash } from 'node:crypto';

/** A stream of random numbers. The same key gives the same stream on every machine. */
export interface Random {
  /** A float in [0, 1) with 32 random bits. */
  readonly uniform: () => number;
  /** An integer in [0, below). */
  readonly integer: (below: number) => number;
  /** A draw from N(0, 1): Marsaglia's polar method. */
  readonly normal: () => number;
  /** The numbers 0 .. size-1 in random order: Fisher-Yates. */
  readonly permutation: (size: number) => Int32Array;
}

/**
 * The stream of a seed for one purpose, such as `randomStream(seed, 'shuffle', pass)`. Streams are keyed rather than
 * split from one another, so a draw never depends on how many draws came before it elsewhere: a resumed run needs no
 * generator state, only its step.
 *
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand), its state taken from the SHA-256 of the key.
 */
export const randomStream = (seed: number, ...purpose: readonly (string | number)[]): Random => {
  const key = createHash('sha256')
    .update(JSON.stringify([seed, ...purpose]))
    .digest();
  let a = key.readInt32LE(0);
  let b = key.readInt32LE(4);
  let c = key.readInt32LE(8);
  let counter = key.readInt32LE(12) | 1;

  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };

  const uniform = () => next() / 0x1_0000_0000;

  const integer = (below: number): number => {
    // Rejection keeps every value equally likely.
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % below);
    let drawn = next();
    while (drawn >= limit) drawn = next();
    return drawn % below;
  };

  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const radius = x * x + y * y;
      if (radius === 0 || radius >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(radius)) / radius);
      spare = y * scale;
      return x * scale;
    }
  };

  const permutation = (size: number): Int32Array => {
    const order = Int32Array.from({ length: size }, (_, index) => index);
    for (let last = size - 1; last > 0; last--) {
      const other = integer(last + 1);
      const kept = order[last] ?? 0;
      order[last] = order[other] ?? 0;
      order[other] = kept;
    }
    return order;
  };

  return { uniform, integer, normal, permutation };
};
