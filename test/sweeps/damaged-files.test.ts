import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { randomStream } from '../../src/data/random.ts';
import type { Json } from '../../src/system/json.ts';
import { createRig, type Rig } from '../support/rig.ts';
import { testSeed } from '../support/seed.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/** A grid, and in the same experiment a search that trains further runs and prunes some. */
const specOf = (name: string, sweep: string) => `version: 1
name: trial
dataset: { name: toy-sequences, trainSize: 32, testSize: 8, validationSize: 8 }
model: { name: lstm, hiddenSize: 4 }
optimizer: { name: adam, learningRate: ${name === 'grid' ? 0.01 : 0.02} }
train: { batchSize: 16, steps: 4, evaluateEvery: 2, checkpointEvery: 2 }
objective: { metric: val/loss }
run: { concurrency: 2, threadsPerRun: 1, retries: 0 }
${sweep}
`;

const search = `sweep:
  method: tpe
  samples: 4
  axes: { model.hiddenSize: { range: [2, 6], step: 1 } }
  pruning: { name: median, minSteps: 2, everySteps: 2, minRuns: 2 }
`;

const base = createRig({}, mkdtempSync(join(tmpdir(), 'unroll-damaged-')));
afterAll(() => rmSync(base.directory, { recursive: true }));

interface Sweep {
  readonly runs: readonly string[];
  readonly plan: string;
}
let grid: Sweep;
let searched: Sweep;
let untouched: Map<string, unknown>;

const sweepOf = (stdout: string): Sweep => {
  const { sweepId, trained } = JSON.parse(stdout) as { sweepId: string; trained: string[] };
  return { plan: sweepId, runs: trained.sort() };
};

beforeAll(async () => {
  base.write('grid.yaml', specOf('grid', 'seeds: 8'));
  base.write('search.yaml', specOf('search', search));
  const first = await base.unroll('run', 'grid.yaml', '--json', '--no-mlflow', '--profile');
  expect(first.code, first.stderr).toBe(0);
  grid = sweepOf(first.stdout);
  const second = await base.unroll('run', 'search.yaml', '--json', '--no-mlflow');
  expect(second.code, second.stderr).toBe(0);
  searched = sweepOf(second.stdout);
  untouched = numbersOf(base);
});

const numbersOf = (rig: Rig): Map<string, unknown> =>
  new Map(
    rig
      .runIds('trial')
      .map((id) => [
        id,
        existsSync(rig.runPath('trial', id, 'metrics.jsonl')) ? rig.metrics('trial', id) : [],
      ]),
  );

const copied = (): Rig => {
  const rig = createRig();
  cpSync(base.directory, rig.directory, { recursive: true, preserveTimestamps: true });
  return rig;
};

/** Runs a command in this process. An error that it does not handle fails the test. */
const run = async (rig: Rig, ...words: string[]) => {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const whole = words.map((word) => (word.endsWith('.yaml') ? join(rig.directory, word) : word));
  whole.push('--runs-directory', join(rig.directory, 'runs'));
  const code = await runProgram(whole, openTerminal(whole, { print: keep, complain: keep }));
  return { code, said: lines.join('\n') };
};

const strange: readonly Json[] = [null, 7, true, 'unheard-of', [], {}, [[null]], { later: 1 }];

/** Puts another value, or none, in place of one that is drawn from anywhere in a value. */
const changed = (value: Json, random: ReturnType<typeof randomStream>): Json => {
  if (typeof value !== 'object' || value === null || random.integer(4) === 0)
    return strange[random.integer(strange.length)] ?? null;
  const entries = Object.entries(value);
  const at = random.integer(Math.max(1, entries.length));
  const drop = random.integer(3) === 0;
  const next = entries.flatMap(([key, inner], index): [string, Json][] =>
    index !== at ? [[key, inner]] : drop ? [] : [[key, changed(inner, random)]],
  );
  return Array.isArray(value) ? next.map(([, inner]) => inner) : Object.fromEntries(next);
};

/** How a text is damaged, or written by a later version. */
const damages: Readonly<Record<string, (text: string, random: ReturnType<typeof randomStream>) => string>> = {
  empty: () => '',
  null: () => 'null\n',
  'a number': () => '7\n',
  'an infinite number': (text) => text.replace(/: -?\d[\d.e+-]*/, ': 1e999'),
  'deep nesting': () => `${'['.repeat(200_000)}\n`,
  'a deep value': (text) =>
    text.replace(/: (-?\d[\d.e+-]*|"[^"]*")/, `: ${'[{"a":'.repeat(9000)}1${'}]'.repeat(9000)}`),
  'a list of objects': (text) => `[${text.trim().split('\n').join('') || '1'}]\n`,
  'another kind of JSON': () => '{"version":2,"data":{"rows":[1,2]},"state":"ended"}\n',
  'NUL bytes': (text) => '\0'.repeat(text.length),
  'a changed value': (text, random) => {
    const lines = text.split('\n');
    const isLines = lines.filter(Boolean).every((line) => line.startsWith('{'));
    if (!isLines) return `${JSON.stringify(changed(JSON.parse(text) as Json, random), null, 2)}\n`;
    const at = random.integer(Math.max(1, lines.length - 1));
    return lines
      .map((line, index) => (index === at ? JSON.stringify(changed(JSON.parse(line) as Json, random)) : line))
      .join('\n');
  },
  'another changed value': (text, random) => damages['a changed value']?.(text, random) ?? '',
  'a third changed value': (text, random) => damages['a changed value']?.(text, random) ?? '',
};

const runFiles = [
  'data.json',
  'profile.json',
  'status.json',
  'environment.json',
  'evaluation.json',
  'metrics.jsonl',
];
/** Damages of files in an order drawn from the seed; UNROLL_MUTATIONS=1000 tries all. */
const casesOf = (files: readonly string[], tried: number) => {
  const random = randomStream(testSeed, 'order', ...files);
  return files
    .flatMap((file) => Object.keys(damages).map((damage) => ({ file, damage, key: random.uniform() })))
    .sort((a, b) => a.key - b.key)
    .slice(0, Number(process.env['UNROLL_MUTATIONS'] ?? tried));
};

/** Nothing listens there, and a single attempt is enough to see it. */
const nowhere = 'http://127.0.0.1:9';
vi.stubEnv('MLFLOW_HTTP_REQUEST_MAX_RETRIES', '0');

test('damaged and newer files of runs are reported, and stop neither run, resume nor sync', async () => {
  const random = randomStream(testSeed, 'damaged files');
  const order = casesOf(runFiles, 14);
  const [whole = '', ...others] = grid.runs;
  while (order.length > 0) {
    const rig = copied();
    const chosen = order.splice(0, others.length).map((one, index) => ({ ...one, id: others[index] ?? '' }));
    for (const { file, damage, id } of chosen) {
      const path = rig.runPath('trial', id, file);
      writeFileSync(path, damages[damage]?.(readFileSync(path, 'utf8'), random) ?? '');
    }
    const what = JSON.stringify(chosen);
    for (const words of [
      ['show', whole],
      ...others.map((id) => ['show', id]),
      ['sync', 'trial', '--to', nowhere],
      ['run', 'grid.yaml', '--no-mlflow', '--quiet'],
      ['resume', grid.plan, '--no-mlflow', '--quiet'],
    ]) {
      const { code, said } = await run(rig, ...words);
      const isReported = /\[[a-z-]+\]/.test(said);
      expect(code === 0 || isReported, `${words.join(' ')} after ${what}: ${said}`).toBe(true);
    }
    await run(rig, 'check', '--repair', '--yes');
    expect(await run(rig, 'resume', grid.plan, '--no-mlflow', '--quiet'), what).toMatchObject({ code: 0 });
    expect(numbersOf(rig), what).toEqual(untouched);
    const checked = await run(rig, 'check');
    expect(checked.code, `${what}: ${checked.said}`).toBe(0);
  }
});

test('a damaged or newer plan or search journal is reported with its repair, and stops no other sweep', async () => {
  const files = [`${searched.plan}.json`, `${searched.plan}.decisions.jsonl`];
  const random = randomStream(testSeed, 'damaged plans');
  for (const { file, damage } of casesOf(files, 6)) {
    const rig = copied();
    const path = rig.runPath('trial', 'sweeps', file);
    const text = damages[damage]?.(readFileSync(path, 'utf8'), random) ?? '';
    writeFileSync(path, text);
    const what = `${file}: ${damage}: ${text.slice(0, 300)}`;
    for (const words of [
      ['ls'],
      ['sync', 'trial', '--to', nowhere],
      ['run', 'search.yaml', '--no-mlflow', '--quiet'],
      ['resume', searched.plan, '--no-mlflow', '--quiet'],
    ]) {
      const { code, said } = await run(rig, ...words);
      const isReported = /\[[a-z-]+\]/.test(said);
      expect(code === 0 || isReported, `${words.join(' ')} after ${what}: ${said}`).toBe(true);
    }
    expect(await run(rig, 'resume', grid.plan, '--no-mlflow', '--quiet'), what).toMatchObject({ code: 0 });
    await run(rig, 'check', '--repair', '--yes');
    expect(await run(rig, 'run', 'search.yaml', '--no-mlflow', '--quiet'), what).toMatchObject({ code: 0 });
    expect(numbersOf(rig), what).toEqual(untouched);
    expect(await run(rig, 'check'), what).toMatchObject({ code: 0 });
  }
});
