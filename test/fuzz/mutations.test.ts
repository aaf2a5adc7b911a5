import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { randomStream } from '../../src/data/random.ts';
import { renderDiagnostics } from '../../src/diagnostic/render.ts';
import { documentOfText } from '../../src/language/load-spec.ts';
import type { Located } from '../../src/language/located.ts';
import { validateSpec } from '../../src/language/validate-spec.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { readFrozenPlan } from '../../src/record/frozen-plan.ts';
import { parseMetricLine, parseRun, parseStatus } from '../../src/record/parse-run-files.ts';
import { testSeed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Shared by the inputs below; UNROLL_FUZZ_SECONDS=3600 is the long form. */
const seconds = Number(process.env['UNROLL_FUZZ_SECONDS'] ?? 60);

/** Work on a small input that takes so long hangs, also on a busy machine. */
const hangMs = 20_000;

const spec = `version: 1
name: x
dataset: { name: csv-sequences, file: data.csv, sequence: s, targets: [y], features: [a] }
model: { name: lstm, hiddenSize: 8 }
optimizer: { name: adam, learningRate: 1e-3 }
train: { steps: 10, batchSize: 4, earlyStopping: { metric: val/loss, patience: 2 } }
sweep:
  method: random
  samples: 4
  axes: { model.hiddenSize: [8, 16], optimizer.learningRate: { log: [1e-4, 1e-2], steps: 3 } }
  when: [{ if: { model.hiddenSize: 8 }, axes: { train.batchSize: [2, 4] } }]
  exclude: [{ model.hiddenSize: 16 }]
seeds: [1, 2]
tracking: { mlflow: { uri: "\${MLFLOW_TRACKING_URI:-http://localhost}" } }
expect: [{ metric: test/accuracy, gte: 0.5 }]
`;

const rows = (line: (sequence: number, step: number) => string) =>
  Array.from({ length: 60 }, (_, at) => line(Math.floor(at / 3), at % 3)).join('\n');

const csv = `s,a,y\n${rows((sequence, step) => `${sequence},${step / 10},${sequence % 2 ? 'p' : 'q'}`)}\n`;
const jsonl = rows((sequence, step) => `{"a":[[1,${step}],[2,3]],"y":"${sequence % 2 ? 'p' : 'q'}"}`);
const ofJsonl = spec.replace(
  /dataset: .*/,
  'dataset: { name: jsonl-sequences, layout: wide, file: data.jsonl, targets: [y] }',
);

const pieces = [
  ...[
    '[',
    ']',
    '{',
    '}',
    ': ',
    ', ',
    '"',
    "'",
    '\n',
    '\r\n',
    '\t',
    '- ',
    '? ',
    '&a ',
    '*a',
    '!!str ',
    '<<: *a',
    '---\n',
    '#',
  ],
  ...[
    'null',
    '.inf',
    '.nan',
    '-1',
    '1e999',
    '0',
    'true',
    '__proto__',
    'constructor',
    '',
    'name',
    'sweep',
    'axes',
    'log',
  ],
  ...['\u0000', '\u001b[2J', '\u202e', '\ud800', '\ufeff', '\u2028', '𝕏', '${A}', '${', 'é'],
  '9'.repeat(400),
  '['.repeat(300),
];

type Random = ReturnType<typeof randomStream>;

/** One to six random changes: cut, repeated, exchanged, and inserted pieces. */
const mutated = (text: string, random: Random): string => {
  let result = text;
  for (let left = 1 + random.integer(6); left > 0; left--) {
    const from = random.integer(result.length + 1);
    const to = Math.min(result.length, from + random.integer(30));
    const piece = pieces[random.integer(pieces.length)] ?? '';
    const middle =
      [piece, '', result.slice(from, to).repeat(2), piece + result.slice(from, to)][random.integer(4)] ?? '';
    result = result.slice(0, from) + middle + result.slice(to);
  }
  return result;
};

const json = {
  run: JSON.stringify({ id: '0123456789ab', seed: 1, config: { model: { name: 'lstm' } }, versions: {} }),
  status: JSON.stringify({
    state: 'completed',
    outcome: { reason: 'completed', metrics: { a: 1 } },
    step: 3,
  }),
  line: JSON.stringify({ step: 1, time: 2, metrics: { 'train/loss': 0.5 } }),
  plan: JSON.stringify({
    experiment: 'x',
    sweepId: 'a',
    objective: {},
    execution: { threadsPerRun: 1 },
    tracking: {},
    spec: {},
    axes: [],
    expect: [],
    runs: [],
  }),
};

const words = [
  'validate',
  'show',
  'compare',
  'ls',
  'diff',
  'explain',
  '--json',
  '--set',
  '--only',
  'a.b=1',
  '-x',
  '--',
  '=',
  '*',
  '\u001b[2J',
  '',
  'spec.yaml',
  '--runs-directory',
  '--format',
  'github',
  '[',
  '--set=',
  'x=[',
  '999999999999',
];

type Input = (random: Random, directory: string) => unknown;

const plan = async (directory: string) => {
  const result = await planExperiment(join(directory, 'spec.yaml'), { cores: 2 });
  return renderDiagnostics(result.ok ? result.notices : result.errors);
};

const inputs: Readonly<Record<string, Input>> = {
  specs: (random, directory) => {
    const document = documentOfText({ path: join(directory, 'spec.yaml'), text: mutated(spec, random) });
    const checked =
      document.ok && (document.value.root as Located).kind === 'map'
        ? validateSpec(document.value)
        : document;
    return renderDiagnostics(checked.ok ? checked.notices : checked.errors);
  },
  'CSV files': (random, directory) => {
    writeFileSync(join(directory, 'spec.yaml'), spec);
    writeFileSync(join(directory, 'data.csv'), mutated(csv, random));
    return plan(directory);
  },
  'JSON lines': (random, directory) => {
    writeFileSync(join(directory, 'spec.yaml'), ofJsonl);
    writeFileSync(join(directory, 'data.jsonl'), mutated(jsonl, random));
    return plan(directory);
  },
  'recorded files': (random, directory) => {
    parseRun('run.json', mutated(json.run, random));
    parseStatus('status.json', mutated(json.status, random));
    parseMetricLine(mutated(json.line, random));
    const path = join(directory, 'plan.json');
    writeFileSync(path, mutated(json.plan, random));
    return readFrozenPlan(path);
  },
  'command lines': async (random, directory) => {
    const line = Array.from({ length: 1 + random.integer(6) }, (_, at) =>
      at === 0 ? (words[random.integer(6)] ?? '') : (words[random.integer(words.length)] ?? ''),
    );
    const terminal = openTerminal(line, { print: () => undefined, complain: () => undefined });
    return runProgram(
      line.map((word) => (word === 'spec.yaml' ? join(directory, word) : word)),
      terminal,
    );
  },
};

test.each(Object.entries(inputs))(
  'no crash and no hang: %s',
  async (name, input) => {
    const directory = temporaryDirectory();
    vi.stubEnv('UNROLL_CACHE', join(directory, 'cache'));
    mkdirSync(join(directory, 'cache'));
    const endsAt = performance.now() + (1000 * seconds) / Object.keys(inputs).length;
    let count = 0;
    for (; performance.now() < endsAt; count++) {
      const began = performance.now();
      try {
        await input(randomStream(testSeed, `${name} ${count}`), directory);
      } catch (error) {
        throw new Error(`${name}: input ${count} of UNROLL_TEST_SEED=${testSeed} crashes`, { cause: error });
      }
      expect(
        performance.now() - began,
        `${name}: input ${count} of UNROLL_TEST_SEED=${testSeed}`,
      ).toBeLessThan(hangMs);
    }
    vi.unstubAllEnvs();
    console.log(`${name}: ${count} inputs of UNROLL_TEST_SEED=${testSeed}`);
    expect(count).toBeGreaterThan(0);
  },
  1000 * seconds + 300_000,
);
