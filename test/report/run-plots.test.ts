import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { writeRunPlots } from '../../src/report/run-plots.ts';
import { makePlan, writeRunDirectory } from '../support/run-directories.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const run = makePlan({ axes: { 'model.hiddenSize': [64, 128] } }).runs[0] ?? expect.fail();

test('a run gets one picture for each quantity', async () => {
  const paths = await writeRunPlots(writeRunDirectory(temporaryDirectory(), run));
  expect(paths.map((path) => basename(path))).toEqual(['loss.svg', 'accuracy.svg']);
  const svg = readFileSync(paths[0] ?? '', 'utf8');
  expect(svg).toContain('hiddenSize 64');
  expect(svg).toMatch(/<desc[^>]*>loss over training steps of run [0-9a-f]{12}: train\/loss ends at 0\.\d+/);
});

test('a run without curves has no pictures', async () => {
  expect(await writeRunPlots(writeRunDirectory(temporaryDirectory(), run, { state: 'new' }))).toEqual([]);
  expect(await writeRunPlots(temporaryDirectory())).toEqual([]);
});
