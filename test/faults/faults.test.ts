import { cpSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { randomStream } from '../../src/data/random.ts';
import { testSeed } from '../support/seed.ts';
import { type Call, callAtEach, oneFor, oneOfEach, withoutIds } from './cases.ts';
import {
  type Fault,
  judge,
  runWithFault,
  startUnroll,
  tryAll,
  undisturbedSweep,
  unrollHere,
} from './harness.ts';

/**
 * Faults of disks and processes, on real sweeps: each system call below the runs directory fails, is cut short, or is the
 * moment of a kill; each recorded file is damaged. `npm run test:faults` tries every call with every error.
 */
const { shim, calm } = undisturbedSweep();

/** Errors that a kind of call can meet. */
const errors: Readonly<Record<string, readonly Exclude<Fault['error'], undefined>[]>> = {
  open: ['EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ELOOP', 'ENAMETOOLONG', 'EBUSY', 'EIO'],
  // Opened for writing.
  create: [
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
  rmdir: ['EACCES', 'EPERM', 'EBUSY', 'EROFS', 'EIO'],
  truncate: ['EPERM', 'EIO', 'EROFS'],
  list: ['EACCES', 'EMFILE', 'ENFILE', 'EIO'],
};

interface Case extends Fault {
  readonly call: Call;
}

const nameOf = ({ call, action, error, sticky }: Case): string =>
  `${call.place}: ${action}${error ? ` ${error}` : ''}${sticky ? ' from then on' : ''}`;

type Effect = Pick<Fault, 'action' | 'error' | 'sticky'>;

/** What a call can meet but a kill. */
const effectsOn = ({ kind, place }: Call): Effect[] => {
  const ofKind = errors[kind] ?? [];
  // A call that is interrupted is made again, so it is not interrupted for ever.
  const lasting = ofKind.filter((error) => error !== 'EINTR');
  return [
    ...ofKind.map((error) => ({ action: 'fail', error }) as const),
    { action: 'fail', error: oneFor(`lasting ${place}`, lasting), sticky: true },
    ...(kind === 'write' ? [{ action: 'short' } as const] : []),
  ];
};

/** Each call with each effect, at one of the sweep's runs. */
const failing = (): readonly Case[] =>
  oneOfEach(
    calm().calls.flatMap((call) =>
      effectsOn(call).map((effect): Case => ({ at: call.number, kind: call.kind, call, ...effect })),
    ),
    nameOf,
    'run',
  );

const killing = (): readonly Case[] =>
  callAtEach(calm().calls, 'kill').map((call) => ({
    at: call.number,
    kind: call.kind,
    action: 'kill',
    call,
  }));

describe.skipIf(shim === undefined)('with gcc, which compiles what makes system calls fail', () => {
  const attempt = async (fault: Case, folder: string) =>
    judge(folder, await runWithFault(shim ?? '', folder, fault).ended, calm().numbers);

  test('a failing system call loses nothing, and the message names what failed', () =>
    tryAll(failing(), 50, nameOf, attempt));

  test('a process that is killed at any system call loses nothing', () =>
    tryAll(killing(), 50, nameOf, attempt));
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

interface Damaged {
  readonly file: string;
  readonly damage: string;
  /** Another time with other random numbers. */
  readonly round: number;
}

/** Damages that differ from one time to the next. */
const isRandom = (damage: string): boolean => ['cut off', 'garbage', 'a bit flipped'].includes(damage);

const nameOfDamage = ({ file, damage, round }: Damaged): string =>
  `${withoutIds(file)} ${damage}, round ${round}`;

/** Each file with each damage, at one of the sweep's runs. */
const damaging = (): readonly Damaged[] =>
  oneOfEach(
    recordedFiles(calm().folder).flatMap((file) =>
      Object.keys(damages).flatMap((damage) =>
        Array.from({ length: isRandom(damage) ? 3 : 1 }, (_, round) => ({ file, damage, round })),
      ),
    ),
    nameOfDamage,
    'run',
  );

test('a damaged file of a finished sweep is repaired, and stops no command', () =>
  tryAll(damaging(), 60, nameOfDamage, async ({ file, damage, round }, folder) => {
    cpSync(join(calm().folder, 'runs'), join(folder, 'runs'), { recursive: true });
    const random = randomStream(testSeed, 'damage', file, damage, round);
    damages[damage]?.(join(folder, 'runs', file), random);
    const found: string[] = [];
    for (const words of [['ls'], ['compare', '--all']]) {
      const { code, output } = await unrollHere(folder, words);
      if (code !== 0 && !file.startsWith('trial/sweeps/')) found.push(`${words.join(' ')}: ${output}`);
      if (/bug|unhandled/.test(output)) found.push(`${words.join(' ')} printed: ${output}`);
    }
    const repaired = await startUnroll(folder, ['check', '--repair', '--yes']).ended;
    return [...found, ...(await judge(folder, repaired, calm().numbers, { mayLack: true }))];
  }));
