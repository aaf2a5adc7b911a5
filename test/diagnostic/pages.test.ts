import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { diagnosticCodes, type DiagnosticCode } from '../../src/diagnostic/codes.ts';
import type { Example } from '../../src/diagnostic/pages/page.ts';
import { pages } from '../../src/diagnostic/pages/pages.ts';
import { renderDiagnostics } from '../../src/diagnostic/render.ts';
import { loadPlanCode } from '../../src/runner/plan-code.ts';
import { planExperiment } from '../../src/plan/plan-experiment.ts';
import { slowBackendWarning } from '../../src/tensorflow/find-addon.ts';
import { completeSpec } from '../support/complete-spec.ts';
import { writeToyFolder } from '../support/model-folder.ts';
import { makePlan, writeRunDirectory } from '../support/run-directories.ts';

const scratch = mkdtempSync(join(tmpdir(), 'unroll-pages-'));
const home = process.cwd();

/** A folder as the pages of the command line assume it. */
beforeAll(() => {
  cpSync(resolve('experiments'), join(scratch, 'experiments'), { recursive: true });
  process.chdir(scratch);
  const [run] = makePlan({ experiment: 'example' }).runs;
  if (!run) throw new Error('no run');
  for (const id of ['3fa1f0a7ce6a', '3fb8f0cf4b2a', '3fc6c0523b8e'])
    writeRunDirectory('runs', { ...run, id });
  truncateSync('runs/example/3fc6c0523b8e/run.json', 40);
  mkdirSync('data');
  const rows = [
    '1,0.5,a',
    '1,0.25,a',
    '2,1,b',
    '2,1.5,b',
    '3,1,b',
    '3,0,b',
    '4,0.5,a',
    '4,2,a',
    '5,3,a',
    '6,4,b',
  ];
  writeFileSync('data/train.csv', ['id,x,label', ...rows].join('\n'));
  writeFileSync('numbered.csv', [',id,x,label', ...rows.map((row, at) => `${at},${row}`)].join('\n'));
  writeFileSync('gaps.csv', 'id,x,label\n1,0.5,a\n1,,a\n2,1,b\n3,1,b\n');
  const own = (file: string) =>
    completeSpec(
      `dataset: { name: csv-sequences, file: ${file}, sequence: id, targets: [label], validationFraction: 0, testFraction: 0.4 }`,
    );
  writeFileSync('gaps.yaml', own('gaps.csv'));
  writeFileSync('fixed.yaml', own('data/train.csv'));
  writeFileSync('numbered.yaml', own('numbered.csv'));
  writeFileSync('features.yaml', own('numbered.csv, features: [x]'));
  // A file that the page of a server writes into.
  process.env['XDG_CONFIG_HOME'] = join(scratch, 'config');
  writeFileSync('sending.yaml', completeSpec('tracking: { mlflow: { uri: "https://mlflow.example.com" } }'));
  writeFileSync('circle.yaml', `extends: ./circle.yaml\n`);
  writeFileSync('measurements.yaml', '1.0\n'.repeat(1_000_000));
});

afterAll(() => {
  process.chdir(home);
  rmSync(scratch, { recursive: true });
});

const run = async (commandLine: string): Promise<{ said: string; code: number }> => {
  // What is set before a command is not one of its words.
  const words = commandLine
    .replace(/^\w+=\S+ /, '')
    .split(' ')
    .slice(1);
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const code = await runProgram(words, openTerminal(words, { print: keep, complain: keep }));
  return { said: lines.join('\n'), code };
};

/** What this machine or test cannot bring about by a command line. */
const situations: Partial<Record<DiagnosticCode, (form: 'wrong' | 'right') => string | Promise<string>>> = {
  slurm: () => saidOfRunWith('slurm', { PATH: '' }),
  workers: () => saidOfRunWith('bullmq', { UNROLL_REDIS_URL: 'redis://127.0.0.1:1' }),
  'backend-missing': () => {
    const warning = slowBackendWarning({ addon: undefined, problems: [] });
    return warning ? renderDiagnostics([warning]) : '';
  },
  'leftover-file': async (form) => {
    const half = 'killed/example/3fa1f0a7ce6a/status.json.12-3.tmp';
    mkdirSync('killed/example/3fa1f0a7ce6a', { recursive: true });
    writeFileSync(half, '{');
    utimesSync(half, 0, 0);
    if (form === 'right') await run('unroll check --runs-directory killed --repair --yes');
    return (await run('unroll check --runs-directory killed')).said;
  },
  'damaged-transfer': () => saidOfPull('shared', { format: 1 }),
  'newer-format': async (form) =>
    form === 'wrong'
      ? await saidOfPull('shared-later', { format: 2 })
      : (await run('unroll push 3fa --store own-runs')).said,
  'plugin-broken': (form) =>
    saidOfModels(form === 'wrong' ? "import './models/tcnn.ts';" : 'export default {};'),
  'plugin-invalid': (form) =>
    saidOfModels(
      `export default { models: [{ name: '${form === 'wrong' ? 'lstm' : 'my-lstm'}', parameters: {}, build: () => ({}) }] };`,
    ),
  'not-exportable': async (form) => {
    writeOwnModel();
    const [example] = pages['not-exportable'].examples;
    return (await run(example[form])).said;
  },
  'code-changed': async () => {
    mkdirSync('sweeps', { recursive: true });
    const config = join('sweeps', 'unroll.config.js');
    const model = "{ name: 'mine', parameters: {}, build: () => ({}) }";
    writeFileSync('sweeps/spec.yaml', completeSpec('model: { name: mine }'));
    writeFileSync(config, `export default { models: [${model}] };`);
    const plan = await planExperiment('sweeps/spec.yaml', { cores: 1 });
    writeFileSync(config, `export default { models: [/* edited */ ${model}] };`);
    const code = plan.ok ? await loadPlanCode(plan.value, 'runs') : plan;
    return code.ok ? '' : renderDiagnostics(code.errors);
  },
};

/** Run 3fa as one of a model that is not built in. */
const writeOwnModel = (): void =>
  writeToyFolder('runs/example/3fa1f0a7ce6a/model', { name: 'mine', parameters: {} });

const saidOfRunWith = async (executor: string, environment: Readonly<Record<string, string>>) => {
  writeFileSync('sweep.yaml', completeSpec('train: { steps: 10 }'));
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const { said } = await run(`unroll run sweep.yaml --executor ${executor} --no-mlflow`);
  vi.unstubAllEnvs();
  rmSync('sweep.yaml');
  return said;
};

/** Pulls a run that has no manifest from a store. */
const saidOfPull = async (store: string, marker: object): Promise<string> => {
  mkdirSync(join(store, 'runs', 'example'), { recursive: true });
  writeFileSync(join(store, 'unroll-store.json'), JSON.stringify(marker));
  writeFileSync(join(store, 'runs', 'example', '3fa1f0a7ce60.json'), '{}');
  return (await run(`unroll pull 3fa1f0a7ce60 --store ${store}`)).said;
};

const saidOfModels = async (config: string): Promise<string> => {
  writeFileSync('unroll.config.ts', config);
  const { said } = await run('unroll models');
  rmSync('unroll.config.ts');
  return said;
};

/** Right forms that need a set-up or a server of their own: they are asked for their help only. */
const notRun = [
  'unroll run sweep.yaml',
  'unroll run sweep.yaml --executor slurm --set run.slurm.partition=short',
  'UNROLL_REDIS_URL=redis://hub:6379 unroll run sweep.yaml --executor bullmq',
  'unroll run experiments/quickstart.yaml --no-store',
  'unroll setup',
  'unroll sync --to http://127.0.0.1:5000',
];

const saidOf = async (code: DiagnosticCode, example: Example, form: 'wrong' | 'right') => {
  if (example.kind === 'command')
    return (situations[code] ?? (async () => (await run(example[form])).said))(form);
  writeFileSync('example.yaml', example.whole ? example[form] : completeSpec(example[form]));
  return (await run('unroll validate example.yaml')).said;
};

const examples = (Object.keys(diagnosticCodes) as DiagnosticCode[]).flatMap((code) =>
  pages[code].examples.map((example, at) => [`${code} (${at + 1})`, code, example] as const),
);

describe.each(examples)('the page of %s', (_, code, example) => {
  it('has a wrong example that gets this code', async () => {
    expect(await saidOf(code, example, 'wrong')).toContain(`[${code}]`);
  });

  it('has a right example that is valid', async () => {
    const said = notRun.includes(example.right)
      ? (await run(`${example.right} --help`)).said
      : await saidOf(code, example, 'right');
    expect(said).not.toMatch(/(error|warning|notice) \[/);
  });
});

describe('unroll explain', () => {
  it('prints the page of a code, also in the brackets of a message', async () => {
    const { said, code } = await run('unroll explain [unknown-key]');
    expect(code).toBe(0);
    expect(said).toContain('unknown-key: A key is not known at this place.');
    expect(said).toContain('    model: { name: lstm, hidenSize: 64 }');
    expect(said.split('\n').filter((line) => line.length > 120)).toEqual([]);
  });

  it('lists every code', async () => {
    const { said } = await run('unroll explain');
    for (const code of Object.keys(diagnosticCodes)) expect(said).toContain(code);
  });

  it('says the nearest code', async () => {
    const { said, code } = await run('unroll explain unknwon-key');
    expect(code).toBe(2);
    expect(said).toContain('nearest:  unknown-key');
  });
});

it('has no code that the program never gives', () => {
  const files = readdirSync(join(home, 'src'), { recursive: true, encoding: 'utf8' });
  const text = files
    .filter((file) => file.endsWith('.ts') && !file.startsWith('diagnostic'))
    .map((file) => readFileSync(join(home, 'src', file), 'utf8'))
    .join('\n');
  for (const code of Object.keys(diagnosticCodes)) expect(text, code).toContain(`'${code}'`);
});
