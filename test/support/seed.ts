import { configureGlobal } from 'fast-check';
import { randomStream } from '../../src/data/random.ts';

/**
 * The seed of every random test. It is fixed, so that a failure comes back; UNROLL_TEST_SEED chooses another, and each run
 * of the tests prints the one in use.
 */
export const testSeed = Number(process.env['UNROLL_TEST_SEED'] ?? 1);

if (!Number.isSafeInteger(testSeed) || testSeed < 0)
  throw new Error(
    `UNROLL_TEST_SEED must be a whole number of at least 0, not ${process.env['UNROLL_TEST_SEED'] ?? ''}.`,
  );

// A property that gives no seed of its own takes this one.
configureGlobal({ seed: testSeed });

/** Bytes that do not compress. */
export const seededBytes = (length: number, purpose: string): Buffer => {
  const random = randomStream(testSeed, purpose);
  return Buffer.from(Uint8Array.from({ length }, () => random.integer(256)));
};
