import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { complete } from '../../src/cli/completion/complete.ts';
import type { OwnMetricRow } from '../../src/metrics/own-metric.ts';
import { registry } from '../../src/registry/rows.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { noTerminal, openRealTerminal } from '../support/tmux.ts';

const plan = makePlan({ experiment: 'digits', axes: { 'model.hiddenSize': [64, 128] } });
const [first] = plan.runs;

/** A folder with a spec and recorded runs, and `unroll` on the path. */
const home = () => {
  const folder = temporaryDirectory('completion');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'unroll'),
    `#!/bin/sh\nexec ${process.execPath} ${join(packageRoot, 'bin', 'unroll.js')} "$@"\n`,
  );
  chmodSync(join(bin, 'unroll'), 0o755);
  mkdirSync(join(folder, 'specs'));
  writeFileSync(join(folder, 'specs', 'quick.yaml'), '');
  writeSweep(join(folder, 'runs'), plan);
  return { folder, path: `${bin}:${process.env['PATH'] ?? ''}` };
};

const setUp: Readonly<Record<string, { readonly start: string; readonly load: string }>> = {
  bash: { start: 'bash --norc --noprofile', load: 'source <(unroll completion bash)' },
  zsh: {
    start: 'zsh -f',
    load: 'autoload -Uz compinit; compinit -u -D; source <(unroll completion zsh)',
  },
  fish: { start: 'fish --no-config', load: 'unroll completion fish | source' },
};

/** What is typed before Tab, and what then stands on the line. */
const cases = [
  ['unroll valid', 'unroll validate'],
  ['unroll run --retry', 'unroll run --retry-failed'],
  ['unroll run specs/q', 'unroll run specs/quick.yaml'],
  ['unroll models simple', 'unroll models simple-rnn'],
  ['unroll run specs/quick.yaml --set model.proj', 'unroll run specs/quick.yaml --set model.projectionSize='],
  ['unroll run specs/quick.yaml --set model.merge=m', 'unroll run specs/quick.yaml --set model.merge=mean'],
  [`unroll show ${first?.id.slice(0, 6) ?? ''}`, `unroll show ${first?.id ?? ''}`],
  ['unroll compare dig', 'unroll compare digits'],
  ['unroll evaluate best:di', 'unroll evaluate best:digits'],
  [`unroll compare --sweep ${plan.sweepId.slice(0, 5)}`, `unroll compare --sweep ${plan.sweepId}`],
  ['unroll explain unknown-k', 'unroll explain unknown-key'],
] as const;

for (const [shell, { start, load }] of Object.entries(setUp)) {
  const missing = spawnSync(shell, ['--version']).error !== undefined;
  it.skipIf(noTerminal || (missing && process.env['CI'] !== 'true'))(
    `completes commands, options, specs, names and runs in ${shell}`,
    // Each Tab starts the program.
    async () => {
      const { folder, path } = home();
      const terminal = openRealTerminal(`cd ${folder} && env HOME=${folder} PATH=${path} PS1='$ ' ${start}`, {
        name: shell,
        width: 160,
      });
      const type = (text: string) => {
        terminal.press(text);
        terminal.key('Enter');
      };
      type(load);
      type('echo re""ady');
      await terminal.until((screen) => /^ready$/m.test(screen));
      for (const [typed, completed] of cases) {
        terminal.press(typed);
        terminal.key('Tab');
        await terminal.until((screen) => screen.includes(completed));
        // Not Ctrl-C, which would throw away what is typed after it.
        terminal.key('C-u');
        await terminal.until((screen) => !screen.includes(completed));
      }
    },
  );
}

/** The words after `unroll` at which a model, or a run, is named. */
const places = [
  ...['export', 'evaluate', 'sample', 'predict', 'serve', 'register', 'bundle', 'verify', 'show', 'diff'].map(
    (command) => [command],
  ),
  ['diff', first?.id ?? ''],
  ['predict', '--ensemble', 'best:digits'],
  ['register', '--name', 'a', '--alias', 'b'],
];

test.each(places)('runs and best runs are offered: %s %s', (...words) => {
  const runsDirectory = temporaryDirectory('completion-runs');
  writeSweep(runsDirectory, plan);
  const known = {
    commands,
    get registry(): never {
      throw new Error('the entries of the user would be compiled');
    },
  };
  for (const option of [['--runs-directory', runsDirectory], [`--runs-directory=${runsDirectory}`]]) {
    const offered = (typed: string) =>
      complete([...words.filter((word) => word !== ''), ...option, typed], known).map(({ value }) => value);
    expect(offered('best:')).toEqual(['best:digits']);
    const ids = plan.runs.map(({ id }) => id);
    for (const id of ids) expect(offered(id.slice(0, 8))).toEqual([id]);
    if (words[0] === 'serve') expect(offered('mine=best:d')).toEqual(['mine=best:digits']);
  }
});

test('files of models and of data are offered, and what can be pruned', () => {
  const folder = temporaryDirectory('completion-files');
  mkdirSync(join(folder, 'exported'));
  for (const name of ['model.onnx', 'data.csv', 'run.zip']) writeFileSync(join(folder, name), '');
  const offered = (...words: readonly string[]) =>
    complete([...words.slice(0, -1), `${folder}/${words.at(-1) ?? ''}`], { commands, registry }).map(
      ({ value }) => value.slice(folder.length + 1),
    );
  expect(offered('predict', '').sort()).toEqual(['exported/', 'model.onnx']);
  expect(offered('verify', '').sort()).toEqual(['exported/', 'run.zip']);
  expect(offered('predict', 'best:x', '--input', 'da')).toEqual(['data.csv']);
  expect(offered('evaluate', 'best:x', '--data', 'da')).toEqual(['data.csv']);
  expect(complete(['prune', ''], { commands, registry }).map(({ value }) => value)).toEqual([
    ...['failed', 'interrupted', 'stale', 'checkpoints'],
  ]);
});

test("metrics and losses of one's own are offered beside the built-in ones", () => {
  const own: OwnMetricRow = {
    ...{ title: 'Own', description: 'A metric of my own.', goal: 'minimize', unit: '', range: [0, 1] },
    ...{
      parts: ['val', 'test'],
      tasks: ['classification'],
      origin: { file: 'own.ts', digest: '' },
    },
    build: () => ({ add: () => undefined, value: () => 0 }),
  };
  const { mse } = registry.loss;
  if (!mse) throw new Error('no mse');
  const known = {
    commands,
    registry: { ...registry, metric: { accurate: own }, loss: { ...registry.loss, msePlus: mse } },
  };
  const offered = (...words: readonly string[]) => complete(words, known).map(({ value }) => value);
  expect(offered('metrics', 'accura')).toEqual(['accuracy', 'accuracyFirst128', 'accurate']);
  expect(offered('losses', 'mse')).toEqual(['mse', 'msePlus']);
  expect(offered('run', '--set', 'loss.name=mse')).toEqual(['loss.name=mse', 'loss.name=msePlus']);
});
