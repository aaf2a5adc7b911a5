import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { checkRun } from '../../src/check/check-run.ts';
import { sealed, unsealed } from '../../src/record/digests.ts';
import type { PackManifest } from '../../src/record/packed-run.ts';
import { listRuns } from '../../src/record/read-runs.ts';
import { loadRunDetails } from '../../src/report/run-details.ts';
import { renderRun } from '../../src/report/show.ts';
import { parseStoreAddress } from '../../src/store/address.ts';
import { directoryBackend } from '../../src/store/directory-backend.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { takeRun } from '../../src/store/take-run.ts';
import { acquireLock } from '../../src/system/lock.ts';
import { jsonFileText } from '../../src/system/files.ts';
import { packed, packedPlan, writeSealedRun } from '../support/packed-runs.ts';
import { runTypeScript } from '../support/run-typescript.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const opened = async (root: string): Promise<Store> => {
  const store = await openStore(directoryBackend(root));
  if (!store.ok) throw new Error(store.errors[0]?.message);
  return store.value;
};

const runOf = (index: number) => {
  const run = packedPlan.runs[index];
  if (!run) throw new Error('no run');
  return run;
};

const filled = async () => {
  const root = join(temporaryDirectory(), 'store');
  const store = await opened(root);
  const from = writeSealedRun(temporaryDirectory(), 0);
  expect(await store.push(from)).toMatchObject({ ok: true, value: 'pushed' });
  return { root, store, from };
};

const manifestPath = (root: string, index = 0) =>
  join(root, 'runs', runOf(index).experiment, `${runOf(index).id}.json`);

const contentPath = (root: string, name: string) => {
  const manifest = JSON.parse(readFileSync(manifestPath(root), 'utf8')) as PackManifest;
  const sha256 = manifest.files[name]?.sha256 ?? '';
  return join(root, 'files', sha256.slice(0, 2), sha256);
};

test('a pushed run is pulled with the same files, without its checkpoints, and marked', async () => {
  const { root, store, from } = await filled();
  expect(await store.push(from)).toMatchObject({ ok: true, value: 'there' });
  const runsDirectory = temporaryDirectory();
  expect(await takeRun(store, runOf(0), { runsDirectory })).toEqual({ kind: 'taken' });
  const [run] = listRuns(runsDirectory).runs;
  expect(run?.state).toBe('done');
  const directory = run?.directory ?? '';
  expect((await packed(directory)).manifest).toEqual((await packed(from, false)).manifest);
  expect(JSON.parse(readFileSync(join(directory, 'taken.json'), 'utf8'))).toMatchObject({ store: root });
  const shown = async (of: string) => {
    const details = await loadRunDetails(of);
    return details.ok ? renderRun(details.value, { width: 100, colour: false }) : '';
  };
  expect(await shown(directory)).toContain(`from the store ${root}`);
  expect(await shown(from)).not.toContain('from the store');
  // The made-up tensors are damaged in both; checkpoints are not in a store.
  const problemsIn = async (folder: string) =>
    (await checkRun(folder, { planned: runOf(0), training: '' })).problems
      .map(({ path, kind }) => `${path.replace(folder, '')} ${kind}`)
      .filter((problem) => !problem.startsWith('/checkpoints/'));
  expect(await problemsIn(directory)).toEqual(await problemsIn(from));
  expect(await takeRun(store, runOf(0), { runsDirectory })).toEqual({ kind: 'here' });
  expect(await takeRun(store, runOf(1), { runsDirectory })).toEqual({ kind: 'missing' });
  expect(
    readdirSync(join(runsDirectory, runOf(0).experiment)).filter((name) => !name.startsWith('.')),
  ).toEqual([runOf(0).id]);
  expect([...(await store.finished(runOf(0).experiment))]).toEqual([runOf(0).id]);
});

const namesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [];

test('the state of a run is brought with its checkpoints, the next one replaces it, and nothing of it stays', async () => {
  const root = join(temporaryDirectory(), 'store');
  const { states } = await opened(root);
  const contents: number[] = [];
  for (const step of [30, 60, 90]) {
    const from = writeSealedRun(temporaryDirectory(), 0, { state: 'interrupted', step });
    writeFileSync(join(from, 'checkpoints', 'last.safetensors'), `of step ${step}`);
    await states.save('r-1', await packed(from));
    contents.push(namesBelow(join(root, 'states')).length);
    const directory = join(temporaryDirectory(), runOf(0).experiment, runOf(0).id);
    expect(await states.bring('r-1', directory)).toMatchObject({ ok: true, value: { run: runOf(0).id } });
    const [run] = listRuns(dirname(dirname(directory))).runs;
    expect(run).toMatchObject({ state: 'interrupted', status: { outcome: { step } } });
    expect(readFileSync(join(directory, 'checkpoints', 'last.safetensors'), 'utf8')).toBe(`of step ${step}`);
  }
  expect(new Set(contents).size, `contents: ${contents.join()}`).toBe(1);
  const nowhere = join(temporaryDirectory(), runOf(0).experiment, runOf(0).id);
  expect(await states.bring('r-2', nowhere)).toMatchObject({ ok: true, value: undefined });
  await states.drop('r-1');
  expect(namesBelow(join(root, 'states'))).toEqual([]);
  expect(await states.bring('r-1', nowhere)).toMatchObject({ ok: true, value: undefined });
});

test('a damaged state is refused, and states that nobody renews are removed after a time', async () => {
  const root = join(temporaryDirectory(), 'store');
  const { states } = await opened(root);
  const from = writeSealedRun(temporaryDirectory(), 0, { state: 'interrupted', step: 30 });
  for (const job of ['r-old', 'r-new', 'r-torn']) await states.save(job, await packed(from));
  // A worker that was killed before its first manifest.
  rmSync(join(root, 'states', 'r-torn', 'state.json'));
  const longAgo = new Date(0);
  for (const path of namesBelow(join(root, 'states')))
    if (!path.endsWith(join('r-new', 'state.json'))) utimesSync(path, longAgo, longAgo);
  await states.dropOlder(1000);
  expect(readdirSync(join(root, 'states'))).toEqual(['r-new']);

  const checkpoint = readFileSync(join(from, 'checkpoints', 'last.safetensors'));
  const stored = namesBelow(join(root, 'states', 'r-new')).find((path) =>
    readFileSync(path).equals(checkpoint),
  );
  writeFileSync(stored ?? '', 'other bytes');
  const directory = join(temporaryDirectory(), runOf(0).experiment, runOf(0).id);
  expect(await states.bring('r-new', directory)).toMatchObject({ ok: false });
  expect(existsSync(directory)).toBe(false);
});

test('all who use a store know it by one id', async () => {
  const root = join(temporaryDirectory(), 'store');
  const ids = await Promise.all(Array.from({ length: 8 }, async () => (await opened(root)).id()));
  expect(new Set(ids).size).toBe(1);
  expect(await (await opened(join(temporaryDirectory(), 'store'))).id()).not.toBe(ids[0]);
});

test('a run that another process trains is left alone', async () => {
  const { store } = await filled();
  const runsDirectory = temporaryDirectory();
  const lock = acquireLock(join(runsDirectory, runOf(0).experiment, runOf(0).id, 'lock'));
  if ('heldBy' in lock) throw new Error('held');
  expect(await takeRun(store, runOf(0), { runsDirectory })).toEqual({ kind: 'held' });
  expect(await takeRun(store, runOf(0), { runsDirectory, lockIsHeld: true })).toEqual({ kind: 'taken' });
  lock.release();
});

test('of eight processes that push the same run at once, with two results, one writes it whole', async () => {
  const root = join(temporaryDirectory(), 'store');
  const results = [
    writeSealedRun(temporaryDirectory(), 0),
    writeSealedRun(temporaryDirectory(), 0, { step: 90 }),
  ];
  const directories = Array.from({ length: 8 }, (_, index) => results[index % 2]);
  const script = new URL('../support/push-at-once.ts', import.meta.url).pathname;
  const printed = await runTypeScript(script, { DIRECTORIES: JSON.stringify(directories), STORE: root });
  expect((JSON.parse(printed) as string[]).sort()).toEqual(['pushed', ...Array<string>(7).fill('there')]);
  expect(readdirSync(join(root, 'arriving'))).toEqual([]);
  const runsDirectory = temporaryDirectory();
  expect(await takeRun(await opened(root), runOf(0), { runsDirectory })).toEqual({ kind: 'taken' });
  const manifests = await Promise.all(results.map(async (one) => (await packed(one, false)).manifest));
  expect(manifests).toContainEqual((await packed(listRuns(runsDirectory).runs[0]?.directory ?? '')).manifest);
});

const spoil: Readonly<Record<string, (root: string) => void>> = {
  'an edited file': (root) => writeFileSync(contentPath(root, 'metrics.jsonl'), '{}\n'),
  'a file that is longer': (root) =>
    writeFileSync(contentPath(root, 'log.txt'), `${readFileSync(contentPath(root, 'log.txt'), 'utf8')}x`),
  'a missing file': (root) => rmSync(contentPath(root, 'evaluation.json')),
  'a link to a file of this machine': (root) => {
    const path = contentPath(root, 'log.txt');
    rmSync(path);
    symlinkSync('/etc/hostname', path);
  },
  'a pipe in place of a file': (root) => {
    const path = contentPath(root, 'log.txt');
    rmSync(path);
    execFileSync('mkfifo', [path]);
  },
  'a pipe in place of the manifest': (root) => {
    rmSync(manifestPath(root));
    execFileSync('mkfifo', [manifestPath(root)]);
  },
  'half a manifest': (root) =>
    writeFileSync(manifestPath(root), readFileSync(manifestPath(root)).subarray(0, 200)),
  'an endless manifest': (root) => writeFileSync(manifestPath(root), Buffer.alloc(8 * 2 ** 20, 0x20)),
  'the manifest of another run': (root) => {
    const manifest = JSON.parse(readFileSync(manifestPath(root), 'utf8')) as PackManifest;
    const content = unsealed(manifest);
    writeFileSync(manifestPath(root), jsonFileText(sealed({ ...content, run: runOf(1).id })));
  },
};

for (const [what, act] of Object.entries(spoil))
  test(`a store with ${what} harms nothing`, async () => {
    const { root, store, from } = await filled();
    act(root);
    const runsDirectory = temporaryDirectory();
    const taken = await takeRun(store, runOf(0), { runsDirectory }).catch((error: unknown) => ({
      kind: 'error',
      error,
    }));
    expect(['bad', 'error']).toContain(taken.kind);
    expect(listRuns(runsDirectory)).toMatchObject({ runs: [], problems: [] });
    if (what.includes('pipe')) return;
    expect(await store.push(from, { force: true })).toMatchObject({ ok: true, value: 'pushed' });
    expect(await takeRun(store, runOf(0), { runsDirectory })).toEqual({ kind: 'taken' });
  });

test('a store of a later format is neither read nor changed', async () => {
  const root = temporaryDirectory();
  writeFileSync(join(root, 'unroll-store.json'), '{"format": 2}');
  expect(await openStore(directoryBackend(root))).toMatchObject({
    ok: false,
    errors: [{ code: 'newer-format' }],
  });
  expect(readdirSync(root)).toEqual(['unroll-store.json']);
});

test('a store in a folder that does not exist is an error, not a new folder', async () => {
  const root = join(temporaryDirectory(), 'not', 'mounted');
  const store = await openStore(directoryBackend(root));
  expect(store).toMatchObject({ ok: false, errors: [{ code: 'store' }] });
  expect(existsSync(dirname(root))).toBe(false);
});

test('foreign names in a store are passed over', async () => {
  const { root, store } = await filled();
  mkdirSync(join(root, 'runs', '..evil'), { recursive: true });
  for (const name of [
    'runs/..evil/0123456789ab.json',
    'runs/readme.txt',
    `runs/${runOf(0).experiment}/x.json`,
  ])
    writeFileSync(join(root, name), '{}');
  cpSync(manifestPath(root), join(root, 'runs', runOf(0).experiment, 'copy of it.json'));
  expect(await store.experiments()).toEqual([runOf(0).experiment]);
  expect([...(await store.finished(runOf(0).experiment))]).toEqual([runOf(0).id]);
});

test('addresses', () => {
  const read = (text: string) => {
    const address = parseStoreAddress(text, '/base');
    return address.ok ? address.value : address.errors[0]?.code;
  };
  expect(read('shared/runs')).toEqual({ kind: 'directory', path: '/base/shared/runs' });
  expect(read('/data/runs')).toEqual({ kind: 'directory', path: '/data/runs' });
  expect(read('s3://my-bucket')).toEqual({ kind: 's3', bucket: 'my-bucket', prefix: '' });
  expect(read('s3://my-bucket/team/unroll/')).toEqual({
    kind: 's3',
    bucket: 'my-bucket',
    prefix: 'team/unroll',
  });
  for (const wrong of [
    '',
    ' ',
    'ftp://host/x',
    'https://host/x',
    's3://',
    's3://Upper',
    's3://b/../x',
    's3://bucket/a b',
  ])
    expect(read(wrong), wrong).toBe('store');
});
