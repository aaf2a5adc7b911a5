import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EnvironmentFile } from '../../src/record/run-files.ts';
import {
  distanceOf,
  environmentDifferences,
  metricDeviations,
  weightDeviations,
} from '../../src/verify/differences.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const record = (lines: readonly (readonly [step: number, loss: number | string])[]): string => {
  const folder = temporaryDirectory();
  const text = lines
    .map(([step, loss]) => `${JSON.stringify({ step, time: 0, metrics: { loss } })}\n`)
    .join('');
  writeFileSync(join(folder, 'metrics.jsonl'), text);
  return folder;
};

test('numbers are compared bit by bit, then by their distance', () => {
  expect(distanceOf(0.1, 0.1)).toBe(0);
  expect(distanceOf(Number.NaN, Number.NaN)).toBe(0);
  expect(distanceOf(0, -0)).toBeGreaterThan(0);
  expect(distanceOf(1, 1 + 2e-7)).toBeCloseTo(2e-7, 12);
  expect(distanceOf(1e6, 1e6 + 1)).toBeCloseTo(1e-6, 9);
  expect(distanceOf(Number.NaN, 1)).toBe(Infinity);
  expect(distanceOf(Infinity, 1)).toBe(Infinity);
});

test('metrics deviate from the first step that is not the same, within the steps that were trained', () => {
  const recorded = record([
    [1, 0.5],
    [2, 0.25],
    [3, 0.125],
  ]);
  const again = record([
    [1, 0.5],
    [2, 0.25 + 1e-8],
  ]);
  const upTo = (step: number) => metricDeviations(recorded, again, step);
  expect(upTo(1)).toEqual({ compared: 1, deviations: [] });
  expect(upTo(2).deviations).toMatchObject([{ what: 'loss', step: 2 }]);
  expect(upTo(2).deviations[0]?.distance).toBeLessThan(1e-6);
  // A step that is missing is as far away as can be.
  expect(upTo(3).deviations.at(-1)).toEqual({ what: 'loss', step: 3, distance: Infinity });
});

test('weights deviate by the largest difference, and in shape or name as far as can be', () => {
  const tensor = (...values: number[]) => ({ shape: [values.length], values: Float32Array.from(values) });
  const recorded = new Map([
    ['kernel', tensor(1, 2, 3)],
    ['bias', tensor(0, 0)],
  ]);
  expect(weightDeviations(recorded, recorded, 8)).toEqual([]);
  const again = new Map([
    ['kernel', tensor(1, 2.5, 3)],
    ['bias', tensor(0)],
    ['more', tensor(1)],
  ]);
  expect(weightDeviations(recorded, again, 8)).toEqual([
    { what: 'kernel', step: 8, distance: 0.2 },
    { what: 'bias', step: 8, distance: Infinity },
    { what: 'more', step: 8, distance: Infinity },
  ]);
});

test('a machine differs by its kernels; what an earlier version did not record counts only for other numbers', () => {
  const earlier: EnvironmentFile = {
    ...{
      unroll: '0.1.0',
      node: '20.19.0',
      platform: 'linux',
      cpu: 'some',
      cores: 2,
      host: 'one',
      user: 'who',
    },
    ...{ commandLine: 'unroll run', git: null, backend: 'tensorflow', tensorflow: '2.21.0' },
    ...{ kernel: 'block-lstm', threads: 1 },
  };
  const own = { ...earlier, host: 'another', ownKernels: '0123456789abcdef', instructionSet: 'AVX2' };
  const without = { ...earlier, ownKernels: null, instructionSet: null };
  expect(environmentDifferences(own, own, false)).toEqual([]);
  expect(environmentDifferences(without, own, true)).toEqual([
    { what: 'ownKernels', recorded: null, now: '0123456789abcdef' },
    { what: 'instructionSet', recorded: null, now: 'AVX2' },
  ]);
  expect(environmentDifferences(own, { ...own, instructionSet: 'AVX-512' }, true)).toEqual([
    { what: 'instructionSet', recorded: 'AVX2', now: 'AVX-512' },
  ]);
  expect(environmentDifferences(earlier, own, true)).toEqual([]);
  expect(environmentDifferences(earlier, own, false)).toEqual([
    { what: 'ownKernels', recorded: 'not recorded', now: '0123456789abcdef' },
    { what: 'instructionSet', recorded: 'not recorded', now: 'AVX2' },
  ]);
});
