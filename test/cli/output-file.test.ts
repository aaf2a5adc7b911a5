import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { takenFile } from '../../src/diagnostic/taken-file.ts';
import { createRig } from '../support/rig.ts';
import { smallSpec } from '../support/small-sweep.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a command replaces a file of the user only with --force', async () => {
  const rig = createRig();
  rig.write('toy.yaml', smallSpec({ steps: 3 }));
  rig.write('inputs.jsonl', '{"inputs":[1,0,1]}\n');
  expect((await rig.unroll('run', 'toy.yaml', '--quiet')).code).toBe(0);
  const [id = ''] = rig.runIds('trial');
  const writers = [
    ['predict', 'best:trial', '--input', 'inputs.jsonl', '--output', 'rows.csv'],
    ['bundle', 'best:trial', '--output', 'run.zip'],
    ['compare', 'trial', '--parquet', 'table.parquet'],
    ['range', 'toy.yaml', '--steps', '20', '--plot', 'plot.svg'],
  ];
  for (const words of writers) {
    const file = words.at(-1) ?? '';
    const path = join(rig.directory, file);
    rig.write(file, 'notes of mine');
    const refused = await rig.unroll(...words);
    expect(refused.code, words.join(' ')).toBe(2);
    expect(refused.stderr).toContain(`[file-exists] ${file} exists already, so nothing was written.`);
    expect(refused.stderr).toContain('Write --force to replace it');
    expect(readFileSync(path, 'utf8')).toBe('notes of mine');
    // Its plot is written after a training, as test/cli/range.test.ts shows.
    if (words[0] === 'range') continue;
    const forced = await rig.unroll(...words, '--force');
    expect(forced.code, forced.stderr).toBe(0);
    expect(readFileSync(path, 'utf8')).not.toContain('notes of mine');
  }
  // Also under the name that nobody wrote.
  rig.write(`trial-${id}.zip`, 'notes of mine');
  expect((await rig.unroll('bundle', id)).stderr).toContain(`trial-${id}.zip exists already`);
}, 120_000);

test('what is no file is not replaced, whatever is allowed', () => {
  const folder = temporaryDirectory();
  const taken = (name: string, force: boolean) =>
    takenFile(resolve(folder, name), force, { option: '--output', force: '--force' })?.message;
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'link'));
  expect(taken('new', false)).toBeUndefined();
  expect(taken('file', false)).toContain('exists already');
  expect(taken('link', false)).toContain('exists already');
  expect(taken('file', true)).toBeUndefined();
  expect(taken('folder', true)).toContain('is a folder');
  expect(taken('/dev/null', true)).toContain('is a device');
});
