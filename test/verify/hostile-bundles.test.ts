import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { sealed } from '../../src/record/digests.ts';
import { parseRun, parseStatus } from '../../src/record/parse-run-files.ts';
import { jsonFileText } from '../../src/system/files.ts';
import { openBundle, writeBundle } from '../../src/verify/bundle-file.ts';
import { bundledSubject } from '../../src/verify/bundle-run.ts';
import { changedFiles } from '../../src/verify/differences.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const id = '0123456789ab';
const manifest = {
  ...{ unroll: '0', experiment: 'x', run: id, spec: null },
  ...{ config: null, startWeights: null, data: null },
};

test('a bundle that would become larger than itself is refused, and not unpacked', async () => {
  const folder = temporaryDirectory();
  const path = join(folder, 'bomb.zip');
  const zip = new ZipFile();
  zip.addBuffer(Buffer.alloc(50_000_000), 'zeros');
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  expect(await openBundle(path, join(folder, 'out'))).toMatchObject({
    errors: [{ message: expect.stringContaining('its files would be larger than itself') as string }],
  });
  expect(existsSync(join(folder, 'out', 'zeros'))).toBe(false);
});

test.each([
  ['run', { run: '../..' }],
  ['config', { config: '/etc/unroll.config.ts' }],
  ['data', { data: { file: 'data/../../secret.csv' } }],
  ['vectors', { vectors: { file: '../secret.txt', tokens: null } }],
  ['tokens of vectors', { vectors: { file: 'vectors.npy', tokens: '/etc/passwd' } }],
  ['data with a null byte', { data: { file: 'data\0.csv' } }],
])('a bundle whose %s is outside of it is refused', async (_, changed) => {
  const folder = temporaryDirectory();
  const path = join(folder, 'a.unroll');
  await writeBundle(path, new Map([['spec.yaml', { text: '' }]]), { ...manifest, ...changed });
  expect(await openBundle(path, join(folder, 'out'))).toMatchObject({
    errors: [{ code: 'damaged-record', message: expect.stringContaining('outside of it') as string }],
  });
});

test('a bundle without the status of its run is refused', async () => {
  const folder = temporaryDirectory();
  const path = join(folder, 'a.unroll');
  const run = { id, experiment: 'x', seed: 1, config: {}, versions: {}, datasetDigest: 'a' };
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run));
  await writeBundle(path, new Map([[`${id}/run.json`, { path: join(folder, 'run.json') }]]), manifest);
  const subject = await bundledSubject(path, { folder: join(folder, 'out') });
  expect(subject).toMatchObject({ ok: false, errors: [{ code: 'damaged-record' }] });
});

/** A zip file of these entries. */
const zipOf = async (folder: string, entries: readonly (readonly [name: string, text: string])[]) => {
  const path = join(folder, 'a.unroll');
  const zip = new ZipFile();
  for (const [name, text] of entries) zip.addBuffer(Buffer.from(text), name, { compress: false });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
};

const listed = { bytes: 0, sha256: 'a' };

const manifestText = (changed: object) =>
  jsonFileText(sealed({ format: 1, ...manifest, files: {}, ...changed }));

test.each<[string, readonly (readonly [string, string])[], string]>([
  ['a later format', [['bundle.json', manifestText({ format: 2 })]], 'has format 2'],
  [
    'a file in the place of a folder',
    [
      ['bundle.json', manifestText({ files: { a: listed, 'a/b': listed } })],
      ['a', ''],
      ['a/b', ''],
    ],
    'has files whose names cannot be used together',
  ],
  [
    'a name that is too long',
    [
      ['bundle.json', manifestText({ files: { ['a'.repeat(5000)]: listed } })],
      ['a'.repeat(5000), ''],
    ],
    'has files whose names cannot be used together',
  ],
  ['very many folders', [[`${'a/'.repeat(1000)}b`, '']], 'it has folders in too many levels'],
  [
    'a null byte in a name',
    [
      ['bundle.json', manifestText({ files: { 'a\0b': listed } })],
      ['a\0b', ''],
    ],
    'which is outside of it',
  ],
  [
    'no manifest among very many files',
    Array.from({ length: 20_000 }, (_, at) => [`f${at}`, '']),
    'has no bundle.json',
  ],
  [
    'a folder in the place of a file',
    [
      ['bundle.json', manifestText({ files: { spec: { bytes: 1, sha256: 'a' } } })],
      ['spec/a', ''],
    ],
    'lacks spec',
  ],
  [
    'a file below a file',
    [['bundle.json', manifestText({ files: { 'bundle.json/x': { bytes: 1, sha256: 'a' } } })]],
    'lacks bundle.json/x',
  ],
  [
    'deep JSON as its manifest',
    [
      [
        'bundle.json',
        manifestText({}).replace(
          '"format": 1',
          `"x": ${'['.repeat(300_000)}${']'.repeat(300_000)}, "format": 1`,
        ),
      ],
    ],
    'has no bundle.json that this version of Unroll reads',
  ],
])('a bundle with %s is one message', async (_, entries, message) => {
  const folder = temporaryDirectory();
  const opened = await openBundle(await zipOf(folder, entries), join(folder, 'out'));
  expect(opened).toMatchObject({ errors: [{ message: expect.stringContaining(message) as string }] });
});

test.each(['/dev/zero', '../../../../../etc/hostname', 'a/../../b', 'a\0b'])(
  'a status that names the file %j of its run is refused, and the file is not read',
  (name) => {
    const text = JSON.stringify({
      ...{ state: 'ended', attempt: 1, startedAt: 0, endedAt: 0, outcome: null, holder: null },
      files: { [name]: { bytes: 1, sha256: 'a' } },
    });
    expect(parseStatus('status.json', text)).toMatchObject({
      errors: [{ message: `status.json names ${JSON.stringify(name)}, which is not a file of a run.` }],
    });
  },
);

test('a damaged record in a bundle is an error that names the bundle, and no folder of this command', async () => {
  const folder = temporaryDirectory();
  const path = join(folder, 'a.unroll');
  await writeBundle(path, new Map([[`${id}/run.json`, { text: '{"a":' }]]), manifest);
  expect(await bundledSubject(path, { folder: join(folder, 'out') })).toMatchObject({
    errors: [
      { severity: 'error', message: `${path} has a damaged record: ${id}/run.json is not whole JSON.` },
    ],
  });
});

test('what a bundle has and its manifest does not list is not unpacked', async () => {
  const folder = temporaryDirectory();
  const text = 'version: 1';
  const spec = { bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') };
  const path = await zipOf(folder, [
    ['bundle.json', manifestText({ files: { 'spec.yaml': spec } })],
    ['spec.yaml', text],
    ['code/unroll.config.ts', 'export default {}'],
  ]);
  expect(await openBundle(path, join(folder, 'out'))).toMatchObject({ ok: true });
  expect(readdirSync(join(folder, 'out'))).toEqual(['spec.yaml']);
});

test('a record whose experiment leads out of the runs directory is refused', () => {
  const recorded = readFileSync('test/fixtures/recorded-by-0.1.0/runs/csv/de33ab8a421e/run.json', 'utf8');
  expect(parseRun('run.json', recorded)).toMatchObject({ ok: true });
  for (const experiment of ['../../../tmp/x', '/tmp/x', 'a/b', '..', '']) {
    const changed = JSON.stringify({ ...(JSON.parse(recorded) as object), experiment });
    expect(parseRun('run.json', changed), experiment).toMatchObject({
      errors: [{ message: 'run.json has no usable `experiment`.' }],
    });
  }
});

test('recorded files whose names no file can have count as changed', () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'model'));
  writeFileSync(join(directory, 'run.json'), '{}');
  const names = ['model', 'run.json/x', 'a'.repeat(5000)];
  const files = Object.fromEntries(names.map((name) => [name, { bytes: 1, sha256: 'b'.repeat(64) }]));
  const status = {
    state: 'ended',
    attempt: 1,
    startedAt: 0,
    endedAt: 0,
    outcome: null,
    holder: null,
  } as const;
  expect(changedFiles(directory, { ...status, files })).toEqual(
    names.map((what) => ({ what, recorded: 'b'.repeat(12), now: null })),
  );
});
