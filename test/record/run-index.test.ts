import { createHash } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listRuns } from '../../src/record/read-runs.ts';
import { makePlan, writeRunDirectory, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const plan = makePlan({ axes: { 'model.hiddenSize': Array.from({ length: 80 }, (_, i) => i + 1) } });

/** Files that were written just now are not trusted to stay as they are, so those of a test are made old. */
const age = (directory: string) => {
  for (const name of ['run.json', 'status.json']) {
    if (existsSync(join(directory, name))) utimesSync(join(directory, name), 1_000_000, 1_000_000);
  }
};

const indexed = () => {
  const runs = temporaryDirectory();
  const directories = writeSweep(runs, plan, (_run, index) => ({
    detail: false,
    ...(index % 7 === 3 && { state: 'diverged' as const }),
  }));
  directories.forEach(age);
  const index = join(runs, plan.experiment, '.index');
  const list = listRuns(runs);
  expect(existsSync(index)).toBe(true);
  return { runs, directories, index, list };
};

test('an index is used while it is sealed, and a changed one is not', () => {
  const { runs, index, list } = indexed();
  expect(listRuns(runs)).toEqual(list);
  const body = readFileSync(index, 'utf8').split('\n').slice(1).join('\n');
  const changed = body.replaceAll('"attempt":1', '"attempt":9');
  const attempts = () => new Set(listRuns(runs).runs.map((one) => one.status?.attempt));
  writeFileSync(index, `${createHash('sha256').update(changed).digest('hex')}\n${changed}`);
  expect(attempts()).toEqual(new Set([9]));
  writeFileSync(index, `${createHash('sha256').update(body).digest('hex')}\n${changed}`);
  expect(attempts()).toEqual(new Set([1]));
});

/** Overwrites a byte in place, so that neither the size nor the inode changes. */
const flip = (path: string, at: number) => {
  if (!existsSync(path)) return;
  const bytes = readFileSync(path);
  if (bytes.length === 0) return;
  bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
  writeFileSync(path, bytes);
};

const edits: Readonly<
  Record<string, (at: { directory: string; index: string; runs: string }, number: number) => void>
> = {
  'a byte of status.json': ({ directory }, number) => flip(join(directory, 'status.json'), number),
  'a byte of run.json': ({ directory }, number) => flip(join(directory, 'run.json'), number),
  'status.json is gone': ({ directory }) => rmSync(join(directory, 'status.json'), { force: true }),
  'run.json is gone': ({ directory }) => rmSync(join(directory, 'run.json'), { force: true }),
  'the run is gone': ({ directory }) => rmSync(directory, { recursive: true, force: true }),
  'the run is made again': ({ runs }, number) => {
    const run = plan.runs[number % plan.runs.length];
    if (run) writeRunDirectory(runs, run, { detail: false, step: number % 100 });
  },
  'a byte of the index': ({ index }, number) => flip(index, number),
  'the index is cut off': ({ index }, number) => {
    if (existsSync(index)) writeFileSync(index, readFileSync(index).subarray(0, number));
  },
  'the index is gone': ({ index }) => rmSync(index, { force: true }),
};

test('whatever is changed by hand, the list is that of the directories', () => {
  const { runs, directories, index } = indexed();
  const truth = () => {
    const aside = `${index}-aside`;
    if (existsSync(index)) renameSync(index, aside);
    const list = listRuns(runs);
    rmSync(index, { force: true });
    if (existsSync(aside)) renameSync(aside, index);
    return list;
  };
  const edit = fc.record({
    what: fc.constantFrom(...Object.keys(edits)),
    number: fc.nat(50_000),
    aged: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (list) => {
      for (const { what, number, aged } of list) {
        const directory = directories[number % directories.length] ?? '';
        edits[what]?.({ directory, index, runs }, number);
        if (aged && existsSync(directory)) age(directory);
        expect(listRuns(runs), what).toEqual(truth());
      }
    }),
    { numRuns: 40 },
  );
  expect(readdirSync(join(runs, plan.experiment)).some((name) => name.endsWith('.tmp'))).toBe(false);
});
