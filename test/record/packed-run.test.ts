import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sealed, unsealed } from '../../src/record/digests.ts';
import { packRun, readManifest, unpackRun, readPacked, type PackedRun } from '../../src/record/packed-run.ts';
import { listRuns } from '../../src/record/read-runs.ts';
import { openerOf, packed, packedPlan, unpackHere, writeSealedRun } from '../support/packed-runs.ts';
import { runTypeScript } from '../support/run-typescript.ts';
import { testSeed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const source = 'The test';
const experiment = packedPlan.experiment;
const bytesOf = ({ files }: PackedRun) => Buffer.concat(files.map(({ path }) => readFileSync(path)));
const filesBelow = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'base64')]),
  );
const messageOf = (result: { ok: boolean; errors?: readonly { message: string }[] }) =>
  result.errors?.[0]?.message;
const target = (runs: string, index = 0) => join(runs, experiment, packedPlan.runs[index]?.id ?? '');

test('a packed run arrives with the same bytes, with checkpoints only where they are asked for', async () => {
  const from = writeSealedRun(temporaryDirectory());
  mkdirSync(join(from, 'mlflow'));
  writeFileSync(join(from, 'mlflow', 'sent.json'), '{}');
  writeFileSync(join(from, 'lock'), '{}');
  for (const checkpoints of [true, false]) {
    const runs = temporaryDirectory();
    const pack = await packed(from, checkpoints);
    expect(pack.files.at(-1)?.name).toBe('status.json');
    const unpacked = await unpackHere(pack, target(runs));
    expect(unpacked).toMatchObject({ ok: true, value: pack.manifest });
    const expected = Object.entries(filesBelow(from)).filter(
      ([name]) => !/^(mlflow|lock)/.test(name) && (checkpoints || !name.startsWith('checkpoints')),
    );
    expect(filesBelow(target(runs))).toEqual(Object.fromEntries(expected));
    expect(listRuns(runs).runs.map(({ state }) => state)).toEqual(['done']);
    expect(readdirSync(join(runs, experiment))).toEqual([packedPlan.runs[0]?.id]);
  }
});

test('a run with a changed, missing or linked file is not packed', async () => {
  const spoil: Record<string, (directory: string) => void> = {
    'metrics.jsonl has changed': (directory) => writeFileSync(join(directory, 'metrics.jsonl'), '{}\n'),
    'evaluation.json is missing': (directory) => rmSync(join(directory, 'evaluation.json')),
    'status.json has changed': (directory) => {
      const path = join(directory, 'status.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace('"attempt": 1', '"attempt": 2'));
    },
    'log.txt is not a regular file': (directory) => {
      rmSync(join(directory, 'log.txt'));
      symlinkSync('/etc/hostname', join(directory, 'log.txt'));
    },
    'weights.safetensors is not a regular file': (directory) => {
      cpSync(join(directory, 'model'), join(directory, 'elsewhere'), { recursive: true });
      rmSync(join(directory, 'model'), { recursive: true });
      symlinkSync('elsewhere', join(directory, 'model'));
    },
  };
  for (const [message, act] of Object.entries(spoil)) {
    const directory = writeSealedRun(temporaryDirectory());
    act(directory);
    expect(messageOf(await packRun(directory, { checkpoints: true })), message).toContain(message);
  }
});

test('a file that changes after it was packed is noticed at its end', async () => {
  const directory = writeSealedRun(temporaryDirectory());
  const pack = await packed(directory);
  const weights = pack.files.find(({ name }) => name.endsWith('weights.safetensors'));
  if (!weights) throw new Error('no weights');
  writeFileSync(weights.path, Buffer.alloc(weights.bytes, 7));
  await expect(Readable.from(readPacked(weights)).toArray()).rejects.toThrow('changed while it was sent');
});

test('a log that grows after it was packed is sent as it was', async () => {
  const from = writeSealedRun(temporaryDirectory(), 0, { state: 'interrupted', step: 50 });
  const pack = await packed(from);
  const before = readFileSync(join(from, 'log.txt'), 'utf8');
  writeFileSync(join(from, 'log.txt'), `${before}one more line\n`);
  const directory = target(temporaryDirectory());
  expect((await unpackHere(pack, directory)).ok).toBe(true);
  expect(readFileSync(join(directory, 'log.txt'), 'utf8')).toBe(before);
});

test('an earlier record is replaced; what was sent to MLflow stays only with the same training', async () => {
  for (const same of [true, false]) {
    const runs = temporaryDirectory();
    const directory = writeSealedRun(runs, 0, { state: 'interrupted', step: 50, firstStartedAt: 7 });
    for (const [name, text] of Object.entries({
      'mlflow/sent.json': '{}',
      lock: '{}',
      'plots/loss.svg': '',
    })) {
      mkdirSync(join(directory, name, '..'), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
    const from = writeSealedRun(temporaryDirectory(), 0, { firstStartedAt: same ? 7 : 8 });
    const pack = await packed(from, false);
    expect((await unpackHere(pack, directory)).ok).toBe(true);
    expect(existsSync(join(directory, 'mlflow/sent.json'))).toBe(same);
    expect(existsSync(join(directory, 'plots'))).toBe(false);
    expect(existsSync(join(directory, 'checkpoints'))).toBe(false);
    expect(readFileSync(join(directory, 'lock'), 'utf8')).toBe('{}');
    expect((await packed(directory, true)).manifest).toEqual(pack.manifest);
  }
});

test(`no hostile manifest writes anything (seed ${testSeed})`, async () => {
  const from = writeSealedRun(temporaryDirectory());
  const { manifest } = await packed(from);
  const content = unsealed(manifest);
  const digest = { bytes: 4, sha256: 'a'.repeat(64) };
  const name = fc.oneof(
    fc.constantFrom(
      '../run.json',
      '/etc/passwd',
      'model/../../x',
      'model\\x',
      'lock',
      'writer',
      'mlflow/sent.json',
      '',
      '.',
      '..',
      'checkpoints/../../last.safetensors',
      'checkpoints/best.safetensors\0',
      'run.json/',
      'RUN.JSON',
      '__proto__',
      'constructor',
      'plots/loss.svg',
      'checkpoints/step-1.safetensors',
      'sweeps/1.json',
    ),
    fc.string(),
  );
  const known = new Set(Object.keys(manifest.files));
  const hostile = fc.oneof(
    name
      .filter((one) => !known.has(one))
      .map((one) => ({
        ...content,
        files: Object.fromEntries([...Object.entries(content.files), [one, digest]]),
      })),
    fc.constantFrom('run.json', 'status.json').map((one) => ({
      ...content,
      files: Object.fromEntries(Object.entries(content.files).filter(([key]) => key !== one)),
    })),
    fc
      .constantFrom(-1, 0.5, 2 ** 60, Number.MAX_SAFE_INTEGER, 1e308)
      .map((bytes) => ({ ...content, files: { ...content.files, 'metrics.jsonl': { ...digest, bytes } } })),
    fc
      .constantFrom('run.json', 'status.json', 'evaluation.json')
      .map((one) => ({ ...content, files: { ...content.files, [one]: { ...digest, bytes: 2 ** 30 } } })),
    fc
      .constantFrom('A'.repeat(64), '../x', '', 'a'.repeat(63), 5)
      .map((sha256) => ({ ...content, files: { ...content.files, 'log.txt': { bytes: 4, sha256 } } })),
    fc
      .constantFrom('..', '../..', 'sweeps', 'abc', '0123456789abcdef', '', '0123456789AB')
      .map((run) => ({ ...content, run })),
    fc
      .constantFrom('..', '.hidden', 'a/b', '', '-rf', 'x'.repeat(65))
      .map((one) => ({ ...content, experiment: one })),
    fc.constantFrom(0, 2, 99, '1', null).map((format) => ({ ...content, format })),
    fc.jsonValue().filter((value) => typeof value !== 'object' || value === null || !('format' in value)),
  );
  const runs = temporaryDirectory();
  const directory = target(runs);
  await fc.assert(
    fc.asyncProperty(hostile, fc.boolean(), async (value, withSeal) => {
      const given = withSeal && typeof value === 'object' && value !== null ? sealed(value) : value;
      let opened = 0;
      const open = () => {
        opened++;
        return Readable.from([Buffer.from('evil')]);
      };
      const result = await unpackRun(given, { directory, source, open });
      expect(result.ok).toBe(false);
      expect(opened).toBe(0);
      expect(readdirSync(runs)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('a manifest of a later format is named as such', () => {
  const result = readManifest({ format: 2 }, { source });
  expect(result).toMatchObject({ ok: false, errors: [{ code: 'newer-format' }] });
});

test('the total size is bounded', async () => {
  const { manifest } = await packed(writeSealedRun(temporaryDirectory()));
  expect(messageOf(readManifest(manifest, { source, maxBytes: 1000 }))).toContain(
    'more than the 1000 that are allowed',
  );
});

test(`contents that are cut, changed or of another run leave nothing (seed ${testSeed})`, async () => {
  const pack = await packed(writeSealedRun(temporaryDirectory()));
  const whole = bytesOf(pack);
  const runs = temporaryDirectory();
  const directory = target(runs);
  const cut = fc.nat(whole.length - 1).map((length) => whole.subarray(0, length));
  const changed = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ by;
    return bytes;
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(cut, changed), async (bytes) => {
      const open = openerOf(pack, bytes);
      expect((await unpackRun(pack.manifest, { directory, source, open })).ok).toBe(false);
      expect(listRuns(runs)).toMatchObject({ runs: [], problems: [] });
      expect(existsSync(directory)).toBe(false);
    }),
    { numRuns: 60 },
  );
  expect(messageOf(await unpackHere(pack, target(runs, 1)))).toContain('in place of');
});

test('files that match the manifest but not the record are refused', async () => {
  const from = writeSealedRun(temporaryDirectory());
  const other = writeSealedRun(temporaryDirectory(), 1);
  const pack = await packed(from);
  const strange = await packed(other);
  const directory = target(temporaryDirectory());
  for (const name of ['evaluation.json', 'run.json', 'status.json']) {
    const swap = strange.files.find((file) => file.name === name);
    if (!swap) throw new Error(name);
    const { bytes, sha256 } = swap;
    const content = unsealed(pack.manifest);
    const manifest = sealed({ ...content, files: { ...content.files, [name]: { bytes, sha256 } } });
    const all = new Map(pack.files.map((file) => [file.name, file]));
    const open = (wanted: string) => {
      const file = wanted === name ? swap : all.get(wanted);
      if (!file) throw new Error(wanted);
      return readPacked(file);
    };
    expect((await unpackRun(manifest, { directory, source, open })).ok, name).toBe(false);
    expect(existsSync(directory)).toBe(false);
  }
});

test('a process that is killed at any call leaves no run, the earlier one, or the whole new one', async () => {
  const earlier = temporaryDirectory();
  writeSealedRun(earlier, 0, { state: 'interrupted', step: 50, firstStartedAt: 7 });
  const from = writeSealedRun(temporaryDirectory(), 0, { firstStartedAt: 8 });
  const pack = await packed(from);
  const script = new URL('../support/unpack-and-die.ts', import.meta.url).pathname;
  const env = { FROM: from, EARLIER: earlier, NAME: target(''), OUT: temporaryDirectory() };
  const folders = JSON.parse(await runTypeScript(script, env)) as string[];
  const states = new Set<string>();
  for (const runs of folders) {
    const [run, ...others] = listRuns(runs).runs;
    if (!run || others.length > 0) throw new Error(`${runs} has ${others.length} other runs`);
    states.add(run.state);
    if (run.state === 'done') expect((await packed(run.directory)).manifest).toEqual(pack.manifest);
    expect((await unpackHere(pack, run.directory)).ok).toBe(true);
    expect((await packed(run.directory)).manifest).toEqual(pack.manifest);
    expect(readdirSync(join(runs, experiment))).toEqual([run.run.id]);
  }
  expect([...states].sort()).toEqual(['done', 'interrupted', 'new']);
});
