import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../src/data/random.ts';
import { testSeed } from '../support/seed.ts';

/** A system call of a sweep below its runs directory. */
export interface Call {
  readonly number: number;
  readonly kind: string;
  readonly path: string;
  /** Calls of the same kind on the same file that came before. */
  readonly before: number;
  /** What it does, whichever time: kind and file. */
  readonly site: string;
  /** What it is the call for, the same in every sweep and for every run of one: kind, file and how many came before. */
  readonly place: string;
}

/** What is the same for every run. */
export const withoutIds = (path: string): string => path.replace(/[0-9a-f]{12}/g, 'ID');

/** Parts of a file's name that are new each time: of temporary files, of markers, and of a server with its port. */
const newNames = /\.\d+-\d+\.tmp|[0-9a-f-]{36}|-\d+-[0-9a-f]{6}(?=\.(?:json|lock))/g;

/** The calls of a folder's commands so far. */
export const callsOf = (folder: string): Call[] => {
  const runs = join(folder, 'runs');
  const log = join(folder, 'calls');
  const counts = new Map<string, number>();
  return (existsSync(log) ? readFileSync(log, 'utf8') : '')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [number = '', kind = '', ...words] = line.split(' ');
      const path = words.join(' ');
      const file = path.replace(runs, '').replace(newNames, 'NEW');
      const own = `${kind} ${file}`;
      const before = counts.get(own) ?? 0;
      counts.set(own, before + 1);
      const site = withoutIds(own);
      return { number: Number(number), kind, path, before, site, place: `${site} ${before}` };
    });
};

/** Items in groups of the same key. */
const grouped = <T>(items: readonly T[], key: (item: T) => string): readonly T[][] => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
};

/** One of several, drawn from the tests' seed for a purpose: another seed tries others. */
export const oneFor = <T>(purpose: string, choices: readonly T[]): T => {
  const chosen = choices[randomStream(testSeed, 'faults', purpose).integer(choices.length)];
  if (chosen === undefined) throw new Error(`nothing to choose for ${purpose}`);
  return chosen;
};

/** One of each group that do the same, such as the same call for each run of a sweep. */
export const oneOfEach = <T>(items: readonly T[], key: (item: T) => string, purpose: string): readonly T[] =>
  grouped(items, key).map((twins) => oneFor(`${purpose} ${twins.map(key)[0] ?? ''}`, twins));

/** One of the calls at each place. */
export const callAtEach = (calls: readonly Call[], purpose: string): readonly Call[] =>
  oneOfEach(calls, ({ place }) => place, purpose);

interface Choice {
  /** How many cases of each kind, as a multiple of those in CI. */
  readonly share: number;
  /** The part that is tried, of so many. */
  readonly part: number;
  readonly of: number;
  /** Only cases with this in their name. */
  readonly named: string;
}

const everyCase: Choice = { share: Infinity, part: 1, of: 1, named: '' };

/**
 * Which cases are tried, by UNROLL_FAULTS: as many as in CI (1), a share of that (0.1), `all`, one part of all (`3/20`), so
 * that the long form can be split over machines or sittings, or those whose printed name contains a string.
 */
const choice = ((): Choice => {
  const { UNROLL_FAULTS: setting = '' } = process.env;
  // A script may set it to nothing.
  if (setting === '') return { ...everyCase, share: 1 };
  if (setting === 'all') return everyCase;
  const [, part, of] = /^(\d+)\/(\d+)$/.exec(setting) ?? [];
  if (part !== undefined) return { ...everyCase, part: Number(part), of: Number(of) };
  const share = Number(setting);
  if (share <= 0) throw new Error(`UNROLL_FAULTS=${setting} tries nothing.`);
  return Number.isNaN(share) ? { ...everyCase, named: setting } : { ...everyCase, share };
})();

/** Some of many, in their order, drawn from the tests' seed. By its name a case is in the same part each time. */
export const drawn = <T>(all: readonly T[], inShort: number, name: (one: T) => string): readonly T[] => {
  const { share, part, of, named } = choice;
  return all
    .map((one, index) => ({ one, index, at: randomStream(testSeed, 'faults', name(one)).uniform() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, Math.ceil(inShort * share))
    .filter(({ at }) => Math.floor(at * of) === part - 1)
    .filter(({ one }) => name(one).includes(named))
    .sort((a, b) => a.index - b.index)
    .map(({ one }) => one);
};
