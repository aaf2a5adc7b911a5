import { createWriteStream, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { openBundle, writeBundle } from '../../src/verify/bundle-file.ts';
import { bundledSubject } from '../../src/verify/bundle-run.ts';
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
