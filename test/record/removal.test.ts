import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { processIdentity } from '../../src/system/process-identity.ts';
import { makePlan, writeSweep } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const plan = makePlan({ axes: { 'model.hiddenSize': [1, 2, 3, 4, 5] } });
const states = ['completed', 'diverged', 'interrupted', 'running', 'completed'] as const;

const sweep = () => {
  const runs = temporaryDirectory();
  const directories = writeSweep(runs, plan, (_run, index) => ({
    state: states[index] ?? 'completed',
    ...(states[index] === 'running' && { holder: processIdentity() }),
  }));
  for (const directory of directories) {
    mkdirSync(join(directory, 'checkpoints'));
    writeFileSync(join(directory, 'checkpoints', 'best.safetensors'), Buffer.alloc(1000));
  }
  const unroll = async (...words: string[]) => {
    const lines: string[] = [];
    const keep = (line: string) => void lines.push(line);
    const argv = [...words, '--runs-directory', runs];
    const code = await runProgram(argv, openTerminal(argv, { print: keep, complain: keep }));
    return { code, text: lines.join('\n') };
  };
  const left = () => directories.map((one) => existsSync(join(one, 'run.json')));
  return { runs, directories, unroll, left };
};

test('nothing is deleted without --yes; the sizes are shown', async () => {
  const { unroll, left, runs } = sweep();
  const { code, text } = await unroll('prune', 'failed', 'interrupted', 'checkpoints');
  expect(code).toBe(0);
  expect(text).toMatch(/4 items, [\d.]+ kB\. Nothing is deleted yet: add --yes\./);
  expect(text.match(/checkpoints +1\.0 kB/g)).toHaveLength(2);
  expect((await unroll('rm', plan.experiment)).text).toContain('Nothing is deleted yet');
  expect(left()).toEqual([true, true, true, true, true]);
  expect(existsSync(join(runs, plan.experiment))).toBe(true);
});

test('prune deletes what it names', async () => {
  const { unroll, left, directories } = sweep();
  expect((await unroll('prune', 'failed', 'checkpoints', '--yes')).code).toBe(0);
  expect(left()).toEqual([true, false, true, true, true]);
  expect(directories.map((one) => existsSync(join(one, 'checkpoints')))).toEqual([
    false,
    false,
    true,
    true,
    false,
  ]);
});

test('a folder without a checkpoint is nothing to delete', async () => {
  const { unroll, directories } = sweep();
  for (const one of directories) rmSync(join(one, 'checkpoints', 'best.safetensors'));
  expect((await unroll('prune', 'checkpoints')).text).toBe('Nothing to delete.');
});

test('a run that is being trained is left alone, by its status and by its lock', async () => {
  const { unroll, left, directories, runs } = sweep();
  writeFileSync(join(directories[4] ?? '', 'lock'), JSON.stringify(processIdentity(process.ppid)));
  const { code, text } = await unroll('rm', plan.experiment, '--yes');
  expect(code).toBe(1);
  expect(text.match(/is being trained and is left alone/g)).toHaveLength(2);
  expect(left()).toEqual([false, false, false, true, true]);
  expect(existsSync(join(runs, plan.experiment, 'sweeps'))).toBe(true);
});

test('an experiment goes with its plans once its last run is deleted', async () => {
  const { unroll, runs, directories } = sweep();
  const [first = ''] = directories;
  expect((await unroll('rm', plan.runs[0]?.id.slice(0, 6) ?? '', '--yes', '--json')).text).toContain(
    '"deleted": 1',
  );
  expect(existsSync(first)).toBe(false);
  expect((await unroll('rm', plan.experiment, '--yes')).code).toBe(1);
  expect(existsSync(join(runs, plan.experiment, 'sweeps'))).toBe(true);
  rmSync(directories[3] ?? '', { recursive: true });
  expect((await unroll('rm', plan.experiment, '--yes')).code).toBe(0);
  expect(existsSync(join(runs, plan.experiment))).toBe(false);
});

test('a run whose record cannot be read is deleted by its id and with its experiment', async () => {
  const { unroll, runs, directories } = sweep();
  writeFileSync(join(directories[0] ?? '', 'run.json'), '{');
  const listed = await unroll('rm', plan.runs[0]?.id ?? '');
  expect(listed.code).toBe(0);
  expect(listed.text).toContain('damaged');
  expect((await unroll('rm', plan.runs[0]?.id ?? '', '--yes')).code).toBe(0);
  expect(existsSync(directories[0] ?? '')).toBe(false);
  for (const directory of directories.slice(1)) writeFileSync(join(directory, 'status.json'), '');
  expect((await unroll('rm', plan.experiment, '--yes')).code).toBe(0);
  expect(existsSync(join(runs, plan.experiment))).toBe(false);
});
