import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeRunPlots } from '../../src/report/run-plots.ts';
import { runCommand } from '../../src/system/command.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { createRig, type Rig } from '../support/rig.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A title of the window, a colour, C1, direction, a character without width, a hidden tag, and a line of its own. */
const foreign =
  'A\u001b]0;t\u0007\u001b[31mred\u009b5A\u202ex\u200bz\u{e0041}</script><b>"%0A::error::x\nunroll:1:1 forged';
const yaml = JSON.stringify(foreign);
/** The halves of a pair are text in YAML's escapes only. */
const inCsv = `"${foreign.replaceAll('"', '""')}"`;

const drives = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202e]|\u{e0041}/u;
const forged = /^unroll:1:1 forged/m;

const prepare = async (): Promise<{ readonly rig: Rig; readonly uri: string }> => {
  const server = createServer((_, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error_code: foreign, message: foreign }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = join(temporaryDirectory(), 'a\u001b[31m\u202eb');
  mkdirSync(folder);
  const rig = createRig({}, folder);
  mkdirSync(join(folder, 'runs', foreign.slice(0, 20)), { recursive: true });
  const rows = Array.from({ length: 40 }, (_, at) => `s${at},${at % 2},${at % 2 ? inCsv : 'plain'}`);
  rig.write('data.csv', `s,x,${inCsv}\n${rows.join('\n')}\n`);
  rig.write(
    'spec.yaml',
    `version: 1
name: trial
dataset: { name: csv-sequences, file: data.csv, sequence: s, targets: [${yaml}], features: [x] }
model: { name: lstm, hiddenSize: 4 }
optimizer: { name: adam }
train: { batchSize: 8, steps: 4, displayEvery: 1 }
sweep: { axes: { model.hiddenSize: [4, 8] } }
tracking: { mlflow: { tags: { ${yaml}: ${yaml} } } }
`,
  );
  rig.write(
    'unroll.config.ts',
    `const text = ${yaml};
export default {
  models: [{ name: 'mine', title: text, description: text, parameters: {}, check: () => { throw new Error(text); }, build: () => { throw new Error(text); } }],
};
`,
  );
  rig.write('own.yaml', 'version: 1\nname: own\ndataset: { name: toy-sequences }\nmodel: { name: mine }\n');
  onTestFinished(() => void server.close());
  return { rig, uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

const expectSafe = (output: string, what: string): void => {
  expect(output, what).not.toMatch(drives);
  expect(output, what).not.toMatch(forged);
  expect(output, what).not.toContain('This is a bug');
};

test('no command, plot or report passes on what a spec, its data, its code or a server holds', async () => {
  const { rig, uri } = await prepare();
  const run = await rig.unroll('run', 'spec.yaml', '--junit', 'junit.xml');
  expect(run.code, run.stderr + run.stdout).toBe(0);
  expectSafe(run.stdout + run.stderr, 'run');
  const [first = '', second = ''] = rig.runIds('trial');
  for (const words of [
    ['plan', 'spec.yaml'],
    ['plan', 'own.yaml'],
    ['models'],
    ['models', 'mine'],
    ['compare', 'trial'],
    ['compare', 'trial', '--filter', `dataset.targets=${foreign}`],
    ['show', first],
    ['diff', first, second],
    ['ls', 'trial'],
    ['check'],
    ['sync', 'trial', '--to', uri, '--allow-server', uri],
    ['run', '--help'],
    ['report', 'trial'],
    ['evaluate', first, '--data', 'data.csv'],
    ['predict', first, '--input', `${foreign}.csv`],
    ['export', first, '--format', 'pytorch', '--output', 'exported'],
    ['bundle', first, '--output', `${foreign}.zip`],
    ['verify', foreign],
    ['register', first, '--name', foreign, '--to', uri, '--allow-server', uri],
    ['complete', '--', 'compare', ''],
  ]) {
    const { stdout, stderr } = await rig.unroll(...words);
    expect(stdout + stderr, words.join(' ')).not.toBe('');
    expectSafe(stdout + stderr, words.join(' '));
  }
  // Of a file, only what its format forbids or would run is taken out of the data.
  const written = (readdirSync(rig.directory, { recursive: true }) as string[]).map((name) =>
    join(rig.directory, name),
  );
  const pages = written.filter((name) => name.endsWith('.html'));
  const drawings = await writeRunPlots(rig.runPath('trial', first));
  expect(pages.length).toBeGreaterThan(0);
  expect(drawings.length).toBeGreaterThan(0);
  expectSafe(readFileSync(join(rig.directory, 'exported', 'README.md'), 'utf8'), 'README.md');
  for (const file of [...drawings, join(rig.directory, 'junit.xml')]) {
    const text = readFileSync(file, 'utf8');
    expect(text, file).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
    expect(text, file).not.toMatch(/<b>|<\/script/);
  }
  for (const file of pages) {
    const page = readFileSync(file, 'utf8');
    expect(page.match(/<\/script/g), file).toHaveLength(2);
    expect(page).not.toContain('<b>"%0A');
  }

  if (process.platform !== 'linux') return;
  // The live view, in a terminal.
  const { output } = await runCommand(
    'script',
    [
      '-qec',
      `'${process.execPath}' '${join(packageRoot, 'bin', 'unroll.js')}' run spec.yaml --set train.steps=5`,
      '/dev/null',
    ],
    {
      cwd: rig.directory,
      timeoutMs: 240_000,
      env: { ...process.env, TERM: 'xterm', MLFLOW_TRACKING_URI: undefined },
    },
  );
  expect(output).toContain('trial');
  expect(output).not.toMatch(/\u001b\]0;t|\u001b\[31mred|\u009b|\u202e|\u200b/);
  expect(output).not.toMatch(forged);
}, 300_000);
