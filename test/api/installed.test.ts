import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cacheFolder } from '../../src/system/cache-folder.ts';
import { packageRoot, packageVersion } from '../../src/system/package-root.ts';
import { tensorflowFolder } from '../../src/tensorflow/install/wheel.ts';

/** The package as npm would publish it, installed into an empty folder as a user does it: with all install scripts. */
const folder = mkdtempSync(join(tmpdir(), 'unroll-installed-'));
let files: string[] = [];

const call = (
  command: string,
  words: readonly string[],
  cwd = folder,
  more: Readonly<Record<string, string>> = {},
): string =>
  execFileSync(command, words, {
    cwd,
    encoding: 'utf8',
    env: {
      ...process.env,
      NO_COLOR: '1',
      MLFLOW_TRACKING_URI: '',
      npm_config_ignore_scripts: 'false',
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** What is published, with the prebuilt libraries of `npm run prebuilds`. The checkout itself gets none. */
const copyWithPrebuilds = (): string => {
  const copy = join(folder, 'copy');
  for (const name of [
    'bin',
    'dist',
    'licenses',
    'native',
    'schema',
    'scripts',
    'src',
    'package.json',
    'README.md',
    'LICENSE',
  ])
    cpSync(join(packageRoot, name), join(copy, name), { recursive: true });
  symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'));
  call(process.execPath, ['scripts/prebuild.mjs'], copy);
  return copy;
};

beforeAll(() => {
  call(process.execPath, ['scripts/build-types.mjs'], packageRoot);
  const [packed] = JSON.parse(
    call('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], copyWithPrebuilds()),
  ) as { filename: string; files: { path: string }[] }[];
  files = packed?.files.map(({ path }) => path) ?? [];
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  call('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${packed?.filename ?? ''}`]);
}, 900_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('holds what is needed and nothing else', () => {
  // The parts of the program have names with a digest.
  const kinds = [...new Set(files.map((file) => file.replace(/[\w-]+-[A-Z0-9]{8}\.js$/, '<part>.js')))];
  const golden = 'test/golden/package-files.txt';
  const text = `${kinds
    .filter((file) => !/^(dist\/types|native)\//.test(file))
    .sort()
    .join('\n')}\n`;
  if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
  expect(files.filter((file) => file.startsWith('dist/types/')).every((file) => file.endsWith('.d.ts'))).toBe(
    true,
  );
  expect(files.filter((file) => file.startsWith('native/')).every((file) => /\.(cc|h)$/.test(file))).toBe(
    true,
  );
});

it('runs no install script that needs another host than the registry', () => {
  const { packages } = JSON.parse(
    readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8'),
  ) as { packages: Record<string, { hasInstallScript?: boolean }> };
  const scripts = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
  // esbuild's only puts its program, which is a package of the registry, in place of a script.
  expect(scripts).toEqual(['node_modules/esbuild']);
  expect(call(process.execPath, [join(folder, 'node_modules', '.bin', 'unroll'), '--version']).trim()).toBe(
    packageVersion,
  );
});

const program = `
import { compare, defineExperiment, run } from 'unroll-ml';
const experiment = defineExperiment({
  name: 'installed',
  dataset: { name: 'toy-sequences', trainSize: 100, testSize: 20 },
  model: { name: 'mean' },
  optimizer: { name: 'adam', learningRate: 0.01 },
  train: { steps: 5, batchSize: 16 },
});
const notes = [];
const { outcomes } = await run(experiment, {
  force: true,
  mlflow: false,
  listener: (event) => { if (event.type === 'note') notes.push(event.message); },
});
const [{ reason, message }] = Object.values(outcomes);
const { configurations } = await compare('installed');
console.log(JSON.stringify({ reason, message, notes, configurations: configurations.length }));
`;

const config = `
import { defineConfig, defineExperiment, defineModel } from 'unroll-ml';
const mean = defineModel({
  name: 'mean',
  parameters: {},
  build: (_, { tf, weight, outputs }) => {
    const kernel = weight('kernel', [1, outputs], 'glorot-uniform');
    return { forward: ({ inputs }) => tf.matMul(tf.mean(inputs, 1), kernel) };
  },
});
const config = defineConfig({ models: [mean] });
defineExperiment({ name: 'x', dataset: { name: 'mnist-rows' }, model: { name: 'mean' }, optimizer: { name: 'sgd' }, train: { steps: 1 } }, config);
export default config;
`;

it('has declarations that a strict compiler takes', () => {
  writeFileSync(join(folder, 'unroll.config.ts'), config);
  const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const words = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', 'unroll.config.ts'];
  expect(call(process.execPath, [compiler, ...words])).toBe('');
});

it.each(['this', '22', '24'])(
  'trains a model of its own on Node %s, and says that TensorFlow is not set up',
  (release) => {
    const node =
      release === 'this'
        ? process.execPath
        : call(process.execPath, [join(packageRoot, 'scripts', 'install-node.mjs'), release]).trim();
    writeFileSync(join(folder, 'unroll.config.ts'), config);
    writeFileSync(join(folder, 'program.js'), program);
    const said = JSON.parse(call(node, ['program.js'])) as { notes: string[] };
    expect(said).toMatchObject({ reason: 'completed', configurations: 1 });
    expect(said.notes.join('\n')).toContain('Run `unroll setup`');
    const bin = join(folder, 'node_modules', '.bin', 'unroll');
    expect(call(node, [bin, 'models'])).toContain('mean        mean  (unroll.config.ts)');
  },
);

it('sets TensorFlow up there without a compiler, and mentions none', () => {
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  for (const path of [process.execPath, '/bin/sh', '/usr/bin/env'])
    symlinkSync(path, join(programs, basename(path)));
  const cache = join(folder, 'cache');
  mkdirSync(cache);
  symlinkSync(tensorflowFolder(cacheFolder()), tensorflowFolder(cache));
  const environment = { PATH: programs, CXX: '', UNROLL_CACHE: cache };
  const unroll = join(folder, 'node_modules', '.bin', 'unroll');
  const { status, stdout, stderr } = spawnSync(process.execPath, [unroll, 'setup'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  expect(stderr).toMatch(/^setup: native TensorFlow \S+ is ready in \S+\n$/);
  const said = JSON.parse(call(process.execPath, ['program.js'], folder, environment)) as { notes: string[] };
  expect(said).toMatchObject({ reason: 'completed', notes: [] });
  const doctor = call(process.execPath, [unroll, 'doctor', '--json'], folder, environment);
  expect(JSON.parse(doctor)).toMatchObject({ native: 'prebuilt', problems: [] });
  expect(JSON.parse(doctor)).toMatchObject({ compiler: null, backend: { kernels: { available: true } } });
});
