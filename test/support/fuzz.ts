import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { mutated, type Random } from './mutated.ts';
import { testSeed } from './seed.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Shared by all inputs; UNROLL_FUZZ_SECONDS=3600 is the long form. */
const seconds = Number(process.env['UNROLL_FUZZ_SECONDS'] ?? 60);

const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/**
 * How much longer work takes than on a quiet machine: two busy neighbours of a core slow it down, and its processor time
 * grows with that. The reference takes 100 ms of a quiet core.
 */
const slowdown = (): number => {
  const before = processorMs();
  let text = '';
  for (let round = 0; round < 12; round++)
    text = JSON.stringify(JSON.parse(`[${'{"a":[1,2,3]},'.repeat(16_000)}0]`));
  expect(text).toContain('[1,2,3]');
  return Math.max(1, (processorMs() - before) / 100);
};

/** Processor time of one input, on a quiet machine. */
const limitMs = 1000;

/** That of a file of 1 MB. */
const largeLimitMs = 2000;

/** What an input may add to the memory of the process, in MB. */
const limitMb = 500;

export type { Random };
export { mutated };

/** The same changes for bytes. */
export const mutatedBytes = (bytes: Buffer, random: Random): Buffer =>
  Buffer.from(mutated(bytes.toString('latin1'), random), 'latin1');

/** One to six bytes set to others: lengths and counts become very large, or negative. */
const overwritten = (bytes: Buffer, random: Random): Buffer => {
  const result = Buffer.from(bytes);
  for (let left = 1 + random.integer(6); left > 0; left--)
    result[random.integer(result.length)] =
      [0, 1, 0x7f, 0x80, 0xff, random.integer(256)][random.integer(6)] ?? 0;
  return result;
};

/** Half of them keep every place, so that a format's own offsets stay true. */
export const damagedBytes = (bytes: Buffer, random: Random): Buffer =>
  random.integer(2) === 0 ? overwritten(bytes, random) : mutatedBytes(bytes, random);

export type Input = (random: Random, directory: string) => unknown;

/** What is expected of damaged content: anything else is a crash. */
export const orRefused = async (
  read: () => unknown,
  ...refusals: readonly (new (...given: never[]) => Error)[]
) => {
  try {
    await read();
  } catch (error) {
    if (!refusals.some((refusal) => error instanceof refusal)) throw error;
  }
};

/** A string of 1 MB made of one to three changed pieces of another, each repeated. */
export const grown = (text: string, random: Random): string => {
  const parts = Array.from({ length: 1 + random.integer(3) }, () => {
    const from = random.integer(text.length);
    return mutated(text.slice(from, from + 1 + random.integer(60)), random) || '\n';
  });
  const share = Math.floor(900_000 / parts.length);
  return text + parts.map((part) => part.repeat(Math.floor(share / part.length))).join('\n');
};

const peakMb = (): number => process.resourceUsage().maxRSS / 1024;

/** Tests each kind of input for its part of the time; `share` is that of all of them. */
export const fuzz = (inputs: Readonly<Record<string, Input>>, share: number): void => {
  test.each(Object.entries(inputs))(
    'no crash and no hang: %s',
    async (name, input) => {
      const directory = temporaryDirectory();
      vi.stubEnv('UNROLL_CACHE', join(directory, 'cache'));
      mkdirSync(join(directory, 'cache'));
      const limit = (name.startsWith('large') ? largeLimitMs : limitMs) * slowdown();
      const endsAt = performance.now() + (1000 * seconds * share) / Object.keys(inputs).length;
      let count = 0;
      let peak = Infinity;
      // On a machine that is busy, too, each has inputs besides the first, whose time is not limited.
      for (; count < 3 || performance.now() < endsAt; count++) {
        const began = processorMs();
        const which = `input ${count} of UNROLL_TEST_SEED=${testSeed}`;
        try {
          await input(randomStream(testSeed, `${name} ${count}`), directory);
        } catch (error) {
          throw new Error(`${name}: ${which} crashes`, { cause: error });
        }
        // The first input also pays for what is compiled once.
        if (count > 0)
          expect(processorMs() - began, `processor time of ${name}: ${which}`).toBeLessThan(limit);
        expect(peakMb() - peak, `memory that ${name} takes: ${which}`).toBeLessThan(limitMb);
        peak = peakMb();
      }
      vi.unstubAllEnvs();
      console.log(`${name}: ${count} inputs of UNROLL_TEST_SEED=${testSeed}`);
    },
    1000 * seconds + 300_000,
  );
};
