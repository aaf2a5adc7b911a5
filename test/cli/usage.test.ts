import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';

const empty = mkdtempSync(join(tmpdir(), 'unroll-empty-'));

/** A command line and all that it prints, with the exit code. */
const transcript = async (words: readonly string[]): Promise<string> => {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const terminal = openTerminal(words, { print: keep, complain: keep });
  const code = await runProgram(words, terminal);
  const text = `$ ${terminal.commandLine}\n${lines.join('\n')}\n[exit ${code}]\n`;
  return text.replaceAll(empty, '<empty folder>');
};

const wrong: readonly (readonly string[])[] = [
  ['rnu', 'spec.yaml'],
  ['trian', 'spec.yaml'],
  ['--verson'],
  ['run'],
  ['run', 'one.yaml', 'two.yaml'],
  ['run', 'experiments/smoke.yaml', '--concurency', '2'],
  ['run', 'experiments/smoke.yaml', '--concurrency', 'x'],
  ['run', 'experiments/smoke.yaml', '--concurrency=0'],
  ['run', 'experiments/smoke.yaml', '--concurrency'],
  ['run', 'experiments/smok.yaml'],
  ['run', 'experiments/smoke.yaml', '--set', 'model.hiddenSise=3'],
  ['run', 'experiments/smoke.yaml', '--set', 'model.hiddenSize=many'],
  ['run', 'experiments/smoke.yaml', '--set', 'model.hiddenSize'],
  ['run', 'experiments/smoke.yaml', '--sweep', 'optimizer.learningRat=1,2'],
  ['run', 'experiments/smoke.yaml', '--sweep', 'optimizer.learningRate='],
  ['plan', 'experiments/smoke.yaml', '--set', 'model.name=ltsm'],
  ['validate', 'experiments'],
  ['export', 'best:trial', '--format', 'onxn', '--output', 'out'],
  ['models', 'ltsm'],
  ['datasets', 'minst-rows'],
  ['optimizers', 'adma'],
  ['show', 'abc', '--runs-directory', empty],
  ['diff', 'abc', '--runs-directory', empty],
  ['compare', '--runs-directory', empty],
  ['compare', '--all', '--sweep', 'abc', '--runs-directory', empty],
  ['resume', 'quickstart', '--runs-directory', empty],
  ['ls', 'quickstart', '--runs-directory', empty],
  ['rm'],
  ['rm', 'abc', '--runs-directory', empty],
  ['prune', 'faild', '--runs-directory', empty],
  ['prune', 'failed', '--experiment', 'none', '--runs-directory', empty],
  ['run', 'experiments/smoke.yaml', '--limit', '0', '--runs-directory', empty],
  ['run', 'experiments/smoke.yaml', '--only', 'hiddenSise=8', '--runs-directory', empty],
  ['run', 'experiments/search.yaml', '--only', 'model.hiddenSize=8', '--runs-directory', empty],
  ['plan', 'experiments/smoke.yaml', '--only', 'state=dome', '--runs-directory', empty],
  ['plan', 'experiments/smoke.yaml', '--only', 'hiddenSize>8', '--runs-directory', empty],
  ['schema', 'experimnt'],
  ['models', 'ltsm', '--json'],
  ['explain', 'unknwon-key'],
  ['validate', 'experiments/smoke.yaml', '--format', 'xml'],
  ['list'],
  ['completion', 'bsh'],
  ['new', 'modle', 'mine'],
  ['new', 'model', 'lstm'],
  ['new', 'dataset', 'My Data'],
  ['init', 'experiments/smoke.yaml'],
  ['init', join(empty, 'new.yaml'), '--model', 'ltsm'],
];

test('every wrong command line prints what is wrong, where, and how to fix it', async () => {
  const texts: string[] = [];
  for (const words of wrong) texts.push(await transcript(words));
  for (const text of texts) expect(text).toMatch(/\[exit 2\]/);
  await expect(texts.join('\n')).toMatchFileSnapshot('../golden/usage.txt');
});

test('the help is that of the golden transcript', async () => {
  const texts = [await transcript([]), await transcript(['--help'])];
  for (const { name } of commands) texts.push(await transcript([name, '--help']));
  for (const text of texts) expect(text).toMatch(/\[exit 0\]/);
  await expect(texts.join('\n')).toMatchFileSnapshot('../golden/help.txt');
});
