import { createHash } from 'node:crypto';
import { indicesBelow } from './indices.ts';

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
  // In an array the state stays 32-bit integers; in variables of a closure each new value would be allocated.
  const state = Int32Array.of(
    key.readInt32LE(0),
    key.readInt32LE(4),
    key.readInt32LE(8),
    key.readInt32LE(12) | 1,
  ) as Int32Array & { 0: number; 1: number; 2: number; 3: number };

  const next = (): number => {
    const b = state[1];
    const c = state[2];
    const sum = (((state[0] + b) | 0) + state[3]) | 0;
    state[3] = (state[3] + 1) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = (c + (c << 3)) | 0;
    state[2] = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };

  const uniform = () => next() / 0x1_0000_0000;

  const integer = (below: number): number => {
    const divisor = below >>> 0;
    for (;;) {
      const drawn = next();
      // Rejection keeps every value equally likely. Nearly every draw is accepted without a division.
      if (drawn <= 0x1_0000_0000 - divisor || drawn < 0x1_0000_0000 - (0x1_0000_0000 % divisor))
        return (drawn >>> 0) % divisor;
    }
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
    const order = indicesBelow(size);
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
