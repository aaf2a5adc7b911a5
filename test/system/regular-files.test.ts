import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  appendRegular,
  copyRegular,
  openRegular,
  openToAppend,
  openToWrite,
  readJson,
  readRegular,
  streamOf,
} from '../../src/system/files.ts';
import { readIdx } from '../../src/data/idx.ts';
import { runCommand } from '../../src/system/command.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const withPipe = () => {
  const directory = temporaryDirectory();
  const pipe = join(directory, 'pipe');
  execFileSync('sh', ['-c', 'mkfifo "$0"', pipe]);
  return { directory, pipe };
};

/** A read that waits would wait for ever. */
const deadlineMs = 60_000;

const unrollIn =
  (directory: string) =>
  (...words: string[]) =>
    runCommand(process.execPath, [join(packageRoot, 'bin', 'unroll.js'), ...words], {
      cwd: directory,
      timeoutMs: deadlineMs,
    });

test('only files are read, written and copied', async () => {
  const { directory, pipe } = withPipe();
  for (const path of [pipe, '/dev/zero', '/dev/tty', '/dev/null']) {
    expect(() => readRegular(path)).toThrow(/ENXIO|is a (pipe|device), not a file/);
    expect(() => openRegular(path)).toThrow();
    expect(() => readJson(path)).toThrow();
    for (const open of [openToAppend, openToWrite, streamOf]) expect(() => open(path)).toThrow();
    expect(() => appendRegular(path, 'x')).toThrow();
    expect(() => copyRegular(path, join(directory, 'copy'))).toThrow();
    const data = {
      path,
      name: path,
      parameter: 'file',
      size: 9,
      changedAt: [0, 0] as const,
      reading: undefined,
    };
    await expect(readIdx(data)).rejects.toThrow(/ENXIO|not a file/);
  }
  const file = join(directory, 'file.json');
  writeFileSync(file, '{"a":1}');
  const link = join(directory, 'link.json');
  symlinkSync(file, link);
  expect(readJson(link)).toEqual({ a: 1 });
});

test('a spec, data, a config and what a spec extends', async () => {
  const { directory } = withPipe();
  const unroll = unrollIn(directory);
  const spec = (dataset: string) =>
    `version: 1\nname: x\n${dataset}\nmodel: { name: lstm }\noptimizer: { name: adam }\ntrain: { steps: 10 }\nseeds: [1]\n`;
  const written = {
    'data.yaml': spec('dataset: { name: csv-sequences, file: pipe, sequence: a, targets: [b] }'),
    'zero.yaml': spec('dataset: { name: csv-sequences, file: /dev/zero, sequence: a, targets: [b] }'),
    'jsonl.yaml': spec('dataset: { name: jsonl-sequences, layout: wide, file: pipe, targets: [b] }'),
    'text.yaml': spec('dataset: { name: characters, file: pipe }'),
    'extends.yaml': 'extends: pipe\n',
  };
  for (const [name, text] of Object.entries(written)) writeFileSync(join(directory, name), text);
  for (const name of [...Object.keys(written), 'pipe', '/dev/zero']) {
    const { code, output } = await unroll('validate', name);
    expect(code, `${name}: ${output}`).toBe(2);
    expect(output, name).toMatch(/a (pipe|device)/);
  }
});

test('whatever a recorded run or sweep has in the place of its files', async () => {
  const { directory, pipe } = withPipe();
  const unroll = unrollIn(directory);
  const run = join(directory, 'runs', 'x', '0123456789ab');
  const sweeps = join(directory, 'runs', 'x', 'sweeps');
  mkdirSync(run, { recursive: true });
  mkdirSync(sweeps, { recursive: true });
  for (const name of ['run.json', 'status.json', 'metrics.jsonl', 'environment.json', 'log.txt'])
    symlinkSync(name === 'status.json' ? '/dev/zero' : pipe, join(run, name));
  symlinkSync(pipe, join(sweeps, '0123456789ab.json'));
  symlinkSync(pipe, join(directory, 'runs', 'x', '.index'));
  for (const words of [
    ['ls'],
    ['show', '0123456789ab'],
    ['compare', 'x'],
    ['check'],
    ['resume', 'x'],
    ['rm', '0123456789ab'],
    ['prune', 'failed'],
    ['sync', '--mlflow', 'http://127.0.0.1:9'],
  ]) {
    const { code, output } = await unroll(...words);
    expect(code, `${words.join(' ')}: ${output}`).not.toBe(null);
    expect(output).not.toContain('bug in Unroll');
  }
  expect((await unroll('ls')).output).toContain('run.json is a pipe, not a file');
});
