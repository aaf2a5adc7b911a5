import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../../src/system/package-root.ts';
import { noTerminal as skipped, openRealTerminal } from '../../support/tmux.ts';

let folder = '';
beforeAll(async () => {
  if (skipped) return;
  const cache = join(packageRoot, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'console-puppet-'));
  await build({
    entryPoints: [join(packageRoot, 'test/support/console-puppet.ts')],
    outfile: join(folder, 'puppet.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
});
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** The puppet in a terminal of its own, in front of a shell that stays. */
const open = async (name: string, width: number, height: number) => {
  const command = `${process.execPath} ${join(folder, 'puppet.mjs')} 2>&1; echo status $?; exec cat`;
  const terminal = openRealTerminal(command, { name, width, height });
  await terminal.until((text) => text.includes('ready'));
  return terminal;
};

const barLines = (text: string) => text.split('\n').filter((line) => /[━─]/.test(line));

test.skipIf(skipped)(
  'a sweep on a terminal: lines move, ended runs stay, the cursor comes back',
  async () => {
    const terminal = await open('sweep', 80, 12);
    terminal.press('nnn');
    const middle = await terminal.until((text) => text.includes('3/8 runs'));
    expect(middle).toMatchInlineSnapshot(`
      "ready
      ✗ hiddenSize 64, learningRate 0.001, seed 2: diverged after step 100: The loss b
      ecame NaN.
        log: runs/mnist-rows/edab8ab4ff2d/log.txt
      ✓ hiddenSize 64, learningRate 0.001, seed 1  test/accuracy 0.9641  8.2s
      ✓ hiddenSize 64, learningRate 0.003, seed 1  test/accuracy 0.9670  8.2s
      64 · 0.003 · seed 2  ━━━━━━──────  100/200  █▆▄▂▂▁▁▁  loss 0.2342     4.0s
      ━━━━──────  3/8 runs  1 failed  13s, 18s left  best 0.9670 hiddenSize 64, lear…"
    `);
    expect(terminal.cursorVisible()).toBe(false);

    terminal.press('nnnnnn');
    const end = await terminal.until((text) => text.includes('8 runs:'));
    expect(barLines(end)).toEqual([]);
    terminal.press('q');
    await terminal.until((text) => text.includes('status 0'));
    expect(terminal.cursorVisible()).toBe(true);
    // Every ended run is told once, those that scrolled away too.
    expect(terminal.history().match(/[✓✗]/gu)).toHaveLength(8);
    expect(barLines(terminal.history())).toEqual([]);
  },
);

test.skipIf(skipped)('no line of a frame is left behind when the terminal changes its width', async () => {
  const terminal = await open('resize', 100, 20);
  terminal.press('nnn');
  await terminal.until((text) => text.includes('3/8 runs'));
  for (const width of [60, 40, 90, 50, 120]) {
    terminal.resize(width);
    await terminal.until(
      (text) => barLines(text).length >= 1 && barLines(text).every((line) => line.length < width),
    );
    terminal.press('n');
  }
  terminal.press('nn');
  await terminal.until((text) => text.includes('8 runs:'));
  expect(barLines(terminal.history())).toEqual([]);
});

test.skipIf(skipped)('a crash leaves the cursor visible', async () => {
  const terminal = await open('crash', 80, 20);
  terminal.press('nn');
  await terminal.until((text) => text.includes('2/8 runs'));
  terminal.press('c');
  await terminal.until((text) => text.includes('status 1'));
  expect(terminal.cursorVisible()).toBe(true);
});
