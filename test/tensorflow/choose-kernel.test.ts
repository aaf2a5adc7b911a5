import { describe, expect, test } from 'vitest';
import { chooseKernel, runnableKernels } from '../../src/tensorflow/kernels/choose-kernel.ts';
import { fusedKernels } from '../../src/tensorflow/kernels/fused-kernels.ts';
import type { Cell } from '../../src/tensorflow/kernels/kernel.ts';
import { kernelNames, kernelsWith, type CellFeature } from '../../src/tensorflow/kernels/table.ts';
import { loadTensorFlow } from '../../src/tensorflow/load.ts';
import { rows } from '../support/networks.ts';

await loadTensorFlow();
const kernels = fusedKernels();
const why = kernels.available ? '' : ` (left out: ${kernels.reason})`;

const cells = Object.keys(rows) as Cell[];
const everyKernel = cells.flatMap((cell) => kernelsWith(cell, []).map((entry) => ({ cell, ...entry })));

/** The features that some kernel of a cell has, without bfloat16, which only our own library computes. */
const featuresOf = (cell: Cell): readonly CellFeature[] =>
  [...new Set(kernelsWith(cell, []).flatMap(({ features }) => features))].filter((one) => one !== 'bfloat16');

describe('the table of kernels', () => {
  test('has each name once, and lists all of them by what they need', () => {
    const names = everyKernel.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(kernelNames(() => true)).toEqual(names);
    expect(kernelNames((needs) => needs === 'nothing')).toEqual(cells.map((cell) => `composed-${cell}`));
  });

  test.each(everyKernel)('$name returns every state exactly where it says so', async ({ features, load }) => {
    expect((await load()).states !== undefined).toBe(features.includes('everyState'));
  });

  test.each(cells)('%s has a kernel with all features for any back end', (cell) => {
    expect(kernelsWith(cell, featuresOf(cell)).map(({ needs }) => needs)).toEqual(['nothing']);
  });
});

describe('the kernel chosen', () => {
  test.skipIf(!kernels.available).each(cells)(`of the basic %s is the fused one${why}`, (cell) => {
    expect(chooseKernel(cell, []).name).toBe(`fused-${cell}`);
    expect(chooseKernel(cell, ['recurrentMask']).name).toBe(`fused-${cell}`);
    expect(chooseKernel(cell, ['recurrentMask', 'bfloat16']).name).toBe(`fused-${cell}`);
    expect(runnableKernels()).toEqual(everyKernel.map(({ name }) => name));
  });

  test('has the features asked for, the fastest first', () => {
    expect(chooseKernel('lstm', ['peepholes']).name).toBe('block-lstm');
    expect(chooseKernel('lstm', ['everyState']).name).toBe('block-lstm');
    for (const feature of ['norm', 'projection', 'recurrentMask'] as const)
      expect(chooseKernel('lstm', [feature, 'peepholes']).name).toBe('composed-lstm');
    expect(chooseKernel('gru', ['resetBefore']).name).toBe('composed-gru');
  });

  test('is the one that the plan names, or an error', () => {
    expect(chooseKernel('lstm', [], 'composed-lstm').name).toBe('composed-lstm');
    expect(() => chooseKernel('lstm', ['norm'], 'block-lstm')).toThrow(
      'The kernel block-lstm cannot compute this lstm.',
    );
    expect(() => chooseKernel('gru', [], 'composed-lstm')).toThrow(
      'The kernel composed-lstm cannot compute this gru.',
    );
  });
});
