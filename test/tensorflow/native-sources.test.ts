import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/system/package-root.ts';

const native = join(packageRoot, 'native');
const sources = [native, join(native, 'test')]
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .filter((path) => /\.(cc|h)$/.test(path));

/** Whether a program is on this machine. In CI all of them are, so nothing is left out in silence. */
const has = (program: string): boolean =>
  Boolean(process.env['CI']) || spawnSync(program, ['--version']).error === undefined;

test.skipIf(!has('g++') || process.arch !== 'x64')(
  'each kernel computes what its plain reference does, for odd shapes too, and compiles without warnings',
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(packageRoot, 'scripts', 'test-native.mjs'),
    ]);
    expect(stdout).toMatch(/(\d threads?: [1-9]\d+ comparisons, 0 failed|has none of the)/);
  },
  // Compiling takes half a minute of processor time.
  900_000,
);

// CI has no compiler for another processor family: this one is for machines that do.
test.skipIf(
  spawnSync('aarch64-linux-gnu-g++').error !== undefined || spawnSync('qemu-aarch64').error !== undefined,
)(
  'the kernels for NEON compute what the plain references do, under emulation',
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(packageRoot, 'scripts', 'test-native.mjs'),
      '--arm64',
    ]);
    expect(stdout).toMatch(/NEON, 3 threads: [1-9]\d+ comparisons, 0 failed/);
  },
  900_000,
);

test.skipIf(!has('clang-format'))('the C++ sources have the format of native/.clang-format', async () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(existsSync(join(native, '.clang-format'))).toBe(true);
  const { stderr } = await promisify(execFile)('clang-format', ['--dry-run', '--Werror', ...sources]);
  expect(stderr).toBe('');
});
