import { mkdtempSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { testSeed } from '../support/seed.ts';
import {
  buildShim,
  type Call,
  callsOf,
  copyOf,
  each,
  type Fault,
  judge,
  newFolder,
  numbersOf,
  removeFolder,
  runWithFault,
  runWords,
  startUnroll,
} from './harness.ts';

/**
 * Faults of disks and processes, on real sweeps: each system call below the runs directory fails, is cut short, or is the
 * moment of a kill; each recorded file is damaged. `npm run test:faults` tries every call with every error;
 * UNROLL_FAULTS chooses another number of cases of each test, and UNROLL_TEST_SEED other ones.
 */
const wanted = process.env['UNROLL_FAULTS'] ?? '100';
const cases = wanted === 'all' ? Infinity : Number(wanted);

vi.setConfig({ testTimeout: 24 * 3600 * 1000, hookTimeout: 120_000 });

const tools = mkdtempSync(join(tmpdir(), 'unroll-fault-tools-'));
const shim = buildShim(tools);
let calls: Call[];
let calm: string;
let expected: ReturnType<typeof numbersOf>;

beforeAll(async () => {
  calm = newFolder();
  const { code, output } = shim
    ? await runWithFault(shim, calm, {}).ended
    : await startUnroll(calm, runWords).ended;
  expect(code, output).toBe(0);
  calls = callsOf(calm);
  expected = numbersOf(calm);
  expect(Object.keys(expected)).toHaveLength(2);
});
afterAll(() => {
  removeFolder(calm);
  removeFolder(tools);
});

/** Some of many, in their order, drawn from the tests' seed. */
const drawn = <T>(all: readonly T[], count: number, purpose: string): readonly T[] => {
  const random = randomStream(testSeed, 'faults', purpose);
  return all
    .map((one, index) => ({ one, index, key: random.uniform() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ one }) => one);
};

/** Tries cases and returns what went wrong in each of them. */
const failuresOf = async <T>(
  chosen: readonly T[],
  name: (one: T) => string,
  attempt: (one: T, folder: string) => Promise<string[]>,
  from: () => string = newFolder,
): Promise<string[]> => {
  const failures: string[] = [];
  await each(chosen, availableParallelism(), async (one) => {
    const folder = from();
    const found = await attempt(one, folder);
    if (found.length > 0) failures.push([name(one), ...found].join('\n  '));
    removeFolder(folder);
  });
  console.log(
    `${chosen.length} faults with UNROLL_TEST_SEED=${testSeed}, ${failures.length} with a wrong outcome`,
  );
  return failures;
};

/** Errors that a kind of call can meet. */
const errors: Readonly<Record<string, readonly Exclude<Fault['error'], undefined>[]>> = {
  open: [
    'EACCES',
    'EPERM',
    'EROFS',
    'EMFILE',
    'ENFILE',
    'ELOOP',
    'ENAMETOOLONG',
    'ENOSPC',
    'EDQUOT',
    'EBUSY',
    'EIO',
  ],
  write: ['ENOSPC', 'EDQUOT', 'EIO', 'EINTR'],
  read: ['EIO', 'EINTR'],
  sync: ['EIO', 'ENOSPC', 'EDQUOT', 'EINTR'],
  rename: ['EACCES', 'EPERM', 'EBUSY', 'EROFS', 'ENOSPC', 'EIO'],
  link: ['EPERM', 'EACCES', 'ENOSPC', 'EROFS', 'EIO'],
  unlink: ['EPERM', 'EACCES', 'EBUSY', 'EROFS', 'EIO'],
  mkdir: ['EACCES', 'EPERM', 'ENOSPC', 'EDQUOT', 'EROFS', 'ENAMETOOLONG', 'EIO'],
  truncate: ['EPERM', 'EIO', 'EROFS'],
};

interface Case extends Fault {
  readonly call: Call;
}

const nameOf = ({ call, action, error, sticky }: Case): string =>
  `call ${call.number} (${call.kind} ${call.path.replace(/.*\/runs\//, '')}): ${action} ${error ?? ''}${sticky ? ' from then on' : ''}`;

const failing = (): Case[] =>
  calls.flatMap((call) => [
    ...(errors[call.kind] ?? []).flatMap((error) =>
      // A call that is interrupted is made again, so it is not interrupted for ever.
      (error === 'EINTR' ? [false] : [false, true]).map((sticky): Case => ({
        at: call.number,
        kind: call.kind,
        action: 'fail',
        error,
        sticky,
        call,
      })),
    ),
    ...(call.kind === 'write' ? [{ at: call.number, kind: call.kind, action: 'short', call } as const] : []),
  ]);

describe.skipIf(shim === undefined)('with gcc, which compiles what makes system calls fail', () => {
  test('a failing system call loses nothing, and the message names what failed', async () => {
    const chosen = drawn(failing(), cases, 'calls');
    const failures = await failuresOf(chosen, nameOf, async (fault, folder) =>
      judge(folder, await runWithFault(shim ?? '', folder, fault).ended, expected),
    );
    expect(failures.join('\n')).toBe('');
  });

  test('a process that is killed at any system call loses nothing', async () => {
    const kills = calls.map((call): Case => ({ at: call.number, kind: call.kind, action: 'kill', call }));
    const failures = await failuresOf(drawn(kills, cases, 'kills'), nameOf, async (fault, folder) =>
      judge(folder, await runWithFault(shim ?? '', folder, fault).ended, expected),
    );
    expect(failures.join('\n')).toBe('');
  });
});

/** Files of the sweep whose content anybody reads, below the runs directory. */
const recordedFiles = (folder: string): string[] =>
  readdirSync(join(folder, 'runs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, 'runs', name)).isFile())
    .filter((name) => !/log\.txt$|plots\/|\.holder/.test(name))
    .sort();

const damages: Readonly<Record<string, (path: string, random: ReturnType<typeof randomStream>) => void>> = {
  emptied: (path) => truncateSync(path, 0),
  'cut off': (path, random) => truncateSync(path, random.integer(statSync(path).size)),
  garbage: (path, random) =>
    writeFileSync(path, Buffer.from(Array.from({ length: 99 }, () => random.integer(256)))),
  'other JSON': (path) => writeFileSync(path, '{ "id": null, "state": "ended", "runs": {} }\n'),
  'a list': (path) => writeFileSync(path, '[[]]\n'),
  'a bit flipped': (path, random) => {
    const bytes = readFileSync(path);
    const at = random.integer(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(8));
    writeFileSync(path, bytes);
  },
};

test('a damaged file of a finished sweep is repaired, and stops no command', async () => {
  const rounds = cases === Infinity ? 20 : 3;
  const all = recordedFiles(calm).flatMap((file) =>
    Object.keys(damages).flatMap((damage) =>
      Array.from({ length: rounds }, (_, round) => ({ file, damage, round })),
    ),
  );
  const failures = await failuresOf(
    drawn(all, cases, 'damage'),
    ({ file, damage, round }) => `${file} ${damage}, round ${round}`,
    async ({ file, damage, round }, folder) => {
      const random = randomStream(testSeed, 'damage', file, damage, round);
      damages[damage]?.(join(folder, 'runs', file), random);
      const found: string[] = [];
      for (const words of [['ls'], ['compare', '--all']]) {
        const { code, output } = await startUnroll(folder, words).ended;
        if (code !== 0 && !file.startsWith('trial/sweeps/')) found.push(`${words.join(' ')}: ${output}`);
        if (/bug/.test(output)) found.push(`${words.join(' ')} printed: ${output}`);
      }
      const repaired = await startUnroll(folder, ['check', '--repair', '--yes']).ended;
      return [...found, ...(await judge(folder, repaired, expected))];
    },
    () => copyOf(calm),
  );
  expect(failures.join('\n')).toBe('');
});
